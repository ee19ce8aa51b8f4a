import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import approx_fprime
from sklearn.metrics import mean_pinball_loss, mean_poisson_deviance

from skdistill.losses import HuberLoss, PoissonLoss, QuantileLoss, SquaredLoss
from skdistill.losses._regression import weighted_quantile

LOSSES = [
    SquaredLoss(),
    HuberLoss(0.7),
    QuantileLoss(0.8),
    PoissonLoss(),
]
numbers = st.floats(-5, 5).map(lambda x: round(x, 3))


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
@pytest.mark.parametrize("term", ["label_term", "teacher_term"])
@given(u=st.floats(0, 5), z=numbers)
def test_derivatives_are_those_of_the_loss(loss, term, u, z):
    if abs(u - z) < 1e-4:
        return  # the pinball loss has a corner
    terms = getattr(loss, term)
    _, derivative = terms(u, z)
    slope = approx_fprime([z], lambda at: terms(u, at[0])[0], 1e-7)[0]
    assert float(derivative) == pytest.approx(slope, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
def test_the_teachers_word_is_the_optimum(loss):
    predictions = np.array([0.3, 1.0, 4.0])
    _, derivative = loss.teacher_term(predictions, loss.output_of(predictions))
    if not isinstance(loss, QuantileLoss):  # which has a corner there
        np.testing.assert_allclose(derivative, 0, atol=1e-12)
    for step in (-0.1, 0.1):
        at, _ = loss.teacher_term(predictions, loss.output_of(predictions))
        away, _ = loss.teacher_term(predictions, loss.output_of(predictions) + step)
        assert (away > at).all()


@pytest.mark.parametrize("loss", [SquaredLoss(), PoissonLoss()])
@given(t=st.floats(0, 5), y=st.floats(0, 5), alpha=st.floats(0, 1))
def test_a_mixture_of_losses_is_the_loss_beside_the_mixture(loss, t, y, alpha):
    z = np.array([-1.0, 0.5, 2.0])
    mixed = alpha * loss.label_term(t, z)[0] + (1 - alpha) * loss.label_term(y, z)[0]
    beside_mean = loss.label_term(alpha * t + (1 - alpha) * y, z)[0]
    np.testing.assert_allclose(np.diff(mixed), np.diff(beside_mean), atol=1e-9)
    assert loss.takes_mixture


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
@given(scale=st.floats(0.1, 10), u=st.integers(0, 50), z=st.integers(-50, 50))
def test_scaled_losses_have_the_same_optimum(loss, scale, u, z):
    if loss.link == "log":
        return  # its units are those of the logarithm
    u, z = u / 10, z / 10  # so far apart that rounding does not make them equal
    _, derivative = loss.label_term(u, z)
    _, scaled = loss.scaled(scale).label_term(u / scale, z / scale)
    assert np.sign(derivative) == np.sign(scaled)
    _, derivative = loss.teacher_term(u, z)
    _, scaled = loss.scaled(scale).teacher_term(u / scale, z / scale)
    assert np.sign(derivative) == np.sign(scaled)


def test_they_are_the_metrics_of_scikit_learn(rng):
    y, z = rng.gamma(2, size=50), rng.normal(size=50)
    losses, _ = QuantileLoss(0.3).label_term(y, z)
    assert losses.mean() == pytest.approx(mean_pinball_loss(y, z, alpha=0.3))
    ours = PoissonLoss().label_term(y, z)[0] - PoissonLoss().label_term(y, np.log(y))[0]
    assert ours.mean() == pytest.approx(mean_poisson_deviance(y, np.exp(z)) / 2)
    beyond, _ = HuberLoss(1e9).label_term(y, z)
    np.testing.assert_allclose(beyond, SquaredLoss().label_term(y, z)[0])


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
@given(seed=st.integers(0, 1000))
def test_no_constant_is_better_than_the_best(loss, seed):
    rng = np.random.default_rng(seed)
    values, weights = rng.gamma(2, size=(30, 2)), rng.random(30)
    best = loss.best_constant(values, weights)
    if isinstance(loss, HuberLoss):
        return  # the median is near its optimum only

    def cost(at):
        return np.average(loss.label_term(values, at)[0], axis=0, weights=weights)

    for step in (-0.05, 0.05):
        assert (cost(best) <= cost(best + step) + 1e-12).all()


@given(st.lists(st.integers(1, 4), min_size=1, max_size=20), st.floats(0.05, 0.95))
def test_weights_are_repetitions_in_quantiles(weights, quantile):
    values = np.random.default_rng(len(weights)).normal(size=(len(weights), 1))
    expected = np.quantile(np.repeat(values, weights), quantile, method="inverted_cdf")
    got = weighted_quantile(values, quantile, np.array(weights, dtype=float))
    # Where the level falls on an end exactly, rounding chooses the neighbour.
    exact = abs(quantile * sum(weights) - round(quantile * sum(weights))) < 1e-6
    assert got[0] == expected or exact


def test_a_training_that_goes_astray_stays_finite():
    loss, derivative = PoissonLoss().label_term(1.0, np.array([50.0, 1000.0]))
    assert np.isfinite(loss).all()
    assert np.isfinite(derivative).all()


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: HuberLoss(0.0), "delta"),
        (lambda: HuberLoss(np.array([1.0, np.nan])), "delta"),
        (lambda: HuberLoss("wide"), "delta"),
        (lambda: QuantileLoss(0.0), "quantile"),
        (lambda: QuantileLoss(1.0), "quantile"),
    ],
)
def test_bad_parameters_are_named(make, name):
    with pytest.raises(ValueError, match=name):
        make()
