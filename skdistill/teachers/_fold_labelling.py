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
from ._bagging import MOST_ROWS, labels_pool
from ._labelling import (
    FoldLabels,
    fit_part,
    label_fold,
    label_rows,
    read_fold,
    with_pool_logits,
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
    pool = augmenter, X_unlabeled, seed
    if is_frozen(teacher):
        return _label_by_frozen(teacher, X, y, classes, splits, pool, whole)
    given = teacher, X, y, classes, sample_weight, fit_params or {}
    progress = Progress() if progress is None else progress
    name = f"fitting {type(teacher).__name__} and labelling"
    n_fits = len(splits) + whole + len(splits) * (len(splits) - 1) // 2
    with progress.stage(name, n_fits, "fit") as advance:
        parallel = partial(_told, advance, n_jobs)
        outside = partial(delayed(_outside), *given, pool)
        fits, everything = _label_outside(parallel, outside, splits, len(y), whole)
        pools = [fit.pool for fit, _ in fits]
        parts = _label_pairs(parallel, *given, splits, pools)
    folds = [
        _with_held_out(replace(fit, teacher=teacher), train, fold_parts)
        for (fit, _), (train, _), fold_parts in zip(fits, splits, parts, strict=True)
    ]
    inside = [labels.of_rows for _, labels in fits]
    if not whole:
        return folds, inside, None
    outer = _kept(
        teacher,
        [(test, labels) for (_, test), (_, labels) in zip(splits, fits, strict=True)],
    )
    return folds, inside, _with_held_out(everything, np.arange(len(y)), outer)


def _label_outside(parallel, outside, splits, n_samples, whole):
    """Label the rows outside each fold and, if wanted, all rows."""
    everything = np.arange(n_samples), np.arange(0)
    if not whole:
        return parallel([outside(*split) for split in splits]), None
    if n_samples > MOST_ROWS:
        *fits, (labelling, _) = parallel(
            [outside(*split) for split in [*splits, everything]]
        )
        return fits, labelling
    # The teachers of the folds label new rows that are made of all.
    [(labelling, _)] = parallel([outside(*everything)])
    sizes = [len(train) for train, _ in splits]
    joins = labels_pool(sizes, n_samples, labelling.pool)
    jobs = [
        outside(*split, labelling.pool if joined else None)
        for split, joined in zip(splits, joins, strict=True)
    ]
    return parallel(jobs), labelling


def _told(advance, n_jobs, jobs):
    """Return the results of jobs, and tell of each."""
    results = []
    for result in Parallel(n_jobs=n_jobs, return_as="generator")(jobs):
        results.append(result)
        advance()
    return results


def _kept(teacher, parts):
    """Return rows and their labels, None for those of a diverged teacher."""
    kept = without_diverged(teacher, [part for _, part in parts])
    return [(test, part) for (test, _), part in zip(parts, kept, strict=True)]


def _outside(
    teacher, X, y, classes, sample_weight, fit_params, sampling, train, test, pool=None
):
    """Label the rows outside a fold and new ones, and those inside it and in `pool`."""
    weights = None if sample_weight is None else sample_weight[train]
    known = np.isin(classes, y[train])
    rows = take_rows(X, train)
    augmenter, X_unlabeled, seed = sampling
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
    return labelling, read_fold(
        fitted.teacher, classes, take_rows(X, test), floor, [pool]
    )


def _label_pairs(
    parallel, teacher, X, y, classes, sample_weight, fit_params, splits, pools
):
    """For each fold the rows of each other one and their labels, without both."""
    pairs = list(combinations(range(len(splits)), 2))
    train = {
        (j, k): np.intersect1d(splits[j][0], splits[k][0], assume_unique=True)
        for j, k in pairs
    }
    asked = _pools_of_pairs(train, splits, pools)
    fit = partial(fit_part, teacher, X, y, sample_weight, fit_params)
    jobs = [
        delayed(label_fold)(
            fit,
            X,
            y,
            classes,
            train[pair],
            np.concatenate([splits[k][1] for k in pair]),
            [asked[pair, k] for k in pair],
        )
        for pair in pairs
    ]
    parts: list[list] = [[] for _ in splits]
    for (j, k), labels in zip(pairs, parallel(jobs), strict=True):
        of_j, of_k = np.split(labels.of_rows, [len(splits[j][1])])
        for_j, for_k = labels.of_pools
        parts[k].append((splits[j][1], FoldLabels(of_j, [for_k])))
        parts[j].append((splits[k][1], FoldLabels(of_k, [for_j])))
    return [_kept(teacher, fold) for fold in parts]


def _pools_of_pairs(train, splits, pools):
    """New rows of a fold that the teacher of a pair labels, None if it does not."""
    asked = {}
    for k, ((rows, _), pool) in enumerate(zip(splits, pools, strict=True)):
        pairs = [pair for pair in train if k in pair]
        sizes = [len(train[pair]) for pair in pairs]
        for pair, joins in zip(pairs, labels_pool(sizes, len(rows), pool), strict=True):
            asked[pair, k] = pool if joins else None
    return asked


def _with_held_out(labelling, train, parts):
    """Return the labelling of the rows `train` with what the teachers of parts say."""
    position = np.full(1 + max(train.max(), *(test.max() for test, _ in parts)), -1)
    position[train] = np.arange(len(train))
    logits = labelling.own_logits.copy()
    held_out = np.zeros(len(train), dtype=bool)
    of_pool: list = []
    for test, part in parts:
        if part is None:
            continue
        rows = position[test]
        logits[rows[rows >= 0]] = part.of_rows[rows >= 0]
        held_out[rows[rows >= 0]] = True
        of_pool += [new for new in part.of_pools if new is not None]
    labelling = replace(labelling, logits=logits, held_out=held_out)
    if labelling.pool is None:
        return labelling
    return with_pool_logits(labelling, labelling.pool_logits, of_pool)


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
