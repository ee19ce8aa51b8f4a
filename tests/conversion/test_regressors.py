"""Regressors of other libraries predict the same once they are converted."""

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.tree import DecisionTreeRegressor, ExtraTreeRegressor

from skdistill import RegressionTargets
from skdistill.conversion import to_spec
from skdistill.losses import PoissonLoss
from skdistill.runtime import Scorer
from skdistill.students import AdaptedStudentRegressor

SMALL = {"n_estimators": 5, "random_state": 0}
BOOSTER = {"n_estimators": 10, "num_leaves": 8, "n_jobs": 1, "verbose": -1}


def table(rng, n_samples=300):
    X = rng.normal(size=(n_samples, 4)).round(2)
    y = 50 + 5 * X[:, 0] + X[:, 1] ** 2 + rng.normal(size=n_samples)
    return X, y


@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeRegressor(random_state=0),
        DecisionTreeRegressor(max_depth=1, criterion="poisson"),
        DecisionTreeRegressor(min_samples_leaf=1000),
        ExtraTreeRegressor(random_state=0),
        RandomForestRegressor(**SMALL),
        ExtraTreesRegressor(**SMALL),
        GradientBoostingRegressor(**SMALL),
        GradientBoostingRegressor(loss="quantile", alpha=0.8, **SMALL),
        GradientBoostingRegressor(loss="huber", init="zero", **SMALL),
        HistGradientBoostingRegressor(max_iter=5),
        HistGradientBoostingRegressor(max_iter=5, loss="poisson"),
        HistGradientBoostingRegressor(max_iter=5, loss="gamma"),
        HistGradientBoostingRegressor(max_iter=5, loss="quantile", quantile=0.2),
        LGBMRegressor(**BOOSTER),
        LGBMRegressor(objective="poisson", **BOOSTER),
        LGBMRegressor(objective="gamma", **BOOSTER),
        LGBMRegressor(objective="tweedie", **BOOSTER),
        LGBMRegressor(objective="quantile", alpha=0.9, **BOOSTER),
        LGBMRegressor(objective="huber", **BOOSTER),
        LGBMRegressor(objective="regression_l1", **BOOSTER),
        LGBMRegressor(objective="fair", **BOOSTER),
        LGBMRegressor(objective="mape", **BOOSTER),
        LGBMRegressor(
            boosting_type="rf", bagging_freq=1, bagging_fraction=0.5, **BOOSTER
        ),
    ],
    ids=str,
)
def test_predictions_are_the_same(model, rng):
    X, y = table(rng)
    model.fit(X, y)
    spec = to_spec(model)
    new = np.concatenate([X, rng.normal(size=(200, 4))])
    expected = model.predict(new)
    np.testing.assert_allclose(spec.predictions(new)[:, 0], expected, rtol=1e-11)
    np.testing.assert_allclose(Scorer(spec).predict(new), expected, rtol=1e-11)


@pytest.mark.parametrize(
    "model", [DecisionTreeRegressor(max_depth=4), RandomForestRegressor(**SMALL)]
)
def test_several_outputs(model, rng):
    X, y = table(rng)
    both = np.column_stack([y, -3 * y, X[:, 2]])
    spec = to_spec(model.fit(X, both))
    np.testing.assert_allclose(Scorer(spec).predict(X), model.predict(X), rtol=1e-11)


@pytest.mark.parametrize(
    "model",
    [
        LGBMRegressor(min_child_samples=5, **BOOSTER),
        HistGradientBoostingRegressor(max_iter=5, categorical_features="from_dtype"),
    ],
)
def test_categories_and_gaps(model, rng):
    X, y = table(rng)
    frame = pd.DataFrame(X, columns=list("abcd"))
    frame["kind"] = pd.Categorical(rng.choice(["u", "v", "w"], size=len(X)))
    frame.loc[::7, "a"] = np.nan
    y = y + 10 * (frame["kind"] == "v")
    model.fit(frame, y)
    spec = to_spec(model)
    codes = frame.assign(kind=frame["kind"].cat.codes).to_numpy(dtype=float)
    np.testing.assert_allclose(
        Scorer(spec).predict(codes), model.predict(frame), rtol=1e-11
    )


def test_boosters_are_what_they_were_trained_for(rng):
    X, y = table(rng)
    model = LGBMRegressor(objective="poisson", **BOOSTER).fit(X, y)
    spec = to_spec(model.booster_)
    assert spec.is_regressor
    assert spec.link == "log"
    classes = to_spec(LGBMClassifier(**BOOSTER).fit(X, y > 50).booster_)
    assert not classes.is_regressor


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (LGBMRegressor(reg_sqrt=True, **BOOSTER), "regression sqrt"),
        (LGBMRegressor(linear_tree=True, **BOOSTER), "linear_tree"),
        (GradientBoostingRegressor(init=Ridge(), n_estimators=2), "init=Ridge"),
        (LinearRegression(), "Got sklearn.LinearRegression"),
        (DummyRegressor(), "Got sklearn.DummyRegressor"),
    ],
    ids=str,
)
def test_what_cannot_be_converted_is_refused(model, message, rng):
    X, y = table(rng)
    with pytest.raises(TypeError, match=message):
        to_spec(model.fit(X, y))


@pytest.mark.parametrize("loss", [None, PoissonLoss()])
def test_adapted_students_are_converted(loss, rng):
    X, y = table(rng)
    targets = RegressionTargets(y) if loss is None else RegressionTargets(y, loss=loss)
    student = AdaptedStudentRegressor(DecisionTreeRegressor(max_depth=3))
    student.fit(X, targets)
    spec = to_spec(student)
    assert spec.link == ("log" if loss else "identity")
    np.testing.assert_allclose(Scorer(spec).predict(X), student.predict(X), rtol=1e-11)


def test_logarithms_of_logarithms_are_refused(rng):
    X, y = table(rng)
    student = AdaptedStudentRegressor(LGBMRegressor(objective="tweedie", **BOOSTER))
    with pytest.raises(TypeError, match="another loss"):
        student.fit(X, RegressionTargets(y, loss=PoissonLoss()))
