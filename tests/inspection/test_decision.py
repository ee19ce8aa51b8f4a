import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score, roc_auc_score

from skdistill.inspection import decision_threshold, flip_rate, gini_ratio

seeds = st.integers(0, 2**32 - 1)


def case(seed, n_samples=40, decimals=1):
    """Labels and rounded scores, so that there are ties, and weights."""
    rng = np.random.default_rng(seed)
    y = rng.random(n_samples) < 0.4
    y[:2] = True, False
    teacher, student = (
        (1.5 * y + rng.normal(size=n_samples)).round(decimals) for _ in range(2)
    )
    teacher[:2] = 9, -9  # better than chance, whatever was drawn
    weights = rng.integers(1, 3, n_samples)
    weights[:2] = n_samples
    return y, teacher, student, weights


@given(seed=seeds)
def test_no_threshold_has_a_better_f1(seed):
    y, scores, _, weights = case(seed, decimals=0)

    def f1(threshold):
        return f1_score(y, scores >= threshold, sample_weight=weights)

    best = decision_threshold(y, scores, sample_weight=weights)
    assert best in scores
    every = [f1(threshold) for threshold in np.unique(scores)]
    assert f1(best) == pytest.approx(max(every))
    assert best == decision_threshold(np.repeat(y, weights), np.repeat(scores, weights))


@given(seed=seeds, threshold=st.floats(-3, 3))
def test_flips_are_a_share_and_symmetric(seed, threshold):
    _, teacher, student, weights = case(seed)
    options = {"threshold": threshold, "sample_weight": weights}
    value = flip_rate(teacher, student, **options)
    assert 0 <= value <= 1
    assert value == flip_rate(student, teacher, **options)
    assert flip_rate(teacher, teacher, **options) == 0
    repeated = np.repeat(teacher, weights), np.repeat(student, weights)
    assert value == pytest.approx(flip_rate(*repeated, threshold=threshold))
    doubled = {**options, "threshold": 2 * threshold}
    assert value == flip_rate(2 * teacher, 2 * student, **doubled)


def test_a_score_at_the_threshold_is_positive():
    assert flip_rate([0.5], [0.7], threshold=0.5) == 0
    assert flip_rate([0.4], [0.5], threshold=0.5) == 1


@given(seed=seeds)
def test_gini_ratio_of_labels_is_that_of_aucs(seed):
    y, teacher, student, weights = case(seed)
    aucs = [roc_auc_score(y, s, sample_weight=weights) for s in (teacher, student)]
    expected = (2 * aucs[1] - 1) / (2 * aucs[0] - 1)
    ratio = gini_ratio(y, teacher, student, sample_weight=weights)
    assert ratio == pytest.approx(expected)
    columns = [np.repeat(values, weights) for values in (y, teacher, student)]
    assert ratio == pytest.approx(gini_ratio(*columns))


@given(seed=seeds)
def test_gini_of_amounts_is_the_area_of_the_concentration_curve(seed):
    rng = np.random.default_rng(seed)
    y = rng.exponential(size=30)
    teacher, student = y + 0.1 * rng.normal(size=(2, 30))

    def area(scores):
        order = np.argsort(scores)
        share = np.append(0, y[order].cumsum() / y.sum())
        return 1 - 2 * np.trapezoid(share, np.linspace(0, 1, 31))

    ratio = gini_ratio(y, teacher, student)
    assert ratio == pytest.approx(area(student) / area(teacher))
    assert gini_ratio(y, teacher, np.exp(teacher)) == pytest.approx(1)


@pytest.mark.parametrize(
    ("y", "scores", "options", "message"),
    [
        ([0, 2], [0.1, 0.2], {}, "expected 0 and 1"),
        ([0, 0], [0.1, 0.2], {}, "at least one row that is 1"),
        (["no", "yes"], [0.1, 0.2], {}, "y == positive_label"),
        ([0], [0.1, 0.2], {}, "shape"),
        ([0, 1], [0.1, np.nan], {}, "NaN"),
        ([0, 1], [[0.1], [0.2]], {}, "shapes"),
        ([0, 1], [0.1, 0.2], {"sample_weight": [1, 0]}, "at least one row that is 1"),
        ([], [], {}, "no rows"),
    ],
)
def test_bad_input_for_a_threshold_is_refused(y, scores, options, message):
    with pytest.raises(ValueError, match=message):
        decision_threshold(y, scores, **options)


@pytest.mark.parametrize(
    ("scores", "options", "message"),
    [
        (([0.1], [0.1, 0.2]), {"threshold": 0.5}, "shapes"),
        (([], []), {"threshold": 0.5}, "no rows"),
        (([0.1], [np.inf]), {"threshold": 0.5}, "infinite"),
        (([0.1], [0.2]), {"threshold": np.nan}, "threshold=nan"),
        (([0.1], [0.2]), {"threshold": 0.5, "sample_weight": [-1]}, "sample_weight"),
    ],
)
def test_bad_input_for_flips_is_refused(scores, options, message):
    with pytest.raises(ValueError, match=message):
        flip_rate(*scores, **options)


@pytest.mark.parametrize(
    ("y", "teacher", "message"),
    [
        ([0, 1], [0.5, 0.5], "the teacher's Gini coefficient"),
        ([0, 1], [0.9, 0.1], "the teacher's Gini coefficient"),
        (["a", "b"], [0.1, 0.9], "numbers"),
        ([0, np.inf], [0.1, 0.9], "infinite"),
        ([0], [0.1, 0.9], "shape"),
    ],
)
def test_bad_input_for_the_gini_ratio_is_refused(y, teacher, message):
    with pytest.raises(ValueError, match=message):
        gini_ratio(y, teacher, [0.1, 0.9])
