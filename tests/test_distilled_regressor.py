import pickle
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
from catboost import CatBoostRegressor
from lightgbm import LGBMRegressor
from sklearn.base import clone
from sklearn.datasets import make_friedman1
from sklearn.ensemble import (
    HistGradientBoostingRegressor,
    RandomForestRegressor,
    StackingRegressor,
    VotingRegressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import (
    HuberRegressor,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    QuantileRegressor,
    Ridge,
)
from sklearn.metrics import mean_pinball_loss, r2_score
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    TimeSeriesSplit,
    cross_val_score,
)
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR
from sklearn.tree import DecisionTreeRegressor
from xgboost import XGBRegressor

from skdistill import DistilledRegressor, RegressionTargets
from skdistill.students import MLPStudentRegressor
from skdistill.teachers import predict_rows

X, y = make_friedman1(400, noise=1.0, random_state=0)
FAST_MLP = MLPStudentRegressor((16,), n_steps=200)
FAST_TREE = DecisionTreeRegressor(max_leaf_nodes=8)
FAST_LGBM = LGBMRegressor(n_estimators=30, verbose=-1, n_jobs=1)

FITS = []


def distilled(teacher, student=None, **options):
    """Without new rows, which most tests do not need."""
    options = {"augmenter": None, "cv": 3, "random_state": 0, **options}
    return DistilledRegressor(teacher, student, **options)


class CountingTeacher(Ridge):
    """Notes the number of rows of each fit, across clones."""

    def fit(self, X, y, sample_weight=None):
        FITS.append(len(X))
        return super().fit(X, y, sample_weight)


class LastTargets(LinearRegression):
    """A student that keeps what it was given."""

    def fit(self, X, y, sample_weight=None):
        self.given_ = X, y, sample_weight
        return super().fit(X, y, sample_weight)


@pytest.mark.parametrize(
    "teacher",
    [
        FAST_LGBM,
        RandomForestRegressor(20),
        HistGradientBoostingRegressor(max_iter=20),
        make_pipeline(StandardScaler(), SVR()),
        KNeighborsRegressor(),
    ],
    ids=lambda teacher: type(teacher).__name__,
)
@pytest.mark.parametrize(
    "student",
    [FAST_MLP, make_pipeline(StandardScaler(), FAST_MLP), FAST_LGBM, FAST_TREE],
    ids=["mlp", "pipeline", "lightgbm", "tree"],
)
def test_any_teacher_and_student(teacher, student):
    model = distilled(teacher, student).fit(X, y)
    assert model.score(X, y) > 0.4
    np.testing.assert_array_equal(model.predict(X), model.student_.predict(X))


@pytest.mark.parametrize(
    "teacher",
    [
        XGBRegressor(n_estimators=30, n_jobs=1),
        CatBoostRegressor(
            iterations=30, verbose=0, thread_count=1, allow_writing_files=False
        ),
        StackingRegressor([("tree", FAST_TREE), ("linear", Ridge())], cv=3),
        VotingRegressor([("tree", FAST_TREE), ("linear", Ridge())]),
    ],
    ids=lambda teacher: type(teacher).__name__,
)
@pytest.mark.parametrize("frozen", [False, True])
def test_teachers_of_other_libraries_and_ensembles(teacher, frozen):
    frame = pd.DataFrame(X).add_prefix("x")
    if frozen:
        teacher = FrozenEstimator(clone(teacher).fit(frame, y))
    model = distilled(teacher, FAST_TREE).fit(frame, y)
    assert model.score(frame, y) > 0.4
    known = model.teacher_.predict(frame)
    assert r2_score(known, model.predict(frame)) > 0.4


def test_a_student_with_new_rows_beats_one_on_true_values():
    X, y = make_friedman1(1000, noise=2.0, random_state=1)
    X_test, y_test = make_friedman1(1000, noise=0.0, random_state=2)
    student = MLPStudentRegressor((64,), n_steps=1000, random_state=0)
    model = DistilledRegressor(
        LGBMRegressor(n_estimators=100, verbose=-1, n_jobs=1), student, random_state=0
    ).fit(X, y)
    by_itself = clone(student).fit(X, y)
    assert model.score(X_test, y_test) > by_itself.score(X_test, y_test)
    assert model.score(X_test, y_test) > 0.98 * model.teacher_.score(X_test, y_test)


def test_the_student_gets_the_mixture_of_held_out_predictions():
    cv = KFold(3)
    model = distilled(Ridge(), LastTargets(), alpha=0.7, cv=cv).fit(X, y)
    _, given, weights = model.student_.regressor_.given_
    found = predict_rows(Ridge(), X, y, cv)
    skill, own = (
        1 - np.mean((y - p) ** 2) / y.var() for p in (found.held_out, found.own)
    )
    share = (skill / own) ** 2
    blend = share * found.own + (1 - share) * found.held_out
    np.testing.assert_allclose(given, 0.7 * blend + 0.3 * y)
    assert weights is None


def test_rows_of_the_pool_have_the_teachers_word_alone():
    more = X[:50] + 0.1
    model = distilled(Ridge(), LastTargets(), alpha=0.5).fit(X, y, X_unlabeled=more)
    rows, given, weights = model.student_.regressor_.given_
    assert len(rows) == len(X) + 50
    np.testing.assert_allclose(given[-50:], model.teacher_.predict(more))
    # Together as much as the training rows, of the teacher's term alone.
    assert weights[-50:].sum() == pytest.approx(0.5 * len(X))
    np.testing.assert_array_equal(weights[:-50], 1.0)


def test_the_augmenter_is_the_default_where_weights_are_taken():
    model = DistilledRegressor(Ridge(), LastTargets(), cv=3, random_state=0).fit(X, y)
    assert len(model.student_.regressor_.given_[1]) == len(X) + 30_000
    KNeighborsRegressor().fit(X, y)
    DistilledRegressor(Ridge(), KNeighborsRegressor(), cv=3).fit(X, y)


@pytest.mark.parametrize("student", [FAST_MLP, Ridge(), FAST_LGBM])
def test_several_outputs(student):
    both = np.column_stack([y, -10 * y])
    model = distilled(Ridge(), student).fit(X, both)
    predictions = model.predict(X)
    assert predictions.shape == both.shape
    assert r2_score(both, predictions, multioutput="raw_values").min() > 0.5
    wrapped = distilled(MultiOutputRegressor(FAST_LGBM), student).fit(X, both)
    assert wrapped.predict(X).shape == both.shape
    with pytest.raises(ValueError, match="1d array"):
        distilled(FAST_LGBM, student).fit(X, both)


def test_outliers_pull_less_with_huber():
    dirty, rng = y.copy(), np.random.default_rng(0)
    dirty[rng.random(len(y)) < 0.1] += 300
    for student in (MLPStudentRegressor((16,), n_steps=400), HuberRegressor()):
        teacher = make_pipeline(StandardScaler(), HuberRegressor())
        model = distilled(teacher, student, loss="huber", alpha=0.5).fit(X, dirty)
        assert np.abs(model.predict(X) - y).mean() < 4
        assert 0.5 < model.loss_.delta[0] < 20
    with pytest.raises(TypeError, match="minimises squared error"):
        distilled(Ridge(), Ridge(), loss="huber").fit(X, y)


@pytest.mark.parametrize("alpha", [0.5, 1.0])
def test_a_student_of_quantiles_covers_its_share(alpha):
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(3000, 2))
    y = X[:, 0] * rng.normal(size=3000)
    teacher = LGBMRegressor(
        objective="quantile", alpha=0.8, n_estimators=60, num_leaves=8, verbose=-1
    ).set_params(n_jobs=1)
    student = MLPStudentRegressor((16,), n_steps=500)
    model = distilled(teacher, student, loss="quantile", quantile=0.8, alpha=alpha)
    model.fit(X[:2000], y[:2000])
    predicted = model.predict(X[2000:])
    assert np.mean(y[2000:] <= predicted) == pytest.approx(0.8, abs=0.05)
    best = mean_pinball_loss(y[2000:], 0.8416 * X[2000:, 0], alpha=0.8)
    assert mean_pinball_loss(y[2000:], predicted, alpha=0.8) < 1.1 * best


def test_foreign_students_imitate_quantiles():
    teacher = HistGradientBoostingRegressor(loss="quantile", quantile=0.8, max_iter=30)
    options = {"loss": "quantile", "quantile": 0.8}
    model = distilled(teacher, FAST_TREE, alpha=1.0, **options).fit(X, y)
    assert np.mean(y <= model.predict(X)) > 0.6
    with pytest.raises(ValueError, match=r"alpha=0.5 with a quantile"):
        distilled(teacher, FAST_TREE, alpha=0.5, **options).fit(X, y)
    own = HistGradientBoostingRegressor(max_iter=5, max_leaf_nodes=4, **options)
    model = distilled(teacher, own, alpha=0.9, **options).fit(X, y)
    assert np.mean(y <= model.predict(X)) > 0.6
    with pytest.raises(ValueError, match=r"of the quantile 0\.8, but expected 0\.5"):
        distilled(teacher, own, loss="quantile").fit(X, y)
    with pytest.warns(UserWarning, match="the teacher should predict that quantile"):
        distilled(Ridge(), FAST_TREE, **options).fit(X, y)


@pytest.mark.parametrize("student", [FAST_MLP, FAST_TREE, PoissonRegressor()])
def test_predictions_of_counts_are_positive(student):
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(1000, 3))
    y = rng.poisson(np.exp(2 * X[:, 0] - 1))
    teacher = HistGradientBoostingRegressor(loss="poisson", max_iter=30)
    model = distilled(teacher, student, loss="poisson", alpha=0.9).fit(X, y)
    assert (model.predict(X) > 0).all()
    assert model.predict(X).mean() == pytest.approx(y.mean(), rel=0.15)
    with pytest.raises(ValueError, match="y down to -5"):
        distilled(Ridge(), student, loss="poisson").fit(X, y - 5)


def test_weights_reach_teacher_and_student():
    weights = np.zeros(len(y))
    weights[:200] = 1.0
    cv = [(np.arange(100, 400), np.arange(100)), (np.arange(100), np.arange(100, 400))]
    model = distilled(Ridge(), Ridge(), cv=cv).fit(X, y, sample_weight=weights)
    half = [
        (np.arange(100, 200), np.arange(100)),
        (np.arange(100), np.arange(100, 200)),
    ]
    alone = distilled(Ridge(), Ridge(), cv=half).fit(X[:200], y[:200])
    np.testing.assert_allclose(model.predict(X), alone.predict(X), atol=1e-8)
    with pytest.raises(ValueError, match="KNeighborsRegressor cannot take it"):
        distilled(KNeighborsRegressor(), Ridge()).fit(X, y, sample_weight=weights)
    with pytest.raises(ValueError, match="KNeighborsRegressor cannot take it"):
        distilled(Ridge(), KNeighborsRegressor()).fit(X, y, sample_weight=weights)


def test_frames_with_categories(adult):
    X, _ = adult
    y = X["hours_per_week"].to_numpy(dtype=float)
    X = X.drop(columns="hours_per_week")
    model = distilled(FAST_LGBM, FAST_MLP).fit(X, y)
    assert model.score(X, y) > 0.2
    assert list(model.feature_names_in_) == list(X.columns)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(X[X.columns[::-1]])


def test_clone_set_params_and_pickle():
    model = distilled(clone(FAST_LGBM), clone(FAST_MLP))
    model.set_params(student__n_steps=50, teacher__n_estimators=5, alpha=0.5)
    copy = clone(model)
    predictions = model.fit(X, y).predict(X)
    loaded = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(loaded.predict(X), predictions)
    np.testing.assert_array_equal(copy.fit(X, y).predict(X), predictions)


def test_it_lives_in_a_pipeline_and_in_cross_validation():
    model = make_pipeline(StandardScaler(), distilled(Ridge(), FAST_TREE))
    assert cross_val_score(model, X, y, cv=3, error_score="raise").mean() > 0.3


def test_a_search_with_memory_fits_the_teacher_once_for_each_part(tmp_path):
    FITS.clear()
    model = distilled(
        CountingTeacher(), MLPStudentRegressor((4,), n_steps=10), memory=str(tmp_path)
    )
    grid = {
        "alpha": [0.5, 1.0],
        "loss": ["squared", "huber"],
        "student__learning_rate": [0.01, 0.02],
    }
    search = GridSearchCV(model, grid, cv=2, error_score="raise").fit(X, y)
    assert len(FITS) == (2 + 1) * (3 + 1)
    distilled(CountingTeacher(alpha=2.0), FAST_TREE, memory=str(tmp_path)).fit(X, y)
    assert len(FITS) == (2 + 1) * (3 + 1) + 4
    assert search.best_score_ > 0
    plain = clone(model).set_params(memory=None).fit(X, y).predict(X)
    cached = model.set_params(memory=joblib.Memory(tmp_path, verbose=0)).fit(X, y)
    np.testing.assert_array_equal(cached.predict(X), plain)


def test_frozen_teachers_are_used_as_they_are():
    fitted = Ridge().fit(X[:200], y[:200])
    model = distilled(FrozenEstimator(fitted), LinearRegression())
    model.fit(X[200:], y[200:])
    np.testing.assert_allclose(model.predict(X), fitted.predict(X), atol=1e-8)


def test_frozen_teachers_that_know_the_rows_by_heart_are_seen():
    tree = DecisionTreeRegressor(random_state=0).fit(X, y)
    with pytest.warns(UserWarning, match="seems to have been fitted on the rows"):
        distilled(FrozenEstimator(tree), FAST_TREE).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        X_new, y_new = make_friedman1(100, random_state=3)
        distilled(FrozenEstimator(tree), FAST_TREE).fit(X_new, y_new)


def test_frozen_teachers_of_other_columns_are_refused():
    frame = pd.DataFrame(X, columns=[f"c{j}" for j in range(X.shape[1])])
    booster = clone(FAST_LGBM).fit(frame, y)
    model = distilled(FrozenEstimator(booster), FAST_TREE)
    model.fit(frame, y)
    with pytest.raises(ValueError, match="was fitted on"):
        model.fit(frame[frame.columns[::-1]], y)


def test_folds_in_parallel_change_nothing():
    one = distilled(FAST_LGBM, FAST_TREE).fit(X, y).predict(X)
    two = distilled(FAST_LGBM, FAST_TREE, n_jobs=2).fit(X, y).predict(X)
    np.testing.assert_array_equal(one, two)


def test_in_sample_predictions_if_they_are_asked_for():
    model = distilled(DecisionTreeRegressor(random_state=0), LastTargets(), cv=None)
    model.fit(X, y)
    np.testing.assert_array_equal(model.student_.regressor_.given_[1], y)


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (DistilledRegressor(Ridge), TypeError, "Got teacher="),
        (DistilledRegressor(LogisticRegression()), TypeError, "expected a regressor"),
        (DistilledRegressor(Ridge(), LogisticRegression()), TypeError, "the student"),
        (DistilledRegressor(Ridge(), alpha=2.0), ValueError, "alpha=2.0"),
        (DistilledRegressor(Ridge(), loss="l2"), ValueError, "loss='l2'"),
        (DistilledRegressor(Ridge(), quantile=0.0), ValueError, "quantile=0.0"),
        (DistilledRegressor(Ridge(), epsilon=-1), ValueError, "epsilon=-1"),
        (DistilledRegressor(Ridge(), cv="prefit"), ValueError, "cv='prefit'"),
        (DistilledRegressor(Ridge(), augmenter="no"), ValueError, "augmenter='no'"),
        (
            DistilledRegressor(Ridge(), QuantileRegressor()),
            TypeError,
            "minimises quantile",
        ),
        (
            DistilledRegressor(Ridge(), MLPStudentRegressor(n_steps=0)),
            ValueError,
            "n_steps=0",
        ),
    ],
)
def test_bad_parameters_are_named_before_the_teacher_is_fitted(model, error, message):
    with pytest.raises(error, match=message):
        model.fit(X, y)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (None, "requires y"),
        (np.full(400, np.nan), "NaN"),
        (y[:-1], "inconsistent"),
        (np.zeros((400, 2, 2)), "shape"),
    ],
)
def test_bad_values_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        distilled(Ridge(), Ridge()).fit(X, values)


def test_targets_of_ones_own_need_no_teacher():
    student = MLPStudentRegressor((16,), n_steps=200, random_state=0)
    student.fit(X, RegressionTargets(Ridge().fit(X, y).predict(X)))
    assert student.score(X, y) > 0.5


def test_a_teacher_may_see_columns_that_its_student_will_not_have():
    X, y = make_friedman1(200, n_features=5, random_state=0)
    model = DistilledRegressor(
        LinearRegression(),
        DecisionTreeRegressor(max_depth=3),
        student_columns=[0, 3],
        cv=2,
        random_state=0,
    )
    model.fit(X, y)
    assert model.student_.n_features_in_ == 2
    np.testing.assert_array_equal(model.predict(X), model.predict(X[:, [0, 3]]))


def test_groups_stay_together_and_rows_of_weight_zero_are_left_out():
    X, y = make_friedman1(120, n_features=5, random_state=0)
    groups, weights = np.arange(120) % 6, np.repeat([1.0, 0.0], [90, 30])
    model = DistilledRegressor(
        LinearRegression(),
        DecisionTreeRegressor(max_depth=3),
        cv=3,
        augmenter=None,
        random_state=0,
    )
    grouped = clone(model).fit(X, y, sample_weight=weights, groups=groups)
    shorter = clone(model).fit(
        X[:90], y[:90], sample_weight=weights[:90], groups=groups[:90]
    )
    np.testing.assert_array_equal(grouped.predict(X), shorter.predict(X))
    alike = clone(model).set_params(cv=GroupKFold(3, shuffle=True, random_state=0))
    with pytest.raises(ValueError, match="groups"):
        alike.fit(X, y)


def test_time_ordered_rows_before_the_first_part_keep_the_teachers_own_word():
    X, y = make_friedman1(120, n_features=5, random_state=0)
    model = DistilledRegressor(
        LinearRegression(),
        DecisionTreeRegressor(max_depth=3),
        cv=TimeSeriesSplit(3),
        random_state=0,
    )
    assert model.fit(X, y).score(X, y) > 0.3
