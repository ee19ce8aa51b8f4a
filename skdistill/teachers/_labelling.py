"""Fitting a teacher and reading its log-odds on the training rows."""

import warnings
from dataclasses import dataclass, replace

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import check_cv
from sklearn.utils.parallel import Parallel, delayed

from .._columns import take_rows
from .._compiled import compile_classifier
from .._fitting import fit_with_weights, is_frozen
from .._log_odds import classifier_log_odds, floor_log_odds
from ._pool import make_pool

ROWS_AT_ONCE = 65_536
"""Rows of a pool that a teacher labels together."""

DIVERGED = 20.0
"""A fold's teacher whose log-odds are so many times as large as those of the others
has diverged, as boosting without regularisation sometimes does."""


@dataclass(frozen=True, eq=False)
class Labelling:
    """What a teacher says about the training rows.

    Parameters
    ----------
    teacher : fitted estimator
        Fitted on all rows, or as it came if frozen.
    logits : ndarray of shape (n_samples, n_classes), float64
        Log-odds, columns in the order of the classes: on held-out rows those of a
        teacher that was not fitted on the row, elsewhere those of `teacher`.
    held_out : ndarray of bool of shape (n_samples,)
        Where that is so, as far as it can be known: a frozen teacher is trusted.
    own_logits : ndarray of shape (n_samples, n_classes), float64
        Log-odds of `teacher` on all rows.
    pool : array or frame of shape (n_pool, n_features), or None
        More rows, without labels.
    pool_logits : ndarray of shape (n_pool, n_classes), float32, or None
        What the teacher that was fitted on all rows says about them.
    """

    teacher: BaseEstimator
    logits: np.ndarray
    held_out: np.ndarray
    own_logits: np.ndarray
    pool: object = None
    pool_logits: np.ndarray | None = None


def label_rows(
    teacher,
    X,
    y,
    classes,
    cv,
    sample_weight=None,
    augmenter=None,
    X_unlabeled=None,
    seed=None,
    n_jobs=None,
):
    """Fit the teacher and read its log-odds on every row, out of fold.

    A pure function of its arguments up to the log-odds, so that it can be cached.
    A class that no row of a fold's training part has gets the probability of half a
    row there.

    Parameters
    ----------
    teacher : estimator
        Cloned for each fold and once more for all rows. A `FrozenEstimator`, and
        what needs no fit, is used as it is.
    X : array-like or frame of shape (n_samples, n_features)
        Training rows.
    y : ndarray of shape (n_samples,)
        Class labels.
    classes : ndarray of shape (n_classes,)
        Classes in the order of the columns.
    cv : cross-validation splitter, iterable of splits, or None
        Each row must be in exactly one test part. ``None``: one teacher labels the
        rows that it was fitted on.
    sample_weight : ndarray of shape (n_samples,), default=None
        Weights handed to the teacher.
    augmenter : sampler of `skdistill.augmentation`, default=None
        Makes more rows for the teacher to label.
    X_unlabeled : array or frame of shape (n_unlabeled, n_features), default=None
        More rows for the teacher to label.
    seed : int, default=None
        Seeds the augmenter.
    n_jobs : int, default=None
        How many folds are fitted at once; ``None`` means 1.

    Returns
    -------
    Labelling

    Raises
    ------
    ValueError
        If the splits do not cover every row exactly once, or the teacher's classes
        are not `classes`.
    """
    labelling = _label(teacher, X, y, classes, cv, sample_weight, n_jobs)
    pool = make_pool(X, augmenter, X_unlabeled, labelling.teacher, seed)
    if pool is None:
        return labelling
    pool_logits = _label_in_chunks(labelling.teacher, pool, classes)
    return replace(labelling, pool=pool, pool_logits=pool_logits)


def _label(teacher, X, y, classes, cv, sample_weight, n_jobs):
    if is_frozen(teacher):
        # Fits nothing: a frozen one stays as it is, others remember the columns.
        teacher = clone(teacher).fit(X, y)
        own = classifier_log_odds(teacher, X, classes)
        return Labelling(teacher, own, np.ones(len(y), dtype=bool), own)
    splits = None if cv is None else _splits(cv, X, y)
    fitted = fit_with_weights(clone(teacher), X, y, sample_weight)
    own = classifier_log_odds(fitted, X, classes)
    if splits is None:
        return Labelling(fitted, own, np.zeros(len(y), dtype=bool), own)
    parts = _cross_fit(teacher, X, y, classes, splits, sample_weight, n_jobs)
    logits, held_out = own.copy(), np.zeros(len(y), dtype=bool)
    for (_, test), part in zip(splits, parts, strict=True):
        if part is not None:
            logits[test], held_out[test] = part, True
    return Labelling(fitted, logits, held_out, own)


def _label_in_chunks(teacher, pool, classes):
    # Once for all chunks.
    teacher = compile_classifier(teacher, pool)
    logits = np.empty((pool.shape[0], len(classes)), dtype=np.float32)
    for start in range(0, len(logits), ROWS_AT_ONCE):
        rows = np.arange(start, min(start + ROWS_AT_ONCE, len(logits)))
        logits[rows] = classifier_log_odds(teacher, take_rows(pool, rows), classes)
    return logits


def _splits(cv, X, y):
    splits = list(check_cv(cv, y, classifier=True).split(X, y))
    covered = np.concatenate([test for _, test in splits])
    if not np.array_equal(np.sort(covered), np.arange(len(y))):
        raise ValueError(
            f"Got cv={cv!r}, whose test parts do not hold every row exactly once, but "
            "expected a splitter such as KFold, StratifiedKFold or GroupKFold."
        )
    return splits


def _cross_fit(teacher, X, y, classes, splits, sample_weight, n_jobs):
    """Out-of-fold log-odds of each fold, None where its teacher has diverged."""
    parts = Parallel(n_jobs=n_jobs)(
        delayed(_label_fold)(teacher, X, y, classes, train, test, sample_weight)
        for train, test in splits
    )
    return without_diverged(teacher, parts)


def without_diverged(teacher, parts):
    """Return log-odds of parts of the rows, None for those of a diverged teacher."""
    sizes = np.array([np.median(np.ptp(part, axis=1)) for part in parts])
    usual = np.median(sizes)
    diverged = (usual > 0) & (sizes > DIVERGED * usual)
    if diverged.any():
        warnings.warn(
            f"{type(teacher).__name__} has diverged in {diverged.sum()} of "
            f"{len(parts)} folds: its log-odds are more than {DIVERGED:.0f} times as "
            "large as in the others. The rows of such a fold get the log-odds of the "
            "teacher that was fitted on all rows. Regularise the teacher.",
            UserWarning,
            stacklevel=2,
        )
    return [None if bad else part for bad, part in zip(diverged, parts, strict=True)]


def _label_fold(teacher, X, y, classes, train, test, sample_weight):
    weights = None if sample_weight is None else sample_weight[train]
    fitted = fit_with_weights(clone(teacher), take_rows(X, train), y[train], weights)
    return classifier_log_odds(
        fitted,
        take_rows(X, test),
        classes,
        unseen_log_odds=floor_log_odds(len(train)),
    )
