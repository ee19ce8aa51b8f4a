import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lightgbm import LGBMRegressor
from sklearn.base import clone
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
    VotingRegressor,
)
from sklearn.linear_model import (
    HuberRegressor,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    QuantileRegressor,
    RANSACRegressor,
    Ridge,
)
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from skdistill import DistilledRegressor, RegressionTargets
from skdistill.export import export
from skdistill.losses import HuberLoss, PoissonLoss, QuantileLoss, SquaredLoss
from skdistill.runtime import load
from skdistill.students import (
    AdaptedStudentRegressor,
    MLPStudentRegressor,
    as_student_regressor,
)
from skdistill.students._adapted_regressor import own_loss


def data(rng, n_samples=60, missing=0.3):
    X = rng.normal(size=(n_samples, 3))
    t = X[:, 0] + 0.5 * X[:, 1]
    y = t + rng.normal(size=n_samples)
    y[rng.random(n_samples) < missing] = np.nan
    return X, t, y


@settings(max_examples=15)
@given(alpha=st.floats(0.05, 1), seed=st.integers(0, 1000))
def test_the_mixture_is_exact_for_squared_error(alpha, seed):
    """As good as every row twice, with the teacher's word and the true value."""
    X, t, y = data(np.random.default_rng(seed))
    known = ~np.isnan(y)
    student = AdaptedStudentRegressor(LinearRegression())
    student.fit(X, RegressionTargets(t, y, alpha))
    twice = LinearRegression().fit(
        np.concatenate([X, X[known]]),
        np.concatenate([t, y[known]]),
        np.concatenate([np.full(len(X), alpha), np.full(known.sum(), 1 - alpha)]),
    )
    np.testing.assert_allclose(student.predict(X), twice.predict(X), atol=1e-8)


def test_the_mixture_is_exact_for_the_poisson_deviance(rng):
    X, t, y = data(rng, missing=0.0)
    t, y = np.exp(t), rng.poisson(np.exp(t))
    regressor = PoissonRegressor(alpha=0, tol=1e-9, max_iter=1000)
    student = AdaptedStudentRegressor(regressor)
    student.fit(X, RegressionTargets(t, y, 0.6, PoissonLoss()))
    twice = regressor.fit(
        np.concatenate([X, X]),
        np.concatenate([t, y]),
        np.repeat([0.6, 0.4], len(X)),
    )
    np.testing.assert_allclose(student.predict(X), twice.predict(X), rtol=1e-5)
    assert student.link_ == "identity"


def test_huber_regressors_see_every_row_twice(rng):
    X, t, y = data(rng)
    known = ~np.isnan(y)
    targets = RegressionTargets(t, y, 0.7, HuberLoss(1.0))
    student = AdaptedStudentRegressor(HuberRegressor(alpha=0)).fit(X, targets)
    twice = HuberRegressor(alpha=0).fit(
        np.concatenate([X, X[known]]),
        np.concatenate([t, y[known]]),
        np.concatenate([np.full(len(X), 0.7), np.full(known.sum(), 0.3)]),
    )
    np.testing.assert_allclose(student.predict(X), twice.predict(X), atol=1e-8)


def test_other_regressors_give_logarithms(rng):
    X, t, _ = data(rng)
    t = np.exp(t)
    student = AdaptedStudentRegressor(LinearRegression())
    student.fit(X, RegressionTargets(t, loss=PoissonLoss()))
    assert student.link_ == "log"
    np.testing.assert_allclose(student.predict(X), t, rtol=1e-8)
    student.fit(X, RegressionTargets(1 / t, t, 0.0, PoissonLoss()))
    assert student.link_ == "log"
    t[0] = 0.0
    with pytest.raises(ValueError, match="Got targets down to 0"):
        student.fit(X, RegressionTargets(t, loss=PoissonLoss()))


def test_quantile_regressors_see_every_row_twice(rng):
    X, t, y = data(rng)
    known = ~np.isnan(y)
    regressor = QuantileRegressor(quantile=0.8, alpha=0)
    student = AdaptedStudentRegressor(regressor)
    student.fit(X, RegressionTargets(t, y, 0.3, QuantileLoss(0.8)))
    twice = clone(regressor).fit(
        np.concatenate([X, X[known]]),
        np.concatenate([t, y[known]]),
        np.concatenate([np.full(len(X), 0.3), np.full(known.sum(), 0.7)]),
    )
    np.testing.assert_allclose(student.predict(X), twice.predict(X), atol=1e-8)


def test_quantiles_of_a_teacher_are_imitated(rng):
    X, t, y = data(rng)
    student = AdaptedStudentRegressor(LinearRegression())
    student.fit(X, RegressionTargets(t, y, 1.0, QuantileLoss(0.9)))
    np.testing.assert_allclose(student.predict(X), t, atol=1e-8)


def test_weights_reach_the_regressor_or_are_refused(rng):
    X, t, y = data(rng)
    weights = rng.integers(0, 3, size=len(X))
    targets = RegressionTargets(t, y, 0.5)
    student = AdaptedStudentRegressor(LinearRegression())
    weighted = student.fit(X, targets, weights).predict(X)
    rows = np.repeat(np.arange(len(X)), weights)
    repeated = student.fit(X[rows], targets[rows]).predict(X)
    np.testing.assert_allclose(weighted, repeated, atol=1e-8)
    neighbours = AdaptedStudentRegressor(KNeighborsRegressor())
    assert neighbours.fit(X, RegressionTargets(t)).predict(X).shape == (60,)
    with pytest.raises(ValueError, match="KNeighborsRegressor cannot take it"):
        neighbours.fit(X, targets)


def test_without_a_teacher_the_regressor_is_as_it_was(rng):
    X, _, y = data(rng, missing=0.0)
    for regressor in (
        Ridge(),
        QuantileRegressor(quantile=0.8, alpha=0),
        DecisionTreeRegressor(criterion="absolute_error", max_depth=2),
    ):
        student = AdaptedStudentRegressor(regressor).fit(X, y)
        np.testing.assert_allclose(
            student.predict(X), clone(regressor).fit(X, y).predict(X)
        )
    unknown = np.append(y[:-1], np.nan)
    only_known = AdaptedStudentRegressor(Ridge())
    only_known.fit(X, RegressionTargets(np.zeros(60), unknown, 0.0))
    np.testing.assert_allclose(
        only_known.predict(X), Ridge().fit(X[:-1], y[:-1]).predict(X)
    )


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "regressor",
    [
        Ridge(),
        GradientBoostingRegressor(n_estimators=5, random_state=0),
        GridSearchCV(DecisionTreeRegressor(random_state=0), {"max_depth": [2]}, cv=2),
        VotingRegressor([("ridge", Ridge())]),
        make_pipeline(StandardScaler(), GradientBoostingRegressor(random_state=0)),
        MultiOutputRegressor(GradientBoostingRegressor(random_state=0)),
    ],
)
def test_several_outputs_with_any_regressor(regressor, weighted, rng):
    X, t, _ = data(rng)
    both = np.column_stack([t, -t])
    weights = rng.uniform(0.5, 2, len(X)) if weighted else None
    student = AdaptedStudentRegressor(regressor)
    predictions = student.fit(X, RegressionTargets(both), weights).predict(X)
    np.testing.assert_allclose(predictions[:, 0], -predictions[:, 1], atol=1e-9)


def test_a_column_of_numbers_is_one_output(rng, tmp_path):
    X, t, _ = data(rng)
    regressor = LGBMRegressor(n_estimators=5, verbose=-1, n_jobs=1)
    model = DistilledRegressor(
        RandomForestRegressor(5, random_state=0),
        regressor,
        augmenter=None,
        random_state=0,
    )
    expected = model.fit(X, t).predict(X)
    model.fit(X, pd.DataFrame({"price": t}))
    np.testing.assert_array_equal(model.predict(X), expected)
    model.export(tmp_path / "price.skd", X)


def test_pipelines_keep_their_steps(rng):
    X, t, y = data(rng)
    student = as_student_regressor(make_pipeline(StandardScaler(), LinearRegression()))
    student.fit(X, RegressionTargets(t, y, 1.0))
    np.testing.assert_allclose(student.predict(X), t, atol=1e-8)


@pytest.mark.parametrize(
    ("regressor", "loss"),
    [
        (Ridge(), "squared error"),
        (RandomForestRegressor(), "squared error"),
        (RandomForestRegressor(criterion="poisson"), "poisson"),
        (DecisionTreeRegressor(criterion="absolute_error"), "absolute error"),
        (LGBMRegressor(), "squared error"),
        (LGBMRegressor(objective="regression_l1"), "absolute error"),
        (LGBMRegressor(objective="huber"), "huber"),
        (LGBMRegressor(objective="quantile"), "quantile"),
        (LGBMRegressor(objective="tweedie"), "another loss"),
        (HistGradientBoostingRegressor(loss="poisson"), "poisson"),
        (GradientBoostingRegressor(loss="huber"), "huber"),
        (HuberRegressor(), "huber"),
        (QuantileRegressor(), "quantile"),
        (PoissonRegressor(), "poisson"),
        (RANSACRegressor(), "squared error"),
    ],
)
def test_what_a_regressor_minimises(regressor, loss):
    assert own_loss(regressor) == loss


@pytest.mark.parametrize(
    ("regressor", "loss", "alpha", "error", "message"),
    [
        (Ridge(), HuberLoss(1.0), 0.5, TypeError, "minimises squared error"),
        (HuberRegressor(), SquaredLoss(), 0.5, TypeError, "minimises huber"),
        (HuberRegressor(), QuantileLoss(), 1.0, TypeError, "minimises huber"),
        (QuantileRegressor(), QuantileLoss(0.9), 1.0, ValueError, "quantile 0.5, but"),
        (
            LGBMRegressor(objective="quantile"),
            QuantileLoss(0.9),
            1.0,
            ValueError,
            "quantile None, but",
        ),
        (PoissonRegressor(), SquaredLoss(), 1.0, TypeError, "minimises poisson"),
        (QuantileRegressor(), PoissonLoss(), 1.0, TypeError, "minimises quantile"),
        (Ridge(), QuantileLoss(), 0.9, ValueError, "alpha=0.9"),
        (Ridge(), QuantileLoss(), 0.0, ValueError, "alpha=0.0"),
        (Ridge(), HuberLoss(1.0), 0.0, TypeError, "minimises squared error"),
    ],
)
def test_what_cannot_be_learnt_is_refused(regressor, loss, alpha, error, message):
    student = AdaptedStudentRegressor(regressor)
    with pytest.raises(error, match=message):
        student.fit([[0.0], [1.0]], RegressionTargets([1.0, 2.0], None, alpha, loss))


@pytest.mark.parametrize("student", [LogisticRegression(), StandardScaler(), "Ridge"])
def test_only_regressors_are_students(student):
    with pytest.raises(TypeError, match="Got the student"):
        as_student_regressor(student)


@pytest.mark.parametrize(
    "regressor",
    [
        LGBMRegressor(n_estimators=5, verbose=-1, n_jobs=1),
        DecisionTreeRegressor(max_leaf_nodes=8),
    ],
)
def test_columns_keep_their_names(regressor, rng, tmp_path):
    """LightGBM turns blanks into `_`."""
    X = pd.DataFrame(rng.normal(size=(200, 2)), columns=["air temp", "b"])
    student = AdaptedStudentRegressor(regressor).fit(X, X["b"])
    export(student.to_spec(), tmp_path / "student.skd", X)
    scored = load(tmp_path / "student.skd").predict(X[["b", "air temp"]])
    np.testing.assert_allclose(scored, student.predict(X))


def test_students_stay_as_they_are():
    student = MLPStudentRegressor()
    assert as_student_regressor(student) is student


@pytest.mark.parametrize("alpha", [0.0, 0.3])
def test_weights_of_one_are_no_weights_whatever_the_rows_have_in_common(alpha, rng):
    """Rows without true values all weigh the same, also where they have no term."""
    X, t, _ = data(rng)
    targets = RegressionTargets(t, alpha=alpha)
    expected = Ridge().fit(X, t).predict(X)
    for weights in (None, np.ones(len(t))):
        student = AdaptedStudentRegressor(Ridge()).fit(X, targets, weights)
        np.testing.assert_allclose(student.predict(X), expected, atol=1e-12)
