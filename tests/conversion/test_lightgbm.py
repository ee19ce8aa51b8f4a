import lightgbm
import numpy as np
import pandas as pd
import pytest

from skdistill.conversion import to_spec

SPECIALS = (np.nan, -0.0, 1e-35, -1e-35, 1.1e-35, -1.1e-35, 5e-324, np.inf, -np.inf)
CODES = (np.nan, -1.0, -2.0, -7.5, 0.5, 2.9, 100.0, 1e6)
QUIET = {"verbose": -1, "num_threads": 1, "min_data_in_leaf": 3, "seed": 0}


def table(n_classes=2, *, missing=0.0, zeros=0.0, seed=0, n=1200):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 5)) * [1, 100, 1e-3, 1, 1]
    X[:, 3] = np.round(X[:, 3], 1)
    score = X[:, 0] + X[:, 1] / 100 + np.abs(X[:, 3]) + rng.normal(size=n)
    X[rng.random(X.shape) < zeros] = 0
    X[rng.random(X.shape) < missing] = np.nan
    edges = np.quantile(score, np.arange(1, n_classes) / n_classes)
    return X, np.searchsorted(edges, score)


def train(X, y, rounds=12, categorical="auto", **parameters):
    n_classes = int(np.max(y)) + 1
    objective = {"objective": "binary"}
    if n_classes > 2:
        objective = {"objective": "multiclass", "num_class": n_classes}
    return lightgbm.train(
        {**QUIET, **objective, **parameters},
        lightgbm.Dataset(X, y, categorical_feature=categorical),
        rounds,
    )


def check(booster, spec, Z):
    for rows in (Z, Z.astype(np.float32)):
        expected = booster.predict(rows)
        found = spec.probabilities(rows.astype(np.float64))
        if expected.ndim == 1:
            expected = np.stack([1 - expected, expected], axis=1)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


MISSING = {
    "none": {"missing": 0.0},
    "none, refused": {"missing": 0.1, "use_missing": False},
    "nan": {"missing": 0.1},
    "zero": {"missing": 0.1, "zeros": 0.3, "zero_as_missing": True},
    "zero, no nan": {"zeros": 0.3, "zero_as_missing": True},
}


@pytest.mark.parametrize("name", MISSING)
@pytest.mark.parametrize("n_classes", [2, 4])
def test_rows_are_routed_as_lightgbm_routes_them(name, n_classes, probe):
    options = dict(MISSING[name])
    made = {key: options.pop(key, 0.0) for key in ("missing", "zeros")}
    X, y = table(n_classes, **made)
    booster = train(X, y, **options)
    spec = to_spec(booster)
    check(booster, spec, probe(spec, X, specials=SPECIALS))
    np.testing.assert_array_equal(spec.classes, np.arange(n_classes))


def test_zeros_on_both_sides_of_every_threshold(probe):
    # Thresholds next to the range of numbers that count as zero, and in it.
    X, y = table(zeros=0.4)
    for scale in (1e-34, 1e-35, 3e-36):
        shrunk = X * scale
        booster = train(
            shrunk, y, zero_as_missing=True, min_data_in_bin=1, num_leaves=63
        )
        spec = to_spec(booster)
        check(booster, spec, probe(spec, shrunk, specials=SPECIALS))


@pytest.mark.parametrize("to_left", [False, True])
@pytest.mark.parametrize(
    "threshold",
    [-3.0, -1e-35, -5e-36, 0.0, 5e-36, float(np.float32(1e-35)), 2e-35, 3.0],
)
def test_a_node_that_takes_zero_for_missing(threshold, to_left, probe):
    X, y = table(zeros=0.3, n=300)
    text = train(X, y, 1, zero_as_missing=True, num_leaves=2).model_to_string()
    lines = text.split("\n")
    for i, line in enumerate(lines):
        if line.startswith("threshold="):
            lines[i] = f"threshold={threshold!r}"
        if line.startswith("decision_type="):
            assert int(line.partition("=")[2]) & 12 == 4
            lines[i] = f"decision_type={4 + 2 * to_left}"
        if line.startswith("tree_sizes="):
            lines[i] = ""
    booster = lightgbm.Booster(model_str="\n".join(lines))
    spec = to_spec(booster)
    check(booster, spec, probe(spec, X, specials=(*SPECIALS, 9e-36, -9e-36, -4.0)))


def test_integer_categories(probe):
    X, y = table(3, missing=0.05)
    rng = np.random.default_rng(1)
    X[:, 4] = rng.integers(0, 70, len(X)) * 2
    X[:, 2] = rng.integers(0, 3, len(X))
    y = np.where(np.isin(X[:, 4] // 2, [3, 40, 41, 66]), 2, y)
    booster = train(X, y, categorical=[2, 4], cat_smooth=1, min_data_per_group=2)
    spec = to_spec(booster)
    assert (spec.predictor.sets >= 0).sum() > 20
    assert [len(column.levels or ()) for column in spec.columns] == [0, 0, 3, 0, 139]
    check(booster, spec, probe(spec, X, specials=SPECIALS, codes=CODES))


def test_pandas_categories_have_their_names():
    X, y = table(missing=0.05)
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(X, columns=[f"c{j}" for j in range(5)])
    frame["c1"] = pd.Categorical(rng.choice(["y", "x", "long name"], len(X)))
    frame["c3"] = pd.Categorical(rng.choice([30, 10, 20, None], len(X)))
    y = np.where((frame.c1 == "y") ^ (frame.c3 == 20), 1, y)
    model = lightgbm.LGBMClassifier(
        n_estimators=10, min_child_samples=3, cat_smooth=1, verbose=-1
    ).fit(frame, np.where(y, "yes", "no"))
    spec = to_spec(model)
    assert spec.columns[1].levels == ("long name", "x", "y")
    assert spec.columns[3].levels == ("10", "20", "30")
    assert list(spec.classes) == ["no", "yes"]
    rows = frame[:300].copy()
    rows["c1"] = (
        rows["c1"].cat.add_categories("new").where(np.arange(300) % 5 > 0, "new")
    )
    values = rows.copy()
    for name, column in zip(rows, spec.columns, strict=True):
        if not column.is_numeric:
            position = {level: i for i, level in enumerate(column.levels)}
            text = [v if isinstance(v, str) else f"{v:g}" for v in rows[name]]
            values[name] = [-1 if t == "nan" else position.get(t, -2) for t in text]
    np.testing.assert_allclose(
        spec.probabilities(values.to_numpy(float)), model.predict_proba(rows), atol=1e-9
    )


def test_categories_that_cannot_be_told_apart_are_refused():
    X, y = table(n=300)
    frame = pd.DataFrame(X).add_prefix("c")
    frame["c1"] = pd.Categorical(np.arange(300) % 3, ordered=True)
    with pytest.raises(TypeError, match="cannot be told which is which"):
        to_spec(train(frame, y))
    frame["c1"] = pd.Categorical(np.arange(300) % 3)
    booster = train(frame, y)
    booster.pandas_categorical = [[1, "1", 2]]
    with pytest.raises(TypeError, match="several have the same text"):
        to_spec(booster)


@pytest.mark.parametrize("codes", [6, 3])
def test_numbers_called_categories_beside_categories_are_refused(codes):
    X, y = table(n=300)
    frame = pd.DataFrame(X).add_prefix("c")
    frame["c1"] = pd.Categorical(np.arange(300) % 3)
    frame["c2"] = np.arange(300) // 3 % codes
    if codes == 3:
        # Now the list of categories is that of another column, which is a number.
        frame["c2"] = frame["c2"] * 5
    model = lightgbm.LGBMClassifier(n_estimators=3, verbose=-1)
    model.fit(frame, y, categorical_feature=["c2"])
    with pytest.raises(TypeError, match="cannot be told which is which"):
        to_spec(model)


def test_categories_of_too_large_numbers_are_refused():
    X, y = table(n=300)
    X[:, 1] = np.arange(300) % 4 * 50_000
    with pytest.raises(TypeError, match="up to 150000 in column 'Column_1'"):
        to_spec(train(X, y, categorical=[1]))


def test_regressors_of_probabilities_are_refused():
    X, y = table(n=300)
    for objective in ("cross_entropy", "binary"):
        model = lightgbm.LGBMRegressor(
            objective=objective, n_estimators=3, verbose=-1
        ).fit(X, y)
        with pytest.raises(TypeError, match=f"objective '{objective}', whose scores"):
            to_spec(model)


@pytest.mark.parametrize(
    "parameters",
    [
        {"sigmoid": 2.5},
        {"sigmoid": 0.3, "boost_from_average": False},
        {"is_unbalance": True},
        {"objective": "cross_entropy"},
        {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.6},
        {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.6, "sigmoid": 2},
        {"boosting": "dart", "drop_rate": 0.5},
        {"extra_trees": True},
        {"num_leaves": 400, "min_data_in_leaf": 1},
        {"min_gain_to_split": 1e9},
        {"monotone_constraints": [1, 0, 0, 0, 0]},
    ],
)
def test_binary_models(parameters, probe):
    X, y = table(missing=0.05)
    y = y & (X[:, 1] > 50)
    booster = train(X, y, **parameters)
    spec = to_spec(booster)
    check(booster, spec, probe(spec, X, specials=SPECIALS))


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.6},
        {"boost_from_average": False},
        {"min_gain_to_split": 1e9},
    ],
)
def test_multiclass_models(parameters, probe):
    X, y = table(5, missing=0.05)
    booster = train(X, y, **parameters)
    spec = to_spec(booster)
    check(booster, spec, probe(spec, X, specials=SPECIALS))


def test_the_best_iteration_is_meant(probe):
    X, y = table()
    valid = lightgbm.Dataset(X[::2], 1 - y[::2])
    data = lightgbm.Dataset(X, y)
    booster = lightgbm.train(
        {**QUIET, "objective": "binary", "first_metric_only": True},
        data,
        30,
        valid_sets=[valid],
        callbacks=[lightgbm.early_stopping(5, verbose=False)],
    )
    assert booster.best_iteration == 1
    spec = to_spec(booster)
    assert len(spec.predictor.roots) == 1
    check(booster, spec, probe(spec, X))


def test_raw_scores_are_the_log_odds():
    X, y = table()
    booster = train(X, y)
    raw = booster.predict(X, raw_score=True)
    log_odds = to_spec(booster).log_odds(X)
    np.testing.assert_array_equal(log_odds[:, 0], 0)
    np.testing.assert_allclose(log_odds[:, 1], raw, rtol=0, atol=1e-12)


def test_names_are_those_of_the_model():
    X, y = table(n=300)
    frame = pd.DataFrame(X, columns=["a b", "c", "d", "e", "f"])
    spec = to_spec(train(frame, y))
    assert [column.name for column in spec.columns] == ["a_b", "c", "d", "e", "f"]
    assert [column.name for column in to_spec(train(X, y)).columns][:1] == ["Column_0"]


@pytest.mark.parametrize("end", ["\u2028", "\x85", "\x0b", "\x1c"])
def test_what_ends_lines_elsewhere_may_be_in_a_name(end):
    X, y = table(n=300)
    frame = pd.DataFrame(X, columns=[f"a{end}b", "c", "d", "e", "f"])
    booster = train(frame, y)
    spec = to_spec(booster)
    assert spec.columns[0].name == booster.feature_name()[0]
    check(booster, spec, X)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"linear_tree": True}, "linear_tree=True"),
        ({"objective": "multiclassova", "num_class": 3}, "objective 'multiclassova'"),
        ({"objective": "regression", "reg_sqrt": True}, "objective 'regression sqrt'"),
        ({"objective": lambda p, d: (p, np.ones_like(p))}, "objective"),
    ],
)
def test_what_trees_cannot_express_is_refused(parameters, message):
    X, y = table(n=300)
    with pytest.raises(TypeError, match=message):
        to_spec(train(X, y, 2, **parameters))


def test_a_saved_model_is_the_same_model(tmp_path):
    X, y = table()
    booster = train(X, y)
    booster.save_model(tmp_path / "model.txt")
    loaded = lightgbm.Booster(model_file=tmp_path / "model.txt")
    first, second = to_spec(booster).predictor, to_spec(loaded).predictor
    for name in ("thresholds", "leaves", "children"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))


def test_an_unfitted_model_says_so():
    with pytest.raises(ValueError, match="fit"):
        to_spec(lightgbm.LGBMClassifier())
