from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.frozen import FrozenEstimator

from skdistill.inspection import Estimate, segments
from skdistill.inspection._findings import (
    drift_findings,
    label_findings,
    quality_findings,
    size_findings,
    worse_segments,
)

SAME = Estimate(0.0, -0.1, 0.1)
PAIR = SimpleNamespace(loss_name="log-loss")


def model(teacher=None, cv=5, temperature=1.0):
    return SimpleNamespace(
        teacher_=teacher or DummyClassifier(),
        cv=cv,
        calibration_temperature_=temperature,
    )


def test_honest_labels_are_no_finding():
    assert label_findings(model()) == []
    # What is no DistilledClassifier need not have folds or a temperature.
    assert label_findings(SimpleNamespace(teacher_=DummyClassifier())) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cv": None}, "cv=None"),
        ({"teacher": FrozenEstimator(DummyClassifier())}, "fitted elsewhere"),
        ({"teacher": FrozenEstimator(DummyClassifier()), "cv": None}, "elsewhere"),
        ({"temperature": 2.0}, "too sure of itself"),
        ({"temperature": 0.5}, "less sure than it could be"),
    ],
)
def test_labels_that_may_be_worth_less_are_named(options, message):
    (finding,) = label_findings(model(**options))
    assert message in finding


def test_few_rows_are_named():
    assert size_findings({"rows": 1000}) == []
    classes = [{"name": f"c{n}", "rows": n} for n in (0, 3, 49, 50)]
    few, absent, rare = size_findings({"rows": 999, "classes": classes})
    assert "999" in few
    assert "c0" in absent
    assert "c3, c49" in rare
    many = [{"name": f"c{n}", "rows": 0} for n in range(8)]
    assert "and 3 more" in size_findings({"rows": 1000, "classes": many})[0]


def test_columns_that_have_moved_are_named(rng):
    X_train = rng.normal(size=(2000, 3))
    X = rng.normal([0, 0.45, 3], size=(1000, 3))
    drift, (large, moderate) = drift_findings(X_train, X, np.ones(1000))
    assert list(drift) == ["x0", "x1", "x2"]
    assert "x2" in large
    assert "differently" in large
    assert "x1" in moderate
    assert "somewhat" in moderate
    assert "x0" not in large + moderate


def test_rows_of_training_are_named(rng):
    X = rng.normal(size=(1000, 3))
    _, (finding,) = drift_findings(X, X[:500], np.ones(500))
    assert "100% of the rows are training rows" in finding


def test_segments_are_worse_beyond_chance_only(rng):
    X = np.repeat(np.arange(10), 100)[:, None]
    teacher = rng.exponential(size=1000)
    noise = 0.5 * rng.normal(size=1000)
    assert worse_segments(segments(X, teacher, teacher + noise)) == []
    broken = teacher + noise + (X.ravel() == 4)
    (worst,) = worse_segments(segments(X, teacher, broken))
    assert worst.label == "4"
    # Better is not worse, and few rows prove nothing.
    assert worse_segments(segments(X, broken, teacher)) == []
    assert worse_segments(segments(X[::10], teacher[::10], broken[::10])) == []
    assert worse_segments([]) == []


def test_a_student_that_is_as_good_is_no_finding():
    estimates = {"retention": Estimate(0.95, 0.9, 1.0), "ece_difference": SAME}
    assert quality_findings(PAIR, estimates, []) == []


def test_a_student_that_is_worse_is_named():
    X = np.zeros((60, 1))
    worse = segments(X, np.zeros(60), np.ones(60))
    estimates = {
        "retention": Estimate(0.7, 0.6, 0.8),
        "ece_difference": Estimate(0.1, 0.05, 0.15),
    }
    kept, calibration, segment = quality_findings(PAIR, estimates, worse)
    assert "70.0%" in kept
    assert "0.1000 (0.0500 to 0.1500)" in calibration
    assert "x0 = 0 (60 rows, log-loss 1 instead of 0)" in segment
    nothing = Estimate(np.nan, np.nan, np.nan)
    (finding,) = quality_findings(PAIR, {"retention": nothing}, [])
    assert "no skill" in finding
