import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

from skdistill.conversion import to_spec
from skdistill.runtime import Scorer

INFINITE = (np.inf, -np.inf)


def table(n_classes=2, *, missing=0.0, seed=0, n=800):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 5)) * [1, 100, 1e-3, 1, 1e30]
    X[:, 3] = np.round(X[:, 3], 1)
    score = X[:, 0] + X[:, 1] / 100 + np.abs(X[:, 3]) + rng.normal(size=n)
    X[rng.random(X.shape) < missing] = np.nan
    edges = np.quantile(score, np.arange(1, n_classes) / n_classes)
    return X, np.array(["a", "b", "c", "d"])[np.searchsorted(edges, score)]


def check(model, spec, Z):
    for rows in (Z, Z.astype(np.float32)):
        np.testing.assert_allclose(
            spec.probabilities(rows.astype(np.float64)),
            model.predict_proba(rows),
            rtol=0,
            atol=1e-9,
        )
    np.testing.assert_array_equal(spec.classes, model.classes_)


AVERAGING = [
    DecisionTreeClassifier(random_state=0),
    DecisionTreeClassifier(max_leaf_nodes=9, random_state=0),
    DecisionTreeClassifier(max_depth=3, splitter="random", random_state=0),
    ExtraTreeClassifier(max_depth=6, random_state=0),
    RandomForestClassifier(7, random_state=0),
    ExtraTreesClassifier(5, min_samples_leaf=4, random_state=0),
]


@pytest.mark.parametrize("model", AVERAGING, ids=str)
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_trees_that_average_probabilities(model, n_classes, missing, probe):
    X, y = table(n_classes, missing=missing)
    model.fit(X, y)
    spec = to_spec(model)
    assert spec.averages
    check(model, spec, probe(spec, X, specials=(np.nan, -0.0)))


def test_booleans_are_categories_of_histograms(rng):
    frame = pd.DataFrame({"flag": rng.random(400) < 0.5, "x": rng.normal(size=400)})
    y = frame["flag"] ^ (rng.random(400) < 0.1)
    model = HistGradientBoostingClassifier(max_iter=5, categorical_features=["flag"])
    proba = model.fit(frame, y).predict_proba(frame)
    assert np.ptp(proba[:, 1]) > 0.3
    for rows in (frame, frame.iloc[:3], frame.assign(flag=frame["flag"].astype(str))):
        scored = Scorer(to_spec(model)).predict_proba(rows)
        np.testing.assert_allclose(scored, proba[: len(rows)], atol=1e-9)


@pytest.mark.parametrize("values", [[False, True], [False], [True], [0.0, 1.0]])
@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_boolean_categories_of_histograms(values, missing, rng):
    cells = pd.Series(rng.choice(values, 400), dtype=object)
    x = rng.normal(size=400)
    y = (cells == values[-1]) & (rng.random(400) < 0.9)
    cells[rng.random(400) < missing] = None
    y[:9] = ~y[:9]
    frame = pd.DataFrame({"flag": pd.Categorical(cells, values), "x": x})
    model = HistGradientBoostingClassifier(
        max_iter=5, categorical_features="from_dtype"
    )
    proba = model.fit(frame, y).predict_proba(frame)
    scorer = Scorer(to_spec(model))
    for rows, expected in (
        (frame, proba),
        (frame.to_dict("records"), proba),
        (frame.astype({"flag": object}), proba),
        (frame.assign(flag="other"), model.predict_proba(frame.assign(flag=np.nan))),
    ):
        np.testing.assert_allclose(scorer.predict_proba(rows), expected, atol=1e-9)


def test_a_tree_of_one_leaf():
    X, y = table()
    model = DecisionTreeClassifier(max_depth=1, min_samples_leaf=500).fit(X, y)
    check(model, to_spec(model), X)


@pytest.mark.parametrize("init", [None, "zero"])
@pytest.mark.parametrize(
    ("n_classes", "loss"), [(2, "log_loss"), (2, "exponential"), (4, "log_loss")]
)
def test_gradient_boosting(init, n_classes, loss, probe):
    X, y = table(n_classes)
    y[:200] = "a"
    model = GradientBoostingClassifier(n_estimators=9, loss=loss, init=init).fit(X, y)
    spec = to_spec(model)
    rows = probe(spec, X)
    check(model, spec, rows)
    margins, scale = model.decision_function(rows), 2 if loss == "exponential" else 1
    found = spec.log_odds(rows)[:, 1 if n_classes == 2 else slice(None)]
    np.testing.assert_allclose(found, scale * margins, rtol=0, atol=1e-9)


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_histogram_gradient_boosting(n_classes, missing, probe):
    X, y = table(n_classes, missing=missing)
    model = HistGradientBoostingClassifier(max_iter=9, random_state=0).fit(X, y)
    spec = to_spec(model)
    rows = probe(spec, X, specials=(np.nan, *INFINITE, -0.0))
    check(model, spec, rows)
    margins = model.decision_function(rows)
    found = spec.log_odds(rows)[:, 1 if n_classes == 2 else slice(None)]
    np.testing.assert_allclose(found, margins, rtol=0, atol=1e-9)


@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_integer_categories_of_an_array_are_their_own_codes(missing, probe):
    X, y = table(missing=missing)
    rng = np.random.default_rng(1)
    X[:, 4] = rng.choice([2, 3, 5, 11, 90], len(X))
    X[:, 1] = rng.choice([0, 1, 2], len(X))
    X[rng.random(X.shape) < missing] = np.nan
    y = np.where(np.isin(X[:, 4], [3, 90]) ^ (X[:, 1] == 1), "a", y)
    model = HistGradientBoostingClassifier(
        max_iter=9, categorical_features=[1, 4], min_samples_leaf=5
    ).fit(X, y)
    spec = to_spec(model)
    assert [len(column.levels or ()) for column in spec.columns] == [0, 3, 0, 0, 91]
    check(model, spec, probe(spec, X, specials=(np.nan,), codes=(np.nan, -1, -2, 500)))


@pytest.mark.parametrize("numbers", [[-1, 0, 1], [5000, 6000], [1.5, 2.0]])
def test_categories_of_an_array_that_are_no_codes_are_refused(numbers):
    X, y = table()
    X[:, 1] = np.resize(numbers, len(X))
    model = HistGradientBoostingClassifier(max_iter=2, categorical_features=[1])
    with pytest.raises(TypeError, match="of column 1 of an array, but expected whole"):
        to_spec(model.fit(X, y))
    frame = pd.DataFrame(X).add_prefix("x")
    spec = to_spec(model.fit(frame, y))
    np.testing.assert_allclose(
        Scorer(spec).predict_proba(frame), model.predict_proba(frame), atol=1e-9
    )


@pytest.mark.parametrize("missing", [0, 50])
def test_categories_of_a_frame_have_their_names(missing):
    X, y = table(missing=0.05)
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(X, columns=list("vwxyz"))
    frame["w"] = pd.Categorical(rng.choice(["p", "q", "a long name"], len(X)))
    frame.loc[:missing, "w"] = None
    frame["y"] = pd.Categorical(rng.choice(["10.5", "x", "0"], len(X)))
    y = np.where((frame.w == "q") ^ (frame.y == "x"), "a", y)
    model = HistGradientBoostingClassifier(max_iter=9, min_samples_leaf=5).fit(frame, y)
    spec = to_spec(model)
    assert [column.name for column in spec.columns] == list("vwxyz")
    assert spec.columns[1].levels == ("a long name", "p", "q")
    rows = frame.copy()
    rows["w"] = (
        rows["w"].cat.add_categories("new").where(np.arange(len(X)) % 7 > 0, "new")
    )
    values = rows.copy()
    for name, column in zip(rows, spec.columns, strict=True):
        if not column.is_numeric:
            position = {level: i for i, level in enumerate(column.levels)}
            values[name] = [
                -1 if pd.isna(v) else position.get(v, -2) for v in rows[name]
            ]
    np.testing.assert_allclose(
        spec.probabilities(values.to_numpy(float)), model.predict_proba(rows), atol=1e-9
    )


def test_forests_know_the_names_of_a_frame():
    X, y = table(n=100)
    model = RandomForestClassifier(2).fit(pd.DataFrame(X, columns=list("vwxyz")), y)
    assert [column.name for column in to_spec(model).columns] == list("vwxyz")


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (GradientBoostingClassifier(init=LogisticRegression()), "init=LogisticReg"),
        (LogisticRegression(), "Got sklearn.LogisticRegression, but expected a stud"),
    ],
)
def test_what_is_no_sum_of_trees_is_refused(model, message):
    X, y = table(n=100)
    with pytest.raises(TypeError, match=message):
        to_spec(model.fit(X / [1, 1, 1, 1, 1e30], y))


def test_several_outputs_are_refused():
    X, y = table(n=100)
    model = RandomForestClassifier(2).fit(X, np.stack([y, y], axis=1))
    with pytest.raises(TypeError, match="of 2 outputs"):
        to_spec(model)


@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeClassifier(),
        RandomForestClassifier(),
        GradientBoostingClassifier(),
        HistGradientBoostingClassifier(),
    ],
    ids=str,
)
def test_an_unfitted_model_says_so(model):
    with pytest.raises(ValueError, match="not fitted"):
        to_spec(model)


@pytest.mark.parametrize("thing", [None, 3, "model", RandomForestClassifier, object()])
def test_what_is_no_model_is_refused(thing):
    with pytest.raises(TypeError, match="but expected a student or one of"):
        to_spec(thing)
