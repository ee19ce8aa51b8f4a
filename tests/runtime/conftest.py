import numpy as np
import pytest

from skdistill.runtime import (
    CategoryColumn,
    ModelSpec,
    NumberColumn,
    TreeEnsembleSpec,
)

LEVELS = (0, 1, 30, 31, 126, 127, 300, 2100)
"""Numbers of levels about which the kernel does something else."""


def _columns(rng, n_columns, categorical):
    columns = []
    for j in range(n_columns):
        if categorical and rng.random() < 0.4:
            levels = tuple(str(i) for i in range(rng.choice(LEVELS)))
            columns.append(CategoryColumn(f"c{j}", levels))
        else:
            columns.append(NumberColumn(f"c{j}", -np.inf, np.inf))
    return tuple(columns)


def _children(rng, first, n_nodes, n_leaves, shared):
    """Children of a tree's nodes; shared: any node may have several parents."""
    children = -1 - rng.integers(n_leaves, size=(n_nodes, 2))
    if shared:
        at = np.arange(n_nodes)[:, None] + rng.integers(1, 6, size=(n_nodes, 2))
        is_node = (rng.random((n_nodes, 2)) < 0.7) & (at < n_nodes)
        return np.where(is_node, first + at, children)
    free = []
    for node in range(n_nodes):
        if node:
            parent, side = free.pop(rng.integers(len(free)))
            children[parent, side] = first + node
        free += [(node, 0), (node, 1)]
    return children


def _thresholds(rng, n_nodes, n_distinct):
    pool = rng.normal(size=n_distinct)
    pool[::3] = pool[::3].astype(np.float32)
    special = np.array(
        [0.0, -0.0, 1e-35, 5e-324, 1e-320, 1e300, -1e300, np.inf, -np.inf, 3.4e38]
    )
    return np.where(
        rng.random(n_nodes) < 0.1,
        rng.choice(special, n_nodes),
        rng.choice(pool, n_nodes),
    )


@pytest.fixture(scope="session")
def random_trees():
    """Return a function that makes a random ensemble as a ModelSpec."""

    def make(
        seed,
        *,
        n_columns=3,
        n_trees=5,
        n_nodes=20,
        n_distinct=30,
        leaf_width=1,
        n_outputs=1,
        categorical=False,
        shared=False,
        probabilities=False,
        missing="any",
    ):
        rng = np.random.default_rng(seed)
        columns = _columns(rng, n_columns, categorical)
        sizes = rng.integers(0, n_nodes + 1, size=n_trees)
        starts = np.cumsum(sizes) - sizes
        n_leaves, total = int(sizes.sum()) + n_trees + 1, int(sizes.sum())
        roots = np.where(sizes > 0, starts, -1 - rng.integers(n_leaves, size=n_trees))
        children = [
            _children(rng, first, n, n_leaves, shared)
            for first, n in zip(starts, sizes, strict=True)
        ]
        features = rng.integers(n_columns, size=total)
        in_sets = np.array([not c.is_numeric for c in columns])[features]
        most = max(len(column.levels or ()) for column in columns) + 2
        thresholds = _thresholds(rng, total, n_distinct)
        left = {
            "any": rng.random(total) < 0.5,
            "none": np.zeros(total, bool),
            "all": np.ones(total, bool),
            "zero": thresholds >= 0,
        }[missing]
        predictor = TreeEnsembleSpec(
            columns=columns,
            base=rng.normal(size=n_outputs),
            roots=roots.astype(np.int32),
            outputs=rng.integers(
                n_outputs - leaf_width + 1, size=n_trees, dtype=np.int32
            ),
            features=features.astype(np.int32),
            thresholds=thresholds,
            missing_left=left,
            sets=np.where(in_sets, np.cumsum(in_sets) - 1, -1).astype(np.int32),
            children=np.concatenate([np.empty((0, 2), int), *children]).astype(
                np.int32
            ),
            leaves=(np.abs if probabilities else np.array)(
                rng.normal(size=(n_leaves, leaf_width))
            ),
            level_sets=rng.integers(
                2**32, size=(int(in_sets.sum()), -(-most // 32)), dtype=np.uint32
            ),
            probabilities=probabilities,
        )
        if probabilities:
            np.abs(predictor.base, out=predictor.base)
        n_classes = 2 if n_outputs == 1 and not probabilities else n_outputs
        return ModelSpec(predictor, np.arange(n_classes))

    return make


@pytest.fixture(scope="session")
def random_rows():
    """Return a function that makes rows about what an ensemble looks at."""

    def make(spec, n_rows, dtype, seed=0):
        rng = np.random.default_rng(seed)
        trees = spec.predictor
        rows = rng.normal(size=(n_rows, len(trees.columns)))
        for j, column in enumerate(trees.columns):
            if column.is_numeric:
                at = np.append(trees.thresholds[trees.features == j], [0.0, np.nan])
                near = [at, *(np.nextafter(at, to) for to in (-np.inf, np.inf))]
                near += [[np.inf, -np.inf, np.nan, 0.0, -0.0, 1e-45]]
            else:
                near = [np.arange(len(column.levels)), [-1, -2, -0.5, 0.5, np.nan]]
                near += [[len(column.levels) - 0.5, 1e9, np.inf, -np.inf]] * 2
            probed = rng.random(n_rows) < 0.9
            rows[probed, j] = rng.choice(np.concatenate(near), probed.sum())
        with np.errstate(over="ignore"):
            return rows.astype(dtype)

    return make
