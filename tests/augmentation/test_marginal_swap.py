import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill.augmentation import MarginalSwap


def unique_cells(n_rows, n_columns):
    """Return a table whose cells say where they are from."""
    return np.arange(n_rows * n_columns).reshape(n_columns, n_rows).T


@pytest.mark.parametrize("swapped", [0.1, 0.3])
def test_share_of_swapped_cells(swapped):
    X = np.arange(20 * 4000).reshape(20, 4000).T  # a cell tells where it is from
    rows = MarginalSwap(swapped).sample(X, 4000, random_state=0) % 4000
    source = np.array([np.bincount(row).argmax() for row in rows])
    # Where chance swaps none of the 20 cells, one is swapped all the same.
    expected = swapped + (1 - swapped) ** 20 / 20
    assert (rows != source[:, None]).mean() == pytest.approx(expected, abs=0.01)


@given(seed=st.integers(0, 2**32 - 1))
def test_a_rare_other_row_is_found(seed):
    X = np.zeros((5000, 2))
    X[seed % 5000, 1] = 1
    new = MarginalSwap(0.5).sample(X, 5000, random_state=seed)
    assert (new[:, 0] == 0).all()
    assert new[:, 1].sum() == 4999


def test_marginals_are_kept(rng):
    X = rng.exponential(size=(5000, 3))
    new = MarginalSwap(1.0).sample(X, 20_000, random_state=0)
    np.testing.assert_allclose(new.mean(axis=0), X.mean(axis=0), rtol=0.03)
    assert np.abs(np.corrcoef(new.T) - np.eye(3)).max() < 0.03


def test_cells_that_have_to_change_are_from_all_rows():
    X = np.arange(200).reshape(2, 100).T
    rows = MarginalSwap(1e-6).sample(X, 1000, random_state=0) % 100
    assert len(np.unique(rows[:, 0])) == 100
    # Sources are alike frequent, so nothing else is if other rows are, too.
    assert np.bincount(rows.ravel(), minlength=100).max() < 50
