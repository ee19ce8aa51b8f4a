"""Who is right where student and teacher disagree."""

from dataclasses import dataclass

import numpy as np

from .._parameters import check_integer
from ._pairs import check_numbers, check_scores
from ._ranks import equal_parts


@dataclass(frozen=True)
class LiftBin:
    """Rows with about the same ratio of the student's prediction to the teacher's.

    Parameters
    ----------
    low, high : float
        Smallest and largest ratio; infinite where the teacher says 0.
    n_rows : int
        Number of rows with a positive weight.
    share : float
        Their share of the weight.
    actual : float
        Weighted mean of what happened.
    teacher, student : float
        Weighted means of the predictions.

    Examples
    --------
    >>> from skdistill.inspection import double_lift
    >>> double_lift([0, 1], [0.2, 0.5], [0.1, 0.75], n_bins=2)[1].high
    1.5
    """

    low: float
    high: float
    n_rows: int
    share: float
    actual: float
    teacher: float
    student: float


def double_lift(y, teacher_scores, student_scores, *, n_bins=10, sample_weight=None):
    """Order rows by student over teacher, and compare both with what happened.

    In the bins at both ends the models disagree most. The one whose means are closer
    to the actual ones there is right.

    Parameters
    ----------
    y : array-like of shape (n_samples,), bool or numbers
        What happened.
    teacher_scores, student_scores : array-like of shape (n_samples,)
        Non-negative predictions of `y`: probabilities or amounts. Where both are 0
        their ratio is 1.
    n_bins : int, default=10
        Number of bins of equal weight; equal ratios share one, empty ones are left
        out.
    sample_weight : array-like of shape (n_samples,), default=None
        Non-negative weights.

    Returns
    -------
    list of LiftBin
        By increasing ratio.

    Raises
    ------
    ValueError
        If a shape is wrong, there are no rows, a prediction is negative, `y` holds no
        numbers, or `n_bins` is no positive integer.

    References
    ----------
    M. Goldburd, A. Khare, D. Tevet, D. Guller. "Generalized Linear Models for
    Insurance Rating", section 7.2. Casualty Actuarial Society, 2020.

    Examples
    --------
    >>> from skdistill.inspection import double_lift
    >>> bins = double_lift([0, 1, 0, 1], [0.5] * 4, [0.2, 0.8, 0.2, 0.8], n_bins=2)
    >>> [(row.actual, row.teacher, row.student) for row in bins]
    [(0.0, 0.5, 0.2), (1.0, 0.5, 0.8)]
    """
    check_integer("n_bins", n_bins, 1)
    teacher, student, weights, y = check_scores(
        teacher_scores, student_scores, sample_weight, y
    )
    y = check_numbers(y, len(teacher))
    if min(teacher.min(), student.min()) < 0:
        raise ValueError(
            f"Got the prediction {min(teacher.min(), student.min())}, but expected "
            "non-negative ones, which have a ratio."
        )
    same = teacher == student
    ratio = np.divide(student, teacher, where=teacher > 0, out=np.full(len(y), np.inf))
    ratio[same] = 1.0
    bins = equal_parts(ratio, weights, n_bins)
    return [
        _lift_bin(ratio[rows], weights[rows], weights.sum(), y, teacher, student, rows)
        for rows in (np.flatnonzero(bins == part) for part in np.unique(bins))
    ]


def _lift_bin(ratio, weights, total, y, teacher, student, rows):
    means = [
        float(np.average(values[rows], weights=weights))
        for values in (y, teacher, student)
    ]
    share = float(weights.sum() / total)
    return LiftBin(float(ratio.min()), float(ratio.max()), len(rows), share, *means)
