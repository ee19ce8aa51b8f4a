"""Rows of plain Python values -> numbers and codes, one row at a time."""

from ._levels import Levels, read_number


def cell_readers(columns):
    """Return for each column the function of a cell that gives its number or code."""
    return [
        _NumberReader(column.name)
        if column.is_numeric
        else Levels(column.name, column.levels).code
        for column in columns
    ]


class RowReader:
    """Reads rows without compiled code; the reference for `_row_reader.RowReader`.

    Parameters
    ----------
    columns : sequence of NumberColumn and CategoryColumn
        Columns of the table.
    """

    def __init__(self, columns):
        self.names = tuple(column.name for column in columns)
        self._readers = cell_readers(columns)

    def mappings(self, rows, out):
        """Write rows that are mappings from names to cells.

        Parameters
        ----------
        rows : list of Mapping
            Other names than those of the columns are not looked at.
        out : ndarray of shape (n_rows, n_columns), float64
            C-contiguous.

        Raises
        ------
        TypeError
            If a cell is neither a number, a string nor missing, or no number in a
            numeric column.
        ValueError
            If a row lacks a column, or `out` has not its shape.
        """
        check_out(out, len(rows), len(self.names))
        for i, row in enumerate(rows):
            table = zip(self.names, self._readers, strict=True)
            for j, (name, read) in enumerate(table):
                if name not in row:
                    raise without([name for name in self.names if name not in row], i)
                out[i, j] = read(row[name])

    def sequences(self, rows, out):
        """Write rows that are sequences of cells in the order of the columns.

        Parameters
        ----------
        rows : list of sequence
            Their cells.
        out : ndarray of shape (n_rows, n_columns), float64
            C-contiguous.

        Raises
        ------
        TypeError
            As of `mappings`.
        ValueError
            If a row has another length, or `out` has not its shape.
        """
        check_out(out, len(rows), len(self.names))
        for i, row in enumerate(rows):
            if len(row) != len(self.names):
                raise wrong_length(len(row), i, len(self.names))
            for j, (cell, read) in enumerate(zip(row, self._readers, strict=True)):
                out[i, j] = read(cell)


class _NumberReader:
    def __init__(self, name):
        self.name = name

    def __call__(self, value):
        return value if type(value) is float else read_number(self.name, value)


def without(names, row=None):
    """Return the error for a table, or the given row of it, that lacks columns."""
    where = "X" if row is None else f"row {row}"
    return ValueError(
        f"Got {where} without columns {list(names)}, but expected all columns that the "
        "model was fitted on (None where a value is missing)."
    )


def wrong_length(length, row, expected):
    """Return the error for a row of a length that is not the number of columns."""
    return ValueError(f"Got row {row} of {length} values, but expected {expected}.")


def check_out(out, n_rows, n_columns):
    """Check that an array takes the given number of rows."""
    if (
        out.shape != (n_rows, n_columns)
        or out.dtype != "f8"
        or not out.flags.c_contiguous
    ):
        raise ValueError(
            f"Got out of type {out.dtype} and shape {out.shape}, but expected a "
            f"C-contiguous array of float64 of shape {(n_rows, n_columns)}."
        )
