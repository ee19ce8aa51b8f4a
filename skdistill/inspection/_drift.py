"""Whether the rows of a report are like those that the model was fitted on."""

import numpy as np

from .._columns import MISSING, iterate_columns, learn_columns
from ._ranks import equal_parts

N_BINS = 10


def population_stability(X_train, X, weights):
    r"""Population stability index of each column, less what chance alone makes of it.

    With the shares :math:`e_b` of training rows and :math:`a_b` of rows of `X` in bin
    b, :math:`\sum_b (a_b - e_b) \log (a_b / e_b)`: bins are tenths of the training
    rows, or levels, and missing values. Half a row is added to each bin. For equal
    distributions it is about :math:`(B - 1) (1 / n_e + 1 / n_a)`, which is subtracted.

    Parameters
    ----------
    X_train, X : ndarray, sparse matrix or frame of the same columns
        Training rows, and those of the report.
    weights : ndarray of shape (n_samples,)
        Of the rows of `X`.

    Returns
    -------
    dict of str to float
        By column name; below 0.1 is called stable, above 0.25 a large shift.

    References
    ----------
    N. Siddiqi. "Credit Risk Scorecards", 2006.

    B. Yurdakul, J. Naranjo. "Statistical properties of the population stability
    index", Journal of Risk Model Validation, 2020.
    """
    columns = _common_columns(X_train, X)
    n_rows = weights.sum() ** 2 / (weights**2).sum()
    pairs = zip(
        iterate_columns(X_train, columns), iterate_columns(X, columns), strict=True
    )
    found = {}
    for (column, before), (_, after) in pairs:
        if column.is_numeric:
            before, after = _numeric_bins(before, after)
        else:
            before, after = (_level_bins(codes, column) for codes in (before, after))
        expected = np.bincount(before, minlength=after.max() + 1)
        actual = np.bincount(after, weights, len(expected)) / weights.sum() * n_rows
        found[column.name] = _stability(expected, actual)
    return found


def _common_columns(X_train, X):
    columns = learn_columns(X_train)
    names, own = ([c.name for c in cs] for cs in (columns, learn_columns(X)))
    if names != own or not X_train.shape[0]:
        raise ValueError(
            f"Got X_train with {X_train.shape[0]} rows of {names}, but expected at "
            f"least one row of the columns of X, {own}."
        )
    return columns


def _stability(expected, actual):
    used = (expected > 0) | (actual > 0)
    counts = [part[used] + 0.5 for part in (expected, actual)]
    e, a = (part / part.sum() for part in counts)
    by_chance = (used.sum() - 1) * (1 / expected.sum() + 1 / actual.sum())
    return float(((a - e) * np.log(a / e)).sum() - by_chance)


def _numeric_bins(before, after):
    """Number the values by tenths of those before; the last bin is of missing ones."""
    known = np.sort(before[~np.isnan(before)])
    if not len(known):
        return np.isnan(before).astype(int), np.isnan(after).astype(int)
    parts = equal_parts(known, np.ones(len(known)), N_BINS)
    edges = known[np.flatnonzero(np.diff(parts, prepend=parts[0])) - 1]
    # A part ends with its largest value, so that columns of few values keep them apart.
    return tuple(
        np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values))
        for values in (before, after)
    )


def _level_bins(codes, column):
    """Number levels, missing and unseen ones: all from 0."""
    n_levels = len(column.levels)
    return np.where(
        codes == MISSING, n_levels, np.where(codes < 0, n_levels + 1, codes)
    )


def share_of_known_rows(X_train, X, weights):
    """Share of the weight of rows of `X` that are, cell by cell, training rows.

    Returns
    -------
    float
    """
    columns = _common_columns(X_train, X)
    known, rows = (_fingerprints(table, columns) for table in (X_train, X))
    return float(np.average(np.isin(rows, known), weights=weights))


def _fingerprints(X, columns):
    """A number for each row, which equal rows share and others hardly ever do."""
    total = np.zeros(X.shape[0], dtype=np.uint64)
    rng = np.random.default_rng(0)
    for _, values in iterate_columns(X, columns):
        # Equal numbers have equal bits but for the two zeros and NaN.
        values = np.where(np.isnan(values), np.inf, values + 0.0)
        bits = values.astype(np.float64).view(np.uint64)
        odd = rng.integers(2**63, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
        bits = (bits ^ (bits >> np.uint64(29))) * odd
        total += bits ^ (bits >> np.uint64(32))
    return total
