"""How much of the teacher a student has kept."""

import numpy as np
from sklearn.metrics import log_loss

from .._parameters import check_number
from ._pairs import row_weights

NO_SKILL = 1e-9
"""Share of a loss that is rounding: a teacher that is better than a constant by no more
than that has no skill."""


def agreement(teacher_labels, student_labels, *, sample_weight=None):
    r"""Share of rows on which student and teacher choose the same class.

    .. math::
        \frac{\sum_i w_i [\hat y^S_i = \hat y^T_i]}{\sum_i w_i}

    Parameters
    ----------
    teacher_labels, student_labels : array-like of shape (n_samples,)
        Predicted classes.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    ValueError
        If the shapes differ, there are no rows, or a weight is negative.

    Examples
    --------
    >>> from skdistill.inspection import agreement
    >>> agreement(["a", "b", "b", "a"], ["a", "b", "a", "a"])
    0.75
    """
    teacher_labels, student_labels = (
        np.asarray(teacher_labels),
        np.asarray(student_labels),
    )
    if teacher_labels.shape != student_labels.shape or teacher_labels.ndim != 1:
        raise ValueError(
            f"Got labels of shapes {teacher_labels.shape} and {student_labels.shape}, "
            "but expected (n_samples,) twice."
        )
    weights = row_weights(teacher_labels, sample_weight)
    return float(np.average(teacher_labels == student_labels, weights=weights))


def skill_retention(
    y, teacher_proba, student_proba, *, classes, prior=None, sample_weight=None
):
    r"""Share of the teacher's skill that a student keeps.

    Skill is what a model's held-out log-loss (:math:`L`, in nats) is below that of
    always predicting the class frequencies,

    .. math::
        \frac{L_\mathrm{prior} - L_\mathrm{student}}
             {L_\mathrm{prior} - L_\mathrm{teacher}}.

    1 is as good as the teacher, 0 no better than the class frequencies.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        True labels of rows that no model was fitted on.
    teacher_proba, student_proba : array-like of shape (n_samples, n_classes)
        Predicted probabilities.
    classes : array-like of shape (n_classes,)
        Class labels of the columns.
    prior : array-like of shape (n_classes,), default=None
        Class frequencies in the training rows. ``None``: those in `y`.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights.

    Returns
    -------
    float
        At most infinity; negative if the student is worse than the frequencies.

    Raises
    ------
    ValueError
        If a shape is wrong or the teacher has no skill, so that there is nothing to
        keep.

    Examples
    --------
    >>> from skdistill.inspection import skill_retention
    >>> teacher = [[0.9, 0.1], [0.2, 0.8]]
    >>> student = [[0.8, 0.2], [0.3, 0.7]]
    >>> round(skill_retention([0, 1], teacher, student, classes=[0, 1]), 2)
    0.76
    """
    classes = np.asarray(classes)
    y = np.asarray(y)
    if prior is None:
        weights = np.ones(len(y)) if sample_weight is None else sample_weight
        prior = [np.average(y == label, weights=weights) for label in classes]
    proba = [np.tile(prior, (len(y), 1)), teacher_proba, student_proba]
    prior_loss, teacher_loss, student_loss = (
        _log_loss(y, p, classes, sample_weight) for p in proba
    )
    skill = prior_loss - teacher_loss
    check_number("the teacher's skill", skill, NO_SKILL * prior_loss, above=True)
    return (prior_loss - student_loss) / skill


def _log_loss(y, proba, classes, sample_weight):
    # log_loss takes the columns in sorted order.
    order = np.argsort(classes)
    proba = np.asarray(proba, dtype=np.float64)[:, order]
    return float(log_loss(y, proba, labels=classes[order], sample_weight=sample_weight))
