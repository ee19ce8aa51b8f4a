"""What all samplers of new rows have in common."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from .._columns import Column, learn_columns, read_columns, take_cells
from .._parameters import check_integer
from .._validation import check_table

CELLS_PER_CHUNK = 2**20
"""Cells that are decided on at once: few enough to stay in the cache."""

MAX_ATTEMPTS = 10
"""Random rows that are tried for a cell that changes a row."""


class Sampler(BaseEstimator, ABC):
    """Base class: checks the input of `sample`.

    A subclass defines `_check_parameters` and `_sample`.
    """

    def sample(
        self,
        X: Any,
        n_samples: int,
        *,
        teacher: Any = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> Any:
        """Draw new rows that resemble those of a table.

        Nothing of the table is kept: there is no `fit`, so a sampler cannot carry rows
        of one part of a cross-validation into another.

        Parameters
        ----------
        X : array-like or frame of shape (n_rows, n_features)
            Table with at least two rows that differ. Its rows take turns as the
            sources of new rows: how often each is one differs by at most 1.
        n_samples : int
            Number of new rows.
        teacher : fitted estimator, default=None
            What will label the rows. Only `SplitMidpoints` looks at it.
        random_state : int, RandomState or None, default=None
            Seeds the draw; ``None`` uses numpy's global generator.

        Returns
        -------
        ndarray or frame of shape (n_samples, n_features)
            Like `X`: the same container, column names and column types. Every row
            differs from its source in at least one cell. A pandas frame is numbered
            from 0.

        Raises
        ------
        TypeError
            If a column holds neither numbers nor categories.
        ValueError
            If a parameter is out of range, a number is infinite, or all rows of the
            table are alike.
        """
        self._check_parameters()
        check_integer("n_samples", n_samples, 1)
        _check_teacher(teacher)
        generator = _check_generator(random_state)
        # A copy: the check notes the columns on what it is given.
        X = check_table(copy.copy(self), X, reset=True)
        return self._sample(X, n_samples, teacher, generator)

    @abstractmethod
    def _check_parameters(self):
        """Raise ValueError if a parameter is out of range."""

    @abstractmethod
    def _sample(self, X, n_samples, teacher, generator):
        """Return new rows like those of the checked table."""


class CellSampler(Sampler):
    """Base class: each cell of a new row is the cell of some row.

    A subclass defines `_draw`.
    """

    def _sample(self, X, n_samples, teacher, generator):
        columns = learn_columns(X)
        table = Table(columns, read_columns(X, columns))
        sources = balanced_rows(len(table), n_samples, generator)
        rows, numbers = self._draw(X, table, sources, teacher, generator)
        return take_cells(X, rows, numbers)

    @abstractmethod
    def _draw(self, X, table, sources, teacher, generator):
        """Return the row of each cell and new numbers, as `take_cells` wants them."""


@dataclass(frozen=True, eq=False)
class Table:
    """Values of a table by columns: numbers, and codes of categories.

    Two cells are equal if their values are, or if both are missing. Integers beyond
    2**53 count as equal if they are the same as floats.

    Parameters
    ----------
    columns : list of Column
        What the columns are.
    values : list of ndarray of shape (n_rows,)
        float64 numbers or int64 codes of each column.
    """

    columns: list[Column]
    values: list[np.ndarray]

    def __len__(self) -> int:
        return len(self.values[0])

    def differing(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Mark the cells in which rows `a` and rows `b` differ.

        Row numbers are of shape (n,), or (n, n_columns) with one for each cell.
        """
        different = np.empty((len(a), len(self.columns)), dtype=bool)
        for j in range(len(self.columns)):
            different[:, j] = self.differing_in(j, _of_column(a, j), _of_column(b, j))
        return different

    def differing_in(self, j: int, a: Any, b: Any) -> np.ndarray:
        """Mark where rows `a` and rows `b` differ in column `j`."""
        left, right = self.values[j][a], self.values[j][b]
        # Missing numbers are NaN, which is not equal to itself.
        return (left != right) & ((left == left) | (right == right))


def balanced_rows(
    n_rows: int, n_samples: int, generator: np.random.Generator
) -> np.ndarray:
    """Return `n_samples` row numbers in which each row is as frequent as any other."""
    rounds = -(-n_samples // n_rows)
    shuffled = [generator.permutation(n_rows) for _ in range(rounds)]
    return np.concatenate(shuffled)[:n_samples]


def chunks(n_samples: int, n_columns: int) -> Iterator[slice]:
    """Yield slices of the samples, `CELLS_PER_CHUNK` cells each."""
    step = max(CELLS_PER_CHUNK // n_columns, 1)
    for start in range(0, n_samples, step):
        yield slice(start, min(start + step, n_samples))


def empty_rows(table: Table, n_samples: int) -> np.ndarray:
    """Return a matrix for the row of each cell, narrow since it is as large as X."""
    longest = max(map(len, table.values))
    dtype = np.int32 if longest <= np.iinfo(np.int32).max else np.int64
    # By columns, as the cells are taken later.
    return np.empty((n_samples, len(table.columns)), dtype=dtype, order="F")


def choose_one(marked: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return the column of a random marked cell of each row."""
    draws = generator.random(marked.shape, dtype=np.float32)
    return np.where(marked, draws, -1).argmax(axis=1)


def two_different_rows(table: Table) -> tuple[int, int]:
    """Return two rows of which every row differs from at least one.

    Raises
    ------
    ValueError
        If all rows are alike.
    """
    every = np.arange(len(table))
    for j in range(len(table.columns)):
        different = table.differing_in(j, every, 0)
        if different.any():
            return 0, int(different.argmax())
    raise ValueError(
        f"Got X with {len(table)} row(s), all alike, but expected at least 2 rows that "
        "differ: no other row can be made of their cells."
    )


def swap_cells(
    table: Table,
    sources: np.ndarray,
    draw_donors: Callable[[int], np.ndarray],
    swap_probability: float,
    generator: np.random.Generator,
) -> np.ndarray:
    """Replace cells by those of random donors, in every row at least one.

    Parameters
    ----------
    table : Table
        Values of the donors, perhaps of more rows than the sources come from.
    sources : ndarray of shape (n_samples,)
        Row from which each new row starts.
    draw_donors : callable
        Returns a random donor for each cell of the given number of rows.
    swap_probability : float
        Probability that a cell is replaced.
    generator : Generator
        Draws.

    Returns
    -------
    ndarray of shape (n_samples, n_columns)
        The row of each cell.
    """
    pair = two_different_rows(table)
    rows = empty_rows(table, len(sources))
    for chunk in chunks(*rows.shape):
        source = sources[chunk]
        donors = draw_donors(len(source))
        taken = generator.random(donors.shape, dtype=np.float32) < swap_probability
        cells = np.where(taken, donors, source[:, None])
        different = table.differing(cells, source)
        unchanged = np.flatnonzero(~different.any(axis=1))
        for _ in range(MAX_ATTEMPTS):
            if not len(unchanged):
                break
            donors = draw_donors(len(unchanged))
            unchanged = _change_one(table, cells, source, unchanged, donors, generator)
        for row in pair:
            donors = np.full((len(unchanged), cells.shape[1]), row)
            unchanged = _change_one(table, cells, source, unchanged, donors, generator)
        rows[chunk] = cells
    return rows


def _change_one(table, cells, source, unchanged, donors, generator):
    """Take one differing cell from the donors; return what is still unchanged."""
    different = table.differing(donors, source[unchanged])
    column = choose_one(different, generator)
    changed = np.flatnonzero(different.any(axis=1))
    cells[unchanged[changed], column[changed]] = donors[changed, column[changed]]
    return np.delete(unchanged, changed)


def _of_column(rows, j):
    return rows if rows.ndim == 1 else rows[:, j]


def _check_generator(random_state):
    try:
        seeds = check_random_state(random_state)
    except ValueError as error:
        raise ValueError(
            f"Got random_state={random_state!r}, but expected a non-negative integer, "
            "a RandomState or None."
        ) from error
    return np.random.default_rng(seeds.randint(2**31, size=4))


def _check_teacher(teacher):
    if teacher is None:
        return
    methods = ("predict", "predict_proba", "decision_function")
    if isinstance(teacher, type) or not any(hasattr(teacher, m) for m in methods):
        raise ValueError(
            f"Got teacher={teacher!r}, but expected a fitted estimator or None."
        )
    if hasattr(teacher, "fit"):
        try:
            check_is_fitted(teacher)
        except NotFittedError as error:
            raise NotFittedError(
                f"Got teacher={teacher!r}, but expected a fitted one."
            ) from error
