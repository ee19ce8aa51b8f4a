"""The encoder and the first layer of a network as one: lines, curves and tables.

The product of a column's code and the first layer's weights is piecewise linear in a
number and a lookup of a category. It is never expanded:

- a straight part of a code (a score between two knots, a single interval, whether the
  value is missing) is one input of the layer, a *line*;
- a bent score is one input too, a *curve*;
- several intervals are a *table* of the layer's units at each edge, between whose rows
  is interpolated, together with the score of the column where tables are small; a
  category is one row of a table.

Means are subtracted in float64 here. That, and offsets near the mean of each line,
keeps what is left small enough for float32.
"""

from dataclasses import dataclass

import numpy as np

FURTHEST = 1e12
"""How far lines and curves continue beyond the training range, in units of the code
and of the range: as good as for ever, and products with weights stay finite."""


SHORTEST = 1e-30
"""Shortest segment, relative to all of them, that is searched for in float32."""


LARGEST_TABLES = 3 * 2**20
"""Bytes of the tables with which scores are looked up too. A single row is faster by a
seventh up to here, and batches are as fast; for larger tables a second search takes
less than waiting for them."""


@dataclass(frozen=True, eq=False)
class Lines:
    r"""Inputs :math:`(\min(\max(x_c, l), h) - o) s`, or a constant for missing ones.

    All arrays have shape (n_lines,).
    """

    columns: np.ndarray  # int32
    lows: np.ndarray
    highs: np.ndarray
    offsets: np.ndarray
    scales: np.ndarray
    fills: np.ndarray  # float32


@dataclass(frozen=True, eq=False)
class Search:
    """Where a value of a column lies along points: segment and fraction.

    What is compared is ``u = clip((x - offset) * scale, low, high)``, rounded to
    float32 if that keeps the points apart: then it is at most one segment too high,
    which the difference to the segment's start, in float64, tells.
    """

    column: int
    offset: float
    scale: float
    low: float
    high: float
    points: np.ndarray  # (n_segments + 1,)
    reciprocals: np.ndarray  # (n_segments,), of the segments' lengths
    in_float: bool  # whether float32 keeps the points apart


@dataclass(frozen=True, eq=False)
class FirstLayer:
    """What the first layer of a network is made of.

    Parameters
    ----------
    biases : ndarray of shape (n_units,), float32
        What everything else is added to.
    weights : ndarray of shape (n_lines + n_curves, n_units), float32
        Weights of the inputs.
    lines : Lines
        The first inputs.
    curves : list of (Search, values)
        The other inputs; float32 values at the points and, last, of missing ones.
    tables : list of (Search, rows)
        Rows of n_units float32 at the points and, last, of missing values.
    categories : list of (column, rows)
        Rows of n_units float32 for each level, unseen and missing ones.
    """

    biases: np.ndarray
    weights: np.ndarray
    lines: Lines
    curves: list
    tables: list
    categories: list


def first_layer(network, extrapolate=False):
    """Merge the encoder of a network into its first layer.

    Parameters
    ----------
    network : NetworkSpec
        The network.
    extrapolate : bool, default=False
        Whether scores continue along their last segment beyond the training range.

    Returns
    -------
    FirstLayer
    """
    builder = _Builder(network, extrapolate)
    weights, mean = network.weights[0], network.encoder.mean.astype(np.float64)
    start = 0
    for j, column in enumerate(network.encoder.columns):
        part = slice(start, start + column.width)
        add = builder.add_number if column.is_numeric else builder.add_category
        add(j, column, weights[part].astype(np.float64), mean[part])
        start += column.width
    return builder.build()


class _Builder:
    def __init__(self, network, extrapolate):
        self.biases = network.biases[0].astype(np.float64)
        self.extrapolate = extrapolate
        n_points = sum(
            len(column.knots) + len(column.edges)
            for column in network.columns
            if column.is_numeric
        )
        bytes_of_tables = 4 * n_points * len(self.biases)
        self.merges = bytes_of_tables <= LARGEST_TABLES and not extrapolate
        self.lines, self.line_weights = [], []
        self.curves, self.curve_weights = [], []
        self.tables, self.categories = [], []

    def add_number(self, j, column, weights, mean):
        if self.merges and len(column.knots) > 2 and column.n_intervals > 1:
            self._add_everything(j, column, weights, mean)
            return
        if len(column.knots):
            self._add_score(j, column, weights[0], mean[0])
        if column.n_intervals:
            first = bool(len(column.knots))
            part = slice(first, first + column.n_intervals)
            self._add_intervals(j, column, weights[part], mean[part])
        if column.marks_missing:
            self.biases -= mean[-1] * weights[-1]
            if column.n_intervals > 1:
                self.tables[-1][1][-1] += weights[-1]
            else:
                # Zero whatever the number is.
                self._append_line(weights[-1], j, 0.0, 0.0, 0.0, 0.0, 1.0)

    def add_category(self, j, column, weights, mean):
        if not column.width:
            return
        self.categories.append((j, column.products(weights) - mean @ weights))

    def build(self):
        columns, *numbers = np.array(self.lines).reshape(-1, 6).T
        lines = Lines(columns.astype(np.int32), *np.ascontiguousarray(numbers))
        weights = [*self.line_weights, *self.curve_weights]
        n_units = len(self.biases)
        return FirstLayer(
            _as_float32(self.biases),
            _as_float32(np.reshape(weights, (len(weights), n_units))),
            lines,
            [(search, _as_float32(values)) for search, values in self.curves],
            [(search, _as_float32(rows)) for search, rows in self.tables],
            [(j, _as_float32(rows)) for j, rows in self.categories],
        )

    def _add_score(self, j, column, weights, mean):
        knots, scores = column.knots, column.scores - mean
        if len(knots) == 1:
            self.biases += scores[0] * weights
        elif not (
            len(knots) == 2 and self._add_line(j, column, weights, knots, scores)
        ):
            fill = _interpolate(column.fill, knots, scores, self.extrapolate)
            search = _search(j, knots, scores[:, None], self.extrapolate)
            self.curves.append((search, np.append(scores, fill)))
            self.curve_weights.append(weights)

    def _add_everything(self, j, column, weights, mean):
        """Add a table of score and intervals, at all points of both."""
        # What numpy has for it imports a module that takes longer than all of this.
        points = np.sort(np.concatenate([column.knots, column.edges]))
        points = points[np.append(True, points[1:] > points[:-1])]
        values = np.append(points, column.fill)
        sums = sums_before(weights[1 : 1 + column.n_intervals]) - mean @ weights
        rows = _between(sums, column.position(values))
        rows += np.interp(values, column.knots, column.scores)[:, None] * weights[0]
        if column.marks_missing:
            rows[-1] += weights[-1]
        self.tables.append((_search(j, points, rows[:-1]), rows))

    def _add_intervals(self, j, column, weights, mean):
        edges = column.edges
        if column.n_intervals == 1:
            codes = np.array([0.0, 1.0]) - mean
            if self._add_line(j, column, weights[0], edges, codes, bounded=True):
                return
        rows = sums_before(weights) - mean @ weights
        missing = _between(rows, column.position(np.array([column.fill])))
        self.tables.append((_search(j, edges, rows), np.vstack([rows, missing])))

    def _add_line(self, j, column, weights, ends, codes, bounded=False):
        """Add a straight part, if float64 can tell its slope."""
        with np.errstate(over="ignore"):
            slope = (codes[1] - codes[0]) / (ends[1] - ends[0])
        if not (np.isfinite(slope) and np.isfinite(ends[1] - ends[0])):
            return False
        offset = ends[0]
        if slope:
            # Near the mean, where most values are.
            offset = np.clip(ends[0] - codes[0] / slope, ends[0], ends[1])
        low, high = ends
        fill = column.fill
        if self.extrapolate and not bounded:
            with np.errstate(over="ignore"):
                reach = FURTHEST / max(abs(slope), np.finfo(float).tiny)
                low, high = np.nan_to_num([offset - reach, offset + reach])
        fill = (np.clip(fill, low, high) - offset) * slope
        self.biases += (codes[0] + (offset - ends[0]) * slope) * weights
        self._append_line(weights, j, low, high, offset, slope, fill)
        return True

    def _append_line(self, weights, *line):
        self.lines.append(line)
        self.line_weights.append(weights)


def _search(column, points, values, extrapolate=False):
    """Search along points; values at them are in rows."""
    jumps = np.abs(np.diff(values, axis=0)).max(axis=1, initial=0)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        # Near the steepest segment, where the most digits are needed.
        offset = points[np.argmax(jumps / np.diff(points))]
        scale = 1 / (points[-1] - points[0])
        scaled = (points - offset) * scale
        in_float = bool(
            (np.diff(scaled.astype(np.float32)) > 0).all()
            # Floats hold the reciprocals too.
            and np.diff(scaled).min() > SHORTEST
        )
    if not in_float:
        # A power of two, so that differences do not overflow.
        offset, scale = 0.0, 1.0 if np.abs(points).max() < 1e290 else 2.0**-64
        scaled = points * scale
    with np.errstate(over="ignore", divide="ignore"):
        reciprocals = np.nan_to_num(1 / np.diff(scaled))
    low, high = scaled[[0, -1]]
    if extrapolate:
        reach = FURTHEST * (high - low)
        low, high = low - reach, high + reach
    return Search(column, offset, scale, low, high, scaled, reciprocals, in_float)


def sums_before(weights):
    """Sums of the weights of the intervals below each edge."""
    return np.concatenate([np.zeros((1, weights.shape[1])), weights.cumsum(axis=0)])


def _between(rows, positions):
    """Interpolate between rows at positions from 0 to that of the last."""
    start = np.minimum(positions.astype(np.intp), len(rows) - 2)
    between = np.diff(rows, axis=0)[start]
    between *= (positions - start)[:, None]
    between += rows[start]
    return between


def _interpolate(value, knots, scores, extrapolate):
    if extrapolate and not knots[0] <= value <= knots[-1]:
        ends = slice(None, 2) if value < knots[0] else slice(-2, None)
        (x0, x1), (y0, y1) = knots[ends], scores[ends]
        return y0 + (value - x0) * ((y1 - y0) / (x1 - x0))
    return np.interp(value, knots, scores)


def _as_float32(array):
    return np.ascontiguousarray(array, dtype=np.float32)
