"""Making a teacher as sure as it should be."""

import numpy as np
from scipy.optimize import minimize_scalar

from ..losses._reference import log_softmax

LARGEST_LOG_TEMPERATURE = np.log(100.0)
"""Temperatures are searched in [1/100, 100]."""


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
    rows = np.arange(len(labels))

    def loss(log_temperature):
        log_p = log_softmax(logits, np.exp(log_temperature))[rows, labels]
        return -np.average(log_p, weights=sample_weight)

    # Convex in 1/T, hence with a single minimum in log T.
    bounds = (-LARGEST_LOG_TEMPERATURE, LARGEST_LOG_TEMPERATURE)
    result = minimize_scalar(loss, bounds=bounds, method="bounded")
    return float(np.exp(result.x))
