"""How much of a regressor a student has kept."""

import numpy as np

from .._parameters import check_number
from ._fidelity import NO_SKILL
from ._pairs import check_numbers, check_scores


def prediction_r2(teacher_scores, student_scores, *, sample_weight=None):
    r"""Share of the variance of the teacher's predictions that the student reproduces.

    .. math::
        1 - \frac{\sum_i w_i (t_i - s_i)^2}{\sum_i w_i (t_i - \bar t)^2}

    Parameters
    ----------
    teacher_scores, student_scores : array-like of shape (n_samples,)
        Predictions.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights.

    Returns
    -------
    float
        1 if the predictions are equal, 0 if they are as far off as the mean.

    Raises
    ------
    ValueError
        If a shape is wrong, there are no rows, or the teacher predicts the same for
        every row.

    Examples
    --------
    >>> from skdistill.inspection import prediction_r2
    >>> prediction_r2([1.0, 2.0, 3.0], [1.0, 2.0, 2.0])
    0.5
    """
    teacher, student, weights, _ = check_scores(
        teacher_scores, student_scores, sample_weight
    )
    if np.ptp(teacher) == 0:
        raise ValueError(
            "Got a teacher that predicts the same for every row, but expected "
            "predictions that vary."
        )
    spread = weights @ (teacher - np.average(teacher, weights=weights)) ** 2
    return float(1 - weights @ (teacher - student) ** 2 / spread)


def mean_absolute_difference(teacher_scores, student_scores, *, sample_weight=None):
    r"""Mean absolute difference of student and teacher.

    .. math::
        \frac{\sum_i w_i |t_i - s_i|}{\sum_i w_i}

    Parameters
    ----------
    teacher_scores, student_scores : array-like of shape (n_samples,)
        Predictions, or probabilities of one class.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights.

    Returns
    -------
    float
        In the units of the predictions.

    Raises
    ------
    ValueError
        If a shape is wrong or there are no rows.

    Examples
    --------
    >>> from skdistill.inspection import mean_absolute_difference
    >>> mean_absolute_difference([1.0, 2.0], [1.0, 3.0])
    0.5
    """
    teacher, student, weights, _ = check_scores(
        teacher_scores, student_scores, sample_weight
    )
    return float(np.average(np.abs(teacher - student), weights=weights))


def mean_relative_difference(teacher_scores, student_scores, *, sample_weight=None):
    r"""Sum of the absolute differences as a share of the teacher's predictions.

    .. math::
        \frac{\sum_i w_i |t_i - s_i|}{\sum_i w_i |t_i|}

    Unlike the mean of the ratios it is not ruled by rows for which the teacher
    predicts next to nothing.

    Parameters
    ----------
    teacher_scores, student_scores : array-like of shape (n_samples,)
        Predictions.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights.

    Returns
    -------
    float
        Non-negative; 0.1 is a difference of ten percent.

    Raises
    ------
    ValueError
        If a shape is wrong, there are no rows, or the teacher predicts 0 for every
        row.

    Examples
    --------
    >>> from skdistill.inspection import mean_relative_difference
    >>> mean_relative_difference([1.0, 3.0], [1.0, 4.0])
    0.25
    """
    teacher, student, weights, _ = check_scores(
        teacher_scores, student_scores, sample_weight
    )
    size = float(weights @ np.abs(teacher))
    check_number("the sum of the teacher's absolute predictions", size, 0, above=True)
    return float(weights @ np.abs(teacher - student)) / size


def error_retention(y, teacher_scores, student_scores, *, sample_weight=None):
    r"""Share of a regression teacher's skill that a student keeps.

    Skill is what a model's held-out mean squared error (:math:`E`) is below that of
    always predicting the mean of `y`,

    .. math::
        \frac{E_\mathrm{mean} - E_\mathrm{student}}
             {E_\mathrm{mean} - E_\mathrm{teacher}},

    the ratio of their :math:`R^2`. The counterpart of `skill_retention`.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        True values of rows that no model was fitted on.
    teacher_scores, student_scores : array-like of shape (n_samples,)
        Predictions.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights.

    Returns
    -------
    float
        1 is as good as the teacher, 0 no better than the mean; negative if worse.

    Raises
    ------
    ValueError
        If a shape is wrong, there are no rows, or the teacher has no skill, so that
        there is nothing to keep.

    Examples
    --------
    >>> from skdistill.inspection import error_retention
    >>> error_retention([0.0, 2.0], [0.0, 2.0], [0.5, 1.5])
    0.75
    """
    teacher, student, weights, y = check_scores(
        teacher_scores, student_scores, sample_weight, y
    )
    y = check_numbers(y, len(teacher))
    mean, of_teacher, of_student = (
        float(np.average((y - prediction) ** 2, weights=weights))
        for prediction in (np.average(y, weights=weights), teacher, student)
    )
    skill = mean - of_teacher
    check_number("the teacher's skill", skill, NO_SKILL * mean, above=True)
    return (mean - of_student) / skill
