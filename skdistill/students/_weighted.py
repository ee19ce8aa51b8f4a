"""A classifier with sample weights as a student."""

import numpy as np

from .._columns import take_rows
from .._fitting import are_codes, clone_seeded, fit_with_weights, needs_codes
from .._log_odds import classifier_log_odds, floor_log_odds
from .._parameters import check_number
from ..losses._reference import softmax
from ._base import StudentClassifier, copy_input_tags, row_optimum


class WeightedStudentClassifier(StudentClassifier):
    r"""Any classifier with `sample_weight`, trained on soft targets.

    Every row is repeated for each class, with that class as its label and the
    probability of the class in the row's target as its weight, times `alpha` where the
    row has no label. A classifier that minimises log-loss then minimises the
    cross-entropy to the targets.

    The target of a row is the distribution that minimises the row's objective, see
    `SoftTargets`. At temperature 1 this training is therefore exact; with ``alpha=1``
    the target is the teacher's distribution at every temperature, and with both
    labels and another temperature the optimum of each row is exact, but the weight of
    a deviation from it is that of temperature 1.

    Parameters
    ----------
    classifier : estimator
        With `sample_weight` in ``fit``, and `predict_proba` or `decision_function`.
        It is cloned.
    smallest_weight : float, default=1e-4
        Repetitions whose target probability is below are left out.
    random_state : int, RandomState or None, default=None
        Fixes the seeds of the classifier that are ``None``.

    Attributes
    ----------
    classifier_ : estimator
        Fitted on the repeated rows. One that takes no other labels than the numbers
        from 0, as `XGBClassifier`, knows the classes as these.
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    n_features_in_ : int
        Number of columns of the training table.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where they are strings.

    Notes
    -----
    Limits on the rows of a leaf, such as `min_samples_leaf`, count repetitions.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdistill import SoftTargets
    >>> from skdistill.students import WeightedStudentClassifier
    >>> targets = SoftTargets.from_proba([[0.9, 0.1], [0.5, 0.5], [0.2, 0.8]])
    >>> student = WeightedStudentClassifier(LogisticRegression(C=1e6))
    >>> student.fit([[0.0], [1.0], [2.0]], targets).predict_proba([[1.0]]).round(2)
    array([[0.55, 0.45]])
    """

    def __init__(self, classifier, smallest_weight=1e-4, random_state=None):
        self.classifier = classifier
        self.smallest_weight = smallest_weight
        self.random_state = random_state

    def check_parameters(self):
        """Raise ValueError if a parameter is out of range."""
        check_number("smallest_weight", self.smallest_weight, 0, 0.5)

    def __sklearn_tags__(self):
        return copy_input_tags(super().__sklearn_tags__(), self.classifier)

    def _fit(self, X, targets, sample_weight):
        proba = softmax(row_optimum(targets))
        # A row without a label has the soft term alone, and with alpha = 0 none.
        terms = np.sum(targets.term_weights(), axis=0)
        terms = terms if terms.any() else np.ones(len(targets))
        rows, columns = np.nonzero(
            (proba > self.smallest_weight) & (terms > 0)[:, None]
        )
        weights = proba[rows, columns] * terms[rows]
        if sample_weight is not None:
            weights = weights * sample_weight[rows]
        self.n_training_rows_ = len(targets)
        self._known_as = _labels_for(self.classifier, targets.classes, columns)
        self.classifier_ = fit_with_weights(
            clone_seeded(self.classifier, self.random_state),
            take_rows(X, rows),
            self._known_as[columns],
            weights,
        )

    def _log_odds(self, X):
        return classifier_log_odds(
            self.classifier_,
            X,
            self._known_as,
            unseen_log_odds=floor_log_odds(self.n_training_rows_),
            smooths=False,  # it predicts what the classifier predicts
        )


def _labels_for(classifier, classes, columns):
    """Labels of the classes as the classifier takes them.

    Those in `columns` are numbered first, since some classifiers take nothing but
    numbers without a gap.
    """
    present = np.unique(columns)
    if not needs_codes(classifier) or are_codes(classes[present]):
        return classes
    absent = np.setdiff1d(np.arange(len(classes)), present)
    codes = np.empty(len(classes), dtype=np.int64)
    codes[np.concatenate([present, absent])] = np.arange(len(classes))
    return codes
