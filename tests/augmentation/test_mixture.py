import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone

from skdistill.augmentation import MarginalSwap, Mixture, Munge
from skdistill.augmentation._mixture import _apportion


class Constant:
    """A sampler of another library."""

    def __init__(self, value):
        self.value = value

    def sample(self, X, n_samples, *, teacher=None, random_state=None):
        return np.full((n_samples, X.shape[1]), self.value)


@given(
    shares=st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=6),
    n_samples=st.integers(1, 10_000),
)
def test_counts_are_in_proportion_and_sum_up(shares, n_samples):
    counts = _apportion(shares, n_samples)
    assert sum(counts) == n_samples
    exact = n_samples * np.array(shares) / np.sum(shares)
    assert np.abs(counts - exact).max() < 1 + 1e-6


def test_shares_and_order_of_the_rows():
    X = np.arange(6).reshape(3, 2)
    new = Mixture([(Constant(1), 0.75), (Constant(2), 0.25)]).sample(X, 40)
    np.testing.assert_array_equal(new[:, 0], np.repeat([1, 2], [30, 10]))


def test_huge_and_tiny_shares():
    assert _apportion([1e308, 1e308], 4) == [2, 2]
    assert _apportion([5e-324, 5e-324], 4) == [2, 2]


def test_the_same_sampler_twice_draws_different_rows():
    X = np.random.default_rng(0).normal(size=(100, 5))
    new = Mixture([(Munge(), 1), (Munge(), 1)]).sample(X, 200, random_state=0)
    assert not np.array_equal(new[:100], new[100:])


def test_mixtures_nest_and_clone():
    inner = Mixture([(Munge(), 1), (MarginalSwap(), 1)])
    outer = clone(Mixture([(inner, 3), (MarginalSwap(0.1), 1)]))
    X = np.random.default_rng(0).normal(size=(20, 3))
    assert outer.sample(X, 7, random_state=0).shape == (7, 3)
    assert outer.samplers[0][0] is not inner
    assert repr(clone(outer)) == repr(outer)


@pytest.mark.parametrize(
    ("samplers", "message"),
    [
        ([], "Got samplers=.*, but expected a non-empty list"),
        (Munge(), "Got samplers=.*, but expected a non-empty list"),
        ([Munge()], "Got Munge.* in samplers, but expected a non-empty list"),
        ([(Munge, 1)], "in samplers, but expected an object with a method sample"),
        ([("munge", 1)], "Got 'munge' in samplers, but expected an object"),
        ([(Munge(), 0)], "Got share=0, but expected"),
        ([(Munge(), -1)], "Got share=-1, but expected"),
        ([(Munge(), np.nan)], "Got share=nan, but expected"),
        ([(Munge(n_neighbors=0), 1)], "Got n_neighbors=0, but expected"),
    ],
)
def test_bad_samplers_are_named(samplers, message):
    with pytest.raises(ValueError, match=message):
        Mixture(samplers).sample([[0.0], [1.0]], 5)
