"""Fitting a teacher and reading its log-odds on the training rows."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import check_cv
from sklearn.utils.parallel import Parallel, delayed

from .._columns import take_rows
from .._fitting import is_frozen, positions, take_params
from .._log_odds import classifier_log_odds, floor_log_odds, single_class_log_odds
from .._parameters import is_auto
from .._progress import Progress
from ..targets import encode_labels
from ._bagging import MOST_ROWS, bagged_log_odds, parts_to_ask
from ._blending import explained_share
from ._calibration import calibration_temperature
from ._label_codes import fit_teacher
from ._pool import make_pool, suited_augmenter

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
        teacher that was not fitted on the row (their mean if there are several),
        elsewhere those of `teacher`.
    held_out : ndarray of bool of shape (n_samples,)
        Where that is so, as far as it can be known: a frozen teacher is trusted.
    own_logits : ndarray of shape (n_samples, n_classes), float64
        Log-odds of `teacher` on all rows.
    pool : array or frame of shape (n_pool, n_features), or None
        More rows, without labels.
    pool_logits : ndarray of shape (n_pool, n_classes), float32, or None
        What `teacher` says about them, of a small table with those of the folds, see
        `label_rows`.
    pool_own_logits : ndarray of shape (n_pool, n_classes), float32, or None
        Log-odds of `teacher` alone, where others have labelled them too.
    augmenter : sampler of `skdistill.augmentation`, or None
        What made them.
    """

    teacher: BaseEstimator
    logits: np.ndarray
    held_out: np.ndarray
    own_logits: np.ndarray
    pool: object = None
    pool_logits: np.ndarray | None = None
    pool_own_logits: np.ndarray | None = None
    augmenter: object = None


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
    fit_params=None,
    split_params=None,
    progress=None,
):
    """Fit the teacher and read its log-odds on every row, out of fold.

    A pure function of its arguments up to the log-odds, so that it can be cached.
    A class that no row of a fold's training part has gets the probability of half a
    row there; where all rows have one class, it is certain but for that.

    A row in several test parts gets the mean of their log-odds. One in none has only
    those of the teacher that was fitted on all rows: the rows before the first test
    part of a `sklearn.model_selection.TimeSeriesSplit`, for example. They are at worst
    its label in disguise, which the student may know; they do not count when the
    teacher is calibrated and judged.

    New rows are labelled by the teacher that was fitted on all rows. Where these are no
    more than 2,000, and the new ones no more than 100,000, they also get the mean of
    its log-odds and those of the first five teachers of folds that were fitted on three
    fifths of the rows at least, see `skdistill.teachers._bagging.bagged_log_odds`.

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
        ``None``: one teacher labels the rows that it was fitted on.
    sample_weight : ndarray of shape (n_samples,), default=None
        Weights handed to the teacher.
    augmenter : sampler of `skdistill.augmentation` or "auto", default=None
        Makes more rows for the teacher to label. ``"auto"``: ``Munge()`` where the
        calibrated held-out log-odds take away half of the log-loss of the class
        frequencies, else ``MarginalSwap()``.
    X_unlabeled : array or frame of shape (n_unlabeled, n_features), default=None
        More rows for the teacher to label.
    seed : int, default=None
        Seeds the augmenter.
    n_jobs : int, default=None
        How many folds are fitted at once; ``None`` means 1.
    fit_params : dict, default=None
        What else the teacher's ``fit`` is given. What has a value for each row is cut
        like the rows.
    split_params : dict, default=None
        What ``split`` is given beside rows and labels, such as groups.
    progress : Progress, default=None
        Is told of each fit and of labelled rows.

    Returns
    -------
    Labelling

    Raises
    ------
    ValueError
        If the splits hold out no row, or one that its own training part has, or the
        teacher's classes are not `classes`.
    """
    fit = partial(fit_part, teacher, X, y, sample_weight, fit_params or {})
    whole = cv is None or is_frozen(teacher)
    splits = None
    if not whole:
        splits = held_out_parts(check_cv(cv, y, classifier=True), X, y, split_params)
    progress = Progress() if progress is None else progress
    has_pool = augmenter is not None or X_unlabeled is not None
    keep = has_pool and len(y) <= MOST_ROWS
    labelling, parts = _label(
        teacher, X, y, classes, splits, fit, keep, n_jobs, progress
    )
    if not has_pool:
        return labelling
    if is_auto(augmenter):
        augmenter = choose_augmenter(
            labelling.logits, labelling.held_out, y, classes, sample_weight
        )
    with progress.stage("making rows for the teacher to label"):
        pool = make_pool(X, augmenter, X_unlabeled, labelling.teacher, seed)
    with progress.stage("labelling new rows", pool.shape[0], "row") as advance:
        own = classifier_log_odds(
            labelling.teacher, pool, classes, dtype=np.float32, advance=advance
        )
    labelling = replace(labelling, pool=pool, pool_logits=own, augmenter=augmenter)
    return with_other_teachers(labelling, parts, n_jobs)


def choose_augmenter(logits, held_out, y, classes, sample_weight):
    """Return the augmenter that suits the log-odds of held-out rows, or else of all."""
    weights = np.ones(len(y)) if sample_weight is None else sample_weight
    if (held_out * weights).any():
        weights = held_out * weights
    labels = encode_labels(y, classes)
    temperature = calibration_temperature(logits, labels, weights)
    return suited_augmenter(explained_share(logits / temperature, labels, weights))


def with_other_teachers(labelling, parts, n_jobs):
    """Return a labelling with what the teachers of folds too say of new rows."""
    if labelling.pool is None:
        return labelling
    own, pool = labelling.pool_logits, labelling.pool
    parts = parts_to_ask(parts, len(labelling.logits), len(own))
    if not parts:
        return labelling
    others = Parallel(n_jobs=n_jobs)(
        delayed(part.ask)(pool, dtype=np.float32) for part in parts
    )
    together = bagged_log_odds([own, *others])
    return replace(labelling, pool_logits=together, pool_own_logits=own)


def _label(teacher, X, y, classes, splits, fit, keep, n_jobs, progress):
    """Label the rows, and return the parts of it that did not diverge."""
    if is_frozen(teacher):
        # Fits nothing: a frozen one stays as it is, others remember the columns.
        teacher = clone(teacher).fit(X, y)
        own = classifier_log_odds(teacher, X, classes)
        return Labelling(teacher, own, np.ones(len(y), dtype=bool), own), []
    name, total = f"fitting {type(teacher).__name__}", 1 + len(splits or ())
    with progress.stage(name, total, "fit") as advance:
        fitted = fit()
        own = classifier_log_odds(fitted, X, classes)
        advance()
        if splits is None:
            return Labelling(fitted, own, np.zeros(len(y), dtype=bool), own), []
        parts = []
        for part in Parallel(n_jobs=n_jobs, return_as="generator")(
            delayed(label_fold)(fit, X, y, classes, *split, keep) for split in splits
        ):
            parts.append(part)
            advance()
    kept = without_diverged(teacher, parts)
    logits, times = np.zeros_like(own), np.zeros(len(y))
    for (_, test), part in zip(splits, kept, strict=True):
        if part is not None:
            logits[test] += part.of_rows
            times[test] += 1
    held_out = times > 0
    logits /= np.maximum(times, 1)[:, None]
    logits[~held_out] = own[~held_out]
    kept = [part for part in kept if part is not None]
    return Labelling(fitted, logits, held_out, own), kept


def fit_part(teacher, X, y, sample_weight, fit_params, rows=None):
    """Fit a clone of the teacher on some rows, or on all."""
    if rows is not None:
        fit_params = take_params(fit_params, rows, len(y))
        sample_weight = None if sample_weight is None else sample_weight[rows]
        X, y = take_rows(X, rows), y[rows]
    return fit_teacher(teacher, X, y, sample_weight, fit_params)


def held_out_parts(cv, X, y, split_params=None):
    """Return train and test parts, without those one of which is empty.

    Where rows of weight 0 have been left out, nothing may be before the first part of
    a `sklearn.model_selection.TimeSeriesSplit`.
    """
    splits = cv.split(X, y, **(split_params or {}))
    splits = [tuple(map(positions, parts)) for parts in splits]
    splits = [(train, test) for train, test in splits if len(train) and len(test)]
    times = np.zeros(len(y), dtype=int)
    for train, test in splits:
        if np.intersect1d(train, test).size:
            raise ValueError(
                f"Got cv={cv!r}, a training part of which has rows of its test part, "
                "but expected held-out rows."
            )
        times[test] += 1
    if not times.any():
        raise ValueError(f"Got cv={cv!r}, but expected a splitter that holds out rows.")
    never = np.flatnonzero(times == 0)
    # Rows before all others are those that nothing could be fitted before.
    if len(never) and never[-1] > np.argmax(times > 0):
        warnings.warn(
            f"Got cv={cv!r}, whose test parts hold {len(y) - len(never)} of {len(y)} "
            "rows: the others get the word of a teacher that was fitted on them.",
            UserWarning,
            stacklevel=2,
        )
    return splits


def without_diverged(teacher, parts):
    """Return labels of parts of the rows, None for those of a diverged teacher."""
    sizes = np.array([np.median(np.ptp(part.of_rows, axis=1)) for part in parts])
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


@dataclass(frozen=True, eq=False)
class FoldLabels:
    """What the teacher of a fold says.

    Parameters
    ----------
    n_fitted : int
        Rows that it was fitted on.
    of_rows : ndarray of shape (n_test, n_classes), float64
        Log-odds of the rows of the fold.
    ask : callable or None
        Returns its log-odds of other rows; ``None`` if it is not kept, or met one
        class only.
    """

    n_fitted: int
    of_rows: np.ndarray
    ask: Callable | None


def label_fold(fit, X, y, classes, train, test, keep):
    """Label the rows `test` by a teacher that is fitted to `train`, and may be kept."""
    met = np.unique(y[train])
    if len(met) == 1:
        floor = floor_log_odds(len(train))
        logits = single_class_log_odds(met[0], classes, len(test), floor)
        return FoldLabels(len(train), logits, None)
    return read_fold(fit(train), classes, take_rows(X, test), len(train), keep)


def read_fold(fitted, classes, rows, n_fitted, keep):
    """Return what the fitted teacher of a fold says."""
    ask = partial(
        classifier_log_odds,
        fitted,
        classes=classes,
        unseen_log_odds=floor_log_odds(n_fitted),
    )
    return FoldLabels(n_fitted, ask(rows), ask if keep else None)
