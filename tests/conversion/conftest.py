import numpy as np
import pytest


def _around(threshold):
    """A threshold and its neighbours among doubles and floats."""
    single = np.float32(threshold)
    down, up = np.float32(-np.inf), np.float32(np.inf)
    middles = [
        (np.float64(single) + np.float64(np.nextafter(single, to))) / 2
        for to in (down, up)
    ]
    near = [threshold, *middles]
    return [
        *near,
        *(np.nextafter(value, to) for value in near for to in (-np.inf, np.inf)),
        *(np.float64(v) for v in (single, np.nextafter(single, down))),
        np.float64(np.nextafter(single, up)),
    ]


@pytest.fixture(scope="session")
def probe():
    """Return rows whose numbers are thresholds, their neighbours and special ones."""

    def rows(spec, X, *, specials=(), codes=(), seed=0):
        trees, rng = spec.predictor, np.random.default_rng(seed)
        numeric = trees.sets < 0
        values = []
        for j, column in enumerate(trees.columns):
            if column.is_numeric:
                at = trees.thresholds[numeric & (trees.features == j)]
                at = rng.permutation(np.unique(at[np.isfinite(at)]))[:60]
                near = [value for t in at for value in _around(t)]
                values.append(np.array([0.0, *specials, *near]))
            else:
                values.append(np.array([*range(len(column.levels)), *codes], float))
        n_rows = max(1000, 2 * max(len(v) for v in values))
        Z = X[rng.integers(len(X), size=n_rows)].astype(np.float64)
        for j, column_values in enumerate(values):
            probed = rng.random(n_rows) < 0.6
            Z[probed, j] = np.resize(rng.permutation(column_values), n_rows)[probed]
        return Z

    return rows
