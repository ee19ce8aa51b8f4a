"""Soft targets as arrays."""

import numpy as np


def target_arrays(targets, sample_weight):
    """Log-odds, labels and weights with mean 1, in the dtypes of the kernel."""
    n_samples = len(targets)
    labels = np.full(n_samples, -1) if targets.labels is None else targets.labels
    # Centred in float64, so that a large common offset costs no digits in float32.
    logits = targets.logits - targets.logits.max(axis=1, keepdims=True)
    return (
        logits.astype(np.float32),
        labels.astype(np.int64),
        mean_one(sample_weight, n_samples),
    )


def mean_one(sample_weight, n_samples):
    """Weights with mean 1, float32; ones for None."""
    weights = np.ones(n_samples) if sample_weight is None else sample_weight
    return (weights / weights.mean()).astype(np.float32)
