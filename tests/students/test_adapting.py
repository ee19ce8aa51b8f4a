from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import skorch
import torch
from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestRegressor
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill import SoftTargets
from skdistill.losses import soft_target_loss
from skdistill.students import (
    BoostedStudentClassifier,
    LogOddsStudentClassifier,
    MLPStudentClassifier,
    SkorchStudentClassifier,
    TreeStudentClassifier,
    WeightedStudentClassifier,
    as_student,
)
from skdistill.students._base import row_optimum


def linear_data(rng, n_classes=3, n_samples=400, **options):
    X = rng.normal(size=(n_samples, 3))
    logits = X @ rng.normal(size=(3, n_classes))
    labels = np.array(["x", "y", "z"])[:n_classes]
    return X, SoftTargets(logits, classes=labels, **options)


@pytest.mark.parametrize(
    ("estimator", "kind"),
    [
        (LogisticRegression(), WeightedStudentClassifier),
        (GaussianNB(), WeightedStudentClassifier),
        (LinearRegression(), LogOddsStudentClassifier),
        (KNeighborsRegressor(), LogOddsStudentClassifier),
        (MLPStudentClassifier(), MLPStudentClassifier),
        (skorch.NeuralNet(torch.nn.Linear, torch.nn.MSELoss), SkorchStudentClassifier),
    ],
)
def test_each_kind_has_its_adapter(estimator, kind):
    assert isinstance(as_student(estimator), kind)
    last = as_student(make_pipeline(StandardScaler(), estimator))[-1]
    assert isinstance(last, kind)


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (KNeighborsClassifier(), "KNeighborsClassifier, whose fit takes no sample_w"),
        (StandardScaler(), "StandardScaler"),
        (make_pipeline(StandardScaler(), StandardScaler()), "StandardScaler"),
        (BaseEstimator(), "BaseEstimator"),
        ("tree", "'tree'"),
        (LogisticRegression, "LogisticRegression"),
    ],
)
def test_what_cannot_be_a_student_is_named(estimator, message):
    with pytest.raises(TypeError, match=message):
        as_student(estimator)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("temperature", [1.0, 4.0])
@pytest.mark.parametrize(
    "estimator", [LogisticRegression(C=1e4, max_iter=1000), LinearRegression()]
)
def test_a_linear_student_recovers_a_linear_teacher(
    estimator, temperature, n_classes, rng
):
    X, targets = linear_data(rng, n_classes, temperature=temperature)
    student = as_student(estimator).fit(X, targets)
    np.testing.assert_allclose(student.predict_proba(X), targets.proba(), atol=0.01)
    np.testing.assert_array_equal(student.classes_, targets.classes)


def test_weighted_rows_minimise_the_objective(rng):
    X, targets = linear_data(rng, alpha=0.5)
    labels = rng.integers(-1, 3, len(targets))
    targets = SoftTargets(targets.logits, labels, targets.classes, alpha=0.5)
    student = WeightedStudentClassifier(
        LogisticRegression(C=1e8, max_iter=5000, tol=1e-10), smallest_weight=0
    ).fit(X, targets)
    _, gradient = soft_target_loss(
        student.predict_log_proba(X),
        targets.logits,
        labels,
        alpha=0.5,
        from_log_odds=True,
    )
    np.testing.assert_allclose(X.T @ gradient, 0, atol=1e-4)
    np.testing.assert_allclose(gradient.sum(axis=0), 0, atol=1e-4)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_regressor_weighs_rows_as_the_objective_does(n_classes, rng):
    X, targets = linear_data(rng, n_classes)
    labels = rng.integers(-1, n_classes, len(targets))
    targets = SoftTargets(targets.logits, labels, alpha=0.4)
    weights = rng.random(len(targets))
    student = LogOddsStudentClassifier(LinearRegression())
    student.fit(X, targets, sample_weight=weights)
    wanted = row_optimum(targets)
    wanted = wanted[:, 1:] - wanted[:, :1] if n_classes == 2 else wanted
    wanted = wanted.clip(-8, 8)
    by_hand = LinearRegression().fit(
        X, wanted, sample_weight=weights * np.where(labels < 0, 0.4, 1)
    )
    predicted = student.regressor_.predict(X).reshape(wanted.shape)
    np.testing.assert_allclose(predicted, by_hand.predict(X), atol=1e-8)


def test_a_regressor_without_weights_learns_rows_that_weigh_the_same(rng):
    X, targets = linear_data(rng, 2)
    for labels, alpha in [(None, 0.5), (rng.integers(0, 2, len(X)), 0.5)]:
        soft = SoftTargets(targets.logits, labels, alpha=alpha)
        as_student(KNeighborsRegressor()).fit(X, soft)
    labels[:100] = -1
    student = as_student(KNeighborsRegressor())
    student.fit(X, SoftTargets(targets.logits, labels, alpha=0.0))
    assert student.regressor_.n_samples_fit_ == len(X) - 100
    with pytest.raises(ValueError, match="KNeighborsRegressor cannot take it"):
        student.fit(X, SoftTargets(targets.logits, labels, alpha=0.5))


@pytest.mark.parametrize(
    "student",
    [
        BoostedStudentClassifier(n_estimators=3, random_state=0),
        LogOddsStudentClassifier(LinearRegression()),
        TreeStudentClassifier(random_state=0),
        WeightedStudentClassifier(LogisticRegression()),
    ],
    ids=lambda student: type(student).__name__,
)
@pytest.mark.parametrize("weighted", [False, True])
def test_without_the_teacher_unlabelled_rows_change_nothing(student, weighted, rng):
    X = rng.normal(size=(400, 3))
    X[:, 2] = X[:, 2] > 0
    X = X.astype(object)
    X[:, 2] = np.where(X[:, 2] == 1, "a", "b")
    X[:200, 0] += 3
    if not isinstance(student, BoostedStudentClassifier | TreeStudentClassifier):
        X = X[:, :2].astype(float)
    labels = np.append(np.full(200, -1), rng.integers(0, 2, 200))
    targets = SoftTargets(rng.normal(size=(400, 2)), labels, alpha=0.0)
    weights = rng.random(400) if weighted else None
    both = student.fit(X, targets, sample_weight=weights).predict_proba(X)
    alone = student.fit(
        X[200:], targets[200:], None if weights is None else weights[200:]
    ).predict_proba(X)
    np.testing.assert_allclose(both, alone, atol=1e-9)


@pytest.mark.parametrize("classes", [["no", "so", "yes"], [1, 2, 3], [0, 1, 2]])
@pytest.mark.parametrize("n_seen", [2, 3])
def test_a_classifier_of_numbered_classes_takes_any(classes, n_seen, rng):
    xgboost = pytest.importorskip("xgboost")
    X = rng.normal(size=(300, 2))
    logits = np.stack([X[:, 0], np.full(300, -40.0), -X[:, 0]], axis=1)
    if n_seen == 3:
        logits[:, 1] = X[:, 1]
    targets = SoftTargets(3 * logits, classes=classes)
    student = as_student(xgboost.XGBClassifier(n_estimators=20, max_depth=3))
    student.fit(X, targets)
    assert student.classes_.tolist() == classes
    assert (student.predict(X) == np.asarray(targets)).mean() > 0.9
    proba = student.predict_proba(X)
    np.testing.assert_allclose(proba, targets.proba(), atol=0.35)
    assert (proba[:, 1] < 0.01).all() == (n_seen == 2)


def test_weights_of_rows_multiply(rng):
    X, targets = linear_data(rng, n_samples=60)
    weights = rng.integers(0, 3, 60)
    rows = np.repeat(np.arange(60), weights)
    for estimator in (LogisticRegression(), LinearRegression()):
        student = as_student(estimator)
        weighted = student.fit(X, targets, sample_weight=weights).predict_proba(X)
        repeated = student.fit(X[rows], targets[rows]).predict_proba(X)
        np.testing.assert_allclose(weighted, repeated, atol=1e-3)


def test_a_regressor_without_weights_or_outputs(rng):
    X, targets = linear_data(rng)
    student = as_student(
        MLPRegressor(hidden_layer_sizes=(16,), max_iter=2000, random_state=0)
    )
    assert student.fit(X, targets).score(X, np.asarray(targets)) > 0.9
    with pytest.raises(ValueError, match="KNeighborsRegressor cannot take it"):
        as_student(KNeighborsRegressor()).fit(
            X, targets, sample_weight=np.ones(len(targets))
        )


def test_confident_targets_are_clipped(rng):
    X, targets = linear_data(rng, 2)
    sure = SoftTargets(1e4 * targets.logits)
    student = LogOddsStudentClassifier(RandomForestRegressor(5, random_state=0))
    log_odds = student.fit(X, sure).predict_log_proba(X)
    assert np.abs(log_odds[:, 1] - log_odds[:, 0]).max() <= 8 + 1e-9


def test_supervised_steps_before_the_student_see_labels(rng):
    X, targets = linear_data(rng, 2)
    noise = np.concatenate([rng.normal(size=(len(X), 5)), X], axis=1)
    student = as_student(make_pipeline(SelectKBest(k=3), LogisticRegression()))
    student.fit(noise, targets)
    assert student[0].get_support()[5:].sum() >= 2
    assert student.score(noise, np.asarray(targets)) > 0.85


class Network(torch.nn.Module):
    def __init__(self, n_outputs=3, probabilities=False):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(3, 16), torch.nn.ReLU(), torch.nn.Linear(16, n_outputs)
        )
        self.probabilities = probabilities

    def forward(self, X):
        out = self.layers(X)
        return torch.softmax(out, dim=1) if self.probabilities else out


@pytest.mark.parametrize(
    ("net", "n_classes"),
    [
        (skorch.NeuralNet(Network, torch.nn.CrossEntropyLoss), 3),
        (skorch.NeuralNetClassifier(Network, module__probabilities=True), 3),
        (skorch.NeuralNetClassifier(Network, criterion=torch.nn.CrossEntropyLoss), 3),
        (skorch.NeuralNetBinaryClassifier(Network, module__n_outputs=1), 2),
        (skorch.NeuralNet(Network, torch.nn.MSELoss, module__n_outputs=2), 2),
    ],
)
def test_skorch_nets_learn_from_soft_targets(net, n_classes, rng):
    X, targets = linear_data(rng, n_classes, n_samples=600)
    net.set_params(max_epochs=30, lr=0.02, optimizer=torch.optim.Adam, verbose=0)
    student = SkorchStudentClassifier(net, random_state=0).fit(X, targets)
    assert np.abs(student.predict_proba(X) - targets.proba()).mean() < 0.05
    assert set(student.predict(X)) <= set(targets.classes)
    again = SkorchStudentClassifier(net, random_state=0).fit(X, targets)
    np.testing.assert_array_equal(student.predict_proba(X), again.predict_proba(X))


def test_skorch_nets_leave_the_global_generator_alone(rng):
    X, targets = linear_data(rng)
    net = skorch.NeuralNet(
        Network, torch.nn.CrossEntropyLoss, max_epochs=3, verbose=0, batch_size=64
    )

    def fit(_):
        student = SkorchStudentClassifier(net, random_state=0).fit(X, targets)
        return student.predict_proba(X)

    alone = fit(0)
    state = torch.get_rng_state()
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(fit, range(12)))
    assert torch.equal(state, torch.get_rng_state())
    np.testing.assert_array_equal(together, [alone] * 12)


def test_skorch_nets_predict_as_skorch_does(rng):
    X, targets = linear_data(rng)
    net = skorch.NeuralNet(
        Network, torch.nn.CrossEntropyLoss, verbose=0, batch_size=64, max_epochs=2
    )
    student = SkorchStudentClassifier(net, random_state=0).fit(X, targets)
    log_odds = student.net_.forward(X.astype(np.float32)).double()
    proba = torch.softmax(log_odds, dim=1)
    np.testing.assert_allclose(student.predict_proba(X), proba, atol=1e-12)


def test_skorch_nets_want_numbers(adult):
    net = skorch.NeuralNet(Network, torch.nn.CrossEntropyLoss, verbose=0)
    with pytest.raises(ValueError, match="TabularEncoder"):
        SkorchStudentClassifier(net).fit(*adult)
