"""What a teacher and a student predict for the same rows."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..teachers._predictions import regressor_predictions
from ._decision import gini_ratio
from ._fidelity import NO_SKILL
from ._fidelity_display import joint_density
from ._lift import double_lift
from ._pairs import check_numbers, check_scores, value_or_none
from ._regression import (
    mean_absolute_difference,
    mean_relative_difference,
    prediction_r2,
)
from ._reliability import paired_curves

METRICS = {
    "r2": ("R2", True),
    "rmse": ("root mean squared error", False),
    "mae": ("mean absolute error", False),
}
"""Name, and whether more is better."""

DENSITY_BINS = 50


@dataclass(frozen=True, eq=False)
class RegressorPair:
    """Predictions of both models for rows that weigh something.

    Parameters
    ----------
    outcome, teacher, student : ndarray of shape (n_samples,)
        True and predicted values.
    weights : ndarray of shape (n_samples,)
        Positive.
    """

    outcome: np.ndarray
    teacher: np.ndarray
    student: np.ndarray
    weights: np.ndarray

    task = "regression"
    metrics = METRICS
    loss_name = "squared error"
    quantity = "prediction"
    positive_name = None
    n_outputs = 1
    limits = {
        f"{name}_{who}": ends
        for name, ends in (("r2", (None, 1)), ("rmse", (0, None)), ("mae", (0, None)))
        for who in ("teacher", "student")
    }

    @classmethod
    def of(cls, model, X, y, sample_weight, pos_label):
        """Return the pair of a fitted model, and which rows weigh something."""
        if pos_label is not None:
            raise ValueError(
                f"Got pos_label={pos_label!r}, but a regressor has no classes."
            )
        y = check_numbers(y, X.shape[0])
        student = model.predict(X)
        teacher = regressor_predictions(model.teacher_, X, student.shape[1:])
        teacher, student, weights, y = check_scores(teacher, student, sample_weight, y)
        used = np.ones(X.shape[0], dtype=bool)
        if sample_weight is not None:
            used = np.broadcast_to(sample_weight, used.shape) > 0
        return cls(y, teacher, student, weights), used

    def take(self, rows):
        """Return the pair of some rows."""
        names = ("outcome", "teacher", "student", "weights")
        return replace(self, **{name: getattr(self, name)[rows] for name in names})

    @cached_property
    def _means(self):
        errors = [prediction - self.outcome for prediction in self.scores]
        squares = [error**2 for error in errors]
        absolute = [np.abs(error) for error in errors]
        # Around the mean, so that the variance loses no digits.
        centred = self.outcome - np.average(self.outcome, weights=self.weights)
        return np.column_stack([*squares, *absolute, centred, centred**2])

    def statistics(self, weights):
        """Quality of both models, for each row of weights.

        Parameters
        ----------
        weights : ndarray of shape (n_draws, n_samples)

        Returns
        -------
        dict of str to ndarray of shape (n_draws,)
        """
        means = weights @ self._means / weights.sum(axis=1, keepdims=True)
        *errors, mean, square = means.T
        variance = square - mean**2
        with np.errstate(divide="ignore", invalid="ignore"):
            r2 = [
                np.where(variance > 0, 1 - error / variance, np.nan)
                for error in errors[:2]
            ]
            kept = np.where(r2[0] > NO_SKILL, r2[1] / r2[0], np.nan)
        pairs = {"r2": r2, "rmse": np.sqrt(errors[:2]), "mae": errors[2:]}
        found = {"retention": kept}
        for name, (of_teacher, of_student) in pairs.items():
            found[f"{name}_teacher"] = of_teacher
            found[f"{name}_student"] = of_student
            found[f"{name}_difference"] = of_student - of_teacher
        return found

    def fidelity(self, threshold):
        """Numbers that compare the student with the teacher alone.

        Returns
        -------
        dict of str to float or None
            ``None`` for what has no meaning here.
        """
        if threshold is not None:
            raise ValueError(
                f"Got threshold={threshold!r}, but a regressor decides nothing."
            )
        options = {"sample_weight": self.weights}
        metrics = {
            "prediction_r2": prediction_r2,
            "mean_absolute_difference": mean_absolute_difference,
            "mean_relative_difference": mean_relative_difference,
        }
        found = {}
        for name, metric in metrics.items():
            found[name] = value_or_none(metric, *self.scores, **options)
        found["gini_ratio"] = value_or_none(
            gini_ratio, self.outcome, *self.scores, **options
        )
        return found

    @property
    def scores(self):
        """Predictions of both models."""
        return self.teacher, self.student

    def curves(self):
        """Reliability of both models: predicted and actual, teacher then student."""
        return paired_curves(self.outcome, self.scores, self.weights)

    def density(self):
        """Weight of rows by both predictions, and the ends of the bins."""
        teacher, student = self.scores
        return joint_density(teacher, student, DENSITY_BINS, self.weights)

    def lift(self):
        """Double lift; nothing where predictions can be negative."""
        if min(self.teacher.min(), self.student.min()) < 0:
            return []
        return double_lift(self.outcome, *self.scores, sample_weight=self.weights)

    @property
    def row_losses(self):
        """Loss of each row by teacher and student."""
        return tuple((score - self.outcome) ** 2 for score in self.scores)
