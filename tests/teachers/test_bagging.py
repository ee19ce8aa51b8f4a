from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_iris, make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    PredefinedSplit,
    StratifiedKFold,
    TimeSeriesSplit,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from skdistill import DistilledClassifier
from skdistill._log_odds import classifier_log_odds, floor_log_odds
from skdistill.augmentation import MarginalSwap
from skdistill.losses._reference import log_softmax, softmax
from skdistill.students import TreeStudentClassifier
from skdistill.teachers import calibration_temperature, label_rows, own_share
from skdistill.teachers._bagging import MOST_ROWS, bagged_log_odds, parts_to_ask
from skdistill.teachers._blending import blended_pool_log_odds
from skdistill.teachers._fold_labelling import label_folds
from skdistill.teachers._labelling import FoldLabels

X, y = load_iris(return_X_y=True)
CLASSES = np.arange(3)
NEW = X[::3] + 0.1
FOLDS = list(StratifiedKFold(5, shuffle=True, random_state=0).split(X, y))
TREE = DecisionTreeClassifier(max_leaf_nodes=4, random_state=0)

LOG_ODDS = arrays(np.float64, (7, 3), elements=st.floats(-20, 20))


@given(LOG_ODDS, st.integers(1, 6))
def test_teachers_of_one_mind_say_together_what_each_says(logits, n_teachers):
    bagged = bagged_log_odds([logits] * n_teachers)
    np.testing.assert_allclose(softmax(bagged), softmax(logits), atol=1e-9)


@given(st.lists(LOG_ODDS, min_size=2, max_size=5), st.permutations(range(3)))
def test_classes_and_teachers_may_come_in_any_order(parts, order):
    bagged = softmax(bagged_log_odds(parts))
    again = softmax(bagged_log_odds([part[:, order] for part in parts[::-1]]))
    np.testing.assert_allclose(again, bagged[:, order], atol=1e-9)


@given(st.lists(LOG_ODDS, min_size=2, max_size=5), st.floats(0.1, 10))
def test_a_temperature_may_be_applied_before_or_after(parts, temperature):
    bagged = softmax(bagged_log_odds(parts), temperature)
    again = bagged_log_odds([part / temperature for part in parts])
    np.testing.assert_allclose(softmax(again), bagged, atol=1e-9)


@given(st.lists(LOG_ODDS, min_size=2, max_size=5), st.floats(-50, 50))
def test_what_all_classes_share_says_nothing(parts, shared):
    bagged = softmax(bagged_log_odds(parts))
    again = softmax(bagged_log_odds([part + shared for part in parts]))
    np.testing.assert_allclose(again, bagged, atol=1e-6)


@given(st.lists(LOG_ODDS, min_size=2, max_size=5))
def test_no_more_is_made_of_the_mean_than_there_are_teachers(parts):
    bagged = bagged_log_odds(parts)
    mean = log_softmax(np.mean(parts, axis=0))
    assert np.isfinite(bagged).all()
    limit = np.ptp(mean, axis=1) * len(parts)
    assert (np.ptp(bagged, axis=1) <= limit + 1e-6).all()


@pytest.mark.parametrize("n_teachers", [2, 6])
@pytest.mark.parametrize("size", [0.5, 3.0])
def test_what_calibrates_one_teacher_calibrates_all_together(n_teachers, size, rng):
    truth = rng.normal(size=20_000)
    labels = (rng.random(20_000) < 1 / (1 + np.exp(-truth))).astype(int)
    noise = rng.normal(size=(n_teachers, 20_000))
    parts = [np.column_stack([0 * z, size * z]) for z in truth + noise]
    single = np.mean([calibration_temperature(part, labels) for part in parts])
    together = calibration_temperature(bagged_log_odds(parts), labels)
    assert together == pytest.approx(single, rel=0.1)
    plain = calibration_temperature(np.mean(parts, axis=0), labels)
    assert abs(plain / single - 1) > 2 * abs(together / single - 1)

    def loss(logits):
        rows = np.arange(len(labels))
        return -log_softmax(logits, single)[rows, labels].mean()

    assert loss(bagged_log_odds(parts)) < loss(parts[0]) - 0.01


def test_the_type_is_kept():
    logits = np.eye(3, dtype=np.float32)
    assert bagged_log_odds([logits]) is logits
    assert bagged_log_odds([logits, logits[::-1]]).dtype == np.float32


def test_whose_teachers_label_new_rows():
    def asked(n_fitted, n_samples=100, n_pool=100, ask=print):
        parts = [FoldLabels(n, np.zeros((1, 2)), ask) for n in n_fitted]
        return [parts.index(part) for part in parts_to_ask(parts, n_samples, n_pool)]

    assert asked([80] * 5) == [0, 1, 2, 3, 4]
    assert asked([90] * 10) == [0, 1, 2, 3, 4]
    assert asked([50, 50]) == []
    assert asked([66, 66, 68]) == [0, 1, 2]
    assert asked([20, 40, 60, 80]) == [2, 3]
    assert asked([80] * 5, ask=None) == []
    assert asked([MOST_ROWS], MOST_ROWS) == [0]
    assert asked([MOST_ROWS], MOST_ROWS + 1) == []
    assert asked([80], n_pool=100_000) == [0]
    assert asked([80], n_pool=100_001) == []


def expected(teacher, parts, rows=X, labels=y, weights=None, new=NEW):
    """What the teacher, fitted on all rows and on each part, says about new rows."""
    fitted = []
    for part in [np.arange(len(labels)), *parts]:
        of_part = {} if weights is None else {"sample_weight": weights[part]}
        fitted.append(clone(teacher).fit(rows[part], labels[part], **of_part))
    classes = np.unique(labels)
    return bagged_log_odds(
        [classifier_log_odds(t, new, classes, dtype=np.float32) for t in fitted]
    )


@pytest.mark.parametrize("weights", [None, np.linspace(0.1, 3, 150)])
def test_new_rows_get_the_mean_of_all_teachers(weights):
    labelling = label_rows(TREE, X, y, CLASSES, FOLDS, weights, X_unlabeled=NEW)
    parts = [train for train, _ in FOLDS]
    np.testing.assert_array_equal(
        labelling.pool_logits, expected(TREE, parts, weights=weights)
    )
    np.testing.assert_array_equal(
        labelling.pool_own_logits, expected(TREE, [], weights=weights)
    )
    assert np.abs(labelling.pool_logits - labelling.pool_own_logits).max() > 0.1
    plain = label_rows(TREE, X, y, CLASSES, FOLDS, weights)
    np.testing.assert_array_equal(labelling.logits, plain.logits)
    np.testing.assert_array_equal(labelling.own_logits, plain.own_logits)


def test_groups_decide_whose_teachers_these_are(rng):
    groups = rng.integers(0, 12, 150)
    labelling = label_rows(
        TREE,
        X,
        y,
        CLASSES,
        GroupKFold(4),
        X_unlabeled=NEW,
        split_params={"groups": groups},
    )
    parts = [train for train, _ in GroupKFold(4).split(X, y, groups)]
    np.testing.assert_array_equal(labelling.pool_logits, expected(TREE, parts))


def test_teachers_of_early_parts_know_too_little():
    order = np.random.default_rng(0).permutation(150)
    cv = TimeSeriesSplit(4)
    rows, labels = X[order], y[order]
    labelling = label_rows(TREE, rows, labels, CLASSES, cv, X_unlabeled=NEW)
    parts = [train for train, _ in cv.split(rows)]
    assert [len(part) for part in parts] == [30, 60, 90, 120]
    np.testing.assert_array_equal(
        labelling.pool_logits, expected(TREE, parts[2:], rows, labels)
    )


@pytest.mark.parametrize("cv", [None, 2])
def test_without_enough_of_the_rows_the_teacher_is_alone(cv):
    labelling = label_rows(TREE, X, y, CLASSES, cv, X_unlabeled=NEW)
    np.testing.assert_array_equal(labelling.pool_logits, expected(TREE, []))
    assert labelling.pool_own_logits is None


def test_of_a_larger_table_the_teacher_is_alone():
    rows, labels = make_classification(MOST_ROWS + 1, random_state=0)
    for n_rows, is_alone in ((MOST_ROWS, False), (MOST_ROWS + 1, True)):
        labelling = label_rows(
            GaussianNB(),
            rows[:n_rows],
            labels[:n_rows],
            np.arange(2),
            KFold(3),
            X_unlabeled=rows[:50],
        )
        alone = classifier_log_odds(labelling.teacher, rows[:50], np.arange(2))
        assert np.allclose(labelling.pool_logits, alone, atol=1e-4) == is_alone


def test_a_frozen_teacher_is_alone():
    fitted = clone(TREE).fit(X, y)
    labelling = label_rows(FrozenEstimator(fitted), X, y, CLASSES, 5, X_unlabeled=NEW)
    np.testing.assert_array_equal(labelling.pool_logits, expected(TREE, []))


@pytest.mark.parametrize("temperature", [0.5, 2.0])
@pytest.mark.parametrize("weights", [np.ones(150), np.linspace(0, 3, 150)])
def test_the_teacher_alone_counts_as_far_as_on_its_own_rows(temperature, weights):
    labelling = label_rows(TREE, X, y, CLASSES, FOLDS, X_unlabeled=NEW)
    own, held_out = labelling.own_logits, labelling.logits
    share = own_share(own / temperature, held_out / temperature, y, weights)
    assert 0.1 < share < 1
    blended = blended_pool_log_odds(labelling, y, weights, temperature)
    assert blended.dtype == np.float32
    alone, together = labelling.pool_own_logits, labelling.pool_logits
    wanted = (share * alone + (1 - share) * together) / temperature
    np.testing.assert_allclose(blended, wanted, rtol=1e-5, atol=1e-5)

    def blend(**changes):
        return blended_pool_log_odds(
            replace(labelling, **changes), y, weights, temperature
        )

    trusted = blend(own_logits=held_out)
    np.testing.assert_allclose(trusted, alone / temperature, rtol=1e-6)
    for unknown in (blend(pool_own_logits=None), blend(logits=-held_out)):
        np.testing.assert_allclose(unknown, together / temperature, rtol=1e-6)


class Diverging(ClassifierMixin, BaseEstimator):
    """Log-odds of 1, but of 1000 if it was not fitted on the first row."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.size_ = 1.0 if (NUMBERED[0] == X).all(axis=1).any() else 1000.0
        return self

    def decision_function(self, X):
        return self.size_ * np.eye(3)[np.arange(len(X)) % 3]


NUMBERED = np.arange(300.0).reshape(150, 2)


def test_a_diverged_teacher_is_left_out():
    with pytest.warns(UserWarning, match="diverged in 1 of 5 folds"):
        labelling = label_rows(
            Diverging(), NUMBERED, y, CLASSES, KFold(5), X_unlabeled=NUMBERED
        )
    np.testing.assert_allclose(np.ptp(labelling.pool_logits, axis=1), 1, atol=1e-6)


def test_a_teacher_of_one_class_is_left_out():
    labels = np.where(np.arange(150) == 7, 1, 0)
    teacher = LogisticRegression()
    labelling = label_rows(teacher, X, labels, np.arange(2), KFold(3), X_unlabeled=NEW)
    parts = [train for train, _ in list(KFold(3).split(X))[1:]]
    np.testing.assert_array_equal(
        labelling.pool_logits, expected(teacher, parts, labels=labels)
    )


def test_a_class_that_a_fold_does_not_know_keeps_its_column():
    labels = y.copy()
    labels[labels == 2] = 1
    labels[7] = 2
    labelling = label_rows(TREE, X, labels, CLASSES, KFold(3), X_unlabeled=NEW)
    assert np.isfinite(labelling.pool_logits).all()
    assert labelling.pool_logits[:, 2].max() < 0.1
    assert softmax(labelling.pool_logits)[:, 2].min() > np.exp(3 * floor_log_odds(100))


FOREST = RandomForestClassifier(5, max_depth=3)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_the_same_bits_twice_and_by_any_number_of_jobs(n_jobs):
    teacher = clone(FOREST).set_params(random_state=0)
    found = [
        label_rows(
            teacher, X, y, CLASSES, FOLDS, None, MarginalSwap(), seed=0, n_jobs=jobs
        )
        for jobs in (1, n_jobs)
    ]
    np.testing.assert_array_equal(found[0].pool, found[1].pool)
    np.testing.assert_array_equal(found[0].pool_logits, found[1].pool_logits)


def test_the_cache_changes_nothing(tmp_path):
    model = DistilledClassifier(
        FOREST, TreeStudentClassifier(max_leaf_nodes=8), random_state=0
    )
    without = model.fit(X, y).predict_proba(X)
    for _ in range(2):
        cached = clone(model).set_params(memory=str(tmp_path)).fit(X, y)
        np.testing.assert_array_equal(cached.predict_proba(X), without)


def label_all_folds(labels, n_jobs=None):
    teacher = clone(FOREST).set_params(random_state=0)
    splits = list(KFold(5, shuffle=True, random_state=0).split(X))
    found = label_folds(
        teacher, X, labels, CLASSES, splits, None, MarginalSwap(), seed=0, n_jobs=n_jobs
    )
    return splits, found


def test_new_rows_of_a_fold_know_nothing_of_its_labels():
    splits, (folds, _, whole) = label_all_folds(y)
    changed = y.copy()
    changed[splits[2][1]] = (changed[splits[2][1]] + 1) % 3
    _, (others, _, other_whole) = label_all_folds(changed)
    for k, (fold, other) in enumerate(zip(folds, others, strict=True)):
        np.testing.assert_array_equal(fold.pool, other.pool)
        assert np.array_equal(fold.pool_logits, other.pool_logits) == (k == 2)
    assert not np.array_equal(whole.pool_logits, other_whole.pool_logits)


@settings(max_examples=4)
@given(st.integers(4, 6), st.sampled_from([MarginalSwap(), "auto"]))
def test_folds_are_labelled_as_if_each_were_all_there_is(n_folds, augmenter):
    teacher = clone(FOREST).set_params(random_state=0)
    splits = list(KFold(n_folds, shuffle=True, random_state=0).split(X))
    fold_of = np.empty(150, dtype=int)
    for k, (_, test) in enumerate(splits):
        fold_of[test] = k
    options = {"augmenter": augmenter, "seed": 0}
    folds, _, whole = label_folds(teacher, X, y, CLASSES, splits, **options)
    everything = np.arange(150)
    for labelling, train in zip(
        [*folds, whole], [*(train for train, _ in splits), everything], strict=True
    ):
        cv = PredefinedSplit(fold_of[train])
        alone = label_rows(teacher, X[train], y[train], CLASSES, cv, **options)
        np.testing.assert_array_equal(labelling.pool, alone.pool)
        np.testing.assert_array_equal(labelling.pool_logits, alone.pool_logits)
        np.testing.assert_array_equal(labelling.pool_own_logits, alone.pool_own_logits)


def test_jobs_change_nothing_of_folds():
    _, (folds, _, whole) = label_all_folds(y)
    _, (others, _, other_whole) = label_all_folds(y, n_jobs=2)
    for one, two in zip([*folds, whole], [*others, other_whole], strict=True):
        np.testing.assert_array_equal(one.pool_logits, two.pool_logits)
