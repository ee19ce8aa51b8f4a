import numpy as np
import pandas as pd
import pyarrow
import pytest
from lightgbm import LGBMClassifier
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_iris, make_classification
from sklearn.ensemble import (
    AdaBoostClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC, LinearSVC

from skdistill._frequencies import smoothed_proba
from skdistill._log_odds import classifier_log_odds, floor_log_odds
from skdistill.losses._reference import softmax

BINARY = make_classification(200, random_state=0)
MULTICLASS = load_iris(return_X_y=True)

TEACHERS = [
    LogisticRegression(max_iter=1000),
    RandomForestClassifier(20, random_state=0),
    HistGradientBoostingClassifier(max_iter=10),
    AdaBoostClassifier(n_estimators=10, random_state=0),
    LGBMClassifier(n_estimators=10, verbose=-1, n_jobs=1, random_state=0),
    GaussianNB(),
    KNeighborsClassifier(),
    OneVsRestClassifier(LogisticRegression(max_iter=1000)),
    LGBMClassifier(n_estimators=50, verbose=-1, n_jobs=1, num_leaves=4),
]


@pytest.mark.parametrize("data", [BINARY, MULTICLASS], ids=["binary", "multiclass"])
@pytest.mark.parametrize("teacher", TEACHERS, ids=lambda t: type(t).__name__)
def test_softmax_of_log_odds_is_the_classifiers_distribution(teacher, data):
    X, y = data
    teacher.fit(X, y)
    log_odds = classifier_log_odds(teacher, X, teacher.classes_)
    assert np.isfinite(log_odds).all()
    proba = smoothed_proba(teacher, X, teacher.predict_proba(X))
    np.testing.assert_allclose(softmax(log_odds), proba, atol=1e-6)


def test_margins_keep_digits_that_probabilities_have_lost():
    X = np.linspace(-1, 1, 40)[:, None]
    teacher = LogisticRegression(C=1e6).fit(X, X[:, 0] > 0)
    log_odds = classifier_log_odds(teacher, 100 * X, teacher.classes_)
    z = teacher.decision_function(100 * X)
    assert np.abs(z).max() > 1000
    np.testing.assert_allclose(log_odds[:, 1] - log_odds[:, 0], z)


@pytest.mark.parametrize("teacher", [LinearSVC(), RidgeClassifier(), SVC()])
@pytest.mark.parametrize("data", [BINARY, MULTICLASS], ids=["binary", "multiclass"])
def test_margins_alone_are_taken_as_they_are(teacher, data):
    X, y = data
    log_odds = classifier_log_odds(teacher.fit(X, y), X, teacher.classes_)
    margins = teacher.decision_function(X)
    if margins.ndim == 1:
        margins = np.stack([np.zeros_like(margins), margins], axis=1)
    np.testing.assert_allclose(softmax(log_odds), softmax(margins), atol=1e-12)


def test_columns_follow_labels_not_positions():
    X, y = MULTICLASS
    names = np.array(["c", "a", "b"])[y]
    teacher = LogisticRegression(max_iter=1000).fit(X, names)
    wanted = np.array(["b", "c", "a"])
    log_odds = classifier_log_odds(teacher, X, wanted)
    np.testing.assert_allclose(
        softmax(log_odds), teacher.predict_proba(X)[:, [1, 2, 0]], atol=1e-9
    )


def test_an_unknown_class_gets_the_floor_or_an_error():
    X, y = MULTICLASS
    teacher = GaussianNB().fit(X[y > 0], y[y > 0])
    with pytest.raises(ValueError, match=r"classes \[1, 2\], but expected \[0, 1, 2\]"):
        classifier_log_odds(teacher, X, np.arange(3))
    floor = floor_log_odds(100)
    log_odds = classifier_log_odds(teacher, X, np.arange(3), unseen_log_odds=floor)
    np.testing.assert_array_equal(log_odds[:, 0], floor)
    assert np.exp(floor) == pytest.approx(0.5 / 101)


def test_a_surplus_class_is_an_error():
    X, y = MULTICLASS
    with pytest.raises(ValueError, match="expected"):
        classifier_log_odds(GaussianNB().fit(X, y), X, np.array([0, 1]))


class Unnormalised(GaussianNB):
    """A classifier whose rows of probabilities sum to 2."""

    def predict_proba(self, X):
        return 2 * super().predict_proba(X)


def test_rows_that_do_not_sum_to_1_are_refused():
    X, y = MULTICLASS
    teacher = Unnormalised().fit(X, y)
    with pytest.raises(ValueError, match="sum"):
        classifier_log_odds(teacher, X, teacher.classes_)


def test_lightgbm_may_not_reorder_columns_silently():
    X, y = load_iris(return_X_y=True, as_frame=True)
    teacher = LGBMClassifier(n_estimators=5, verbose=-1, n_jobs=1).fit(X, y)
    assert classifier_log_odds(teacher, X, teacher.classes_).shape == (150, 3)
    with pytest.raises(ValueError, match="in that order"):
        classifier_log_odds(teacher, X[X.columns[::-1]], teacher.classes_)


class Silent(ClassifierMixin, BaseEstimator):
    """A classifier that predicts labels and nothing else."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self


def test_a_classifier_without_scores_is_refused():
    X, y = BINARY
    with pytest.raises(TypeError, match="neither predict_proba nor decision_function"):
        classifier_log_odds(Silent().fit(X, y), X, np.unique(y))


def test_scores_of_pairs_of_classes_are_refused():
    X, y = MULTICLASS
    teacher = SVC(decision_function_shape="ovo").fit(X, y)
    with pytest.raises(TypeError, match="pairs of classes, but expected 'ovr'"):
        classifier_log_odds(teacher, X, np.unique(y))
    with pytest.raises(TypeError, match="pairs of classes"):
        classifier_log_odds(make_pipeline(teacher), X, np.unique(y))
    # With two classes there is but one pair.
    X, y = BINARY
    assert classifier_log_odds(clone(teacher).fit(X, y), X, np.unique(y)).shape[1] == 2


def test_columns_of_pyarrow_tables_have_names():
    X, y = BINARY
    names = [f"c{j}" for j in range(X.shape[1])]
    table = pyarrow.table(dict(zip(names, X.T, strict=True)))
    teacher = LogisticRegression(max_iter=1000).fit(pd.DataFrame(X, columns=names), y)
    np.testing.assert_allclose(
        classifier_log_odds(teacher, table, np.array([0, 1])),
        classifier_log_odds(teacher, pd.DataFrame(X, columns=names), np.array([0, 1])),
    )


def test_several_outputs_are_refused():
    X, y = BINARY
    teacher = RandomForestClassifier(5).fit(X, np.stack([y, 1 - y], axis=1))
    with pytest.raises((TypeError, ValueError)):
        classifier_log_odds(teacher, X, np.array([0, 1]))


def test_frames_reach_the_classifier_untouched():
    X = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "b": [1.0, 1.0, 0.0, 0.0]})
    teacher = LogisticRegression().fit(X, [0, 0, 1, 1])
    assert classifier_log_odds(teacher, X, np.array([0, 1])).shape == (4, 2)
