"""What all students share: labels or soft targets in, probabilities out."""

from abc import abstractmethod

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import get_tags
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted

from .._columns import take_rows
from .._regression_targets import RegressionTargets
from .._validation import check_labels, check_numbers, check_table, check_weights
from ..losses._optimum import optimal_log_odds
from ..losses._reference import log_softmax
from ..targets import SoftTargets


class Student(BaseEstimator):
    """What students of classes and of numbers have in common.

    A student defines ``_fit(X, targets, sample_weight)`` on targets without rows of
    zero weight.
    """

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        return tags

    def check_parameters(self):
        """Raise an error if a parameter is out of range or a library is missing.

        Called at the start of `fit`, and before a teacher is fitted.
        """

    def _check_rows(self, X):
        check_is_fitted(self)
        accept_sparse = get_tags(self).input_tags.sparse
        return check_table(self, X, reset=False, accept_sparse=accept_sparse)

    @abstractmethod
    def _fit(self, X, targets, sample_weight):
        """Learn from targets; every weight is positive."""

    def _make_ready(self):
        """Prepare for scoring, once fitted."""


class StudentClassifier(ClassifierMixin, Student):
    """Base of the students: a classifier that learns from labels or soft targets.

    A student defines ``_fit(X, targets, sample_weight)`` on soft targets without rows
    of zero weight, and ``_log_odds(X)``.
    """

    learns_far_from_rows = False
    """Whether it learns from new rows that lie far from all real ones, where a teacher
    knows little: a network does, a tree spends its leaves on them."""

    def fit(self, X, y, sample_weight=None):
        """Fit the student to labels or to a teacher's soft targets.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,), or SoftTargets
            Class labels, or what a teacher says about each row.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; a weight of 2 is a row that occurs twice.

        Returns
        -------
        self : object
            The fitted student.

        Raises
        ------
        ValueError
            If input, targets or a parameter are not as described.
        """
        self.check_parameters()
        X, targets, weights = check_training_data(
            self, X, y, sample_weight, accept_sparse=get_tags(self).input_tags.sparse
        )
        self.classes_ = targets.classes
        self._fit(X, targets, weights)
        self._make_ready()
        return self

    def predict_log_proba(self, X):
        """Natural logarithms of the class probabilities.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows to score.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64
            Columns in the order of `classes_`.
        """
        return log_softmax(self._log_odds(self._check_rows(X)))

    def predict_proba(self, X):
        """Class probabilities.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows to score.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64
            Columns in the order of `classes_`.
        """
        return self._proba(self._check_rows(X))

    def predict(self, X):
        """Most probable class of each row.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows to score.

        Returns
        -------
        ndarray of shape (n_samples,)
            Class labels.
        """
        return most_probable(self, X)

    def _proba(self, X):
        """Class probabilities, shape (n_samples, n_classes)."""
        return np.exp(log_softmax(self._log_odds(X)))

    @abstractmethod
    def _log_odds(self, X):
        """Student log-odds, shape (n_samples, n_classes)."""


def most_probable(classifier, X):
    """Return the class with the largest log-probability in each row."""
    # In this order, so that an unfitted classifier says that it is not fitted.
    columns = classifier.predict_log_proba(X).argmax(axis=1)
    return classifier.classes_[columns]


def check_training_data(
    estimator, X, y, sample_weight, *, read_targets=None, accept_sparse=False
):
    """Return the rows with a positive weight: table, targets, weights or None.

    `read_targets` makes targets of `y` and `X`; without it they are soft targets.
    """
    X = check_table(estimator, X, reset=True, accept_sparse=accept_sparse)
    weights = check_weights(sample_weight, X)
    targets = (read_targets or soft_targets)(y, X)
    if weights is not None and not weights.all():
        rows = np.flatnonzero(weights)
        X, targets, weights = take_rows(X, rows), targets[rows], weights[rows]
    return X, targets, weights


def soft_targets(y, X):
    """Return labels or soft targets of the rows of `X` as soft targets."""
    if isinstance(y, RegressionTargets):
        raise TypeError(
            "Got RegressionTargets as y of a classifier, but expected class labels or "
            "SoftTargets."
        )
    if not isinstance(y, SoftTargets):
        return SoftTargets.from_labels(check_labels(y, X))
    return check_length(y, X)


def any_targets(y, X):
    """Return targets of any kind as they are, labels as soft targets.

    Numbers with decimals are true values; whole ones are taken for labels.
    """
    if isinstance(y, RegressionTargets):
        return check_length(y, X)
    is_soft = isinstance(y, SoftTargets) or y is None
    if not is_soft and type_of_target(y).startswith("continuous"):
        return RegressionTargets.from_values(check_numbers(y, X, multi_output=True))
    return soft_targets(y, X)


def check_length(targets, X):
    """Return the targets; raise ValueError unless there is one for each row of `X`."""
    if len(targets) != X.shape[0]:
        raise ValueError(
            f"Got {type(targets).__name__} of {len(targets)} rows, but expected "
            f"{X.shape[0]}, one for each row of X."
        )
    return targets


def copy_input_tags(tags, *estimators):
    """Let `tags` claim only the kinds of input that every estimator can take."""
    inner = [get_tags(estimator).input_tags for estimator in estimators]
    for name in ("sparse", "allow_nan", "categorical", "string"):
        setattr(tags.input_tags, name, all(getattr(tag, name) for tag in inner))
    return tags


def counted_rows(X, targets, sample_weight):
    """Return the rows that the objective asks anything of, with their own weights.

    With ``alpha = 0`` a row without a label has no term at all. If none has one, all
    rows stay. Weights are raised so that a row with a label has 1 on average, if they
    are less: they count rows, and such as sum to 1 would count next to none.
    """
    terms = np.sum(targets.term_weights(), axis=0)
    if terms.any() and not terms.all():
        rows = np.flatnonzero(terms)
        X, targets = take_rows(X, rows), targets[rows]
        sample_weight = None if sample_weight is None else sample_weight[rows]
    if sample_weight is not None:
        known = targets.is_labelled
        mean = sample_weight[known if known.any() else slice(None)].mean()
        sample_weight = sample_weight / mean if mean < 1 else sample_weight
    return X, targets, sample_weight


def objective_weights(targets, sample_weight):
    """Return what rows weigh in the objective, None if all weigh the same.

    Their own weights times those of their terms: alpha in rows without a label.
    """
    terms = np.sum(targets.term_weights(), axis=0)
    if np.ptp(terms) == 0:
        return sample_weight
    return terms if sample_weight is None else terms * sample_weight


def row_optimum(targets):
    """Log-odds that minimise the objective of each row by itself."""
    soft, hard = targets.term_weights()
    # A row without any term asks for nothing; the teacher's word does no harm.
    soft = np.where(soft + hard == 0, 1.0, soft)
    return optimal_log_odds(
        targets.proba(targets.temperature),
        targets.one_hot(),
        soft,
        hard,
        targets.temperature,
    )


def group_optimum(groups, n_groups, targets, weights, smoothing=0.0):
    """Log-odds that minimise the objective over the rows of each group.

    `smoothing` is the weight, in rows, of the distribution of all rows in each group.
    Groups without rows get zeros.
    """

    def means(distributions, weights):
        total = np.bincount(groups, weights=weights, minlength=n_groups)
        columns = [np.bincount(groups, weights * d, n_groups) for d in distributions.T]
        sums = np.stack(columns, axis=1)
        mean = sums.sum(axis=0) / max(weights.sum(), np.finfo(float).tiny)
        smoothed = sums + smoothing * mean
        return smoothed / np.maximum(total + smoothing, 1e-300)[:, None], total

    soft_weight, hard_weight = targets.term_weights()
    soft, a = means(targets.proba(targets.temperature), weights * soft_weight)
    hard, b = means(targets.one_hot(), weights * hard_weight)
    logits = np.zeros(soft.shape)
    used = np.flatnonzero(a + b > 0)
    logits[used] = optimal_log_odds(
        soft[used], hard[used], a[used], b[used], targets.temperature
    )
    return logits
