"""What a teacher and a student say about the same rows, checked alike."""

import numpy as np

from .._validation import check_weights
from ..targets import SUM_TOLERANCE


def check_distributions(teacher_proba, student_proba, sample_weight):
    """Return two tables of distributions and weights, of the rows that weigh anything.

    Rows are divided by their sums.
    """
    teacher = np.asarray(teacher_proba, dtype=np.float64)
    student = np.asarray(student_proba, dtype=np.float64)
    if teacher.shape != student.shape or teacher.ndim != 2 or teacher.shape[1] < 2:
        raise ValueError(
            f"Got probabilities of shapes {teacher.shape} and {student.shape}, but "
            "expected (n_samples, n_classes) twice, with at least 2 classes."
        )
    weights = row_weights(teacher, sample_weight)
    used = weights > 0
    return _normalised(teacher)[used], _normalised(student)[used], weights[used]


def check_scores(teacher_scores, student_scores, sample_weight, y=None):
    """Return two columns of numbers, weights and `y`, of the rows that weigh anything.

    `y` may be anything with an entry per row, and stays None if it is.
    """
    teacher = np.asarray(teacher_scores, dtype=np.float64)
    student = np.asarray(student_scores, dtype=np.float64)
    if teacher.shape != student.shape or teacher.ndim != 1:
        raise ValueError(
            f"Got predictions of shapes {teacher.shape} and {student.shape}, but "
            "expected (n_samples,) twice."
        )
    weights = row_weights(teacher, sample_weight)
    check_finite("predictions", teacher, student)
    used = weights > 0
    if y is not None:
        y = check_length(y, len(teacher))[used]
    return teacher[used], student[used], weights[used], y


def check_length(y, n_samples):
    """Return `y` as an array of so many entries."""
    y = np.asarray(y)
    if y.shape != (n_samples,):
        raise ValueError(f"Got y of shape {y.shape}, but expected ({n_samples},).")
    return y


def check_numbers(y, n_samples):
    """Return `y` as finite float64 numbers, booleans as 0 and 1."""
    y = check_length(y, n_samples)
    if y.dtype.kind not in "biuf":
        raise ValueError(
            f"Got y of dtype {y.dtype}, but expected numbers, or booleans: for class "
            "labels `y == positive_label`."
        )
    y = y.astype(np.float64)
    check_finite("y", y)
    return y


def check_finite(name, *arrays):
    """Raise ValueError if an array holds NaN or infinity."""
    if not all(np.isfinite(array).all() for array in arrays):
        raise ValueError(f"Got {name} that are NaN or infinite, but expected numbers.")


def value_or_none(metric, *arguments, **options):
    """Value of a metric, or None where rows or teacher leave nothing to measure."""
    try:
        return metric(*arguments, **options)
    except ValueError:
        return None


def row_weights(table, sample_weight):
    """Return the weights of the rows of a table, ones for None."""
    if not len(table):
        raise ValueError("Got no rows, but expected at least one.")
    weights = check_weights(sample_weight, table)
    return np.ones(len(table)) if weights is None else weights


def _normalised(proba):
    sums = proba.sum(axis=1, keepdims=True)
    right = (np.abs(sums - 1) <= SUM_TOLERANCE) & (proba >= 0).all(
        axis=1, keepdims=True
    )
    if not right.all():
        row = int(np.argmin(right))
        raise ValueError(
            f"Got probabilities {proba[row]} in row {row}, but expected non-negative "
            "numbers that sum to 1."
        )
    return proba / sums
