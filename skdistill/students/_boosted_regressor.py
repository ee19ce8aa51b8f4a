"""A small boosted ensemble as a student of numbers."""

import numpy as np

from ..conversion._students import booster_trees
from ._boosted import booster_parameters, check_booster_parameters, import_lightgbm
from ._trees_regressor import TreesStudentRegressor


class BoostedStudentRegressor(TreesStudentRegressor):
    r"""Small LightGBM ensemble of numbers, fitted to what a teacher predicts.

    It minimises the squared error to the mixture :math:`\alpha t + (1 - \alpha) y` of
    the teacher's predictions and the true values, which is the objective of
    `RegressionTargets` with `SquaredLoss` but for a constant. Rows without a true value
    weigh :math:`\alpha`. Categories are ordered by `OrderingEncoder`.

    Use it where the runtime knows trees only, or where numbers have sharp thresholds.

    Parameters
    ----------
    n_estimators : int, default=30
        Trees.
    num_leaves : int, default=31
        Most leaves of each tree.
    learning_rate : float, default=0.2
        Shrinkage of each tree.
    min_samples_leaf : int, default=20
        Least number of rows in a leaf.
    reg_lambda : float, default=0.0
        Penalty on the squared values of the leaves.
    n_jobs : int, default=1
        Threads of LightGBM.
    random_state : int, RandomState or None, default=None
        Seeds LightGBM.

    Attributes
    ----------
    encoder_ : OrderingEncoder
        Numbers the categories.
    booster_ : lightgbm.Booster
        The trees.
    scorer_ : skdistill.runtime.Scorer
        Scores rows, without what the student was fitted with.
    n_features_in_ : int
        Number of columns of the training table.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where they are strings.

    Raises
    ------
    ImportError
        By `fit`, if LightGBM is not installed.

    See Also
    --------
    MLPStudentRegressor : A network, usually closer to the teacher.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skdistill.students import BoostedStudentRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> student = BoostedStudentRegressor(random_state=0)
    >>> bool(student.fit(X, y).score(X, y) > 0.7)
    True
    """

    def __init__(
        self,
        n_estimators=30,
        num_leaves=31,
        learning_rate=0.2,
        min_samples_leaf=20,
        reg_lambda=0.0,
        n_jobs=1,
        random_state=None,
    ):
        self.n_estimators = n_estimators
        self.num_leaves = num_leaves
        self.learning_rate = learning_rate
        self.min_samples_leaf = min_samples_leaf
        self.reg_lambda = reg_lambda
        self.n_jobs = n_jobs
        self.random_state = random_state

    def check_parameters(self):
        """Raise an error if a parameter is out of range or LightGBM is missing."""
        check_booster_parameters(self)

    def _fit_trees(self, numbers, values, sample_weight):
        if values.ndim > 1:
            raise ValueError(
                f"Got {values.shape[1]} outputs, but expected 1: "
                "as_student_regressor(LGBMRegressor()) fits an ensemble for each."
            )
        lightgbm = import_lightgbm()
        self.booster_ = lightgbm.train(
            {"objective": "regression", **booster_parameters(self)},
            lightgbm.Dataset(numbers, values, weight=sample_weight),
            num_boost_round=self.n_estimators,
        )

    def _trees(self):
        return booster_trees(self.booster_, np.zeros(1))
