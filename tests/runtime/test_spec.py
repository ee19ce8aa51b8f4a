import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill import SoftTargets
from skdistill.runtime import CategoryColumn, EncoderSpec, NumberColumn
from skdistill.students import TabularEncoder

NONE = np.empty(0)


def number(edges, knots=NONE, scores=NONE, fill=0.0, marks_missing=False):
    return NumberColumn("x", 0.0, 1.0, fill, knots, scores, edges, marks_missing)


def category(slots, n_slots, n_means=0):
    means = np.zeros((len(slots), n_means), dtype=np.float32)
    return CategoryColumn("x", ("a", "b"), np.array(slots), n_slots, means)


increasing = st.lists(
    st.floats(-1e9, 1e9).filter(lambda x: x == 0 or abs(x) > 1e-9),
    min_size=2,
    max_size=9,
    unique=True,
).map(lambda edges: np.array(sorted(edges)))


@given(edges=increasing, seed=st.integers(0, 2**32 - 1))
def test_the_code_is_the_formula(edges, seed):
    column = number(edges)
    rng = np.random.default_rng(seed)
    inside = rng.uniform(edges[0], edges[-1], 20)
    values = np.concatenate([inside, edges, [-1e30, 1e30, edges[0], edges[-1]]])
    code = np.empty((len(values), column.width), dtype=np.float32)
    column.encode(values, code)
    expected = ((values[:, None] - edges[:-1]) / np.diff(edges)).clip(0, 1)
    np.testing.assert_allclose(code, expected, atol=1e-5)


@given(edges=increasing)
def test_the_largest_numbers_are_no_exception(edges):
    edges = edges * 2.0**990  # which keeps neighbours apart
    column = number(edges)
    values = edges[[0, -1]]
    code = np.empty((2, column.width))
    column.encode(values, code)
    np.testing.assert_array_equal(code, [[0] * column.width, [1] * column.width])


def test_missing_numbers_are_filled_and_marked():
    column = number(np.array([0.0, 1.0]), fill=0.25, marks_missing=True)
    code = np.empty((2, 2))
    column.encode(np.array([np.nan, 0.5]), code)
    np.testing.assert_array_equal(code, [[0.25, 1], [0.5, 0]])


def read(column, values):
    """Values of a frame's column as its spec understands them, by the spec alone."""
    if column.is_numeric:
        return np.asarray(values, dtype=np.float64)
    position = {level: code for code, level in enumerate(column.levels)}
    return np.array(
        [-1 if value != value else position.get(value, -2) for value in values]
    )


def test_the_spec_alone_encodes_like_the_encoder(adult):
    X, y = adult
    proba = np.where(np.asarray(y == y[0])[:, None], [0.8, 0.2], [0.3, 0.7])
    encoder = TabularEncoder(max_levels=5).fit(
        X[:1500], SoftTargets.from_proba(proba[:1500])
    )
    spec = pickle.loads(pickle.dumps(encoder.to_spec()))
    assert [column.name for column in spec.columns] == list(X.columns)
    values = [read(column, X[column.name]) for column in spec.columns]
    np.testing.assert_array_equal(spec.encode(values, len(X)), encoder.transform(X))


def test_numbers_know_their_training_range():
    X = np.array([[np.nan, 3.0, np.nan], [1.0, -2.0, np.nan], [2.0, 0.0, np.nan]])
    spec = TabularEncoder().fit(X, [0, 1, 1]).to_spec()
    ranges = [(column.low, column.high) for column in spec.columns]
    np.testing.assert_array_equal(ranges, [(1, 2), (-2, 3), (np.nan, np.nan)])


def test_without_any_code_there_are_zeros():
    spec = EncoderSpec((category([-1, -1, -1, -1], 0),), np.zeros(1, np.float32))
    np.testing.assert_array_equal(
        spec.encode([np.array([0, 1, -1])], 3), np.zeros((3, 1))
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: number(np.array([0.0])), "Got 1 edge of column 'x'"),
        (lambda: number(np.array([0.0, 0.0])), "Got edges .* increasing"),
        (lambda: number(np.array([0.0, np.nan])), "Got edges .* increasing"),
        (lambda: number(np.zeros((2, 2))), "(?s)Got edges .* increasing"),
        (lambda: number(NONE, np.array([1.0, 0.0]), np.zeros(2)), "Got knots"),
        (lambda: number(NONE, np.array([0.0, 1.0]), np.zeros(3)), "Got scores of"),
        (lambda: number(NONE, fill=np.nan), "Got fill=nan"),
        (lambda: category([0, 1, 2], 3), "Got slots of shape"),
        (lambda: category([0, 1, 2, 2], 2), "Got slots of .* from 0 to 2"),
        (lambda: category([0, 1, -2, 0], 2), "Got slots of .* from -2 to 1"),
        (lambda: category([0.0, 1.0, 0.0, 0.0], 2), "expected integers"),
        (
            lambda: CategoryColumn("x", ("a",), np.zeros(3, int), 1, np.zeros((2, 1))),
            "Got means of shape",
        ),
        (
            lambda: CategoryColumn("x", ("a",), np.zeros(3, int), 1, np.zeros(3)),
            "Got means of shape",
        ),
        (lambda: number(NONE, np.zeros(1), np.zeros(1)), "Got 1 knot of column 'x'"),
        (lambda: number(np.array([0.0, np.inf])), "Got edges .* finite"),
        (lambda: number(np.array([0, 1])), "Got edges .* finite floats"),
        (lambda: number(NONE, np.arange(2.0), np.full(2, np.nan)), "Got scores .* fin"),
        (lambda: NumberColumn("x", 1.0, 0.0), "Got low=1.0 and high=0.0"),
        (lambda: NumberColumn("x", np.nan, 0.0), "Got low=nan and high=0.0"),
        (lambda: NumberColumn(1, 0.0, 1.0), "Got 1 as the name"),
        (lambda: CategoryColumn(None, ("a",)), "Got None as the name"),
        (lambda: CategoryColumn("x", ["a"]), "Got levels of column 'x' as list"),
        (lambda: CategoryColumn("x", ("a", 1)), "Got level 1 of column 'x'"),
        (lambda: CategoryColumn("x", ("a", "a")), "Got level 'a' of column 'x'"),
        (lambda: category([0, 1, 2, 3], 5), "Got n_slots=5 of column 'x'"),
        (lambda: category([-1, -1, -1, -1], -1), "Got n_slots=-1 of column 'x'"),
        (
            lambda: CategoryColumn("x", (), means=np.full((2, 1), np.inf, np.float32)),
            r"(?s)Got means .* finite",
        ),
        (lambda: EncoderSpec((), np.full(1, np.nan)), "Got a mean that is not"),
        (lambda: EncoderSpec((), np.zeros(2)), r"Got mean of shape \(2,\)"),
    ],
)
def test_what_does_not_fit_together_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
