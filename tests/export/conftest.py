"""Models to export: fitted networks, and networks and trees drawn at random."""

import shutil
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

from skdistill import SoftTargets
from skdistill.runtime import (
    CategoryColumn,
    EncoderSpec,
    ModelSpec,
    NetworkSpec,
    NumberColumn,
    TreeEnsembleSpec,
)
from skdistill.students import MLPStudentClassifier

LEVELS = ("a", "b*/", "c ??/", "A", "\u00e4", "d\\", '"', "/*", "unseen", "")
CLASSES = [
    np.array([False, True]),
    np.array(["*/", "\u00e4", "c"]),
    np.arange(5) - 2,
    np.array([0.5, 1.5]),
]
THRESHOLDS = [0.0, -0.0, 0.1, 0.5, 1.0, 1e-50, -1e-50, 1e300, -1e300, np.inf, -np.inf]


@pytest.fixture(scope="session")
def compiler():
    found = shutil.which("cc")
    if found is None:
        pytest.skip("no C compiler 'cc'")
    return found


def _table(n_samples):
    """A table of every kind of column."""
    rng = np.random.default_rng(1)
    levels = np.array(["red", "green", "", "x, y", None], dtype=object)
    cities = [f"city {i % 97}" for i in rng.permutation(n_samples)]
    number = rng.normal(size=n_samples)
    return pd.DataFrame(
        {
            "a number": np.where(rng.random(n_samples) < 0.2, np.nan, number),
            # In steps that float32 has there.
            "time": 1.7e9 + 128 * rng.integers(0, 10**4, n_samples),
            "flag": rng.random(n_samples) < 0.5,
            "colour": levels[rng.integers(0, 4, n_samples)],
            "sky": levels[rng.choice([0, 1, 3, 4], n_samples)],
            "city": pd.Categorical(cities),
            "constant": 3.5,
            "gone": np.nan,
        }
    )


def _fit(X, y):
    return MLPStudentClassifier((8, 5), n_steps=60, random_state=0).fit(X, y)


def _students():
    """Networks and their tables, by name; made when they are asked for."""
    iris, kinds = load_iris(return_X_y=True)
    table = _table(1500)
    sign = table["a number"].fillna(0).to_numpy() + table["flag"].to_numpy()
    three = np.digitize(sign, [-0.2, 0.8])
    logits = np.eye(3)[three] * 2 + np.random.default_rng(0).normal(size=(1500, 3))
    soft = SoftTargets(logits, three, np.array(["u", "v", "w"]), 1.0, 0.9)
    binary = SoftTargets(logits[:, 1:], None, np.array([-1, 4]), 1.0, 1.0)
    return {
        "integers": lambda: (_fit(iris, kinds), iris),
        "strings": lambda: (_fit(iris, np.array(list("xyz"))[kinds]), iris),
        "whole floats": lambda: (_fit(iris[:100], kinds[:100] + 1.0), iris),
        "booleans": lambda: (_fit(iris, kinds == 1), iris),
        "mixed, three classes": lambda: (_fit(table, soft), table),
        "mixed, two classes": lambda: (_fit(table, binary), table),
    }


@pytest.fixture(scope="session", params=_students())
def student(request):
    """One of the fitted networks, and its table."""
    return _students()[request.param]()


@pytest.fixture(scope="session")
def iris_spec():
    return _students()["integers"]()[0].to_spec()


def _number(rng, name):
    offset = rng.choice([0.0, 0.0, 1.7e9, -1e-20])
    scale = rng.choice([1.0, 1e-3, 100.0]) * max(1.0, abs(offset) / 1e3)

    def ends(size):
        return np.unique(offset + scale * rng.normal(size=size))

    knots = ends(rng.choice([0, 2, 3, 8]))
    edges = ends(rng.choice([0, 2, 3, 12]))
    fill = float(offset + scale * rng.normal())
    low, high = offset - 2 * scale, offset + 2 * scale
    scores = rng.normal(size=len(knots))
    marks = bool(rng.random() < 0.5)
    return NumberColumn(name, low, high, fill, knots, scores, edges, marks)


def _category(rng, name):
    levels = LEVELS[: rng.integers(0, len(LEVELS) + 1)]
    n_slots, n_means = rng.integers(0, min(4, len(levels) + 3)), rng.integers(0, 3)
    slots = rng.integers(-1, n_slots, size=len(levels) + 2)
    means = rng.normal(size=(len(levels) + 2, n_means)).astype(np.float32)
    return CategoryColumn(name, levels, slots, int(n_slots), means)


def _columns(rng):
    kinds = [_number, _category] if rng.random() < 0.7 else [_number]
    count = rng.integers(1, 7)
    return tuple(rng.choice(kinds)(rng, f"column {j}*/") for j in range(count))


def _draw_network(seed):
    rng = np.random.default_rng(seed)
    columns = _columns(rng)
    width = max(1, sum(column.width for column in columns))
    classes = CLASSES[rng.integers(len(CLASSES))]
    n_outputs = len(classes) if len(classes) > 2 else rng.integers(1, 3)
    sizes = [width, *rng.integers(1, 9, size=rng.integers(0, 4)), n_outputs]
    weights = tuple(
        (rng.normal(size=shape) / np.sqrt(shape[0])).astype(np.float32)
        for shape in pairwise(sizes)
    )
    biases = tuple(rng.normal(size=size).astype(np.float32) for size in sizes[1:])
    mean = rng.random(width).astype(np.float32)
    return ModelSpec(NetworkSpec(EncoderSpec(columns, mean), weights, biases), classes)


def _draw_trees(seed):
    rng = np.random.default_rng(seed)
    columns, classes = _columns(rng), CLASSES[rng.integers(len(CLASSES))]
    averages = bool(rng.random() < 0.3)
    single = len(classes) == 2 and not averages and rng.random() < 0.5
    n_outputs = 1 if single else len(classes)
    width = int(rng.choice([1, n_outputs]))
    n_nodes, n_leaves = rng.integers(0, 40), rng.integers(1, 30)
    n_trees = rng.integers(0, 7)
    features = rng.integers(len(columns), size=n_nodes).astype(np.int32)
    numeric = np.array([column.is_numeric for column in columns])[features]
    n_sets = rng.integers(1, 6)
    sets = np.where(numeric, -1, rng.integers(n_sets, size=n_nodes))
    thresholds = rng.choice(THRESHOLDS, size=n_nodes)
    thresholds[::2] = rng.normal(size=len(thresholds[::2]))
    thresholds[~numeric] = np.nan
    # Any later node may be a child, so that nodes are shared, also between trees.
    children = [
        [
            rng.integers(node + 1, n_nodes)
            if node + 1 < n_nodes and rng.random() < 0.7
            else rng.integers(-n_leaves, 0)
            for _ in range(2)
        ]
        for node in range(n_nodes)
    ]
    leaves = rng.random((n_leaves, width)) / max(n_trees, 1)
    trees = TreeEnsembleSpec(
        columns=columns,
        base=rng.random(n_outputs) / 10,
        roots=rng.integers(-n_leaves, max(n_nodes, 1), size=n_trees).astype(np.int32)
        if n_nodes
        else rng.integers(-n_leaves, 0, size=n_trees).astype(np.int32),
        outputs=rng.integers(n_outputs - width + 1, size=n_trees).astype(np.int32),
        features=features,
        thresholds=thresholds,
        missing_left=rng.random(n_nodes) < 0.5,
        sets=sets.astype(np.int32),
        children=np.array(children, np.int32).reshape(-1, 2),
        leaves=leaves if averages else leaves * 10 - 5,
        level_sets=rng.integers(2**32, size=(n_sets, 1), dtype=np.uint32),
        probabilities=averages,
    )
    return ModelSpec(trees, classes)


@pytest.fixture(scope="session")
def draw_network():
    """Makes a network of any shape and columns, of a seed."""
    return _draw_network


@pytest.fixture(scope="session")
def draw_trees():
    """Makes trees of any shape and columns, with shared nodes, of a seed."""
    return _draw_trees


@pytest.fixture(scope="session")
def tiny_trees():
    """One tree on x, whose last leaf only the float32 number above 0.3 reaches."""
    columns = (NumberColumn("x", 0.0, 1.0), NumberColumn("y", 0.0, 1.0))
    middle = float(np.nextafter(np.float32(0.3), np.float32(-np.inf)))
    trees = TreeEnsembleSpec(
        columns=columns,
        base=np.array([0.25]),
        roots=np.array([0], np.int32),
        outputs=np.array([0], np.int32),
        features=np.array([0, 0], np.int32),
        thresholds=np.array([middle, 0.30000002]),
        missing_left=np.array([True, False]),
        sets=np.array([-1, -1], np.int32),
        children=np.array([[-1, 1], [-3, -2]], np.int32),
        leaves=np.array([[-1.0], [2.0], [0.5]]),
        level_sets=np.empty((0, 0), np.uint32),
        probabilities=False,
    )
    return ModelSpec(trees, np.array(["no", "yes"]))


@pytest.fixture(scope="session")
def forest():
    """A forest of scikit-learn, what it is as a spec, and its table."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 4)).astype(np.float32)
    y = np.array(["a", "b", "c"])[np.digitize(X[:, 0] * X[:, 1], [-0.3, 0.3])]
    X[rng.random(X.shape) < 0.1] = np.nan
    model = RandomForestClassifier(7, max_leaf_nodes=20, random_state=0).fit(X, y)
    roots, features, thresholds, missing, children, leaves = [], [], [], [], [], []
    for tree in (estimator.tree_ for estimator in model.estimators_):
        inner = tree.children_left >= 0
        # Where each node of this tree is among the nodes, or the leaves, of all.
        at = np.where(
            inner,
            len(features) + np.cumsum(inner) - 1,
            -len(leaves) - np.cumsum(~inner),
        )
        roots.append(at[0])
        features += tree.feature[inner].tolist()
        thresholds += tree.threshold[inner].tolist()
        missing += tree.missing_go_to_left[inner].astype(bool).tolist()
        sides = np.stack([tree.children_left, tree.children_right], axis=1)
        children += at[sides[inner]].tolist()
        leaves += (tree.value[~inner, 0] / len(model.estimators_)).tolist()
    trees = TreeEnsembleSpec(
        columns=tuple(NumberColumn(f"x{j}", -4.0, 4.0) for j in range(4)),
        base=np.zeros(3),
        roots=np.array(roots, np.int32),
        outputs=np.zeros(len(roots), np.int32),
        features=np.array(features, np.int32),
        thresholds=np.array(thresholds),
        missing_left=np.array(missing),
        sets=np.full(len(features), -1, np.int32),
        children=np.array(children, np.int32),
        leaves=np.array(leaves),
        level_sets=np.empty((0, 0), np.uint32),
        probabilities=True,
    )
    return model, ModelSpec(trees, model.classes_), X
