"""Making a teacher as sure as it should be."""

import numpy as np
from scipy.optimize import brentq

LOWEST, HIGHEST = 0.01, 100.0
"""Temperatures that are searched."""


def calibration_temperature(logits, labels, sample_weight=None):
    r"""Temperature that makes held-out log-odds as sure as they should be.

    .. math::
        T_c = \arg\min_T -\sum_i w_i
        \log \operatorname{softmax}(t_i / T)_{y_i}

    Above 1 the teacher was too sure of itself, below 1 not sure enough.

    Parameters
    ----------
    logits : ndarray of shape (n_samples, n_classes)
        Log-odds on rows that the teacher was not fitted on.
    labels : ndarray of int of shape (n_samples,)
        Columns of the true classes.
    sample_weight : ndarray of shape (n_samples,), default=None
        Non-negative weights.

    Returns
    -------
    float
        In [1/100, 100].

    References
    ----------
    C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger. "On Calibration of Modern Neural
    Networks", ICML 2017.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.array([[0.0, 4.0], [0.0, 4.0], [0.0, 4.0], [0.0, 4.0]])
    >>> round(calibration_temperature(logits, np.array([1, 1, 1, 0])), 2)
    3.64
    """
    highest = logits.max(axis=1, keepdims=True)
    # Differences of finite numbers can overflow.
    with np.errstate(over="ignore"):
        margins = np.maximum(logits - highest, -np.finfo(np.float64).max)
        of_label = margins[np.arange(len(labels)), labels]
        of_label = np.average(of_label, weights=sample_weight)

    def slope(inverse):
        """Of the loss in 1/T, which rises with 1/T: the loss is convex in it."""
        with np.errstate(over="ignore"):
            odds = np.exp(margins * inverse)
        expected = np.einsum("nk,nk->n", odds, margins) / odds.sum(axis=1)
        return np.average(expected, weights=sample_weight) - of_label

    # Few teachers are far from 1.
    low = high = 1.0
    while slope(low) > 0:
        if low <= 1 / HIGHEST:
            return HIGHEST
        low, high = max(low / 2, 1 / HIGHEST), low
    while slope(high) < 0:
        if high >= 1 / LOWEST:
            return LOWEST
        low, high = high, min(high * 2, 1 / LOWEST)
    return float(1 / brentq(slope, low, high, rtol=1e-7))
