"""Rows of weight 0 and rows of weight 2: none, and two of the same."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import LeaveOneGroupOut, TimeSeriesSplit
from sklearn.tree import DecisionTreeClassifier

from skdistill import DistilledClassifier, DistilledClassifierCV
from skdistill.augmentation import MarginalSwap
from skdistill.students import (
    BoostedStudentClassifier,
    MLPStudentClassifier,
    TreeStudentClassifier,
)

X, y = make_classification(240, n_features=5, random_state=0)
WEIGHTS = np.random.default_rng(0).integers(1, 4, 240).astype(float)
TREE = TreeStudentClassifier(max_leaf_nodes=6)
LOGISTIC = LogisticRegression()


def distilled(teacher, student=TREE, **parameters):
    parameters = {"cv": 3, "augmenter": None, "random_state": 0, **parameters}
    return DistilledClassifier(teacher, student, **parameters)


def by_row(n_splits=3):
    """Parts that a row shares with its duplicates."""
    return np.arange(len(X)) % n_splits


@pytest.mark.parametrize("student", [TREE, LogisticRegression(C=1)])
def test_weight_2_is_a_duplicated_row(student, rng):
    """In the parts of the original row, and with a teacher that sees no difference."""
    weights = rng.integers(0, 3, len(X))
    rows = np.repeat(np.arange(len(X)), weights)
    model = distilled(LogisticRegression(tol=1e-10), student, cv=LeaveOneGroupOut())
    weighted = clone(model).fit(X, y, sample_weight=weights, groups=by_row())
    repeated = clone(model).fit(X[rows], y[rows], groups=by_row()[rows])
    np.testing.assert_allclose(
        weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-3
    )


@pytest.mark.parametrize("augmenter", [None, MarginalSwap()])
@pytest.mark.parametrize(
    "student",
    [
        TREE,
        MLPStudentClassifier((4,), n_steps=20, random_state=0),
        BoostedStudentClassifier(3, random_state=0),
    ],
    ids=lambda student: type(student).__name__,
)
def test_only_ratios_of_small_weights_matter(student, augmenter):
    frame = pd.DataFrame(X[:, :2], columns=list("ab"))
    frame["kind"] = pd.Categorical(np.arange(240) % 7)
    # A teacher whose fit does not know weights: what remains is the student's.
    teacher = FrozenEstimator(HistGradientBoostingClassifier(max_iter=3).fit(frame, y))
    model = distilled(teacher, student, augmenter=augmenter, calibrate=False)
    weights = WEIGHTS / WEIGHTS.mean()
    expected = clone(model).fit(frame, y, sample_weight=weights).predict_proba(frame)
    assert np.ptp(expected[:, 1]) > 0.1
    for unit in (0.5, 2.0**-20):
        again = clone(model).fit(frame, y, sample_weight=unit * weights)
        np.testing.assert_allclose(again.predict_proba(frame), expected, atol=1e-5)


@pytest.mark.parametrize("augmenter", [None, "auto"])
def test_weight_0_is_no_row(augmenter, rng):
    """Not in the folds, in the teacher, among those that new rows are made of."""
    weights = rng.integers(0, 2, len(X)).astype(float)
    rows = np.flatnonzero(weights)
    model = distilled(DecisionTreeClassifier(max_depth=4), augmenter=augmenter)
    weighted = clone(model).fit(X, y, sample_weight=weights)
    without = clone(model).fit(X[rows], y[rows], sample_weight=weights[rows])
    np.testing.assert_array_equal(weighted.predict_proba(X), without.predict_proba(X))


def test_weight_0_leaves_a_list_of_splits_in_its_place(rng):
    weights = rng.integers(0, 2, len(X)).astype(float)
    parts = by_row()
    splits = [
        (np.flatnonzero(parts != k), np.flatnonzero(parts == k)) for k in (0, 1, 2)
    ]
    weighted = distilled(LogisticRegression(), cv=splits)
    weighted.fit(X, y, sample_weight=weights)
    rows = np.flatnonzero(weights)
    without = distilled(LogisticRegression(), cv=LeaveOneGroupOut())
    without.fit(X[rows], y[rows], sample_weight=weights[rows], groups=parts[rows])
    np.testing.assert_array_equal(weighted.predict_proba(X), without.predict_proba(X))


def test_weight_0_asks_no_splitter_of_a_frozen_teacher(rng):
    weights = rng.integers(0, 2, len(X)).astype(float)
    teacher = FrozenEstimator(clone(LOGISTIC).fit(X, y))
    model = distilled(teacher, cv=LeaveOneGroupOut())
    weighted = clone(model).fit(X, y, sample_weight=weights)
    rows = weights > 0
    without = clone(model).fit(X[rows], y[rows], sample_weight=weights[rows])
    np.testing.assert_array_equal(weighted.predict_proba(X), without.predict_proba(X))


def test_weight_0_may_leave_nothing_before_the_first_test_part():
    weights = np.where(np.arange(len(X)) < 60, 0.0, 1.0)
    cv = TimeSeriesSplit(4)
    model = DistilledClassifier(LOGISTIC, TREE, cv=cv, augmenter=None, random_state=0)
    weighted = clone(model).fit(X, y, sample_weight=weights)
    splits = [(train[train >= 60] - 60, test - 60) for train, test in cv.split(X)][1:]
    shorter = (
        clone(model).set_params(cv=splits).fit(X[60:], y[60:], WEIGHTS[60:] * 0 + 1)
    )
    np.testing.assert_array_equal(weighted.predict_proba(X), shorter.predict_proba(X))


def test_a_search_leaves_rows_of_weight_0_out():
    X, y = make_classification(300, 6, random_state=0)
    weights = np.repeat([1.0, 0.0], [240, 60])
    model = DistilledClassifierCV(
        LogisticRegression(),
        TreeStudentClassifier(max_leaf_nodes=8),
        temperatures=[1.0],
        alphas=[0.5, 1.0],
        cv=3,
        augmenter=None,
        random_state=0,
    )
    weighted = clone(model).fit(X, y, sample_weight=weights)
    shorter = clone(model).fit(X[:240], y[:240], sample_weight=weights[:240])
    assert weighted.best_score_ == shorter.best_score_
    np.testing.assert_array_equal(weighted.predict_proba(X), shorter.predict_proba(X))
