"""Every kind of teacher: where its log-odds come from, and that they are its own."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from catboost import CatBoostClassifier
from lightgbm import LGBMClassifier
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.ensemble import StackingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from xgboost import XGBClassifier, XGBRFClassifier

from skdistill import _log_odds
from skdistill._kinds import known, unwrap
from skdistill._log_odds import classifier_log_odds
from skdistill.losses._reference import log_softmax, softmax

PATH = Path(__file__).parents[2] / "benchmarks" / "teachers.py"
SPEC = importlib.util.spec_from_file_location("teachers_benchmark", PATH)
benchmark = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(benchmark)

X, y = load_iris(return_X_y=True)
QUIET = {"verbose": -1, "n_jobs": 1}


def sure(library, **parameters):
    """A teacher so sure that its probabilities have lost digits."""
    if library == "lightgbm":
        return LGBMClassifier(
            n_estimators=100, learning_rate=0.5, **QUIET, **parameters
        )
    if library == "xgboost":
        return XGBClassifier(n_estimators=200, learning_rate=1, n_jobs=1, **parameters)
    return CatBoostClassifier(
        iterations=300,
        learning_rate=1,
        verbose=False,
        allow_writing_files=False,
        thread_count=1,
        **parameters,
    )


def raw_scores(model, X):
    """What the library itself calls raw scores, with a column for each class."""
    if isinstance(model, LGBMClassifier):
        raw = model.booster_.predict(X, raw_score=True)
    elif isinstance(model, XGBClassifier):
        raw = model.predict(X, output_margin=True).astype(float)
    else:
        raw = model.predict(X, prediction_type="RawFormulaVal")
    return raw if raw.ndim == 2 else np.stack([0 * raw, raw], axis=1)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("name", "n_classes"), list(benchmark.cases()))
def test_softmax_of_log_odds_is_what_the_teacher_predicts(name, n_classes):
    run = benchmark.measure(name, n_classes)
    source = benchmark.OTHER_SOURCES.get((name, n_classes), benchmark.KINDS[name][1])
    assert run["source"] == source
    # XGBoost computes in float32; a probability below 1e-7 counts as 1e-7.
    exact = "XGB" not in name and source != benchmark.LOGS
    if run["difference"] is not None:
        assert run["difference"] <= (1e-12 if exact else 1e-6)


@pytest.mark.parametrize("library", ["lightgbm", "xgboost", "catboost"])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(
    "wrap",
    [
        lambda model: model,
        FrozenEstimator,
        lambda model: make_pipeline(StandardScaler(), model),
        lambda model: make_pipeline("passthrough", make_pipeline(model)),
    ],
    ids=["bare", "frozen", "pipeline", "nested"],
)
def test_log_odds_are_raw_scores(library, n_classes, wrap):
    labels = y if n_classes == 3 else (y > 0).astype(int)
    model = sure(library)
    teacher = wrap(model)
    if teacher is not model and not isinstance(teacher, FrozenEstimator):
        teacher.fit(X, labels)
        model, rows = unwrap(teacher, X)
    else:
        model.fit(X, labels)
        rows = X
    log_odds = classifier_log_odds(teacher, X, np.arange(n_classes))
    np.testing.assert_allclose(
        log_odds, log_softmax(raw_scores(model, rows)), rtol=1e-12
    )
    # More than a floor of 1e-7 leaves.
    if library == "lightgbm" and n_classes == 3:
        assert log_odds.min() < np.log(1e-7)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda m: GridSearchCV(m, {"num_leaves": [4]}, cv=2),
        lambda m: TunedThresholdClassifierCV(m, cv=2),
        lambda m: FixedThresholdClassifier(m, threshold=0.1),
        lambda m: FrozenEstimator(make_pipeline(StandardScaler(), m).fit(X, y > 0)),
    ],
)
def test_wrappers_have_the_margins_of_what_they_wrap(wrap):
    teacher = wrap(sure("lightgbm")).fit(X, y > 0)
    model, rows = unwrap(teacher, X)
    assert isinstance(model, LGBMClassifier)
    log_odds = classifier_log_odds(teacher, X, np.array([False, True]))
    np.testing.assert_allclose(
        log_odds, log_softmax(raw_scores(model, rows)), rtol=1e-12
    )


def logistic(labels, scores):
    p = 1 / (1 + np.exp(-scores))
    return p - labels, p * (1 - p)


lgbm, xgb, catboost = benchmark.lgbm, benchmark.xgb, benchmark.catboost
OPTIONS = [
    lgbm(boosting_type="dart"),
    lgbm(is_unbalance=True),
    lgbm(linear_tree=True),
    lgbm(objective="cross_entropy"),
    lgbm(100, pred_early_stop=True, pred_early_stop_margin=0.5),
    XGBRFClassifier(n_estimators=20, n_jobs=1),
    xgb(booster="gblinear"),
    xgb(num_parallel_tree=3, base_score=0.3),
    xgb(objective=logistic),
    xgb(scale_pos_weight=3),
    catboost(loss_function="Focal:focal_alpha=0.5;focal_gamma=2"),
    catboost(loss_function="MultiClassOneVsAll"),
    catboost(loss_function="MultiClass"),
    catboost(auto_class_weights="Balanced"),
]


@pytest.mark.parametrize("model", OPTIONS, ids=range(len(OPTIONS)))
def test_options_that_change_predictions_change_margins_too(model):
    model = clone(model).fit(X, y > 0)
    proba = model.predict_proba(X)
    log_odds = classifier_log_odds(model, X, model.classes_)
    atol = 1e-6 if isinstance(model, XGBClassifier) else 1e-12
    proba = proba / proba.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(softmax(log_odds), proba, atol=atol)
    assert _log_odds._choose(model, X, True)[0].func is _log_odds._margins


@pytest.mark.parametrize("library", ["lightgbm", "xgboost", "catboost"])
def test_frames_reach_the_library_inside_a_pipeline(library):
    frame = pd.DataFrame(X, columns=list("abcd"))
    scaler = StandardScaler().set_output(transform="pandas")
    teacher = make_pipeline(scaler, sure(library)).fit(frame, y)
    assert classifier_log_odds(teacher, frame, np.arange(3)).shape == (150, 3)


class Doubting(LGBMClassifier):
    """What it predicts is not what its margins say, and it knows no options."""

    def predict_proba(self, X):
        return LGBMClassifier.predict_proba(self, X) / 2 + 1 / 6


class Harmless(LGBMClassifier):
    """The same as its base class, but for the options."""

    def predict_proba(self, X):
        return LGBMClassifier.predict_proba(self, X)


class Tempered(XGBClassifier):
    def predict_proba(self, X):
        return softmax(XGBClassifier.predict(self, X, output_margin=True), 3.0)


class Rare(CatBoostClassifier):
    """Differs by less than a rare class is often."""

    def predict_proba(self, X):
        proba = CatBoostClassifier.predict_proba(self, X).copy()
        proba[:, 0] += 1e-4 * proba[:, 2]
        proba[:, 2] *= 1 - 1e-4
        return proba


def test_a_subclass_may_predict_something_else():
    parameters = {"allow_writing_files": False, "verbose": False, "iterations": 5}
    for model in (
        Doubting(n_estimators=5, **QUIET),
        Tempered(n_estimators=5, n_jobs=1),
        Rare(thread_count=1, **parameters),
    ):
        proba = model.fit(X, y).predict_proba(X)
        log_odds = classifier_log_odds(model, X, np.arange(3))
        atol = 1e-6 if isinstance(model, Tempered) else 1e-9
        np.testing.assert_allclose(softmax(log_odds), proba, atol=atol)
    model = Harmless(n_estimators=100, learning_rate=0.5, **QUIET).fit(X, y)
    log_odds = classifier_log_odds(model, X, np.arange(3))
    np.testing.assert_allclose(log_odds, log_softmax(raw_scores(model, X)), rtol=1e-12)


class LateDoubt(LGBMClassifier):
    """Predicts something else for the rows at the end of a sorted table only."""

    def predict_proba(self, X):
        proba = LGBMClassifier.predict_proba(self, X)
        proba[X[:, 0] > 7] = 1 / 3
        return proba


def test_rows_from_all_over_the_table_are_compared():
    model = LateDoubt(n_estimators=20, **QUIET).fit(X, y)
    rows = np.repeat(X, 10, axis=0)
    rows = rows[np.argsort(rows[:, 0])]
    assert not (rows[: _log_odds.N_COMPARED_ROWS, 0] > 7).any()
    log_odds = classifier_log_odds(model, rows, np.arange(3))
    np.testing.assert_allclose(softmax(log_odds), model.predict_proba(rows), atol=1e-9)


@pytest.mark.filterwarnings("ignore:Cannot compute class probabilities")
def test_objectives_of_the_users_own_are_no_log_odds():
    def objective(labels, scores):
        return scores - labels, np.ones_like(scores)

    model = LGBMClassifier(n_estimators=5, objective=objective, **QUIET).fit(X, y > 0)
    with pytest.raises(ValueError, match="probabilities of shape"):
        classifier_log_odds(model, X, model.classes_)


def test_hinge_margins_of_xgboost_are_taken_like_those_of_a_support_vector_machine():
    model = XGBClassifier(n_estimators=5, objective="binary:hinge", n_jobs=1)
    labels = (y > 1).astype(int)
    log_odds = classifier_log_odds(model.fit(X, labels), X, np.arange(2))
    np.testing.assert_allclose(log_odds, log_softmax(raw_scores(model, X)), rtol=1e-12)
    assert len(np.unique(log_odds)) > 2
    assert set(model.predict_proba(X)[:, 1]) == {0, 1}


@pytest.mark.parametrize("library", ["lightgbm", "xgboost", "catboost"])
def test_margins_after_early_stopping_are_those_of_the_best_iteration(library):
    model = sure(library, **early_stopping(library))
    rows = known("EVALUATION", model)(model, X[1::2], y[1::2], None)
    model.fit(X[::2], y[::2], **rows)
    log_odds = classifier_log_odds(model, X, np.arange(3))
    atol = 1e-6 if library == "xgboost" else 1e-12
    np.testing.assert_allclose(softmax(log_odds), model.predict_proba(X), atol=atol)
    if library == "xgboost":
        every = model.get_booster().inplace_predict(X, predict_type="margin")
        assert np.abs(softmax(every) - softmax(log_odds)).max() > 1e-3


def early_stopping(library):
    name = "early_stopping_round" + ("" if library == "lightgbm" else "s")
    return {name: 5}


def test_a_stack_gives_the_margins_of_what_is_on_top():
    stack = StackingClassifier([("a", LogisticRegression())], sure("lightgbm"), cv=2)
    stack.fit(X, y > 0)
    raw = raw_scores(stack.final_estimator_, stack.transform(X))
    log_odds = classifier_log_odds(stack, X, stack.classes_)
    np.testing.assert_allclose(log_odds, log_softmax(raw), rtol=1e-12)


def test_an_unknown_kind_is_in_no_table():
    assert known("MARGINS", LogisticRegression()) is None
    assert known("NO SUCH TABLE", sure("lightgbm")) is None
    assert unwrap(LogisticRegression())[1] is None


@pytest.mark.parametrize("chunk", [7, 100, 149])
def test_chunks_change_nothing(chunk, monkeypatch):
    model = sure("lightgbm").fit(X, y)
    whole = classifier_log_odds(model, X, np.arange(3))
    monkeypatch.setattr(_log_odds, "LARGEST_CHUNK", chunk)
    for few in (1, 1000):
        monkeypatch.setattr(_log_odds, "N_COMPARED_ROWS", few)
        parts = classifier_log_odds(model, X, np.arange(3))
        np.testing.assert_array_equal(parts, whole)
    frame = pd.DataFrame(X)
    np.testing.assert_array_equal(
        classifier_log_odds(model, frame, np.arange(3), dtype=np.float32),
        whole.astype(np.float32),
    )


def test_an_error_in_a_chunk_says_where_it_is(monkeypatch):
    class Touchy(GaussianNB):
        def predict_proba(self, X):
            if (X[:, 0] > 7.5).any():
                raise ValueError("too large")
            return super().predict_proba(X)

    monkeypatch.setattr(_log_odds, "LARGEST_CHUNK", 50)
    monkeypatch.setattr(_log_odds, "N_COMPARED_ROWS", 1)
    model = Touchy().fit(X, y)
    with pytest.raises(ValueError, match="too large") as caught:
        classifier_log_odds(model, X, np.arange(3))
    assert "rows 100 to 149 of 150" in caught.value.__notes__[0]
