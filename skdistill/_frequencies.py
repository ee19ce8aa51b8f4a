"""Classifiers whose probabilities are frequencies of a few votes, with exact zeros."""

import numpy as np

from ._kinds import known, unwrap


def smoothed_proba(classifier, X, proba):
    r"""Probabilities of a classifier, smoothed where they are frequencies of votes.

    That no tree of a forest and none of the nearest neighbours speaks for a class
    says that it is rare, not that it is impossible. With :math:`n` votes and
    :math:`K` classes a probability :math:`p` becomes

    .. math::
        \frac{n p + 1 / K}{n + 1},

    as if one more vote had been spread over the classes (Perks' prior). The votes are
    the trees of a random forest, of extremely randomised trees and of bagged trees, the
    training rows in the leaf of a single tree (whatever they weigh), and the neighbours
    of `KNeighborsClassifier` and `RadiusNeighborsClassifier`, also at the end of a
    pipeline, in a search or in a `FrozenEstimator`. All other probabilities stay as
    they are.

    Parameters
    ----------
    classifier : fitted classifier
        Where the probabilities come from.
    X : array-like or frame of shape (n_samples, n_features)
        Rows that they are of.
    proba : ndarray of shape (n_samples, n_classes), float64
        What it predicts.

    Returns
    -------
    ndarray of shape (n_samples, n_classes), float64

    Notes
    -----
    Measured by ``benchmarks/smoothing.py --students`` on 5,000 rows each of Adult,
    Covertype, Diabetes 130, Letter and MAGIC, as log-loss on as many others after
    calibration: a floor of 1e-7 is worse by 6 % on the mean of five forests and three
    neighbourhoods (fully grown trees: 100 of them by 3 %, 20 by 17 %; neighbourhoods
    by 7 to 9 %), and better by at most .2 %, for trees with large leaves, which have
    hardly any zeros. Half a vote or two are as good as one, within .3 %. Class
    frequencies in place of 1 / K are worse by up to .5 % for seven of the eight, and
    better by 1 % for 5 neighbours.

    Single trees, on the three tables of the package: a floor is worse by 18 % for fully
    grown ones, 10 % with leaves of 5 rows and 8 % at depth 6; two votes are better than
    one by .3 to 1 %.

    Trees of 64 leaves that learn from such teachers gain less: .4 % of the log-loss on
    the mean of 40 cases, from 6 % gained to 4 % lost.

    References
    ----------
    W. Perks. "Some observations on inverse probability including a new indifference
    rule", Journal of the Institute of Actuaries 73, 1947.
    """
    n_votes = count_votes(classifier, X)
    if n_votes is None:
        return proba
    if np.ndim(n_votes):
        n_votes = np.asarray(n_votes)[:, None]
    return (n_votes * proba + 1 / proba.shape[-1]) / (n_votes + 1)


def count_votes(classifier, X):
    """Return how many votes the probabilities of rows are the mean of.

    Parameters
    ----------
    classifier : fitted classifier
        Of any kind, wrapped or not.
    X : array-like or frame of shape (n_samples, n_features)
        Rows.

    Returns
    -------
    int, ndarray of shape (n_samples,), or None
        ``None`` where they are no such mean.
    """
    count = known("VOTES", unwrap(classifier)[0])
    return None if count is None else count(*unwrap(classifier, X))
