"""A fitted model's numbers as float32, so that little is lost."""

import numpy as np

LARGEST_THRESHOLD = float(np.finfo(np.float32).max)
FAR = 1e300
"""LightGBM's threshold above, or with the other sign below, every number."""

LARGEST_END = float(np.finfo(np.float32).max) / 4
"""Ends of intervals up to this have differences that float32 can represent."""


def split(numbers):
    """Return numbers as sums of two float32 numbers, the second far smaller.

    A float32 input lies exactly on either side of such a number, and near to it the
    difference is nearly exact, which intervals between large numbers need.

    Parameters
    ----------
    numbers : ndarray, float64

    Returns
    -------
    high, low : ndarray, float32
    """
    high = numbers.astype(np.float32)
    return high, (numbers - high).astype(np.float32)


def check_ends(columns):
    """Raise an error if knots, edges or fill of a numeric column overflow float32.

    Parameters
    ----------
    columns : iterable of NumberColumn and CategoryColumn

    Raises
    ------
    ValueError
        If there is one of magnitude above 8.5e37.
    """
    for column in columns:
        if not column.is_numeric:
            continue
        ends = np.concatenate([column.knots, column.edges, [column.fill]])
        largest = np.abs(ends).max()
        if largest > LARGEST_END:
            raise ValueError(
                f"Got {largest:.3g} as magnitude of a knot, an edge or the fill of "
                f"column {column.name!r}, but expected at most {LARGEST_END:.3g}: the "
                "exported model computes in float32. Rescale the column."
            )


def check_thresholds(trees):
    """Raise an error if a threshold of a number overflows float32.

    Parameters
    ----------
    trees : skdistill.runtime.TreeEnsembleSpec

    Raises
    ------
    ValueError
        If there is one of magnitude above 3.4e38 that is neither infinite nor 1e300.
    """
    size = np.abs(np.where(trees.sets >= 0, 0.0, trees.thresholds))
    overflows = (size > LARGEST_THRESHOLD) & (size != FAR) & np.isfinite(size)
    if overflows.any():
        node = overflows.argmax()
        name = trees.columns[trees.features[node]].name
        raise ValueError(
            f"Got {trees.thresholds[node]:.3g} as threshold of column {name!r}, but "
            f"expected a magnitude of at most {LARGEST_THRESHOLD:.3g}: the exported "
            "model computes in float32. Rescale the column."
        )


def round_down(thresholds):
    r"""Return the largest float32 numbers that are not above thresholds.

    For every float32 number x, :math:`x \le t` is as true of them.

    Parameters
    ----------
    thresholds : ndarray, float64

    Returns
    -------
    ndarray, float32

    Raises
    ------
    ValueError
        If a threshold is not a number.
    """
    if np.isnan(thresholds).any():
        raise ValueError("Got a threshold that is NaN, but expected a number.")
    with np.errstate(over="ignore"):
        nearest = thresholds.astype(np.float32)
        below = np.nextafter(nearest, np.float32(-np.inf))
    return np.where(nearest > thresholds, below, nearest)
