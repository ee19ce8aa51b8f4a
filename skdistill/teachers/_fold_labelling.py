"""Labels for the students of a cross-validation, from teachers that saw no test row."""

from dataclasses import replace
from functools import partial
from itertools import combinations

import numpy as np
from sklearn.utils.parallel import Parallel, delayed

from .._columns import take_rows
from .._fitting import is_frozen, take_params
from .._log_odds import classifier_log_odds, floor_log_odds
from .._parameters import is_auto
from .._progress import Progress
from ._bagging import MOST_ROWS
from ._labelling import (
    choose_augmenter,
    fit_part,
    label_fold,
    label_rows,
    read_fold,
    with_other_teachers,
    without_diverged,
)


def label_folds(
    teacher,
    X,
    y,
    classes,
    splits,
    sample_weight=None,
    augmenter=None,
    X_unlabeled=None,
    seed=None,
    whole=True,
    n_jobs=None,
    fit_params=None,
    progress=None,
):
    r"""Label the rows outside each fold, and all rows, each pair of folds once.

    The student of a fold may learn nothing from its rows. So the rows outside fold
    :math:`k` are labelled by teachers that were fitted without fold :math:`k`: the
    held-out log-odds of a row of fold :math:`j` come from one that was fitted without
    either. It labels the rows of fold :math:`k` for the student of fold :math:`j` as
    well, so that :math:`K (K - 1) / 2` teachers do for all pairs, and :math:`K` and
    one more for the folds and all rows. New rows of a small table are labelled by
    several teachers, as in `label_rows`: those made of rows outside fold :math:`k` by
    the teachers that were fitted without it.

    Parameters
    ----------
    teacher : estimator
        Cloned for each fit. A frozen one labels all rows once.
    X : array-like or frame of shape (n_samples, n_features)
        Rows.
    y : ndarray of shape (n_samples,)
        Class labels.
    classes : ndarray of shape (n_classes,)
        Classes in the order of the columns. One that no row outside a fold has gets
        the probability of half a row there.
    splits : list of (ndarray, ndarray)
        Rows outside and rows inside each fold; at least three folds, and each row
        inside exactly one.
    sample_weight, augmenter, X_unlabeled, seed
        As in `label_rows`. The new rows of a fold are made of rows outside it.
    whole : bool, default=True
        Whether all rows are labelled too.
    n_jobs : int, default=None
        How many teachers are fitted at once; ``None`` means 1.
    fit_params, progress
        As in `label_rows`.

    Returns
    -------
    folds : list of Labelling
        Of the rows outside each fold, in the order of `splits`. Their `teacher` is
        the one given, not the fitted one: together these might not fit into memory.
    inside : list of ndarray of shape (n_test, n_classes)
        Log-odds of the rows inside each fold, by the teacher fitted outside it.
    whole : Labelling or None
        Of all rows, by `splits`.
    """
    if is_frozen(teacher):
        sampling = augmenter, X_unlabeled, seed
        return _label_by_frozen(teacher, X, y, classes, splits, sampling, whole)
    given = teacher, X, y, classes, sample_weight, fit_params or {}
    has_pool = augmenter is not None or X_unlabeled is not None
    progress = Progress() if progress is None else progress
    name = f"fitting {type(teacher).__name__} and labelling"
    n_fits = len(splits) + whole + len(splits) * (len(splits) - 1) // 2
    with progress.stage(name, n_fits, "fit") as advance:
        parallel = partial(_told, advance, n_jobs)

        def outside(train, test, parts):
            chosen = augmenter
            if is_auto(augmenter):
                chosen = _choose(train, parts, y, classes, sample_weight)
            sampling = chosen, X_unlabeled, seed
            return delayed(_outside)(*given, sampling, train, test, has_pool)

        parts = _label_pairs(parallel, *given, splits, has_pool)
        fits = parallel(
            [
                outside(train, test, of)
                for (train, test), of in zip(splits, parts, strict=True)
            ]
        )
        inside = [labels for _, labels in fits]
        if whole:
            outer = _kept(teacher, [test for _, test in splits], inside)
            everything = np.arange(len(y))
            [(of_all, _)] = parallel([outside(everything, everything[:0], outer)])
    folds = [
        _with_parts(replace(fit, teacher=teacher), train, of, n_jobs)
        for (fit, _), (train, _), of in zip(fits, splits, parts, strict=True)
    ]
    of_rows = [labels.of_rows for labels in inside]
    if not whole:
        return folds, of_rows, None
    return folds, of_rows, _with_parts(of_all, everything, outer, n_jobs)


def _told(advance, n_jobs, jobs):
    """Return the results of jobs, and tell of each."""
    results = []
    for result in Parallel(n_jobs=n_jobs, return_as="generator")(jobs):
        results.append(result)
        advance()
    return results


def _label_pairs(parallel, teacher, X, y, classes, sample_weight, params, splits, keep):
    """For each fold the rows of each other one and their labels, without both."""
    pairs = list(combinations(range(len(splits)), 2))
    fit = partial(fit_part, teacher, X, y, sample_weight, params)
    keep = keep and min(len(train) for train, _ in splits) <= MOST_ROWS
    jobs = []
    for pair in pairs:
        (train_j, test_j), (train_k, test_k) = (splits[i] for i in pair)
        train = np.intersect1d(train_j, train_k, assume_unique=True)
        test = np.concatenate([test_j, test_k])
        jobs.append(delayed(label_fold)(fit, X, y, classes, train, test, keep))
    tests: list[list] = [[] for _ in splits]
    parts: list[list] = [[] for _ in splits]
    for (j, k), labels in zip(pairs, parallel(jobs), strict=True):
        of_j, of_k = np.split(labels.of_rows, [len(splits[j][1])])
        for fold, other, of_other in ((k, j, of_j), (j, k, of_k)):
            tests[fold].append(splits[other][1])
            parts[fold].append(replace(labels, of_rows=of_other))
    return [_kept(teacher, *fold) for fold in zip(tests, parts, strict=True)]


def _kept(teacher, tests, parts):
    """Return pairs of rows and their labels, without those of diverged teachers."""
    kept = zip(tests, without_diverged(teacher, parts), strict=True)
    return [(test, part) for test, part in kept if part is not None]


def _choose(train, parts, y, classes, sample_weight):
    """Return the augmenter that suits the rows `train`."""
    logits, held_out = _held_out(train, parts, len(classes))
    weights = None if sample_weight is None else sample_weight[train]
    return choose_augmenter(logits, held_out, y[train], classes, weights)


def _outside(
    teacher, X, y, classes, sample_weight, fit_params, sampling, train, test, keep
):
    """Label the rows outside a fold and new ones, and those inside it."""
    weights = None if sample_weight is None else sample_weight[train]
    known = np.isin(classes, y[train])
    augmenter, X_unlabeled, seed = sampling
    fitted = label_rows(
        teacher,
        take_rows(X, train),
        y[train],
        classes[known],
        None,
        weights,
        augmenter,
        X_unlabeled,
        seed,
        fit_params=take_params(fit_params, train, len(y)),
    )
    floor = floor_log_odds(len(train))

    def widen(logits):
        wide = np.full((len(logits), len(classes)), floor, dtype=logits.dtype)
        wide[:, known] = logits
        return wide

    own = widen(fitted.own_logits)
    labelling = replace(fitted, logits=own, own_logits=own)
    if fitted.pool is not None:
        labelling = replace(labelling, pool_logits=widen(fitted.pool_logits))
    if not len(test):
        return labelling, None
    keep = keep and len(y) <= MOST_ROWS
    rows = take_rows(X, test)
    return labelling, read_fold(fitted.teacher, classes, rows, len(train), keep)


def _held_out(train, parts, n_classes):
    """Return log-odds of the rows `train` by the teachers of parts, and where."""
    position = np.full(1 + max(train.max(), *(test.max() for test, _ in parts)), -1)
    position[train] = np.arange(len(train))
    logits = np.zeros((len(train), n_classes))
    held_out = np.zeros(len(train), dtype=bool)
    for test, part in parts:
        rows = position[test]
        logits[rows[rows >= 0]] = part.of_rows[rows >= 0]
        held_out[rows[rows >= 0]] = True
    return logits, held_out


def _with_parts(labelling, train, parts, n_jobs):
    """Return the labelling of the rows `train` with what the teachers of parts say."""
    logits, held_out = _held_out(train, parts, labelling.own_logits.shape[1])
    logits[~held_out] = labelling.own_logits[~held_out]
    labelling = replace(labelling, logits=logits, held_out=held_out)
    return with_other_teachers(labelling, [part for _, part in parts], n_jobs)


def _label_by_frozen(teacher, X, y, classes, splits, sampling, whole):
    """Ask a frozen teacher for each row once, or with the new rows of each fold."""

    def label(rows):
        table = take_rows(X, rows)
        return label_rows(teacher, table, y[rows], classes, None, None, *sampling)

    if sampling[0] is not None:
        folds = [label(train) for train, _ in splits]
        inside = [
            classifier_log_odds(fold.teacher, take_rows(X, test), classes)
            for fold, (_, test) in zip(folds, splits, strict=True)
        ]
        return folds, inside, label(np.arange(len(y))) if whole else None
    everything = label(np.arange(len(y)))
    own = everything.own_logits
    folds = [
        replace(
            everything,
            logits=own[train],
            own_logits=own[train],
            held_out=np.full(len(train), True),
        )
        for train, _ in splits
    ]
    return folds, [own[test] for _, test in splits], everything
