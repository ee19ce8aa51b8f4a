import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csc_array, csc_matrix, csr_array, csr_matrix
from scipy.special import ndtri

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


@pytest.mark.parametrize("encoder", [TabularEncoder(), OrderingEncoder()])
def test_without_the_teacher_unlabelled_rows_change_no_code(encoder, adult, rng):
    X, y = adult
    codes = np.where(np.arange(len(y)) < 500, y == y[0], -1)
    targets = SoftTargets(rng.normal(size=(len(y), 2)), codes, alpha=0.0)
    both = encoder.fit(X, targets).transform(X)
    alone = encoder.fit(X[:500], targets[:500]).transform(X)
    np.testing.assert_array_equal(both, alone)


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


@given(
    seed=st.integers(0, 2**32 - 1),
    container=st.sampled_from([csr_matrix, csr_array, csc_matrix, csc_array]),
)
def test_sparse_tables_are_encoded_like_dense_ones(seed, container):
    rng = np.random.default_rng(seed)
    X = rng.integers(-3, 4, (60, 5)) * (rng.random((60, 5)) < [0, 0.1, 0.5, 1, 1])
    X = np.where(rng.random(X.shape) < 0.05, np.nan, X)
    y = np.arange(60) % 2
    weights = rng.integers(0, 3, 60)
    sparse = TabularEncoder().fit(container(X), y, weights).transform(container(X))
    dense = TabularEncoder().fit(X, y, weights).transform(X)
    np.testing.assert_array_equal(sparse, dense)


def many_levels(rng, n_levels=60, n_samples=3000):
    levels = rng.integers(0, n_levels, n_samples)
    z = np.sin(levels) + 0.1 * rng.normal(size=n_samples)
    X = pd.DataFrame({"x": levels.astype(str)})
    return X, SoftTargets(np.stack([np.zeros(n_samples), z], axis=1)), levels


def test_many_levels_also_have_the_mean_of_the_teacher(rng):
    X, targets, levels = many_levels(rng)
    encoder = TabularEncoder(max_levels=10).fit(X, targets)
    (column,) = encoder.columns_
    assert column.width == 10 + 1 + 1
    z = targets.logits[:, 1] - targets.logits[:, 1].mean()
    mass = np.bincount(levels)
    smoothed = np.bincount(levels, z) / (mass + 10)
    code = encoder.transform(X)[:, -1] + encoder.mean_[-1]
    np.testing.assert_allclose(
        code * smoothed[levels].std(), smoothed[levels], atol=1e-2
    )
    assert code.std() == pytest.approx(1, abs=1e-3)


def test_unseen_levels_have_the_overall_mean_and_missing_ones_their_own(rng):
    X, targets, levels = many_levels(rng)
    X.loc[levels == 8, "x"] = None  # sin(8) is nearly 1
    encoder = TabularEncoder(max_levels=10).fit(X, targets)
    new = pd.DataFrame({"x": ["new", None]})
    unseen, missing = encoder.transform(new)[:, -1] + encoder.mean_[-1]
    assert unseen == pytest.approx(0, abs=1e-6)
    assert missing > 1


def test_levels_of_few_rows_have_the_overall_mean(rng):
    levels = np.repeat(np.arange(200), [40] * 60 + [4] * 140).astype(str)
    z = rng.normal(size=len(levels))
    targets = SoftTargets(np.stack([0 * z, z], axis=1))
    (column,) = TabularEncoder().fit(pd.DataFrame({"x": levels}), targets).columns_
    frequent = np.isin(column.levels, np.arange(60).astype(str))
    assert column.means[:-2][frequent].all()
    assert not column.means[:-2][~frequent].any()


def test_every_class_has_a_mean(rng):
    X, _, levels = many_levels(rng)
    targets = SoftTargets(np.sin(levels[:, None] + np.arange(4)))
    (column,) = TabularEncoder().fit(X, targets).columns_
    assert column.means.shape == (62, 4)
    assert np.abs(column.means).max() <= 4


def test_plain_labels_are_not_averaged(rng):
    X, targets, _ = many_levels(rng)
    labels = (targets.logits[:, 1] > 0).astype(int)
    (column,) = TabularEncoder().fit(X, labels).columns_
    assert column.means.shape[1] == 0


def test_a_level_cannot_tell_a_row_its_own_target(rng):
    """Pure noise in two rows a level: nothing is left of it."""
    X = pd.DataFrame({"x": np.repeat(np.arange(500), 2).astype(str)})
    z = rng.normal(size=len(X))
    encoder = TabularEncoder().fit(X, SoftTargets(np.stack([0 * z, z], axis=1)))
    np.testing.assert_array_equal(encoder.transform(X), 0)


@pytest.mark.parametrize("encoder", [TabularEncoder(), OrderingEncoder()])
class TestTexts:
    """Strings that do not occur again."""

    def test_they_are_refused_by_name(self, encoder):
        X = pd.DataFrame({"fine": ["a", "b"] * 60, "id": np.arange(120).astype(str)})
        message = "Column 'id' holds 120 different values in 120 rows.*TfidfVectorizer"
        with pytest.raises(ValueError, match=message):
            encoder.fit(X, [0, 1] * 60)

    def test_rows_of_an_augmenter_do_not_hide_them(self, encoder):
        X = pd.DataFrame({"id": np.tile(np.arange(120), 6).astype(str)})
        labels = np.repeat([0, 1, -1], [60, 60, 600])
        targets = SoftTargets(np.zeros((720, 2)), labels)
        with pytest.raises(ValueError, match="Column 'id' holds 120 different values"):
            encoder.fit(X, targets)

    def test_few_of_them_are_rare_categories(self, encoder):
        X = pd.DataFrame({"name": np.arange(60).astype(str), "x": range(60)})
        assert np.isfinite(encoder.fit(X, [0, 1] * 30).transform(X)).all()

    def test_missing_ones_are_no_texts(self, encoder):
        X = pd.DataFrame({"x": [None] * 60 + ["a"] * 30 + ["b"] * 30})
        encoder.fit(X, [0, 1] * 60)


def test_wide_tables_keep_the_intervals_that_matter(rng):
    x = rng.normal(size=(300, 600))
    z = 3.0 * (x[:, 7] > 0) + x[:, 8]
    targets = SoftTargets(np.stack([0 * z, z], axis=1))
    encoder = TabularEncoder().fit(x, targets)
    intervals = np.array([column.n_intervals for column in encoder.columns_])
    assert 4000 < intervals.sum() <= 4096
    assert all(len(column.knots) for column in encoder.columns_)
    assert (intervals == 0).any()
    assert np.abs(encoder.columns_[7].edges).min() < 0.05
    (alone,) = TabularEncoder().fit(x[:, [8]], targets).columns_
    assert set(encoder.columns_[8].edges) < set(alone.edges)
    assert intervals[8] > 2
    np.testing.assert_allclose(encoder.transform(x).mean(axis=0), 0, atol=1e-5)


def test_many_rows_are_sampled_by_their_weights(rng):
    n_samples = 60_000
    x = np.concatenate([rng.random(n_samples), [50.0]])
    X = np.stack([x, x > 40, np.where(x > 40, x, np.nan)], axis=1)
    targets, weights = step_targets(x, 0.3), np.where(x < 0.5, 1.0, 0.1)
    weights[0] = 0
    encoder = TabularEncoder(n_bins=2).fit(X, targets, weights)
    number, flag, nearly_missing = encoder.columns_
    assert number.edges[1] == pytest.approx(0.3, abs=0.01)
    # A single row in the whole table is not lost, sampled or not.
    assert number.high == 50
    assert (flag.width, nearly_missing.width) == (1, 1)
    encoded = encoder.transform(X)
    mean = np.average(encoded, axis=0, weights=weights)
    np.testing.assert_allclose(mean, 0, atol=0.01)
    half = np.average(x[:-1] < 0.25, weights=weights[:-1])
    assert np.interp(0.25, number.knots, number.scores) == pytest.approx(
        ndtri(half), abs=0.05
    )


def test_one_bin_is_one_interval(rng):
    x = rng.random(200)
    (column,) = TabularEncoder(n_bins=1).fit(x[:, None], x > 0.5).columns_
    assert column.n_intervals == 1


@given(n_bins=st.integers(1, 12), seed=st.integers(0, 2**32 - 1))
def test_bins_are_never_more_than_asked_for(n_bins, seed):
    rng = np.random.default_rng(seed)
    x = rng.choice([rng.normal(size=90), rng.integers(0, 5, 90)])
    (column,) = TabularEncoder(n_bins=n_bins).fit(x[:, None], x > 0).columns_
    assert 1 <= column.n_intervals <= n_bins


def test_large_numbers_keep_their_differences():
    """Seconds since 1970 differ by less than float32 can tell."""
    x = 1.7e9 + np.arange(400.0)
    encoder = TabularEncoder(n_bins=2).fit(x[:, None], step_targets(x, x[100]))
    assert encoder.columns_[0].edges[1] == x[100] + 0.5


@pytest.mark.parametrize("largest", [1e300, np.finfo(float).max, 1e-280])
def test_extreme_numbers_are_encoded(largest):
    x = np.linspace(-1, 1, 101)[:, None] * largest
    encoded = TabularEncoder().fit(x, x[:, 0] > 0).transform(x)
    assert np.isfinite(encoded).all()
    assert len(np.unique(encoded[:, 0])) > 1


def test_a_missing_number_is_filled_with_the_median_not_the_value_after():
    x = np.array([0.0] * 90 + [1.0] * 5 + [2.0] * 5)
    encoder = TabularEncoder().fit(x[:, None], [0, 1] * 50)
    assert encoder.columns_[0].fill == 0


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
