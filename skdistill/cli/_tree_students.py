"""Trees that predict numbers, for tables with any names of columns and categories.

LightGBM writes other names of columns than it was given into its models, or takes them
for mistakes, and trees of scikit-learn take no categories. So both see the numbers of
an `OrderingEncoder` alone, as the trees that are students of classes do.
"""

from abc import abstractmethod

import numpy as np
from sklearn.tree import DecisionTreeRegressor
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ..conversion._orders import split_levels
from ..conversion._students import booster_trees, single_tree
from ..losses._regression import SquaredLoss
from ..runtime import ModelSpec
from ..students import OrderingEncoder
from ..students._regressor import ScoredStudentRegressor


class TreesRegressor(ScoredStudentRegressor):
    r"""Base of the students of one number that are trees, by squared error.

    They are fitted to :math:`\alpha t + (1 - \alpha) y`, which is exact, see
    `AdaptedStudentRegressor`.

    Parameters
    ----------
    random_state : int, RandomState or None, default=None
        Seeds what is fitted.
    """

    def __init__(self, random_state=None):
        self.random_state = random_state

    def check_parameters(self):
        """Raise ImportError if what is fitted is not installed."""

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

    def to_spec(self):
        """Return the fitted trees as plain arrays.

        Returns
        -------
        skdistill.runtime.ModelSpec
        """
        check_is_fitted(self)
        encoder = self.encoder_
        trees = split_levels(self._trees(), encoder.columns_, encoder.orders_)
        return ModelSpec(trees)

    def _fit(self, X, targets, sample_weight):
        teacher, true = targets.term_weights()
        weights = teacher + true
        weights = weights if sample_weight is None else weights * sample_weight
        self.encoder_ = OrderingEncoder().fit(X, targets, weights)
        self.regressor_ = self._regressor(check_random_state(self.random_state)).fit(
            self.encoder_.transform(X), targets.mixture(), sample_weight=weights
        )

    @abstractmethod
    def _regressor(self, random_state):
        """Return what is fitted to numbers; takes weights."""

    @abstractmethod
    def _trees(self):
        """Return the fitted trees as a TreeEnsembleSpec of numbers."""


class TreeStudentRegressor(TreesRegressor):
    """One tree of 64 leaves."""

    def _regressor(self, random_state):
        return DecisionTreeRegressor(max_leaf_nodes=64, random_state=random_state)

    def _trees(self):
        values = self.regressor_.tree_.value[:, :, 0]
        return single_tree(self.regressor_, values)


class BoostedStudentRegressor(TreesRegressor):
    """30 boosted trees of 31 leaves, by LightGBM."""

    def check_parameters(self):
        """Raise ImportError if LightGBM is not installed."""
        _import_lightgbm()

    def _regressor(self, random_state):
        return _import_lightgbm().LGBMRegressor(
            n_estimators=30,
            num_leaves=31,
            learning_rate=0.2,
            random_state=random_state,
            deterministic=True,
            force_row_wise=True,
            n_jobs=1,
            verbose=-1,
        )

    def _trees(self):
        return booster_trees(self.regressor_.booster_, np.zeros(1))


def _import_lightgbm():
    try:
        import lightgbm
    except ModuleNotFoundError as error:
        raise ImportError(
            "a boosted student needs LightGBM: pip install 'skdistill[boosting]'"
        ) from error
    return lightgbm
