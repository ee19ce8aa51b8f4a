"""Which columns of a table the student sees, where the teacher sees more."""

import numpy as np
from sklearn.utils import check_array

from ._columns import column_names, is_frame, take_columns


def choose_columns(columns, X):
    """Return the positions in a table of the columns chosen for the student.

    Parameters
    ----------
    columns : list of str, list of int, mask, callable or None
        Names, positions or a mask of the columns, or a function of the table that
        returns one of these. ``None``: all columns.
    X : array or frame of shape (n_samples, n_features)
        Training rows.

    Returns
    -------
    ndarray of int of shape (n_chosen,), or None for all

    Raises
    ------
    TypeError
        If `columns` is none of these.
    ValueError
        If there is no such column, one is chosen twice, or none is.
    """
    if columns is None:
        return None
    if callable(columns):
        columns = columns(X)
    chosen = np.asarray(columns)
    if chosen.ndim != 1 or (len(chosen) and chosen.dtype.kind not in "OUTbiu"):
        raise TypeError(
            f"Got student_columns={columns!r}, but expected a list of names or of "
            "positions, a mask, or a function that returns one of them."
        )
    if chosen.dtype.kind == "b" and len(chosen) == X.shape[1]:
        positions = np.flatnonzero(chosen)
    else:
        positions = np.array([_position(c, X) for c in chosen.tolist()], dtype=int)
    if not len(positions) or len(set(positions.tolist())) < len(positions):
        raise ValueError(
            f"Got student_columns={columns!r}, but expected at least one column, and "
            "each once."
        )
    return positions


def _position(column, X):
    """Return the position of a column of `X`, from its name or its position."""
    if isinstance(column, str):
        names = column_names(X) if is_frame(X) else []
        if column in names:
            return names.index(column)
        known = f"the columns {names}" if names else "columns without names"
    else:
        number = isinstance(column, int) and not isinstance(column, bool)
        if number and 0 <= column < X.shape[1]:
            return column
        known = f"{X.shape[1]} columns"
    raise ValueError(
        f"Got {column!r} among student_columns, but the training table has {known}."
    )


def select_columns(model, X):
    """Return the student's columns of a table with or without those of the teacher.

    Columns of frames are found by name, in whatever order they stand; an array has
    either all columns of the training table or those of the student, in their order.

    Parameters
    ----------
    model : BaseDistilled
        Fitted, with `student_columns_`.
    X : array-like or frame of shape (n_samples, n_columns)
        Rows to score.

    Raises
    ------
    ValueError
        If a column of the student is not there, or one is that the training table did
        not have.
    """
    positions = model.student_columns_
    if is_frame(X) and hasattr(model, "feature_names_in_"):
        return _select_by_name(model.feature_names_in_, positions, X)
    if not is_frame(X):
        X = check_array(
            X, accept_sparse="csr", dtype=None, ensure_all_finite="allow-nan"
        )
    if X.shape[1] == model.n_features_in_:
        return take_columns(X, positions)
    if X.shape[1] == len(positions):
        return X
    raise ValueError(
        f"Got X with {X.shape[1]} features, but {type(model).__name__} is expecting "
        f"the {len(positions)} features of its student or all {model.n_features_in_} "
        "features of the training table."
    )


def _select_by_name(fitted, positions, X):
    names = column_names(X)
    expected = fitted[positions].tolist()
    missing = [name for name in expected if name not in names]
    if missing:
        raise ValueError(
            f"Got a table without the columns {missing}, but expected those of the "
            f"student: {expected}."
        )
    unknown = sorted(set(names) - set(fitted.tolist()))
    if unknown:
        raise ValueError(
            f"Got the columns {unknown}, but expected none that the training table did "
            "not have."
        )
    return take_columns(X, [names.index(name) for name in expected])
