"""Where in the table student and teacher differ most."""

from dataclasses import dataclass

import numpy as np

from .._columns import MISSING, is_frame, iterate_columns
from .._parameters import check_integer
from ._pairs import check_numbers, check_scores, row_weights
from ._ranks import equal_parts

MIN_ROWS = 50
"""Fewer rows say little: their mean difference is mostly chance."""

LONGEST_WHOLE = 1e15
"""Whole numbers from here on are shown with an exponent."""


@dataclass(frozen=True)
class Segment:
    """Rows with a value in common, and what student and teacher say about them.

    Parameters
    ----------
    column : str
        Name of the column.
    label : str
        Its value, or smallest and largest value.
    n_rows : int
        Number of rows with a positive weight.
    share : float
        Their share of the weight.
    teacher, student : float
        Weighted means of the predictions.
    difference : float
        Weighted mean of student minus teacher.
    standard_error : float
        Of the difference, for independent rows; NaN for a single one.
    actual : float or None
        Weighted mean of what happened, where it was given.

    Examples
    --------
    >>> from skdistill.inspection import Segment
    >>> segment = Segment("age", "17 to 22", 100, 0.1, 0.5, 0.6, 0.1, 0.02)
    >>> [round(end, 4) for end in segment.interval()]
    [0.0608, 0.1392]
    """

    column: str
    label: str
    n_rows: int
    share: float
    teacher: float
    student: float
    difference: float
    standard_error: float
    actual: float | None = None

    def interval(self, z=1.96):
        """Normal confidence interval of the difference.

        Parameters
        ----------
        z : float, default=1.96
            How many standard errors it reaches to each side; 1.96 are 95 %.

        Returns
        -------
        low, high : float
        """
        reach = z * self.standard_error
        return self.difference - reach, self.difference + reach


def segments(
    X,
    teacher_scores,
    student_scores,
    *,
    y=None,
    n_bins=10,
    min_rows=MIN_ROWS,
    sample_weight=None,
):
    """Compare student and teacher in the segments of every column.

    A numeric column is cut into bins of equal weight (of few values each is a segment
    of its own), a categorical one into its levels, of which those with too few rows
    are put together. Missing values are a segment. The segments of a column hold all
    rows.

    Parameters
    ----------
    X : array-like, sparse matrix or frame of shape (n_samples, n_columns)
        Columns to look at, which need not be those that the models see.
    teacher_scores, student_scores : array-like of shape (n_samples,)
        Predictions of any kind: probabilities of one class, amounts. Losses of each
        row, if the segment in which the student is worse is sought.
    y : array-like of shape (n_samples,), bool or numbers, default=None
        What happened.
    n_bins : int, default=10
        Number of bins of a numeric column.
    min_rows : int, default=50
        Levels with fewer rows of positive weight are put together.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights.

    Returns
    -------
    list of Segment
        Column by column.

    Raises
    ------
    TypeError
        If a column holds neither numbers nor categories.
    ValueError
        If a shape is wrong, there are no rows, or a parameter is out of range.

    See Also
    --------
    worst_segment : The one with the largest difference.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.inspection import segments
    >>> X = np.array([[0], [0], [1], [1]])
    >>> table = segments(X, [0.1, 0.3, 0.5, 0.7], [0.1, 0.3, 0.6, 0.8])
    >>> [(row.label, round(row.difference, 3)) for row in table]
    [('0', 0.0), ('1', 0.1)]
    """
    check_integer("n_bins", n_bins, 1)
    check_integer("min_rows", min_rows, 1)
    weights = row_weights(np.asarray(teacher_scores), sample_weight)
    used = weights > 0
    X = _check_table(X, len(weights))
    teacher, student, weights, y = check_scores(
        teacher_scores, student_scores, sample_weight, y
    )
    y = None if y is None else check_numbers(y, len(teacher))
    table = []
    for column, values in iterate_columns(X):
        parts = _numeric_parts if column.is_numeric else _level_parts
        codes, labels = parts(column, values[used], weights, n_bins, min_rows)
        table += _compare(column.name, codes, labels, teacher, student, weights, y)
    return table


def worst_segment(
    X,
    teacher_scores,
    student_scores,
    *,
    y=None,
    n_bins=10,
    min_rows=MIN_ROWS,
    sample_weight=None,
):
    """Find the segment with the largest mean difference of student and teacher.

    Parameters
    ----------
    X : array-like, sparse matrix or frame of shape (n_samples, n_columns)
        Columns to look at, which need not be those that the models see.
    teacher_scores, student_scores : array-like of shape (n_samples,)
        Predictions of any kind: probabilities of one class, amounts, losses.
    y : array-like of shape (n_samples,), bool or numbers, default=None
        What happened.
    n_bins : int, default=10
        Number of bins of a numeric column.
    min_rows : int, default=50
        Fewest rows of positive weight of a segment.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights.

    Returns
    -------
    Segment
        The largest absolute difference; the first of equally large ones.

    Raises
    ------
    TypeError
        If a column holds neither numbers nor categories.
    ValueError
        If a shape is wrong, a parameter is out of range, or no segment has so many
        rows.

    See Also
    --------
    segments : All of them, and how they are made.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.inspection import worst_segment
    >>> X = np.repeat([["a"], ["b"]], 50, axis=0)
    >>> student = np.repeat([0.5, 0.7], 50)
    >>> worst_segment(X, np.full(100, 0.5), student).label
    'b'
    """
    table = segments(
        X,
        teacher_scores,
        student_scores,
        y=y,
        n_bins=n_bins,
        min_rows=min_rows,
        sample_weight=sample_weight,
    )
    large = [segment for segment in table if segment.n_rows >= min_rows]
    if not large:
        raise ValueError(
            f"Got min_rows={min_rows}, but expected at most the rows of the largest "
            f"segment, {max((segment.n_rows for segment in table), default=0)}."
        )
    return max(large, key=lambda segment: abs(segment.difference))


def _check_table(X, n_samples):
    if not (hasattr(X, "tocsc") or is_frame(X)):
        X = np.asarray(X)
    if len(X.shape) != 2 or X.shape[0] != n_samples:
        raise ValueError(
            f"Got X of shape {X.shape}, but expected ({n_samples}, n_columns)."
        )
    return X


def _numeric_parts(column, values, weights, n_bins, min_rows):
    """Return the part of each row, and what the parts are called."""
    missing = np.isnan(values)
    codes = np.zeros(len(values), dtype=np.int64)
    known = values[~missing]
    distinct, position = np.unique(known, return_inverse=True)
    if len(distinct) <= n_bins:
        codes[~missing] = position
        ends = [(value, value) for value in distinct]
    else:
        parts = equal_parts(known, weights[~missing], n_bins)
        used, position = np.unique(parts, return_inverse=True)
        codes[~missing] = position
        bins = [known[parts == part] for part in used]
        ends = [(values.min(), values.max()) for values in bins]
    codes[missing] = len(ends)
    return codes, [*_ranges(ends), "missing"]


def _ranges(ends):
    """Return what intervals are called, in as many digits as tell them apart."""
    ends = np.array(ends).reshape(-1, 2) + 0.0  # not -0
    if (ends == np.round(ends)).all() and (np.abs(ends) < LONGEST_WHOLE).all():
        return [_range(*map(str, pair)) for pair in ends.astype(np.int64).tolist()]
    for digits in range(6, 18):
        labels = [_range(*(f"{end:.{digits}g}" for end in pair)) for pair in ends]
        if len(set(labels)) == len(labels):
            break
    return labels


def _range(low, high):
    return low if low == high else f"{low} to {high}"


def _level_parts(column, values, weights, n_bins, min_rows):
    labels = list(column.levels)
    missing = values == MISSING
    counts = np.bincount(values[~missing], minlength=len(labels))
    rare = (counts > 0) & (counts < min_rows)
    codes = np.where(missing, len(labels), values)
    if rare.sum() > 1:
        codes[~missing & rare[np.where(missing, 0, values)]] = len(labels) + 1
    return codes, [*labels, "missing", f"{rare.sum()} rare levels"]


def _compare(name, codes, labels, teacher, student, weights, y):
    n_parts = len(labels)

    def sums(values):
        return np.bincount(codes, values, n_parts)

    n_rows = np.bincount(codes, minlength=n_parts)
    mass = np.where(n_rows > 0, sums(weights), 1.0)
    difference = sums(weights * (student - teacher)) / mass
    residual = weights * (student - teacher - difference[codes])
    with np.errstate(divide="ignore", invalid="ignore"):
        # As of independent rows, of which the mean has taken one degree of freedom.
        variance = sums(residual**2) / mass**2 * n_rows / (n_rows - 1)
    columns = {
        "n_rows": n_rows,
        "share": mass / weights.sum(),
        "teacher": sums(weights * teacher) / mass,
        "student": sums(weights * student) / mass,
        "difference": difference,
        "standard_error": np.sqrt(variance),
    }
    if y is not None:
        columns["actual"] = sums(weights * y) / mass
    return [
        Segment(name, labels[k], **{key: col[k].item() for key, col in columns.items()})
        for k in np.flatnonzero(n_rows)
    ]
