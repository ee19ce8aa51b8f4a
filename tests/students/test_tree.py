import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import log_loss
from sklearn.tree import DecisionTreeClassifier

from skdistill import SoftTargets
from skdistill.losses import soft_target_loss
from skdistill.students import TreeStudentClassifier


def random_targets(rng, n_samples=300, n_classes=3, **options):
    X = rng.normal(size=(n_samples, 4))
    logits = X @ rng.normal(size=(4, n_classes)) * 2
    labels = rng.integers(-1, n_classes, n_samples)
    return X, SoftTargets(logits, labels, **options)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_leaves_minimise_the_objective(temperature, alpha, rng):
    X, targets = random_targets(rng, temperature=temperature, alpha=alpha)
    student = TreeStudentClassifier(max_leaf_nodes=5, smoothing=0, random_state=0)
    student.fit(X, targets)
    leaves = student.tree_.apply(student.encoder_.transform(X))

    def gradient_by_leaf(log_odds):
        _, gradient = soft_target_loss(
            np.ascontiguousarray(log_odds),
            targets.logits,
            targets.labels,
            temperature=temperature,
            alpha=alpha,
            from_log_odds=True,
        )
        return [gradient[leaves == leaf].sum(axis=0) for leaf in np.unique(leaves)]

    np.testing.assert_allclose(
        gradient_by_leaf(student.predict_log_proba(X)), 0, atol=1e-8
    )


def test_rows_without_a_label_weigh_alpha_when_it_grows(rng):
    """Heavy rows of the teacher decide the only split, unless alpha is low."""
    X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]).repeat(10, axis=0)
    labels = np.array([0, 0, 1, 1]).repeat(10)
    unlabelled = np.array([[0.0, 0.0], [0.0, 1.0]]).repeat(10, axis=0)
    taught = np.array([[9.0, -9.0], [-9.0, 9.0]]).repeat(10, axis=0)
    one_hot = np.array([[9.0, -9.0], [-9.0, 9.0]])[labels]
    split = {}
    for alpha in (0.05, 0.95):
        targets = SoftTargets(
            np.concatenate([one_hot, taught]),
            np.append(labels, np.full(20, -1)),
            alpha=alpha,
        )
        student = TreeStudentClassifier(max_leaf_nodes=2, random_state=0)
        student.fit(
            np.concatenate([X, unlabelled]),
            targets,
            sample_weight=np.repeat([1.0, 6.0], [40, 20]),
        )
        split[alpha] = student.tree_.tree_.feature[0]
    assert split == {0.05: 0, 0.95: 1}


def test_smoothing_keeps_every_class_possible(rng):
    X = rng.normal(size=(200, 2))
    student = TreeStudentClassifier(min_samples_leaf=1).fit(X, X[:, 0] > 0)
    proba = student.predict_proba(X)
    assert 0 < proba.min() < 0.05
    bare = TreeStudentClassifier(min_samples_leaf=1, smoothing=0).fit(X, X[:, 0] > 0)
    assert bare.predict_proba(X).min() < 1e-9


def test_on_labels_it_is_about_scikit_learns_tree(adult):
    X, y = adult
    numeric = X.select_dtypes("number").to_numpy()
    ours = TreeStudentClassifier(
        max_leaf_nodes=8, smoothing=0, min_samples_leaf=20, random_state=0
    ).fit(numeric, y)
    theirs = DecisionTreeClassifier(
        max_leaf_nodes=8, min_samples_leaf=20, random_state=0
    ).fit(numeric, y)
    difference = ours.predict_proba(numeric) - theirs.predict_proba(numeric)
    assert np.abs(difference).max() < 1e-6


@given(seed=st.integers(0, 2**32 - 1))
def test_weight_2_is_a_duplicated_row(seed):
    rng = np.random.default_rng(seed)
    # So many rows that no two columns split a node alike, which is a tie.
    X, targets = random_targets(rng, n_samples=300, alpha=0.6, temperature=2.0)
    weights = rng.integers(0, 3, 300)
    rows = np.repeat(np.arange(300), weights)
    student = TreeStudentClassifier(max_leaf_nodes=4, random_state=0)
    weighted = student.fit(X, targets, sample_weight=weights).predict_proba(X)
    repeated = student.fit(X[rows], targets[rows]).predict_proba(X)
    np.testing.assert_allclose(weighted, repeated, atol=1e-8)


@given(seed=st.integers(0, 2**32 - 1))
def test_permuting_classes_permutes_columns(seed):
    rng = np.random.default_rng(seed)
    X, targets = random_targets(rng, n_samples=80, alpha=0.7)
    order = np.array([2, 0, 1])
    permuted = SoftTargets(
        targets.logits[:, order],
        np.append(np.argsort(order), -1)[targets.labels],
        order,
        alpha=0.7,
    )
    student = TreeStudentClassifier(max_leaf_nodes=6, random_state=0)
    straight = student.fit(X, targets).predict_proba(X)
    np.testing.assert_allclose(
        student.fit(X, permuted).predict_proba(X), straight[:, order], atol=1e-9
    )


def test_leaves_hold_enough_weight(rng):
    X, targets = random_targets(rng)
    student = TreeStudentClassifier(min_samples_leaf=40).fit(X, targets)
    leaves = student.tree_.apply(student.encoder_.transform(X))
    assert np.unique(leaves, return_counts=True)[1].min() >= 40


def test_soft_targets_beat_labels_where_the_teacher_knows_more(rng):
    X = rng.normal(size=(3000, 3))
    p = 1 / (1 + np.exp(-2 * X[:, 0] - X[:, 1]))
    y = (rng.random(3000) < p).astype(int)
    targets = SoftTargets.from_proba(np.stack([1 - p, p], axis=1), y=y)
    fit, test = slice(0, 1000), slice(1000, None)
    student = TreeStudentClassifier(max_leaf_nodes=32, random_state=0)
    soft = log_loss(y[test], student.fit(X[fit], targets[fit]).predict_proba(X[test]))
    hard = log_loss(y[test], student.fit(X[fit], y[fit]).predict_proba(X[test]))
    assert soft < hard


@pytest.mark.parametrize(
    "parameters",
    [
        {"max_leaf_nodes": 1},
        {"max_leaf_nodes": 2.5},
        {"max_depth": 0},
        {"min_samples_leaf": 0},
        {"smoothing": -1},
    ],
)
def test_bad_parameters_are_named(parameters):
    with pytest.raises(ValueError, match=f"Got {next(iter(parameters))}="):
        TreeStudentClassifier(**parameters).fit([[0.0], [1.0]], [0, 1])
