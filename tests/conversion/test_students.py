import numpy as np
import pandas as pd
import pytest

from skdistill import SoftTargets
from skdistill.conversion import to_spec
from skdistill.students import (
    BoostedStudentClassifier,
    MLPStudentClassifier,
    TreeStudentClassifier,
)

STUDENTS = [
    TreeStudentClassifier(max_leaf_nodes=40, random_state=0),
    BoostedStudentClassifier(n_estimators=12, random_state=0),
]


def targets(n_classes, score):
    logits = np.outer(score, np.linspace(-1, 1, n_classes))
    proba = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return SoftTargets.from_proba(proba, classes=np.array(list("abcd"))[:n_classes])


@pytest.mark.parametrize("student", STUDENTS, ids=str)
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_numbers_are_compared_as_the_student_rounds_them(
    student, n_classes, missing, probe
):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1000, 4)) * [1, 1e3, 1e-30, 1]
    score = X[:, 0] + np.sin(X[:, 1] / 500)
    X[rng.random(X.shape) < missing] = np.nan
    student.fit(X, targets(n_classes, score))
    spec = to_spec(student)
    rows = probe(spec, X, specials=(np.nan, -0.0, 1e-36, -1e-36))
    np.testing.assert_allclose(
        spec.probabilities(rows), student.predict_proba(rows), rtol=0, atol=1e-9
    )
    np.testing.assert_array_equal(spec.classes, student.classes_)


@pytest.mark.parametrize("student", STUDENTS, ids=str)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_ranks_of_levels_become_sets(student, n_classes):
    rng = np.random.default_rng(0)
    levels = np.array([f"level {i}" for i in range(40)])
    codes = rng.integers(40, size=1500)
    frame = pd.DataFrame(
        {
            "one": rng.normal(size=1500),
            "two": pd.Categorical(levels[codes]),
            "three": pd.Categorical(rng.choice(["x", "y", None], 1500)),
        }
    )
    score = np.sin(codes) + frame["one"] + (frame["three"] == "x")
    student.fit(frame, targets(n_classes, score.to_numpy()))
    spec = student.to_spec()
    assert (spec.predictor.sets >= 0).any()
    rows = frame.copy()
    rows["two"] = rows["two"].cat.add_categories("new").where(codes % 9 > 0, "new")
    values = rows.copy()
    for name, column in zip(rows, spec.columns, strict=True):
        assert name == column.name
        if not column.is_numeric:
            position = {level: i for i, level in enumerate(column.levels)}
            values[name] = [
                -1 if pd.isna(v) else position.get(v, -2) for v in rows[name]
            ]
    np.testing.assert_allclose(
        spec.probabilities(values.to_numpy(float)),
        student.predict_proba(rows),
        rtol=0,
        atol=1e-9,
    )


def test_any_student_is_asked_for_its_own():
    X = np.random.default_rng(0).normal(size=(60, 3))
    student = MLPStudentClassifier((4,), n_steps=5, random_state=0).fit(X, X[:, 0] > 0)
    np.testing.assert_allclose(
        to_spec(student).probabilities(X), student.predict_proba(X), atol=1e-5
    )


@pytest.mark.parametrize("student", STUDENTS, ids=str)
def test_an_unfitted_student_says_so(student):
    with pytest.raises(ValueError, match="not fitted"):
        type(student)().to_spec()
