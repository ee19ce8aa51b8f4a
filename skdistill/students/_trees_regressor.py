"""What trees that predict numbers have in common."""

from abc import abstractmethod

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..conversion._orders import split_levels
from ..losses._regression import SquaredLoss
from ..runtime import ModelSpec
from ._base import counted_rows, objective_weights
from ._ordering import OrderingEncoder
from ._regressor import ScoredStudentRegressor


class TreesStudentRegressor(ScoredStudentRegressor):
    """Base of the students of numbers that are trees, grown by squared error.

    A student defines ``_fit_trees(numbers, values, sample_weight)``, where categories
    are numbers and rows that have no label weigh as much as the objective says, and
    ``_trees()``.
    """

    def to_spec(self):
        """Return the fitted trees as plain arrays, without what they were fitted with.

        Returns
        -------
        skdistill.runtime.ModelSpec
        """
        check_is_fitted(self)
        encoder = self.encoder_
        return ModelSpec(split_levels(self._trees(), encoder.columns_, encoder.orders_))

    def check_objective(self, loss, alpha):
        """Raise TypeError unless the loss is the squared error.

        Parameters
        ----------
        loss : loss of `skdistill.losses`
            What is minimised.
        alpha : float
            Share of the teacher.
        """
        if not isinstance(loss, SquaredLoss):
            raise TypeError(
                f"Got {type(loss).__name__} with {type(self).__name__}, but expected "
                "SquaredLoss."
            )

    def _fit(self, X, targets, sample_weight):
        X, targets, weights = counted_rows(X, targets, sample_weight)
        weights = np.ones(len(targets)) if weights is None else weights
        weights = objective_weights(targets, weights)
        self.encoder_ = OrderingEncoder().fit(X, targets, weights)
        self._fit_trees(self.encoder_.transform(X), targets.mixture(), weights)

    @abstractmethod
    def _fit_trees(self, numbers, values, sample_weight):
        """Fit the trees to numbers alone."""

    @abstractmethod
    def _trees(self):
        """Return the fitted trees as a TreeEnsembleSpec of numbers."""
