import numpy as np
import pytest

from skdistill import SoftTargets
from skdistill.students import (
    BoostedStudentClassifier,
    MLPStudentClassifier,
    TreeStudentClassifier,
)

STUDENTS = [
    MLPStudentClassifier((8,), n_steps=400, random_state=0),
    TreeStudentClassifier(random_state=0),
    BoostedStudentClassifier(random_state=0),
]


@pytest.mark.parametrize("student", STUDENTS, ids=lambda s: type(s).__name__)
def test_without_a_telling_column_the_teachers_mean_remains(student):
    proba = np.tile([[0.9, 0.1], [0.5, 0.5]], (50, 1))
    targets = SoftTargets.from_proba(proba, classes=["a", "b"])
    student.fit(np.ones((100, 2)), targets)
    np.testing.assert_allclose(
        student.predict_proba(np.ones((3, 2))), [[0.7, 0.3]] * 3, atol=0.02
    )


@pytest.mark.parametrize("student", STUDENTS, ids=lambda s: type(s).__name__)
def test_targets_of_other_rows_are_refused(student):
    with pytest.raises(ValueError, match="SoftTargets of 3 rows, but expected 4"):
        student.fit(np.zeros((4, 2)), SoftTargets(np.zeros((3, 2))))


@pytest.mark.parametrize("student", STUDENTS, ids=lambda s: type(s).__name__)
def test_classes_keep_the_order_of_the_targets(student):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 1))
    p = np.where(X[:, 0] > 0, 0.95, 0.05)
    targets = SoftTargets.from_proba(np.stack([p, 1 - p], axis=1), classes=["z", "a"])
    student.fit(X, targets)
    assert list(student.classes_) == ["z", "a"]
    assert list(student.predict([[1.0], [-1.0]])) == ["z", "a"]


@pytest.mark.parametrize("student", STUDENTS, ids=lambda s: type(s).__name__)
def test_a_class_without_rows_stays_possible(student):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2))
    logits = np.column_stack([X, np.full(200, -3.0)])
    labels = (X[:, 1] > X[:, 0]).astype(int)
    targets = SoftTargets(logits, labels, alpha=0.5)
    proba = student.fit(X, targets).predict_proba(X)
    assert proba.shape == (200, 3)
    assert np.isfinite(np.log(proba)).all()


@pytest.mark.parametrize("student", STUDENTS, ids=lambda s: type(s).__name__)
def test_rows_without_labels_follow_the_teacher(student):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 1))
    logits = np.column_stack([np.zeros(400), 2 * X[:, 0]])
    labelled = SoftTargets(logits, np.zeros(400, int), alpha=0.5)
    unknown = SoftTargets(logits, np.full(400, -1), alpha=0.5)
    high = [[2.0]]
    with_labels = student.fit(X, labelled).predict_proba(high)[0, 1]
    without = student.fit(X, unknown).predict_proba(high)[0, 1]
    assert with_labels < 0.6 < 0.85 < without
