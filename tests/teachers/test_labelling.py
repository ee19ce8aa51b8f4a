import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, StratifiedKFold, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from skdistill._log_odds import classifier_log_odds
from skdistill.losses._reference import softmax
from skdistill.teachers import label_rows

X, y = load_iris(return_X_y=True)
CLASSES = np.arange(3)


class Witness(ClassifierMixin, BaseEstimator):
    """Gives a row probability 0.9 if it was fitted on it, and 0.6 otherwise."""

    def fit(self, X, y, sample_weight=None):
        self.classes_ = np.unique(y)
        self.seen_ = {tuple(row) for row in X}
        self.weight_ = sample_weight
        return self

    def predict_proba(self, X):
        first = np.array([0.9 if tuple(row) in self.seen_ else 0.6 for row in X])
        rest = np.repeat((1 - first[:, None]) / 2, 2, axis=1)
        return np.column_stack([first, rest])


DISTINCT = np.arange(300.0).reshape(150, 2)


@pytest.mark.parametrize("cv", [3, KFold(4, shuffle=True), StratifiedKFold(5)])
def test_no_row_is_labelled_by_a_teacher_that_met_it(cv):
    labelling = label_rows(Witness(), DISTINCT, y, CLASSES, cv)
    assert labelling.held_out.all()
    np.testing.assert_allclose(softmax(labelling.own_logits)[:, 0], 0.9, atol=1e-6)
    np.testing.assert_allclose(softmax(labelling.logits)[:, 0], 0.6, atol=1e-6)
    assert len(labelling.teacher.seen_) == 150


def test_without_cv_the_teacher_labels_its_own_rows():
    labelling = label_rows(Witness(), DISTINCT, y, CLASSES, None)
    assert not labelling.held_out.any()
    np.testing.assert_allclose(softmax(labelling.logits)[:, 0], 0.9, atol=1e-6)


class Diverging(ClassifierMixin, BaseEstimator):
    """Log-odds of 1, but of 1000 if it was not fitted on the first row."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.size_ = 1.0 if (DISTINCT[0] == X).all(axis=1).any() else 1000.0
        return self

    def decision_function(self, X):
        return self.size_ * np.eye(3)[np.arange(len(X)) % 3]


def test_a_fold_whose_teacher_diverges_is_left_out():
    with pytest.warns(UserWarning, match="diverged in 1 of 5 folds"):
        labelling = label_rows(Diverging(), DISTINCT, y, CLASSES, KFold(5))
    np.testing.assert_array_equal(labelling.held_out, np.arange(150) >= 30)
    own = labelling.own_logits[:30]
    np.testing.assert_array_equal(labelling.logits[:30], own)
    assert np.ptp(labelling.logits, axis=1).max() < 2


def test_rows_keep_their_order():
    labelling = label_rows(
        LogisticRegression(C=10, max_iter=1000),
        X,
        y,
        CLASSES,
        KFold(5, shuffle=True, random_state=0),
    )
    assert (labelling.logits.argmax(axis=1) == y).mean() > 0.9


def test_a_frozen_teacher_is_not_refitted():
    teacher = DecisionTreeClassifier(max_depth=2, random_state=0).fit(X, y)
    labelling = label_rows(FrozenEstimator(teacher), X[:50], y[:50], CLASSES, 5)
    assert labelling.teacher.estimator is teacher
    np.testing.assert_allclose(
        labelling.logits, classifier_log_odds(teacher, X[:50], CLASSES)
    )


def test_a_class_missing_in_a_fold_keeps_its_column():
    rare = y.copy()
    rare[rare == 2] = 1
    rare[7] = 2
    with pytest.warns(UserWarning, match="least populated class"):
        labelling = label_rows(
            LogisticRegression(max_iter=1000), X, rare, CLASSES, StratifiedKFold(3)
        )
    assert np.isfinite(labelling.logits).all()
    floor = 0.5 / 101
    assert softmax(labelling.logits)[7, 2] == pytest.approx(floor, rel=0.02)


def test_splits_that_leave_rows_out_are_refused():
    with pytest.raises(ValueError, match="every row exactly once"):
        label_rows(LogisticRegression(), X, y, CLASSES, TimeSeriesSplit(3))


def test_weights_reach_every_fit():
    weights = np.arange(1.0, 151)
    labelling = label_rows(Witness(), DISTINCT, y, CLASSES, None, weights)
    np.testing.assert_array_equal(labelling.teacher.weight_, weights)
    heavy = np.where(y == 2, 1e6, 1e-6)
    labelling = label_rows(
        LogisticRegression(max_iter=1000), X, y, CLASSES, StratifiedKFold(3), heavy
    )
    assert (labelling.logits.argmax(axis=1) == 2).all()


def test_weights_reach_the_end_of_a_pipeline():
    teacher = make_pipeline(StandardScaler(), LogisticRegression())
    weights = np.arange(1.0, 151)
    labelling = label_rows(teacher, X, y, CLASSES, None, weights)
    teacher.fit(X, y, logisticregression__sample_weight=weights)
    np.testing.assert_allclose(
        softmax(labelling.logits), teacher.predict_proba(X), atol=1e-9
    )


def test_a_teacher_that_cannot_take_weights_is_named():
    from sklearn.neighbors import KNeighborsClassifier

    with pytest.raises(ValueError, match="KNeighborsClassifier cannot take it"):
        label_rows(KNeighborsClassifier(), X, y, CLASSES, 3, np.ones(150))


def test_jobs_change_nothing():
    cv = StratifiedKFold(3)
    one = label_rows(SVC(), X, y, CLASSES, cv)
    two = label_rows(SVC(), X, y, CLASSES, cv, n_jobs=2)
    np.testing.assert_array_equal(one.logits, two.logits)
