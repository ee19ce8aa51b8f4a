import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill import SoftTargets
from skdistill.students import OrderingEncoder, TabularEncoder


def step_targets(x, threshold):
    p = np.where(x > threshold, 0.9, 0.1)
    return SoftTargets.from_proba(np.stack([1 - p, p], axis=1))


def test_columns_have_mean_zero(adult):
    encoded = TabularEncoder().fit_transform(*adult)
    assert encoded.dtype == np.float32
    np.testing.assert_allclose(encoded.mean(axis=0), 0, atol=1e-5)


def test_weights_are_repetitions(adult, rng):
    X, y = adult
    X, y = X.iloc[:300], y[:300]
    weights = rng.integers(0, 3, len(y))
    rows = np.repeat(np.arange(len(y)), weights)
    for encoder in (TabularEncoder(), OrderingEncoder()):
        weighted = encoder.fit(X, y, sample_weight=weights).transform(X)
        repeated = encoder.fit(X.iloc[rows], y[rows]).transform(X)
        np.testing.assert_allclose(weighted, repeated, atol=1e-5)


def test_edges_are_where_the_teacher_changes_its_mind(rng):
    x = rng.random(2000)
    encoder = TabularEncoder(n_bins=2).fit(x[:, None], step_targets(x, 0.3))
    edges = encoder.columns_[0].edges
    assert edges[1] == pytest.approx(0.3, abs=0.01)
    assert (edges[0], edges[-1]) == (x.min(), x.max())


@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(1e-3, 1e3))
def test_order_is_kept_and_the_range_is_clipped(seed, scale):
    rng = np.random.default_rng(seed)
    x = scale * rng.normal(size=(80, 1))
    encoder = TabularEncoder(n_bins=8).fit(x, x[:, 0] > np.median(x))
    grid = np.linspace(x.min() - scale, x.max() + scale, 50)[:, None]
    assert (np.diff(encoder.transform(grid), axis=0) >= -1e-6).all()
    ends = encoder.transform(np.array([[x.min()], [x.max()]]))
    beyond = encoder.transform(np.array([[-1e30], [1e30]]))
    np.testing.assert_array_equal(ends, beyond)


def test_missing_numbers_are_marked(rng):
    x = rng.normal(size=100)
    x[:20] = np.nan
    encoder = TabularEncoder().fit(x[:, None], rng.integers(0, 2, 100))
    marks = encoder.transform(x[:, None])[:, -1] + encoder.mean_[-1]
    np.testing.assert_allclose(marks, np.isnan(x), atol=1e-6)


def test_a_missing_number_where_none_was_is_the_median(rng):
    x = rng.normal(size=101)
    encoder = TabularEncoder().fit(x[:, None], rng.integers(0, 2, 101))
    a = encoder.transform(np.array([[np.nan], [np.median(x)]]))
    np.testing.assert_array_equal(a[0], a[1])


def test_levels_have_columns_and_rare_ones_share_one():
    levels = ["a"] * 50 + ["b"] * 40 + ["c"] * 2 + ["d"]
    X = pd.DataFrame({"x": levels})
    encoder = TabularEncoder().fit(X, [0, 1] * 46 + [0])
    codes = encoder.transform(pd.DataFrame({"x": ["a", "b", "c", "d", "new", None]}))
    codes = codes + encoder.mean_
    np.testing.assert_allclose(
        codes,
        [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1], [0, 0, 1], [0, 0, 1]],
        atol=1e-6,
    )


def test_an_unseen_level_without_rare_ones_is_no_level():
    X = pd.DataFrame({"x": ["a", "b"] * 50})
    encoder = TabularEncoder().fit(X, [0, 1] * 50)
    new = encoder.transform(pd.DataFrame({"x": ["new"]})) + encoder.mean_
    np.testing.assert_allclose(new, [[0, 0]], atol=1e-6)


def test_most_levels_are_limited(rng):
    X = pd.DataFrame({"x": rng.integers(0, 200, 20_000).astype(str)})
    encoder = TabularEncoder(max_levels=10).fit(X, rng.integers(0, 2, 20_000))
    assert encoder.columns_[0].width == 11


def test_constant_and_empty_columns_are_dropped():
    X = pd.DataFrame(
        {
            "constant": [1.0] * 4,
            "level": ["a"] * 4,
            "empty": [np.nan] * 4,
            "none": pd.Series([None] * 4, dtype="category"),
            "good": [1.0, 2.0, 3.0, 4.0],
        }
    )
    encoder = TabularEncoder().fit(X, [0, 0, 1, 1])
    assert [code.width > 0 for code in encoder.columns_] == [False] * 4 + [True]
    assert np.isfinite(encoder.transform(X)).all()


@pytest.mark.parametrize("parameters", [{"n_bins": 0}, {"max_levels": 0.5}])
def test_bad_parameters_are_named(parameters):
    with pytest.raises(ValueError, match=f"Got {next(iter(parameters))}="):
        TabularEncoder(**parameters).fit([[0.0], [1.0]], [0, 1])


def test_levels_are_ordered_by_the_teacher():
    X = pd.DataFrame({"x": list("abc") * 30})
    p = np.tile([0.5, 0.9, 0.1], 30)
    targets = SoftTargets.from_proba(np.stack([1 - p, p], axis=1))
    numbers = OrderingEncoder().fit_transform(X, targets)
    np.testing.assert_array_equal(numbers[:3, 0], [1, 2, 0])


def test_missing_and_unseen_levels_have_no_number():
    X = pd.DataFrame({"x": ["a", "b", None, "a"]})
    encoder = OrderingEncoder().fit(X, [0, 1, 1, 0])
    numbers = encoder.transform(pd.DataFrame({"x": ["new", None, "b"]}))
    np.testing.assert_array_equal(numbers[:, 0], [np.nan, np.nan, 1])
