"""What the errors of a teacher on held-out rows say."""

import warnings

import numpy as np

from ..losses._regression import (
    NORMAL_QUARTILE,
    HuberLoss,
    QuantileLoss,
    standard_deviation,
    weighted_quantile,
)

LARGEST_GAP = 0.15
"""A teacher under whose predictions the share of rows is farther from the quantile
than that has predicted something else."""


def blended_predictions(found, y, sample_weight, loss):
    r"""Blend held-out predictions of the rows with the teacher's own.

    On the rows that it was fitted on a teacher knows more than elsewhere: in part the
    truth, having seen more rows than a fold's teacher, in part y by heart. How much of
    the loss that it saves there it also saves on held-out rows, squared,

    .. math::
        \left(\frac{L_\text{constant} - L_\text{held out}}
                   {L_\text{constant} - L_\text{own}}\right)^2,

    is the share of its own predictions; L is the mean loss beside y, of always
    predicting the same for :math:`L_\text{constant}`. It is the rule of `own_share`,
    output by output.

    Parameters
    ----------
    found : Predictions
        What the teacher says about the rows.
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        True values.
    sample_weight : ndarray of shape (n_samples,)
        Weights of the held-out rows, 0 elsewhere.
    loss : loss of `skdistill.losses`
        What is minimised.

    Returns
    -------
    ndarray of the shape of y, float64
    """
    if not sample_weight.any():
        return found.held_out
    values = y.reshape(len(y), -1)

    def mean_loss(outputs):
        losses, _ = loss.label_term(values, outputs)
        return np.average(losses, axis=0, weights=sample_weight)

    def saved(predictions):
        outputs = loss.output_of(predictions.reshape(values.shape))
        return constant - mean_loss(outputs)

    constant = mean_loss(loss.best_constant(values, sample_weight))
    skill, own_skill = saved(found.held_out), saved(found.own)
    remembers = own_skill > np.maximum(skill, 0)
    ratio = np.maximum(skill, 0) / np.where(remembers, own_skill, 1.0)
    share = np.where(remembers, ratio**2, skill > 0)
    share = share if y.ndim == 2 else share[0]
    return share * found.own + (1 - share) * found.held_out


def huber_loss(epsilon, predictions, y, weights):
    """Huber loss that is linear from `epsilon` usual errors of the teacher on.

    Parameters
    ----------
    epsilon : float
        In units of the normalised median absolute error.
    predictions, y : ndarray of shape (n_samples, n_outputs)
        On held-out rows, and the true values.
    weights : ndarray of shape (n_samples,)
        Non-negative weights.

    Returns
    -------
    HuberLoss
    """
    errors = weighted_quantile(np.abs(y - predictions), 0.5, weights)
    return HuberLoss(epsilon * _or_spread(errors / NORMAL_QUARTILE, y, weights))


def quantile_loss(quantile, predictions, y, weights):
    """Quantile loss, with a warning if the teacher predicts something else.

    Parameters
    ----------
    quantile : float
        In (0, 1).
    predictions, y : ndarray of shape (n_samples, n_outputs)
        On held-out rows, and the true values.
    weights : ndarray of shape (n_samples,)
        Non-negative weights.

    Returns
    -------
    QuantileLoss
    """
    below = np.average(y <= predictions, axis=0, weights=weights)
    if (np.abs(below - quantile) > LARGEST_GAP).any():
        warnings.warn(
            f"Got a teacher with {np.round(100 * below).tolist()} % of y at most as "
            f"large as its predictions, but expected about {100 * quantile:g} % with "
            f"quantile={quantile}: the teacher should predict that quantile.",
            UserWarning,
            stacklevel=4,
        )
    return QuantileLoss(quantile)


def _or_spread(errors, y, weights):
    """Positive `errors`, the standard deviation of y in place of zeros."""
    return np.where(errors > 0, errors, standard_deviation(y, weights))
