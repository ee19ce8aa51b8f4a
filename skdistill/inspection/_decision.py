"""What changes when the student decides instead of the teacher."""

import numpy as np

from .._parameters import check_number
from ._pairs import check_numbers, check_scores
from ._ranks import middle_ranks


def decision_threshold(y, scores, *, sample_weight=None):
    r"""Score from which on calling rows positive has the best F1.

    .. math::
        F_1(\theta) = \frac{2 \, \mathrm{TP}(\theta)}
            {2 \, \mathrm{TP}(\theta) + \mathrm{FP}(\theta) + \mathrm{FN}(\theta)}

    where a row is called positive if its score is at least :math:`\theta`. Of equally
    good scores it is the highest.

    Parameters
    ----------
    y : array-like of shape (n_samples,), bool or 0 and 1
        Whether a row is positive.
    scores : array-like of shape (n_samples,)
        Probabilities of being positive, or any other score.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights.

    Returns
    -------
    float
        One of `scores`.

    Raises
    ------
    ValueError
        If a shape is wrong, there are no rows or no positive ones, or `y` is not
        binary.

    Examples
    --------
    >>> from skdistill.inspection import decision_threshold
    >>> decision_threshold([0, 0, 1, 1], [0.1, 0.4, 0.3, 0.8])
    0.3
    """
    scores, _, weights, y = check_scores(scores, scores, sample_weight, y)
    y = check_numbers(y, len(scores))
    if not np.isin(y, (0, 1)).all() or not y.any():
        raise ValueError(
            f"Got y with the values {np.unique(y)[:5].tolist()}, but expected 0 and "
            "1, and at least one row that is 1."
        )
    thresholds, position = np.unique(scores, return_inverse=True)
    called, hits = (
        np.bincount(position, mass)[::-1].cumsum()[::-1]
        for mass in (weights, weights * y)
    )
    # 2 TP + FP + FN is how much is called positive plus how much is positive.
    f1 = 2 * hits / (called + (weights * y).sum())
    best = len(f1) - 1 - f1[::-1].argmax()
    return float(thresholds[best])


def flip_rate(teacher_scores, student_scores, *, threshold, sample_weight=None):
    r"""Share of rows that student and teacher decide differently at a threshold.

    .. math::
        \frac{\sum_i w_i \left[[t_i \ge \theta] \ne [s_i \ge \theta]\right]}
             {\sum_i w_i}

    Parameters
    ----------
    teacher_scores, student_scores : array-like of shape (n_samples,)
        Predicted probabilities of one class, or any other scores on one scale.
    threshold : float
        Scores of at least :math:`\theta` are decided one way, others the other way;
        see `decision_threshold`.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    ValueError
        If a shape is wrong, there are no rows, or the threshold is no number.

    Examples
    --------
    >>> from skdistill.inspection import flip_rate
    >>> flip_rate([0.1, 0.4, 0.8, 0.9], [0.2, 0.6, 0.7, 0.9], threshold=0.5)
    0.25
    """
    if not np.isfinite(threshold):
        raise ValueError(f"Got threshold={threshold!r}, but expected a finite number.")
    teacher, student, weights, _ = check_scores(
        teacher_scores, student_scores, sample_weight
    )
    flips = (teacher >= threshold) != (student >= threshold)
    return float(np.average(flips, weights=weights))


def gini_ratio(y, teacher_scores, student_scores, *, sample_weight=None):
    r"""Share of the teacher's ability to put rows in order that the student keeps.

    The Gini coefficient of scores, the area between the concentration curve of
    :math:`y` and the diagonal, is proportional to the covariance of :math:`y` with the
    rank :math:`F` of the score, so that the ratio is

    .. math::
        \frac{\operatorname{cov}(y, F_\mathrm{student})}
             {\operatorname{cov}(y, F_\mathrm{teacher})},

    for a binary :math:`y` the ratio of
    :math:`2 \, \mathrm{AUC} - 1`. Equal scores share their mean rank.

    Parameters
    ----------
    y : array-like of shape (n_samples,), bool or numbers
        What the scores are about: an amount, or whether a row is positive.
    teacher_scores, student_scores : array-like of shape (n_samples,)
        Predictions; only their order matters.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights.

    Returns
    -------
    float
        1 if the student orders as well as the teacher, 0 if no better than chance.

    Raises
    ------
    ValueError
        If a shape is wrong, there are no rows, `y` holds no numbers, or the teacher's
        order is no better than chance, so that there is nothing to keep.

    References
    ----------
    E. Frees, G. Meyers, A. D. Cummings. "Summarizing Insurance Scores Using a Gini
    Index". Journal of the American Statistical Association 106, 2011.

    Examples
    --------
    >>> from skdistill.inspection import gini_ratio
    >>> teacher = [0.1, 0.2, 0.8, 0.9]
    >>> student = [0.1, 0.4, 0.3, 0.9]
    >>> gini_ratio([0, 0, 1, 1], teacher, student)
    0.5
    """
    teacher, student, weights, y = check_scores(
        teacher_scores, student_scores, sample_weight, y
    )
    y = check_numbers(y, len(teacher))
    teacher_gini, student_gini = (
        _covariance(y, middle_ranks(scores, weights), weights)
        for scores in (teacher, student)
    )
    check_number("the teacher's Gini coefficient", teacher_gini, 0, above=True)
    return student_gini / teacher_gini


def _covariance(y, ranks, weights):
    centred = y - np.average(y, weights=weights)
    return float(np.average(centred * (ranks - 0.5), weights=weights))
