"""How far a teacher can be trusted on the rows that it was fitted on."""

import numpy as np
from scipy.special import entr

from ..losses._reference import log_softmax


def blended_log_odds(labelling, labels, sample_weight, temperature):
    """Calibrated log-odds of the rows: held-out ones and the teacher's own.

    Parameters
    ----------
    labelling : Labelling
        What the teacher says about the rows.
    labels : ndarray of int of shape (n_samples,)
        Columns of the true classes.
    sample_weight : ndarray of shape (n_samples,)
        Weights of the held-out rows, 0 elsewhere.
    temperature : float
        Divides all log-odds.

    Returns
    -------
    ndarray of shape (n_samples, n_classes), float64
        A weighted mean, see `own_share`.
    """
    held_out = labelling.logits / temperature
    if not sample_weight.any():
        return held_out
    own = labelling.own_logits / temperature
    share = own_share(own, held_out, labels, sample_weight)
    return share * own + (1 - share) * held_out


def blended_pool_log_odds(labelling, labels, sample_weight, temperature):
    """Calibrated log-odds of new rows: those of all teachers and the teacher's own.

    Parameters
    ----------
    labelling, labels, sample_weight, temperature
        As in `blended_log_odds`.

    Returns
    -------
    ndarray of shape (n_pool, n_classes), float32
        A weighted mean with the same weights, see `own_share`: a teacher that can be
        trusted on its own rows owes little to chance, and has seen more rows than
        those of the folds.
    """
    # A numpy array, also where the cache has mapped it from a file.
    together = np.asarray(labelling.pool_logits) / temperature
    if labelling.pool_own_logits is None or not sample_weight.any():
        return together
    own, held_out = labelling.own_logits, labelling.logits
    share = own_share(own / temperature, held_out / temperature, labels, sample_weight)
    alone = np.asarray(labelling.pool_own_logits) / temperature
    return share * alone + (1 - share) * together


NOISY, CLEAN = 0.55, 0.7
"""Shares of the log-loss of the class frequencies that a teacher takes away."""

LARGEST_ALPHA, SMALLEST_ALPHA = 0.95, 0.2


def suited_alpha(explained):
    r"""Share of the teacher in the objective for labels that it explains so far.

    Where a teacher explains much, labels are nearly certain, and teach details that it
    has not learnt. Where it explains little they are mostly noise. In between alpha
    falls straight from .95 to .2.

    Parameters
    ----------
    explained : float
        Share of the log-loss of the class frequencies that the calibrated teacher
        takes away on held-out rows.

    Returns
    -------
    float
    """
    return float(np.interp(explained, [NOISY, CLEAN], [LARGEST_ALPHA, SMALLEST_ALPHA]))


def own_share(own_logits, held_out_logits, labels, sample_weight=None):
    r"""Weight of a teacher's own log-odds beside the held-out ones.

    On the rows that it was fitted on a teacher knows more than elsewhere: in part the
    truth, having seen more rows than a fold's teacher, in part the labels by heart.
    How much of the skill that it shows there it also shows on held-out rows, squared,

    .. math::
        \left(\frac{L_\text{prior} - L_\text{held out}}
                   {L_\text{prior} - L_\text{own}}\right)^2,

    is the share of its own log-odds; :math:`L` is the log-loss, of always predicting
    the class frequencies for :math:`L_\text{prior}`.

    Parameters
    ----------
    own_logits : ndarray of shape (n_samples, n_classes)
        Calibrated log-odds of the teacher that was fitted on the rows.
    held_out_logits : ndarray of shape (n_samples, n_classes)
        Calibrated log-odds of teachers that were not.
    labels : ndarray of int of shape (n_samples,)
        Columns of the true classes.
    sample_weight : ndarray of shape (n_samples,), default=None
        Non-negative weights.

    Returns
    -------
    float
        In [0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.teachers import own_share
    >>> held_out = np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    >>> labels = np.array([1, 0, 1, 0])
    >>> round(own_share(1.1 * held_out, held_out, labels), 2)
    0.88
    >>> round(own_share(20 * held_out, held_out, labels), 2)
    0.3
    """
    skill = explained_share(held_out_logits, labels, sample_weight)
    own_skill = explained_share(own_logits, labels, sample_weight)
    if skill >= own_skill:
        return 1.0
    return float((skill / own_skill) ** 2) if skill > 0 else 0.0


def explained_share(logits, labels, sample_weight=None):
    r"""Share of the log-loss of the class frequencies that log-odds take away.

    .. math::
        1 - \frac{L(t)}{L_\text{prior}},

    what :math:`R^2` is for numbers.

    Parameters
    ----------
    logits : ndarray of shape (n_samples, n_classes)
        Log-odds :math:`t`.
    labels : ndarray of int of shape (n_samples,)
        Columns of the true classes.
    sample_weight : ndarray of shape (n_samples,), default=None
        Non-negative weights.

    Returns
    -------
    float
        At most 1, which it also is where all rows are of one class.
    """
    log_p = log_softmax(logits)[np.arange(len(labels)), labels]
    frequencies = np.bincount(labels, sample_weight) / np.sum(
        np.ones(len(labels)) if sample_weight is None else sample_weight
    )
    prior = entr(frequencies).sum()
    if prior <= 0:
        return 1.0
    return float(1 + np.average(log_p, weights=sample_weight) / prior)
