"""What the columns of a table are: their names, and whether they hold numbers.

Arrays, sparse matrices, pandas and polars frames are read alike, column by column. A
numeric column (numbers or booleans) becomes float64 with NaN where a value is missing.
A categorical column (strings, pandas or polars categories) becomes integer codes: the
position of its level among those seen when the columns were learnt, `MISSING` where the
value is missing, `UNSEEN` for a level never seen.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from numbers import Number

import narwhals.stable.v2 as nw
import numpy as np
from scipy.sparse import issparse, vstack

from .runtime._levels import Levels, is_missing, level_of, refusal
from .runtime._spec import MISSING, UNSEEN

__all__ = [
    "MISSING",
    "UNSEEN",
    "Column",
    "as_dense_as",
    "column_names",
    "concatenate_rows",
    "is_frame",
    "is_missing",
    "iterate_columns",
    "kind_of_table",
    "learn_columns",
    "number_dtypes",
    "read_columns",
    "row_dictionaries",
    "take_cells",
    "take_columns",
    "take_rows",
    "to_array",
    "to_pandas",
]

NUMPY_DTYPES = {
    f"{kind}{bits}": np.dtype(f"{kind}{bits}")
    for kind, sizes in {
        "int": (8, 16, 32, 64),
        "uint": (8, 16, 32, 64),
        "float": (32, 64),
    }.items()
    for bits in sizes
}
"""Types of a frame's columns that numpy knows, by their names in lower case."""


@dataclass(frozen=True)
class Column:
    """One column of the table that a model was fitted on.

    Parameters
    ----------
    name : str
        Its name, or ``"x0"``, ``"x1"``, ... for arrays.
    levels : tuple of str or None
        Levels of a categorical column in lexical order; ``None``: it is numeric.
    """

    name: str
    levels: tuple | None = None

    @property
    def is_numeric(self):
        """Whether the column holds numbers."""
        return self.levels is None


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells of a categorical column, looked up once however often they occur.

    Parameters
    ----------
    distinct : list
        Strings, numbers, booleans and missing values.
    positions : ndarray of int of shape (n_samples,), default=None
        Where in `distinct` the cell of each row is. ``None``: they are in order.
    """

    distinct: list
    positions: np.ndarray | None = None


def learn_columns(X):
    """Return what the columns of `X` are.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_samples, n_columns), or frame

    Returns
    -------
    list of Column

    Raises
    ------
    TypeError
        If a column holds neither numbers nor categories.
    """
    return [_learn(*parts) for parts in _iterate(X)]


def iterate_columns(X, columns=None):
    """Yield what each column of `X` is and its values, one column at a time.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_samples, n_columns), or frame
    columns : list of Column, default=None
        What `learn_columns` returned for the training table, or anything else with a
        name and levels; ``None``: they are learnt from `X` itself.

    Yields
    ------
    column : Column
        One of `columns`.
    values : ndarray of shape (n_samples,)
        float64 values of a numeric column, int64 codes of a categorical one.

    Raises
    ------
    TypeError
        If a column holds neither numbers nor categories, or a numeric column holds
        something else now.
    ValueError
        If a number is infinite.
    """
    for position, (name, values, numeric) in enumerate(_iterate(X, columns)):
        column = columns[position] if columns else _learn(name, values, numeric)
        read = _read_numbers if column.is_numeric else _read_codes
        yield column, read(column, values, numeric)


def read_columns(X, columns):
    """Return the values of `X` as the fitted `columns` understand them.

    A list of the arrays that `iterate_columns` yields, with its parameters and errors.
    """
    return [values for _, values in iterate_columns(X, columns)]


def is_frame(X):
    """Whether `X` is a data frame of a library that narwhals knows."""
    return nw.dependencies.is_into_dataframe(X)


def kind_of_table(X):
    """Return what tables must have in common for their rows to be concatenated."""
    if not is_frame(X):
        return "an array"
    return f"a frame of {nw.get_native_namespace(X).__name__}"


def as_dense_as(table, other):
    """Return an array or a sparse matrix as that of the two which another one is."""
    if issparse(table) == issparse(other):
        return table
    return table.toarray() if issparse(table) else type(other)(table)


def concatenate_rows(*tables):
    """Return the rows of several tables of the same kind and columns as one table.

    Categories of pandas that differ become those of all tables, numbers and booleans
    of types that differ float64.
    """
    if is_frame(tables[0]):
        frames = [nw.from_native(table, eager_only=True) for table in tables]
        frames = _with_common_numbers(frames)
        if frames[0].implementation.is_pandas():
            natives = [frame.to_native() for frame in frames]
            tables = _with_common_categories(natives)
            frames = [nw.from_native(table, eager_only=True) for table in tables]
        return nw.maybe_reset_index(nw.concat(frames)).to_native()
    if issparse(tables[0]):
        return vstack(tables, format="csr")
    return np.concatenate(tables)


def _with_common_numbers(frames):
    """Return frames of narwhals whose numbers are of the same types."""
    types = zip(*(frame.schema.values() for frame in frames), strict=True)
    mixed = [len(set(own)) > 1 and all(map(_holds_numbers, own)) for own in types]
    return [
        frame.with_columns(
            column.cast(nw.Float64)
            for column, differs in zip(frame.iter_columns(), mixed, strict=True)
            if differs
        )
        for frame in frames
    ]


def _holds_numbers(dtype):
    return dtype.is_numeric() or dtype == nw.Boolean


def _with_common_categories(tables):
    """Return pandas frames whose categories would otherwise become Python objects."""
    for name in tables[0].columns:
        kinds = [table[name].dtype for table in tables]
        if not all(hasattr(kind, "categories") for kind in kinds):
            continue
        if all(kind == kinds[0] for kind in kinds):
            continue
        # In the order of the first, whose codes some libraries look at.
        levels = list(dict.fromkeys(c for kind in kinds for c in kind.categories))
        tables = [table.copy(deep=False) for table in tables]
        for table in tables:
            table[name] = table[name].cat.set_categories(levels)
    return tables


def with_kinds_of(frame, other):
    """Return a frame with the kinds of columns that another one has.

    Strings become categories where it has these, and numbers that are Python objects,
    which many libraries refuse, numbers.
    """
    frame = nw.from_native(frame, eager_only=True)
    kinds = nw.from_native(other, eager_only=True).schema.values()
    casts = []
    for column, kind in zip(frame.iter_columns(), kinds, strict=True):
        if kind == nw.Categorical and column.dtype != kind:
            casts.append(column.cast(nw.Categorical))
        elif _holds_numbers(kind) and _are_number_objects(column):
            casts.append(column.cast(nw.Float64))
    return frame.with_columns(casts).to_native()


def _are_number_objects(column):
    return column.dtype == nw.Object and all(
        isinstance(cell, Number) or is_missing(cell) for cell in column.to_list()
    )


def take_rows(X, rows):
    """Return the rows of an array, a frame or soft targets at the given positions."""
    if is_frame(X):
        return nw.from_native(X, eager_only=True)[rows].to_native()
    return X[rows]


def take_columns(X, positions):
    """Return the columns of an array, a sparse matrix or a frame at some positions."""
    if is_frame(X):
        columns = [int(position) for position in positions]
        return nw.from_native(X, eager_only=True)[:, columns].to_native()
    return X[:, positions]


def column_names(frame):
    """Return the names of a frame's columns as a list."""
    return list(nw.from_native(frame, eager_only=True).columns)


def number_columns(frame):
    """Return a frame with its columns called ``column_0``, ``column_1``, ..."""
    frame = nw.from_native(frame, eager_only=True)
    numbered = {name: f"column_{j}" for j, name in enumerate(frame.columns)}
    return frame.rename(numbered).to_native()


def arrow_columns_without_numbers(X):
    """Return the names of such columns of a frame; pandas has other ones of its own."""
    if not is_frame(X):
        return []
    frame = nw.from_native(X, eager_only=True)
    return [
        name
        for name, dtype in frame.schema.items()
        if not (
            frame.implementation.is_pandas()
            or dtype.is_integer()
            or dtype.is_float()
            or dtype == nw.Boolean
        )
    ]


def row_dictionaries(frame):
    """Return each row of a frame as a dictionary of its cells by column name."""
    table = nw.from_native(frame, eager_only=True)
    names = [str(name) for name in table.columns]
    return [dict(zip(names, row, strict=True)) for row in table.rows()]


def to_array(frame, names=()):
    """Return a frame as an array, columns in the order of `names` if it has these."""
    table = nw.from_native(frame, eager_only=True)
    columns, values = list(table.columns), table.to_numpy()
    # Numbers from 0 may just be those of columns without names.
    if columns == list(range(len(columns))) or set(columns) != set(names):
        return values
    return values[:, [columns.index(name) for name in names]]


def to_pandas(frame):
    """Return a frame of any library as one of pandas, which needs pyarrow."""
    return nw.from_native(frame, eager_only=True).to_pandas()


def take_cells(X, rows, numbers=None):
    """Return a table whose cell (i, j) is that of row ``rows[i, j]``, column j, of `X`.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_columns), or pandas or polars frame
    rows : ndarray of shape (n_new, n_columns), integer
        Rows of `X`; ``n_samples + k`` in column j stands for ``numbers[j][k]``.
    numbers : dict of int to ndarray, default=None
        Numbers beside those of `X`, of the type that `number_dtypes` says.

    Returns
    -------
    ndarray of shape (n_new, n_columns), or frame
        Names and types of the columns are those of `X`. A pandas frame is numbered
        from 0, since its rows are no rows of `X`.
    """
    numbers = numbers or {}
    if not is_frame(X):
        cells = np.empty(rows.shape, dtype=X.dtype)
        for j, values in enumerate(X.T):
            if j in numbers:
                values = np.concatenate([values, numbers[j]])
            cells[:, j] = values[rows[:, j]]
        return cells
    frame = nw.from_native(X, eager_only=True)
    columns = [
        _take_values(values, rows[:, j], numbers.get(j))
        for j, values in enumerate(frame.iter_columns())
    ]
    # Not a dictionary by name: pandas columns may have numbers for names.
    return nw.concat([c.to_frame() for c in columns], how="horizontal").to_native()


def number_dtypes(X):
    """Return for each column of `X` the numpy type of its integers or floats.

    ``None`` where a new number would not be of the column's own type: categories,
    booleans, decimals and Python objects.
    """
    if not is_frame(X):
        return [X.dtype if X.dtype.kind in "iuf" else None] * X.shape[1]
    frame = nw.from_native(X, eager_only=True)
    return [
        NUMPY_DTYPES.get(str(values.dtype).lower()) for values in frame.iter_columns()
    ]


def _take_values(values, rows, numbers):
    n_samples = len(values)
    if numbers is None:
        return nw.maybe_reset_index(values[rows])
    (new,) = np.nonzero(rows >= n_samples)
    taken = nw.maybe_reset_index(values[np.where(rows < n_samples, rows, 0)])
    return taken.scatter(new, numbers[rows[new] - n_samples]) if len(new) else taken


def _iterate(X, columns=None):
    """Yield (name, values, whether numeric) of each column.

    The values are an array of numbers if numeric and `Cells` otherwise. Of the
    categorical ones among `columns` they are the cells as they are: a boolean is
    another level than the number it becomes beside missing values.
    """
    if issparse(X):
        by_columns = X.tocsc()
        for position, ends in enumerate(pairwise(by_columns.indptr)):
            rows = by_columns.indices[slice(*ends)]
            entries = by_columns.data[slice(*ends)].astype(np.float64)
            # Sums entries of the same cell, which is what several of them mean.
            yield f"x{position}", np.bincount(rows, entries, X.shape[0]), True
        return
    if not is_frame(X):
        for position, values in enumerate(np.asarray(X).T):
            keeps = _is_categorical(columns, position)
            yield _interpret(f"x{position}", values, keeps)
        return
    frame = nw.from_native(X, eager_only=True)
    # Not by name: pandas columns may have numbers for names.
    table = zip(frame.columns, frame.iter_columns(), strict=True)
    for position, (name, series) in enumerate(table):
        keeps = _is_categorical(columns, position)
        yield _interpret_series(str(name), series, keeps)


def _is_categorical(columns, position):
    return bool(columns) and not columns[position].is_numeric


def _interpret_series(name, series, keeps_cells):
    dtype = series.dtype
    if _holds_numbers(dtype):
        if keeps_cells:
            return name, Cells(series.to_list()), False
        if series.null_count():
            series = series.cast(nw.Float64)
        return name, series.to_numpy(), True
    if dtype in (nw.String, nw.Categorical, nw.Enum):
        return name, _read_cells(series), False
    if dtype == nw.Object:
        cells = np.array([*series.to_list(), None], object)[:-1]
        return _interpret(name, cells, keeps_cells)
    if series.null_count() == len(series):
        return name, np.full(len(series), np.nan), True
    raise refusal(name, dtype)


def _read_cells(series):
    """Return the cells of a column of strings or categories."""
    if not series.implementation.is_pandas():
        return Cells(series.to_list())
    positions, distinct = series.to_native().factorize()
    # Missing values are at -1, the last.
    return Cells([*distinct.tolist(), None], positions)


def _interpret(name, values, keeps_cells):
    if values.dtype.kind in "biuf":
        return name, values, True
    if values.dtype.kind not in "OUST":
        raise refusal(name, values.dtype)
    values = values.tolist()
    strings = [isinstance(value, str) for value in values]
    for value, string in zip(values, strings, strict=True):
        if not (string or isinstance(value, Number) or is_missing(value)):
            raise refusal(name, f"a {type(value).__name__}")
    if not (any(strings) or keeps_cells):
        numbers = [math.nan if is_missing(value) else value for value in values]
        return name, np.array(numbers, dtype=np.float64), True
    if any(strings) and not all(
        s or is_missing(v) for v, s in zip(values, strings, strict=True)
    ):
        raise TypeError(
            f"Column {name!r} mixes strings and numbers, but expected one of them: "
            "convert it with astype(str) or astype(float)."
        )
    return name, Cells(values), False


def _learn(name, values, numeric):
    if numeric:
        return Column(name)
    levels = {level_of(cell) for cell in set(values.distinct) if not is_missing(cell)}
    return Column(name, tuple(sorted(levels)))


def _read_numbers(column, values, numeric):
    if not numeric:
        if all(map(is_missing, values.distinct)):
            # A few rows without a value look like texts.
            cells = values.distinct if values.positions is None else values.positions
            return np.full(len(cells), np.nan)
        raise TypeError(
            f"Column {column.name!r} held numbers when the model was fitted, but "
            "holds strings or categories now."
        )
    values = np.asarray(values, dtype=np.float64)
    if np.isinf(values).any():
        raise ValueError(
            f"Column {column.name!r} holds infinity, but expected finite numbers, or "
            "NaN where a value is missing."
        )
    return values


def _read_codes(column, values, numeric):
    cells = Cells(values.tolist()) if numeric else values
    codes = Levels(column.name, column.levels).codes(cells.distinct)
    return codes if cells.positions is None else codes[cells.positions]
