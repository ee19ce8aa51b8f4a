"""What a fitted encoder is, as plain arrays, and what it computes.

A number's code is piecewise linear and a category's is looked up, so that a network's
first layer need not expand them: the product of a column's code and the layer's
weights is a table, with an entry for each interval (and a slope) or each level. The
`encode` methods expand them nevertheless; they are the reference.
"""

import math
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

MISSING = -1
"""Code of a missing category. Counted from the end, it is the last level of all."""

UNSEEN = -2
"""Code of a category that no training row had: the level before."""

ROWS_AT_ONCE = 4096
COLUMNS_AT_ONCE = 16
"""Rows and columns whose code is computed together: it stays in the processor's cache,
and the table need not be in memory as float64 as a whole."""


def _nothing():
    return np.empty(0)


@dataclass(frozen=True, eq=False)
class NumberColumn:
    r"""A numeric column and its code: [score, intervals..., whether missing].

    The score is interpolated between knots. Interval i between edges
    :math:`e_i < e_{i+1}` has the code
    :math:`\min(\max((v - e_i) / (e_{i+1} - e_i), 0), 1)`.

    Parameters
    ----------
    name : str
        Name of the column.
    low, high : float
        Smallest and largest training value; NaN if all were missing.
    fill : float, default=0.0
        What stands for a missing value.
    knots, scores : ndarray of shape (n_knots,), float64, default=empty
        Increasing values, and the score of each. Empty: no score.
    edges : ndarray of shape (n_intervals + 1,), float64, default=empty
        Increasing ends of the intervals. Empty: no intervals.
    marks_missing : bool, default=False
        Whether the code says that a value is missing.

    Raises
    ------
    ValueError
        If the arrays do not fit together.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.runtime import NumberColumn
    >>> edges = np.array([0.0, 1.0, 3.0])
    >>> column = NumberColumn("x", 0.0, 3.0, 1.0, edges=edges, marks_missing=True)
    >>> code = np.empty((2, column.width))
    >>> column.encode(np.array([2.0, np.nan]), code)
    >>> code
    array([[1. , 0.5, 0. ], [1. , 0. , 1. ]])
    """

    name: str
    low: float
    high: float
    fill: float = 0.0
    knots: np.ndarray = field(default_factory=_nothing)
    scores: np.ndarray = field(default_factory=_nothing)
    edges: np.ndarray = field(default_factory=_nothing)
    marks_missing: bool = False

    def __post_init__(self):
        _check_name(self.name)
        _check_increasing(self.name, "knots", self.knots)
        _check_increasing(self.name, "edges", self.edges)
        _check_finite(self.name, "scores", self.scores)
        _check_shape(self.name, "scores", self.scores, self.knots.shape)
        for what, array in (("knot", self.knots), ("edge", self.edges)):
            if len(array) == 1:
                raise ValueError(
                    f"Got 1 {what} of column {self.name!r}, but expected none or at "
                    "least 2."
                )
        if not math.isfinite(self.fill):
            raise ValueError(
                f"Got fill={self.fill} of column {self.name!r}, but expected a number."
            )
        unknown = math.isnan(self.low) and math.isnan(self.high)
        if not (unknown or self.low <= self.high):
            raise ValueError(
                f"Got low={self.low} and high={self.high} of column {self.name!r}, but "
                "expected low <= high, or NaN for both."
            )

    @property
    def is_numeric(self):
        """Whether the column holds numbers: it does."""
        return True

    @property
    def levels(self):
        """Levels of the column: none, since it is not categorical."""
        return None

    def read(self, values):
        """Return a column of a table of numbers as `encode` takes it.

        Parameters
        ----------
        values : ndarray of shape (n_samples,)
            Numbers, or NaN where they are missing.

        Returns
        -------
        ndarray of shape (n_samples,), float64
        """
        return values.astype(np.float64)

    @property
    def n_intervals(self):
        """Number of intervals."""
        return max(len(self.edges) - 1, 0)

    @property
    def width(self):
        """Number of columns of the code."""
        return bool(len(self.knots)) + self.n_intervals + self.marks_missing

    def position(self, values):
        """Where values lie along the edges: interval and fraction in one number.

        Parameters
        ----------
        values : ndarray of shape (n_samples,), float64
            Numbers.

        Returns
        -------
        ndarray of shape (n_samples,), float64
            From 0 to the number of intervals.
        """
        return np.interp(values, self.edges, np.arange(len(self.edges)))

    def encode(self, values, out):
        """Write the code of values.

        Parameters
        ----------
        values : ndarray of shape (n_samples,), float64
            Numbers, or NaN where they are missing.
        out : ndarray of shape (n_samples, width)
            Where the code is written.
        """
        missing = np.isnan(values)
        if missing.any():
            values = np.where(missing, self.fill, values)
        if self.marks_missing:
            out[:, -1] = missing
        start = 0
        if len(self.knots):
            out[:, 0] = np.interp(values, self.knots, self.scores)
            start = 1
        if not self.n_intervals:
            return
        position = self.position(values)
        if self.n_intervals == 1:
            out[:, start] = position
            return
        interval = np.minimum(position.astype(np.intp), self.n_intervals - 1)
        before = np.arange(self.n_intervals) < interval[:, None]
        out[:, start : start + self.n_intervals] = before
        out[np.arange(len(values)), start + interval] = position - interval


@dataclass(frozen=True, eq=False)
class CategoryColumn:
    """A categorical column and its code: [slots..., means...].

    Parameters
    ----------
    name : str
        Name of the column.
    levels : tuple of str
        Levels; the code of a category is its position.
    slots : ndarray of int of shape (n_levels + 2,), default=None
        Column that is 1 for each level, then for unseen and for missing ones; -1:
        none. ``None``: none at all.
    n_slots : int, default=0
        Number of these columns.
    means : ndarray of shape (n_levels + 2, n_means), float32, default=None
        Further columns of each level, unseen and missing. ``None``: there are none.

    Raises
    ------
    ValueError
        If the arrays do not fit together.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.runtime import CategoryColumn
    >>> slots, means = np.array([0, 1, -1, 1]), np.empty((4, 0), np.float32)
    >>> column = CategoryColumn("x", ("a", "b"), slots, 2, means)
    >>> code = np.empty((3, column.width))
    >>> column.encode(np.array([0, -1, -2]), code)  # a, missing, unseen
    >>> code
    array([[1., 0.], [0., 1.], [0., 0.]])
    """

    name: str
    levels: tuple
    slots: np.ndarray = None  # type: ignore[assignment]
    n_slots: int = 0
    means: np.ndarray = None  # type: ignore[assignment]

    def __post_init__(self):
        _check_name(self.name)
        _check_levels(self.name, self.levels)
        n_levels = len(self.levels) + 2
        if self.slots is None:
            object.__setattr__(self, "slots", np.full(n_levels, -1))
        if self.means is None:
            object.__setattr__(self, "means", np.empty((n_levels, 0), np.float32))
        _check_shape(self.name, "slots", self.slots, (n_levels,))
        _check_finite(self.name, "means", self.means)
        _check_shape(self.name, "means", self.means, (n_levels, *self.means.shape[-1:]))
        # A column of a slot that no level has would be 0 in every row.
        if not 0 <= self.n_slots <= n_levels:
            raise ValueError(
                f"Got n_slots={self.n_slots} of column {self.name!r}, but expected 0 "
                f"to {n_levels}: one for each level, unseen and missing ones at most."
            )
        if self.slots.dtype.kind != "i" or not (
            self.slots.min() >= -1 and self.slots.max() < self.n_slots
        ):
            raise ValueError(
                f"Got slots of column {self.name!r} from {self.slots.min()} to "
                f"{self.slots.max()}, but expected integers from -1 to "
                f"{self.n_slots - 1}."
            )

    @property
    def is_numeric(self):
        """Whether the column holds numbers: it does not."""
        return False

    def read(self, values):
        """Return a column of a table of numbers as `encode` takes it.

        Decimals are cut off. NaN is a missing category, and what is no code of a level
        an unseen one.

        Parameters
        ----------
        values : ndarray of shape (n_samples,)
            Codes as numbers.

        Returns
        -------
        ndarray of shape (n_samples,), int64
        """
        known = (values >= 0) & (values < len(self.levels))
        codes = np.where(known, values, UNSEEN).astype(np.int64)
        return np.where(np.isnan(values) | (values == MISSING), MISSING, codes)

    @property
    def width(self):
        """Number of columns of the code."""
        return self.n_slots + self.means.shape[1]

    def products(self, weights):
        """Multiply the code of every level by weights, without writing it.

        Parameters
        ----------
        weights : ndarray of shape (width, n_units)
            Weights of the code.

        Returns
        -------
        ndarray of shape (n_levels + 2, n_units), float64
            Rows of the levels, then of unseen and of missing ones.
        """
        none = np.zeros((1, weights.shape[1]))
        of_slots = np.concatenate([weights[: self.n_slots], none])[self.slots]
        return of_slots + self.means.astype(np.float64) @ weights[self.n_slots :]

    def encode(self, values, out):
        """Write the code of values.

        Parameters
        ----------
        values : ndarray of int of shape (n_samples,)
            Positions in `levels`, -1 where missing, -2 for a level that is not there.
        out : ndarray of shape (n_samples, width)
            Where the code is written.
        """
        slots = self.slots[values]
        rows = np.flatnonzero(slots >= 0)
        out[:, : self.n_slots] = 0
        out[rows, slots[rows]] = 1
        out[:, self.n_slots :] = self.means[values]


@dataclass(frozen=True, eq=False)
class EncoderSpec:
    """A fitted encoder: the codes of all columns, side by side, less their mean.

    If no column has a code, there is one column of zeros.

    Parameters
    ----------
    columns : tuple of NumberColumn and CategoryColumn
        Columns of the table, in order.
    mean : ndarray of shape (width,), float32
        What is subtracted; a network may add it to its first bias instead.

    Raises
    ------
    ValueError
        If there is not one mean for each column of the code.

    See Also
    --------
    skdistill.students.TabularEncoder : Fits it.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.students import TabularEncoder
    >>> X = np.array([[1.0], [2.0], [3.0]])
    >>> encoder = TabularEncoder(n_bins=1).fit(X, [0, 0, 1])
    >>> spec = encoder.to_spec()
    >>> bool((spec.encode(X.T, len(X)) == encoder.transform(X)).all())
    True
    """

    columns: tuple
    mean: np.ndarray

    def __post_init__(self):
        width = max(sum(column.width for column in self.columns), 1)
        if self.mean.shape != (width,):
            raise ValueError(
                f"Got mean of shape {self.mean.shape}, but expected ({width},): one "
                "for each column of the code."
            )
        if not np.isfinite(self.mean).all():
            raise ValueError("Got a mean that is not a finite number.")

    def encode(self, values, n_samples):
        """Compute the code of a table.

        Parameters
        ----------
        values : iterable of ndarray of shape (n_samples,)
            Numbers and codes of categories, column by column.
        n_samples : int
            Number of rows.

        Returns
        -------
        ndarray of shape (n_samples, width), float32
        """
        encoded = np.zeros((n_samples, len(self.mean)), dtype=np.float32)
        table = zip(self.columns, values, strict=True)
        start = 0
        while group := list(islice(table, COLUMNS_AT_ONCE)):
            ends = np.cumsum([start] + [column.width for column, _ in group]).tolist()
            for first in range(0, n_samples, ROWS_AT_ONCE):
                rows = slice(first, first + ROWS_AT_ONCE)
                for (column, column_values), part in zip(
                    group, map(slice, ends, ends[1:]), strict=False
                ):
                    column.encode(column_values[rows], encoded[rows, part])
                encoded[rows, start : ends[-1]] -= self.mean[start : ends[-1]]
            start = ends[-1]
        return encoded


def _check_name(name):
    if not isinstance(name, str):
        raise ValueError(f"Got {name!r} as the name of a column, but expected a str.")


def _check_levels(column, levels):
    if not isinstance(levels, tuple):
        raise ValueError(
            f"Got levels of column {column!r} as {type(levels).__name__}, but expected "
            "a tuple."
        )
    known = set()
    for level in levels:
        if not isinstance(level, str) or level in known:
            raise ValueError(
                f"Got level {level!r} of column {column!r}, but expected different "
                "strings."
            )
        known.add(level)


def _check_shape(column, name, array, shape):
    if array.shape != shape:
        raise ValueError(
            f"Got {name} of shape {array.shape} of column {column!r}, but expected "
            f"{shape}."
        )


def _check_finite(column, name, array):
    if array.dtype.kind != "f" or not np.isfinite(array).all():
        raise ValueError(
            f"Got {name} {array} of column {column!r}, but expected finite floats."
        )


def _check_increasing(column, name, array):
    if array.ndim != 1 or not (array[1:] > array[:-1]).all():
        raise ValueError(
            f"Got {name} {array} of column {column!r}, but expected increasing numbers."
        )
    _check_finite(column, name, array)
