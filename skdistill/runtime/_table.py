"""Tables of every kind -> one array of numbers and codes of categories."""

from collections.abc import Mapping

import numpy as np

from ._levels import Levels, read_number, refusal
from ._rows import without
from ._spec import MISSING

try:
    from ._row_reader import RowReader
except ImportError:  # installed without a compiler
    from ._rows import RowReader

SCALARS = frozenset(
    {float, int, str, bool, type(None), np.float64, np.float32, np.int64, np.str_}
)
NUMBERS = frozenset({float, int, bool, type(None)})

FEW_ROWS = 8
"""Of fewer rows of a frame it is quicker to ask for each row than for each column."""


def read_table(columns, X):
    """Return a table as numbers and codes of categories.

    Parameters
    ----------
    columns : sequence of NumberColumn and CategoryColumn
        Columns of the model.
    X : ndarray, frame, list or dict
        As for `TableReader.read`.

    Returns
    -------
    ndarray of shape (n_samples, n_columns), float64
        C-contiguous. NaN is a missing number, -1 a missing category and -2 a level
        that the column does not have.

    Raises
    ------
    TypeError, ValueError
        As `TableReader.read`, which is quicker if there is more than one table.

    Examples
    --------
    >>> from skdistill.runtime import CategoryColumn, NumberColumn, read_table
    >>> columns = NumberColumn("age", 0.0, 99.0), CategoryColumn("sex", ("f", "m"))
    >>> read_table(columns, {"sex": ["m", None, "?"], "age": [42, None, 1.5]})
    array([[42. ,  1. ], [ nan, -1. ], [ 1.5, -2. ]])
    >>> read_table(columns, [{"age": 42, "sex": "f"}])
    array([[42.,  0.]])
    """
    return TableReader(columns).read(X)


class TableReader:
    """Reads tables with the columns of a model.

    Parameters
    ----------
    columns : sequence of NumberColumn and CategoryColumn
        Columns of the model.

    Examples
    --------
    >>> from skdistill.runtime import CategoryColumn, NumberColumn, TableReader
    >>> reader = TableReader((NumberColumn("x", 0, 1), CategoryColumn("y", ("1", "2"))))
    >>> reader.read({"x": 0.5, "y": 2.0})
    array([[0.5, 1. ]])
    """

    def __init__(self, columns):
        self.names = [column.name for column in columns]
        self._unnamed = self.names == [f"x{j}" for j in range(len(self.names))]
        self._levels = [
            None if column.is_numeric else Levels(column.name, column.levels)
            for column in columns
        ]
        self._rows = RowReader(columns)
        # A model without columns takes dictionaries of anything as rows.
        self._first = self.names[0] if self.names else None

    def read(self, X):
        """Return a table as numbers and codes of categories.

        A category is looked up by its level as text, the same for 1, 1.0 and "1".
        None, NaN, NaT and pandas' NA are missing. Infinite numbers stay as they are.

        Parameters
        ----------
        X : ndarray, frame, list or dict
            One of

            - a 2-D array of numbers or booleans: as it is, so that categories are given
              by their codes;
            - a 2-D array of strings or objects, or a list of lists: cells in the order
              of the columns;
            - a pandas or polars frame, or what else has ``columns`` and gives arrays by
              name: columns by name in any order, others than the model's are not
              looked at. By position if the model was fitted on an array and these are
              not its names x0, x1, ...;
            - a dict of arrays or lists: likewise;
            - a dict of numbers, strings, booleans and None: one row;
            - a list of such dicts: rows.

        Returns
        -------
        ndarray of shape (n_samples, n_columns), float64
            C-contiguous; `X` itself if it is such an array.

        Raises
        ------
        TypeError
            If a column holds something else than numbers, booleans, strings and
            categories, or a numeric one holds strings, or `X` is no table.
        ValueError
            If columns are missing or ambiguous, or lengths differ.
        """
        if type(X) is dict and type(X.get(self._first)) in SCALARS:
            try:
                return self._read_rows(self._rows.mappings, [X])
            except TypeError:
                # Perhaps other values are whole columns: below there is time to see.
                return self._read_mapping(X)
        if isinstance(X, Mapping):
            return self._read_mapping(X)
        if isinstance(X, list | tuple):
            return self._read_list(list(X))
        if hasattr(X, "collect_schema") and not hasattr(X, "__len__"):
            raise TypeError(
                f"Got a {type(X).__name__}, but expected rows: convert it with "
                "collect()."
            )
        if hasattr(X, "columns") and hasattr(X, "__getitem__"):
            return self._read_frame(X)
        if hasattr(X, "toarray"):
            raise TypeError(
                "Got a sparse matrix, but expected an array: convert it with toarray()."
            )
        if isinstance(X, str | bytes) or X is None:
            raise TypeError(f"Got {X!r}, but expected a table.")
        return self._read_array(X)

    def positions(self, names):
        """Find the columns of the model in a table, as `read` does.

        Parameters
        ----------
        names : list of str
            Names of the table's columns.

        Returns
        -------
        list of int
            Position in `names` of each column of the model.

        Raises
        ------
        ValueError
            If columns are missing or ambiguous.
        """
        order = self._order(names)
        return list(range(len(self.names))) if order is None else order

    def _read_rows(self, read, rows):
        out = np.empty((len(rows), len(self.names)))
        read(rows, out)
        return out

    def _read_mapping(self, X):
        lacking = [name for name in self.names if name not in X]
        if lacking:
            raise without(lacking)
        cells = [_is_scalar(X[name]) for name in self.names]
        if all(cells):
            return self._read_rows(self._rows.mappings, [X])
        if any(cells):
            name = self.names[cells.index(True)]
            other = self.names[cells.index(False)]
            raise ValueError(
                f"Got one value of column {name!r} and several of {other!r}, but "
                "expected a row of values or columns of equal lengths."
            )
        return self._read_columns([X[name] for name in self.names])

    def _read_list(self, rows):
        if all(isinstance(row, Mapping) for row in rows):
            return self._read_rows(self._rows.mappings, rows)
        for i, row in enumerate(rows):
            if (
                _is_scalar(row)
                or isinstance(row, Mapping)
                or not hasattr(row, "__len__")
            ):
                raise TypeError(
                    f"Got row {i} of type {type(row).__name__}, but expected a list of "
                    "rows that are all lists of values or all dicts."
                )
        return self._read_rows(self._rows.sequences, rows)

    def _read_array(self, X):
        array = np.asarray(X)
        if array.ndim != 2:
            raise ValueError(
                f"Got {type(X).__name__} of {array.ndim} dimensions, but expected a "
                "table of 2: shape (n_samples, n_columns)."
            )
        if isinstance(X, np.ma.MaskedArray):
            raise TypeError(
                "Got a masked array, but expected NaN where a value is missing: use "
                "X.astype(float).filled(nan)."
            )
        self._check_width(array.shape[1])
        if array.dtype.kind in "biuf":
            return np.ascontiguousarray(array, dtype=np.float64)
        if array.dtype.kind in "OUT":
            return self._read_rows(self._rows.sequences, array.tolist())
        raise TypeError(
            f"Got an array of {array.dtype}, but expected numbers, booleans, strings "
            "or Python objects."
        )

    def _check_width(self, width):
        if width != len(self.names):
            raise ValueError(
                f"Got X with {width} columns, but expected {len(self.names)}."
            )

    def _read_frame(self, X):
        keys = getattr(X, "column_names", None) or X.columns
        keys = keys.tolist() if hasattr(keys, "tolist") else list(keys)
        order = self._order([str(key) for key in keys])
        n_rows, numeric = len(X), not any(self._levels)
        rows = _rows_of(X, n_rows, numeric) if 0 < n_rows < FEW_ROWS else None
        if rows is not None:
            if order is not None:
                rows = [[row[j] for j in order] for row in rows]
            return self._read_rows(self._rows.sequences, rows)
        if numeric and _is_numeric(X):
            values = X.to_numpy(dtype=np.float64)
            values = values if order is None else values[:, order]
            return np.ascontiguousarray(values)
        order = range(len(self.names)) if order is None else order
        if len(set(keys)) == len(keys):
            return self._read_columns([X[keys[j]] for j in order], n_rows)
        # By name pandas gives all columns of that name.
        return self._read_columns([X.iloc[:, j] for j in order], n_rows)

    def _order(self, names):
        """Position of each column of the model in a frame; None: all as they are."""
        if names == self.names:
            return None
        position = {name: j for j, name in enumerate(names)}
        lacking = [name for name in self.names if name not in position]
        if lacking and self._unnamed:
            self._check_width(len(names))
            return None
        if lacking:
            raise without(lacking)
        if len(position) < len(names) or len(set(self.names)) < len(self.names):
            for name in self.names:
                if names.count(name) > 1 or self.names.count(name) > 1:
                    raise ValueError(
                        f"Got {names.count(name)} columns named {name!r} for "
                        f"{self.names.count(name)} of the model, but expected one."
                    )
        return [position[name] for name in self.names]

    def _read_columns(self, columns, n_rows=None):
        if n_rows is None:
            n_rows = len(columns[0]) if columns else 0
        out = np.empty((n_rows, len(self.names)))
        for j, values in enumerate(columns):
            name, levels = self.names[j], self._levels[j]
            if len(values) != n_rows:
                raise ValueError(
                    f"Got {len(values)} values of column {name!r}, but expected "
                    f"{n_rows} as of column {self.names[0]!r}."
                )
            out[:, j] = (
                _numbers(name, values) if levels is None else _codes(levels, values)
            )
        return out


def _is_scalar(value):
    if isinstance(value, np.ndarray):
        return value.ndim == 0
    return not hasattr(value, "__len__") or isinstance(value, str | bytes)


def _rows_of(X, n_rows, numeric):
    """Return the rows of a small frame as lists of Python values, None if it cannot.

    A pandas row has a type that all columns have in common. Numbers lose nothing that
    matters unless they are levels, nor do objects.
    """
    if not hasattr(X, "iloc"):
        return X.rows() if callable(getattr(X, "rows", None)) else None
    rows = [X.iloc[i] for i in range(n_rows)]
    kind = getattr(rows[0].dtype, "kind", None)
    if kind == "O" or (numeric and kind in tuple("biuf")):
        return [row.tolist() for row in rows]
    return None


def _is_numeric(X):
    """Whether all columns of a pandas frame are plain numbers."""
    return hasattr(X, "iloc") and all(
        isinstance(dtype, np.dtype) and dtype.kind in "biuf" for dtype in set(X.dtypes)
    )


def _numbers(name, values):
    """Values of a numeric column as an array of float64."""
    dtype = getattr(values, "dtype", None)
    kind = getattr(dtype, "kind", None)
    if kind in tuple("biuf") and not isinstance(dtype, np.dtype):
        # pandas's nullable types would become Python objects.
        return values.to_numpy(dtype=np.float64, na_value=np.nan)
    if _is_arrow_dictionary(values):
        values = values.to_pylist()
    if not isinstance(values, list | tuple):
        convert = getattr(values, "to_numpy", None)
        values = np.asarray(values) if convert is None else convert()
        if values.ndim != 1:
            raise ValueError(
                f"Got column {name!r} of {values.ndim} dimensions, but expected 1."
            )
        if values.dtype.kind in "biuf":
            return values
        values = _cells(name, values)
    if NUMBERS.issuperset(map(type, values)):
        try:
            return np.array(values, dtype=np.float64)
        except OverflowError:
            pass
    return [read_number(name, value) for value in values]


def _codes(levels, values):
    """Values of a categorical column as an array of codes."""
    if hasattr(getattr(values, "dtype", None), "categories"):
        array = getattr(values, "array", values)
        if hasattr(array, "codes"):  # pandas's: each level is looked up only once
            known = levels.codes(list(array.categories))
            return np.append(known, MISSING)[np.asarray(array.codes)]
    return levels.codes(_cells(levels.name, values))


def _cells(name, values):
    """Values of a column as a list of Python objects."""
    if isinstance(values, list | tuple):
        return list(values)
    dtype = getattr(values, "dtype", None)
    if isinstance(dtype, np.dtype) and dtype.kind in "Mm":
        # As a list they would be plain integers.
        if not np.isnat(np.asarray(values)).all():
            raise refusal(name, dtype)
        return [None] * len(values)
    if hasattr(values, "to_list"):
        return values.to_list()
    if _is_arrow_dictionary(values):
        return values.to_pylist()
    return np.asarray(values).tolist()


def _is_arrow_dictionary(values):
    """Whether it is a column of pyarrow whose missing values numpy makes levels."""
    return hasattr(values, "to_pylist") and hasattr(values.type, "index_type")
