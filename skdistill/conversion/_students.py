"""The trees inside of our own students."""

from dataclasses import replace

import numpy as np

from ._from_lightgbm import to_ensemble
from ._from_sklearn import number_columns, tree_arrays
from ._nodes import NO_SETS


def single_tree(estimator, values):
    """Return a tree of scikit-learn with values of its own.

    Parameters
    ----------
    estimator : fitted DecisionTreeRegressor or DecisionTreeClassifier
        The tree.
    values : ndarray of shape (n_nodes, n_outputs)
        What is added to each output in each node; only those of leaves are looked at.

    Returns
    -------
    TreeEnsembleSpec
    """
    nodes, roots, leaves = tree_arrays([estimator.tree_])
    base = np.zeros(values.shape[1])
    columns = number_columns(estimator)
    return nodes.to_spec(columns, base, roots, [0], values[leaves], NO_SETS)


def with_names(spec, names):
    """Return a model of trees with other names of its columns.

    Parameters
    ----------
    spec : ModelSpec
        Of a `TreeEnsembleSpec`.
    names : sequence of str
        As many as there are columns.

    Returns
    -------
    ModelSpec
    """
    columns = tuple(
        replace(column, name=str(name))
        for column, name in zip(spec.columns, names, strict=True)
    )
    return replace(spec, predictor=replace(spec.predictor, columns=columns))


def with_names_of(spec, table_names):
    """Return a model with the names of a table where LightGBM has replaced blanks.

    Parameters
    ----------
    spec : ModelSpec
        The model.
    table_names : sequence of str
        Names of the table's columns.

    Returns
    -------
    ModelSpec
        As it is if its names are others.
    """
    own = [column.name for column in spec.columns]
    names = [str(name) for name in table_names]
    if own == names or own != [name.replace(" ", "_") for name in names]:
        return spec
    return with_names(spec, names)


def booster_trees(booster, base):
    """Return a booster's trees.

    Parameters
    ----------
    booster : lightgbm.Booster
        Of any objective, without categorical features: its raw scores are meant.
    base : ndarray of shape (n_outputs,)
        What they are added to.

    Returns
    -------
    TreeEnsembleSpec
    """
    return replace(to_ensemble(booster, 1.0), base=base)
