import multiprocessing
import pickle
import random
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from threadpoolctl import threadpool_info, threadpool_limits

from skdistill import DistilledClassifier, SoftTargets
from skdistill.losses import soft_target_loss
from skdistill.students import MLPStudentClassifier
from skdistill.students._torch.turns import seeded


def teacher_data(rng, n_samples=2000, n_classes=3, **options):
    X = rng.normal(size=(n_samples, 4))
    logits = np.stack([X[:, 0], X[:, 1] ** 2, np.sin(3 * X[:, 2])], axis=1)
    return X, SoftTargets(2 * logits[:, :n_classes], **options)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_it_learns_what_the_teacher_knows(n_classes, temperature, rng):
    X, targets = teacher_data(rng, n_classes=n_classes, temperature=temperature)
    student = MLPStudentClassifier((64,), n_steps=2000, random_state=0).fit(X, targets)
    assert np.abs(student.predict_proba(X) - targets.proba()).mean() < 0.02


def test_muon_leads_further_in_the_same_steps(rng):
    X, targets = teacher_data(rng)
    student = MLPStudentClassifier((64, 64), n_steps=300, random_state=0)
    plain = clone(student).set_params(optimizer="adamw").fit(X, targets)
    assert student.fit(X, targets).loss_curve_[-1] < plain.loss_curve_[-1]
    again = clone(student).fit(X, targets)
    np.testing.assert_array_equal(student.predict_proba(X), again.predict_proba(X))


def test_loss_curve_is_the_objective(rng):
    X, targets = teacher_data(rng, n_classes=2, temperature=2.0)
    student = MLPStudentClassifier((32,), n_steps=1000, random_state=0).fit(X, targets)
    loss, _ = soft_target_loss(
        student.predict_log_proba(X),
        targets.logits,
        temperature=2.0,
        from_log_odds=True,
    )
    assert student.loss_curve_[-1] == pytest.approx(loss, rel=0.2)
    assert student.loss_curve_[-1] < 0.1 * student.loss_curve_[0]
    assert student.n_iter_ == 1000


def test_same_seed_same_bits_and_untouched_generators(rng):
    X, targets = teacher_data(rng, n_samples=300)
    student = MLPStudentClassifier((8,), n_steps=50, random_state=3)
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002 - the legacy generator is what must not move
    random.seed(1)
    states = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002
    a = student.fit(X, targets).predict_proba(X)
    assert torch.equal(states[0], torch.get_rng_state())
    np.testing.assert_array_equal(states[1], np.random.get_state()[1])  # noqa: NPY002
    assert states[2] == random.getstate()
    np.testing.assert_array_equal(a, clone(student).fit(X, targets).predict_proba(X))
    other = clone(student).set_params(random_state=4).fit(X, targets)
    assert not np.array_equal(a, other.predict_proba(X))


def blas_threads():
    """Threads of each BLAS library."""
    pools = threadpool_info()
    return [pool["num_threads"] for pool in pools if pool["user_api"] == "blas"]


def test_fits_in_threads_are_those_in_turn(rng):
    X, targets = teacher_data(rng, n_samples=300)

    def fit(n_steps):
        student = MLPStudentClassifier((8,), n_steps=n_steps, random_state=0)
        return student.fit(X, targets).predict_proba(X)

    sizes = [20, 27, 34, 41] * 4
    alone = list(map(fit, sizes))
    state = torch.get_rng_state()
    with threadpool_limits(2, user_api="blas"), ThreadPoolExecutor(4) as pool:
        before = blas_threads()
        together = list(pool.map(fit, sizes))
        assert blas_threads() == before
    assert torch.equal(state, torch.get_rng_state())
    np.testing.assert_array_equal(together, alone)


def draw_with_seed(seed):
    # Inside another seed's turn of the same thread, as a callback that fits may be.
    with seeded(seed + 1), seeded(seed):
        return torch.rand(3).tolist()


def test_the_seed_of_one_thread_is_none_of_anothers():
    expected = draw_with_seed(1)
    with ThreadPoolExecutor(1) as pool:
        with seeded(0):
            other = pool.submit(draw_with_seed, 1)
            with pytest.raises(TimeoutError):
                other.result(timeout=0.05)
            drawn = torch.rand(3)
        assert other.result(timeout=10) == expected
    with seeded(0):
        assert torch.equal(drawn, torch.rand(3))


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="nothing is forked"
)
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_process_forked_while_a_thread_trains_does_not_wait_for_it():
    trains, ends = threading.Event(), threading.Event()

    def train():
        with seeded(0):
            trains.set()
            ends.wait(30)

    thread = threading.Thread(target=train)
    thread.start()
    assert trains.wait(10)
    child = multiprocessing.get_context("fork").Process(
        target=draw_with_seed, args=(1,)
    )
    child.start()
    try:
        child.join(timeout=10)
        assert child.exitcode == 0
    finally:
        child.kill()
        ends.set()
        thread.join()


def test_weights_pull_the_network(rng):
    X, targets = teacher_data(rng, n_samples=400)
    flipped = SoftTargets(-targets.logits)
    both = np.concatenate([X, X])
    mixed = SoftTargets(np.concatenate([targets.logits, flipped.logits]))
    weights = np.repeat([1.0, 1e-6], 400)
    student = MLPStudentClassifier((32,), n_steps=800, random_state=0)
    student.fit(both, mixed, sample_weight=weights)
    assert np.abs(student.predict_proba(X) - targets.proba()).mean() < 0.05


def test_zero_weight_is_no_row(rng):
    X, targets = teacher_data(rng, n_samples=200)
    weights = np.ones(200)
    weights[150:] = 0
    student = MLPStudentClassifier((8,), n_steps=50, random_state=0)
    weighted = student.fit(X, targets, sample_weight=weights).predict_proba(X)
    removed = student.fit(X[:150], targets[:150]).predict_proba(X)
    np.testing.assert_array_equal(weighted, removed)


def test_plain_labels_stop_early_and_stay_calibrated(rng):
    X = rng.normal(size=(1500, 20))
    y = (X[:, 0] + rng.normal(size=1500) > 0).astype(int)
    student = MLPStudentClassifier(n_steps=3000, random_state=0).fit(X[:700], y[:700])
    assert student.n_iter_ < 3000
    assert len(student.validation_curve_) == len(student.loss_curve_)
    held_out = log_loss(y[700:], student.predict_proba(X[700:]))
    by_heart = clone(student).set_params(early_stopping=False).fit(X[:700], y[:700])
    assert held_out < log_loss(y[700:], by_heart.predict_proba(X[700:]))
    assert not hasattr(by_heart, "validation_curve_")
    student.set_params(early_stopping=False, n_steps=5).fit(X[:700], y[:700])
    assert not hasattr(student, "validation_curve_")


def test_frames_with_categories_and_gaps(adult):
    X, y = adult
    student = MLPStudentClassifier((16,), n_steps=300, random_state=0).fit(X, y)
    assert student.score(X, y) > 0.8
    assert list(student.feature_names_in_) == list(X.columns)
    odd = X.iloc[:1].copy()
    odd["native_country"] = "Atlantis"
    odd["age"] = np.nan
    assert np.isfinite(student.predict_log_proba(odd)).all()
    with pytest.raises(ValueError, match="feature names"):
        student.predict(X[X.columns[::-1]])


def test_no_hidden_layer_is_logistic_regression(rng):
    X, targets = teacher_data(rng, n_samples=300)
    student = MLPStudentClassifier((), n_steps=100, random_state=0).fit(X, targets)
    assert len(student.coefs_) == 1


def test_one_row_scores_as_in_a_batch(rng):
    X, targets = teacher_data(rng, n_samples=9000)
    student = MLPStudentClassifier((8,), n_steps=20, random_state=0).fit(X, targets)
    batch = student.predict_proba(X)
    for row in (0, 4095, 4096, 8999):
        np.testing.assert_allclose(
            student.predict_proba(X[row : row + 1])[0], batch[row], atol=1e-6
        )


def test_scoring_needs_neither_torch_nor_skorch(rng, tmp_path):
    X, targets = teacher_data(rng, n_samples=200)
    student = MLPStudentClassifier((8,), n_steps=20, random_state=0).fit(X, targets)
    (tmp_path / "student.pkl").write_bytes(pickle.dumps(student))
    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "proba.npy", student.predict_proba(X))
    code = (
        "import pickle, sys, numpy as np\n"
        "student = pickle.load(open('student.pkl', 'rb'))\n"
        "proba = student.predict_proba(np.load('X.npy'))\n"
        "np.testing.assert_array_equal(proba, np.load('proba.npy'))\n"
        "assert not {'torch', 'skorch'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)


def test_the_less_targets_explain_the_more_weights_decay(rng):
    X, targets = teacher_data(rng, n_samples=300, n_classes=2)
    student = MLPStudentClassifier((8,), n_steps=20, random_state=0)

    def weight_decay(scale, **parameters):
        noisy = SoftTargets(scale * targets.logits)
        fitted = clone(student).set_params(**parameters).fit(X, noisy)
        return fitted.weight_decay_, noisy.explained_entropy()

    decays, explained = zip(*map(weight_decay, [4.0, 1.0, 0.4]), strict=True)
    np.testing.assert_allclose(decays, 0.3 / np.sqrt(explained))
    assert decays[0] < decays[1] < decays[2] < 1.5
    assert weight_decay(0.0)[0] == pytest.approx(1.5)
    assert weight_decay(0.4, weight_decay=0.1)[0] == 0.1


def test_a_teacher_of_few_rows_is_followed_less_closely(rng):
    X, targets = teacher_data(rng, n_samples=300, n_classes=2)
    student = MLPStudentClassifier((8,), n_steps=5, random_state=0)

    def chosen(n_fitted, **parameters):
        told = replace(targets, n_fitted=n_fitted)
        fitted = clone(student).set_params(**parameters).fit(X, told)
        return fitted.encoder_.n_bins, fitted.weight_decay_

    enough = 0.3 / np.sqrt(targets.explained_entropy())
    sizes = [1, 750, 1500, 3000, 6000, 9600, 10**7, None]
    bins, decays = zip(*map(chosen, sizes), strict=True)
    assert bins == (4, 4, 5, 10, 20, 32, 32, 32)
    expected = np.array([2, 2, np.sqrt(2), 1, 1, 1, 1, 1]) * enough
    np.testing.assert_allclose(decays, expected)
    assert chosen(750, n_bins=16, weight_decay=0.1) == (16, 0.1)
    # What hardly tells the classes apart decays no faster than a network can learn.
    noise = SoftTargets(0.01 * targets.logits, n_fitted=750)
    assert student.fit(X, noise).weight_decay_ == 2.5
    # Labels have been learnt from as many rows as they are.
    plain = student.fit(X, np.asarray(targets))
    assert (plain.encoder_.n_bins, plain.weight_decay_) == (4, 0.6)


@pytest.mark.parametrize("n_unlabeled", [None, 300])
def test_a_student_is_told_how_many_rows_its_teacher_has_met(n_unlabeled, rng):
    X, targets = teacher_data(rng, n_samples=300, n_classes=2)
    y, more = np.asarray(targets), None
    if n_unlabeled is not None:
        more = rng.normal(size=(n_unlabeled, X.shape[1]))
    student = MLPStudentClassifier((4,), n_steps=5, random_state=0)
    model = DistilledClassifier(LogisticRegression(), student, augmenter=None)
    model.fit(X, y, X_unlabeled=more)
    assert model.student_.encoder_.n_bins == 4
    # A frozen one has met others.
    frozen = clone(model).set_params(teacher=FrozenEstimator(model.teacher_))
    assert frozen.fit(X, y, X_unlabeled=more).student_.encoder_.n_bins == 32


@pytest.mark.parametrize(
    "parameters",
    [
        {"hidden_layer_sizes": 64},
        {"hidden_layer_sizes": (0,)},
        {"n_steps": 0},
        {"n_steps": "many"},
        {"batch_size": 0},
        {"learning_rate": 0.0},
        {"learning_rate": np.inf},
        {"weight_decay": -1.0},
        {"weight_decay": "strong"},
        {"optimizer": "sgd"},
        {"early_stopping": "sometimes"},
        {"validation_fraction": 1.0},
        {"n_iter_no_change": 0},
        {"n_bins": 0},
        {"n_bins": "few"},
    ],
)
def test_bad_parameters_are_named(parameters):
    with pytest.raises(ValueError, match=next(iter(parameters))):
        MLPStudentClassifier(**parameters).fit([[0.0], [1.0]], [0, 1])


@pytest.mark.parametrize("name", ["n_steps", "weight_decay", "n_bins"])
def test_a_mistaken_word_is_answered_by_the_right_one(name):
    student = MLPStudentClassifier(**{name: "Auto"})
    with pytest.raises(ValueError, match=f"{name}='Auto'.* or 'auto'"):
        student.fit([[0.0], [1.0]], [0, 1])
