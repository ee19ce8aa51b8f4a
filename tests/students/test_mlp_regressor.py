import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.metrics import mean_pinball_loss, r2_score

from skdistill import RegressionTargets, SoftTargets
from skdistill.losses import HuberLoss, PoissonLoss, QuantileLoss, SquaredLoss
from skdistill.students import (
    MLPStudentClassifier,
    MLPStudentRegressor,
    OrderingEncoder,
    TabularEncoder,
)
from skdistill.students._torch.gradient import NetworkGradient
from skdistill.students._torch.network import Network
from skdistill.students._torch.objectives import RegressionObjective


def teacher_data(rng, n_samples=1500):
    X = rng.normal(size=(n_samples, 4))
    return X, X[:, 0] + X[:, 1] ** 2 + np.sin(3 * X[:, 2])


LOSSES = [SquaredLoss(), HuberLoss(0.5), QuantileLoss(0.7), PoissonLoss()]


@given(
    loss=st.sampled_from(LOSSES),
    n_rows=st.integers(1, 20),
    sizes=st.lists(st.integers(1, 8), max_size=2),
    n_outputs=st.integers(1, 3),
    alpha=st.floats(0, 1),
    seed=st.integers(0, 2**31),
)
def test_gradients_are_what_autograd_computes(
    loss, n_rows, sizes, n_outputs, alpha, seed
):
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    t, y = rng.gamma(2, size=(2, n_rows, n_outputs))
    y[rng.random(n_rows) < 0.3] = np.nan
    objective = RegressionObjective(RegressionTargets(t, y, alpha, loss), None)
    network = Network(4, sizes, n_outputs)
    inputs = torch.randn(n_rows, 4)
    soft, hard, _ = map(torch.from_numpy, objective.arrays(None))
    outputs = network(inputs).double()
    expected = autograd_objective(objective.loss, alpha, outputs, soft, hard)
    wanted = torch.autograd.grad(expected, list(network.parameters()))
    gradient = NetworkGradient(network, objective)
    assert gradient(inputs, [soft, hard]) == pytest.approx(
        expected.item(), rel=1e-4, abs=1e-5
    )
    for parameter, gradients in zip(network.parameters(), wanted, strict=True):
        scale = float(gradients.abs().max()) + 1e-3
        np.testing.assert_allclose(parameter.grad, gradients, atol=1e-4 * scale)
    with torch.no_grad():
        held_out = objective(outputs.float(), soft, hard, torch.ones(n_rows))
    assert float(held_out) == pytest.approx(expected.item(), rel=1e-4, abs=1e-5)


def autograd_objective(loss, alpha, z, t, y):
    """The formula of the documentation, by torch's own operations."""
    known = ~torch.isnan(y)
    y = torch.where(known, y, 0.0)
    if isinstance(loss, SquaredLoss):
        soft, hard = (z - t) ** 2 / 2, (z - y) ** 2 / 2
    elif isinstance(loss, HuberLoss):
        delta = torch.as_tensor(loss.delta)

        def huber(u):
            gap = (z - u).abs()
            return torch.where(gap <= delta, gap**2 / 2, delta * (gap - delta / 2))

        soft, hard = huber(t), huber(y)
    elif isinstance(loss, QuantileLoss):
        soft, hard = (
            torch.maximum(loss.quantile * (u - z), (loss.quantile - 1) * (u - z))
            for u in (t, y)
        )
    else:
        soft, hard = z.exp() - t * z, z.exp() - y * z
    return (alpha * soft + (1 - alpha) * known * hard).mean()


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
def test_it_learns_what_the_teacher_knows(loss, rng):
    X, t = teacher_data(rng)
    t = np.exp(t / 3)
    student = MLPStudentRegressor((64,), n_steps=1500, random_state=0)
    student.fit(X, RegressionTargets(t, loss=loss))
    # Of a quantile student the errors lie on one side.
    least = 0.9 if isinstance(loss, QuantileLoss) else 0.98
    assert r2_score(t, student.predict(X)) > least
    assert student.link_ == loss.link


@settings(max_examples=10)
@given(shift=st.floats(-1e4, 1e4), scale=st.floats(1e-3, 1e6))
def test_units_do_not_matter(shift, scale):
    rng = np.random.default_rng(0)
    X, t = teacher_data(rng, 60)
    student = MLPStudentRegressor((4,), n_steps=20, random_state=0)
    plain = student.fit(X, RegressionTargets(t)).predict(X)
    moved = student.fit(X, RegressionTargets(scale * t + shift)).predict(X)
    largest = np.abs(scale * t + shift).max()
    np.testing.assert_allclose(moved, scale * plain + shift, atol=1e-3 * largest)


def test_weights_and_biases_are_in_the_units_of_y(rng):
    X, t = teacher_data(rng, 200)
    student = MLPStudentRegressor((), n_steps=50, random_state=0)
    student.fit(X, RegressionTargets(1000 + 50 * t))
    code = student.encoder_.transform(X)
    by_hand = code @ student.coefs_[0] + student.intercepts_[0]
    np.testing.assert_allclose(by_hand[:, 0], student.predict(X), rtol=1e-5)


def test_several_outputs_of_different_scales(rng):
    X, t = teacher_data(rng)
    both = np.column_stack([t, 1e5 * X[:, 3]])
    student = MLPStudentRegressor((64,), n_steps=1500, random_state=0)
    student.fit(X, RegressionTargets(both))
    assert student.predict(X).shape == both.shape
    assert r2_score(both, student.predict(X), multioutput="raw_values").min() > 0.98


def test_a_single_column_is_a_single_output(rng):
    X, t = teacher_data(rng, 100)
    student = MLPStudentRegressor((4,), n_steps=20, random_state=0)
    column = student.fit(X, RegressionTargets(t[:, None])).predict(X)
    np.testing.assert_array_equal(
        column, student.fit(X, RegressionTargets(t)).predict(X)
    )


def test_alpha_weighs_teacher_and_truth(rng):
    X = rng.normal(size=(300, 1))
    t, y = np.zeros(300), np.ones(300)
    for alpha in (0.0, 0.3, 1.0):
        student = MLPStudentRegressor((4,), random_state=0, early_stopping=False)
        student.fit(X, RegressionTargets(t, y, alpha))
        assert student.predict(X).mean() == pytest.approx(1 - alpha, abs=0.02)
    unknown = y.copy()
    unknown[::2] = np.nan
    student.fit(X, RegressionTargets(t, unknown, 0.5))
    # Of half the rows only the teacher says something: 0.5 of its word each.
    assert student.predict(X).mean() == pytest.approx(1 / 3, abs=0.1)


def test_outliers_pull_less_with_huber(rng):
    X, y = teacher_data(rng, 1000)
    dirty = y.copy()
    dirty[rng.random(1000) < 0.05] += 200
    student = MLPStudentRegressor((16,), n_steps=600, random_state=0)
    plain = student.fit(X, dirty).predict(X)
    robust = student.set_params(loss="huber").fit(X, dirty).predict(X)
    assert np.abs(robust - y).mean() < 0.5 * np.abs(plain - y).mean()


def test_quantiles_of_true_values_cover_their_share(rng):
    X = rng.uniform(size=(3000, 1))
    y = X[:, 0] * rng.normal(size=3000)
    student = MLPStudentRegressor((16,), loss="quantile", quantile=0.8, random_state=0)
    student.fit(X[:2000], y[:2000])
    predicted = student.predict(X[2000:])
    assert np.mean(y[2000:] <= predicted) == pytest.approx(0.8, abs=0.05)
    median = student.set_params(quantile=0.5).fit(X[:2000], y[:2000]).predict(X[2000:])
    loss = mean_pinball_loss(y[2000:], predicted, alpha=0.8)
    assert loss < mean_pinball_loss(y[2000:], median, alpha=0.8)


def test_poisson_predictions_are_positive_and_right_in_the_mean(rng):
    X = rng.uniform(size=(2000, 1))
    y = rng.poisson(np.exp(3 * X[:, 0] - 2))
    student = MLPStudentRegressor((16,), loss="poisson", random_state=0).fit(X, y)
    assert (student.predict(X) > 0).all()
    assert student.predict(X).mean() == pytest.approx(y.mean(), rel=0.1)
    with pytest.raises(ValueError, match="y down to -1"):
        student.fit(X, np.full(2000, -1.0))


def test_plain_values_stop_early(rng):
    X, y = teacher_data(rng, 400)
    noisy = y + rng.normal(size=400)
    student = MLPStudentRegressor((64,), n_steps=3000, random_state=0).fit(X, noisy)
    assert student.n_iter_ < 3000
    assert len(student.validation_curve_) == len(student.loss_curve_)
    student.fit(X, RegressionTargets(y))
    assert student.n_iter_ == 3000


def test_same_seed_same_bits(rng):
    X, t = teacher_data(rng, 200)
    student = MLPStudentRegressor((8,), n_steps=50, random_state=3)
    a = student.fit(X, RegressionTargets(t)).predict(X)
    again = clone(student).fit(X, RegressionTargets(t))
    np.testing.assert_array_equal(a, again.predict(X))


def test_zero_weight_is_no_row_and_weights_pull(rng):
    X, t = teacher_data(rng, 200)
    weights = np.ones(200)
    weights[150:] = 0
    student = MLPStudentRegressor((8,), n_steps=50, random_state=0)
    weighted = student.fit(X, RegressionTargets(t), sample_weight=weights).predict(X)
    removed = student.fit(X[:150], RegressionTargets(t[:150])).predict(X)
    np.testing.assert_array_equal(weighted, removed)
    robust = clone(student).set_params(loss="huber", early_stopping=False)
    ends = np.where(weights > 0, t, 1e9)
    weighted = robust.fit(X, ends, sample_weight=weights).predict(X)
    removed = robust.fit(X[:150], t[:150]).predict(X)
    np.testing.assert_array_equal(weighted, removed)
    both, ends = np.concatenate([X, X]), np.repeat([0.0, 1.0], 200)
    weights = np.repeat([3.0, 1.0], 200)
    student.set_params(n_steps=300).fit(both, RegressionTargets(ends), weights)
    assert student.predict(X).mean() == pytest.approx(0.25, abs=0.03)


def test_predicting_needs_neither_torch_nor_skorch(rng, tmp_path):
    X, t = teacher_data(rng, 200)
    student = MLPStudentRegressor((8,), n_steps=20, random_state=0)
    student.fit(X, RegressionTargets(np.exp(t), loss=PoissonLoss()))
    (tmp_path / "student.pkl").write_bytes(pickle.dumps(student))
    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "expected.npy", student.predict(X))
    code = (
        "import pickle, sys, numpy as np\n"
        "student = pickle.load(open('student.pkl', 'rb'))\n"
        "got = student.predict(np.load('X.npy'))\n"
        "np.testing.assert_array_equal(got, np.load('expected.npy'))\n"
        "assert not {'torch', 'skorch'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)


def test_frames_with_categories_and_gaps(adult):
    X, _ = adult
    y = X["age"].fillna(40).to_numpy(dtype=float)
    X = X.drop(columns="age")
    student = MLPStudentRegressor((16,), n_steps=400, random_state=0)
    student.fit(X, RegressionTargets(y))
    assert student.score(X, y) > 0.4
    odd = X.iloc[:1].copy()
    odd["native_country"] = "Atlantis"
    assert np.isfinite(student.predict(odd)).all()


def test_edges_are_where_the_teacher_changes_its_mind(rng):
    X = rng.uniform(size=(2000, 1))
    targets = RegressionTargets(100.0 * (X[:, 0] > 0.37))
    encoder = TabularEncoder(n_bins=2).fit(X, targets)
    assert encoder.columns_[0].edges[1] == pytest.approx(0.37, abs=0.005)


def test_levels_are_ordered_by_the_prediction():
    X = np.array([["a"], ["b"], ["c"], ["a"]], dtype=object)
    targets = RegressionTargets([5.0, -1.0, 2.0, 5.0])
    encoder = OrderingEncoder().fit(X, targets)
    np.testing.assert_array_equal(encoder.transform(X).ravel(), [2, 0, 1, 2])


@pytest.mark.parametrize(
    "parameters",
    [
        {"hidden_layer_sizes": (0,)},
        {"loss": "logistic"},
        {"quantile": 1.0},
        {"epsilon": 0.0},
        {"n_steps": 0},
    ],
)
def test_bad_parameters_are_named(parameters):
    with pytest.raises(ValueError, match=next(iter(parameters))):
        MLPStudentRegressor(**parameters).fit([[0.0], [1.0]], [0.0, 1.0])


def test_targets_of_the_wrong_kind_or_length_are_refused():
    X = [[0.0], [1.0]]
    with pytest.raises(TypeError, match="RegressionTargets as y of a classifier"):
        MLPStudentClassifier().fit(X, RegressionTargets([0.0, 1.0]))
    with pytest.raises(ValueError, match="RegressionTargets of 1 rows, but expected 2"):
        MLPStudentRegressor().fit(X, RegressionTargets([0.0]))
    with pytest.raises(TypeError, match="SoftTargets as y of a regressor"):
        MLPStudentRegressor().fit(X, SoftTargets([[0.0, 1.0], [1.0, 0.0]]))
    with pytest.raises(ValueError, match="1 sample"):
        MLPStudentRegressor().fit([[0.0]], [0.0])
