"""Models for the tests of files and tables, made by numpy alone."""

from itertools import pairwise

import numpy as np

from skdistill.runtime import (
    CategoryColumn,
    EncoderSpec,
    ModelSpec,
    NetworkSpec,
    NumberColumn,
    TreeEnsembleSpec,
)


def columns(rng):
    """A column of every kind."""
    edges, knots = np.sort(rng.normal(size=5)), np.sort(rng.normal(size=3))
    slots = np.array([0, 1, -1, 2])
    means = rng.normal(size=(4, 2)).astype(np.float32)
    return (
        NumberColumn("x", -2.5, 3.0),
        NumberColumn("é\ud800\0,[", 0.0, 1.0, 0.5, knots, rng.normal(size=3), edges),
        NumberColumn("", np.nan, np.nan, marks_missing=True),
        CategoryColumn("level", ("a", "b"), slots, 3, means),
        CategoryColumn("flag", ("False", "True")),
    )


def network(rng, classes=("no", "yes"), hidden=(4, 3)):
    """A network of random weights; two classes have one output."""
    of_table = columns(rng)
    n_inputs = sum(column.width for column in of_table)
    mean = rng.normal(size=n_inputs).astype(np.float32)
    widths = [n_inputs, *hidden, len(classes) if len(classes) > 2 else 1]
    weights = tuple(
        rng.normal(size=shape).astype(np.float32) for shape in pairwise(widths)
    )
    biases = tuple(rng.normal(size=n).astype(np.float32) for n in widths[1:])
    predictor = NetworkSpec(EncoderSpec(of_table, mean), weights, biases)
    return ModelSpec(predictor, np.array(classes))


def trees(rng):
    """Two trees of three classes: three nodes, and a leaf alone."""
    predictor = TreeEnsembleSpec(
        columns=columns(rng),
        base=rng.normal(size=3),
        roots=np.array([0, -1], np.int32),
        outputs=np.array([1, 2], np.int32),
        features=np.array([1, 3, 0], np.int32),
        thresholds=np.array([0.5, np.nan, np.inf]),
        missing_left=np.array([True, False, False]),
        sets=np.array([-1, 0, -1], np.int32),
        children=np.array([[1, 2], [-1, -2], [-3, -4]], np.int32),
        leaves=rng.normal(size=(4, 1)),
        level_sets=np.array([[0b1010]], np.uint32),
        probabilities=False,
    )
    return ModelSpec(predictor, np.array([3, 1, 2]))


def tables(rng, n_samples=20):
    """Numbers and codes of the columns, some missing, unseen or out of range."""
    X = 3 * rng.normal(size=(n_samples, 5))
    X[:, 3:] = rng.integers(-2, 4, (n_samples, 2))
    X[rng.random((n_samples, 5)) < 0.2] = np.nan
    return X
