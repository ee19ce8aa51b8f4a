"""Whether distilling helps: what is compared, and what is said about it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_1samp
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import KFold, StratifiedKFold

from skdistill import DistilledClassifier
from skdistill.augmentation import MarginalSwap
from skdistill.inspection import compare_students
from skdistill.inspection._comparison import corrected_interval
from skdistill.students import TreeStudentClassifier

X, y = make_classification(
    300, 6, n_informative=4, n_classes=3, n_clusters_per_class=1, random_state=0
)
LINEAR = LogisticRegression(max_iter=1000)
TREE = TreeStudentClassifier(max_leaf_nodes=8)
LARGE_TREE = TreeStudentClassifier(max_leaf_nodes=100, min_samples_leaf=1)


def compare(teacher=LINEAR, students=TREE, X=X, y=y, **parameters):
    defaults = {"cv": 3, "n_repeats": 1, "augmenter": None, "random_state": 0}
    return compare_students(teacher, students, X, y, **{**defaults, **parameters})


def linear_problem(seed, n_samples=400):
    """Labels drawn by a linear model: a tree on them learns their noise."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(n_samples, 4))
    probability = 1 / (1 + np.exp(-points @ [2.0, -1.0, 0.5, 0.0]))
    return points, (rng.random(n_samples) < probability).astype(int)


@pytest.mark.parametrize("seed", range(4))
def test_it_says_so_where_distilling_helps(seed):
    points, labels = linear_problem(seed)
    found = compare(
        students=LARGE_TREE, X=points, y=labels, cv=5, n_repeats=2, random_state=seed
    )
    assert found.verdicts[0].startswith("Distilling TreeStudentClassifier helps")
    assert found.intervals[0, 3, 0] > 0
    assert found.teacher_scores.mean() > found.scores.mean(axis=2).max()


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("student", [LARGE_TREE, LINEAR], ids=["tree", "linear"])
def test_on_noise_it_never_says_that_distilling_helps(seed, student):
    """Though soft targets keep the large tree from learning the noise by heart."""
    rng = np.random.default_rng(seed)
    points, labels = rng.normal(size=(200, 3)), rng.integers(0, 2, 200)
    found = compare(
        RandomForestClassifier(10), student, points, labels, random_state=seed
    )
    assert found.verdicts[0].startswith("No evidence")


@pytest.mark.parametrize("seed", range(3))
def test_a_student_like_its_teacher_gains_nothing(seed):
    points, labels = linear_problem(seed)
    found = compare(students=LINEAR, X=points, y=labels, cv=5, random_state=seed)
    assert found.verdicts[0].startswith(
        "No evidence that distilling LogisticRegression helps or harms"
    )


class Wrong(ClassifierMixin, BaseEstimator):
    """Is sure of half of the rows, and of what is wrong in a part of them."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        wrong = (X[:, 1] > 0.3) ^ (X[:, 0] > 0)
        return np.where(wrong[:, None], [0.05, 0.95], [0.95, 0.05])


def test_it_says_so_where_distilling_harms():
    points, labels = linear_problem(0, 600)
    found = compare(Wrong(), TREE, points, labels, cv=5, n_repeats=2, calibrate=False)
    assert "harms: fit it to the labels" in found.verdicts[0]


def test_distilled_students_are_those_of_the_estimator():
    """With the same folds, inside and out, and the same seeds."""
    splits = list(StratifiedKFold(3, shuffle=True, random_state=5).split(X, y))
    fold = np.empty(300, dtype=int)
    for k, (_, test) in enumerate(splits):
        fold[test] = k
    student = clone(TREE).set_params(random_state=3)
    found = compare(students=student, cv=splits, alpha=0.7, temperature=2.0)
    for k, (train, test) in enumerate(splits):
        inner = [
            (np.flatnonzero(fold[train] != j), np.flatnonzero(fold[train] == j))
            for j in sorted(set(fold[train]))
        ]
        model = DistilledClassifier(
            LINEAR, student, cv=inner, alpha=0.7, temperature=2.0, augmenter=None
        ).fit(X[train], y[train])
        labels = student.fit(X[train], y[train])
        teacher = LINEAR.fit(X[train], y[train])
        for proba, score in (
            (model.predict_proba(X[test]), found.scores[0, 3, k]),
            (labels.predict_proba(X[test]), found.scores[0, 0, k]),
        ):
            assert score == pytest.approx(-log_loss(y[test], proba), rel=1e-9)
        own = -log_loss(y[test], teacher.predict_proba(X[test]))
        assert found.teacher_scores[k] == pytest.approx(own, rel=1e-9)
        frequencies = np.bincount(y[train]) / len(train)
        prior = np.log(frequencies)[y[test]].mean()
        assert found.prior_scores[k] == pytest.approx(prior, rel=1e-9)


def test_several_students_and_the_table():
    found = compare(students={"small": TREE, "line": LINEAR}, augmenter=MarginalSwap())
    assert found.students == ("small", "line")
    assert found.scores.shape == (2, 4, 3)
    assert found.teacher_scores.shape == found.prior_scores.shape == (3,)
    assert (found.gains[:, 0] == 0).all()
    assert (found.intervals[:, 0] == 0).all()
    assert (found.intervals[..., 0] <= found.gains).all()
    text = str(found)
    for word in ("small", "line", "class frequencies", "teacher", *found.sources):
        assert word in text
    assert text.endswith("\n".join(found.verdicts))
    assert all(len(line) < 90 for line in text.split("\n\n")[0].splitlines())
    table = found.to_dict()
    assert table["student"] == ["small"] * 4 + ["line"] * 4
    assert table["source"] == list(found.sources) * 2
    np.testing.assert_allclose(table["score"], found.scores.mean(axis=2).ravel())
    frame = found.to_frame()
    assert frame.shape == (8, 6)
    assert frame["gain"].tolist() == table["gain"]
    assert "small" in repr(found)


def test_students_of_the_same_kind_are_numbered():
    found = compare(students=[TREE, LARGE_TREE, LINEAR])
    assert found.students == (
        "TreeStudentClassifier 1",
        "TreeStudentClassifier 2",
        "LogisticRegression",
    )


def test_the_same_seed_gives_the_same_and_another_other_folds():
    first, same, other = (
        compare(RandomForestClassifier(5), random_state=seed) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first.scores, same.scores)
    assert np.abs(first.scores - other.scores).max() > 0
    twice = compare(RandomForestClassifier(5), n_repeats=2, random_state=1)
    np.testing.assert_array_equal(twice.scores[..., :3], first.scores)
    assert np.abs(twice.scores[..., 3:] - first.scores).max() > 0


class Counting(LogisticRegression):
    fits = []

    def fit(self, X, y, sample_weight=None):
        self.fits.append(len(y))
        return super().fit(X, y, sample_weight)


def test_teachers_are_fitted_once_for_all_students_and_targets(tmp_path):
    Counting.fits.clear()
    parameters = {"cv": 4, "memory": str(tmp_path)}
    compare(Counting(max_iter=1000), [TREE, LARGE_TREE], **parameters)
    assert len(Counting.fits) == 4 + 6
    compare(Counting(max_iter=1000), LINEAR, alpha=0.5, **parameters)
    compare(Counting(max_iter=1000), TREE, scoring="accuracy", **parameters)
    assert len(Counting.fits) == 4 + 6


def test_weights_groups_and_frozen_teachers(rng):
    frozen = FrozenEstimator(LogisticRegression(max_iter=1000).fit(X[:100], y[:100]))
    found = compare(frozen, X=X[100:], y=y[100:], calibrate=False)
    np.testing.assert_allclose(found.scores[0, 1], found.scores[0, 2])
    groups = rng.integers(0, 20, 300)
    assert compare(groups=groups).scores.shape == (1, 4, 3)
    weights = rng.integers(1, 3, 300)
    weighted = compare(sample_weight=weights, students=LINEAR)
    assert np.abs(weighted.scores - compare(students=LINEAR).scores).max() > 1e-4
    names = np.array(["x", "y", "z"])[y]
    np.testing.assert_allclose(compare(y=names).scores, compare().scores)


# The interval.


@given(
    st.lists(st.integers(-99, 99), min_size=3, max_size=12).filter(
        lambda values: len(set(values)) > 1
    ),
    st.floats(0.5, 0.99),
    st.floats(0.05, 1),
)
def test_without_overlap_the_interval_is_that_of_the_t_test(values, level, ratio):
    values = np.array(values) / 100
    low, high = corrected_interval(values, 0, level)
    expected = ttest_1samp(values, 0).confidence_interval(level)
    np.testing.assert_allclose((low, high), expected, atol=1e-12)
    wide_low, wide_high = corrected_interval(values, ratio, level)
    factor = np.sqrt(1 + ratio * len(values))
    assert wide_high - wide_low == pytest.approx(factor * (high - low))
    assert wide_high + wide_low == pytest.approx(high + low, abs=1e-9)


def test_the_interval_of_nadeau_and_bengio():
    """By hand: mean 2, variance 1, 3 splits of 2 parts to 1."""
    low, high = corrected_interval(np.array([1.0, 2.0, 3.0]), 0.5, 0.95)
    half = 4.302652729911275 * np.sqrt(1 / 3 + 1 / 2)
    assert (low, high) == pytest.approx((2 - half, 2 + half))


@pytest.mark.parametrize(
    ("parameters", "error", "match"),
    [
        ({"n_repeats": 0}, ValueError, "n_repeats=0"),
        ({"n_repeats": 2, "cv": KFold(3)}, ValueError, "n_repeats=2 with a splitter"),
        ({"confidence": 95}, ValueError, "confidence=95"),
        ({"confidence": 0.0}, ValueError, r"confidence=0.0"),
        ({"confidence": 1}, ValueError, "confidence=1, but expected less"),
        ({"students": []}, ValueError, "no students"),
        ({"students": 3}, TypeError, "3"),
        ({"teacher": 3}, TypeError, "teacher=3"),
        ({"cv": 2}, ValueError, "at least 3"),
        ({"alpha": 2.0}, ValueError, "alpha=2.0"),
        ({"temperature": 0.0}, ValueError, "temperature=0.0"),
        ({"scoring": "nonsense"}, ValueError, "nonsense"),
        ({"y": np.zeros(300)}, ValueError, "1 class"),
        ({"X": X[:10]}, ValueError, "inconsistent"),
        ({"sample_weight": -np.ones(300)}, ValueError, "sample_weight"),
    ],
)
def test_wrong_input_is_named(parameters, error, match):
    with pytest.raises(error, match=match):
        compare(**parameters)


def test_rows_of_weight_zero_are_no_rows():
    weights = np.where(np.arange(300) < 60, 0.0, 1.0)
    found = compare(sample_weight=weights)
    shorter = compare(X=X[60:], y=y[60:], sample_weight=weights[60:])
    np.testing.assert_array_equal(found.scores, shorter.scores)
    np.testing.assert_array_equal(found.prior_scores, shorter.prior_scores)
    np.testing.assert_array_equal(found.intervals, shorter.intervals)
