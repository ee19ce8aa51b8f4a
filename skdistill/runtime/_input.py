"""Rows as they are handed over, as an array of numbers and codes of categories."""

import numpy as np


def as_table(reader, X):
    """Return rows as a C-contiguous array.

    Parameters
    ----------
    reader : TableReader
        Knows the columns of the model.
    X : array-like or frame of shape (n_samples, n_columns)
        Rows.

    Returns
    -------
    ndarray of shape (n_samples, n_columns), float32 or float64

    Raises
    ------
    TypeError
        If an array is masked.
    ValueError
        If there are not two dimensions, or the cells are no real numbers.
    """
    if not isinstance(X, np.ndarray):
        return reader.read(X)
    if isinstance(X, np.ma.MaskedArray):
        raise TypeError(
            "Got a masked array, but expected one with NaN where a value is missing, "
            "such as X.filled(numpy.nan)."
        )
    if X.dtype.kind not in "biufc":
        return reader.read(X)
    if X.ndim != 2:
        hint = " X.reshape(1, -1) is a table of one row." if X.ndim == 1 else ""
        raise ValueError(
            f"Got an array of shape {X.shape}, but expected rows and columns.{hint}"
        )
    if X.dtype.kind == "c":
        raise ValueError(f"Got numbers of type {X.dtype}, but expected real numbers.")
    dtype = np.float32 if X.dtype in (np.float16, np.float32) else np.float64
    # Contiguous, aligned and no subclass, as compiled code reads it.
    return np.require(X, dtype, ["C", "A", "E"])


def check_width(reader, X):
    """Raise an error if there are not as many columns as the model has.

    Parameters
    ----------
    reader : TableReader
        Knows the columns of the model.
    X : ndarray of shape (n_samples, n_columns)
        Rows.
    """
    n_columns = len(reader.names)
    if X.shape[1] != n_columns:
        raise ValueError(f"Got {X.shape[1]} columns, but expected {n_columns}.")


def check_finite(columns, X):
    """Raise an error if a number is infinite: no network's score goes on so far.

    Parameters
    ----------
    columns : tuple of NumberColumn and CategoryColumn
        Columns of the model.
    X : ndarray of shape (n_samples, n_columns)
        Rows.
    """
    infinite = np.isinf(X)
    if infinite.any():
        infinite &= [column.is_numeric for column in columns]
    if infinite.any():
        row, j = np.argwhere(infinite)[0]
        raise ValueError(
            f"Got {X[row, j]} of column {columns[j].name!r} in row {row} with "
            "extrapolate=True, but expected finite numbers."
        )
