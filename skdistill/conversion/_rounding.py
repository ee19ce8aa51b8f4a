"""Thresholds of models that round numbers to float32 before they compare them."""

import numpy as np

LARGEST = np.finfo(np.float32).max
BEYOND = 2.0 * float(LARGEST) - float(np.nextafter(LARGEST, np.float32(0)))
"""The double that would follow the largest float32."""


def thresholds_of_rounded(thresholds):
    r"""Return the thresholds that numbers not rounded to float32 must be compared with.

    The threshold for t is the largest double u with :math:`\operatorname{float32}(u)
    \le t`, so that :math:`x \le u \iff \operatorname{float32}(x) \le t` for each
    double x. It is the middle between the largest float32 not above t and the next
    one, or just below it if the middle is rounded up, as ties go to even.

    Parameters
    ----------
    thresholds : ndarray of shape (n_nodes,), float64
        Thresholds t; not NaN.

    Returns
    -------
    ndarray of shape (n_nodes,), float64
    """
    thresholds = np.asarray(thresholds, np.float64)
    # Above the largest float32 there is infinity alone, which only infinity admits.
    limited = np.minimum(thresholds, float(LARGEST))
    with np.errstate(over="ignore"):
        below = limited.astype(np.float32)
    too_large = below.astype(np.float64) > limited
    below[too_large] = np.nextafter(below[too_large], np.float32(-np.inf))
    start = below.astype(np.float64)
    end = np.nextafter(below, np.float32(np.inf), where=below < LARGEST, out=below + 0)
    end = end.astype(np.float64)
    # Rounding beyond the largest float32 takes steps as before it.
    start[below == -np.inf] = -BEYOND
    end[below == LARGEST] = BEYOND
    middle = start + (end - start) / 2
    with np.errstate(over="ignore"):
        goes_up = middle.astype(np.float32) > below
    middle[goes_up] = np.nextafter(middle[goes_up], -np.inf)
    return np.where(thresholds == np.inf, np.inf, middle)
