import pickle
import sys

import lightgbm
import numpy as np
import pandas as pd
import polars as pl
import pytest
import xgboost
from hypothesis import given, settings
from hypothesis import strategies as st
from lightgbm import LGBMClassifier
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from xgboost import XGBClassifier

from skdistill import DistilledClassifier
from skdistill._log_odds import classifier_log_odds
from skdistill.augmentation import SplitMidpoints
from skdistill.losses._reference import log_softmax, softmax
from skdistill.students import TreeStudentClassifier
from skdistill.teachers import from_booster

X, y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])
STUDENT = TreeStudentClassifier(max_leaf_nodes=8)


def train_lightgbm(X, y, n_rounds=10, **parameters):
    parameters = {"verbose": -1, "num_threads": 1, **parameters}
    return lightgbm.train(parameters, lightgbm.Dataset(X, y), n_rounds)


def train_xgboost(X, y, n_rounds=10, **parameters):
    rows = xgboost.DMatrix(X, y, enable_categorical=True)
    return xgboost.train({"nthread": 1, **parameters}, rows, n_rounds)


def predict(booster, X, **options):
    """What the library itself says."""
    if isinstance(booster, lightgbm.Booster):
        return booster.predict(X, raw_score=options.get("output_margin", False))
    names = None if hasattr(X, "columns") else booster.feature_names
    rows = xgboost.DMatrix(X, feature_names=names, enable_categorical=True)
    return booster.predict(rows, **options)


def widen(proba):
    return np.stack([1 - proba, proba], axis=1) if proba.ndim == 1 else proba


RF = {"boosting": "rf", "bagging_fraction": 0.5, "bagging_freq": 1}
BINARY = [
    (train_lightgbm, {"objective": "binary"}),
    (train_lightgbm, {"objective": "binary", "sigmoid": 2.5}),
    (train_lightgbm, {"objective": "binary", "sigmoid": 0.7, **RF}),
    (train_lightgbm, {"objective": "cross_entropy"}),
    (train_lightgbm, {"objective": "multiclass", "num_class": 2}),
    (train_xgboost, {"objective": "binary:logistic"}),
    (train_xgboost, {"objective": "reg:logistic"}),
    (train_xgboost, {"objective": "multi:softprob", "num_class": 2}),
    (train_xgboost, {"objective": "binary:logistic", "booster": "dart"}),
]
MULTICLASS = [
    (train_lightgbm, {"objective": "multiclass", "num_class": 3}),
    (train_lightgbm, {"objective": "multiclass", "num_class": 3, **RF}),
    (train_xgboost, {"objective": "multi:softprob", "num_class": 3}),
    (
        train_xgboost,
        {"objective": "multi:softprob", "num_class": 3, "tree_method": "exact"},
    ),
]
BOTH = [BINARY[0], BINARY[5], MULTICLASS[0], MULTICLASS[2]]


def labels(parameters):
    return y if parameters.get("num_class") == 3 else (y > 0).astype(int)


def name(value):
    return value["objective"] if isinstance(value, dict) else value.__name__


@pytest.mark.parametrize(("train", "parameters"), BINARY + MULTICLASS, ids=name)
def test_it_says_what_the_library_says(train, parameters):
    booster = train(X, labels(parameters), **parameters)
    teacher = from_booster(booster)
    expected = widen(predict(booster, X))
    tolerance = 1e-12 if train is train_lightgbm else 1e-6
    proba = teacher.predict_proba(X)
    np.testing.assert_allclose(proba, expected, atol=tolerance)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    np.testing.assert_array_equal(teacher.predict(X), expected.argmax(axis=1))
    np.testing.assert_array_equal(teacher.classes_, range(expected.shape[1]))
    for other in (X[:1], X[:3]):
        np.testing.assert_array_equal(teacher.predict_proba(other), proba[: len(other)])
    assert teacher.n_features_in_ == 4
    assert not hasattr(teacher, "feature_names_in_")
    # The margins are the log-odds, and not those of rounded probabilities.
    log_odds = classifier_log_odds(teacher, X, teacher.classes_)
    np.testing.assert_array_equal(log_odds, teacher.predict_log_proba(X))


@pytest.mark.parametrize(("train", "parameters"), BOTH, ids=name)
def test_log_odds_are_raw_margins(train, parameters):
    booster = train(X, labels(parameters), 300, learning_rate=0.5, **parameters)
    teacher = from_booster(booster)
    margins = predict(booster, X, output_margin=True).astype(np.float64)
    np.testing.assert_array_equal(teacher.decision_function(X), margins)
    if margins.ndim == 1:
        margins = np.stack([np.zeros(150), margins], axis=1)
    log_odds = classifier_log_odds(teacher, X, teacher.classes_)
    np.testing.assert_allclose(log_odds, log_softmax(margins), atol=1e-12)


@pytest.mark.parametrize("objective", ["multi:softmax", "binary:logitraw"])
def test_xgboost_objectives_that_predict_no_probabilities(objective):
    parameters = {"num_class": 3} if objective == "multi:softmax" else {}
    booster = train_xgboost(X, labels(parameters), objective=objective, **parameters)
    teacher = from_booster(booster)
    predicted = predict(booster, X)
    if objective == "binary:logitraw":
        np.testing.assert_array_equal(teacher.decision_function(X), predicted)
        predicted = predicted > 0
    np.testing.assert_array_equal(teacher.predict(X), predicted)


@pytest.mark.parametrize("suffix", [".txt", ".model", "", ".json", ".ubj"])
@pytest.mark.parametrize("to_path", [str, lambda path: path], ids=["str", "Path"])
def test_files_of_boosters(tmp_path, suffix, to_path):
    X, _ = load_iris(return_X_y=True, as_frame=True)
    train = train_xgboost if suffix in (".json", ".ubj") else train_lightgbm
    objective = "multi:softprob" if train is train_xgboost else "multiclass"
    booster = train(X, y, objective=objective, num_class=3)
    path = tmp_path / f"model{suffix}"
    booster.save_model(path)
    teacher = from_booster(to_path(path), NAMES)
    np.testing.assert_array_equal(
        teacher.decision_function(X), from_booster(booster).decision_function(X)
    )
    np.testing.assert_array_equal(
        teacher.predict(X), NAMES[predict(booster, X).argmax(1)]
    )
    wanted = [name.replace(" ", "_") if train is train_lightgbm else name for name in X]
    assert list(teacher.feature_names_in_) == wanted


def test_files_that_are_no_models(tmp_path):
    for suffix in (".txt", ".json"):
        with pytest.raises(FileNotFoundError):
            from_booster(tmp_path / f"missing{suffix}")
        path = tmp_path / f"wrong{suffix}"
        path.write_text("{}")
        with pytest.raises(ValueError, match=r"expected|json"):
            from_booster(path)


@pytest.mark.parametrize(
    ("library", "file"), [("lightgbm", "model.txt"), ("xgboost", "model.json")]
)
def test_a_library_that_is_not_installed_is_named(tmp_path, monkeypatch, library, file):
    monkeypatch.setitem(sys.modules, library, None)
    path = tmp_path / file
    path.write_text("tree\n")
    with pytest.raises(ImportError, match=f"Reading {file} needs {library}"):
        from_booster(path)


@pytest.mark.parametrize("train", [train_lightgbm, train_xgboost])
@pytest.mark.parametrize("from_file", [False, True])
def test_frames_keep_their_categories(adult, tmp_path, train, from_file):
    frame, labels = adult
    objective = "binary" if train is train_lightgbm else "binary:logistic"
    booster = train(frame, (labels == ">50K").astype(int), 20, objective=objective)
    expected = widen(predict(booster, frame))
    if from_file:
        path = tmp_path / ("model" + (".txt" if train is train_lightgbm else ".ubj"))
        booster.save_model(path)
        booster = path
    teacher = from_booster(booster, ["<=50K", ">50K"])
    np.testing.assert_allclose(teacher.predict_proba(frame), expected, atol=1e-6)
    # Fewer categories have other codes, and mean the same.
    few = frame.iloc[:20].copy()
    for column in few.select_dtypes("category"):
        few[column] = few[column].cat.remove_unused_categories()
    for rows in (few, pl.from_pandas(few), pl.from_pandas(frame)[:20]):
        np.testing.assert_allclose(
            teacher.predict_proba(rows), expected[:20], atol=1e-6
        )


@pytest.mark.parametrize(("train", "parameters"), BOTH[2:], ids=name)
def test_columns_in_another_order_are_refused(train, parameters):
    frame = pd.DataFrame(X, columns=list("abcd"))
    teacher = from_booster(train(frame, y, **parameters))
    assert list(teacher.feature_names_in_) == list("abcd")
    for other in (frame[list("abdc")], frame.rename(columns={"a": "e"})):
        with pytest.raises(ValueError, match="in that order"):
            teacher.predict_proba(other)
        with pytest.raises(ValueError, match="in that order"):
            teacher.fit(other)
    np.testing.assert_array_equal(teacher.predict(X), teacher.predict(frame))
    unnamed = from_booster(train(X, y, **parameters))
    np.testing.assert_array_equal(unnamed.predict(frame), teacher.predict(frame))


@pytest.mark.parametrize(("train", "parameters"), BOTH[2:], ids=name)
@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (X[:, :3], r"shape \(150, 3\).*4 columns"),
        (X[:0], "0 sample"),
        (pd.DataFrame(X)[:0], r"shape \(0, 4\)"),
        (X[:, 0], "2D"),
        (np.full((2, 4), np.inf), "infinity"),
        ([["a"] * 4], "could not convert|dtype|numeric"),
    ],
)
def test_bad_rows_are_named(train, parameters, rows, message):
    teacher = from_booster(train(X, y, **parameters))
    with pytest.raises(ValueError, match=message):
        teacher.predict_proba(rows)


@pytest.mark.parametrize(("train", "parameters"), BOTH[2:], ids=name)
def test_missing_values_and_sparse_rows_reach_the_library(train, parameters):
    holes = np.where(np.arange(600).reshape(150, 4) % 7 == 0, np.nan, X)
    for rows in (holes, csr_matrix(X)):
        booster = train(rows, y, **parameters)
        np.testing.assert_allclose(
            from_booster(booster).predict_proba(rows), predict(booster, rows), atol=1e-6
        )


@pytest.mark.parametrize(
    ("train", "parameters", "message"),
    [
        (train_lightgbm, {"objective": "regression"}, "objective 'regression'"),
        (
            train_lightgbm,
            {"objective": "multiclassova", "num_class": 3},
            "multiclassova",
        ),
        (train_lightgbm, {"objective": "poisson"}, "poisson"),
        (train_xgboost, {"objective": "reg:squarederror"}, "reg:squarederror"),
        (train_xgboost, {"objective": "binary:hinge"}, "binary:hinge"),
        (train_xgboost, {"objective": "count:poisson"}, "count:poisson"),
    ],
)
def test_objectives_without_log_odds_are_refused(train, parameters, message):
    booster = train(X, labels(parameters), **parameters)
    with pytest.raises(TypeError, match=f"{message}.*expected one of"):
        from_booster(booster)


def test_objectives_of_the_user_are_refused():
    def objective(scores, data):
        return scores - data.get_label(), np.ones_like(scores)

    with pytest.raises(TypeError, match="objective"):
        from_booster(train_lightgbm(X, y > 0, objective=objective))
    rows = xgboost.DMatrix(X, y > 0)
    with pytest.raises(TypeError, match="objective"):
        from_booster(xgboost.train({"nthread": 1}, rows, 3, obj=objective))


def test_several_labels_at_once_are_refused():
    both = np.stack([y > 0, y > 1], axis=1).astype(int)
    booster = train_xgboost(X, both, objective="binary:logistic")
    with pytest.raises(TypeError, match="2 targets"):
        from_booster(booster)


@pytest.mark.parametrize(
    "model", [LGBMClassifier(verbose=-1), XGBClassifier(), 3, None]
)
def test_what_is_no_booster_is_refused(model):
    with pytest.raises(TypeError, match="expected a Booster"):
        from_booster(model)


@pytest.mark.parametrize(("train", "parameters"), BOTH[2:], ids=name)
@pytest.mark.parametrize("classes", [["a", "b"], ["a", "b", "b"], list("abcd"), "abc"])
def test_classes_must_fit(train, parameters, classes):
    with pytest.raises(ValueError, match="expected 3 different"):
        from_booster(train(X, y, **parameters), np.array(classes))


@given(st.permutations(range(3)))
@settings(max_examples=5)
def test_classes_are_labels_of_the_boosters_own(order):
    booster = train_lightgbm(X, y, 3, objective="multiclass", num_class=3)
    wanted = NAMES[list(order)]
    teacher = from_booster(booster, wanted)
    log_odds = classifier_log_odds(teacher, X, NAMES)
    np.testing.assert_allclose(
        softmax(log_odds)[:, list(order)], predict(booster, X), atol=1e-12
    )


@pytest.mark.parametrize("parameters", [{}, RF])
def test_early_stopping_of_lightgbm_is_that_of_the_library(parameters):
    parameters = {"objective": "multiclass", "num_class": 3, "verbose": -1} | parameters
    data = lightgbm.Dataset(X[::2], y[::2])
    booster = lightgbm.train(
        parameters,
        data,
        200,
        valid_sets=[lightgbm.Dataset(X[1::2], y[1::2], reference=data)],
        callbacks=[lightgbm.early_stopping(3, verbose=False)],
        keep_training_booster=True,
    )
    assert booster.best_iteration < booster.current_iteration()
    np.testing.assert_allclose(
        from_booster(booster).predict_proba(X), booster.predict(X), atol=1e-12
    )


def test_early_stopping_of_xgboost_is_that_of_the_library():
    rows, held_out = xgboost.DMatrix(X[::2], y[::2]), xgboost.DMatrix(X[1::2], y[1::2])
    booster = xgboost.train(
        {"objective": "multi:softprob", "num_class": 3, "nthread": 1},
        rows,
        200,
        evals=[(held_out, "test")],
        early_stopping_rounds=3,
        verbose_eval=False,
    )
    best = booster[: booster.best_iteration + 1]
    for model in (booster, best):
        np.testing.assert_allclose(
            from_booster(model).predict_proba(X), predict(model, X), atol=1e-6
        )
    assert best.num_boosted_rounds() < booster.num_boosted_rounds()


def test_wrapped_estimators_and_their_boosters_agree(adult):
    frame, labels = adult
    model = LGBMClassifier(n_estimators=20, n_jobs=1, verbose=-1).fit(frame, labels)
    teacher = from_booster(model.booster_, model.classes_)
    np.testing.assert_allclose(
        teacher.predict_proba(frame), model.predict_proba(frame), atol=1e-12
    )
    codes = (labels == ">50K").astype(int)
    model = XGBClassifier(n_estimators=20, n_jobs=1, enable_categorical=True).fit(
        frame, codes
    )
    teacher = from_booster(model.get_booster())
    np.testing.assert_allclose(
        teacher.predict_proba(frame), model.predict_proba(frame), atol=1e-6
    )


@pytest.mark.parametrize(("train", "parameters"), BOTH[2:], ids=name)
def test_clones_and_pickles(train, parameters):
    teacher = from_booster(train(X, y, **parameters), NAMES)
    assert clone(teacher) is teacher
    copy = pickle.loads(pickle.dumps(teacher))
    np.testing.assert_array_equal(copy.predict_proba(X), teacher.predict_proba(X))
    assert teacher.score(X, NAMES[y]) > 0.9


@pytest.mark.parametrize(("train", "parameters"), BOTH[2:], ids=name)
@pytest.mark.parametrize("frozen", [False, True])
def test_a_student_learns_from_it(train, parameters, frozen):
    teacher = from_booster(train(X[::2], y[::2], **parameters), NAMES)
    teacher = FrozenEstimator(teacher) if frozen else teacher
    model = DistilledClassifier(teacher, STUDENT, augmenter=None, random_state=0)
    model.fit(X[1::2], NAMES[y[1::2]], sample_weight=np.ones(75))
    assert model.teacher_ is teacher
    assert model.score(X, NAMES[y]) > 0.9
    with pytest.raises(ValueError, match=r"labels \['rose'\]"):
        model.fit(X, np.where(y == 0, "rose", NAMES[y]))
    with pytest.raises(ValueError, match=r"4 columns|4 features"):
        model.fit(X[:, :3], NAMES[y])


@pytest.mark.parametrize(("train", "parameters"), BOTH[2:], ids=name)
def test_new_rows_lie_between_its_thresholds(train, parameters):
    teacher = from_booster(train(X, y, **parameters))
    rows = SplitMidpoints().sample(X, 200, teacher=teacher, random_state=0)
    plain = SplitMidpoints().sample(X, 200, teacher=teacher.booster, random_state=0)
    np.testing.assert_array_equal(rows, plain)


@pytest.mark.parametrize(("train", "parameters"), BOTH[2:], ids=name)
def test_the_cache_knows_a_booster_by_its_trees(
    tmp_path, monkeypatch, train, parameters
):
    teacher = from_booster(train(X[::2], y[::2], **parameters), NAMES)
    asked: list = []
    cls = type(teacher)
    original = cls._log_odds
    monkeypatch.setattr(
        cls, "_log_odds", lambda self, X: asked.append(len(X)) or original(self, X)
    )
    model = DistilledClassifier(
        teacher,
        STUDENT,
        calibrate=False,
        augmenter=None,
        memory=str(tmp_path),
        random_state=0,
    )
    GridSearchCV(model, {"alpha": [0.5, 0.9]}, cv=3).fit(X[1::2], NAMES[y[1::2]])
    n_asked = len(asked)
    again = pickle.loads(pickle.dumps(model)).fit(X[1::2], NAMES[y[1::2]])
    assert len(asked) == n_asked
    other = from_booster(train(X[::2], y[::2], 5, **parameters), NAMES)
    again.set_params(teacher=other).fit(X[1::2], NAMES[y[1::2]])
    assert len(asked) > n_asked


def test_a_file_that_is_cut_off_is_refused(tmp_path):
    X, y = load_iris(return_X_y=True)
    path = tmp_path / "model.txt"
    model = LGBMClassifier(n_estimators=5, n_jobs=1, verbose=-1).fit(X, y)
    model.booster_.save_model(path)
    text = path.read_text()
    path.write_text(text[: text.index("Tree=3")])
    with pytest.raises(ValueError, match="no whole model of LightGBM"):
        from_booster(path, [0, 1, 2])
