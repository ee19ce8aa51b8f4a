import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill.losses import soft_target_loss
from skdistill.losses._optimum import optimal_log_odds
from skdistill.losses._reference import softmax


@given(
    seed=st.integers(0, 2**32 - 1),
    n_classes=st.integers(2, 12),
    temperature=st.floats(0.05, 50),
)
def test_gradient_of_the_objective_is_zero_there(seed, n_classes, temperature):
    rng = np.random.default_rng(seed)
    q, y = rng.dirichlet(np.full(n_classes, 0.3), size=(2, 6))
    a, b = rng.random((2, 6)) + 0.01
    z = optimal_log_odds(q, y, a, b, temperature)
    gradient = a[:, None] * temperature * (softmax(z, temperature) - q)
    gradient += b[:, None] * (softmax(z) - y)
    np.testing.assert_allclose(gradient, 0, atol=1e-8 * max(1, temperature))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_no_other_constant_has_a_lower_loss(temperature, rng):
    teacher = rng.normal(size=(40, 3))
    labels = rng.integers(0, 3, 40)
    alpha = 0.6
    q = softmax(teacher, temperature).mean(axis=0, keepdims=True)
    y = np.eye(3)[labels].mean(axis=0, keepdims=True)
    z = optimal_log_odds(q, y, np.array([alpha]), np.array([1 - alpha]), temperature)

    def loss(constant):
        return soft_target_loss(
            np.repeat(constant, 40, axis=0),
            teacher,
            labels,
            temperature=temperature,
            alpha=alpha,
            from_log_odds=True,
        )[0]

    best = loss(z)
    for direction in rng.normal(size=(20, 1, 3)):
        assert loss(z + 0.01 * direction) > best


def test_single_terms_have_their_own_distribution(rng):
    q, y = rng.dirichlet(np.ones(4), size=(2, 3))
    one, zero = np.ones(3), np.zeros(3)
    soft = optimal_log_odds(q, y, one, zero, 5.0)
    hard = optimal_log_odds(q, y, zero, one, 5.0)
    np.testing.assert_allclose(softmax(soft, 5.0), q)
    np.testing.assert_allclose(softmax(hard), y)
