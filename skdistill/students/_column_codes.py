"""The code of one column, fitted to what a teacher says of its values."""

from dataclasses import replace

import numpy as np
from scipy.special import ndtri
from sklearn.tree import DecisionTreeRegressor

from ..runtime import CategoryColumn, NumberColumn

SMALLEST_NUMBER = 1e-290
"""Numbers nearer to 0 are 0: dividing by the difference of two would overflow."""

LARGEST_NORMAL_SCORE = 3.5
"""Normal scores are clipped here, so that the rarest rows do not dominate."""

MAX_INTERVALS = 4096
"""Intervals of all numeric columns together: 32 in each of 128 columns."""

SMOOTHING = 10.0
"""Rows that say what all rows say, added to those of each level."""

SMALLEST_LEVEL = 5.0
"""Rows that a level needs for a mean of its own: those of fewer are mostly noise, and
a network that learns to trust them is misled by new rows."""

LARGEST_MEAN = 4.0
"""Standardised means of levels are clipped here."""

NONE = np.empty(0)


def fit_number(name, values, signal, weights, sample, n_bins):
    """Fit the code of a numeric column.

    Parameters
    ----------
    name : str
        Name of the column.
    values : ndarray of shape (n_samples,)
        Numbers, NaN where they are missing.
    signal : ndarray of shape (n_samples, n_signals)
        What the thresholds should separate.
    weights : ndarray of shape (n_samples,)
        Positive weights.
    sample : tuple of ndarray
        Some rows and their weights, for what needs no more than those.
    n_bins : int
        Most intervals.

    Returns
    -------
    column : NumberColumn
        With the gain of each threshold between intervals:
    gains : ndarray of shape (max(n_intervals - 1, 0),)
        By how much it lowers the squared error on the signal.
    """
    values = np.where(np.abs(values) < SMALLEST_NUMBER, 0.0, values)
    present = ~np.isnan(values)
    known = values[present]
    if not len(known):
        return NumberColumn(name, np.nan, np.nan, 0.0, NONE, NONE, NONE, False), NONE
    low, high = float(known.min()), float(known.max())
    marks_missing = len(known) < len(values)
    distinct, mass, target = _group(values, present, signal, *sample)
    if len(distinct) < 3:
        if ((known == low) | (known == high)).all():
            edges = NONE if low == high else np.array([low, high])
            fill = _median(distinct, mass) if len(distinct) else low
            code = (fill, NONE, NONE, edges, marks_missing)
            return NumberColumn(name, low, high, *code), NONE
        everything = np.arange(len(values)), weights
        distinct, mass, target = _group(values, present, signal, *everything)
    knots, scores = _normal_scores(distinct, mass, n_bins)
    thresholds, gains = _thresholds(distinct, mass, target, n_bins)
    edges = np.concatenate([[low], thresholds, [high]])
    code = (_median(distinct, mass), knots, scores, edges, marks_missing)
    return NumberColumn(name, low, high, *code), gains


def fit_category(name, levels, codes, signal, weights, max_levels):
    """Fit the code of a categorical column.

    Parameters
    ----------
    name : str
        Name of the column.
    levels : tuple of str
        Its levels.
    codes : ndarray of shape (n_samples,)
        Position of the level, -1 where it is missing.
    signal : ndarray of shape (n_samples, n_signals) or None
        What is averaged over the rows of each level if there are more than
        `max_levels`; ``None``: nothing is.
    weights : ndarray of shape (n_samples,)
        Positive weights.
    max_levels : int
        Most levels with a column of their own.

    Returns
    -------
    CategoryColumn
    """
    # Behind the levels, unseen (-2, none here) and missing (-1) values.
    codes = np.where(codes < 0, len(levels) + 1, codes)
    mass = np.bincount(codes, weights, len(levels) + 2)
    slots, n_slots = _slots(mass, max_levels)
    means = np.empty((len(mass), 0), dtype=np.float32)
    if signal is not None and len(levels) > max_levels:
        means = _level_means(codes, mass, signal, weights)
    return CategoryColumn(name, levels, slots, n_slots, means)


def keep_best_intervals(columns, gains):
    """Keep those intervals of all numeric columns that gain most.

    Parameters
    ----------
    columns : list of NumberColumn and CategoryColumn
        All columns of a table.
    gains : list of ndarray
        Gains of the thresholds of each column, none of a categorical one.

    Returns
    -------
    list of NumberColumn and CategoryColumn
        Numeric columns with more than two values keep their score at least, others
        are as they were.
    """
    scored = [column.is_numeric and len(column.knots) > 0 for column in columns]
    intervals = [c.n_intervals for c, has in zip(columns, scored, strict=True) if has]
    if sum(intervals) <= MAX_INTERVALS:
        return columns
    sizes = [len(gain) for gain in gains]
    every, owner = np.concatenate(gains), np.repeat(np.arange(len(columns)), sizes)
    order = np.argsort(-every, kind="stable")
    # A threshold makes one interval more, the first of a column makes two of none.
    cost = np.ones(len(order))
    cost[np.unique(owner[order], return_index=True)[1]] = 2
    kept = np.zeros(len(every), dtype=bool)
    kept[order[np.cumsum(cost) <= MAX_INTERVALS]] = True
    parts = np.split(kept, np.cumsum(sizes)[:-1])
    return [
        _with_thresholds(column, part) if has else column
        for column, part, has in zip(columns, parts, scored, strict=True)
    ]


def _with_thresholds(column, kept):
    kept = np.concatenate([[True], kept, [True]])
    return replace(column, edges=column.edges[kept] if kept.sum() > 2 else NONE)


def _group(values, present, signal, rows, weights):
    """Distinct values of some rows, the weight of each, and the mean signal."""
    known = present[rows]
    rows, weights = rows[known], weights[known]
    distinct, group = np.unique(values[rows], return_inverse=True)
    mass = np.bincount(group, weights)
    sums = [np.bincount(group, weights * s) for s in signal[rows].T]
    return distinct, mass, np.stack(sums, axis=1) / mass[:, None]


def _median(distinct, mass):
    below = np.cumsum(mass)
    return float(distinct[np.searchsorted(below, below[-1] / 2)])


def _normal_scores(distinct, mass, n_bins):
    """Normal quantiles of the ranks at about 2 n_bins knots."""
    rank = (np.cumsum(mass) - mass / 2) / mass.sum()
    wanted = np.linspace(rank[0], rank[-1], 2 * n_bins + 1)
    chosen = np.unique(np.searchsorted(rank, wanted).clip(max=len(rank) - 1))
    limit = LARGEST_NORMAL_SCORE
    return distinct[chosen], ndtri(rank[chosen]).clip(-limit, limit)


def _thresholds(distinct, mass, target, n_bins):
    """Thresholds of a tree on this column alone, and the gain of each."""
    if n_bins < 2:
        return NONE, NONE
    total = mass.sum()
    smallest_leaf = np.clip(total / 200, 5, 50)
    fitted = DecisionTreeRegressor(
        max_leaf_nodes=n_bins,
        min_weight_fraction_leaf=min(smallest_leaf / total, 0.5),
        random_state=0,
    )
    # On the position of a value: trees compare in float32, values may need more.
    # Unchecked: in a table of thousands of columns checks take longer than trees.
    position = np.arange(len(distinct), dtype=np.float32)[:, None]
    fitted.fit(position, target, sample_weight=mass, check_input=False)
    tree = fitted.tree_
    (nodes,) = np.nonzero(tree.children_left >= 0)
    error = tree.impurity * tree.weighted_n_node_samples
    children = error[tree.children_left[nodes]] + error[tree.children_right[nodes]]
    below = np.floor(tree.threshold[nodes]).astype(np.intp)
    middle = distinct[below] / 2 + distinct[below + 1] / 2
    thresholds, first = np.unique(middle, return_index=True)
    # Between neighbouring floats there is no middle.
    inside = (thresholds > distinct[0]) & (thresholds < distinct[-1])
    return thresholds[inside], (error[nodes] - children)[first][inside]


def _slots(mass, max_levels):
    """Slots of the frequent levels, and one for the rare ones if there are any."""
    smallest = np.clip(mass.sum() / 500, 5, 20)
    order = np.argsort(-mass, kind="stable")[:max_levels]
    frequent = np.sort(order[mass[order] >= smallest])
    slots = np.full(len(mass), -1)
    slots[frequent] = np.arange(len(frequent))
    width = len(frequent)
    if ((slots < 0) & (mass > 0)).any():
        slots[slots < 0] = width
        width += 1
    return (slots, width) if width > 1 else (np.full(len(mass), -1), 0)


def _level_means(codes, mass, signal, weights):
    """Smoothed and standardised means of the signal over the rows of each level."""
    centred = signal - np.average(signal, axis=0, weights=weights)
    sums = [np.bincount(codes, weights * s, len(mass)) for s in centred.T]
    means = np.stack(sums, axis=1) / (mass + SMOOTHING)[:, None]
    means[mass < SMALLEST_LEVEL] = 0
    scale = np.sqrt(np.average(means**2, axis=0, weights=mass))
    told = scale > 1e-6 * np.sqrt(np.average(centred**2, axis=0, weights=weights))
    standardised = means[:, told] / scale[told]
    return standardised.clip(-LARGEST_MEAN, LARGEST_MEAN).astype(np.float32)
