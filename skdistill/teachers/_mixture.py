"""How much each of several teachers counts."""

import numpy as np
from scipy.optimize import minimize

from ..losses._reference import log_softmax

AVERAGES = ("log_odds", "proba")


def average_log_odds(parts, weights, average):
    """Return the normalised log-odds of the mean of several teachers.

    Parameters
    ----------
    parts : iterable of ndarray of shape (n_samples, n_classes)
        Logarithms of the probabilities of each teacher, taken one by one.
    weights : ndarray of shape (n_teachers,)
        Non-negative numbers that sum to 1.
    average : {"log_odds", "proba"}
        What is averaged.

    Returns
    -------
    ndarray of shape (n_samples, n_classes), float64
    """
    total = None
    for part, weight in zip(parts, weights, strict=True):
        if weight == 0:
            continue
        if average == "log_odds":
            part = weight * part
            total = part if total is None else total + part
        else:
            part = part + np.log(weight)
            total = part if total is None else np.logaddexp(total, part)
    return log_softmax(total)


def learned_weights(parts, labels, average, sample_weight=None):
    r"""Weights on the simplex that minimise the log-loss of the mean of teachers.

    With :math:`t_m` the log-odds and :math:`p_m` the probabilities of teacher
    :math:`m`, the loss of row :math:`i` is

    .. math::
        -\log \operatorname{softmax}\Big(\sum_m w_m t_{im}\Big)_{y_i}
        \quad\text{or}\quad -\log \sum_m w_m p_{im y_i},

    both convex in :math:`w`. The best single teacher and equal weights are compared
    with what the solver finds, so that the weights are never worse than these.

    Parameters
    ----------
    parts : ndarray of shape (n_teachers, n_samples, n_classes)
        Held-out logarithms of the probabilities of each teacher.
    labels : ndarray of int of shape (n_samples,)
        Columns of the true classes.
    average : {"log_odds", "proba"}
        What is averaged.
    sample_weight : ndarray of shape (n_samples,), default=None
        Non-negative weights of the rows.

    Returns
    -------
    ndarray of shape (n_teachers,), float64
    """
    n_teachers, n_samples, _ = parts.shape
    rows = np.arange(n_samples)
    row_weights = np.ones(n_samples) if sample_weight is None else sample_weight
    row_weights = row_weights / row_weights.sum()
    of_label = parts[:, rows, labels]
    highest = of_label.max(axis=0)
    likelihoods = np.exp(of_label - highest)

    def log_odds_loss(weights):
        log_p = log_softmax(np.tensordot(weights, parts, 1))
        expected = np.einsum("mnk,nk->mn", parts, np.exp(log_p))
        return (
            -row_weights @ log_p[rows, labels],
            (expected - of_label) @ row_weights,
        )

    def proba_loss(weights):
        mixed = np.maximum(weights @ likelihoods, np.finfo(float).tiny)
        loss = -row_weights @ (np.log(mixed) + highest)
        return loss, -(likelihoods / mixed) @ row_weights

    loss = log_odds_loss if average == "log_odds" else proba_loss
    uniform = np.full(n_teachers, 1 / n_teachers)
    result = minimize(
        loss,
        uniform,
        jac=True,
        method="SLSQP",
        bounds=[(0, 1)] * n_teachers,
        constraints={"type": "eq", "fun": lambda weights: weights.sum() - 1},
        options={"ftol": 1e-12, "maxiter": 500},
    )
    found = np.maximum(result.x, 0)
    candidates = [uniform, *np.eye(n_teachers)]
    if np.isfinite(found).all() and found.any():
        candidates.append(found / found.sum())
    return min(candidates, key=lambda weights: loss(weights)[0])
