"""scikit-learn's trees, forests and gradient boosting."""

import numpy as np
from scipy.special import logit
from sklearn.utils.validation import check_is_fitted

from ..runtime import ModelSpec, NumberColumn
from ._nodes import NO_SETS, Nodes
from ._rounding import thresholds_of_rounded


def tree_arrays(trees):
    """Put the nodes of scikit-learn's trees one after the other.

    Parameters
    ----------
    trees : list of sklearn.tree._tree.Tree
        Trees, ``estimator.tree_``.

    Returns
    -------
    nodes : Nodes
        Those that split, with thresholds for numbers that are not rounded to float32.
    roots : ndarray of shape (n_trees,), int64
        First node of each tree, or its only leaf.
    leaves : ndarray of shape (n_leaves,), int64
        Number of each leaf among all nodes of all trees.
    """

    def joined(name):
        return np.concatenate([getattr(tree, name) for tree in trees])

    sizes = np.array([tree.node_count for tree in trees])
    starts = np.cumsum(sizes) - sizes
    children = np.stack([joined("children_left"), joined("children_right")], axis=1)
    is_leaf = children[:, 0] < 0
    splits = ~is_leaf
    # What a node of scikit-learn is called here: nodes and leaves are counted apart.
    reference = np.where(
        splits, np.cumsum(splits) - 1, -np.cumsum(is_leaf, dtype=np.int64)
    )
    children = (children + np.repeat(starts, sizes)[:, None])[splits]
    nodes = Nodes(
        features=joined("feature")[splits],
        thresholds=thresholds_of_rounded(joined("threshold")[splits]),
        missing_left=joined("missing_go_to_left")[splits].astype(bool),
        sets=np.full(splits.sum(), -1),
        children=reference[children],
    )
    return nodes, reference[starts], np.flatnonzero(is_leaf)


def convert_tree(model):
    """Convert a `DecisionTreeClassifier` or an `ExtraTreeClassifier`."""
    check_is_fitted(model)
    return _average(model, [model])


def convert_forest(model):
    """Convert a `RandomForestClassifier` or an `ExtraTreesClassifier`."""
    check_is_fitted(model)
    return _average(model, model.estimators_)


def _average(model, estimators):
    if model.n_outputs_ != 1:
        raise TypeError(
            f"Got {type(model).__name__} of {model.n_outputs_} outputs, but expected "
            "a single-label classifier."
        )
    trees = [estimator.tree_ for estimator in estimators]
    nodes, roots, leaves = tree_arrays(trees)
    values = np.concatenate([tree.value[:, 0, :] for tree in trees])[leaves]
    ensemble = nodes.to_spec(
        number_columns(model),
        np.zeros(len(model.classes_)),
        roots,
        np.zeros(len(trees)),
        values / len(trees),
        NO_SETS,
        probabilities=True,
    )
    return ModelSpec(ensemble, model.classes_)


def convert_regression_tree(model):
    """Convert a `DecisionTreeRegressor` or an `ExtraTreeRegressor`."""
    check_is_fitted(model)
    return _average_numbers(model, [model])


def convert_regression_forest(model):
    """Convert a `RandomForestRegressor` or an `ExtraTreesRegressor`."""
    check_is_fitted(model)
    return _average_numbers(model, model.estimators_)


def _average_numbers(model, estimators):
    trees = [estimator.tree_ for estimator in estimators]
    nodes, roots, leaves = tree_arrays(trees)
    values = np.concatenate([tree.value[:, :, 0] for tree in trees])[leaves]
    return ModelSpec(
        nodes.to_spec(
            number_columns(model),
            np.zeros(model.n_outputs_),
            roots,
            np.zeros(len(trees)),
            values / len(trees),
            NO_SETS,
        )
    )


def convert_gradient_boosting_regressor(model):
    """Convert a `GradientBoostingRegressor`."""
    check_is_fitted(model)
    _check_init(model)
    constant = (
        0.0 if model.init == "zero" else float(np.ravel(model.init_.constant_)[0])
    )
    trees = [estimator.tree_ for estimator in model.estimators_.ravel()]
    nodes, roots, leaves = tree_arrays(trees)
    values = np.concatenate([tree.value[:, 0, 0] for tree in trees])[leaves]
    return ModelSpec(
        nodes.to_spec(
            number_columns(model),
            [constant],
            roots,
            np.zeros(len(trees)),
            values * model.learning_rate,
            NO_SETS,
        )
    )


def convert_gradient_boosting(model):
    """Convert a `GradientBoostingClassifier`."""
    check_is_fitted(model)
    n_outputs = model.estimators_.shape[1]
    # The exponential loss fits half of the log-odds.
    scale = 2.0 if model.loss == "exponential" else 1.0
    trees = [estimator.tree_ for estimator in model.estimators_.ravel()]
    nodes, roots, leaves = tree_arrays(trees)
    values = np.concatenate([tree.value[:, 0, 0] for tree in trees])[leaves]
    ensemble = nodes.to_spec(
        number_columns(model),
        _prior(model, n_outputs),
        roots,
        np.arange(len(trees)) % n_outputs,
        values * (model.learning_rate * scale),
        NO_SETS,
    )
    return ModelSpec(ensemble, model.classes_)


def _prior(model, n_outputs):
    """Log-odds that the trees are added to."""
    if model.init == "zero":
        return np.zeros(n_outputs)
    _check_init(model)
    eps = np.finfo(np.float64).eps
    prior = np.clip(model.init_.class_prior_, eps, 1 - eps)
    if n_outputs == 1:
        return logit(prior[1:])
    return np.log(prior) - np.log(prior).mean()


def _check_init(model):
    if model.init is not None and model.init != "zero":
        raise TypeError(
            f"Got {type(model).__name__}(init={model.init!r}), but expected None or "
            "'zero': another model's predictions are no constants."
        )


def number_columns(model):
    """Return the columns of a model that takes numbers only."""
    names = getattr(model, "feature_names_in_", None)
    if names is None:
        names = [f"x{j}" for j in range(model.n_features_in_)]
    return tuple(NumberColumn(str(name), -np.inf, np.inf) for name in names)


CONVERTERS = {
    "sklearn.DecisionTreeClassifier": convert_tree,
    "sklearn.ExtraTreeClassifier": convert_tree,
    "sklearn.RandomForestClassifier": convert_forest,
    "sklearn.ExtraTreesClassifier": convert_forest,
    "sklearn.GradientBoostingClassifier": convert_gradient_boosting,
    "sklearn.DecisionTreeRegressor": convert_regression_tree,
    "sklearn.ExtraTreeRegressor": convert_regression_tree,
    "sklearn.RandomForestRegressor": convert_regression_forest,
    "sklearn.ExtraTreesRegressor": convert_regression_forest,
    "sklearn.GradientBoostingRegressor": convert_gradient_boosting_regressor,
}
