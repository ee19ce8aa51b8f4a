"""Whether probabilities are what happens."""

import numpy as np
from scipy.sparse import csr_array

from .._parameters import check_integer
from ..targets import check_classes, encode_labels
from ._pairs import check_distributions, check_length, row_weights
from ._ranks import equal_parts

N_BINS = 15
CURVE_BINS = 10


def expected_calibration_error(y, proba, *, classes, n_bins=N_BINS, sample_weight=None):
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
    gaps = binned_gaps(labels[used], proba, weights, n_bins)
    return float(calibration_errors(gaps, weights[None])[0])


def binned_gaps(labels, proba, weights, n_bins=N_BINS):
    """Predicted less true probability of each row, in a column for its bin.

    Returns
    -------
    list of scipy.sparse.csr_array of shape (n_samples, n_bins)
        One for each class.
    """
    rows = np.arange(len(labels))
    gaps = []
    for k, column in enumerate(proba.T):
        bins = equal_parts(column, weights, n_bins)
        entries = (column - (labels == k), (rows, bins))
        gaps.append(csr_array(entries, shape=(len(rows), n_bins)))
    return gaps


def calibration_errors(gaps, weights):
    """Calibration error for each row of weights, of shape (n_draws, n_samples)."""
    errors = [np.abs(weights @ gap).sum(axis=1) for gap in gaps]
    return np.mean(errors, axis=0) / weights.sum(axis=1)


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


def paired_curves(outcome, scores, weights):
    """Mean prediction and mean outcome of several models, one after the other."""
    return [
        curve
        for column in scores
        for curve in reliability_curve(outcome, column, weights, CURVE_BINS)[:2]
    ]


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
