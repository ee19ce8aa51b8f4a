"""What a teacher and a student say about the classes of the same rows."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..losses._reference import softmax
from ..targets import encode_labels
from ._decision import decision_threshold, flip_rate, gini_ratio
from ._divergence import jensen_shannon_divergence, kl_divergence, log_odds_r2
from ._fidelity import NO_SKILL, agreement
from ._fidelity_display import joint_density
from ._lift import double_lift
from ._pairs import check_length, row_weights, value_or_none
from ._predictions import paired_probabilities, positive_position, smoothed_log_odds
from ._quality import aucs, brier_losses, hits, log_losses
from ._regression import mean_absolute_difference
from ._reliability import binned_gaps, calibration_errors, paired_curves

METRICS = {
    "log_loss": ("log-loss (nats)", False),
    "accuracy": ("accuracy", True),
    "auc": ("AUC", True),
    "brier": ("Brier score", False),
    "ece": ("calibration error", False),
}
"""Name, and whether more is better."""

DENSITY_BINS = 50


@dataclass(frozen=True, eq=False)
class ClassifierPair:
    """Probabilities of both models for rows that weigh something.

    Parameters
    ----------
    labels : ndarray of int of shape (n_samples,)
        Columns of the true classes.
    teacher, student, calibrated : ndarray of shape (n_samples, n_classes)
        Probabilities; the last ones are the teacher's, divided by its temperature.
    weights : ndarray of shape (n_samples,)
        Positive.
    classes : ndarray of shape (n_classes,)
        Class labels.
    positive : int or None
        Column of the positive class, if there are two.
    prior : ndarray of shape (n_classes,)
        Class frequencies in the training rows.
    """

    labels: np.ndarray
    teacher: np.ndarray
    student: np.ndarray
    calibrated: np.ndarray
    weights: np.ndarray
    classes: np.ndarray
    positive: int | None
    prior: np.ndarray

    task = "classification"
    metrics = METRICS
    loss_name = "log-loss"

    @classmethod
    def of(cls, model, X, y, sample_weight, pos_label):
        """Return the pair of a fitted model, and which rows weigh something."""
        classes = np.asarray(model.classes_)
        labels = encode_labels(check_length(y, X.shape[0]), classes)
        if (labels < 0).any():
            raise ValueError("Got y with missing labels, but expected a label per row.")
        weights = row_weights(labels, sample_weight)
        positive = None
        if len(classes) == 2:
            positive = positive_position(classes, pos_label)
        elif pos_label is not None:
            raise ValueError(
                f"Got pos_label={pos_label!r}, but expected None, since there are "
                f"{len(classes)} classes."
            )
        teacher, student = paired_probabilities(model, X)
        temperature = getattr(model, "calibration_temperature_", 1.0)
        logits = smoothed_log_odds(model, X, teacher)
        used = weights > 0
        frequencies = np.bincount(labels, weights, len(classes)) / weights.sum()
        return cls(
            labels[used],
            teacher[used],
            student[used],
            softmax(logits, temperature)[used],
            weights[used],
            classes,
            positive,
            # Models of earlier versions do not remember those of the training rows.
            getattr(model, "class_prior_", frequencies),
        ), used

    def take(self, rows):
        """Return the pair of some rows."""
        names = ("labels", "teacher", "student", "calibrated", "weights")
        parts = {name: getattr(self, name)[rows] for name in names}
        return replace(self, **parts)

    @property
    def n_outputs(self):
        """How many columns the statistics are computed for."""
        return len(self.classes)

    @property
    def limits(self):
        """Smallest and largest value that a statistic can have."""
        return {
            f"{name}_{who}": (0, None if name == "log_loss" else 1)
            for name in METRICS
            for who in ("teacher", "student")
        }

    @cached_property
    def losses(self):
        """Log-losses of each row by teacher, calibrated teacher, student, prior."""
        prior = np.broadcast_to(self.prior, self.teacher.shape)
        models = (self.teacher, self.calibrated, self.student, prior)
        return np.stack([log_losses(self.labels, proba) for proba in models], axis=1)

    @cached_property
    def _gaps(self):
        return [
            binned_gaps(self.labels, proba, self.weights)
            for proba in (self.teacher, self.student)
        ]

    @cached_property
    def _means(self):
        columns = [
            function(self.labels, proba)
            for function in (hits, brier_losses)
            for proba in (self.teacher, self.student)
        ]
        return np.column_stack([self.losses, *columns])

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
        teacher, calibrated, student, prior, *others = means.T
        pairs = {
            "log_loss": (teacher, student),
            "accuracy": others[:2],
            "brier": others[2:],
            "auc": [
                aucs(self.labels, p, weights) for p in (self.teacher, self.student)
            ],
            "ece": [calibration_errors(gaps, weights) for gaps in self._gaps],
        }
        found = {}
        for name, (of_teacher, of_student) in pairs.items():
            found[f"{name}_teacher"] = of_teacher
            found[f"{name}_student"] = of_student
            found[f"{name}_difference"] = of_student - of_teacher
        # An overconfident teacher would flatter any student.
        skill = prior - np.minimum(teacher, calibrated)
        with np.errstate(divide="ignore", invalid="ignore"):
            kept = (prior - student) / skill
        found["retention"] = np.where(skill > NO_SKILL * prior, kept, np.nan)
        return found

    def fidelity(self, threshold):
        """Numbers that compare the student with the teacher alone.

        Returns
        -------
        dict of str to float or None
            ``None`` for what has no meaning here.
        """
        options = {"sample_weight": self.weights}
        proba = (self.teacher, self.student)
        codes = [p.argmax(axis=1) for p in proba]
        found = {
            "agreement": agreement(*codes, **options),
            "kl_divergence": kl_divergence(*proba, **options),
            "jensen_shannon_divergence": jensen_shannon_divergence(*proba, **options),
            "log_odds_r2": value_or_none(log_odds_r2, *proba, **options),
        }
        if self.positive is None:
            if threshold is not None:
                raise ValueError(
                    f"Got threshold={threshold!r}, but expected None, since there are "
                    f"{len(self.classes)} classes."
                )
            return found
        scores = self.scores
        found["mean_absolute_difference"] = mean_absolute_difference(*scores, **options)
        if threshold is None:
            threshold = value_or_none(
                decision_threshold, self.outcome, scores[0], **options
            )
        if threshold is not None:
            found["threshold"] = float(threshold)
            found["flip_rate"] = flip_rate(*scores, threshold=threshold, **options)
        found["gini_ratio"] = value_or_none(
            gini_ratio, self.outcome, *scores, **options
        )
        return found

    @property
    def scores(self):
        """A number per row of each model: P(positive), or P(the true class)."""
        rows = np.arange(len(self.labels))
        columns = self.labels if self.positive is None else self.positive
        return self.teacher[rows, columns], self.student[rows, columns]

    @property
    def outcome(self):
        """Whether a row is positive; ``None`` with more than two classes."""
        return None if self.positive is None else self.labels == self.positive

    @property
    def positive_name(self):
        """Name of the positive class, or ``None``."""
        return None if self.positive is None else str(self.classes[self.positive])

    @property
    def quantity(self):
        """What `scores` are."""
        return f"P({self.positive_name})" if self.positive_name else "P(true class)"

    @cached_property
    def _all_scores(self):
        """What happened, both predictions and weights: of all classes, if several."""
        if self.positive is not None:
            return self.outcome, *self.scores, self.weights
        n_classes = len(self.classes)
        truth = np.eye(n_classes, dtype=bool)[self.labels]
        weights = np.repeat(self.weights, n_classes)
        return truth.ravel(), self.teacher.ravel(), self.student.ravel(), weights

    def curves(self):
        """Reliability of both models: predicted and actual, teacher then student."""
        outcome, *scores, weights = self._all_scores
        return paired_curves(outcome, scores, weights)

    def density(self):
        """Weight of rows by both predictions, and the ends of the bins."""
        _, teacher, student, weights = self._all_scores
        return joint_density(teacher, student, DENSITY_BINS, weights)

    def lift(self):
        """Double lift of the positive class; nothing with several."""
        if self.positive is None:
            return []
        return double_lift(self.outcome, *self.scores, sample_weight=self.weights)

    @property
    def row_losses(self):
        """Loss of each row by teacher and student."""
        return self.losses[:, 0], self.losses[:, 2]
