"""Undoing what class weights and resampling have done to a teacher."""

from dataclasses import replace

import numpy as np
from scipy.optimize import minimize

from ..losses._reference import log_softmax
from ._calibration import HIGHEST, LOWEST, calibration_temperature

LARGEST_SHIFT = 20.0
"""Calibrated log-odds are shifted by this many nats at most."""


def prior_shift(logits, labels, sample_weight=None):
    r"""Return constants that undo a shift of class frequencies in held-out log-odds.

    A teacher that was fitted with `class_weight` or `scale_pos_weight`, or on
    resampled rows, predicts the classes about as often as the weights say that they
    occur. That adds one constant :math:`-s_k` to the log-odds of each class, which is
    found together with the temperature that calibrates them,

    .. math::
        s, T_c = \arg\min_{s, T} -\sum_i w_i
        \log \operatorname{softmax}((t_i + s) / T)_{y_i},

    a convex problem in :math:`1 / T` and :math:`s / T`. At the minimum the mean
    probability of each class is its frequency. Add :math:`s` to the log-odds, and
    `calibration_temperature` of the sum is :math:`T_c`.

    Parameters
    ----------
    logits : ndarray of shape (n_samples, n_classes)
        Log-odds on rows that the teacher was not fitted on.
    labels : ndarray of int of shape (n_samples,)
        Columns of the true classes.
    sample_weight : ndarray of shape (n_samples,), default=None
        Non-negative weights of the rows; those of the population, not those that
        balance the classes.

    Returns
    -------
    ndarray of shape (n_classes,), float64
        In nats. The mean over the rows' own classes is 0. A class that no row has
        keeps its log-odds, as does everything where all rows are of one class.

    Raises
    ------
    ValueError
        If shapes do not fit.

    References
    ----------
    A. Alexandari, A. Kundaje, A. Shrikumar. "Maximum Likelihood with Bias-Corrected
    Calibration is Hard-To-Beat at Label Shift Adaptation", ICML 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.teachers import prior_shift
    >>> logits = np.array([[0.0, -1.0], [0.0, 1.0]]).repeat(100, axis=0)
    >>> labels = np.repeat([0, 1, 0, 1], [90, 10, 60, 40])
    >>> shift = prior_shift(logits, labels)
    >>> odds = (logits + shift)[:, 1] - (logits + shift)[:, 0]
    >>> float(odds[0].round(2)), float(odds[-1].round(2))
    (-2.45, -0.45)
    """
    logits, labels = np.asarray(logits, dtype=np.float64), np.asarray(labels)
    n_samples, n_classes = logits.shape
    if labels.shape != (n_samples,):
        raise ValueError(
            f"Got labels of shape {labels.shape}, but expected ({n_samples},)."
        )
    weights = np.ones(n_samples) if sample_weight is None else sample_weight
    counts = np.bincount(labels, weights, minlength=n_classes)
    seen = np.flatnonzero(counts)
    if len(seen) < 2:
        return np.zeros(n_classes)
    rows = np.flatnonzero(weights)
    columns = np.searchsorted(seen, labels[rows])
    shift = np.zeros(n_classes)
    shift[seen] = _fit(logits[np.ix_(rows, seen)], columns, weights[rows])
    shift[seen] -= np.average(shift[seen], weights=counts[seen])
    return shift


def undo_prior_shift(labelling, labels, sample_weight=None):
    """Return what a teacher says about rows with its prior shift undone.

    Parameters
    ----------
    labelling : Labelling
        What a teacher says.
    labels : ndarray of int of shape (n_samples,)
        Columns of the true classes.
    sample_weight : ndarray of shape (n_samples,), default=None
        Non-negative weights of the rows.

    Returns
    -------
    Labelling
        With `prior_shift` of its held-out log-odds added to all of them.

    Raises
    ------
    ValueError
        If no row of any weight was held out: in sample, a teacher's probabilities
        say nothing about how often the classes occur elsewhere.
    """
    weights = np.ones(len(labels)) if sample_weight is None else sample_weight
    weights = labelling.held_out * weights
    if not weights.any():
        raise ValueError(
            "Got no held-out rows (cv=None), but expected some to correct the prior by."
        )
    shift = prior_shift(labelling.logits, labels, weights)

    def of_pool(logits):
        return None if logits is None else logits + shift.astype(logits.dtype)

    return replace(
        labelling,
        logits=labelling.logits + shift,
        own_logits=labelling.own_logits + shift,
        pool_logits=of_pool(labelling.pool_logits),
        pool_own_logits=of_pool(labelling.pool_own_logits),
    )


def _fit(logits, labels, weights):
    """Shifts of classes that all occur, up to a constant."""
    # Makes the problem well conditioned, whatever the size of the log-odds.
    scale = calibration_temperature(logits, labels, weights)
    logits = (logits - logits.mean(axis=1, keepdims=True)) / scale
    weights = weights / weights.sum()
    rows = np.arange(len(labels))

    def loss(parameters):
        inverse, bias = parameters[0], parameters[1:]
        log_p = log_softmax(inverse * logits + bias)
        residual = np.exp(log_p)
        residual[rows, labels] -= 1
        residual *= weights[:, None]
        gradient = np.r_[(residual * logits).sum(), residual.sum(axis=0)]
        return -weights @ log_p[rows, labels], gradient

    start = np.r_[1.0, np.zeros(logits.shape[1])]
    result = minimize(
        loss,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[
            (1 / HIGHEST, 1 / LOWEST),
            *[(-LARGEST_SHIFT, LARGEST_SHIFT)] * logits.shape[1],
        ],
        options={"ftol": 1e-14, "gtol": 1e-9, "maxiter": 1000},
    )
    return result.x[1:] * scale / result.x[0]
