"""What estimators check about their input before anything else happens."""

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_array
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    assert_all_finite,
    check_consistent_length,
    column_or_1d,
    validate_data,
)

from ._columns import is_frame, is_missing, iterate_columns

MIN_TEXTS = 100
"""Fewer strings may all be different and yet be categories."""

MAX_DISTINCT = 0.9
"""If a larger share of the strings is distinct, they are texts or identifiers."""


def check_table(estimator, X, *, reset, accept_sparse=False, allow_nan=True):
    """Return `X` as a frame, as it came, or as a 2-D array.

    Sets or compares `n_features_in_` and `feature_names_in_` of the estimator. Frames
    pass untouched, since their columns mean something to the estimators inside.

    Raises
    ------
    ValueError
        If `X` is empty, not two-dimensional, infinite (or NaN unless `allow_nan`), or
        its columns are not those of the training table in their order.
    """
    if is_frame(X):
        validate_data(estimator, X, reset=reset, skip_check_array=True)
        if 0 in X.shape:
            what = "sample(s)" if X.shape[0] == 0 else "feature(s)"
            raise ValueError(
                f"Found array with 0 {what} (shape={X.shape}) while a minimum of 1 "
                "is required."
            )
        return X
    if isinstance(X, list | tuple) and np.asarray(X).dtype.kind in "US":
        # numpy would make strings of the numbers in other columns as well.
        X = np.asarray(X, dtype=object)
    return validate_data(
        estimator,
        X,
        reset=reset,
        dtype=None,
        accept_sparse="csr" if accept_sparse else False,  # rows can be taken
        ensure_all_finite="allow-nan" if allow_nan else True,
    )


def holds_missing(X):
    """Whether an array that `check_table` returned has missing values."""
    if is_frame(X):
        return False
    values = X.data if issparse(X) else X
    if values.dtype.kind == "O":
        return any(map(is_missing, values.ravel()))
    return values.dtype.kind == "f" and bool(np.isnan(values).any())


def check_labels(y, X):
    """Return class labels `y` of the rows of `X` as a 1-D array.

    Raises
    ------
    TypeError
        If some labels are strings and others are not.
    ValueError
        If `y` is None, not one label per row, holds missing values or numbers that
        are no classes, or has only one class.
    """
    if y is None:
        raise ValueError("Fitting requires y to be passed, but the target y is None.")
    y = column_or_1d(y, warn=True)
    check_consistent_length(X, y)
    distinct = set(y.tolist())  # of objects far faster than np.unique
    if y.dtype.kind == "O" and any(is_missing(label) for label in distinct):
        raise ValueError("Input y contains NaN or None, but expected class labels.")
    if len({isinstance(label, str) for label in distinct}) > 1:
        types = sorted({type(label).__name__ for label in distinct})
        raise TypeError(
            f"Got y with labels of the types {' and '.join(types)}, but expected "
            "labels that can be sorted: strings alone, or numbers alone."
        )
    assert_all_finite(y, input_name="y")
    # Strings that occur again are classes, which the check takes long to find out.
    if len(distinct) > len(y) // 2 or any(type(label) is not str for label in distinct):
        check_classification_targets(y)
    if len(distinct) < 2:
        raise ValueError(
            f"Got y with 1 class, {y[0]!s}, but expected at least 2 classes."
        )
    return y


def distinct_labels(y):
    """Return the classes in an array of labels, sorted; as `np.unique`, but fast."""
    if y.dtype.kind != "O":
        return np.unique(y)
    return np.array(sorted(set(y.tolist())), dtype=object)


def check_numbers(y, X, *, multi_output):
    """Return true values `y` of rows as float64, 2-D if there are several columns.

    Raises
    ------
    ValueError
        If `y` is None, not one number per row (with `multi_output`: or several), or
        holds what is no finite number.
    """
    if y is None:
        raise ValueError("Fitting requires y to be passed, but the target y is None.")
    if multi_output:
        y = check_array(
            y, dtype=np.float64, ensure_2d=False, allow_nd=True, input_name="y"
        )
    else:
        y = column_or_1d(y, warn=True)
        assert_all_finite(y, input_name="y")
        y = y.astype(np.float64)
    if y.ndim not in (1, 2) or 0 in y.shape[1:]:
        raise ValueError(
            f"Got y of shape {y.shape}, but expected (n_samples,) or (n_samples, "
            "n_outputs)."
        )
    check_consistent_length(X, y)
    return y[:, 0] if y.shape[1:] == (1,) else y


def check_weights(sample_weight, X):
    """Return sample weights of the rows of `X` as float64, or None.

    Raises
    ------
    ValueError
        If a weight is negative or not finite, or all are zero, or the shape is wrong.
    """
    if sample_weight is None:
        return None
    weights = np.asarray(sample_weight, dtype=np.float64)
    n_samples = X.shape[0]
    if weights.ndim == 0:
        weights = np.full(n_samples, float(weights))
    if weights.shape != (n_samples,):
        raise ValueError(
            f"Got sample_weight of shape {weights.shape}, but expected ({n_samples},): "
            "a 1D array with a weight per row."
        )
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise ValueError(
            "Got sample_weight with negative, infinite or NaN entries, but expected "
            "non-negative finite numbers."
        )
    if not weights.any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return weights


def check_groups(groups, X):
    """Return the groups of the rows of `X` as a 1-D array, or None.

    Raises
    ------
    ValueError
        If there is not one group per row, or one is missing.
    """
    if groups is None:
        return None
    groups = np.asarray(groups)
    if groups.shape != (X.shape[0],):
        raise ValueError(
            f"Got groups of shape {groups.shape}, but expected ({X.shape[0]},): a 1D "
            "array with a group per row."
        )
    if any(is_missing(group) for group in groups.tolist()):
        raise ValueError("Got groups with NaN or None, but expected a group per row.")
    return groups


def check_student_columns(X, X_unlabeled=None):
    """Check, before a teacher is fitted, that students can read the columns.

    Raises
    ------
    TypeError
        If a column of `X` holds neither numbers nor categories, or one of
        `X_unlabeled` something else than that of `X`.
    ValueError
        If a number is infinite, or `check_categories` refuses a column of `X`.
    """
    if not is_frame(X) and (issparse(X) or X.dtype.kind in "biuf"):
        return
    columns = []
    for column, values in iterate_columns(X):
        columns.append(column)
        if not column.is_numeric:
            check_categories(column, values, np.ones(len(values), bool))
    if X_unlabeled is None:
        return
    try:
        for _ in iterate_columns(X_unlabeled, columns):
            pass
    except (TypeError, ValueError) as error:
        raise type(error)(f"X_unlabeled cannot be labelled: {error}") from error


def check_categories(column, codes, is_labelled):
    """Check that the categories of a column occur again.

    Of texts and identifiers nearly every one is different: as categories they tell
    the training rows apart, and nothing of new rows.

    Parameters
    ----------
    column : Column
        A categorical column.
    codes : ndarray of shape (n_samples,)
        Its values, negative where missing.
    is_labelled : ndarray of bool of shape (n_samples,)
        Rows with a label. Those without count only if there are no others: rows of
        an augmenter repeat the values of other rows.

    Raises
    ------
    ValueError
        If there are at least 100 values, and over 90 % of them are different.
    """
    if is_labelled.any():
        codes = codes[is_labelled]
    codes = codes[codes >= 0]
    n_distinct = len(np.unique(codes))
    if len(codes) >= MIN_TEXTS and n_distinct > MAX_DISTINCT * len(codes):
        raise ValueError(
            f"Column {column.name!r} holds {n_distinct} different values in "
            f"{len(codes)} rows, but expected categories that occur again: drop "
            "identifiers, and turn texts or dates into numbers first, for example "
            "with scikit-learn's TfidfVectorizer."
        )
