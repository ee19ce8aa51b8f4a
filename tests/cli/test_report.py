import json

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score, root_mean_squared_error
from sklearn.tree import DecisionTreeRegressor

from skdistill import DistilledClassifier, DistilledRegressor
from skdistill.cli import main
from skdistill.students import TreeStudentClassifier


@pytest.fixture
def folder(tmp_path, monkeypatch, rng):
    monkeypatch.chdir(tmp_path)
    X = pd.DataFrame(rng.normal(size=(300, 3)), columns=["a", "b", "c"])
    y = (X["a"] + X["b"] ** 2 > 0.5).astype(int)
    student = TreeStudentClassifier(random_state=0)
    options = {"cv": 3, "augmenter": None, "random_state": 0}
    model = DistilledClassifier(LogisticRegression(), student, **options)
    joblib.dump(model.fit(X[:150], y[:150]), "model.joblib")
    joblib.dump(LogisticRegression(), "other.joblib")
    price = X["a"] + X["b"] ** 2
    model = DistilledRegressor(LinearRegression(), DecisionTreeRegressor(), **options)
    joblib.dump(model.fit(X[:150], price[:150]), "numbers.joblib")
    table = X.assign(y=y, price=price, id=np.arange(300))[150:]
    table.to_parquet("test.parquet")
    return tmp_path


def report(*arguments, data="test.parquet", target="y"):
    how = ["--data", data, "--target", target]
    how += [] if "--out" in arguments else ["--out", "r.html"]
    for name in {"id", "y", "price"} - {target}:
        how += ["--drop", name]
    return main(["report", "--model", *arguments, *how])


@pytest.mark.parametrize(
    ("model", "target", "task"),
    [
        ("model.joblib", "y", "classification"),
        ("numbers.joblib", "price", "regression"),
    ],
)
def test_a_page_is_written(model, target, task, folder, capsys):
    assert report(model, "--trust", target=target) == 0
    assert capsys.readouterr().out.startswith("Distillation report\n")
    assert "<html" in (folder / "r.html").read_text()
    assert report(model, "--trust", "--json", target=target) == 0
    assert json.loads(capsys.readouterr().out)["task"] == task


@pytest.mark.parametrize(
    ("name", "target", "metric", "score"),
    [
        ("model.joblib", "y", "accuracy", accuracy_score),
        (
            "numbers.joblib",
            "price",
            "root mean squared error",
            root_mean_squared_error,
        ),
    ],
)
def test_weights_of_the_rows(name, target, metric, score, folder, capsys):
    table = pd.read_parquet("test.parquet")
    table.assign(w=1.0 + table["id"] % 3).to_parquet("test.parquet")
    arguments = [name, "--trust", "--json", "--weights", "w"]
    assert report(*arguments, target=target) == 0
    quality = json.loads(capsys.readouterr().out)["quality"]
    (row,) = (row for row in quality if row["metric"] == metric)
    scores = joblib.load(name).predict(table[["a", "b", "c"]])
    expected = score(table[target], scores, sample_weight=1.0 + table["id"] % 3)
    assert row["student"]["value"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("data", "target", "message"),
    [
        ("no.parquet", "y", "No such file"),
        ("test.parquet", "z", "Got the target 'z'"),
        ("test.parquet", "a", ""),
    ],
)
def test_mistakes_are_told_in_a_line(data, target, message, folder, told):
    assert report("model.joblib", "--trust", data=data, target=target) == 1
    assert message in told()
    assert not (folder / "r.html").exists()


@pytest.mark.parametrize(
    ("out", "code", "message"),
    [
        ("r.pdf", 2, "Got --out r.pdf, but expected a file that ends in .html"),
        ("no/r.html", 1, "Got no/r.html, but there is no folder"),
    ],
)
def test_where_it_cannot_be_written(out, code, message, folder, told):
    """Told before anything is read, even the model."""
    assert report("no.joblib", "--trust", "--out", out) == code
    assert message in told()


def test_a_pickle_needs_trust(folder, told):
    assert report("model.joblib") == 2
    assert "--trust" in told()


def test_a_target_that_is_no_number(folder, told):
    table = pd.read_parquet("test.parquet")
    table.assign(price="dear").to_parquet("test.parquet")
    assert report("numbers.joblib", "--trust", target="price") == 1
    assert "with values such as 'dear', but expected numbers" in told()
    assert not (folder / "r.html").exists()


@pytest.mark.parametrize(
    ("model", "message"),
    [("no.joblib", "No such file"), ("other.joblib", "DistilledRegressor")],
)
def test_what_is_no_model(model, message, folder, told):
    assert report(model, "--trust") == 1
    assert message in told()
    assert not (folder / "r.html").exists()
