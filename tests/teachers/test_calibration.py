import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill.losses._reference import softmax
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
    assert 0.01 <= calibration_temperature(logits, np.array([1, 0])) < 0.2
