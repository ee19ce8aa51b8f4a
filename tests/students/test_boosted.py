import pickle

import numpy as np
import pytest
from sklearn.base import clone

from skdistill import DistilledClassifier, SoftTargets
from skdistill.losses import soft_target_loss
from skdistill.students import BoostedStudentClassifier


def teacher_data(n_classes, **options):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 3))
    scores = np.stack([X[:, 0], X[:, 1] ** 2, np.sin(2 * X[:, 2])], axis=1)
    return X, SoftTargets(2 * scores[:, :n_classes], **options)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_it_learns_what_the_teacher_knows(n_classes, temperature):
    X, targets = teacher_data(n_classes, temperature=temperature)
    student = BoostedStudentClassifier(100).fit(X, targets)
    assert np.abs(student.predict_proba(X) - targets.proba()).mean() < 0.03
    np.testing.assert_allclose(student.predict_proba(X).sum(axis=1), 1)


def test_numbers_that_float32_cannot_tell_apart(rng):
    seconds = rng.integers(0, 7200, 2000)
    y = seconds // 600 % 2
    student = BoostedStudentClassifier(20, random_state=0)
    near, far = seconds[:, None].astype(float), 1.7e9 + seconds[:, None]
    expected = student.fit(near, y).predict_proba(near)
    np.testing.assert_allclose(student.fit(far, y).predict_proba(far), expected)


def test_it_starts_from_the_best_constant():
    X, targets = teacher_data(3, temperature=2.0, alpha=1.0)
    base = BoostedStudentClassifier(1).fit(X, targets).base_log_odds_
    _, gradient = soft_target_loss(
        np.tile(base, (len(targets), 1)),
        targets.logits,
        temperature=2.0,
        from_log_odds=True,
    )
    np.testing.assert_allclose(gradient.sum(axis=0), 0, atol=1e-9)


def test_same_seed_same_bits_and_pickle(adult):
    X, y = adult
    student = BoostedStudentClassifier(random_state=0).fit(X, y)
    proba = student.predict_proba(X)
    assert student.score(X, y) > 0.85
    np.testing.assert_array_equal(clone(student).fit(X, y).predict_proba(X), proba)
    copy = pickle.loads(pickle.dumps(student))
    np.testing.assert_array_equal(copy.predict_proba(X), proba)


def test_weights_and_labels_matter():
    X, targets = teacher_data(2)
    flipped = SoftTargets(-targets.logits)
    both = np.concatenate([X, X])
    mixed = SoftTargets(np.concatenate([targets.logits, flipped.logits]))
    student = BoostedStudentClassifier(50).fit(
        both, mixed, sample_weight=np.repeat([1.0, 1e-6], len(X))
    )
    assert np.abs(student.predict_proba(X) - targets.proba()).mean() < 0.05


def test_it_is_a_student_of_the_road(letter):
    from sklearn.ensemble import RandomForestClassifier

    X, y = letter
    model = DistilledClassifier(
        RandomForestClassifier(30, random_state=0),
        BoostedStudentClassifier(10),
        cv=3,
        random_state=0,
    ).fit(X, y)
    assert model.score(X, y) > 0.8


@pytest.mark.parametrize(
    "parameters",
    [
        {"n_estimators": 0},
        {"num_leaves": 1},
        {"learning_rate": 0},
        {"min_samples_leaf": 0},
        {"reg_lambda": -1},
        {"n_jobs": 1.5},
    ],
)
def test_bad_parameters_are_named(parameters):
    with pytest.raises(ValueError, match=f"Got {next(iter(parameters))}="):
        BoostedStudentClassifier(**parameters).fit([[0.0], [1.0]], [0, 1])
