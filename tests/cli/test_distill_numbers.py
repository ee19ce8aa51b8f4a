"""``skdistill distill --regression``; what it shares with classes is in the other."""

import json
from decimal import Decimal
from functools import partial

import joblib
import lightgbm
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_friedman1
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import RandomForestRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import (
    mean_absolute_error,
    r2_score,
    root_mean_squared_error,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from skdistill import RegressionTargets
from skdistill._default_teacher import default_regressor
from skdistill.cli import _numbers, main
from skdistill.export import ParityCertificate
from skdistill.inspection import (
    error_retention,
    mean_absolute_difference,
    prediction_r2,
)
from skdistill.losses import PoissonLoss
from skdistill.runtime import load, read_header
from skdistill.students import MLPStudentRegressor

COLUMNS = ["a", "b", "c", "d", "e"]


@pytest.fixture(scope="module")
def table():
    """Numbers and a category with missing values, an id and weights."""
    X, y = make_friedman1(600, n_features=5, noise=1.0, random_state=0)
    frame = pd.DataFrame(X, columns=COLUMNS)
    rng = np.random.default_rng(0)
    kinds = np.array(["low", "middle", "high", None], dtype=object)
    kind = rng.integers(0, 4, 600)
    frame["kind"] = kinds[kind]
    frame.loc[rng.random(600) < 0.1, "a"] = np.nan
    return frame.assign(price=y + 3 * kind, id=range(600), w=1.0 + np.arange(600) % 3)


@pytest.fixture
def folder(table, tmp_path, monkeypatch):
    """The working directory, with rows.parquet; the default teacher is small."""
    monkeypatch.chdir(tmp_path)
    default = partial(default_regressor, n_estimators=30)
    monkeypatch.setattr("skdistill.cli._numbers.default_regressor", default)
    table.to_parquet("rows.parquet")
    return tmp_path


@pytest.fixture
def numbers(folder, table):
    """A table of numbers without missing ones, for teachers that take no others."""
    frame = table[[*COLUMNS, "price"]].fillna({"a": 0.5})
    frame.to_parquet("numbers.parquet")
    return frame


PRICES = ["--data", "rows.parquet", "--target", "price", "--drop", "id", "--drop", "w"]
SIMPLE = ["--data", "numbers.parquet", "--target", "price", "--out", "s.skd"]


NAMES = {"mlp": "MLP", "tree": "Tree", "boosted": "Boosted"}


def distill(*arguments):
    line = ["distill", "--student", "boosted", "--cv", "2", "--quiet", *arguments]
    return main([str(argument) for argument in line])


def result(capsys):
    output, error = capsys.readouterr()
    assert error == ""
    return json.loads(output)


@pytest.mark.parametrize("suffix", ["skd", "onnx", "c"])
@pytest.mark.parametrize("student", ["tree", "boosted"])
def test_a_student_of_every_format(suffix, student, folder, capsys):
    out = f"student.{suffix}"
    arguments = [*PRICES, "--student", student, "--out", out, "--json"]
    assert distill("--regression", *arguments) == 0
    found = result(capsys)
    assert (found["task"], found["classes"]) == ("regression", None)
    assert found["bytes"] == (folder / out).stat().st_size
    assert (found["rows_train"], found["rows_test"], found["columns"]) == (450, 150, 6)
    teacher, student = found["quality"]
    exact = (1, 0, pytest.approx(1))
    names = ("prediction_r2", "mean_absolute_difference", "skill_retention")
    assert tuple(teacher[name] for name in names) == exact
    assert 0 < student["r2"] < 1
    assert student["mean_absolute_difference"] > 0
    certificate = ParityCertificate.from_dict(found["certificate"])
    assert certificate.largest <= 1e-5
    assert sorted(path.name for path in folder.iterdir()) == ["rows.parquet", out]
    if suffix == "skd":
        assert read_header(out)["certificate"] == found["certificate"]


@pytest.mark.parametrize("student", ["mlp", "tree", "boosted"])
def test_every_student_and_what_is_said(student, folder, capsys, monkeypatch):
    quick = partial(MLPStudentRegressor, n_steps=50)
    monkeypatch.setitem(_numbers.STUDENTS, "mlp", quick)
    arguments = ["distill", "--regression", *PRICES, "--student", student]
    arguments += ["--alpha", "0.5", "--out", "s.skd", "--cv", "2", "--seed", "3"]
    assert main(arguments) == 0
    output, progress = capsys.readouterr()
    first, _, headings, _, teacher, student_line, _, last = output.splitlines()
    name = f"{NAMES[student]}StudentRegressor"
    assert first.startswith(f"LGBMRegressor -> {name}; ")
    assert teacher.startswith("LGBMRegressor  ")
    assert student_line.startswith(name)
    assert "450 rows to learn from, 150 held out, 6 columns, target from " in first
    for heading in (
        "R2",
        "MAE",
        "RMSE",
        "R2 to teacher",
        "MAE to teacher",
        "skill kept",
    ):
        assert heading in headings
    assert "predictions differ by at most" in last
    assert "label" not in last
    assert "fitting LGBMRegressor: 3/3 fits" in progress
    spec = load("s.skd").spec
    assert spec.is_regressor
    if student == "tree":
        assert (len(spec.predictor.roots), len(spec.predictor.leaves)) == (1, 64)
    if student == "boosted":
        assert len(spec.predictor.roots) == 30


def test_the_table_says_what_the_metrics_say(folder, table, capsys):
    table.iloc[:450].to_parquet("train.parquet")
    test = table.iloc[450:]
    test.to_parquet("test.parquet")
    arguments = ["--data", "train.parquet", "--test", "test.parquet", "--weights", "w"]
    arguments += ["--target", "price", "--drop", "id", "--out", "s.skd", "--json"]
    assert distill("--regression", *arguments, "--save-model", "m.joblib") == 0
    found = result(capsys)
    assert (found["rows_train"], found["rows_test"], found["columns"]) == (450, 150, 6)
    model = joblib.load("m.joblib")
    X = test[[*COLUMNS, "kind"]].astype({"kind": "category"})
    y, w = test["price"].to_numpy(), {"sample_weight": test["w"].to_numpy()}
    teacher = model.teacher_.predict(X)
    for quality, scores in zip(
        found["quality"], (teacher, load("s.skd").predict(X)), strict=True
    ):
        quality.pop("model")
        expected = {
            "r2": r2_score(y, scores, **w),
            "mae": mean_absolute_error(y, scores, **w),
            "rmse": root_mean_squared_error(y, scores, **w),
            "prediction_r2": prediction_r2(teacher, scores, **w),
            "mean_absolute_difference": mean_absolute_difference(teacher, scores, **w),
            "skill_retention": error_retention(y, teacher, scores, **w),
        }
        assert quality == pytest.approx(expected, abs=1e-9)


def test_rows_without_a_number_are_labelled_by_the_teacher(folder, table, capsys):
    table.assign(price=table["price"].where(table["id"] < 500)).to_csv(
        "rows.csv", index=False
    )
    arguments = ["--data", "rows.csv", "--target", "price", "--drop", "id"]
    assert distill("--regression", *arguments, "--out", "s.skd", "--json") == 0
    found = result(capsys)
    assert found["rows_unlabeled"] == 100
    assert found["rows_train"] + found["rows_test"] == 500


def test_nothing_held_out(folder, capsys):
    arguments = [*PRICES, "--out", "s.skd", "--test-fraction", "0"]
    assert distill("--regression", *arguments, "--json") == 0
    found = result(capsys)
    assert (found["rows_train"], found["rows_test"], found["quality"]) == (600, 0, [])


def test_same_seed_same_bytes(folder):
    for name, seed in [("a.skd", 1), ("b.skd", 1), ("c.skd", 2)]:
        assert distill("--regression", *PRICES, "--out", name, "--seed", seed) == 0
    a, b, c = ((folder / name).read_bytes() for name in ("a.skd", "b.skd", "c.skd"))
    assert a == b != c


@pytest.mark.parametrize("student", ["tree", "boosted"])
def test_any_names_of_columns_and_levels(student, folder, table):
    """LightGBM takes no `[` and turns blanks into `_`, its own trees get no names."""
    names = {"a": "length of a", "b": "b [cm]", "kind": 'the "kind"'}
    table = table.drop(columns=["id", "w"]).rename(columns=names)
    table.to_parquet("rows.parquet")
    X = table.drop(columns="price").astype({'the "kind"': "category"})
    teacher = RandomForestRegressor(5, random_state=0)
    teacher = make_pipeline(make_column_transformer(("passthrough", ["c"])), teacher)
    joblib.dump(teacher.fit(X, table["price"]), "t.joblib")
    arguments = ["--teacher", "t.joblib", "--trust", "--data", "rows.parquet"]
    arguments += ["--target", "price", "--out", "s.skd", "--student", student]
    assert distill(*arguments, "--save-model", "m.joblib") == 0
    assert main(["score", "s.skd", "rows.parquet", "--out", "scores.parquet"]) == 0
    scores = pd.read_parquet("scores.parquet")["prediction"]
    model = joblib.load("m.joblib")
    np.testing.assert_array_equal(scores, model.predict(X))
    student = model.student_
    trees = student.tree_ if hasattr(student, "tree_") else student.booster_
    expected = trees.predict(student.encoder_.transform(X))
    np.testing.assert_allclose(scores, expected, rtol=1e-12)


@pytest.mark.parametrize("student", ["tree", "boosted"])
def test_weight_2_is_a_row_twice(student, table):
    """And alpha is the share of the teacher in rows with a number."""
    X = table[[*COLUMNS, "kind"]].astype({"kind": "category"})
    y = table["price"].where(table["id"] < 400).to_numpy()
    weights = np.where(table["id"] % 3 == 0, 2.0, 1.0)
    targets = RegressionTargets(table["price"] + table["c"], y, alpha=0.25)
    student = _numbers.STUDENTS[student](random_state=0).fit(X, targets, weights)
    again = np.repeat(np.arange(600), weights.astype(int))
    shares = np.where(np.isnan(y), 0.25, 1.0)[again]
    mixed = RegressionTargets(targets.mixture()[again])
    other = clone(student).fit(X.iloc[again], mixed, shares)
    if NAMES["tree"] in type(student).__name__:
        np.testing.assert_allclose(student.predict(X), other.predict(X), rtol=1e-9)
    else:  # bins and leaves of LightGBM count rows, not weights
        assert r2_score(other.predict(X), student.predict(X)) > 0.95


@pytest.mark.parametrize("student", ["tree", "boosted"])
def test_trees_minimise_squared_error_alone(student, table):
    targets = RegressionTargets(table["price"], loss=PoissonLoss())
    with pytest.raises(TypeError, match="expected SquaredLoss"):
        _numbers.STUDENTS[student]().fit(table[COLUMNS], targets)


@pytest.mark.parametrize("kind", ["int32", "bool", "decimal"])
def test_numbers_of_every_type(kind, numbers, capsys):
    y = numbers["price"]
    values = {
        "int32": y.astype("int32"),
        "bool": y > 15,
        "decimal": [Decimal(f"{value:.2f}") for value in y],
    }[kind]
    numbers.assign(price=values).to_parquet("numbers.parquet")
    everything = ["--test-fraction", "0", "--json"]
    assert distill("--regression", *SIMPLE, *everything) == 0
    smallest = float(values[y.argmin()])
    assert result(capsys)["target"]["smallest"] == smallest


def test_a_teacher_without_skill_has_none_to_keep(numbers, capsys):
    joblib.dump(DummyRegressor(), "t.joblib")
    arguments = ["--teacher", "t.joblib", "--trust", "--refit", *SIMPLE]
    assert distill(*arguments, "--json") == 0
    for quality in result(capsys)["quality"]:
        assert quality["skill_retention"] is None
        assert quality["prediction_r2"] is None


@pytest.mark.parametrize("wrap", [None, "pipeline", "frozen", "both"])
def test_a_pickled_regressor_is_known_by_itself(wrap, numbers, capsys):
    teacher = RandomForestRegressor(20, random_state=0)
    if wrap in ("pipeline", "both"):
        teacher = make_pipeline(StandardScaler(), teacher)
    X, y = numbers[COLUMNS], numbers["price"]
    teacher.fit(X.iloc[:300], y[:300])
    joblib.dump(
        FrozenEstimator(teacher) if wrap in ("frozen", "both") else teacher, "t.joblib"
    )
    # In another order.
    numbers.iloc[300:, ::-1].to_parquet("numbers.parquet")
    arguments = ["--teacher", "t.joblib", "--trust", "--json", *SIMPLE]
    assert distill(*arguments, "--save-model", "m.joblib") == 0
    found = result(capsys)
    assert (found["task"], found["teacher"]) == (
        "regression",
        "RandomForestRegressor",
    )
    assert found["quality"][1]["prediction_r2"] > 0.7
    assert [column.name for column in load("s.skd").spec.columns] == COLUMNS
    model = joblib.load("m.joblib")
    np.testing.assert_array_equal(model.teacher_.predict(X), teacher.predict(X))
    # As a recipe it is fitted anew, frozen or not.
    assert distill(*arguments, "--refit", "--save-model", "m.joblib") == 0
    model = joblib.load("m.joblib")
    again = model.teacher_.predict(X.iloc[:, ::-1])
    assert (again != teacher.predict(X)).any()


def test_a_teacher_of_one_column_of_numbers(numbers, capsys):
    teacher = LinearRegression().fit(numbers[COLUMNS], numbers[["price"]])
    joblib.dump(teacher, "t.joblib")
    arguments = ["--teacher", "t.joblib", "--trust", "--regression", "--json"]
    assert distill(*arguments, *SIMPLE) == 0
    assert result(capsys)["quality"][0]["prediction_r2"] == 1


def test_a_teacher_that_knows_its_rows_by_heart_is_warned_of(numbers, run):
    teacher = DecisionTreeRegressor(random_state=0)
    joblib.dump(teacher.fit(numbers[COLUMNS], numbers["price"]), "t.joblib")
    arguments = ["--teacher", "t.joblib", "--trust", "--student", "tree", "--quiet"]
    done = run("distill", *arguments, *SIMPLE)
    assert done.returncode == 0
    assert "DecisionTreeRegressor -> TreeStudentRegressor; 450 rows" in done.stdout
    (line,) = done.stderr.splitlines()
    assert line.startswith("skdistill: warning: The frozen teacher seems to have been")


def test_a_report_beside_the_student(folder, capsys):
    """It counts the weights, as the table does."""
    pages = {}
    for weights in (["--weights", "w"], ["--drop", "w"]):
        arguments = ["--data", "rows.parquet", "--target", "price", "--drop", "id"]
        arguments += ["--out", "s.skd", "--report", "r.html", "--json", *weights]
        assert distill("--regression", *arguments) == 0
        errors = [f"{quality['rmse']:.4f}" for quality in result(capsys)["quality"]]
        pages["/".join(errors)] = (folder / "r.html").read_text()
    assert len(pages) == 2
    for errors, page in pages.items():
        row = page.partition("root mean squared error</th>")[2].partition("</tr>")[0]
        assert all(f">{error} (" in row for error in errors.split("/"))


BAD = [
    ("--regression --temperature 2", 2, "Got --temperature for a target of numbers"),
    ("--regression --classes a,b", 2, "--classes are those of a --teacher"),
    ("--regression --teacher t.txt", 2, "expected a pickled regressor"),
    ("--regression --teacher no.txt", 2, "expected a pickled regressor"),
    ("--regression --teacher c.joblib --trust", 2, "which holds a LogisticRegression"),
    ("--regression --teacher r.joblib", 2, "run whatever code"),
    ("--regression --teacher u.joblib --trust", 1, "add --refit"),
    ("--teacher r.joblib --trust --classes a,b", 2, "--classes for a target"),
    ("--teacher r.joblib --trust --temperature 2", 2, "--temperature for a target"),
    ("--teacher r.joblib --trust --drop b", 1, "teacher's columns ['b']"),
    ("--teacher r.joblib --trust --target text", 1, "Got the target 'text' of type"),
    ("--teacher two.joblib --trust", 1, "of shape (75, 2)"),
    ("--teacher c.joblib --trust --classes a,b", 2, "which knows its own"),
    ("--teacher t.txt --target days", 1, "as a pickled estimator"),
    ("", 1, "such as 1.5, but expected class labels: add --regression"),
    ("--target days", 1, "or add --regression if the target is a number"),
    ("--regression --target text", 1, "with values such as 'x', but expected numbers"),
    ("--regression --target when", 1, "of type datetime64"),
    ("--regression --target infinite", 1, "with infinite values"),
    ("--target infinite", 1, "such as inf, but expected class labels"),
    ("--regression --target nothing", 1, "Got the target 'nothing'"),
    ("--regression --alpha 2", 2, "Got --alpha 2.0"),
    ("--regression --cv 1", 2, "Got --cv 1"),
    ("--regression --test no.csv", 1, "No such file"),
]


@pytest.fixture(scope="module")
def bad_files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad")
    X = pd.DataFrame({"a": np.arange(100.0), "b": np.arange(100.0) % 7})
    X.assign(
        y=X["a"] + 1.5,
        days=np.arange(100),
        text=["x", "y"] * 50,
        when=pd.Timestamp("2020-01-01"),
        infinite=np.where(X["a"] > 90, np.inf, 1.0),
    ).to_parquet(folder / "rows.parquet")
    teacher = LinearRegression().fit(X, X["a"])
    joblib.dump(teacher, folder / "r.joblib")
    joblib.dump(LinearRegression(), folder / "u.joblib")
    joblib.dump(LinearRegression().fit(X, X), folder / "two.joblib")
    joblib.dump(LogisticRegression().fit(X, X["b"] > 3), folder / "c.joblib")
    settings = {"n_estimators": 5, "verbose": -1, "n_jobs": 1}
    booster = lightgbm.LGBMRegressor(**settings).fit(X, X["a"]).booster_
    booster.save_model(folder / "t.txt")
    return folder


@pytest.mark.parametrize(("line", "code", "message"), BAD)
def test_mistakes_are_told_in_a_line(line, code, message, bad_files, monkeypatch, told):
    monkeypatch.chdir(bad_files)
    before = sorted(bad_files.iterdir())
    words = line.split()
    arguments = ["--data", "rows.parquet", "--out", "s.skd"]
    arguments += [] if "--target" in words else ["--target", "y"]
    for name in {"y", "days", "text", "when", "infinite"} - {*words, "y"}:
        arguments += ["--drop", name]
    if "--target" in words:
        arguments += ["--drop", "y"]
    assert distill(*arguments, *words) == code
    assert message in told()
    assert sorted(bad_files.iterdir()) == before
