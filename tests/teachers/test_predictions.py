import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.dummy import DummyRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import KFold, ShuffleSplit, cross_val_predict
from sklearn.tree import DecisionTreeRegressor

from skdistill.augmentation import MarginalSwap
from skdistill.losses import PoissonLoss, QuantileLoss, SquaredLoss
from skdistill.teachers import Predictions, blended_predictions, predict_rows
from skdistill.teachers._residuals import huber_loss, quantile_loss


class Odd(RegressorMixin, BaseEstimator):
    """Predicts what it is told to."""

    def __init__(self, answer=None):
        self.answer = answer

    def fit(self, X, y):
        self.fitted_ = True
        return self

    def predict(self, X):
        return np.asarray(self.answer)


@pytest.mark.parametrize("n_outputs", [0, 2])
def test_predictions_are_out_of_fold(n_outputs, rng):
    X = rng.normal(size=(60, 3))
    y = rng.normal(size=(60, n_outputs) if n_outputs else 60)
    cv = KFold(4, shuffle=True, random_state=0)
    tree = DecisionTreeRegressor(random_state=0)
    found = predict_rows(tree, X, y, cv)
    np.testing.assert_array_equal(found.held_out, cross_val_predict(tree, X, y, cv=cv))
    np.testing.assert_array_equal(found.own, y)  # a full tree knows them by heart
    assert found.is_held_out.all()
    without = predict_rows(tree, X, y, None)
    np.testing.assert_array_equal(without.held_out, y)
    assert not without.is_held_out.any()
    assert predict_rows(tree, X, y, 3).is_held_out.all()


def test_weights_reach_every_fold(rng):
    X, y = rng.normal(size=(40, 2)), rng.normal(size=40)
    weights = rng.integers(1, 4, size=40).astype(float)
    splits = [(np.arange(20), np.arange(20, 40)), (np.arange(20, 40), np.arange(20))]
    found = predict_rows(LinearRegression(), X, y, splits, weights)
    half = LinearRegression().fit(X[:20], y[:20], weights[:20])
    np.testing.assert_allclose(found.held_out[20:], half.predict(X[20:]))


def test_the_pool_is_predicted_by_the_teacher_of_all_rows(rng):
    X, y = rng.normal(size=(50, 2)), rng.normal(size=50)
    more = rng.normal(size=(7, 2))
    found = predict_rows(
        LinearRegression(), X, y, 3, augmenter=MarginalSwap(), X_unlabeled=more, seed=0
    )
    assert len(found.of_pool) == len(found.pool) > 7
    np.testing.assert_allclose(found.of_pool, found.teacher.predict(found.pool))
    np.testing.assert_array_equal(found.pool[:7], more)


def test_frozen_teachers_are_used_as_they_are(rng):
    X, y = rng.normal(size=(30, 2)), rng.normal(size=30)
    fitted = LinearRegression().fit(X, y)
    found = predict_rows(FrozenEstimator(fitted), X, y, 5)
    np.testing.assert_array_equal(found.held_out, fitted.predict(X))
    assert found.is_held_out.all()


def test_rows_in_several_test_parts_or_in_none(rng):
    X, y = rng.normal(size=(30, 2)), rng.normal(size=30)
    cv = ShuffleSplit(3, test_size=0.5, random_state=0)
    with pytest.warns(UserWarning, match="a teacher that was fitted on them"):
        found = predict_rows(LinearRegression(), X, y, cv)
    sums, times = np.zeros(30), np.zeros(30)
    for train, test in cv.split(X):
        sums[test] += LinearRegression().fit(X[train], y[train]).predict(X[test])
        times[test] += 1
    np.testing.assert_array_equal(found.is_held_out, times > 0)
    held_out = times > 0
    np.testing.assert_allclose(
        found.held_out[held_out], sums[held_out] / times[held_out]
    )
    np.testing.assert_array_equal(found.held_out[~held_out], found.own[~held_out])


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (np.zeros((10, 2)), r"shape \(10, 2\) from Odd"),
        (np.zeros(9), r"shape \(9,\) from Odd"),
        (np.full(10, np.nan), "NaN or infinity from Odd"),
    ],
)
def test_odd_predictions_are_refused(answer, message):
    X, y = np.zeros((10, 1)), np.zeros(10)
    with pytest.raises(ValueError, match=message):
        predict_rows(Odd(answer), X, y, None)


def test_a_column_of_predictions_is_a_single_output():
    X, y = np.zeros((10, 1)), np.zeros(10)
    found = predict_rows(Odd(np.ones((10, 1))), X, y, None)
    assert found.own.shape == (10,)
    found = predict_rows(Odd(np.ones(10)), X, y[:, None], None)
    assert found.own.shape == (10, 1)


def made(own, held_out):
    return Predictions(DummyRegressor(), held_out, np.ones(len(own), bool), own)


@given(
    noise=st.floats(0.01, 2),
    memory=st.floats(0, 1),
    n_outputs=st.integers(0, 2),
    seed=st.integers(0, 100),
)
def test_blends_lie_between_what_they_blend(noise, memory, n_outputs, seed):
    rng = np.random.default_rng(seed)
    shape = (50, n_outputs) if n_outputs else (50,)
    y = rng.gamma(2, size=shape)
    held_out = np.abs(y + noise * rng.normal(size=shape))
    own = memory * y + (1 - memory) * held_out
    for loss in (SquaredLoss(), QuantileLoss(0.6), PoissonLoss()):
        blend = blended_predictions(made(own, held_out), y, np.ones(50), loss)
        low, high = np.minimum(own, held_out), np.maximum(own, held_out)
        assert blend.shape == shape
        assert ((low - 1e-9 <= blend) & (blend <= high + 1e-9)).all()


def test_who_learns_by_heart_is_trusted_little(rng):
    y = rng.normal(size=400)
    held_out = y / 2 + rng.normal(size=400) / 2
    weights, loss = np.ones(400), SquaredLoss()
    by_heart = blended_predictions(made(y, held_out), y, weights, loss)
    honest = blended_predictions(made(held_out, held_out), y, weights, loss)
    np.testing.assert_array_equal(honest, held_out)
    share = (by_heart - held_out) / (y - held_out)
    skill = 1 - np.mean((y - held_out) ** 2) / y.var()
    np.testing.assert_allclose(share, skill**2)
    nothing = blended_predictions(made(y, np.zeros(400) + 9), y, weights, loss)
    np.testing.assert_array_equal(nothing, np.full(400, 9.0))
    unknown = blended_predictions(made(y, held_out), y, np.zeros(400), loss)
    np.testing.assert_array_equal(unknown, held_out)


def test_thresholds_follow_the_usual_error(rng):
    y = rng.normal(size=(5000, 2)) * [1.0, 10.0]
    y[:50] = 1e6
    loss = huber_loss(2.0, np.zeros_like(y), y, np.ones(5000))
    np.testing.assert_allclose(loss.delta, [2.0, 20.0], rtol=0.1)
    exact = huber_loss(2.0, y, y, np.ones(5000))
    assert (exact.delta > 0).all()


def test_teachers_of_something_else_are_told(rng):
    y = rng.normal(size=(500, 1))
    with pytest.warns(UserWarning, match=r"expected about 90 % with quantile=0.9"):
        quantile_loss(0.9, np.zeros_like(y), y, np.ones(500))
