"""What follows from the logarithms of a teacher's probabilities."""

from abc import abstractmethod

import numpy as np


class LogProbaMixin:
    """Predictions of a classifier that has `predict_log_proba` and `classes_`."""

    classes_: np.ndarray

    @abstractmethod
    def predict_log_proba(self, X):
        """Natural logarithms of the class probabilities."""

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
        return np.exp(self.predict_log_proba(X))

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
        columns = self.predict_log_proba(X).argmax(axis=1)
        return self.classes_[columns]
