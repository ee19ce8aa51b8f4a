import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    PredefinedSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    TimeSeriesSplit,
)
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


class Remembering(Witness):
    """Keeps what each fit was given, across clones."""

    SEEN = []

    def fit(self, X, y, sample_weight=None, note=None):
        self.SEEN.append({"rows": X, "weights": sample_weight, "note": note})
        return super().fit(X, y)


DISTINCT = np.arange(300.0).reshape(150, 2)
MIXED = np.arange(150) % 3


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


def test_rows_before_the_first_test_part_keep_the_log_odds_of_the_whole_teacher():
    """The rest of a table in the order of time is labelled by what came before."""
    labelling = label_rows(Witness(), DISTINCT, MIXED, CLASSES, TimeSeriesSplit(4))
    np.testing.assert_array_equal(labelling.held_out, np.arange(150) >= 30)
    first = softmax(labelling.logits)[:, 0]
    np.testing.assert_allclose(first[:30], 0.9, atol=1e-6)
    np.testing.assert_allclose(first[30:], 0.6, atol=1e-6)


def test_rows_that_no_part_holds_are_counted_aloud():
    cv = PredefinedSplit(np.where(np.arange(150) % 3, np.arange(150) % 2, -1))
    with pytest.warns(UserWarning, match="hold 100 of 150 rows"):
        labelling = label_rows(Witness(), DISTINCT, MIXED, CLASSES, cv)
    np.testing.assert_array_equal(labelling.held_out, np.arange(150) % 3 > 0)


@pytest.mark.parametrize(
    ("cv", "message"),
    [
        ([(np.arange(100), np.arange(90, 150))], "rows of its test part"),
        ([(np.arange(150), np.array([], dtype=int))], "holds out rows"),
        ([], "holds out rows"),
    ],
)
def test_splits_that_hold_out_nothing_are_refused(cv, message):
    with pytest.raises(ValueError, match=message):
        label_rows(Witness(), DISTINCT, MIXED, CLASSES, cv)


def test_several_parts_give_the_mean_of_their_log_odds():
    teacher = LogisticRegression(max_iter=1000)
    once, again = (KFold(3, shuffle=True, random_state=seed) for seed in (0, 1))
    both = [*once.split(X, y), *again.split(X, y)]
    labels = [label_rows(teacher, X, y, CLASSES, cv).logits for cv in (once, again)]
    labelling = label_rows(teacher, X, y, CLASSES, both)
    assert labelling.held_out.all()
    np.testing.assert_allclose(labelling.logits, np.mean(labels, axis=0))


@pytest.mark.parametrize("cv", [GroupKFold(3), StratifiedGroupKFold(3)])
def test_no_row_is_labelled_by_a_teacher_that_met_its_group(cv, rng):
    groups = rng.integers(0, 15, 150)
    twins = np.column_stack([groups, groups])  # all that a witness can remember
    labelling = label_rows(
        Witness(), twins, MIXED, CLASSES, cv, split_params={"groups": groups}
    )
    assert labelling.held_out.all()
    np.testing.assert_allclose(softmax(labelling.logits)[:, 0], 0.6, atol=1e-6)
    ungrouped = label_rows(Witness(), twins, MIXED, CLASSES, KFold(3, shuffle=True))
    assert (softmax(ungrouped.logits)[:, 0] > 0.8).mean() > 0.9


def test_a_part_of_one_class_is_certain_but_for_half_a_row():
    labels = np.where(np.arange(150) == 7, 1, 0)
    labelling = label_rows(LogisticRegression(), X, labels, np.arange(2), KFold(3))
    proba = softmax(labelling.logits)
    np.testing.assert_allclose(proba[:50, 1], 0.5 / 101)
    assert (proba[50:, 1] != 0.5 / 101).any()


def test_parameters_are_cut_like_the_rows():
    weights = np.arange(1.0, 151)
    given = {"sample_weight": list(weights), "note": "as it is"}
    Remembering.SEEN.clear()
    label_rows(Remembering(), DISTINCT, MIXED, CLASSES, KFold(3), fit_params=given)
    assert {seen["note"] for seen in Remembering.SEEN} == {"as it is"}
    for seen in Remembering.SEEN:
        np.testing.assert_array_equal(seen["rows"][:, 0] / 2 + 1, seen["weights"])


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
    cv, groups = StratifiedGroupKFold(3), np.arange(150) // 4
    arguments = (SVC(), X, y, CLASSES, cv, 1 + groups % 3)
    one, two = (
        label_rows(*arguments, n_jobs=n_jobs, split_params={"groups": groups})
        for n_jobs in (1, 2)
    )
    np.testing.assert_array_equal(one.logits, two.logits)
