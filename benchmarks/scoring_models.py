"""Models of the scoring benchmark: the teacher, the students, and their weights."""

from itertools import pairwise

import numpy as np
from lightgbm import LGBMClassifier
from sklearn.datasets import make_classification

from skdistill.runtime import EncoderSpec, ModelSpec, NetworkSpec, NumberColumn

N_INPUTS = 50


def make_rows(n_rows, seed=0):
    """Rows and two classes that trees can learn."""
    return make_classification(
        n_rows, N_INPUTS, n_informative=20, n_clusters_per_class=8, random_state=seed
    )


def boosted(n_estimators, num_leaves):
    X, y = make_rows(20_000)
    model = LGBMClassifier(
        n_estimators=n_estimators, num_leaves=num_leaves, n_jobs=1, verbose=-1
    )
    return model.fit(X, y)


def network(hidden, n_outputs=1, column=None):
    """Network of random weights: what it says does not change what it costs."""
    rng = np.random.default_rng(0)
    column = column or raw_column
    columns = tuple(column(f"x{j}") for j in range(N_INPUTS))
    width = sum(column.width for column in columns)
    encoder = EncoderSpec(columns, np.zeros(width, np.float32))
    sizes = [width, *hidden, n_outputs]
    layers = [
        (rng.normal(size=(n_in, n_out)) / np.sqrt(n_in), rng.normal(size=n_out) / 10)
        for n_in, n_out in pairwise(sizes)
    ]
    weights, biases = zip(*layers, strict=True)
    spec = NetworkSpec(
        encoder,
        tuple(w.astype(np.float32) for w in weights),
        tuple(b.astype(np.float32) for b in biases),
    )
    return ModelSpec(spec, np.arange(max(2, n_outputs)))


def raw_column(name):
    """Column that is standardised and nothing else."""
    return NumberColumn(name, -9.0, 9.0, 0.0, np.array([-9.0, 9.0]), ENDS)


def binned_column(name):
    """Column with a piecewise-linear code of 32 intervals."""
    return NumberColumn(name, -9.0, 9.0, 0.0, edges=np.linspace(-9, 9, 33))


def default_column(name):
    """Column as the network student encodes it: 65 knots of its score, 33 edges."""
    knots = np.linspace(-9, 9, 65)
    return NumberColumn(
        name, -9.0, 9.0, 0.0, knots, np.tanh(knots), np.linspace(-8.9, 9, 33)
    )


ENDS = np.array([-2.0, 2.0])

STUDENTS = {
    "2x64": lambda: network((64, 64)),
    "2x128": lambda: network((128, 128)),
    "3x256": lambda: network((256, 256, 256)),
    "2x128, 7 classes": lambda: network((128, 128), 7),
    "2x64, 32 bins": lambda: network((64, 64), column=binned_column),
    "2x64, default code": lambda: network((64, 64), column=default_column),
    "2x128, 32 bins": lambda: network((128, 128), column=binned_column),
    "2x128, default code": lambda: network((128, 128), column=default_column),
    "3x256, 32 bins": lambda: network((256,) * 3, column=binned_column),
    "3x256, default code": lambda: network((256,) * 3, column=default_column),
}

ENSEMBLES = {
    "teacher 500x63": lambda: boosted(500, 63),
    "boosted 30x31": lambda: boosted(30, 31),
    "tree of 64": lambda: boosted(1, 64),
}
