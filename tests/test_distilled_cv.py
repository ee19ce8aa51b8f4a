"""Searching temperature and alpha with rows labelled once."""

import pickle
import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lightgbm import LGBMClassifier
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_iris, make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, make_scorer
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    PredefinedSplit,
    ShuffleSplit,
    StratifiedKFold,
    cross_val_score,
)
from sklearn.neighbors import KNeighborsClassifier

from skdistill import DistilledClassifier, DistilledClassifierCV, SoftTargets
from skdistill.augmentation import MarginalSwap
from skdistill.runtime import load
from skdistill.students import MLPStudentClassifier, TreeStudentClassifier
from skdistill.teachers import FunctionTeacher
from skdistill.teachers._fold_labelling import label_folds

X, y = make_classification(
    300, 6, n_informative=4, n_classes=3, n_clusters_per_class=1, random_state=0
)
BY_CLASS = PredefinedSplit(np.where(y < 2, 0, 1 + np.arange(300) % 2))
NAMES = np.array(["ant", "bee", "cow"])
FOREST = RandomForestClassifier(10, random_state=0)
TREE = TreeStudentClassifier(max_leaf_nodes=6, random_state=0)
GRID = {"temperature": [1.0, 3.0], "alpha": [0.3, 0.9]}


def search(teacher=FOREST, student=TREE, **parameters):
    defaults = {
        "temperatures": [1.0, 3.0],
        "alphas": [0.3, 0.9],
        "cv": 3,
        "augmenter": None,
        "random_state": 0,
    }
    return DistilledClassifierCV(teacher, student, **{**defaults, **parameters})


class Memorizing(ClassifierMixin, BaseEstimator):
    """Counts how often it is fitted, and knows the rows that it was fitted on."""

    fits = []

    def fit(self, X, y, sample_weight=None):
        self.fits.append(len(y))
        self.classes_ = np.unique(y)
        self.seen_ = {tuple(row) for row in np.asarray(X)}
        return self

    def predict_proba(self, X):
        first = np.array([0.9 if tuple(row) in self.seen_ else 0.6 for row in X])
        rest = np.repeat((1 - first[:, None]) / 2, 2, axis=1)
        return np.column_stack([first, rest])


@pytest.mark.parametrize(
    ("calibrate", "augmenter"), [(True, MarginalSwap()), (True, None), (False, None)]
)
def test_scores_are_those_of_nested_labelling(calibrate, augmenter):
    """Exactly: a model of its own for each fold and candidate says the same."""
    splits = list(StratifiedKFold(4, shuffle=True, random_state=1).split(X, y))
    fold = np.empty(300, dtype=int)
    for k, (_, test) in enumerate(splits):
        fold[test] = k
    found = search(cv=splits, calibrate=calibrate, augmenter=augmenter).fit(X, y)
    for k, (train, test) in enumerate(splits):
        for i, candidate in enumerate(found.cv_results_["params"]):
            model = DistilledClassifier(
                FOREST,
                TREE,
                cv=PredefinedSplit(fold[train]),
                calibrate=calibrate,
                augmenter=augmenter,
                random_state=0,
                **candidate,
            ).fit(X[train], y[train])
            expected = -log_loss(y[test], model.predict_proba(X[test]))
            score = found.cv_results_[f"split{k}_test_score"][i]
            assert score == pytest.approx(expected, rel=1e-9)
    best = DistilledClassifier(
        FOREST,
        TREE,
        cv=splits,
        calibrate=calibrate,
        augmenter=augmenter,
        random_state=0,
        **found.best_params_,
    ).fit(X, y)
    np.testing.assert_array_equal(found.predict_proba(X), best.predict_proba(X))
    assert found.calibration_temperature_ == best.calibration_temperature_
    np.testing.assert_array_equal(found.class_prior_, best.class_prior_)


@given(n_folds=st.integers(3, 6), whole=st.booleans())
@settings(max_examples=6)
def test_no_teacher_of_a_fold_has_seen_its_rows(n_folds, whole):
    Memorizing.fits.clear()
    numbers = np.arange(300.0).reshape(150, 2)
    labels = np.arange(150) % 3
    splits = list(KFold(n_folds).split(numbers))
    folds, inside, everything = label_folds(
        Memorizing(), numbers, labels, np.arange(3), splits, whole=whole
    )
    assert len(Memorizing.fits) == whole + n_folds + n_folds * (n_folds - 1) // 2
    for (train, _), labelling in zip(splits, folds, strict=True):
        assert labelling.held_out.all()
        np.testing.assert_allclose(np.exp(labelling.own_logits[:, 0]), 0.9)
        np.testing.assert_allclose(np.exp(labelling.logits[:, 0]), 0.6)
        assert len(labelling.logits) == len(train)
    for (_, test), logits in zip(splits, inside, strict=True):
        np.testing.assert_allclose(np.exp(logits[:, 0]), np.full(len(test), 0.6))
    assert (everything is not None) == whole
    if whole:
        np.testing.assert_allclose(np.exp(everything.logits[:, 0]), 0.6)
        assert len(everything.teacher.seen_) == 150


class Spy(ClassifierMixin, BaseEstimator):
    """A teacher that says which rows it has been fitted on."""

    log = []

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.rows_ = set(np.asarray(X)[:, 0].astype(int))
        return self

    def predict_proba(self, X):
        self.log.append((frozenset(self.rows_), np.asarray(X)[:, 0].astype(int)))
        return np.tile([0.5, 0.3, 0.2], (len(X), 1))


def test_labels_of_a_fold_know_nothing_of_it():
    """Whatever a label of fold k is changed to, its student stays the same."""
    splits = list(KFold(3).split(X))
    outcomes = []
    for labels in (y, np.where(np.isin(np.arange(300), splits[0][1]), (y + 1) % 3, y)):
        folds, _, _ = label_folds(FOREST, X, labels, np.arange(3), splits, whole=False)
        outcomes.append([(f.logits, f.own_logits) for f in folds])
    np.testing.assert_array_equal(outcomes[0][0], outcomes[1][0])
    assert np.abs(outcomes[0][1][0] - outcomes[1][1][0]).max() > 0.1


def test_noise_is_not_found_to_be_learnable(rng):
    """A neighbour in the fold would tell its label to a student outside it."""
    noise = rng.integers(0, 2, 400)
    points = rng.random((200, 2)).repeat(2, axis=0) + 1e-6 * rng.random((400, 2))
    order = rng.permutation(400)
    teacher = KNeighborsClassifier(3)
    student = TreeStudentClassifier(max_leaf_nodes=100, min_samples_leaf=1)
    model = search(
        teacher, student, temperatures=[1.0], alphas=[1.0], cv=5, calibrate=False
    )
    model.fit(points[order], noise[order])
    assert model.best_score_ < -0.69  # the entropy of a coin


def test_results_are_those_of_grid_search():
    found = search(n_jobs=2).fit(X, y)
    other = GridSearchCV(
        DistilledClassifier(FOREST, TREE, cv=2, augmenter=None, random_state=0),
        GRID,
        cv=3,
        scoring="neg_log_loss",
    ).fit(X, y)
    assert found.cv_results_.keys() == other.cv_results_.keys()
    for key, expected in other.cv_results_.items():
        values = found.cv_results_[key]
        assert type(values) is type(expected), key
        if key == "params":
            assert values == expected
            continue
        assert values.dtype == expected.dtype, key
        assert values.shape == expected.shape, key
        if key.startswith("param_"):
            np.testing.assert_array_equal(values, expected)
    means = found.cv_results_["mean_test_score"]
    assert found.best_index_ == means.argmax()
    assert found.best_score_ == means.max()
    assert found.best_params_ == found.cv_results_["params"][found.best_index_]
    best = found.best_params_
    assert (found.temperature_, found.alpha_) == (best["temperature"], best["alpha"])
    assert found.cv_results_["rank_test_score"][found.best_index_] == 1
    assert found.n_splits_ == 3


def test_jobs_change_nothing():
    one, two = search().fit(X, y), search(n_jobs=2).fit(X, y)
    for k in range(3):
        key = f"split{k}_test_score"
        np.testing.assert_array_equal(one.cv_results_[key], two.cv_results_[key])
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))


def test_without_refit_there_are_results_alone():
    Memorizing.fits.clear()
    distinct = np.arange(600.0).reshape(300, 2)
    model = search(Memorizing(), refit=False).fit(distinct, y)
    assert len(Memorizing.fits) == 6
    assert set(model.best_params_) == {"temperature", "alpha"}
    assert not hasattr(model, "student_")
    for method in ("predict", "predict_proba", "predict_log_proba"):
        with pytest.raises(NotFittedError):
            getattr(model, method)(distinct)


def test_memory_holds_the_labels(tmp_path):
    def fits(**changes):
        Memorizing.fits.clear()
        model = search(Memorizing(), memory=str(tmp_path), **changes)
        model.fit(np.arange(600.0).reshape(300, 2), y)
        return len(Memorizing.fits)

    assert fits() == 7
    assert fits(temperatures=[2.0], alphas=[0.1, 0.2]) == 0
    assert fits(scoring="accuracy") == 0
    assert fits(student=LogisticRegression(max_iter=1000)) == 0
    assert fits(calibrate=False) == 0
    assert fits(cv=4) == 11
    assert fits(random_state=1) == 7


@pytest.mark.parametrize("kind", ["pandas", "polars", "sparse", "strings"])
def test_any_table_and_label(adult, kind):
    frame, labels = adult
    frame, labels = frame.iloc[:400], labels[:400]
    teacher = LGBMClassifier(n_estimators=10, n_jobs=1, verbose=-1)
    if kind == "pandas":
        table = frame
    elif kind == "polars":
        table, teacher = pl.from_pandas(frame), TreeStudentClassifier()
    else:
        numbers = frame.select_dtypes("number").to_numpy(float)
        table = csr_matrix(numbers) if kind == "sparse" else numbers
    student = LogisticRegression(max_iter=10_000) if kind == "sparse" else TREE
    model = search(teacher, student).fit(table, labels)
    assert model.classes_.tolist() == ["<=50K", ">50K"]
    assert set(model.predict(table)) <= set(model.classes_)
    assert model.best_score_ > -0.56  # the entropy of the class frequencies


def test_weights_reach_teacher_student_and_score(rng):
    """A row of weight 2 is one that occurs twice, in the same fold."""
    weights = rng.integers(0, 3, 300)
    fold = rng.integers(0, 3, 300)
    rows = np.repeat(np.arange(300), weights)
    teacher = LogisticRegression(max_iter=5000, tol=1e-10)
    student = LogisticRegression(max_iter=5000, tol=1e-10)
    weighted = search(teacher, student, cv=PredefinedSplit(fold)).fit(X, y, weights)
    repeated = search(teacher, student, cv=PredefinedSplit(fold[rows])).fit(
        X[rows], y[rows]
    )
    for k in range(3):
        key = f"split{k}_test_score"
        np.testing.assert_allclose(
            weighted.cv_results_[key], repeated.cv_results_[key], rtol=1e-3
        )
    np.testing.assert_allclose(
        weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-3
    )


def test_groups_stay_together(rng):
    groups = rng.integers(0, 12, 300)
    Spy.log.clear()
    numbered = np.column_stack([np.arange(300.0), rng.random(300)])
    for cv in (3, GroupKFold(4)):
        search(Spy(), cv=cv).fit(numbered, y, groups=groups)
    partial = [(fitted, asked) for fitted, asked in Spy.log if len(fitted) < 300]
    assert len(partial) > 10
    for fitted, asked in partial:
        outside = set(groups[sorted(fitted)])
        held_out = set(asked) - fitted
        assert not outside & set(groups[sorted(held_out)])


def test_a_rare_class_keeps_its_column():
    rare = y.copy()
    rare[:] = y % 2
    rare[7] = rare[8] = 2
    splits = [
        (
            np.flatnonzero(np.arange(300) % 3 != k),
            np.flatnonzero(np.arange(300) % 3 == k),
        )
        for k in range(3)
    ]
    model = search(cv=splits).fit(X, rare)
    assert model.classes_.tolist() == [0, 1, 2]
    assert np.isfinite(model.cv_results_["mean_test_score"]).all()
    folds, _, _ = label_folds(FOREST, X, rare, np.arange(3), splits)
    # Rows 7 and 8 are the ones of folds 1 and 2.
    assert (np.exp(folds[1].logits[:, 2]) < 0.5).all()


def test_a_frozen_teacher_is_asked_once_for_each_row():
    asked = []
    model = LogisticRegression(max_iter=1000).fit(X, y)

    def service(rows):
        asked.append(len(rows))
        return model.predict_proba(rows)

    found = search(FunctionTeacher(service, [0, 1, 2]), calibrate=False).fit(X, y)
    assert sum(asked) == 300
    frozen = search(FrozenEstimator(model), calibrate=False).fit(X, y)
    np.testing.assert_allclose(
        found.cv_results_["mean_test_score"], frozen.cv_results_["mean_test_score"]
    )
    with_pool = search(FrozenEstimator(model), augmenter=MarginalSwap())
    assert with_pool.fit(X, y).score(X, y) > 0.5
    assert with_pool.teacher_.estimator is model


def test_unlabelled_rows_reach_every_student():
    sizes = []

    class Sized(TreeStudentClassifier):
        def fit(self, X, y, sample_weight=None):
            sizes.append((len(X), isinstance(y, SoftTargets)))
            return super().fit(X, y, sample_weight)

    search(student=Sized(max_leaf_nodes=4)).fit(X[:240], y[:240], X_unlabeled=X[240:])
    assert set(sizes) == {(160 + 60, True), (240 + 60, True)}
    assert len(sizes) == 4 * 3 + 1


def accuracy(estimator, X, y):
    return (estimator.predict(X) == y).mean()


def nothing(estimator, X, y):
    return float("nan")


@pytest.mark.parametrize(
    "scoring", ["accuracy", accuracy, make_scorer(lambda a, b: (a == b).mean())]
)
def test_scorings_of_scikit_learn(scoring):
    model = search(scoring=scoring).fit(X, y)
    assert 0.3 < model.best_score_ <= 1


def test_the_log_loss_is_that_of_scikit_learn():
    splits = list(StratifiedKFold(3).split(X, y))
    own = search(cv=splits).fit(X, y)
    named = search(
        cv=splits,
        scoring=make_scorer(
            log_loss, greater_is_better=False, response_method="predict_proba"
        ),
    ).fit(X, y)
    np.testing.assert_allclose(
        own.cv_results_["mean_test_score"], named.cv_results_["mean_test_score"]
    )


def test_it_lives_in_cross_validation_files_and_pickles(tmp_path):
    model = search(student=MLPStudentClassifier((4,), n_steps=20))
    assert cross_val_score(model, X, y, cv=2, error_score="raise").shape == (2,)
    model.fit(X, y)
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict_proba(X), model.predict_proba(X))
    model.export(tmp_path / "model.skd", X)
    np.testing.assert_allclose(
        load(tmp_path / "model.skd").predict_proba(X), model.predict_proba(X), atol=1e-5
    )
    assert clone(model).get_params()["temperatures"] == [1.0, 3.0]


def test_the_same_seed_gives_the_same_search():
    teacher = RandomForestClassifier(5)
    first, second = (search(teacher).fit(X, y) for _ in range(2))
    np.testing.assert_array_equal(
        first.cv_results_["mean_test_score"], second.cv_results_["mean_test_score"]
    )
    assert teacher.random_state is None


@pytest.mark.parametrize(
    ("parameters", "match"),
    [
        ({"temperatures": []}, "Got temperatures=.*at least one"),
        ({"temperatures": 2.0}, "Got temperatures=2.0"),
        ({"temperatures": [1.0, -1.0]}, "temperature=-1.0"),
        ({"alphas": [0.5, 1.5]}, "alpha=1.5"),
        ({"alphas": "auto"}, "Got alphas='auto'"),
        ({"alphas": ["most"]}, "alpha='most'"),
        ({"cv": None}, "cv=None"),
        ({"cv": 2}, "with 2 folds, but expected at least 3"),
        ({"cv": ShuffleSplit(4)}, "hold every row exactly once"),
        ({"cv": BY_CLASS}, "single class outside a fold"),
        ({"cv": "prefit"}, "FrozenEstimator"),
        ({"scoring": "nonsense"}, "nonsense"),
        ({"scoring": nothing}, "Got NaN from scoring"),
        ({"augmenter": 3}, "augmenter=3"),
    ],
)
def test_wrong_parameters_are_named(parameters, match):
    with pytest.raises(ValueError, match=match):
        search(**parameters).fit(X, y)


def test_weights_that_a_score_cannot_take_are_refused():
    with pytest.raises(ValueError, match=r"sample_weight, but scoring=.* cannot take"):
        search(scoring=accuracy).fit(X, y, np.ones(300))
    with pytest.raises(TypeError, match="neither predict_proba"):
        search(teacher=TabularOnly()).fit(X, y)


class TabularOnly(BaseEstimator):
    def fit(self, X, y):
        return self


def test_importing_it_is_lazy():
    code = (
        "import sys, skdistill\n"
        "assert 'skdistill._distilled_cv' not in sys.modules\n"
        "skdistill.DistilledClassifierCV\n"
        "assert not {'torch', 'skorch', 'lightgbm'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_iris_with_the_defaults_of_the_search():
    table, labels = load_iris(return_X_y=True)
    model = DistilledClassifierCV(FOREST, TREE, random_state=0, augmenter=None)
    model.fit(table, NAMES[labels])
    assert len(model.cv_results_["params"]) == 9
    assert model.score(table, NAMES[labels]) > 0.9


def test_students_of_all_folds_see_the_columns_of_the_student_alone():
    X, y = make_classification(300, 6, random_state=0)
    model = DistilledClassifierCV(
        LogisticRegression(),
        TreeStudentClassifier(max_leaf_nodes=8),
        student_columns=[0, 3],
        temperatures=[1.0],
        alphas=[0.5, 1.0],
        cv=3,
        augmenter=None,
        random_state=0,
    )
    model.fit(X, y)
    assert model.student_.n_features_in_ == 2
    np.testing.assert_array_equal(
        model.predict_proba(X), model.predict_proba(X[:, [0, 3]])
    )


def test_nothing_of_an_earlier_fit_is_left_without_refit():
    model = search().fit(X, y)
    model.set_params(refit=False).fit(X[:, :3], y)
    with pytest.raises(NotFittedError):
        model.predict(X[:, :3])
    assert not hasattr(model, "teacher_")
    assert not hasattr(model, "classes_")


def test_masks_are_folds_also_beside_rows_of_weight_zero():
    masks = [(np.arange(300) % 3 != k, np.arange(300) % 3 == k) for k in range(3)]
    numbers = [tuple(map(np.flatnonzero, parts)) for parts in masks]
    weights = np.where(np.arange(300) < 7, 0.0, 1.0)
    for sample_weight in (None, weights):
        by_mask, by_number = (
            search(cv=cv).fit(X, y, sample_weight=sample_weight).best_score_
            for cv in (masks, numbers)
        )
        assert by_mask == by_number
