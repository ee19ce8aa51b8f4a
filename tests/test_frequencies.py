import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.datasets import load_iris
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, RadiusNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skdistill._frequencies import smoothed_proba
from skdistill._log_odds import classifier_log_odds
from skdistill.losses._reference import softmax
from skdistill.students import WeightedStudentClassifier

X, y = load_iris(return_X_y=True)


class OwnForest(RandomForestClassifier):
    """What other libraries derive from scikit-learn's."""


VOTERS = [
    (RandomForestClassifier(8, random_state=0), 8),
    (ExtraTreesClassifier(13, random_state=0), 13),
    (OwnForest(6, random_state=0), 6),
    (BaggingClassifier(n_estimators=7, random_state=0), 7),
    (KNeighborsClassifier(4), 4),
    (KNeighborsClassifier(9, weights="distance"), 9),
    (make_pipeline(StandardScaler(), KNeighborsClassifier(3)), 3),
    (GridSearchCV(KNeighborsClassifier(), {"n_neighbors": [6]}, cv=2), 6),
    (FrozenEstimator(RandomForestClassifier(5, random_state=0).fit(X, y)), 5),
]
OTHERS = [
    GaussianNB(),
    LogisticRegression(max_iter=1000),
    HistGradientBoostingClassifier(max_iter=5),
    BaggingClassifier(LogisticRegression(max_iter=1000), 3, random_state=0),
]


@pytest.mark.parametrize(("model", "n_votes"), VOTERS)
def test_one_more_vote_is_spread_over_the_classes(model, n_votes):
    proba = model.fit(X, y).predict_proba(X)
    assert (proba == 0).any()
    log_odds = classifier_log_odds(model, X, np.arange(3))
    expected = (n_votes * proba + 1 / 3) / (n_votes + 1)
    np.testing.assert_allclose(softmax(log_odds), expected, atol=1e-12)
    np.testing.assert_allclose(np.exp(log_odds.min()), 1 / (3 * (n_votes + 1)))


@pytest.mark.parametrize("model", OTHERS, ids=lambda model: type(model).__name__)
def test_other_probabilities_stay_as_they_are(model):
    proba = model.fit(X, y).predict_proba(X)
    assert smoothed_proba(model, X, proba) is proba
    log_odds = classifier_log_odds(model, X, np.arange(3))
    np.testing.assert_allclose(softmax(log_odds), proba, atol=1e-6)


def test_a_student_predicts_what_its_classifier_predicts():
    student = WeightedStudentClassifier(RandomForestClassifier(5, random_state=0))
    student.fit(X, y)
    np.testing.assert_allclose(
        student.predict_proba(X), student.classifier_.predict_proba(X), atol=1e-6
    )


@pytest.mark.parametrize("wrap", [lambda m: m, FrozenEstimator, make_pipeline])
def test_votes_of_a_tree_are_the_rows_in_a_leaf(wrap):
    tree = DecisionTreeClassifier(max_leaf_nodes=3, random_state=0).fit(X, y)
    leaves = tree.apply(X)
    n_votes = np.bincount(leaves)[leaves][:, None]
    assert len(np.unique(n_votes)) == 3
    expected = (n_votes * tree.predict_proba(X) + 1 / 3) / (n_votes + 1)
    log_odds = classifier_log_odds(wrap(tree), X, np.arange(3))
    np.testing.assert_allclose(softmax(log_odds), expected, atol=1e-12)


def test_weights_of_a_tree_change_no_votes_by_their_scale():
    log_odds = [
        classifier_log_odds(
            DecisionTreeClassifier(random_state=0).fit(X, y, np.full(len(y), weight)),
            X,
            np.arange(3),
        )
        for weight in (1.0, 1e-3)
    ]
    np.testing.assert_allclose(*log_odds, atol=1e-12)


def test_votes_in_a_radius_are_counted():
    model = RadiusNeighborsClassifier(0.51, outlier_label=1).fit(X[:100], y[:100])
    proba = model.predict_proba(X)
    counts = [(np.linalg.norm(X[:100] - row, axis=1) <= 0.51).sum() for row in X]
    assert min(counts) == 0
    n_votes = np.maximum(counts, 1)[:, None]
    expected = (n_votes * proba + 1 / 2) / (n_votes + 1)
    log_odds = classifier_log_odds(model, X, model.classes_)
    np.testing.assert_allclose(softmax(log_odds), expected, atol=1e-12)


@given(
    arrays(float, (5, 4), elements=st.floats(0, 1)).filter(
        lambda weights: (weights.sum(axis=1) > 0.01).all()
    ),
    st.integers(1, 1000),
)
def test_smoothing_keeps_the_order_and_the_sum(weights, n_neighbors):
    proba = weights / weights.sum(axis=1, keepdims=True)
    smoothed = smoothed_proba(KNeighborsClassifier(n_neighbors), None, proba)
    np.testing.assert_allclose(smoothed.sum(axis=1), 1)
    assert (smoothed > 0).all()
    order = np.argsort(proba, axis=1, kind="stable")
    assert (np.diff(np.take_along_axis(smoothed, order, axis=1)) >= -1e-15).all()
    np.testing.assert_array_less(
        np.abs(smoothed - proba), 1 / (n_neighbors + 1) + 1e-12
    )


@pytest.mark.parametrize(
    "model", [RandomForestClassifier(20, random_state=0), KNeighborsClassifier(5)]
)
def test_held_out_log_loss_of_a_real_table(letter, model):
    X, y = letter
    model.fit(X[:1000], y[:1000])
    classes = model.classes_
    proba = model.predict_proba(X[1000:])
    smoothed = softmax(classifier_log_odds(model, X[1000:], classes))
    floor = np.maximum(proba, 1e-7)
    floor /= floor.sum(axis=1, keepdims=True)
    losses = [log_loss(y[1000:], p, labels=classes) for p in (smoothed, floor)]
    assert losses[0] < 0.9 * losses[1]
