import pickle
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skdistill.runtime import (
    CategoryColumn,
    ModelSpec,
    NumberColumn,
    TreeEnsembleSpec,
)


def ensemble(**changes):
    """Two trees: numeric root, then a categorical node; and a single leaf."""
    arrays = {
        "columns": (
            NumberColumn("x", -np.inf, np.inf),
            CategoryColumn("c", ("a", "b")),
        ),
        "base": np.array([0.5]),
        "roots": np.array([0, -4], np.int32),
        "outputs": np.array([0, 0], np.int32),
        "features": np.array([0, 1], np.int32),
        "thresholds": np.array([1.0, 0.0]),
        "missing_left": np.array([False, False]),
        "sets": np.array([-1, 0], np.int32),
        "children": np.array([[-1, 1], [-2, -3]], np.int32),
        "leaves": np.array([[1.0], [2.0], [4.0], [8.0]]),
        "level_sets": np.array([[0b1001]], np.uint32),  # a and missing go left
        "probabilities": False,
        **changes,
    }
    return TreeEnsembleSpec(**arrays)


def test_rows_end_in_their_leaves():
    rows = [[1, 0], [2, 0], [2, 1], [2, -1], [2, -2], [2, np.nan], [2, 7], [np.nan, 0]]
    leaves = [1, 2, 4, 2, 4, 2, 4, 2]
    np.testing.assert_array_equal(
        ensemble().outputs_of(np.array(rows))[:, 0], np.add(leaves, 8.5)
    )


def test_a_missing_number_goes_where_the_node_says():
    left = ensemble(missing_left=np.array([True, False]))
    assert left.outputs_of(np.array([[np.nan, 0.0]])) == 9.5


def test_leaves_may_have_several_values():
    spec = ensemble(
        base=np.zeros(3),
        outputs=np.array([1, 0], np.int32),
        leaves=np.array([[1.0, 10], [2, 20], [4, 40], [8, 80]]),
    )
    np.testing.assert_array_equal(
        spec.outputs_of(np.array([[0.0, 0.0]])), [[8.0, 81.0, 10.0]]
    )


def test_rows_are_independent_of_how_many_there_are():
    rows = np.random.default_rng(0).normal(size=(9000, 2))
    whole = ensemble().outputs_of(rows)
    parts = [ensemble().outputs_of(part) for part in np.array_split(rows, 7)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert ensemble().outputs_of(rows[:0]).shape == (0, 1)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1), shared=st.booleans())
def test_outputs_are_the_definition(random_trees, random_rows, seed, shared):
    spec = random_trees(seed, categorical=True, shared=shared, n_outputs=2)
    trees = spec.predictor
    rows = random_rows(spec, 20, np.float64, seed)
    expected = np.tile(trees.base, (20, 1))
    for row, sums in zip(rows, expected, strict=True):
        for root, output in zip(trees.roots, trees.outputs, strict=True):
            node = root
            while node >= 0:
                node = trees.children[node, 0 if goes_left(trees, node, row) else 1]
            sums[output] += trees.leaves[-1 - node, 0]
    np.testing.assert_array_equal(trees.outputs_of(rows), expected)


def goes_left(trees, node, row):
    value, column = row[trees.features[node]], trees.columns[trees.features[node]]
    if column.is_numeric:
        if np.isnan(value):
            return trees.missing_left[node]
        return value <= trees.thresholds[node]
    n_levels = len(column.levels)
    if np.isnan(value) or value == -1:
        code = n_levels + 1
    else:
        code = int(value) if 0 <= value < n_levels else n_levels
    return (int(trees.level_sets[trees.sets[node], code // 32]) >> (code % 32)) & 1


def test_averages_have_minus_infinity_for_the_logarithm_of_zero():
    spec = ModelSpec(
        ensemble(
            base=np.zeros(2),
            leaves=np.array([[1.0, 0], [0, 1], [0.5, 0.5], [0, 0]]),
            probabilities=True,
        ),
        np.array(["n", "y"]),
    )
    rows = np.array([[0.0, 0.0], [2.0, 1.0]])
    np.testing.assert_array_equal(spec.probabilities(rows), [[1, 0], [0.5, 0.5]])
    np.testing.assert_array_equal(spec.log_odds(rows)[0], [0, -np.inf])


def test_a_spec_can_be_copied():
    spec = pickle.loads(pickle.dumps(ensemble()))
    rows = np.zeros((1, 2))
    np.testing.assert_array_equal(spec.outputs_of(rows), ensemble().outputs_of(rows))


def test_without_nodes_there_are_only_leaves():
    spec = ensemble(
        roots=np.array([-1], np.int32),
        outputs=np.array([0], np.int32),
        **{
            name: np.empty((0, *getattr(ensemble(), name).shape[1:]), dtype)
            for name, dtype in {
                "features": np.int32,
                "thresholds": np.float64,
                "missing_left": bool,
                "sets": np.int32,
                "children": np.int32,
            }.items()
        },
        level_sets=np.empty((0, 0), np.uint32),
    )
    np.testing.assert_array_equal(spec.outputs_of(np.zeros((2, 2))), [[1.5], [1.5]])


BAD = [
    ({"base": np.array([0.5], np.float32)}, "Got base of type float32"),
    ({"base": np.zeros((1, 1))}, "Got base of .* shape"),
    ({"base": np.array(0.5)}, "Got base of .* shape"),
    ({"base": np.array([np.nan])}, "Got base with a number that is not finite"),
    ({"roots": np.array([0, -4])}, "Got roots of type int64"),
    ({"roots": np.array([0, 2], np.int32)}, "Got roots from 0 to 2"),
    ({"roots": np.array([0, -5], np.int32)}, "Got roots from -5 to 0"),
    ({"outputs": np.array([0], np.int32)}, "Got outputs of .* shape"),
    ({"outputs": np.array([0, 1], np.int32)}, "Got outputs from 0 to 1"),
    ({"outputs": np.array([0, -1], np.int32)}, "Got outputs from -1 to 0"),
    ({"features": np.array([0, 2], np.int32)}, "Got features from 0 to 2"),
    ({"features": np.array([0, -1], np.int32)}, "Got features from -1 to 0"),
    ({"features": np.array([[0, 1]], np.int32)}, "shape"),
    ({"thresholds": np.array([1.0])}, "Got thresholds of .* shape"),
    ({"thresholds": np.array([np.nan, 0.0])}, "Got a numeric node without a threshold"),
    ({"missing_left": np.array([0, 1])}, "Got missing_left of type int64"),
    ({"sets": np.array([-1, 1], np.int32)}, "Got sets from -1 to 1"),
    ({"sets": np.array([-2, 0], np.int32)}, "Got sets from -2 to 0"),
    ({"sets": np.array([0, 0], np.int32)}, "Got a set of levels for a numeric"),
    ({"sets": np.array([-1, -1], np.int32)}, "or none for a categorical"),
    ({"children": np.array([[-1, 1]], np.int32)}, "Got children of .* shape"),
    (
        {"children": np.array([[-1, 2], [-2, -3]], np.int32)},
        "Got children from -3 to 2",
    ),
    (
        {"children": np.array([[-1, 1], [-2, -5]], np.int32)},
        "Got children from -5 to 1",
    ),
    ({"children": np.array([[-1, 1], [0, -3]], np.int32)}, "Got a node before its par"),
    ({"children": np.array([[-1, 1], [1, -3]], np.int32)}, "Got a node before its par"),
    ({"leaves": np.zeros(4)}, "Got leaves of .* shape"),
    ({"leaves": np.array(1.0)}, "Got leaves of .* shape"),
    ({"leaves": np.zeros((4, 0))}, "Got leaf_width=0"),
    ({"base": np.zeros(0)}, "Got n_outputs=0"),
    ({"leaves": np.zeros((4, 2))}, "Got outputs from 0 to 0, but expected 0 to -1"),
    ({"leaves": np.full((4, 1), np.inf)}, "Got leaves with a number"),
    ({"leaves": np.zeros((4, 1), ">f8")}, "Got leaves of type >f8"),
    ({"level_sets": np.zeros((1, 1), np.int32)}, "Got level_sets of type int32"),
    ({"level_sets": np.zeros((1, 0), np.uint32)}, "Got level_sets of no words"),
    ({"level_sets": np.zeros(1, np.uint32)}, "Got level_sets of .* shape"),
    ({"columns": ()}, "Got features from 0 to 1"),
    (
        {
            "columns": (
                NumberColumn("x", 0.0, 1.0),
                CategoryColumn("c", tuple(str(i) for i in range(31))),
            )
        },
        "Got level_sets of 1 words, but expected a bit for each of 33 levels",
    ),
]


@pytest.mark.parametrize(("changes", "message"), BAD)
def test_what_does_not_fit_together_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        ensemble(**changes)


@pytest.mark.parametrize(
    "name", [f.name for f in fields(TreeEnsembleSpec) if f.type is np.ndarray]
)
@pytest.mark.parametrize("thing", [None, [1, 2], "text"])
def test_what_is_no_array_is_refused(name, thing):
    with pytest.raises(ValueError, match=f"Got {name} of type .* expected"):
        replace(ensemble(), **{name: thing})


@pytest.mark.parametrize(
    ("classes", "changes"),
    [
        (np.arange(3), {}),
        (np.zeros((2, 1)), {}),
        (np.arange(2), {"probabilities": True}),
    ],
)
def test_there_is_a_class_for_each_output(classes, changes):
    with pytest.raises(ValueError, match="Got classes of shape"):
        ModelSpec(ensemble(**changes), classes)
