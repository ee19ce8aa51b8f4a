"""Compiled classifiers predict what LightGBM predicts, whatever the rows come as."""

import lightgbm
import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import csr_array
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from skdistill import _compiled
from skdistill._compiled import CompiledClassifier, compile_classifier
from skdistill._log_odds import classifier_log_odds
from skdistill.teachers._labelling import label_rows

pytest.importorskip("skdistill.runtime._tree_kernel")

N_ROWS = 600


@pytest.fixture(autouse=True)
def few_rows_are_enough(monkeypatch):
    monkeypatch.setattr(_compiled, "FEWEST_ROWS", N_ROWS)
    monkeypatch.delenv(_compiled.VARIABLE, raising=False)


def fitted(X, y=None, **parameters):
    parameters = {"n_estimators": 8, "min_child_samples": 3, **parameters}
    y = labels(X) if y is None else y
    return lightgbm.LGBMClassifier(verbose=-1, n_jobs=1, **parameters).fit(X, y)


def labels(X):
    first = X.iloc[:, 0] if hasattr(X, "iloc") else np.asarray(X)[:, 0]
    return np.where(np.asarray(first, float) > 0.3, "yes", "no")


def table(seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N_ROWS, 4))
    X[rng.random(X.shape) < 0.05] = np.nan
    X[:, 0] = np.nan_to_num(X[:, 0])
    return X


def check(model, X):
    compiled = compile_classifier(model, X)
    assert isinstance(compiled, CompiledClassifier)
    assert compiled.read(X) is not None
    log_odds = compiled.decision_function(X)
    np.testing.assert_allclose(
        np.exp(log_odds), model.predict_proba(X), rtol=0, atol=1e-12
    )
    raw = model.predict_proba(X, raw_score=True)
    raw = raw if raw.ndim == 2 else np.stack([0 * raw, raw], axis=1)
    np.testing.assert_allclose(
        np.diff(log_odds, axis=1), np.diff(raw, axis=1), rtol=0, atol=1e-12
    )
    np.testing.assert_array_equal(compiled.classes_, model.classes_)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.int64, bool])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_of_numbers(dtype, order):
    X = np.nan_to_num(table() * (2**26 + 1)) if dtype is np.int64 else table()
    X = np.asarray(X, dtype, order=order)
    y = np.where(np.arange(N_ROWS) % 3, "a", "b") if dtype is bool else labels(X)
    check(fitted(X, y), X)


def test_several_classes():
    X = table()
    check(fitted(X, np.digitize(X[:, 0], [-1, 0, 1])), X)


def test_frames_of_numbers():
    X = table()
    frame = pd.DataFrame(
        {
            "double": X[:, 0],
            "single": X[:, 1].astype(np.float32),
            "integer": np.nan_to_num(X[:, 2] * 10).astype(np.int16),
            "boolean": X[:, 3] > 0,
            "nullable": pd.array(np.nan_to_num(X[:, 3] * 5).round(), "Int64"),
        }
    )
    frame.loc[::7, "nullable"] = pd.NA
    check(fitted(frame), frame)


@pytest.mark.parametrize("values", [["p", "q", "a b"], [30, 10, 20], [1.5, 0.0, 2.0]])
def test_categories_are_coded_as_lightgbm_codes_them(values):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(table(), columns=list("wxyz"))
    frame["x"] = pd.Categorical(rng.choice(values, N_ROWS))
    frame["z"] = pd.Categorical(rng.choice(["u", "v"], N_ROWS))
    frame.loc[::9, "x"] = None
    y = np.where((frame.x == values[0]) ^ (frame.z == "u"), "yes", labels(frame))
    model = fitted(frame, y, cat_smooth=1)
    check(model, frame)
    other = frame.copy()
    new = "new" if isinstance(values[0], str) else 99
    other["x"] = (
        other["x"]
        .cat.add_categories([new])
        .cat.reorder_categories([new, *values[::-1]])
    )
    other.loc[::4, "x"] = new
    check(model, other)


@pytest.mark.parametrize(
    "make",
    [
        csr_array,
        lambda X: pl.DataFrame(X, schema=["column_0", "c1", "c2", "c3"]),
        lambda X: X.astype(object),
    ],
    ids=["sparse", "polars", "objects"],
)
def test_other_tables_are_left_to_lightgbm(make):
    X = np.nan_to_num(table())
    model = fitted(X)
    assert compile_classifier(model, make(X)) is model
    assert compile_classifier(model, X).read(make(X)) is None


def test_tables_that_lightgbm_refuses_are_refused_as_before():
    X = table()
    compiled = compile_classifier(fitted(X), X)
    with pytest.raises(ValueError, match="3 features"):
        compiled.decision_function(X[:, :3])
    frame = pd.DataFrame(X).add_prefix("c")
    frame["c1"] = pd.Categorical(np.arange(N_ROWS) % 3)
    compiled = compile_classifier(fitted(frame), frame)
    with pytest.raises(ValueError, match="categorical_feature do not match"):
        compiled.decision_function(frame.assign(c1=1.0))


def test_what_cannot_be_compiled_stays_as_it_is(monkeypatch):
    X = table()
    y = np.digitize(X[:, 0], [-1, 1])
    model = fitted(X)
    assert compile_classifier(model, X[:-1]) is model
    for parameters in (
        {"objective": "multiclassova", "num_class": 3},
        {"linear_tree": True},
        {"n_estimators": 60, "pred_early_stop": True, "pred_early_stop_margin": 0.1},
    ):
        other = fitted(np.nan_to_num(X), y, **parameters)
        assert compile_classifier(other, np.nan_to_num(X)) is other
    linear = LogisticRegression().fit(np.nan_to_num(X), y)
    assert compile_classifier(linear, X) is linear
    monkeypatch.setenv(_compiled.VARIABLE, "numpy")
    assert compile_classifier(model, X) is model
    monkeypatch.delenv(_compiled.VARIABLE)
    monkeypatch.setattr(_compiled, "TreeKernel", None)
    assert compile_classifier(model, X) is model


class Doubting(lightgbm.LGBMClassifier):
    def predict_proba(self, X, **options):
        return super().predict_proba(X, **options) / 2 + 0.25


def test_a_subclass_may_predict_something_else():
    X = table()
    model = Doubting(n_estimators=3, verbose=-1).fit(X, labels(X))
    assert compile_classifier(model, X) is model


def test_an_instruction_set_can_be_chosen(monkeypatch):
    X = table()
    monkeypatch.setenv(_compiled.VARIABLE, "portable")
    compiled = compile_classifier(fitted(X), X)
    assert compiled.kernel.instruction_set == "portable"
    monkeypatch.setenv(_compiled.VARIABLE, "sse9")
    with pytest.raises(ValueError, match="instruction_set='sse9'"):
        compile_classifier(fitted(X), X)


@pytest.mark.parametrize("frozen", [False, True])
def test_labels_of_teachers_are_the_same(frozen, monkeypatch):
    X = table()
    y = np.digitize(X[:, 0], [-1, 1])
    teacher = fitted(X, y)
    teacher = FrozenEstimator(teacher) if frozen else teacher
    compiled = classifier_log_odds(teacher, X, np.arange(3))
    pooled = label_rows(teacher, X, y, np.arange(3), None, X_unlabeled=X).pool_logits
    monkeypatch.setenv(_compiled.VARIABLE, "numpy")
    np.testing.assert_allclose(
        compiled, classifier_log_odds(teacher, X, np.arange(3)), rtol=0, atol=1e-12
    )
    other = label_rows(teacher, X, y, np.arange(3), None, X_unlabeled=X).pool_logits
    np.testing.assert_allclose(pooled, other, rtol=0, atol=1e-5)


def test_compiling_twice_is_compiling_once():
    X = table()
    compiled = compile_classifier(fitted(X), X)
    assert compile_classifier(compiled, X) is compiled
