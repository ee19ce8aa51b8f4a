"""How good predictions are, in rows that can be drawn again by weights."""

import numpy as np

from ..targets import PROBABILITY_FLOOR


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


def aucs(labels, proba, weights):
    """Area under the ROC curve for each row of weights.

    With several classes the mean of each against the rest. Classes of which there is no
    row, or nothing else, are left out; NaN if there is no other.

    Parameters
    ----------
    labels : ndarray of int of shape (n_samples,)
        Columns of the true classes.
    proba : ndarray of shape (n_samples, n_classes)
        Predicted probabilities.
    weights : ndarray of shape (n_draws, n_samples)
        Non-negative weights.

    Returns
    -------
    ndarray of shape (n_draws,)
    """
    n_classes = proba.shape[1]
    classes = [1] if n_classes == 2 else range(n_classes)
    areas = np.stack([_areas(labels == k, proba[:, k], weights) for k in classes])
    known = ~np.isnan(areas)
    with np.errstate(invalid="ignore"):
        return np.where(known, areas, 0).sum(axis=0) / known.sum(axis=0)


def _areas(positive, scores, weights):
    order = np.argsort(scores)
    first = np.flatnonzero(np.diff(scores[order], prepend=np.nan))
    mass = weights[:, order]
    hits = np.add.reduceat(mass * positive[order], first, axis=1)
    mass = np.add.reduceat(mass, first, axis=1)
    # Rank of the middle of each group of equal scores.
    ranks = (mass.cumsum(axis=1) - mass / 2) / mass.sum(axis=1, keepdims=True)
    misses = mass - hits
    with np.errstate(invalid="ignore"):
        of_positive, of_negative = (
            (part * ranks).sum(axis=1) / part.sum(axis=1) for part in (hits, misses)
        )
    return 0.5 + of_positive - of_negative


def _auc(labels, proba, weights):
    return float(aucs(labels, proba, weights[None])[0])


def _mean_of(losses):
    return lambda labels, proba, weights: float(
        np.average(losses(labels, proba), weights=weights)
    )


METRICS = {
    "log_loss": ("log-loss (nats)", False, _mean_of(log_losses)),
    "accuracy": ("accuracy", True, _mean_of(hits)),
    "auc": ("AUC", True, _auc),
    "brier": ("Brier score", False, _mean_of(brier_losses)),
}
"""Name, whether more is better, and function of labels, probabilities and weights."""
