"""What a report says of the time that a teacher takes, and of its kind."""

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier
from sklearn.frozen import FrozenEstimator

from skdistill import DistilledClassifier
from skdistill.inspection import _cost as cost_module
from skdistill.inspection import distillation_report
from skdistill.students import TreeStudentClassifier
from skdistill.teachers import FunctionTeacher


@pytest.fixture(autouse=True)
def _hurry(monkeypatch):
    monkeypatch.setattr(cost_module, "SECONDS", 0.05)


def test_a_teacher_is_compiled_where_names_have_blanks(rng):
    X = pd.DataFrame(rng.normal(size=(300, 2)), columns=["a b", "c"])
    y = (X["c"] > 0).astype(int)
    model = DistilledClassifier(
        LGBMClassifier(n_estimators=3, verbose=-1),
        TreeStudentClassifier(max_leaf_nodes=4),
        cv=2,
        augmenter=None,
        random_state=0,
    )
    report = distillation_report(model.fit(X, y), X, y)
    assert list(report.costs) == ["student", "teacher", "teacher, compiled"]


def test_a_teacher_that_is_a_function_is_not_timed(rng):
    X = rng.normal(size=(200, 2))
    y = (X[:, 0] + rng.logistic(scale=1 / 3, size=200) > 0).astype(int)
    calls = []

    def function(rows):
        calls.append(len(rows))
        p = 1 / (1 + np.exp(-3 * rows[:, 0]))
        return np.stack([1 - p, p], axis=1)

    model = DistilledClassifier(
        FunctionTeacher(function, [0, 1]), TreeStudentClassifier(), augmenter=None
    ).fit(X, y)
    calls.clear()
    report = distillation_report(model, X, y)
    assert calls == [200]
    assert list(report.costs) == ["student"]
    assert "not timed" in str(report)


def test_a_frozen_teacher_is_named_and_compiled(distilled):
    model, X, y = distilled
    frozen = DistilledClassifier(
        FrozenEstimator(model.teacher_),
        TreeStudentClassifier(max_leaf_nodes=4),
        augmenter=None,
    ).fit(X, y)
    report = distillation_report(frozen, X, y)
    assert report.teacher["kind"] == "LGBMClassifier"
    assert "FrozenEstimator" in report.warnings[0]
    assert list(report.costs) == ["student", "teacher", "teacher, compiled"]
