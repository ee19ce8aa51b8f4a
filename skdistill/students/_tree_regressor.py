"""A shallow decision tree as a student of numbers."""

import numpy as np

from ..conversion._students import single_tree
from ._tree import check_tree_parameters, grow_tree
from ._trees_regressor import TreesStudentRegressor


class TreeStudentRegressor(TreesStudentRegressor):
    r"""Decision tree of numbers, grown on what a teacher predicts.

    Structure and leaves minimise the squared error to the mixture :math:`\alpha t +
    (1 - \alpha) y` of the teacher's predictions and the true values, which is the
    objective of `RegressionTargets` with `SquaredLoss` but for a constant. Rows without
    a true value weigh :math:`\alpha`. Categories are ordered by `OrderingEncoder`;
    missing values are routed as scikit-learn's trees route them. These read numbers as
    float32: subtract the first from times in seconds and the like.

    Use it where a person must read the model. It keeps less of the teacher's skill
    than a network.

    Parameters
    ----------
    max_leaf_nodes : int or None, default=64
        Most leaves; they are split best first.
    max_depth : int or None, default=None
        Largest depth.
    min_samples_leaf : float, default=1
        Least total sample weight of a leaf; a row without weights counts 1, and
        weights of less than 1 on average are raised to that.
    random_state : int, RandomState or None, default=None
        Breaks ties between equally good splits.

    Attributes
    ----------
    encoder_ : OrderingEncoder
        Numbers the categories.
    tree_ : sklearn.tree.DecisionTreeRegressor
        The grown tree.
    scorer_ : skdistill.runtime.Scorer
        Scores rows, without what the student was fitted with.
    n_features_in_ : int
        Number of columns of the training table.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where they are strings.

    See Also
    --------
    MLPStudentRegressor : A network: closer to the teacher, and no slower.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skdistill.students import TreeStudentRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> student = TreeStudentRegressor(max_leaf_nodes=8, random_state=0).fit(X, y)
    >>> round(student.score(X, y), 2)
    0.51
    """

    def __init__(
        self, max_leaf_nodes=64, max_depth=None, min_samples_leaf=1, random_state=None
    ):
        self.max_leaf_nodes = max_leaf_nodes
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.random_state = random_state

    def check_parameters(self):
        """Raise ValueError if a parameter is out of range."""
        check_tree_parameters(self)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _fit_trees(self, numbers, values, sample_weight):
        # A tree of scikit-learn splits nothing whose variance is below 2e-16. Powers
        # of two change no digit.
        _, exponent = np.frexp(values.std())
        values = np.ldexp(values, -exponent)
        self.tree_ = grow_tree(self, numbers, values, sample_weight)
        found = self.tree_.tree_
        found.value[:] = np.ldexp(found.value, exponent)
        found.impurity[:] = np.ldexp(found.impurity, 2 * exponent)

    def _trees(self):
        return single_tree(self.tree_, self.tree_.tree_.value[:, :, 0])
