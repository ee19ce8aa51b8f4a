"""Classifiers whose probabilities are frequencies of a few votes, with exact zeros."""

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline


def smoothed_proba(classifier, proba):
    r"""Probabilities of a classifier, smoothed where they are frequencies of votes.

    That no tree of a forest and none of the nearest neighbours speaks for a class
    says that it is rare, not that it is impossible. With :math:`n` votes and
    :math:`K` classes a probability :math:`p` becomes

    .. math::
        \frac{n p + 1 / K}{n + 1},

    as if one more vote had been spread over the classes (Perks' prior). The votes are
    the trees of a random forest, of extremely randomised trees and of bagged trees,
    and the neighbours of `KNeighborsClassifier`, also at the end of a pipeline, in a
    search or in a `FrozenEstimator`. All other probabilities stay as they are.

    Parameters
    ----------
    classifier : fitted classifier
        Where the probabilities come from.
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

    Trees of 64 leaves that learn from such teachers gain less: .4 % of the log-loss on
    the mean of 40 cases, from 6 % gained to 4 % lost.

    References
    ----------
    W. Perks. "Some observations on inverse probability including a new indifference
    rule", Journal of the Institute of Actuaries 73, 1947.
    """
    n_votes = _count_votes(classifier)
    if n_votes is None:
        return proba
    return (n_votes * proba + 1 / proba.shape[-1]) / (n_votes + 1)


def _count_votes(classifier):
    """Return how many votes a probability is the mean of, None where it is not."""
    model = _unwrap(classifier)
    for cls in type(model).__mro__:
        # By name, so that nothing need be imported that the teacher is not of.
        if cls.__module__.startswith("sklearn.") and cls.__name__ in COUNTS:
            return COUNTS[cls.__name__](model)
    return None


def _unwrap(model):
    while True:
        if isinstance(model, FrozenEstimator):
            model = model.estimator
        elif isinstance(model, Pipeline):
            model = model.steps[-1][1]
        elif hasattr(model, "best_estimator_"):
            model = model.best_estimator_
        else:
            return model


def _count_trees(model):
    members = np.ravel(model.estimators_)
    return len(members) if all(hasattr(m, "tree_") for m in members) else None


COUNTS = {
    "BaggingClassifier": _count_trees,
    "ExtraTreesClassifier": _count_trees,
    "KNeighborsClassifier": lambda model: model.n_neighbors,
    "RandomForestClassifier": _count_trees,
}
"""What counts the votes, for classes of scikit-learn and those derived from them."""
