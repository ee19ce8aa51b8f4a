"""The nearest rows of a table, numbers and categories alike.

Design: the distances to a few thousand reference rows are one matrix product, so their
selection costs as much as they do. The scores of a row are therefore read as a grid:
the minimum of each of its columns first, which is a vector operation, and then only
the columns with the smallest minima, which hold the smallest scores for certain.
"""

from dataclasses import dataclass

import numpy as np

from .._columns import MISSING
from ._base import Table, chunks, two_different_rows

CLIPPED_AT = 4.0
"""Standard deviations beyond which outliers are equally far away."""

MAX_LEVELS = 30
"""Most frequent levels of a column that tell rows apart."""

MAX_WIDTH = 256
"""Widest embedding that is compared exactly; a wider one is projected."""

BLOCK_WIDTH = 2048
"""Columns of a wide embedding that are computed at once."""

N_QUERIES = 128
"""Rows compared with the reference at once: their scores fit into the cache."""

N_GRID_COLUMNS = 256
"""Minima for each row, of which the smallest are looked into."""

FAR = np.float32(1e30)
"""Score of what is no neighbour."""


def nearest_rows(
    table: Table,
    rows: np.ndarray,
    n_neighbors: int,
    max_reference: int,
    generator: np.random.Generator,
) -> np.ndarray:
    """Return the nearest rows that differ from the given rows.

    Parameters
    ----------
    table : Table
        With at least two rows that differ.
    rows : ndarray of shape (n,)
        Rows whose neighbours are wanted.
    n_neighbors : int
        Neighbours of each; fewer if the reference has fewer distinct rows.
    max_reference : int
        Random rows of the table that can be neighbours. Equal rows count once.
    generator : Generator
        Draws the reference.

    Returns
    -------
    ndarray of shape (n, at most n_neighbors)
        Row numbers in the table, in no order.
    """
    reference = _distinct_reference(table, max_reference, generator)
    embedding = _Embedding.of(table, generator)
    n_neighbors = min(n_neighbors, len(reference) - 1)
    search = _Search(embedding.embed(reference), n_neighbors)
    twins = {key: i for i, key in enumerate(_keys(table, reference))}
    neighbors = np.empty((len(rows), n_neighbors), dtype=reference.dtype)
    for chunk in chunks(len(rows), max(embedding.width, len(table.columns))):
        own = np.array([twins.get(key, -1) for key in _keys(table, rows[chunk])])
        found = search.nearest(embedding.embed(rows[chunk]), own)
        neighbors[chunk] = reference[found]
    return neighbors


def _distinct_reference(table, max_reference, generator):
    pair = two_different_rows(table)
    sample = generator.permutation(len(table))[:max_reference]
    distinct: dict = {}
    for chunk in chunks(len(sample), len(table.columns)):
        keys = _keys(table, sample[chunk])
        for row, key in zip(sample[chunk], keys, strict=True):
            distinct.setdefault(key, row)
    if len(distinct) == 1:
        # So that every row has a neighbour that differs from it.
        for row, key in zip(pair, _keys(table, np.array(pair)), strict=True):
            distinct.setdefault(key, row)
    return np.fromiter(distinct.values(), dtype=np.int64)


def _keys(table, rows):
    """Return for each row what only equal rows share."""
    cells = np.empty((len(rows), len(table.columns)))
    for j, values in enumerate(table.values):
        cells[:, j] = values[rows]
    cells += 0.0  # -0.0 equals 0.0
    cells[np.isnan(cells)] = np.nan  # of all the bit patterns of NaN, one
    return [row.tobytes() for row in cells]


@dataclass(frozen=True, eq=False)
class _NumberCode:
    """A standardised number, and whether it is missing."""

    scale: float  # the largest magnitude: squares of huge numbers overflow
    mean: float  # of the scaled values, as is the deviation
    deviation: float  # 0: the numbers are all the same
    marks_missing: bool

    @property
    def width(self):
        return (self.deviation > 0) + self.marks_missing

    def embed(self, values, out):
        missing = np.isnan(values)
        if self.deviation:
            scores = (values / self.scale - self.mean) / self.deviation
            scores[missing] = 0
            out[:, 0] = np.clip(scores, -CLIPPED_AT, CLIPPED_AT)
        if self.marks_missing:
            out[:, -1] = missing


@dataclass(frozen=True, eq=False)
class _LevelCode:
    """An indicator for each frequent level, two of them at distance 1."""

    slots: np.ndarray  # level, then MISSING (-1 counts from the end) -> column, or -1
    width: int

    def embed(self, values, out):
        slots = self.slots[values]
        out[...] = 0
        (known,) = np.nonzero(slots >= 0)
        out[known, slots[known]] = np.sqrt(0.5)


@dataclass(frozen=True, eq=False)
class _Embedding:
    """Rows as vectors whose Euclidean distance says how much the rows differ."""

    table: Table
    codes: list
    projection: np.ndarray | None

    @classmethod
    def of(cls, table, generator):
        codes = [
            _number_code(values)
            if column.is_numeric
            else _level_code(values, len(column.levels))
            for column, values in zip(table.columns, table.values, strict=True)
        ]
        width = sum(code.width for code in codes)
        if width <= MAX_WIDTH:
            return cls(table, codes, None)
        # Random directions keep all distances up to a few percent.
        directions = generator.standard_normal((width, MAX_WIDTH), dtype=np.float32)
        return cls(table, codes, directions / np.float32(np.sqrt(MAX_WIDTH)))

    @property
    def width(self):
        """Number of columns of the embedding."""
        if self.projection is None:
            return sum(code.width for code in self.codes)
        return self.projection.shape[1]

    def embed(self, rows):
        """Return the vectors of rows of the table, float32."""
        if self.projection is None:
            return self._block(rows, range(len(self.codes)), self.width)
        out = np.zeros((len(rows), self.width), dtype=np.float32)
        end = 0
        for columns, width in self._blocks():
            start, end = end, end + width
            out += self._block(rows, columns, width) @ self.projection[start:end]
        return out

    def _blocks(self):
        """Yield groups of columns and the width of each group's code."""
        group: list = []
        width = 0
        for j, code in enumerate(self.codes):
            group.append(j)
            width += code.width
            if width >= BLOCK_WIDTH or j == len(self.codes) - 1:
                yield group, width
                group, width = [], 0

    def _block(self, rows, columns, width):
        out = np.empty((len(rows), width), dtype=np.float32)
        end = 0
        for j in columns:
            start, end = end, end + self.codes[j].width
            self.codes[j].embed(self.table.values[j][rows], out[:, start:end])
        return out


def _number_code(values):
    missing = np.isnan(values)
    marks_missing = bool(missing.any())
    present = values[~missing]
    if not len(present) or present.min() == present.max():
        return _NumberCode(1.0, 0.0, 0.0, marks_missing)
    scale = np.abs(present).max()
    present = present / scale
    return _NumberCode(scale, present.mean(), present.std(), marks_missing)


def _level_code(codes, n_levels):
    count = np.bincount(
        np.where(codes == MISSING, n_levels, codes), minlength=n_levels + 1
    )
    frequent = np.argsort(-count, kind="stable")[:MAX_LEVELS]
    frequent = frequent[count[frequent] > 0]
    slots = np.full(n_levels + 1, -1)
    if len(frequent) > 1:
        slots[frequent] = np.arange(len(frequent))
    return _LevelCode(slots, int(slots.max()) + 1)


class _Search:
    """Exact nearest neighbours among few reference vectors.

    Parameters
    ----------
    reference : ndarray of shape (n_reference, width), float32
        Vectors that can be neighbours.
    n_neighbors : int
        How many are wanted, fewer than `n_reference`.
    """

    def __init__(self, reference, n_neighbors):
        n_reference, width = reference.shape
        self.n_neighbors = n_neighbors
        self.n_columns = min(max(N_GRID_COLUMNS, n_neighbors), n_reference)
        self.depth = -(-n_reference // self.n_columns)
        # The squared distance, up to a constant of each query, is one product:
        # |r|^2 - 2 q.r = (-2 q, 1) . (r, |r|^2).
        self.reference = np.zeros((width + 1, self.depth * self.n_columns), np.float32)
        self.reference[:-1, :n_reference] = reference.T
        self.reference[-1] = FAR
        self.reference[-1, :n_reference] = np.square(reference).sum(axis=1)

    def nearest(self, queries, own):
        """Return the nearest reference vectors of each query.

        Parameters
        ----------
        queries : ndarray of shape (n, width), float32
            Vectors whose neighbours are wanted.
        own : ndarray of shape (n,)
            Reference vector that is no neighbour of the query, or -1.

        Returns
        -------
        ndarray of shape (n, n_neighbors)
            Positions in the reference, in no order.
        """
        scores = np.empty((N_QUERIES, self.reference.shape[1]), dtype=np.float32)
        found = np.empty((len(queries), self.n_neighbors), dtype=np.int64)
        for start in range(0, len(queries), N_QUERIES):
            part = slice(start, start + N_QUERIES)
            left = np.pad(-2 * queries[part], ((0, 0), (0, 1)), constant_values=1)
            part_scores = np.matmul(left, self.reference, out=scores[: len(left)])
            (with_twin,) = np.nonzero(own[part] >= 0)
            part_scores[with_twin, own[part][with_twin]] = FAR
            grid = part_scores.reshape(len(left), self.depth, self.n_columns)
            found[part] = _smallest(grid, self.n_neighbors)
        return found


def _smallest(grid, n_smallest):
    """Return for each row the positions of the smallest scores of its grid."""
    n_rows, depth, n_columns = grid.shape
    columns = _smallest_positions(grid.min(axis=1), n_smallest)
    candidates = grid[
        np.arange(n_rows)[:, None, None],
        np.arange(depth)[None, :, None],
        columns[:, None, :],
    ].reshape(n_rows, -1)
    chosen = _smallest_positions(candidates, n_smallest)
    down, across = np.divmod(chosen, n_smallest)
    return down * n_columns + np.take_along_axis(columns, across, axis=1)


def _smallest_positions(scores, n_smallest):
    return np.argpartition(scores, n_smallest - 1, axis=1)[:, :n_smallest]
