import pickle
from functools import partial

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from lightgbm import LGBMClassifier
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_iris, make_classification
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    RepeatedStratifiedKFold,
    TimeSeriesSplit,
    cross_val_score,
    train_test_split,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skdistill import DistilledClassifier
from skdistill.inspection import skill_retention
from skdistill.students import (
    MLPStudentClassifier,
    TabularEncoder,
    TreeStudentClassifier,
)

X, y = make_classification(400, n_informative=6, random_state=0)
# New rows are the subject of test_pool.
distilled = partial(DistilledClassifier, augmenter=None)
FAST_MLP = MLPStudentClassifier((16,), n_steps=150)
FAST_TREE = TreeStudentClassifier(max_leaf_nodes=8)
FAST_LGBM = LGBMClassifier(n_estimators=15, verbose=-1, n_jobs=1)

FITS = []


class CountingTeacher(LogisticRegression):
    """Notes the number of rows of each fit, across clones."""

    def fit(self, X, y, sample_weight=None):
        FITS.append(len(X))
        return super().fit(X, y, sample_weight)


@pytest.mark.parametrize(
    "teacher",
    [
        FAST_LGBM,
        RandomForestClassifier(20),
        HistGradientBoostingClassifier(max_iter=10),
        SVC(),
        make_pipeline(StandardScaler(), KNeighborsClassifier()),
        VotingClassifier([("a", LogisticRegression()), ("b", SVC(probability=False))]),
    ],
    ids=lambda teacher: type(teacher).__name__,
)
def test_any_teacher_teaches(teacher):
    if isinstance(teacher, VotingClassifier):
        with pytest.raises(TypeError, match="neither predict_proba nor decision"):
            distilled(teacher, FAST_TREE, cv=3).fit(X, y)
        return
    model = distilled(teacher, FAST_TREE, cv=3, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.75
    assert 0.01 <= model.calibration_temperature_ <= 100


@pytest.mark.parametrize(
    "student",
    [
        FAST_MLP,
        FAST_TREE,
        LogisticRegression(),
        LinearRegression(),
        make_pipeline(StandardScaler(), FAST_MLP),
        make_pipeline(StandardScaler(), LogisticRegression()),
    ],
)
def test_any_student_learns_by_itself_or_in_a_pipeline(student):
    model = distilled(FAST_LGBM, student, cv=3, random_state=0).fit(X, y)
    proba = model.predict_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    np.testing.assert_allclose(np.exp(model.predict_log_proba(X)), proba)
    np.testing.assert_array_equal(model.predict(X), model.classes_[proba.argmax(1)])
    assert model.score(X, y) > 0.7
    np.testing.assert_array_equal(proba, model.student_.predict_proba(X))


@pytest.mark.parametrize("to_frame", [pd.DataFrame, pl.from_pandas])
def test_frames_with_categories_and_string_labels(adult, to_frame):
    X, y = adult
    X = to_frame(X)
    # Not LightGBM: 4.7 aborts the process on polars categories.
    teacher = make_pipeline(TabularEncoder(), LogisticRegression(max_iter=1000))
    model = distilled(teacher, FAST_MLP, cv=3, random_state=0).fit(X, y)
    assert set(model.predict(X)) == {"<=50K", ">50K"}
    assert model.score(X, y) > 0.82
    assert list(model.feature_names_in_) == list(X.columns)
    assert list(model.teacher_.feature_names_in_) == list(X.columns)


def test_columns_in_another_order_are_an_error(adult):
    X, y = adult
    model = distilled(FAST_LGBM, FAST_TREE, cv=3).fit(X, y)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(X[X.columns[::-1]])


def test_many_classes(letter):
    X, y = letter
    model = distilled(
        RandomForestClassifier(30, random_state=0),
        MLPStudentClassifier(),
        cv=3,
        random_state=0,
    ).fit(X, y)
    assert model.predict_proba(X).shape == (2000, 26)
    assert model.score(X, y) > 0.8


def test_it_lives_in_a_pipeline_and_in_cross_validation():
    model = make_pipeline(
        StandardScaler(), distilled(LogisticRegression(), FAST_TREE, cv=3)
    )
    assert cross_val_score(model, X, y, cv=3, error_score="raise").mean() > 0.7


@pytest.mark.parametrize(
    "cv",
    [
        TimeSeriesSplit(4),
        RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=0),
        [(np.arange(200, 400), np.arange(200)), (np.arange(200), np.arange(200, 400))],
    ],
)
def test_any_splitter_makes_labels(cv):
    model = distilled(FAST_LGBM, FAST_TREE, cv=cv, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.75
    assert model.calibration_temperature_ != 1.0


def test_clone_set_params_and_pickle():
    model = distilled(FAST_LGBM, clone(FAST_MLP), cv=3, random_state=0)
    model.set_params(
        student__hidden_layer_sizes=(8,), teacher__n_estimators=5, alpha=0.5
    )
    copy = clone(model)
    assert copy.student.hidden_layer_sizes == (8,)
    assert not hasattr(copy, "student_")
    proba = model.fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(model)).predict_proba(X), proba
    )
    np.testing.assert_array_equal(copy.fit(X, y).predict_proba(X), proba)


def test_a_search_with_memory_fits_the_teacher_once_for_each_part(tmp_path):
    FITS.clear()
    folds, inner = 5, 3
    search = GridSearchCV(
        distilled(
            CountingTeacher(),
            MLPStudentClassifier((4,), n_steps=10),
            cv=inner,
            memory=str(tmp_path),
            random_state=0,
        ),
        {
            "temperature": [1.0, 2.0],
            "alpha": [0.5, 0.9],
            "student__hidden_layer_sizes": [(4,), (8,)],
        },
        cv=folds,
        error_score="raise",
    ).fit(X, y)
    assert len(search.cv_results_["params"]) == 8
    assert len(FITS) == (inner + 1) * folds + (inner + 1)
    assert search.predict(X).shape == y.shape


def test_the_cache_knows_what_changed(tmp_path):
    def fits(**changes):
        FITS.clear()
        parameters = {"cv": 3, "memory": str(tmp_path), "random_state": 0, **changes}
        model = distilled(CountingTeacher(), clone(FAST_TREE))
        model.set_params(**parameters).fit(X, y)
        return len(FITS)

    assert fits() == 4
    for same in ({"temperature": 3.0}, {"alpha": 0.2}, {"calibrate": False}):
        assert fits(**same) == 0, same
    assert fits(student__max_leaf_nodes=4) == 0
    assert fits(n_jobs=1) == 0
    assert fits(cv=4) == 5
    assert fits(teacher__C=0.5) == 4
    assert fits(random_state=1) == 4


def test_cached_and_fresh_agree(tmp_path):
    model = distilled(FAST_LGBM, FAST_TREE, cv=3, random_state=0)
    fresh = model.fit(X, y).predict_proba(X)
    for _ in range(2):
        cached = clone(model).set_params(memory=joblib.Memory(tmp_path, verbose=0))
        np.testing.assert_array_equal(cached.fit(X, y).predict_proba(X), fresh)


@pytest.mark.parametrize("student", [FAST_MLP, FAST_TREE], ids=["mlp", "tree"])
def test_same_seed_same_bits_and_untouched_generators(student):
    model = distilled(RandomForestClassifier(10), clone(student), cv=3, random_state=7)
    torch.manual_seed(2)
    np.random.seed(2)  # noqa: NPY002 - the legacy generator is what must not move
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    first = model.fit(X, y).predict_proba(X)
    assert torch.equal(torch_state, torch.get_rng_state())
    np.testing.assert_array_equal(numpy_state, np.random.get_state()[1])  # noqa: NPY002
    np.testing.assert_array_equal(first, clone(model).fit(X, y).predict_proba(X))
    assert model.teacher.random_state is None
    assert model.student.random_state is None


def test_the_students_own_seed_is_kept():
    student = clone(FAST_MLP).set_params(random_state=11)
    model = distilled(LogisticRegression(), student, cv=3, random_state=0)
    assert model.fit(X, y).student_.random_state == 11


def test_permuting_classes_permutes_columns():
    Z, labels = load_iris(return_X_y=True)
    names = np.array(["a", "b", "c"])
    shifted = np.array(["b", "c", "a"])
    model = distilled(
        LogisticRegression(max_iter=2000, tol=1e-10),
        TreeStudentClassifier(max_leaf_nodes=4),
        cv=KFold(3, shuffle=True, random_state=0),
        random_state=0,
    )
    straight = clone(model).fit(Z, names[labels])
    permuted = clone(model).fit(Z, shifted[labels])
    columns = [list(permuted.classes_).index(name) for name in shifted]
    np.testing.assert_allclose(
        permuted.predict_proba(Z)[:, columns], straight.predict_proba(Z), atol=1e-4
    )


def test_weight_2_is_a_duplicated_row_with_a_frozen_teacher(rng):
    teacher = FrozenEstimator(LogisticRegression().fit(X[:200], y[:200]))
    model = distilled(teacher, FAST_TREE, random_state=0)
    weights = rng.integers(0, 3, 200)
    rows = np.repeat(np.arange(200, 400), weights)
    weighted = clone(model).fit(X[200:], y[200:], sample_weight=weights)
    repeated = clone(model).fit(X[rows], y[rows])
    assert weighted.calibration_temperature_ == pytest.approx(
        repeated.calibration_temperature_, rel=1e-4
    )
    np.testing.assert_allclose(
        weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-4
    )
    shares = [np.mean(y[rows] == label) for label in repeated.classes_]
    for model in (weighted, repeated):
        np.testing.assert_allclose(model.class_prior_, shares)


def test_a_frozen_teacher_is_used_as_it_is():
    teacher = CountingTeacher().fit(X[:200], y[:200])
    FITS.clear()
    model = distilled(FrozenEstimator(teacher), FAST_TREE).fit(X[200:], y[200:])
    assert not FITS
    assert model.teacher_.estimator is teacher


def test_a_frozen_teacher_may_know_more_classes():
    Z, labels = load_iris(return_X_y=True)
    teacher = FrozenEstimator(LogisticRegression(max_iter=1000).fit(Z, labels))
    model = distilled(teacher, FAST_TREE).fit(Z[:100], labels[:100])
    np.testing.assert_array_equal(model.classes_, [0, 1, 2])
    assert model.predict_proba(Z).shape == (150, 3)


def test_a_frozen_teacher_that_lacks_a_class_is_refused():
    Z, labels = load_iris(return_X_y=True)
    teacher = LogisticRegression().fit(Z[:100], labels[:100])
    with pytest.raises(ValueError, match=r"labels \[2\] in y.*frozen teacher knows"):
        distilled(FrozenEstimator(teacher), FAST_TREE).fit(Z, labels)


def test_a_frozen_teacher_on_its_own_rows_is_noticed():
    teacher = RandomForestClassifier(50, random_state=0).fit(X, y)
    with pytest.warns(UserWarning, match="seems to have been fitted on the rows"):
        model = distilled(FrozenEstimator(teacher), FAST_TREE).fit(X, y)
    assert model.calibration_temperature_ == 1.0


def test_an_overconfident_teacher_is_calibrated():
    noisy = y.copy()
    noisy[::4] = 1 - noisy[::4]
    teacher = LGBMClassifier(n_estimators=100, verbose=-1, n_jobs=1)
    model = distilled(teacher, FAST_TREE, cv=3, random_state=0)
    assert model.fit(X, noisy).calibration_temperature_ > 1.5
    model.set_params(calibrate=False).fit(X, noisy)
    assert model.calibration_temperature_ == 1.0
    model.set_params(calibrate=True, cv=None).fit(X, noisy)
    assert model.calibration_temperature_ == 1.0


@pytest.mark.slow
def test_students_keep_the_skill_of_a_real_ensemble():
    """The demonstration's claim, on a quarter of Adult that nothing was fitted on."""
    from skdistill._default_teacher import default_classifier
    from skdistill.datasets import load_adult

    X, y = load_adult(return_X_y=True)
    X, X_test, y, y_test = train_test_split(
        X, y.to_numpy(), test_size=0.25, random_state=0, stratify=y
    )
    model = DistilledClassifier(default_classifier(X), random_state=0).fit(X, y)
    retention = skill_retention(
        y_test,
        model.teacher_.predict_proba(X_test),
        model.predict_proba(X_test),
        classes=model.classes_,
        prior=[np.mean(y == label) for label in model.classes_],
    )
    assert retention >= 0.95
    tree = TreeStudentClassifier(random_state=0)
    soft = DistilledClassifier(default_classifier(X), tree, random_state=0).fit(X, y)
    hard = clone(tree).fit(X, y)
    assert log_loss(y_test, soft.predict_proba(X_test)) < log_loss(
        y_test, hard.predict_proba(X_test)
    )


class Silent(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self


BAD_X = X.copy()
BAD_X[3, 1] = np.inf


@pytest.mark.parametrize(
    ("parameters", "data", "error", "message"),
    [
        ({"temperature": -1.0}, {}, ValueError, "temperature=-1.0"),
        ({"temperature": 0}, {}, ValueError, "temperature=0"),
        ({"temperature": 1e160}, {}, ValueError, r"temperature=1e\+160"),
        ({"alpha": 1.01}, {}, ValueError, "alpha=1.01"),
        ({"calibrate": "isotonic"}, {}, ValueError, "calibrate='isotonic'"),
        ({"prior_correction": 1}, {}, ValueError, "prior_correction=1"),
        ({"alpha": -0.01}, {}, ValueError, "alpha=-0.01"),
        ({"cv": "prefit"}, {}, ValueError, "FrozenEstimator"),
        ({"cv": 1}, {}, ValueError, "n_splits=1"),
        ({"teacher": Silent()}, {}, TypeError, "Silent, which has neither"),
        ({"teacher": LogisticRegression}, {}, TypeError, "estimator object"),
        ({"teacher": "forest"}, {}, TypeError, "teacher='forest'"),
        ({"student": KNeighborsClassifier()}, {}, TypeError, "KNeighborsClassifier"),
        ({"student": StandardScaler()}, {}, TypeError, "StandardScaler"),
        ({}, {"y": None}, ValueError, "requires y to be passed"),
        ({}, {"y": y[:-1]}, ValueError, "inconsistent numbers of samples"),
        ({}, {"y": np.zeros(400)}, ValueError, "1 class"),
        ({}, {"y": np.where(y, 1.0, np.nan)}, ValueError, "NaN"),
        ({}, {"y": [None, *y[1:]]}, ValueError, "None"),
        ({}, {"y": y + 0.5 * X[:, 0]}, ValueError, "Unknown label type"),
        ({}, {"X": X[:, 0]}, ValueError, "2D"),
        ({}, {"X": X[:0]}, ValueError, "0 sample"),
        ({}, {"X": BAD_X}, ValueError, "infinity"),
        ({}, {"sample_weight": np.ones(3)}, ValueError, "sample_weight of shape"),
        ({}, {"sample_weight": -np.ones(400)}, ValueError, "negative"),
        ({}, {"sample_weight": np.zeros(400)}, ValueError, "non-zero"),
        (
            {"teacher": KNeighborsClassifier()},
            {"sample_weight": np.ones(400)},
            ValueError,
            "KNeighborsClassifier cannot take it",
        ),
        (
            {"student": make_pipeline(StandardScaler(), Silent())},
            {"sample_weight": np.ones(400)},
            TypeError,
            "Silent",
        ),
    ],
)
def test_bad_input_is_named_and_changes_nothing(parameters, data, error, message):
    model = distilled(LogisticRegression(), FAST_TREE, cv=3)
    model.set_params(**parameters)
    before = {name: repr(value) for name, value in model.get_params().items()}
    with pytest.raises(error, match=message):
        model.fit(**{"X": X, "y": y, **data})
    assert {name: repr(value) for name, value in model.get_params().items()} == before
    assert not hasattr(model, "student_")


def test_a_bad_student_is_noticed_before_the_teacher_is_fitted():
    FITS.clear()
    for student in (
        MLPStudentClassifier(batch_size=0),
        make_pipeline(StandardScaler(), TreeStudentClassifier(max_leaf_nodes=1)),
    ):
        with pytest.raises(ValueError, match=r"batch_size=0|max_leaf_nodes=1"):
            distilled(CountingTeacher(), student).fit(X, y)
    assert not FITS


def test_a_refit_that_fails_keeps_the_old_student():
    model = distilled(LogisticRegression(), FAST_TREE, cv=3, random_state=0)
    proba = model.fit(X, y).predict_proba(X)
    with pytest.raises(ValueError, match="alpha"):
        model.set_params(alpha=2).fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(X), proba)


def test_infinity_in_a_frame_is_named():
    frame = pd.DataFrame(BAD_X).add_prefix("column_")
    with pytest.raises(ValueError, match=r"infinity|'column_1'"):
        distilled(FAST_LGBM, FAST_TREE, cv=3).fit(frame, y)


def test_verbose_tells_the_stages(capsys):
    distilled(LogisticRegression(), FAST_TREE, cv=3).fit(X, y)
    assert capsys.readouterr() == ("", "")
    distilled(LogisticRegression(), FAST_TREE, cv=3, verbose=1).fit(X, y)
    output, told = capsys.readouterr()
    assert output == ""
    assert "fitting LogisticRegression: 4/4 fits" in told
    assert "fitting TreeStudentClassifier to" in told


@pytest.mark.slow
def test_the_number_of_threads_changes_next_to_nothing():
    """Threads cut sums in other places, and training spreads the difference."""
    from skdistill.datasets import load_magic

    X, y = load_magic(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X, y, random_state=0, stratify=y)
    teacher = FrozenEstimator(clone(FAST_LGBM).set_params(n_estimators=100).fit(X, y))
    model = DistilledClassifier(teacher, random_state=0)
    threads = torch.get_num_threads()
    losses = []
    try:
        for n_threads in (1, 1, 2):
            torch.set_num_threads(n_threads)
            proba = clone(model).fit(X, y).predict_proba(X_test)
            losses.append(log_loss(y_test, proba, labels=model.teacher.classes_))
    finally:
        torch.set_num_threads(threads)
    prior = log_loss(y_test, np.tile(y.value_counts(normalize=True), (len(y_test), 1)))
    skill = prior - log_loss(y_test, teacher.predict_proba(X_test))
    assert losses[0] == losses[1]
    # Seeds move it by .005 on this table, and other sums are like another seed.
    assert abs(losses[2] - losses[0]) / skill < 0.02


def test_prior_correction_undoes_class_weights():
    X, y = make_classification(600, weights=[0.85], random_state=0)
    teacher = LogisticRegression(class_weight="balanced")
    means = {}
    for prior_correction in (False, True):
        model = DistilledClassifier(
            teacher,
            TreeStudentClassifier(),
            prior_correction=prior_correction,
            alpha=1.0,
            augmenter=None,
            random_state=0,
        )
        means[prior_correction] = model.fit(X, y).predict_proba(X)[:, 1].mean()
    assert abs(means[True] - y.mean()) < 0.02 < abs(means[False] - y.mean())


def test_prior_correction_needs_held_out_rows():
    model = DistilledClassifier(LogisticRegression(), prior_correction=True, cv=None)
    with pytest.raises(ValueError, match="prior_correction=True with cv=None"):
        model.fit(*make_classification(random_state=0))
