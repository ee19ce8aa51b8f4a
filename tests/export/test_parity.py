import json
from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import coo_array

from skdistill.export import ParityCertificate, compare, parity_rows
from skdistill.runtime import CategoryColumn, EncoderSpec, ModelSpec, NetworkSpec
from skdistill.students import TreeStudentClassifier

seeds = st.integers(0, 2**32 - 1)
GOOD = ParityCertificate(10, 1e-6, 1e-7, 1, 1e-5)


def test_a_certificate_survives_json():
    fields = json.loads(json.dumps(GOOD.as_dict()))
    assert ParityCertificate.from_dict(fields) == GOOD


@pytest.mark.parametrize(
    "fields",
    [
        {},
        None,
        [1, 2],
        {**GOOD.as_dict(), "more": 1},
        {**GOOD.as_dict(), "rows": -1},
        {**GOOD.as_dict(), "largest": float("nan")},
        {**GOOD.as_dict(), "mean": float("inf")},
        {**GOOD.as_dict(), "label_flips": "1"},
        {**GOOD.as_dict(), "tolerance": None},
    ],
)
def test_what_is_no_certificate_is_refused(fields):
    with pytest.raises(ValueError, match=r"Got .* parity certificate.*, but expected"):
        ParityCertificate.from_dict(fields)


@given(seed=seeds, tolerance=st.floats(1e-9, 0.1))
def test_the_largest_difference_decides(seed, tolerance):
    rng = np.random.default_rng(seed)
    expected = rng.dirichlet(np.ones(3), size=20)
    got = expected + rng.uniform(-tolerance, tolerance, size=expected.shape)
    largest = np.abs(got - expected).max()
    found = compare(expected, got, tolerance=largest)
    assert (found.rows, found.largest, found.tolerance) == (20, largest, largest)
    assert found.mean == pytest.approx(np.abs(got - expected).mean())
    assert found.label_flips == (got.argmax(axis=1) != expected.argmax(axis=1)).sum()
    with pytest.raises(ValueError, match="but expected a difference of at most"):
        compare(expected, got, tolerance=np.nextafter(largest, 0))


@pytest.mark.parametrize("wrong", [0.7, np.nan, np.inf])
def test_the_error_says_where_the_difference_is(wrong):
    expected = np.full((4, 2), 0.5)
    got = expected.copy()
    got[2] = 0.5000001, wrong
    rows = np.arange(8.0).reshape(4, 2)
    message = (
        rf"Got a probability of {wrong} instead of 0.5 .* class yes in row 2 "
        r"\(age=4.0, income=5.0\)"
    )
    with pytest.raises(ValueError, match=message):
        compare(
            expected, got, classes=["no", "yes"], rows=rows, names=["age", "income"]
        )
    with pytest.raises(ValueError, match=r"of class 1 in row 2 \(x0=4.0, x1=5.0\), "):
        compare(expected, got, rows=rows)
    with pytest.raises(ValueError, match=r"of class 1 in row 2, but"):
        compare(expected, got)


@pytest.mark.parametrize("shape", [(4, 3), (3, 2), (4,), (0, 2)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="Got probabilities of shape"):
        compare(np.zeros((4, 2)), np.zeros(shape))
    with pytest.raises(ValueError, match="Got probabilities of shape"):
        compare(np.zeros((0, 2)), np.zeros((0, 2)))


@pytest.mark.parametrize("tolerance", [-1, np.nan, np.inf, "1", True, None])
def test_a_wrong_tolerance_is_refused(tolerance):
    with pytest.raises(ValueError, match=r"Got tolerance=.* expected a non-negative"):
        compare(np.zeros((1, 1)), np.zeros((1, 1)), tolerance=tolerance)


@given(seed=seeds)
def test_rows_meet_every_value_at_which_a_model_changes(seed, draw_network, draw_trees):
    for spec in (draw_network(seed), draw_trees(seed)):
        rows = parity_rows(spec, n_rows=5)
        finite = np.where(np.isnan(rows), 0, rows)
        assert (finite.astype(np.float32) == finite).all()
        for j, column in enumerate(spec.columns):
            values = set(rows[:, j].tolist())
            assert np.isnan(rows[:, j]).any()
            if not column.is_numeric:
                assert values >= set(range(-2, len(column.levels)))
                continue
            assert min(values) < column.low <= column.high < max(values)
            for end in np.float32([*column.knots, *column.edges]):
                around = (np.nextafter(end, np.float32(s)) for s in (-np.inf, np.inf))
                assert values >= {float(end), *map(float, around)}


@given(seed=seeds)
def test_rows_meet_thresholds_and_their_neighbours(seed, draw_trees):
    spec = draw_trees(seed)
    trees, rows = spec.predictor, parity_rows(spec, n_rows=5)
    for node in np.flatnonzero(trees.sets < 0):
        threshold = trees.thresholds[node]
        if abs(threshold) < 1e30:
            column = rows[:, trees.features[node]]
            column = column[~np.isnan(column)]
            left = column <= threshold
            between = column[~left].min(initial=np.inf) - column[left].max(
                initial=-np.inf
            )
            assert between <= 2 * np.spacing(np.float32(abs(threshold)))


@given(seed=seeds)
def test_rows_are_drawn_around_the_thresholds_of_columns_without_range(
    seed, draw_trees
):
    spec = draw_trees(seed)
    unlimited = tuple(
        replace(column, low=-np.inf, high=np.inf) if column.is_numeric else column
        for column in spec.columns
    )
    trees = replace(spec.predictor, columns=unlimited)
    usual = parity_rows(replace(spec, predictor=trees), n_rows=50)[:50]
    for j, column in enumerate(unlimited):
        if not column.is_numeric:
            continue
        thresholds = trees.thresholds[(trees.features == j) & (trees.sets < 0)]
        assert np.isfinite(usual[:, j]).all()
        if len(thresholds) and np.abs(thresholds).max() < 1e30:
            assert (usual[:, j] <= thresholds.min()).any()
            assert (usual[:, j] > thresholds.max()).any()


def test_rows_are_those_of_the_table(student):
    model, X = student
    spec = model.to_spec()
    rows = parity_rows(spec, X, n_rows=40)[:40]
    assert rows.shape == (40, X.shape[1])
    np.testing.assert_array_equal(rows, parity_rows(spec, X, n_rows=40)[:40])
    others = parity_rows(spec, X, n_rows=40, random_state=1)[:40]
    assert not np.array_equal(rows, others, equal_nan=True)
    if isinstance(X, pd.DataFrame):
        flags = np.unique(rows[:, 2])
        np.testing.assert_array_equal(flags, [0, 1])
        sky = spec.columns[4]
        assert set(rows[:, 4]) == set(range(-1, len(sky.levels)))


def test_frames_of_other_libraries_are_tables(adult, iris_spec):
    X = adult[0][["age", "hours_per_week", "education_num", "fnlwgt"]][:30]
    expected = parity_rows(iris_spec, X)
    np.testing.assert_array_equal(expected, parity_rows(iris_spec, pl.from_pandas(X)))
    assert set(expected[:30, 0]) == set(X["age"])


def test_sparse_matrices_are_tables(iris_spec):
    X = coo_array(np.eye(4))
    rows = parity_rows(iris_spec, X, n_rows=9)[:4]
    np.testing.assert_array_equal(rows, np.eye(4))


def test_columns_of_a_frame_are_found_by_their_names(tiny_trees):
    table = pd.DataFrame({"y": [0.5, 0.5], "x": [0.25, 0.25]})
    for frame in (table, pl.from_pandas(table)):
        assert parity_rows(tiny_trees, frame)[0].tolist() == [0.25, 0.5]


def test_a_column_of_many_thresholds_makes_no_endless_comparison(tiny_trees):
    trees, n_nodes = tiny_trees.predictor, 5000
    nodes = np.arange(n_nodes, dtype=np.int32)
    children = np.stack([np.full(n_nodes, -1), nodes + 1], axis=1)
    children[-1] = -1, -2
    trees = replace(
        trees,
        features=np.zeros(n_nodes, np.int32),
        thresholds=np.linspace(0, 1, n_nodes),
        missing_left=np.ones(n_nodes, dtype=bool),
        sets=np.full(n_nodes, -1, np.int32),
        children=children.astype(np.int32),
    )
    rows = parity_rows(replace(tiny_trees, predictor=trees))
    assert 1000 < len(rows) < 12_000
    assert np.unique(rows[1000:, 0]).size > 600


def test_lists_are_tables(iris_spec):
    rows = parity_rows(iris_spec, [[1, 2, 3, 4], [5, 6, 7, 8]], n_rows=9)
    assert sorted(rows[:2].tolist()) == [[1, 2, 3, 4], [5, 6, 7, 8]]


@pytest.mark.parametrize("shape", [(3, 5), (0, 4), (4,)])
def test_another_table_is_refused(shape, iris_spec):
    with pytest.raises(ValueError, match=r"Got X of shape .* row of 4 columns"):
        parity_rows(iris_spec, np.zeros(shape))


@pytest.mark.parametrize("n_rows", [0, -1, 1.5, True, "3", None])
def test_a_wrong_number_of_rows_is_refused(n_rows, iris_spec):
    with pytest.raises(
        ValueError, match=r"Got n_rows=.* expected an integer of at least 1"
    ):
        parity_rows(iris_spec, n_rows=n_rows)


def test_columns_without_numbers_are_no_obstacle(iris_spec):
    first = replace(iris_spec.predictor.columns[0], low=np.nan, high=np.nan)
    columns = (first, CategoryColumn("x", ()))
    weights = np.zeros((first.width, 3), np.float32), np.zeros(3, np.float32)
    encoder = EncoderSpec(columns, np.zeros(first.width, np.float32))
    network = NetworkSpec(encoder, weights[:1], weights[1:])
    rows = parity_rows(ModelSpec(network, iris_spec.classes))
    assert rows.shape[1] == 2
    assert set(np.unique(rows[~np.isnan(rows[:, 1]), 1])) == {-2, -1}


def test_trees_without_a_table_are_compared_on_both_sides_of_their_thresholds():
    X = np.random.default_rng(0).normal(size=(300, 3)) * [1, 1e-3, 1e30]
    spec = TreeStudentClassifier(random_state=0).fit(X, X.sum(axis=1) > 0).to_spec()
    rows = parity_rows(spec, n_rows=200)[:200]
    assert np.isfinite(rows).all()
    trees = spec.predictor
    for j in set(trees.features.tolist()):
        below = rows[:, j, None] <= trees.thresholds[trees.features == j]
        assert below.any(axis=0).all()
        assert not below.all(axis=0).any()
