"""Tables with names and categories as arrays of numbers and codes."""

import numpy as np


def read_table(columns, X):
    """Return a table as numbers and codes of categories.

    Parameters
    ----------
    columns : tuple of NumberColumn and CategoryColumn
        Columns of the model.
    X : array-like of shape (n_samples, n_columns)
        Rows of numbers and codes.

    Returns
    -------
    ndarray of shape (n_samples, n_columns), float64

    Raises
    ------
    ValueError
        If a cell is no number.
    """
    return np.array(X, dtype=np.float64)
