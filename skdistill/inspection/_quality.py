"""How good predictions are, in rows that can be drawn again by weights."""

import numpy as np

from ..targets import PROBABILITY_FLOOR
from ._ranks import middle_ranks


def log_losses(labels, proba):
    """Negative logarithm of the probability of the true class, row by row, in nats."""
    true = proba[np.arange(len(labels)), labels]
    return -np.log(np.maximum(true, PROBABILITY_FLOOR))


def brier_losses(labels, proba):
    """Half the squared distance to the true distribution, row by row.

    With two classes that is the squared error of the probability of either.
    """
    truth = np.eye(proba.shape[1])[labels]
    return 0.5 * ((proba - truth) ** 2).sum(axis=1)


def hits(labels, proba):
    """1 where the most probable class is the true one, else 0."""
    return (proba.argmax(axis=1) == labels).astype(np.float64)


def auc(labels, proba, weights):
    """Area under the ROC curve; of several classes the mean of one against the rest.

    Classes of which there is no row, or nothing else, are left out; NaN if there is
    no other.
    """
    n_classes = proba.shape[1]
    classes = [1] if n_classes == 2 else range(n_classes)
    areas = [_area(labels == k, proba[:, k], weights) for k in classes]
    known = [area for area in areas if not np.isnan(area)]
    return float(np.mean(known)) if known else np.nan


def _area(positive, scores, weights):
    if positive.all() or not positive.any():
        return np.nan
    ranks = middle_ranks(scores, weights)
    of_positive, of_negative = (
        np.average(ranks[rows], weights=weights[rows]) for rows in (positive, ~positive)
    )
    return 0.5 + of_positive - of_negative


def _mean_of(losses):
    return lambda labels, proba, weights: float(
        np.average(losses(labels, proba), weights=weights)
    )


METRICS = {
    "log_loss": ("log-loss (nats)", False, _mean_of(log_losses)),
    "accuracy": ("accuracy", True, _mean_of(hits)),
    "auc": ("AUC", True, auc),
    "brier": ("Brier score", False, _mean_of(brier_losses)),
}
"""Name, whether more is better, and function of labels, probabilities and weights."""
