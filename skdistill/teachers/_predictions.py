"""Fitting a teacher that predicts numbers, and asking it about the training rows."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import check_cv
from sklearn.utils.parallel import Parallel, delayed

from .._columns import take_rows
from .._fitting import is_frozen
from .._log_odds import check_column_names
from .._progress import Progress
from ._labelling import fit_part, held_out_parts
from ._pool import make_pool

ROWS_AT_ONCE = 65_536
"""Rows of a pool that a teacher predicts together."""


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
    fit_params=None,
    split_params=None,
    progress=None,
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
        Rows in several test parts or in none as in `label_rows`. ``None``: one teacher
        predicts the rows that it was fitted on.
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
    fit_params : dict, default=None
        As in `label_rows`.
    split_params : dict, default=None
        As in `label_rows`.
    progress : Progress, default=None
        Is told of each fit and of predicted rows.

    Returns
    -------
    Predictions

    Raises
    ------
    ValueError
        If the splits hold out no row, or one that its own training part has, or what
        the teacher predicts is not of the shape of y or not finite.
    """
    fit = partial(fit_part, teacher, X, y, sample_weight, fit_params or {})
    whole = cv is None or is_frozen(teacher)
    splits = None if whole else held_out_parts(check_cv(cv), X, y, split_params)
    progress = Progress() if progress is None else progress
    found = _predict(teacher, X, y, splits, fit, n_jobs, progress)
    if augmenter is None and X_unlabeled is None:
        return found
    with progress.stage("making rows for the teacher to predict"):
        pool = make_pool(X, augmenter, X_unlabeled, found.teacher, seed)
    of_pool = np.empty((pool.shape[0], *y.shape[1:]))
    with progress.stage("predicting new rows", len(of_pool), "row") as advance:
        for start in range(0, len(of_pool), ROWS_AT_ONCE):
            rows = np.arange(start, min(start + ROWS_AT_ONCE, len(of_pool)))
            of_pool[rows] = regressor_predictions(
                found.teacher, take_rows(pool, rows), y.shape[1:]
            )
            advance(len(rows))
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
        # Either form of one output is usual.
        predictions = predictions.reshape(expected)
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


def _predict(teacher, X, y, splits, fit, n_jobs, progress):
    shape = y.shape[1:]
    if is_frozen(teacher):
        # Fits nothing: a frozen one stays as it is, others remember the columns.
        teacher = clone(teacher).fit(X, y)
        own = regressor_predictions(teacher, X, shape)
        return Predictions(teacher, own, np.ones(len(y), dtype=bool), own)
    name, total = f"fitting {type(teacher).__name__}", 1 + len(splits or ())
    sums, times = np.zeros(y.shape), np.zeros(len(y))
    with progress.stage(name, total, "fit") as advance:
        fitted = fit()
        own = regressor_predictions(fitted, X, shape)
        advance()
        parts = Parallel(n_jobs=n_jobs, return_as="generator")(
            delayed(_predict_fold)(fit, X, shape, *split) for split in splits or ()
        )
        for (_, test), part in zip(splits or (), parts, strict=True):
            sums[test] += part
            times[test] += 1
            advance()
    held_out = times > 0
    sums[held_out] = (sums[held_out].T / times[held_out]).T
    sums[~held_out] = own[~held_out]
    return Predictions(fitted, sums, held_out, own)


def _predict_fold(fit, X, shape, train, test):
    return regressor_predictions(fit(train), take_rows(X, test), shape)
