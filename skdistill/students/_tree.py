"""A shallow decision tree as a student."""

import numpy as np
from scipy.sparse import issparse
from sklearn.tree import DecisionTreeRegressor
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from .._parameters import check_integer, check_number
from ..conversion._orders import split_levels
from ..conversion._students import single_tree
from ..runtime import ModelSpec
from ._base import counted_rows, group_optimum, objective_weights
from ._ordering import OrderingEncoder
from ._scored import ScoredStudentClassifier


class TreeStudentClassifier(ScoredStudentClassifier):
    r"""Decision tree grown on soft targets, with leaves that minimise the objective.

    The structure is grown by squared error on the mixture of the teacher's
    probabilities and the labels, :math:`\alpha \operatorname{softmax}(t) + (1 - \alpha)
    \operatorname{onehot}(y)`: the Gini criterion for soft labels. Each leaf then gets
    the log-odds that minimise the exact objective over its rows (see `SoftTargets`),
    drawn towards the distribution of all rows by `smoothing`, so that no class gets
    probability 0. Categories are ordered by `OrderingEncoder`; missing values are
    routed as scikit-learn's trees route them. These read numbers as float32: subtract
    the first from times in seconds and the like, or neighbours are not told apart.

    Use it where a person must read the model. It keeps less of the teacher's skill
    than a network.

    Parameters
    ----------
    max_leaf_nodes : int or None, default=64
        Most leaves; they are split best first.
    max_depth : int or None, default=None
        Largest depth.
    min_samples_leaf : float, default=5
        Least total weight of a leaf; a row without weights counts 1, and one without
        a label :math:`\alpha` times its weight. Weights of less than 1 on average over
        the rows with labels are raised to that.
    smoothing : float, default=1.0
        Weight of the distribution of all rows in every leaf, in rows.
    random_state : int, RandomState or None, default=None
        Breaks ties between equally good splits.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    encoder_ : OrderingEncoder
        Numbers the categories.
    tree_ : sklearn.tree.DecisionTreeRegressor
        The grown structure.
    leaf_log_odds_ : ndarray of shape (n_nodes, n_classes)
        Log-odds of each leaf, by the number of its node.
    scorer_ : skdistill.runtime.Scorer
        Scores rows, without what the student was fitted with.
    n_features_in_ : int
        Number of columns of the training table.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, where they are strings.

    See Also
    --------
    MLPStudentClassifier : A network: closer to the teacher, and no slower.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdistill.students import TreeStudentClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> TreeStudentClassifier(max_leaf_nodes=3, random_state=0).fit(X, y).score(X, y)
    0.96
    """

    def __init__(
        self,
        max_leaf_nodes=64,
        max_depth=None,
        min_samples_leaf=5,
        smoothing=1.0,
        random_state=None,
    ):
        self.max_leaf_nodes = max_leaf_nodes
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.smoothing = smoothing
        self.random_state = random_state

    def to_spec(self):
        """Return the fitted tree as plain arrays, without scikit-learn.

        Returns
        -------
        ModelSpec
        """
        check_is_fitted(self)
        log_odds = self.leaf_log_odds_
        if log_odds.shape[1] == 2:
            log_odds = log_odds[:, 1:] - log_odds[:, :1]
        tree = single_tree(self.tree_, log_odds)
        encoder = self.encoder_
        return ModelSpec(
            split_levels(tree, encoder.columns_, encoder.orders_), self.classes_
        )

    def check_parameters(self):
        """Raise ValueError if a parameter is out of range."""
        check_tree_parameters(self)
        check_number("smoothing", self.smoothing, 0)

    def _fit(self, X, targets, sample_weight):
        X, targets, weights = counted_rows(X, targets, sample_weight)
        weights = np.ones(len(targets)) if weights is None else weights
        growing = objective_weights(targets, weights)
        self.encoder_ = OrderingEncoder().fit(X, targets, growing)
        numbers = self.encoder_.transform(X)
        mixture = targets.mixture()
        # With two classes the second column says it all, in half the time.
        mixture = mixture[:, 1:] if mixture.shape[1] == 2 else mixture
        self.tree_ = grow_tree(self, numbers, mixture, growing)
        leaves = self.tree_.apply(numbers)
        n_nodes = self.tree_.tree_.node_count
        self.leaf_log_odds_ = group_optimum(
            leaves, n_nodes, targets, weights, self.smoothing
        )


def check_tree_parameters(student):
    """Raise ValueError if a parameter of the growing of a tree is out of range."""
    if student.max_leaf_nodes is not None:
        check_integer("max_leaf_nodes", student.max_leaf_nodes, 2)
    if student.max_depth is not None:
        check_integer("max_depth", student.max_depth, 1)
    check_number("min_samples_leaf", student.min_samples_leaf, 0, above=True)


def grow_tree(student, numbers, values, sample_weight):
    """Return a tree of scikit-learn, grown by squared error as a student wants it.

    Raises
    ------
    ValueError
        If a sparse table has missing values.
    """
    if issparse(numbers) and np.isnan(numbers.data).any():
        raise ValueError(
            f"Got missing values in a sparse table, on which {type(student).__name__} "
            "cannot split: pass X.toarray(), or another student."
        )
    tree = DecisionTreeRegressor(
        max_leaf_nodes=student.max_leaf_nodes,
        max_depth=student.max_depth,
        min_weight_fraction_leaf=min(
            student.min_samples_leaf / sample_weight.sum(), 0.5
        ),
        random_state=check_random_state(student.random_state),
    )
    return tree.fit(numbers, values, sample_weight=sample_weight)
