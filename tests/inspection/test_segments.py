import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from skdistill.inspection import segments, worst_segment

seeds = st.integers(0, 2**32 - 1)


def table(seed, n_samples=80):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(
        {
            "number": rng.normal(size=n_samples),
            "few": rng.integers(0, 4, n_samples),
            "level": rng.choice(["a", "b", "c"], n_samples),
        }
    )
    X.loc[rng.random(n_samples) < 0.2, "number"] = np.nan
    X.loc[rng.random(n_samples) < 0.2, "level"] = None
    teacher, student = rng.random((2, n_samples))
    return X, teacher, student, rng.integers(1, 3, n_samples)


@given(seed=seeds, n_bins=st.integers(1, 12), min_rows=st.integers(1, 40))
def test_the_segments_of_a_column_hold_all_rows(seed, n_bins, min_rows):
    X, teacher, student, weights = table(seed)
    found = segments(
        X,
        teacher,
        student,
        y=teacher > 0.5,
        n_bins=n_bins,
        min_rows=min_rows,
        sample_weight=weights,
    )
    for name in X.columns:
        column = [segment for segment in found if segment.column == name]
        assert sum(segment.n_rows for segment in column) == len(X)
        assert sum(segment.share for segment in column) == pytest.approx(1)
        for field, values in (
            ("teacher", teacher),
            ("student", student),
            ("difference", student - teacher),
            ("actual", teacher > 0.5),
        ):
            total = sum(segment.share * getattr(segment, field) for segment in column)
            assert total == pytest.approx(np.average(values, weights=weights))


@given(seed=seeds)
def test_a_weight_of_two_is_a_row_twice(seed):
    X, teacher, student, weights = table(seed)
    rows = np.repeat(np.arange(len(X)), weights)
    weighted = segments(X, teacher, student, sample_weight=weights, min_rows=1)
    repeated = segments(X.iloc[rows], teacher[rows], student[rows], min_rows=1)
    for one, other in zip(weighted, repeated, strict=True):
        assert (one.column, one.label) == (other.column, other.label)
        assert one.difference == pytest.approx(other.difference)
        assert one.share == pytest.approx(other.share)


@given(seed=seeds)
def test_rows_without_weight_are_not_there(seed):
    X, teacher, student, weights = table(seed)
    weights = weights - 1
    rows = np.flatnonzero(weights)
    one = segments(X, teacher, student, sample_weight=weights)
    other = segments(X.iloc[rows], teacher[rows], student[rows])
    assert [segment.label for segment in one] == [segment.label for segment in other]


@given(seed=seeds)
def test_the_error_is_that_of_a_mean(seed):
    X, teacher, student, _ = table(seed)
    for segment in segments(X[["few"]], teacher, student):
        rows = X["few"] == int(segment.label)
        difference = (student - teacher)[rows]
        expected = difference.std(ddof=1) / np.sqrt(len(difference))
        assert segment.standard_error == pytest.approx(expected, nan_ok=True)
        low, high = segment.interval(z=1.0)
        assert (high - low) / 2 == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("kind", ["pandas", "polars", "array", "list", "sparse"])
def test_the_segment_that_is_off_is_found(kind, rng):
    numbers = rng.integers(0, 5, (500, 2)).astype(float)
    teacher = rng.random(500)
    student = teacher + 0.3 * (numbers[:, 1] == 3)
    frame = pd.DataFrame(numbers, columns=["first", "second"])
    X = {
        "pandas": frame,
        "polars": pl.from_pandas(frame),
        "array": numbers,
        "list": numbers.tolist(),
        "sparse": csr_array(numbers),
    }[kind]
    worst = worst_segment(X, teacher, student)
    assert worst.column == ("second" if kind in ("pandas", "polars") else "x1")
    assert worst.label == "3"
    assert worst.difference == pytest.approx(0.3)
    # A student that is too low is as bad as one that is too high.
    assert worst_segment(X, student, teacher).difference == pytest.approx(-0.3)


def test_levels_bins_and_missing_values_have_names():
    X = pd.DataFrame(
        {
            "level": ["a"] * 60 + ["b"] * 60 + ["c", "d", None, None],
            "number": [*range(120), 7, 7, None, None],
            "always": 1,
        }
    )
    found = segments(X, np.zeros(124), np.zeros(124), n_bins=2)
    labels = {(segment.column, segment.label): segment.n_rows for segment in found}
    assert labels == {
        ("level", "a"): 60,
        ("level", "b"): 60,
        ("level", "missing"): 2,
        ("level", "2 rare levels"): 2,
        ("number", "0 to 58"): 61,
        ("number", "59 to 119"): 61,
        ("number", "missing"): 2,
        ("always", "1"): 124,
    }


def test_small_segments_are_not_the_worst():
    X = np.array([[0]] * 60 + [[1]] * 60 + [[2]] * 5)
    student = np.repeat([0.1, 0.0, 9.0], [60, 60, 5])
    teacher = np.zeros(125)
    assert worst_segment(X, teacher, student).label == "0"
    assert worst_segment(X, teacher, student, min_rows=5).label == "2"
    with pytest.raises(ValueError, match="min_rows=61"):
        worst_segment(X, teacher, student, min_rows=61)


@pytest.mark.parametrize(
    ("X", "options", "error", "message"),
    [
        (np.zeros((3, 1)), {}, ValueError, "shape"),
        (np.zeros(2), {}, ValueError, "shape"),
        (np.zeros((2, 1)), {"y": [1]}, ValueError, "shape"),
        (np.zeros((2, 1)), {"y": ["a", "b"]}, ValueError, "numbers"),
        (np.zeros((2, 1)), {"n_bins": 0}, ValueError, "n_bins=0"),
        (np.zeros((2, 1)), {"min_rows": 0}, ValueError, "min_rows=0"),
        (np.zeros((2, 1)), {"sample_weight": [1, -1]}, ValueError, "sample_weight"),
        (np.array([[1 + 1j], [2]]), {}, TypeError, "x0"),
    ],
)
@pytest.mark.parametrize("function", [segments, worst_segment])
def test_bad_input_is_refused(function, X, options, error, message):
    with pytest.raises(error, match=message):
        function(X, [0.1, 0.2], [0.1, 0.2], **options)


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        (1e9 + np.arange(4) / 1000, None),
        ([1000001, 1000002, 1000003], ["1000001", "1000002", "1000003"]),
        ([1.7e9, 1.7e9 + 0.5], ["1700000000", "1700000000.5"]),
        ([1e9 + 0.25, 1e9 + 0.5], ["1000000000.2", "1000000000.5"]),
        ([1e20, -0.0, 0.1], ["0", "0.1", "1e+20"]),
        (np.array([1 / 3, np.nextafter(1 / 3, 1)]), None),
    ],
)
def test_labels_of_a_column_differ(values, labels):
    found = segments(np.array(values, float)[:, None], *np.zeros((2, len(values))))
    assert len({segment.label for segment in found}) == len(values)
    if labels is not None:
        assert [segment.label for segment in found] == labels


def test_labels_of_bins_differ():
    times = 1.7e9 + np.arange(40) / 10
    found = segments(times[:, None], *np.zeros((2, 40)), n_bins=4)
    assert [segment.label for segment in found[:2]] == [
        "1700000000 to 1700000001",
        "1700000001 to 1700000002",
    ]
