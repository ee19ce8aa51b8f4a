import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill.losses._reference import log_softmax, softmax
from skdistill.teachers import calibration_temperature


def drawn_labels(logits, rng):
    cumulative = softmax(logits).cumsum(axis=1)
    return (rng.random((len(logits), 1)) > cumulative).sum(axis=1)


@given(seed=st.integers(0, 2**32 - 1), factor=st.floats(0.2, 5))
def test_overconfidence_is_measured(seed, factor):
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(20_000, 3)) * 2
    labels = drawn_labels(logits, rng)
    assert calibration_temperature(factor * logits, labels) == pytest.approx(
        factor, rel=0.1
    )


def test_weights_are_repetitions(rng):
    logits = rng.normal(size=(200, 4))
    labels = rng.integers(0, 4, 200)
    weights = rng.integers(0, 3, 200)
    rows = np.repeat(np.arange(200), weights)
    assert calibration_temperature(logits, labels, weights) == pytest.approx(
        calibration_temperature(logits[rows], labels[rows]), rel=1e-4
    )


def test_a_teacher_that_is_always_right_stays_bounded():
    logits = np.array([[0.0, 5.0], [5.0, 0.0]])
    assert calibration_temperature(logits, np.array([1, 0])) == 0.01
    assert calibration_temperature(logits, np.array([0, 1])) == 100


@given(seed=st.integers(0, 2**32 - 1), scale=st.sampled_from([0.03, 1, 30]))
def test_no_temperature_nearby_is_better(seed, scale):
    rng = np.random.default_rng(seed)
    logits, labels = rng.normal(size=(50, 3)), rng.integers(0, 3, 50)
    logits[np.arange(50), labels] += 1
    temperature = calibration_temperature(scale * logits, labels)

    def loss(t):
        return -log_softmax(scale * logits, t)[np.arange(50), labels].mean()

    assert 0.01 < temperature < 100
    assert loss(temperature) <= min(loss(0.99 * temperature), loss(1.01 * temperature))


def test_a_teacher_that_says_nothing_is_as_sure_as_it_should_be():
    assert calibration_temperature(np.zeros((3, 2)), np.array([0, 0, 1])) == 1


def test_log_odds_of_any_size_are_calibrated():
    logits = np.array([[-1e308, 1e308], [1e308, -1e308], [0.0, 1.0]])
    assert calibration_temperature(logits, np.array([0, 0, 1])) == 100
    assert 0.01 <= calibration_temperature(logits, np.array([1, 0, 0])) <= 100
