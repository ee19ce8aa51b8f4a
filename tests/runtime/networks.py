"""Random networks with columns of every kind, and rows that are hard on them."""

from itertools import pairwise

import numpy as np

from skdistill.runtime import (
    CategoryColumn,
    EncoderSpec,
    ModelSpec,
    NetworkSpec,
    NumberColumn,
)

NONE = np.empty(0)


def increasing(rng, size, place, unit):
    """Increasing points, some of them close together."""
    steps = rng.exponential(size=size - 1) ** 3 + 1e-3
    return place + unit * np.concatenate([[0.0], np.cumsum(steps)])


def number_column(rng, n_knots=None, n_edges=None, place=None, unit=None):
    """A numeric column: straight, bent, in intervals, far from zero or constant."""
    n_knots = rng.choice([0, 2, 3, 40, 65]) if n_knots is None else n_knots
    n_edges = rng.choice([0, 2, 3, 9, 33, 140]) if n_edges is None else n_edges
    place = rng.choice([0.0, -3.0, 1.6e9]) if place is None else place
    unit = rng.choice([1.0, 1e-2, 1e4]) if unit is None else unit
    ends = sorted(rng.normal(size=2))
    knots = increasing(rng, n_knots, place, unit) if n_knots else NONE
    scores = np.sort(rng.normal(size=n_knots))
    edges = increasing(rng, n_edges, place, unit) if n_edges else NONE
    points = np.concatenate([knots, edges, place + unit * np.array(ends)])
    low, high = points.min(), points.max()
    return NumberColumn(
        f"x{rng.integers(1000)}",
        low,
        high,
        rng.uniform(low, high),
        knots,
        scores,
        edges,
        bool(rng.integers(2)),
    )


def category_column(rng):
    """A categorical column, with or without slots and means."""
    n_levels, n_means = rng.integers(0, 60), rng.integers(0, 3)
    n_slots = int(rng.integers(0, min(6, n_levels + 3)))
    return CategoryColumn(
        f"c{rng.integers(1000)}",
        tuple(f"level {i}" for i in range(n_levels)),
        rng.integers(-1, n_slots, n_levels + 2),
        n_slots,
        rng.normal(size=(n_levels + 2, n_means)).astype(np.float32),
    )


def layers(rng, widths):
    """Weights and biases that keep the size of activations."""
    weights = tuple(
        (rng.normal(size=shape) * (2 / max(shape[0], 1)) ** 0.5).astype(np.float32)
        for shape in pairwise(widths)
    )
    return weights, tuple(rng.normal(size=n).astype(np.float32) for n in widths[1:])


def model(rng, columns, hidden, n_outputs):
    """A model with random weights, whose activations are around 1."""
    width = sum(column.width for column in columns)
    mean = rng.uniform(0, 1, max(width, 1)).astype(np.float32)
    weights, biases = layers(rng, [len(mean), *hidden, n_outputs])
    network = NetworkSpec(EncoderSpec(tuple(columns), mean), weights, biases)
    return ModelSpec(network, np.arange(max(n_outputs, 2 if n_outputs == 1 else 1)))


def random_model(seed, n_columns, hidden, n_outputs):
    """A model whose columns are of all kinds."""
    rng = np.random.default_rng(seed)
    columns = [
        (number_column if rng.integers(3) else category_column)(rng)
        for _ in range(n_columns)
    ]
    return model(rng, columns, hidden, n_outputs)


def straight_model(seed, n_columns, hidden, n_outputs):
    """A model of raw columns."""
    rng = np.random.default_rng(seed)
    ends = np.array([-3.0, 3.0])
    columns = [
        NumberColumn(f"x{i}", -3.0, 3.0, 0.0, ends, ends) for i in range(n_columns)
    ]
    return model(rng, columns, hidden, n_outputs)


def rows_of(spec, n_rows, seed=0):
    """Rows inside and outside the training range, on points, missing and unseen."""
    rng = np.random.default_rng(seed)
    return np.column_stack(
        [np.empty((n_rows, 0)), *(_values_of(c, n_rows, rng) for c in spec.columns)]
    )


def _values_of(column, n_rows, rng):
    if not column.is_numeric:
        n_levels = len(column.levels)
        values = rng.integers(-3, n_levels + 2, n_rows).astype(float)
        values[rng.random(n_rows) < 0.1] = np.nan
        return values
    points = np.concatenate([column.knots, column.edges, [column.low, column.high]])
    kind = rng.integers(0, 10, n_rows)
    values = rng.uniform(column.low, column.high, n_rows)
    on_points = rng.choice(points, n_rows)
    values = np.where(kind < 3, on_points, values)
    values = np.where(kind == 3, np.nextafter(on_points, -np.inf), values)
    span = column.high - column.low
    values = np.where(
        kind == 4, column.low - span * rng.exponential(size=n_rows), values
    )
    values = np.where(
        kind == 5, column.high + span * rng.exponential(size=n_rows), values
    )
    return np.where(kind == 6, np.nan, values)
