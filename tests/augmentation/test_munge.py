import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors

from skdistill._columns import learn_columns, read_columns
from skdistill.augmentation import MarginalSwap, Munge
from skdistill.augmentation._base import Table
from skdistill.augmentation._nearest_rows import (
    MAX_WIDTH,
    _Embedding,
    _smallest,
    nearest_rows,
)

seeds = st.integers(0, 2**32 - 1)


def make_table(X):
    columns = learn_columns(X)
    return Table(columns, read_columns(X, columns))


def distances(embedded, a, b):
    return np.linalg.norm(embedded[a][:, None] - embedded[b], axis=2)


@given(seed=seeds, n_rows=st.integers(8, 400), width=st.integers(1, 6))
def test_neighbours_are_the_nearest_rows(seed, n_rows, width):
    X = np.random.default_rng(seed).normal(size=(n_rows, width))
    rows = np.arange(n_rows)
    found = nearest_rows(make_table(X), rows, 5, n_rows, np.random.default_rng(0))
    standard = np.clip((X - X.mean(axis=0)) / X.std(axis=0), -4, 4)
    expected, _ = NearestNeighbors(n_neighbors=5).fit(standard).kneighbors()
    own = np.linalg.norm(standard[:, None] - standard[found], axis=2)
    np.testing.assert_allclose(np.sort(own), expected, atol=2e-3)
    assert (found != rows[:, None]).all()


@given(
    seed=seeds,
    shape=st.tuples(st.integers(1, 5), st.integers(1, 30), st.integers(1, 40)),
    data=st.data(),
)
def test_smallest_scores_of_a_grid_are_found(seed, shape, data):
    n_smallest = data.draw(st.integers(1, shape[2]))
    # Few distinct scores, so that there are ties.
    grid = np.random.default_rng(seed).integers(0, 50, shape).astype(np.float32)
    flat = grid.reshape(shape[0], -1)
    found = _smallest(grid, n_smallest)
    assert all(len(set(row)) == n_smallest for row in found.tolist())
    np.testing.assert_array_equal(
        np.sort(np.take_along_axis(flat, found, axis=1)), np.sort(flat)[:, :n_smallest]
    )


def test_categories_missing_values_and_outliers_have_their_distances():
    X = pd.DataFrame(
        {
            "x": [0.0, 0.0, 0.0, 0.0, 0.0, 0.0] + [0.0, 1e9] * 20,
            "missing": [1.0, np.nan] + [1.0] * 44,
            "level": ["a", "a", "b", None] + ["a"] * 42,
        }
    )
    table = make_table(X)
    embedded = _Embedding.of(table, np.random.default_rng(0)).embed(np.arange(len(X)))
    zero, one = np.array([0]), np.array([1, 2, 3])
    np.testing.assert_allclose(distances(embedded, zero, one), [[1, 1, 1]], rtol=1e-6)
    assert np.abs(embedded).max() <= 4


def test_rare_levels_are_not_told_apart(rng):
    levels = np.concatenate([np.repeat(np.arange(30), 3), np.arange(30, 60)])
    X = pd.DataFrame({"x": levels.astype(str)})
    embedded = _Embedding.of(make_table(X), rng).embed(np.arange(len(X)))
    assert embedded.shape[1] == 30
    np.testing.assert_array_equal(embedded[90:], 0)


def test_projections_of_wide_tables_keep_distances(rng):
    X = pd.DataFrame(rng.normal(size=(30, 3000)))
    X["level"] = rng.choice(["a", "b"], 30)
    table = make_table(X)
    embedding = _Embedding.of(table, rng)
    every = np.arange(30)
    projected = embedding.embed(every)
    exact = embedding._block(every, range(3001), 3002)
    assert projected.shape == (30, MAX_WIDTH)
    apart = ~np.eye(30, dtype=bool)
    ratio = distances(projected, every, every) / np.where(
        apart, distances(exact, every, every), 1
    )
    assert abs(ratio[apart] - 1).max() < 0.25
    assert abs(ratio[apart].mean() - 1) < 0.05


def test_equal_rows_are_no_neighbours():
    X = np.repeat([[0.0, 0.0], [1.0, 2.0], [5.0, 5.0]], 20, axis=0)
    every = np.arange(60)
    found = nearest_rows(make_table(X), every, 5, 60, np.random.default_rng(0))
    assert found.shape == (60, 2)
    assert (X[found] != X[:, None]).any(axis=2).all()


def test_zeros_and_missing_values_are_equal_whatever_their_bits():
    X = np.array([[0.0, np.nan], [-0.0, -np.nan], [1.0, np.nan], [2.0, 3.0]])
    assert len({row.tobytes() for row in X[:2]}) == 2
    found = nearest_rows(
        make_table(X), np.array([0, 1]), 3, 4, np.random.default_rng(0)
    )
    np.testing.assert_array_equal(np.sort(found), [[2, 3], [2, 3]])


@given(seed=seeds)
def test_a_reference_of_equal_rows_gets_another(seed):
    X = np.zeros((1000, 2))
    X[-1] = 1
    new = Munge(max_reference=2).sample(X, 1000, random_state=seed)
    # Each copy took one of the other row's cells, and the other one of these.
    assert (new.sum(axis=1) == 1).all()


@given(seed=seeds, swapped=st.floats(1e-6, 1))
def test_rows_differ_from_source_and_neighbour(seed, swapped):
    X = np.random.default_rng(seed).normal(size=(40, 3))
    new = Munge(swap_probability=swapped).sample(X, 80, random_state=seed)
    # No two rows of X share a value, so an equal row would be source or neighbour.
    assert not (new[:, None] == X).all(axis=2).any()
    # The cells come from two rows only.
    sources = [{int(np.argmax(X[:, j] == row[j])) for j in range(3)} for row in new]
    assert all(len(rows) == 2 for rows in sources)


def test_a_neighbour_that_differs_in_more_cells_is_preferred():
    X = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 0.1], [1.0, 1.0, 1.0]])
    new = Munge(n_neighbors=2).sample(X, 300, random_state=0)
    # Every row has a neighbour that differs in all cells.
    assert not (new[:, None] == X).all(axis=2).any()


def test_share_of_swapped_cells(rng):
    X = rng.normal(size=(2000, 10))
    new = Munge(swap_probability=0.5).sample(X, 2000, random_state=0)
    # The cells come from two rows each; of ten fair coins 6.23 fall on the same side.
    origin = [np.flatnonzero(cell == X)[0] // 10 for cell in new[:500].ravel()]
    most = [np.bincount(row).max() for row in np.reshape(origin, (500, 10))]
    assert np.mean(most) == pytest.approx(6.23, abs=0.2)


def test_correlations_are_kept_better_than_by_marginal_swaps(rng):
    latent = rng.normal(size=(2000, 2))
    X = latent @ rng.normal(size=(2, 6)) + 0.1 * rng.normal(size=(2000, 6))

    def change(sampler):
        new = sampler.sample(X, 4000, random_state=0)
        return np.abs(np.corrcoef(new.T) - np.corrcoef(X.T)).max()

    assert change(Munge(swap_probability=0.5)) < 0.02
    assert change(MarginalSwap(swap_probability=0.5)) > 0.2


def test_missing_values_stay_where_they_belong(rng):
    group = rng.integers(0, 2, 1000)
    X = np.stack([group * 10.0, rng.normal(size=1000), rng.normal(size=1000)], axis=1)
    X[group == 1, 1] = np.nan
    new = Munge().sample(X, 2000, random_state=0)
    np.testing.assert_array_equal(np.isnan(new[:, 1]), new[:, 0] == 10)


@pytest.mark.parametrize(
    "bad", [{"n_neighbors": 0}, {"n_neighbors": 1.5}, {"max_reference": 1}], ids=repr
)
def test_bad_parameters_are_named(bad):
    with pytest.raises(ValueError, match=f"Got {next(iter(bad))}=.*, but expected"):
        Munge(**bad).sample([[0.0], [1.0]], 5)
