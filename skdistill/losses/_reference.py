"""The objective in numpy: the kernel's test oracle, and its stand-in without one."""

import numpy as np

SUM_TOLERANCE = 1e-3
"""Largest deviation of a target row's sum from 1 that is taken for rounding."""


def loss_gradient(
    logits,
    targets,
    labels,
    weights,
    temperature,
    alpha,
    from_log_odds,
    gradient_scale,
    losses,
    gradient,
    n_threads=1,
):
    """Fill `losses` and `gradient`; return (sum of losses, first invalid row or -1).

    Everything is computed in float64, whatever the dtype of the arguments, and on
    one thread whatever `n_threads`.
    """
    invalid = _invalid_rows(logits, targets, labels, weights, from_log_odds)
    if invalid.any():
        return 0.0, int(np.argmax(invalid))
    n_rows = len(logits)
    weight = np.ones(n_rows) if weights is None else weights.astype(np.float64)
    soft = (weight * alpha * temperature)[:, None]

    log_p = log_softmax(logits, temperature)
    q = softmax(targets, temperature) if from_log_odds else targets.astype(np.float64)
    # 0 log 0 = 0, as in the limit.
    with np.errstate(divide="ignore", invalid="ignore"):
        log_q = log_softmax(targets, temperature) if from_log_odds else np.log(q)
        divergence = np.where(q > 0, q * (log_q - log_p), 0.0).sum(axis=1)
    row_losses = soft[:, 0] * temperature * divergence
    slope = soft * (np.exp(log_p) - q)

    if labels is not None and alpha < 1:
        rows = np.flatnonzero(labels >= 0)
        codes = labels[rows]
        hard = weight[rows] * (1 - alpha)
        log_p = log_softmax(logits[rows], 1.0)
        row_losses[rows] -= hard * log_p[np.arange(len(rows)), codes]
        slope[rows] += hard[:, None] * np.exp(log_p)
        slope[rows, codes] -= hard

    if losses is not None:
        losses[...] = row_losses
    gradient[...] = slope * gradient_scale
    return float(row_losses.sum()), -1


def log_softmax(logits, temperature=1.0):
    """Logarithm of softmax(logits / temperature) by rows, in float64, always finite."""
    logits = np.asarray(logits, dtype=np.float64)
    # Differences of finite numbers can overflow; the lowest value stays finite so
    # that a probability of zero times its logarithm is zero.
    with np.errstate(over="ignore"):
        shifted = (logits - logits.max(axis=1, keepdims=True)) / temperature
    shifted = np.maximum(shifted, -np.finfo(np.float64).max)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def softmax(logits, temperature=1.0):
    """Distribution softmax(logits / temperature) by rows, in float64."""
    return np.exp(log_softmax(logits, temperature))


def _invalid_rows(logits, targets, labels, weights, from_log_odds):
    invalid = ~(np.isfinite(logits).all(axis=1) & np.isfinite(targets).all(axis=1))
    if not from_log_odds:
        invalid |= (targets < 0).any(axis=1)
        sums = targets.sum(axis=1, dtype=np.float64)
        invalid |= ~(np.abs(sums - 1) <= SUM_TOLERANCE)
    if labels is not None:
        invalid |= (labels < -1) | (labels >= logits.shape[1])
    if weights is not None:
        invalid |= ~((weights >= 0) & np.isfinite(weights))
    return invalid
