"""Fitting a teacher that predicts numbers, and asking it about the training rows."""

from dataclasses import dataclass, replace

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import check_cv
from sklearn.utils.parallel import Parallel, delayed

from .._columns import take_rows
from .._fitting import fit_with_weights, is_frozen
from .._log_odds import check_column_names
from ._labelling import ROWS_AT_ONCE, _splits
from ._pool import make_pool


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a teacher predicts of the training rows.

    Parameters
    ----------
    teacher : fitted estimator
        Fitted on all rows, or as it came if frozen.
    held_out : ndarray of the shape of y, float64
        On held-out rows predictions of a teacher that was not fitted on the row,
        elsewhere those of `teacher`.
    is_held_out : ndarray of bool of shape (n_samples,)
        Where that is so, as far as it can be known: a frozen teacher is trusted.
    own : ndarray of the shape of y, float64
        Predictions of `teacher` on all rows.
    pool : array or frame of shape (n_pool, n_features), or None
        More rows, whose true values are not known.
    of_pool : ndarray of shape (n_pool,) or (n_pool, n_outputs), float64, or None
        What the teacher that was fitted on all rows predicts of them.
    """

    teacher: BaseEstimator
    held_out: np.ndarray
    is_held_out: np.ndarray
    own: np.ndarray
    pool: object = None
    of_pool: np.ndarray | None = None


def predict_rows(
    teacher,
    X,
    y,
    cv,
    sample_weight=None,
    augmenter=None,
    X_unlabeled=None,
    seed=None,
    n_jobs=None,
):
    """Fit the teacher and let it predict every row, out of fold.

    A pure function of its arguments up to the predictions, so that it can be cached.

    Parameters
    ----------
    teacher : estimator
        Cloned for each fold and once more for all rows. A `FrozenEstimator`, and
        what needs no fit, is used as it is.
    X : array-like or frame of shape (n_samples, n_features)
        Training rows.
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        True values.
    cv : cross-validation splitter, iterable of splits, or None
        Each row must be in exactly one test part. ``None``: one teacher predicts the
        rows that it was fitted on.
    sample_weight : ndarray of shape (n_samples,), default=None
        Weights handed to the teacher.
    augmenter : sampler of `skdistill.augmentation`, default=None
        Makes more rows for the teacher to predict.
    X_unlabeled : array or frame of shape (n_unlabeled, n_features), default=None
        More rows for the teacher to predict.
    seed : int, default=None
        Seeds the augmenter.
    n_jobs : int, default=None
        How many folds are fitted at once; ``None`` means 1.

    Returns
    -------
    Predictions

    Raises
    ------
    ValueError
        If the splits do not cover every row exactly once, or what the teacher predicts
        is not of the shape of y or not finite.
    """
    found = _predict(teacher, X, y, cv, sample_weight, n_jobs)
    pool = make_pool(X, augmenter, X_unlabeled, found.teacher, seed)
    if pool is None:
        return found
    of_pool = np.empty((pool.shape[0], *y.shape[1:]))
    for start in range(0, len(of_pool), ROWS_AT_ONCE):
        rows = np.arange(start, min(start + ROWS_AT_ONCE, len(of_pool)))
        of_pool[rows] = regressor_predictions(
            found.teacher, take_rows(pool, rows), y.shape[1:]
        )
    return replace(found, pool=pool, of_pool=of_pool)


def regressor_predictions(regressor, X, shape_of_row):
    """Predictions of a fitted regressor, as it was asked for.

    Parameters
    ----------
    regressor : fitted estimator
        With `predict`.
    X : array-like or frame of shape (n_samples, n_features)
        Rows; columns in the order the regressor was fitted on.
    shape_of_row : tuple
        ``()`` for a single output, ``(n_outputs,)`` for several.

    Returns
    -------
    ndarray of shape (n_samples,) or (n_samples, n_outputs), float64

    Raises
    ------
    ValueError
        If columns, the shape or a number are not as described.
    """
    check_column_names(regressor, X)
    predictions = np.asarray(regressor.predict(X), dtype=np.float64)
    expected = (X.shape[0], *shape_of_row)
    if predictions.size == np.prod(expected) == X.shape[0]:
        predictions = predictions.reshape(
            expected
        )  # either form of one output is usual
    name = type(regressor).__name__
    if predictions.shape != expected:
        raise ValueError(
            f"Got predictions of shape {predictions.shape} from {name}, but expected "
            f"{expected}."
        )
    if not np.isfinite(predictions).all():
        raise ValueError(
            f"Got NaN or infinity from {name}.predict, but expected numbers."
        )
    return predictions


def _predict(teacher, X, y, cv, sample_weight, n_jobs):
    shape = y.shape[1:]
    if is_frozen(teacher):
        # Fits nothing: a frozen one stays as it is, others remember the columns.
        teacher = clone(teacher).fit(X, y)
        own = regressor_predictions(teacher, X, shape)
        return Predictions(teacher, own, np.ones(len(y), dtype=bool), own)
    splits = None if cv is None else _splits(check_cv(cv), X, y)
    fitted = fit_with_weights(clone(teacher), X, y, sample_weight)
    own = regressor_predictions(fitted, X, shape)
    if splits is None:
        return Predictions(fitted, own, np.zeros(len(y), dtype=bool), own)
    parts = Parallel(n_jobs=n_jobs)(
        delayed(_predict_fold)(teacher, X, y, train, test, sample_weight)
        for train, test in splits
    )
    held_out = own.copy()
    for (_, test), part in zip(splits, parts, strict=True):
        held_out[test] = part
    return Predictions(fitted, held_out, np.ones(len(y), dtype=bool), own)


def _predict_fold(teacher, X, y, train, test, sample_weight):
    weights = None if sample_weight is None else sample_weight[train]
    fitted = fit_with_weights(clone(teacher), take_rows(X, train), y[train], weights)
    return regressor_predictions(fitted, take_rows(X, test), y.shape[1:])
