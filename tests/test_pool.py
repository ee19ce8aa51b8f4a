"""More rows for the teacher to label: new ones and real ones without labels."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from lightgbm import LGBMClassifier
from scipy.sparse import coo_array, csr_array, csr_matrix
from sklearn.base import BaseEstimator, clone
from sklearn.datasets import make_classification
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill import DistilledClassifier, DistilledClassifierCV, DistilledRegressor
from skdistill._fitting import last_step
from skdistill.augmentation import MarginalSwap, Munge
from skdistill.students import (
    BoostedStudentClassifier,
    MLPStudentClassifier,
    MLPStudentRegressor,
    TabularEncoder,
    TreeStudentClassifier,
    TreeStudentRegressor,
    as_student,
)
from skdistill.students._base import StudentClassifier
from skdistill.teachers._pool import pool_size

X, y = make_classification(400, n_informative=6, random_state=0)


class Recorder(StudentClassifier):
    """A student that keeps what it was given."""

    learns_far_from_rows = True

    def _fit(self, X, targets, sample_weight):
        self.given_ = X, targets, sample_weight

    def _log_odds(self, X):
        return np.zeros((X.shape[0], len(self.classes_)))


class Doubler(BaseEstimator):
    """A sampler that repeats the table as often as is asked."""

    def sample(self, X, n_samples, *, teacher=None, random_state=None):
        assert teacher is not None
        return np.resize(X, (n_samples, X.shape[1]))


def given(model, X=X, y=y, **options):
    return model.fit(X, y, **options).student_.given_


def test_pool_rows_follow_the_teacher_and_weigh_half():
    # Teachers of halves label no new rows.
    model = DistilledClassifier(
        LogisticRegression(), Recorder(), augmenter=Doubler(), cv=2
    )
    rows, targets, weights = given(model)
    n_pool = pool_size(*X.shape)
    assert len(rows) == len(targets) == 400 + n_pool
    np.testing.assert_array_equal(rows[:400], X)
    assert (targets.labels[400:] == -1).all()
    assert weights[:400].sum() == pytest.approx(weights[400:].sum())
    np.testing.assert_allclose(
        targets.proba(1 / model.calibration_temperature_)[400:800],
        model.teacher_.predict_proba(X),
        atol=1e-5,
    )


def test_weights_of_rows_are_kept_beside_a_pool():
    weights = np.arange(1.0, 401)
    model = DistilledClassifier(LogisticRegression(), Recorder(), augmenter=None)
    _, _, given_weights = given(model, sample_weight=weights, X_unlabeled=X[:50])
    np.testing.assert_array_equal(given_weights[:400], weights)
    np.testing.assert_allclose(given_weights[400:], weights.sum() / 50)


def test_real_rows_are_labelled_as_they_are():
    model = DistilledClassifier(LogisticRegression(), Recorder(), augmenter=None)
    rows, targets, _ = given(model, X[:300], y[:300], X_unlabeled=X[300:])
    np.testing.assert_array_equal(rows, X)
    assert (targets.labels[300:] == -1).all()


def test_real_and_new_rows_mix():
    model = DistilledClassifier(LogisticRegression(), Recorder(), augmenter=Doubler())
    rows, _, _ = given(model, X[:300], y[:300], X_unlabeled=X[300:])
    np.testing.assert_array_equal(rows[:400], X)
    assert len(rows) == 400 + pool_size(300, 20)


@pytest.mark.parametrize("to_frame", [pd.DataFrame, pl.from_pandas])
def test_frames_keep_their_kind(adult, to_frame):
    table, labels = adult
    table = to_frame(table)
    teacher = make_pipeline(TabularEncoder(), LogisticRegression(max_iter=2000))
    model = DistilledClassifier(
        teacher, Recorder(), cv=3, augmenter=Munge(), random_state=0
    )
    rows, _, _ = given(model, table[:1000], labels[:1000], X_unlabeled=table[1000:])
    assert type(rows) is type(table)
    assert list(rows.columns) == list(table.columns)
    assert rows["workclass"].dtype == table["workclass"].dtype
    assert rows["age"].dtype == table["age"].dtype


NOISY = np.where(np.random.default_rng(0).random(400) < 0.25, 1 - y, y)
CLEAN = (X[:, 0] + X[:, 1] > 0).astype(int)


@pytest.mark.parametrize(
    ("labels", "sampler"), [(CLEAN, Munge()), (NOISY, MarginalSwap())]
)
def test_auto_goes_by_what_the_teacher_explains_and_the_seed(labels, sampler):
    teacher = LogisticRegression(C=100.0)
    model = DistilledClassifier(teacher, Recorder(), random_state=0)
    auto, *_ = given(clone(model), y=labels)
    expected, *_ = given(clone(model).set_params(augmenter=sampler), y=labels)
    np.testing.assert_array_equal(auto, expected)
    assert repr(clone(model).fit(X, labels).augmenter_) == repr(sampler)
    other, *_ = given(clone(model).set_params(random_state=1), y=labels)
    assert not np.array_equal(auto, other)


def test_auto_believes_nothing_that_was_learnt_by_heart():
    forest = RandomForestClassifier(20, random_state=0)
    model = DistilledClassifier(forest, Recorder(), random_state=0)
    assert forest.fit(X, NOISY).score(X, NOISY) > 0.98
    auto, *_ = given(clone(model), y=NOISY)
    swapped, *_ = given(clone(model).set_params(augmenter=MarginalSwap()), y=NOISY)
    np.testing.assert_array_equal(auto, swapped)
    # Without folds there is no other word than its own.
    model.set_params(cv=None)
    auto, *_ = given(clone(model), y=NOISY)
    munge, *_ = given(clone(model).set_params(augmenter=Munge()), y=NOISY)
    np.testing.assert_array_equal(auto, munge)


@pytest.mark.parametrize("sampler", [Munge(), MarginalSwap()])
def test_auto_counts_rows_by_their_weights(sampler):
    half = np.arange(400) < 200
    labels = np.where(half, CLEAN, NOISY)
    weights = np.where(half == isinstance(sampler, Munge), 1.0, 1e-6)
    model = DistilledClassifier(LogisticRegression(C=100.0), Recorder(), random_state=0)
    auto, *_ = given(clone(model), y=labels, sample_weight=weights)
    model.set_params(augmenter=sampler)
    expected, *_ = given(model, y=labels, sample_weight=weights)
    np.testing.assert_array_equal(auto, expected)


def test_what_made_no_rows_is_none():
    model = DistilledClassifier(LogisticRegression(), Recorder(), augmenter=None)
    assert model.fit(X, y).augmenter_ is None
    assert model.fit(X[:300], y[:300], X_unlabeled=X[300:]).augmenter_ is None
    searched = DistilledClassifierCV(
        LogisticRegression(), TreeStudentClassifier(), alphas=[1.0], random_state=0
    )
    assert repr(searched.fit(X, y).augmenter_) == "Munge()"
    searched.set_params(refit=False).fit(X, y)
    assert not hasattr(searched, "augmenter_")


class Near(Recorder):
    learns_far_from_rows = False


@pytest.mark.parametrize("student", [Near(), make_pipeline(StandardScaler(), Near())])
def test_auto_is_munge_for_other_students(student):
    model = DistilledClassifier(LogisticRegression(), student, random_state=0)
    tables = []
    for augmenter in ("auto", Munge(), MarginalSwap()):
        fitted = clone(model).set_params(augmenter=augmenter).fit(X, NOISY)
        tables.append(last_step(fitted.student_).given_[0])
    np.testing.assert_array_equal(tables[0], tables[1])
    assert not np.array_equal(tables[0], tables[2])


@pytest.mark.parametrize(
    ("student", "expected"), [(None, "Munge()"), (KNeighborsRegressor(), "None")]
)
def test_new_rows_of_numbers_are_near(student, expected, rng):
    if student is None:
        student = MLPStudentRegressor((4,), n_steps=20)
    model = DistilledRegressor(LinearRegression(), student, alpha=1, random_state=0)
    model.fit(X, rng.normal(size=400))
    assert repr(model.augmenter_) == expected


def test_which_students_learn_far_from_rows():
    assert MLPStudentClassifier().learns_far_from_rows
    for student in (
        TreeStudentClassifier(),
        BoostedStudentClassifier(),
        as_student(LogisticRegression()),
    ):
        assert not student.learns_far_from_rows


def test_a_frozen_teacher_labels_a_pool_too():
    teacher = FrozenEstimator(LogisticRegression().fit(X[:200], y[:200]))
    model = DistilledClassifier(teacher, Recorder(), augmenter=MarginalSwap())
    rows, _, _ = given(model, X[200:], y[200:])
    assert len(rows) == 200 + pool_size(200, 20)


def test_more_rows_help_a_tree_on_few_labels(rng):
    X = rng.normal(size=(3000, 3))
    y = (rng.random(3000) < 1 / (1 + np.exp(-3 * X[:, 0] - 2 * X[:, 1]))).astype(int)
    model = DistilledClassifier(
        LogisticRegression(),
        TreeStudentClassifier(),
        alpha=0.95,
        augmenter=None,
        random_state=0,
    )
    alone = clone(model).fit(X[:200], y[:200])
    helped = clone(model).fit(X[:200], y[:200], X_unlabeled=X[200:])
    teacher = alone.teacher_.predict_proba(X)

    def distance(model):
        return np.abs(model.predict_proba(X) - teacher).mean()

    assert distance(helped) < 0.8 * distance(alone)


def test_a_pool_goes_through_a_search_with_memory(tmp_path):
    search = GridSearchCV(
        DistilledClassifier(
            LogisticRegression(),
            TreeStudentClassifier(max_leaf_nodes=8),
            cv=3,
            augmenter="auto",
            memory=str(tmp_path),
            random_state=0,
        ),
        {"alpha": [0.5, 1.0]},
        cv=2,
        error_score="raise",
    )
    assert search.fit(X[:300], y[:300], X_unlabeled=X[300:]).score(X, y) > 0.7


def test_without_a_choice_only_rows_and_students_that_can_get_more():
    """Neither sparse tables nor students that take no weights get a pool."""
    assert given(DistilledClassifier(LogisticRegression(), Recorder()))[2] is not None
    model = DistilledClassifier(LogisticRegression(), KNeighborsRegressor())
    assert model.fit(X, y).student_.regressor_.n_samples_fit_ == 400
    model = DistilledClassifier(
        LogisticRegression(), LogisticRegression(), random_state=0
    )
    with_pool = clone(model).fit(X, y).predict_proba(X)
    alone = clone(model).set_params(augmenter=None).fit(X, y).predict_proba(X)
    assert not np.array_equal(with_pool, alone)
    sparse = model.fit(csr_array(X), y).predict_proba(csr_array(X))
    np.testing.assert_allclose(sparse, alone, atol=1e-6)


def test_sizes_of_pools():
    assert pool_size(10, 20) == 30_000
    assert pool_size(20_000, 20) == 100_000
    assert pool_size(200_000, 20) == 500_000
    assert pool_size(2_000_000, 50) == 2_000_000
    assert pool_size(100, 5000) == 10_000


@pytest.mark.parametrize(
    ("parameters", "options", "message"),
    [
        ({"augmenter": "munge"}, {}, "augmenter='munge'"),
        ({"augmenter": 5}, {}, "augmenter=5"),
        ({}, {"X_unlabeled": X[:, :3]}, "features"),
        ({}, {"X_unlabeled": X[:0]}, "0 sample"),
        ({}, {"X_unlabeled": np.full_like(X, np.inf)}, "infinity"),
        (
            {"student": KNeighborsRegressor(), "augmenter": Doubler()},
            {},
            "KNeighborsRegressor cannot take it",
        ),
    ],
)
def test_bad_pools_are_named(parameters, options, message):
    model = DistilledClassifier(LogisticRegression(), TreeStudentClassifier())
    with pytest.raises(ValueError, match=message):
        model.set_params(**parameters).fit(X, y, **options)


def test_rows_without_labels_may_have_categories_of_their_own(rng):
    kinds = rng.choice(list("abc"), 300)
    frame = pd.DataFrame({"kind": pd.Categorical(kinds), "x": rng.normal(size=300)})
    labels = (kinds == "a") ^ (frame["x"] > 0)
    more = pd.DataFrame({"kind": pd.Categorical(["d", "b"] * 20), "x": 0.5})
    model = DistilledClassifier(
        LGBMClassifier(n_estimators=5, n_jobs=1, verbose=-1),
        TreeStudentClassifier(),
        augmenter=MarginalSwap(),
        random_state=0,
    )
    assert model.fit(frame, labels, X_unlabeled=more).score(frame, labels) > 0.9
    assert model.student_.encoder_.columns_[0].levels == ("a", "b", "c", "d")
    proba = model.predict_proba(frame)
    for kind in (str, object):
        strings = more.astype({"kind": kind})
        again = model.fit(frame, labels, X_unlabeled=strings).predict_proba(frame)
        np.testing.assert_array_equal(again, proba)


@pytest.mark.parametrize("library", [pd, pl])
@pytest.mark.parametrize("own", [bool, np.float32])
def test_numbers_of_rows_without_labels_may_be_of_another_type(library, own, rng):
    flags = rng.integers(2, size=300)
    rows = {"flag": flags, "x": rng.normal(size=300)}
    frame = library.DataFrame(rows | {"flag": flags.astype(own)})
    labels = (flags == 1) ^ (rows["x"] > 0)
    model = DistilledClassifier(
        LGBMClassifier(n_estimators=5, n_jobs=1, verbose=-1),
        TreeStudentClassifier(),
        augmenter=MarginalSwap(),
        random_state=0,
    )
    scores = []
    # Columns of polars are not of Python objects.
    for other in (own, bool, np.int64, np.float64, *([object] * (library is pd))):
        cells = flags[:40].astype(other)
        more = library.DataFrame({"flag": cells, "x": rows["x"][:40]})
        scores.append(model.fit(frame, labels, X_unlabeled=more).predict_proba(frame))
    assert model.score(frame, labels) > 0.9
    for again in scores[1:]:
        np.testing.assert_array_equal(again, scores[0])


@pytest.mark.parametrize("sparse", [csr_array, csr_matrix, coo_array])
def test_rows_without_labels_may_be_sparse_where_others_are_dense(sparse):
    counts = np.maximum(X.round(), 0)
    rows, more = counts[:300], counts[300:]
    model = DistilledClassifier(LogisticRegression(), Recorder(), augmenter=None, cv=3)
    expected = given(model, rows, y[:300], X_unlabeled=more)[0]
    mixed = given(model, rows, y[:300], X_unlabeled=sparse(more))[0]
    assert type(mixed) is np.ndarray
    np.testing.assert_array_equal(mixed, expected)
    # Neither teacher nor student need take sparse rows.
    numbers = DistilledRegressor(GradientBoostingRegressor(), TreeStudentRegressor())
    numbers.set_params(cv=3, random_state=0, augmenter=Munge())
    again = clone(numbers).fit(rows, y[:300], X_unlabeled=sparse(more)).predict(X)
    numbers.fit(rows, y[:300], X_unlabeled=more)
    np.testing.assert_array_equal(again, numbers.predict(X))


def test_rows_without_labels_may_be_dense_where_others_are_sparse():
    counts = np.maximum(X.round(), 0)
    model = DistilledClassifier(LogisticRegression(), TreeStudentClassifier(), cv=3)
    model.set_params(random_state=0)
    scores = [
        clone(model)
        .fit(csr_array(counts[:300]), y[:300], X_unlabeled=more)
        .predict_proba(counts)
        for more in (csr_array(counts[300:]), csr_matrix(counts[300:]), counts[300:])
    ]
    for other in scores[1:]:
        np.testing.assert_array_equal(other, scores[0])


def test_rows_without_labels_of_another_kind_are_refused_before_the_teacher_is_fitted():
    frame = pd.DataFrame(X).add_prefix("x")
    model = DistilledClassifier(Unfittable(), TreeStudentClassifier())
    with pytest.raises(TypeError, match="Got an array as X_unlabeled"):
        model.fit(frame, y, X_unlabeled=X)
    with pytest.raises(TypeError, match="expected a frame of pandas like X"):
        model.fit(frame, y, X_unlabeled=pl.from_pandas(frame))


class Unfittable(LogisticRegression):
    def fit(self, X, y):
        raise AssertionError("fitted")
