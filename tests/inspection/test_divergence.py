import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import log_loss

from skdistill.inspection import (
    jensen_shannon_divergence,
    kl_divergence,
    log_odds_r2,
)

METRICS = [kl_divergence, jensen_shannon_divergence, log_odds_r2]
seeds = st.integers(0, 2**32 - 1)


@given(seed=seeds, n_classes=st.integers(2, 5))
def test_divergences_are_zero_only_for_equal_distributions(draw, seed, n_classes):
    _, teacher, student = draw(seed, n_classes=n_classes)
    assert kl_divergence(teacher, teacher) == 0
    assert jensen_shannon_divergence(teacher, teacher) == pytest.approx(0, abs=1e-15)
    assert kl_divergence(teacher, student) > 0
    assert jensen_shannon_divergence(teacher, student) > 0
    # One row among others that are equal is enough.
    changed = teacher.copy()
    changed[0] = student[0]
    assert kl_divergence(teacher, changed) > 0


@given(seed=seeds)
def test_jensen_shannon_is_symmetric_and_bounded(draw, seed):
    _, teacher, student = draw(seed)
    value = jensen_shannon_divergence(teacher, student)
    assert value == pytest.approx(jensen_shannon_divergence(student, teacher))
    hard = np.eye(3)[teacher.argmax(axis=1)]
    opposite = np.roll(hard, 1, axis=1)
    assert value <= jensen_shannon_divergence(hard, opposite) <= np.log(2) + 1e-12


@given(seed=seeds)
def test_kl_is_what_the_log_loss_is_above_its_least(draw, seed):
    _, teacher, student = draw(seed)
    rows = np.repeat(np.arange(len(teacher)), 3)
    y, weights = np.tile(np.arange(3), len(teacher)), teacher.ravel()
    student_loss, least = (
        log_loss(y, proba[rows], sample_weight=weights) for proba in (student, teacher)
    )
    assert kl_divergence(teacher, student) == pytest.approx(student_loss - least)


@pytest.mark.parametrize("metric", METRICS)
@given(seed=seeds)
def test_weights_are_repetitions_and_order_of_classes_does_not_matter(
    draw, metric, seed
):
    _, teacher, student = draw(seed)
    weights = np.random.default_rng(seed).integers(0, 3, len(teacher))
    weights[:2] = 1
    rows = np.repeat(np.arange(len(teacher)), weights)
    value = metric(teacher, student, sample_weight=weights)
    assert value == pytest.approx(metric(teacher[rows], student[rows]))
    order = [2, 0, 1]
    assert value == pytest.approx(
        metric(teacher[:, order], student[:, order], sample_weight=weights)
    )


def test_what_the_student_rules_out_costs_infinitely_much():
    assert kl_divergence([[0.5, 0.5]], [[1, 0]]) == np.inf
    assert kl_divergence([[1, 0]], [[0.5, 0.5]]) == pytest.approx(np.log(2))
    rows = [[0.5, 0.5], [0.5, 0.5]], [[1, 0], [0.5, 0.5]]
    assert kl_divergence(*rows, sample_weight=[0, 1]) == 0


@given(seed=seeds, shift=st.floats(-2, 2))
def test_r2_of_log_odds_is_that_of_two_classes(draw, seed, shift):
    rng = np.random.default_rng(seed)
    t = rng.normal(size=50)
    z = t + shift + 0.1 * rng.normal(size=50)
    teacher, student = (
        np.stack([1 - p, p], axis=1) for p in (1 / (1 + np.exp(-x)) for x in (t, z))
    )
    expected = 1 - ((t - z) ** 2).sum() / ((t - t.mean()) ** 2).sum()
    assert log_odds_r2(teacher, student) == pytest.approx(expected, abs=1e-6)
    assert log_odds_r2(teacher, teacher) == 1


def test_a_constant_teacher_has_no_variance_to_reproduce():
    with pytest.raises(ValueError, match="says the same about every row"):
        log_odds_r2([[0.3, 0.7]] * 3, [[0.3, 0.7], [0.2, 0.8], [0.5, 0.5]])


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    ("teacher", "student", "options", "message"),
    [
        ([[0.5, 0.5]], [[0.5, 0.5]] * 2, {}, "shapes"),
        ([0.5], [0.5], {}, "shapes"),
        ([[1.0]], [[1.0]], {}, "at least 2 classes"),
        (np.empty((0, 2)), np.empty((0, 2)), {}, "no rows"),
        ([[0.5, 0.6]], [[0.5, 0.5]], {}, "sum to 1"),
        ([[0.5, 0.5]], [[-0.5, 1.5]], {}, "non-negative"),
        ([[0.5, 0.5]], [[np.nan, 0.5]], {}, "sum to 1"),
        ([[0.5, 0.5]], [[0.5, 0.5]], {"sample_weight": [-1]}, "sample_weight"),
        ([[0.5, 0.5]], [[0.5, 0.5]], {"sample_weight": [1, 1]}, "sample_weight"),
        ([[0.5, 0.5]], [[0.5, 0.5]], {"sample_weight": [0]}, "non-zero"),
    ],
)
def test_bad_probabilities_are_refused(metric, teacher, student, options, message):
    with pytest.raises(ValueError, match=message):
        metric(teacher, student, **options)
