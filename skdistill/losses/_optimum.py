"""The log-odds that minimise the objective where a student is a constant."""

import numpy as np

from ._reference import log_softmax

MAX_NEWTON_STEPS = 100

GRADIENT_TOLERANCE = 1e-10
"""Largest gradient entry, relative to the weight of the group, that counts as zero."""

SMALLEST_PROBABILITY = 1e-12
"""Probabilities below it count as it, so that every optimum is finite."""


def optimal_log_odds(soft, hard, soft_weight, hard_weight, temperature):
    r"""Minimiser of the objective over groups of rows that share one prediction.

    With the mean softened teacher distribution :math:`\bar q`, the mean label
    distribution :math:`\bar y` and the weights :math:`a`, :math:`b` of both terms,
    each group's log-odds :math:`z` solve

    .. math::
        a T (\operatorname{softmax}(z / T) - \bar q)
        + b (\operatorname{softmax}(z) - \bar y) = 0.

    For :math:`T = 1` the solution is the logarithm of the weighted mean of
    :math:`\bar q` and :math:`\bar y`; with one term alone it is
    :math:`T \log \bar q` or :math:`\log \bar y`. Otherwise Newton's method with
    step halving finds it: the objective is convex.

    Parameters
    ----------
    soft : ndarray of shape (n_groups, n_classes)
        :math:`\bar q`; rows sum to 1.
    hard : ndarray of shape (n_groups, n_classes)
        :math:`\bar y`; rows sum to 1, and are ignored where `hard_weight` is 0.
    soft_weight, hard_weight : ndarray of shape (n_groups,)
        :math:`a \ge 0` and :math:`b \ge 0`, not both 0.
    temperature : float
        :math:`T > 0`.

    Returns
    -------
    ndarray of shape (n_groups, n_classes), float64
        Log-odds with mean 0 in each row.
    """
    a, b = soft_weight[:, None], hard_weight[:, None]
    q = np.maximum(soft, SMALLEST_PROBABILITY)
    y = np.maximum(hard, SMALLEST_PROBABILITY)
    mixed = np.log((a * q + b * y) / (a + b))
    logits = np.where(b == 0, temperature * np.log(q), mixed)
    logits -= logits.mean(axis=1, keepdims=True)
    open_groups = np.flatnonzero((soft_weight > 0) & (hard_weight > 0))
    if temperature != 1 and len(open_groups):
        g = open_groups
        logits[g] = _newton(logits[g], q[g], y[g], a[g], b[g], temperature)
    return logits


def _objective(z, q, y, a, b, temperature):
    soft = -(q * log_softmax(z, temperature)).sum(axis=1)
    hard = -(y * log_softmax(z)).sum(axis=1)
    return a[:, 0] * temperature**2 * soft + b[:, 0] * hard


def _newton(z, q, y, a, b, temperature):
    total = a + b
    a, b = a / total, b / total
    for _ in range(MAX_NEWTON_STEPS):
        p_soft, p_hard = np.exp(log_softmax(z, temperature)), np.exp(log_softmax(z))
        gradient = a * temperature * (p_soft - q) + b * (p_hard - y)
        if np.abs(gradient).max() <= GRADIENT_TOLERANCE:
            break
        step = _newton_step(gradient, a * p_soft, p_soft, b * p_hard, p_hard)
        z = _descend(z, step, gradient, q, y, a, b, temperature)
    return z


def _newton_step(gradient, soft, p_soft, hard, p_hard):
    # The hessian is singular along the constant vector, where the objective does not
    # change; adding it makes the solution the one with mean 0.
    n_classes = gradient.shape[1]
    hessian = np.einsum("gi,ij->gij", soft + hard, np.eye(n_classes))
    hessian -= np.einsum("gi,gj->gij", soft, p_soft)
    hessian -= np.einsum("gi,gj->gij", hard, p_hard)
    hessian += 1.0 / n_classes
    hessian += 1e-14 * np.eye(n_classes)
    return np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]


def _descend(z, step, gradient, q, y, a, b, temperature):
    """Take the step, halved in each group until the objective falls enough."""
    start = _objective(z, q, y, a, b, temperature)
    slope = (gradient * step).sum(axis=1)
    length = np.ones(len(z))
    for _ in range(60):
        new = z - length[:, None] * step
        value = _objective(new, q, y, a, b, temperature)
        rising = ~(value <= start - 1e-4 * length * slope + 1e-12 * np.abs(start))
        if not rising.any():
            break
        length[rising] /= 2
    return z - length[:, None] * step
