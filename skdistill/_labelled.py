"""Training rows with what their teacher says about them."""

from dataclasses import dataclass

import numpy as np

from ._columns import concatenate_rows
from ._fitting import is_frozen
from ._parameters import is_auto
from .targets import SoftTargets
from .teachers import (
    Labelling,
    blended_log_odds,
    calibration_temperature,
    corrected_log_odds,
)
from .teachers._blending import (
    LARGEST_ALPHA,
    blended_pool_log_odds,
    explained_share,
    suited_alpha,
)

SUSPICIOUS_TEMPERATURE = 1 / 3
"""Below it, a frozen teacher is right so much more often than it claims that it has
probably been fitted on the rows."""


def has_met_rows(teacher, temperature):
    """Whether a teacher that this temperature calibrates seems to know the rows."""
    return is_frozen(teacher) and temperature < SUSPICIOUS_TEMPERATURE


@dataclass(frozen=True, eq=False)
class LabelledRows:
    """All that a student of any temperature and alpha is fitted to.

    Parameters
    ----------
    X : array or frame of shape (n_samples, n_features)
        Training rows.
    labels : ndarray of int of shape (n_samples,)
        Columns of their classes.
    classes : ndarray of shape (n_classes,)
        Class labels.
    sample_weight : ndarray of shape (n_samples,) or None
        Weights of the rows when the teacher is judged.
    labelling : Labelling
        What the teacher says about them and about the rows of the pool.
    calibration_temperature : float
        Divides the teacher's log-odds.
    student_weight : ndarray of shape (n_samples,) or None
        Weights of the rows for the student.
    correction : float or None, default=None
        Squared error of the teacher, by which held-out log-odds are corrected with the
        labels, see `skdistill.teachers.corrected_log_odds`. ``None``: they are blended
        with the teacher's own.
    """

    X: object
    labels: np.ndarray
    classes: np.ndarray
    sample_weight: np.ndarray | None
    labelling: Labelling
    calibration_temperature: float
    student_weight: np.ndarray | None
    correction: float | None = None

    @property
    def held_out_weights(self):
        """Weights of the held-out rows, 0 elsewhere; ndarray of shape (n_samples,)."""
        weights = 1.0 if self.sample_weight is None else self.sample_weight
        return self.labelling.held_out * weights

    @property
    def class_frequencies(self):
        """Share of each class in the weight of the rows; ndarray (n_classes,)."""
        counts = np.bincount(self.labels, self.sample_weight, len(self.classes))
        return counts / counts.sum()

    @property
    def n_fitted(self):
        """Rows that the teacher was fitted on, None of a frozen one."""
        return None if is_frozen(self.labelling.teacher) else len(self.labels)

    def resolved(self, alpha):
        """Return a share of the teacher, that which suits these rows for "auto"."""
        if not is_auto(alpha):
            return alpha
        weights = self.held_out_weights
        if len(np.unique(self.labels[weights > 0])) < 2:
            return LARGEST_ALPHA  # nothing says how noisy labels are
        logits = self.labelling.logits
        temperature = calibration_temperature(logits, self.labels, weights)
        if has_met_rows(self.labelling.teacher, temperature):
            return LARGEST_ALPHA
        return suited_alpha(explained_share(logits / temperature, self.labels, weights))

    def targets(self, temperature, alpha):
        """Return rows, targets and weights for a student, the pool at their end.

        Parameters
        ----------
        temperature, alpha : float
            Of the objective, see `resolved`.

        Returns
        -------
        X : array or frame of shape (n_samples + n_pool, n_features)
        targets : SoftTargets
            Without a label where it is not known.
        weights : ndarray of shape (n_samples + n_pool,) or None
            The rows of the pool together weigh as much as the others.
        """
        labels, pool = self.labels, self.labelling.pool
        logits = self._log_odds()
        X, weights = self.X, self.student_weight
        if pool is not None:
            pool_logits = blended_pool_log_odds(
                self.labelling,
                self.labels,
                self.held_out_weights,
                self.calibration_temperature,
            )
            logits = np.concatenate([logits, pool_logits])
            labels = np.concatenate([labels, np.full(len(pool_logits), -1)])
            weights = with_pool(weights, len(self.labels), len(pool_logits))
            X = concatenate_rows(X, pool)
        alpha, n_fitted = self.resolved(alpha), self.n_fitted
        targets = SoftTargets(
            logits, labels, self.classes, temperature, alpha, n_fitted
        )
        return X, targets, weights

    def _log_odds(self):
        """Calibrated log-odds of the rows, corrected or blended."""
        if self.correction is None:
            return blended_log_odds(
                self.labelling,
                self.labels,
                self.held_out_weights,
                self.calibration_temperature,
            )
        logits = self.labelling.logits / self.calibration_temperature
        rows = self.labelling.held_out
        logits[rows] = corrected_log_odds(
            logits[rows], self.labels[rows], self.correction
        )
        return logits


def with_pool(weights, n_samples, n_pool):
    """Weights of rows and of a pool that weighs as much as they do together."""
    weights = np.ones(n_samples) if weights is None else weights
    return np.concatenate([weights, np.full(n_pool, weights.sum() / n_pool)])
