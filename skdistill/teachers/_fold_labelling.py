"""Labels for the students of a cross-validation, from teachers that saw no test row."""

from dataclasses import replace
from functools import partial
from itertools import combinations

import numpy as np
from sklearn.utils.parallel import Parallel, delayed

from .._columns import take_rows
from .._fitting import is_frozen, take_params
from .._log_odds import classifier_log_odds, floor_log_odds
from .._progress import Progress
from ._labelling import fit_part, label_fold, label_rows, without_diverged


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
    one more for the folds and all rows.

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
    pool = augmenter, X_unlabeled, seed
    if is_frozen(teacher):
        return _label_by_frozen(teacher, X, y, classes, splits, pool, whole)
    everything = np.arange(len(y)), np.arange(0)
    outside = [*splits, everything] if whole else splits
    given = teacher, X, y, classes, sample_weight, fit_params or {}
    progress = Progress() if progress is None else progress
    name = f"fitting {type(teacher).__name__} and labelling"
    n_fits = len(outside) + len(splits) * (len(splits) - 1) // 2
    with progress.stage(name, n_fits, "fit") as advance:
        parallel = partial(_told, advance, n_jobs)
        fits = parallel([delayed(_outside)(*given, pool, *split) for split in outside])
        parts = _label_pairs(parallel, *given, splits)
    folds = [
        _with_held_out(replace(fit, teacher=teacher), train, fold_parts)
        for (fit, _), (train, _), fold_parts in zip(fits, splits, parts, strict=False)
    ]
    inside = [logits for _, logits in fits[: len(splits)]]
    if not whole:
        return folds, inside, None
    tests = [test for _, test in splits]
    outer = _kept(teacher, list(zip(tests, inside, strict=True)))
    return folds, inside, _with_held_out(fits[-1][0], everything[0], outer)


def _told(advance, n_jobs, jobs):
    """Return the results of jobs, and tell of each."""
    results = []
    for result in Parallel(n_jobs=n_jobs, return_as="generator")(jobs):
        results.append(result)
        advance()
    return results


def _kept(teacher, parts):
    """Return rows and log-odds, None for those of a diverged teacher."""
    kept = without_diverged(teacher, [part for _, part in parts])
    return [(test, part) for (test, _), part in zip(parts, kept, strict=True)]


def _outside(teacher, X, y, classes, sample_weight, fit_params, pool, train, test):
    """Label the rows outside a fold and new ones, and return log-odds inside it."""
    weights = None if sample_weight is None else sample_weight[train]
    known = np.isin(classes, y[train])
    rows = take_rows(X, train)
    augmenter, X_unlabeled, seed = pool
    fitted = label_rows(
        teacher,
        rows,
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
    inside = classifier_log_odds(
        fitted.teacher, take_rows(X, test), classes, unseen_log_odds=floor
    )
    return labelling, inside


def _label_pairs(parallel, teacher, X, y, classes, sample_weight, fit_params, splits):
    """For each fold the rows of each other one and their log-odds, without both."""
    pairs = list(combinations(range(len(splits)), 2))

    def rows(j, k):
        (train_j, test_j), (train_k, test_k) = splits[j], splits[k]
        return np.intersect1d(train_j, train_k), np.concatenate([test_j, test_k])

    fit = partial(fit_part, teacher, X, y, sample_weight, fit_params)
    logits = parallel(
        [delayed(label_fold)(fit, X, y, classes, *rows(j, k)) for j, k in pairs]
    )
    parts: list[list] = [[] for _ in splits]
    for (j, k), part in zip(pairs, logits, strict=True):
        test_j, test_k = splits[j][1], splits[k][1]
        parts[k].append((test_j, part[: len(test_j)]))
        parts[j].append((test_k, part[len(test_j) :]))
    return [_kept(teacher, fold) for fold in parts]


def _with_held_out(labelling, train, parts):
    """Return the labelling of the rows `train` with held-out log-odds of its parts."""
    position = np.full(1 + max(train.max(), *(test.max() for test, _ in parts)), -1)
    position[train] = np.arange(len(train))
    logits = labelling.own_logits.copy()
    held_out = np.zeros(len(train), dtype=bool)
    for test, part in parts:
        if part is None:
            continue
        rows = position[test]
        logits[rows[rows >= 0]] = part[rows >= 0]
        held_out[rows[rows >= 0]] = True
    return replace(labelling, logits=logits, held_out=held_out)


def _label_by_frozen(teacher, X, y, classes, splits, pool, whole):
    """Ask a frozen teacher for each row once, or with the new rows of each fold."""

    def label(rows):
        table = take_rows(X, rows)
        return label_rows(teacher, table, y[rows], classes, None, None, *pool)

    if pool[0] is not None:
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
