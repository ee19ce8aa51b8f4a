import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mean_absolute_error, r2_score

from skdistill.inspection import (
    error_retention,
    mean_absolute_difference,
    mean_relative_difference,
    prediction_r2,
)

METRICS = [prediction_r2, mean_absolute_difference, mean_relative_difference]


def case(seed):
    rng = np.random.default_rng(seed)
    teacher = rng.normal(size=50)
    y, student = teacher + 0.3 * rng.normal(size=(2, 50))
    return y, teacher, student, rng.integers(1, 3, 50)


@given(seed=st.integers(0, 2**32 - 1))
def test_they_are_what_scikit_learn_says(seed):
    y, teacher, student, weights = case(seed)
    options = {"sample_weight": weights}
    r2 = prediction_r2(teacher, student, **options)
    assert r2 == pytest.approx(r2_score(teacher, student, **options))
    difference = mean_absolute_difference(teacher, student, **options)
    assert difference == pytest.approx(mean_absolute_error(teacher, student, **options))
    kept = error_retention(y, teacher, student, **options)
    ratio = r2_score(y, student, **options) / r2_score(y, teacher, **options)
    assert kept == pytest.approx(ratio)
    assert error_retention(y, teacher, teacher) == 1
    assert error_retention(y, teacher, np.full(50, y.mean())) == pytest.approx(0)


@pytest.mark.parametrize("metric", METRICS)
@given(seed=st.integers(0, 2**32 - 1))
def test_weights_are_repetitions(metric, seed):
    _, teacher, student, weights = case(seed)
    value = metric(teacher, student, sample_weight=weights)
    repeated = np.repeat(teacher, weights), np.repeat(student, weights)
    assert value == pytest.approx(metric(*repeated))


def test_relative_difference_has_no_unit():
    assert mean_relative_difference([1, 3], [1.1, 3.3]) == pytest.approx(0.1)
    assert mean_relative_difference([1e6, 3e6], [1.1e6, 3.3e6]) == pytest.approx(0.1)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    ("teacher", "student", "options", "message"),
    [
        ([1, 2], [1], {}, "shapes"),
        ([[1, 2]], [[1, 2]], {}, "shapes"),
        ([], [], {}, "no rows"),
        ([1, 2], [1, np.nan], {}, "NaN"),
        ([1, 2], [1, 2], {"sample_weight": [1, -1]}, "sample_weight"),
    ],
)
def test_bad_predictions_are_refused(metric, teacher, student, options, message):
    with pytest.raises(ValueError, match=message):
        metric(teacher, student, **options)


def test_teachers_without_anything_to_keep_are_refused():
    with pytest.raises(ValueError, match="the same for every row"):
        prediction_r2([2, 2], [1, 2])
    with pytest.raises(ValueError, match="absolute predictions"):
        mean_relative_difference([0, 0], [1, 2])
    with pytest.raises(ValueError, match="the teacher's skill"):
        error_retention([1, 2], [2, 1], [1, 2])
    with pytest.raises(ValueError, match="the teacher's skill"):
        error_retention([1, 2], [1.5 - 1e-12, 1.5 + 1e-12], [1, 2])
    with pytest.raises(ValueError, match="shape"):
        error_retention([1], [2, 1], [1, 2])
