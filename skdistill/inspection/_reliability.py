"""Whether probabilities are what happens."""

import numpy as np

from .._parameters import check_integer
from ..targets import check_classes, encode_labels
from ._pairs import check_distributions, check_length, row_weights
from ._ranks import equal_parts


def expected_calibration_error(y, proba, *, classes, n_bins=15, sample_weight=None):
    r"""Mean distance between predicted probabilities and what happens.

    For each class rows are put into bins :math:`B` of equal weight by its probability.
    With the mean probability :math:`\bar p_{Bk}` and the share :math:`\bar y_{Bk}` of
    rows of the class in a bin that holds the share :math:`w_B` of the weight,

    .. math::
        \frac{1}{K} \sum_k \sum_B w_B \, |\bar p_{Bk} - \bar y_{Bk}| .

    With two classes that is the error of the probability of either. Chance alone makes
    it larger than zero, of the order of :math:`\sqrt{n_\mathrm{bins} / n}`: compare it
    between models on the same rows.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        True labels.
    proba : array-like of shape (n_samples, n_classes)
        Predicted probabilities.
    classes : array-like of shape (n_classes,)
        Class labels of the columns.
    n_bins : int, default=15
        Number of bins; equal probabilities share one.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ValueError
        If a shape is wrong, a row is no distribution, a label is missing or not in
        `classes`, or `n_bins` is no positive integer.

    References
    ----------
    J. Nixon et al. "Measuring Calibration in Deep Learning", 2019. arXiv:1904.01685
    (bins of equal weight, all classes).

    Examples
    --------
    >>> from skdistill.inspection import expected_calibration_error
    >>> proba = [[0.75, 0.25]] * 4
    >>> expected_calibration_error([0, 0, 0, 1], proba, classes=[0, 1])
    0.0
    """
    check_integer("n_bins", n_bins, 1)
    labels = known_labels(y, proba, classes)
    used = row_weights(labels, sample_weight) > 0
    proba, _, weights = check_distributions(proba, proba, sample_weight)
    gaps = []
    for k, column in enumerate(proba.T):
        bins = equal_parts(column, weights, n_bins)
        gap = np.bincount(bins, weights * (column - (labels[used] == k)))
        gaps.append(np.abs(gap).sum() / weights.sum())
    return float(np.mean(gaps))


def reliability_curve(outcome, scores, weights, n_bins):
    """Mean score and mean outcome in bins of equal weight, and the bins' weights.

    Parameters
    ----------
    outcome, scores, weights : ndarray of shape (n_samples,)
        What happened, what was predicted, and positive weights.
    n_bins : int
        Number of bins; empty ones are left out.

    Returns
    -------
    predicted, actual, share : ndarray of shape (n_used_bins,)
    """
    bins = equal_parts(scores, weights, n_bins)
    mass = np.bincount(bins, weights)
    used = mass > 0
    predicted, actual = (
        np.bincount(bins, weights * values)[used] / mass[used]
        for values in (scores, outcome)
    )
    return predicted, actual, mass[used] / mass.sum()


def known_labels(y, proba, classes):
    """Positions of the labels in `classes`, which are those of the columns."""
    shape = np.shape(proba)
    if len(shape) != 2:
        raise ValueError(
            f"Got probabilities of shape {shape}, but expected (n_samples, n_classes)."
        )
    labels = encode_labels(check_length(y, shape[0]), check_classes(classes, shape[1]))
    if (labels < 0).any():
        raise ValueError("Got y with missing labels, but expected a label per row.")
    return labels
