"""What all students that predict numbers share: numbers or a teacher's word in."""

from abc import abstractmethod
from dataclasses import replace

from sklearn.base import RegressorMixin
from sklearn.utils import get_tags

from .._regression_targets import RegressionTargets
from .._validation import check_numbers
from ..losses._regression import SquaredLoss
from ..targets import SoftTargets
from ._base import Student, check_length, check_training_data
from ._scored import ScoredStudent


class StudentRegressor(RegressorMixin, Student):
    """Base of the students that predict numbers, taught by them or by a teacher.

    A student defines ``_fit(X, targets, sample_weight)`` on `RegressionTargets`
    without rows of zero weight, and ``_predict(X)``.
    """

    def fit(self, X, y, sample_weight=None):
        """Fit the student to true values or to what a teacher predicts.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), or \
                RegressionTargets
            True values, or what a teacher says about each row.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights; a weight of 2 is a row that occurs twice.

        Returns
        -------
        self : object
            The fitted student.

        Raises
        ------
        TypeError
            If the student cannot learn what the targets ask for.
        ValueError
            If input, targets or a parameter are not as described.
        """
        self.check_parameters()
        X, targets, weights = check_training_data(
            self,
            X,
            y,
            sample_weight,
            read_targets=self._read_targets,
            accept_sparse=get_tags(self).input_tags.sparse,
        )
        if not isinstance(y, RegressionTargets):
            targets = replace(targets, loss=self._plain_loss(targets, weights))
        self.check_objective(targets.loss, targets.alpha)
        self._fit(X, targets, weights)
        self._make_ready()
        return self

    def predict(self, X):
        """Predict numbers.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows to predict.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs), float64
            Two-dimensional if there are several outputs.
        """
        return self._predict(self._check_rows(X))

    def check_objective(self, loss, alpha):
        """Raise an error if the student cannot learn by the loss at this alpha.

        Called at the start of `fit`, and before a teacher is fitted.

        Parameters
        ----------
        loss : loss of `skdistill.losses`
            What is minimised.
        alpha : float
            Share of the teacher.
        """

    @abstractmethod
    def _predict(self, X):
        """Predictions of checked rows."""

    def _plain_loss(self, targets, sample_weight):
        """The loss with plain true values."""
        return SquaredLoss()

    def _read_targets(self, y, X):
        if isinstance(y, RegressionTargets):
            return check_length(y, X)
        if isinstance(y, SoftTargets):
            raise TypeError(
                "Got SoftTargets as y of a regressor, but expected numbers or "
                "RegressionTargets."
            )
        multi_output = get_tags(self).target_tags.multi_output
        y = check_numbers(y, X, multi_output=multi_output)
        return RegressionTargets.from_values(y)


class ScoredStudentRegressor(ScoredStudent, StudentRegressor):
    """Base of the regressors that are a `ModelSpec` once they are fitted."""

    def _predict(self, X):
        return self._score(X, self.scorer_.predict)
