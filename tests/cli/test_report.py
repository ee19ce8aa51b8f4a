import json

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from skdistill import DistilledClassifier
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
    table = X.assign(y=y, id=np.arange(300))[150:]
    table.to_parquet("test.parquet")
    return tmp_path


def report(*arguments, data="test.parquet", target="y"):
    how = ["--data", data, "--target", target, "--drop", "id", "--out", "r.html"]
    return main(["report", "--model", *arguments, *how])


def test_a_page_is_written(folder, capsys):
    assert report("model.joblib", "--trust") == 0
    assert capsys.readouterr().out.strip()
    assert "<html" in (folder / "r.html").read_text()
    assert report("model.joblib", "--trust", "--json") == 0
    assert json.loads(capsys.readouterr().out)


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


def test_a_pickle_needs_trust(folder, told):
    assert report("model.joblib") == 2
    assert "--trust" in told()


@pytest.mark.parametrize(
    ("model", "message"),
    [("no.joblib", "No such file"), ("other.joblib", "DistilledClassifier")],
)
def test_what_is_no_model(model, message, folder, told):
    assert report(model, "--trust") == 1
    assert message in told()
    assert not (folder / "r.html").exists()
