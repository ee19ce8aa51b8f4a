"""Labels of any type for classifiers that know the numbers from 0 only."""

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    MetaEstimatorMixin,
    clone,
)
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from .._fitting import are_codes, fit_with_weights, needs_codes
from .._validation import check_labels, check_table, check_weights


def fit_teacher(teacher, X, y, sample_weight=None, fit_params=None):
    """Fit a clone of a teacher, to codes of the labels if it knows nothing else.

    `XGBClassifier`, also at the end of a pipeline or in a search, takes the labels 0
    to n_classes - 1 only, and not even those where a fold lacks a class.

    Parameters
    ----------
    teacher : estimator
        Left as it is.
    X : array-like or frame of shape (n_samples, n_features)
        Training rows.
    y : ndarray of shape (n_samples,)
        Class labels.
    sample_weight : ndarray of shape (n_samples,), default=None
        Weights of the rows.
    fit_params : dict, default=None
        What else is handed to ``fit``.

    Returns
    -------
    fitted estimator
        Of the teacher's class, or a `CodingClassifier` around it.

    Raises
    ------
    ValueError
        If there are weights that the teacher cannot take.
    """
    if needs_codes(teacher) and not are_codes(np.unique(y)):
        teacher = CodingClassifier(teacher)
    return fit_with_weights(clone(teacher), X, y, sample_weight, fit_params)


def _inner_has(name):
    return available_if(
        lambda self: hasattr(getattr(self, "estimator_", self.estimator), name)
    )


class CodingClassifier(MetaEstimatorMixin, ClassifierMixin, BaseEstimator):
    """A classifier that is fitted to the numbers 0 to n_classes - 1 as labels.

    What the labels of a teacher are made into where it knows no others, as
    `XGBClassifier` does not.

    Parameters
    ----------
    estimator : estimator
        A classifier, which is cloned.

    Attributes
    ----------
    estimator_ : estimator
        The fitted classifier, which knows the codes.
    classes_ : ndarray of shape (n_classes,)
        Class labels in the order of the codes.
    n_features_in_ : int
        Number of columns of the training table.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where they are strings.
    """

    def __init__(self, estimator):
        self.estimator = estimator

    def fit(self, X, y, sample_weight=None, **fit_params):
        """Fit the classifier to codes of the labels.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Training rows, which reach the classifier as they are.
        y : array-like of shape (n_samples,)
            Class labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of the rows.
        **fit_params : dict
            What else is handed to ``fit`` of the classifier.

        Returns
        -------
        self : object
            The fitted model.

        Raises
        ------
        ValueError
            If input is not as described, or there are weights that the classifier
            cannot take.
        """
        X, codes, weights = self._check_input(X, y, sample_weight)
        estimator = self._clone_for_codes()
        fitted = fit_with_weights(estimator, X, codes, weights, fit_params)
        self._remember(fitted)
        return self

    @_inner_has("predict_proba")
    def predict_proba(self, X):
        """Class probabilities, those of the classifier.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows to score.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64
            Columns in the order of `classes_`.
        """
        X = self._check_rows(X)
        return self.estimator_.predict_proba(X)

    @_inner_has("decision_function")
    def decision_function(self, X):
        """Decision function, that of the classifier.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows to score.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes), float64
            Columns in the order of `classes_`.
        """
        X = self._check_rows(X)
        return self.estimator_.decision_function(X)

    def predict(self, X):
        """Class labels that the classifier predicts.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows to score.

        Returns
        -------
        ndarray of shape (n_samples,)
            Class labels.
        """
        X = self._check_rows(X)
        codes = np.ravel(self.estimator_.predict(X))
        return self.classes_[codes.astype(int)]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator).input_tags
        for name in ("sparse", "allow_nan", "categorical", "string"):
            setattr(tags.input_tags, name, getattr(inner, name))
        return tags

    def _check_input(self, X, y, sample_weight):
        """Return rows, codes of the labels and weights; set `classes_`."""
        accepted = get_tags(self).input_tags
        X = check_table(
            self,
            X,
            reset=True,
            accept_sparse=accepted.sparse,
            allow_nan=accepted.allow_nan,
        )
        weights = check_weights(sample_weight, X)
        self.classes_, codes = np.unique(check_labels(y, X), return_inverse=True)
        return X, codes, weights

    def _clone_for_codes(self):
        """Return a clone whose weights of classes, if they are given, are of codes."""
        estimator = clone(self.estimator)
        codes = {label: code for code, label in enumerate(self.classes_.tolist())}
        weights = estimator.get_params(deep=False).get("class_weight")
        if isinstance(weights, dict):
            of_codes = {codes[k]: w for k, w in weights.items() if k in codes}
            estimator.set_params(class_weight=of_codes)
        return estimator

    def _check_rows(self, X):
        check_is_fitted(self)
        accepted = get_tags(self).input_tags
        return check_table(
            self,
            X,
            reset=False,
            accept_sparse=accepted.sparse,
            allow_nan=accepted.allow_nan,
        )

    def _remember(self, fitted):
        known_codes = np.asarray(fitted.classes_).tolist()
        if known_codes != list(range(len(self.classes_))):
            raise ValueError(
                f"Got a {type(fitted).__name__} with the classes {known_codes}, but "
                f"expected those that it was fitted to, 0 to {len(self.classes_) - 1}."
            )
        self.estimator_ = fitted
