"""What every sampler promises."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.tree import DecisionTreeClassifier

from skdistill._columns import learn_columns, read_columns, take_cells
from skdistill.augmentation import MarginalSwap, Mixture, Munge, SplitMidpoints
from skdistill.augmentation._base import Table, balanced_rows

SAMPLERS = [
    Munge(),
    Munge(n_neighbors=1, swap_probability=1.0, max_reference=2),
    MarginalSwap(),
    MarginalSwap(swap_probability=1.0),
    SplitMidpoints(),
    Mixture([(Munge(), 2), (MarginalSwap(), 1), (SplitMidpoints(), 1)]),
]


@pytest.fixture(params=SAMPLERS, ids=repr)
def sampler(request):
    return request.param


def mixed_pandas(seed, n_rows):
    """Return a frame with a column of each pandas type, some values missing."""
    rng = np.random.default_rng(seed)

    def with_missing(values, **options):
        values = pd.Series(values).astype(object)
        values[rng.random(n_rows) < 0.2] = None
        return pd.array(values.to_list(), **options)

    integers = rng.integers(-3, 4, n_rows)
    return pd.DataFrame(
        {
            "int8": integers.astype(np.int8),
            "uint64": rng.integers(0, 100, n_rows).astype(np.uint64),
            "float32": rng.normal(size=n_rows).astype(np.float32),
            "missing": np.where(rng.random(n_rows) < 0.3, np.nan, rng.random(n_rows)),
            "whole": np.where(rng.random(n_rows) < 0.3, np.nan, integers),
            "bool": rng.random(n_rows) < 0.5,
            "Int64": with_missing(integers, dtype="Int64"),
            "boolean": with_missing(rng.random(n_rows) < 0.5, dtype="boolean"),
            "arrow": with_missing(integers, dtype="int64[pyarrow]"),
            "string": rng.choice(["red", "green", "blue"], n_rows),
            "category": pd.Categorical(
                rng.choice(["x", "y"], n_rows), categories=["y", "unused", "x"]
            ),
            "ordered": pd.Categorical(
                rng.choice([1, 2], n_rows), categories=[3, 2, 1], ordered=True
            ),
            "constant": 7,
            "empty": np.full(n_rows, np.nan),
        },
        index=rng.integers(0, 5, n_rows),
    )


def mixed_polars(seed, n_rows):
    """Return a frame with a column of each polars type, some values missing."""
    rng = np.random.default_rng(seed)

    def column(values, dtype):
        missing = rng.random(n_rows) < 0.2
        values = np.asarray(values).tolist()
        return pl.Series(
            [None if m else v for v, m in zip(values, missing, strict=True)],
            dtype=dtype,
        )

    levels = rng.choice(["x", "y"], n_rows)
    return pl.DataFrame(
        {
            "int8": column(rng.integers(-3, 4, n_rows), pl.Int8),
            "float32": column(rng.normal(size=n_rows), pl.Float32),
            "float64": pl.Series(rng.normal(size=n_rows)),
            "bool": column(rng.random(n_rows) < 0.5, pl.Boolean),
            "string": column(levels, pl.String),
            "category": column(levels, pl.Categorical),
            "enum": column(levels, pl.Enum(["y", "unused", "x"])),
        }
    )


def mixed_array(seed, n_rows, dtype):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 9, size=(n_rows, 4)).astype(dtype)
    if np.dtype(dtype).kind == "f":
        X[rng.random(X.shape) < 0.1] = np.nan
    X[0] = 9  # so that not all rows are alike
    return X


seeds = st.integers(0, 2**32 - 1)
n_rows = st.integers(3, 40)
any_sampler = st.sampled_from(SAMPLERS)


def check_cells(X, new, within_range):
    """Each new cell occurs in its column or, where it may, lies in its range."""
    columns = learn_columns(X)
    tables = (read_columns(table, columns) for table in (X, new))
    for column, old, values in zip(columns, *tables, strict=True):
        assert np.isnan(old).any() or not np.isnan(values).any()
        old, values = old[~np.isnan(old)], values[~np.isnan(values)]
        if not (within_range and column.is_numeric):
            assert np.isin(values, old).all()
        elif len(values):
            assert old.min() <= values.min() <= values.max() <= old.max()
            if (old == np.floor(old)).all():
                np.testing.assert_array_equal(values, np.floor(values))


def draws_midpoints(sampler):
    return "SplitMidpoints" in repr(sampler)


@given(sampler=any_sampler, seed=seeds, n_rows=n_rows, n_samples=st.integers(1, 60))
def test_pandas_frames_keep_their_types(sampler, seed, n_rows, n_samples):
    X = mixed_pandas(seed, n_rows)
    before = X.copy()
    new = sampler.sample(X, n_samples, random_state=0)
    pd.testing.assert_frame_equal(X, before)
    assert isinstance(new, pd.DataFrame)
    assert len(new) == n_samples
    pd.testing.assert_series_equal(new.dtypes, X.dtypes)
    pd.testing.assert_index_equal(new.index, pd.RangeIndex(n_samples))
    for name in ("category", "ordered"):
        assert new[name].cat.categories.equals(X[name].cat.categories)
    check_cells(X, new, draws_midpoints(sampler))


@given(sampler=any_sampler, seed=seeds, n_rows=n_rows, n_samples=st.integers(1, 60))
def test_polars_frames_keep_their_types(sampler, seed, n_rows, n_samples):
    X = mixed_polars(seed, n_rows)
    new = sampler.sample(X, n_samples, random_state=0)
    assert isinstance(new, pl.DataFrame)
    assert new.height == n_samples
    assert new.schema == X.schema
    check_cells(X, new, draws_midpoints(sampler))


@given(
    sampler=any_sampler,
    seed=seeds,
    n_rows=n_rows,
    dtype=st.sampled_from(
        [np.float64, np.float32, np.float16, np.int64, np.uint8, bool, object]
    ),
)
def test_arrays_keep_their_type(sampler, seed, n_rows, dtype):
    X = mixed_array(seed, n_rows, dtype)
    if dtype is bool:
        X[1:] = False
    new = sampler.sample(X, 30, random_state=0)
    assert isinstance(new, np.ndarray)
    assert (new.shape, new.dtype) == ((30, 4), X.dtype)
    check_cells(X, new, draws_midpoints(sampler))


def test_arrays_of_strings_are_categories(sampler):
    X = np.array([["a", "x"], ["b", "y"], ["c", "z"]])
    new = sampler.sample(X, 20, random_state=0)
    assert new.dtype == X.dtype
    assert np.isin(new[:, 0], ["a", "b", "c"]).all()


@given(
    kind=st.sampled_from([Munge, MarginalSwap, SplitMidpoints]),
    swapped=st.floats(1e-6, 1),
    seed=seeds,
    shape=st.tuples(st.integers(2, 30), st.integers(1, 4)),
    n_values=st.integers(1, 3),
)
def test_every_row_differs_from_its_source(kind, swapped, seed, shape, n_values):
    generator = np.random.default_rng(seed)
    X = generator.integers(0, n_values, shape).astype(float)
    X[generator.random(shape) < 0.2] = np.nan
    X[0] = 9
    table = Table(columns := learn_columns(X), read_columns(X, columns))
    sources = balanced_rows(len(X), 50, generator)
    draw = kind(swap_probability=swapped)._draw
    new = take_cells(X, *draw(X, table, sources, None, generator))
    same = (new == X[sources]) | (np.isnan(new) & np.isnan(X[sources]))
    assert not same.all(axis=1).any()


@given(n_rows=st.integers(1, 20), n_samples=st.integers(1, 100), seed=seeds)
def test_rows_take_turns_as_sources(n_rows, n_samples, seed):
    sources = balanced_rows(n_rows, n_samples, np.random.default_rng(seed))
    counts = np.bincount(sources, minlength=n_rows)
    assert counts.sum() == n_samples
    assert counts.max() - counts.min() <= 1


def global_state():
    _, keys, position, *_ = np.random.get_state()  # noqa: NPY002 - it is looked at only
    return [*keys, position]


@given(sampler=any_sampler, seed=seeds)
def test_rows_are_deterministic(sampler, seed):
    X = mixed_pandas(0, 30)
    state = global_state()
    first = sampler.sample(X, 20, random_state=seed)
    np.testing.assert_array_equal(global_state(), state)
    second = clone(sampler).sample(X, 20, random_state=np.random.RandomState(seed))
    pd.testing.assert_frame_equal(first, second)


def test_seeds_matter(sampler):
    X = np.random.default_rng(0).normal(size=(50, 5))
    a, b = (sampler.sample(X, 50, random_state=seed) for seed in (0, 1))
    assert not np.array_equal(a, b)


def test_no_seed_draws_from_the_global_generator(sampler):
    X = np.random.default_rng(0).normal(size=(50, 5))
    state = global_state()
    a, b = sampler.sample(X, 50), sampler.sample(X, 50)
    assert not np.array_equal(a, b)
    assert not np.array_equal(global_state(), state)


def test_nothing_is_kept_of_the_table(sampler):
    before = set(vars(sampler))
    sampler.sample(mixed_pandas(0, 20), 5, random_state=0)
    assert set(vars(sampler)) == before
    sampler.sample(np.arange(6.0).reshape(3, 2), 5, random_state=0)


def test_parameters_are_stored_as_they_came(sampler):
    parameters = sampler.get_params(deep=False)
    again = type(sampler)(**parameters)
    for name, value in parameters.items():
        assert getattr(again, name) is value
    assert repr(clone(sampler)) == repr(sampler)
    assert repr(clone(sampler).set_params(**parameters)) == repr(sampler)


def test_columns_with_numbers_for_names_keep_them(sampler):
    X = pd.DataFrame([[1, "a"], [2, "b"], [3, "c"]])
    new = sampler.sample(X, 5, random_state=0)
    pd.testing.assert_index_equal(new.columns, X.columns, exact="equiv")


def test_one_column_is_enough(sampler):
    new = sampler.sample(np.array([[1], [2], [3]]), 9, random_state=0)
    assert new.shape == (9, 1)


def test_ten_thousand_levels_and_a_single_frequent_row(sampler):
    X = pd.DataFrame({"id": [f"id{i}" for i in range(10_000)], "x": 1})
    X = pd.concat([X, X.iloc[[0] * 100]], ignore_index=True)
    new = sampler.sample(X, 500, random_state=0)
    assert new["id"].isin(X["id"]).all()


def test_wide_tables(sampler):
    X = np.random.default_rng(0).normal(size=(60, 2000))
    new = sampler.sample(X, 20, random_state=0)
    assert new.shape == (20, 2000)


def test_huge_numbers_do_not_overflow(sampler):
    X = np.array([[-1.7e308, 1], [1.7e308, 2], [1.6e308, 3], [0, 4]])
    assert np.isfinite(sampler.sample(X, 50, random_state=0)).all()


def test_integers_beyond_floats_stay_what_they_are(sampler):
    X = np.array([[2**63 - 1, 0], [2**62 + 1, 1], [-(2**63), 2]])
    new = sampler.sample(X, 50, random_state=0)
    assert np.isin(new[:, 0], X[:, 0]).all()


@pytest.mark.parametrize(
    "X",
    [
        np.ones((1, 3)),
        np.ones((5, 3)),
        np.full((5, 2), np.nan),
        pd.DataFrame({"a": ["x", "x"], "b": [None, None]}),
        pl.DataFrame({"a": [1.0]}),
    ],
)
def test_tables_without_two_different_rows_are_refused(sampler, X):
    with pytest.raises(
        ValueError, match=r"Got X with . row.*, all alike, but expected"
    ):
        sampler.sample(X, 5)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.empty((0, 3)), "0 sample"),
        (pd.DataFrame({"a": []}), "0 sample"),
        (np.arange(3), "Expected 2D array"),
        (np.array([[np.inf], [1.0]]), "infinity"),
        (pd.DataFrame({"a": [np.inf, 1.0]}), "infinity"),
    ],
)
def test_bad_tables_are_refused(sampler, X, message):
    with pytest.raises(ValueError, match=message):
        sampler.sample(X, 5)


def test_dates_are_refused_by_name(sampler):
    X = pd.DataFrame({"when": pd.to_datetime(["2020-01-01", "2020-01-02"])})
    with pytest.raises(TypeError, match="'when'"):
        sampler.sample(X, 5)


@pytest.mark.parametrize(
    "bad",
    [
        {"n_samples": 0},
        {"n_samples": 2.5},
        {"n_samples": True},
        {"random_state": "seed"},
        {"random_state": -1},
        {"teacher": "lightgbm"},
        {"teacher": DecisionTreeClassifier},
    ],
    ids=repr,
)
def test_bad_arguments_are_named(sampler, bad):
    arguments = {"n_samples": 5, **bad}
    with pytest.raises(ValueError, match=rf"^Got {next(iter(bad))}=.*, but expected"):
        sampler.sample([[0.0], [1.0]], **arguments)


def test_teachers_must_be_fitted(sampler):
    with pytest.raises(NotFittedError, match=r"Got teacher=.*but expected a fitted"):
        sampler.sample([[0.0], [1.0]], 5, teacher=DecisionTreeClassifier())


@pytest.mark.parametrize("value", [0, -0.1, 1.1, np.nan, "half", True, None])
@pytest.mark.parametrize("kind", [Munge, MarginalSwap, SplitMidpoints])
def test_bad_probabilities_are_named(kind, value):
    with pytest.raises(ValueError, match=r"Got swap_probability=.*, but expected"):
        kind(swap_probability=value).sample([[0.0], [1.0]], 5)
