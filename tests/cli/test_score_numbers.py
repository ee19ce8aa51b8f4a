"""``skdistill score`` and ``inspect`` with students that predict numbers."""

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from skdistill.cli import main
from skdistill.runtime import load, save
from skdistill.students import MLPStudentRegressor, TreeStudentClassifier

KINDS = ["one", "several", "logarithm"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, adult):
    """Students of one number, of three, and of a logarithm, and rows for them."""
    folder = tmp_path_factory.mktemp("numbers")
    X, y = adult
    X, hours = X.drop(columns="hours_per_week"), X["hours_per_week"].to_numpy(float)
    several = np.column_stack([hours, -hours, y == ">50K"])
    for kind, target in zip(KINDS, (hours, several, hours), strict=True):
        loss = "poisson" if kind == "logarithm" else "squared"
        student = MLPStudentRegressor((8,), n_steps=50, loss=loss, random_state=0)
        certificate = {"rows": 7, "largest": 1e-7, "tolerance": 1e-5}
        save(student.fit(X, target).to_spec(), folder / f"{kind}.skd", certificate)
    X = X.assign(id=[f"{i:05}" for i in range(len(X))])
    X.to_csv(folder / "rows.csv", index=False)
    X.to_parquet(folder / "rows.parquet", row_group_size=300)
    return folder


def names(kind):
    return (
        [f"prediction_{k}" for k in range(3)] if kind == "several" else ["prediction"]
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("batch", ["1", "1999", None])
def test_predictions_are_those_of_the_scorer(kind, suffix, batch, folder, tmp_path):
    frame = pd.read_parquet(folder / "rows.parquet")
    frame = frame.iloc[:50] if batch == "1" else frame
    data, out = tmp_path / f"rows.{suffix}", tmp_path / f"scores.{suffix}"
    frame.to_csv(data, index=False) if suffix == "csv" else frame.to_parquet(data)
    arguments = ["score", str(folder / f"{kind}.skd"), str(data), "--out", str(out)]
    arguments += ["--id", "id", *(["--batch-size", batch] if batch else [])]
    assert main(arguments) == 0
    scores = pd.read_csv(out) if suffix == "csv" else pd.read_parquet(out)
    assert scores.columns.tolist() == ["id", *names(kind)]
    expected = load(folder / f"{kind}.skd").predict(frame).reshape(len(frame), -1)
    # CSV has fewer digits.
    rtol = 1e-12 if suffix == "csv" else 0
    np.testing.assert_allclose(scores[names(kind)], expected, rtol=rtol)
    if kind == "logarithm":
        assert (scores["prediction"] > 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_no_rows_give_no_predictions(kind, folder, tmp_path):
    pd.read_parquet(folder / "rows.parquet").iloc[:0].to_parquet(tmp_path / "r.parquet")
    out = tmp_path / "scores.parquet"
    arguments = [str(folder / f"{kind}.skd"), str(tmp_path / "r.parquet")]
    assert main(["score", *arguments, "--out", str(out)]) == 0
    assert pq.read_schema(out).names == names(kind)
    assert pq.read_metadata(out).num_rows == 0


@pytest.mark.parametrize(
    ("option", "code", "message"),
    [
        (["--label"], 2, "Got --label with one.skd, which predicts numbers"),
        (["--proba"], 2, "Got --proba with one.skd, which predicts numbers"),
        (["--id", "prediction"], 1, "expected different names"),
        (["--id", "x"], 1, "Got the id columns ['x']"),
    ],
)
def test_mistakes_are_told_in_a_line(
    option, code, message, folder, tmp_path, monkeypatch, told
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one.skd").write_bytes((folder / "one.skd").read_bytes())
    frame = pd.read_parquet(folder / "rows.parquet").assign(prediction=0.0)
    frame.to_parquet("rows.parquet")
    before = sorted(tmp_path.iterdir())
    assert main(["score", "one.skd", "rows.parquet", "--out", "s.csv", *option]) == code
    assert message in told()
    assert sorted(tmp_path.iterdir()) == before


def test_a_process_in_a_pipe(folder, run):
    done = run(
        *("score", folder / "several.skd", "-", "--out", "-", "--id", "id"),
        input=(folder / "rows.csv").read_text(),
    )
    assert (done.returncode, done.stderr) == (0, "")
    header, *rows = done.stdout.splitlines()
    assert header == '"id","prediction_0","prediction_1","prediction_2"'
    assert len(rows) == 2000


SAID = {
    "one": "predicts    a number\n",
    "several": "predicts    3 numbers\n",
    "logarithm": "predicts    a number, by way of its logarithm\n",
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_student_of_numbers_is(kind, folder, capsys):
    path = str(folder / f"{kind}.skd")
    assert main(["inspect", path]) == 0
    output, error = capsys.readouterr()
    assert error == ""
    assert "(format 2)\nmodel       network " in output
    assert SAID[kind] in output
    assert "classes" not in output
    found = "7 rows compared with the fitted model: predictions differ by at most "
    assert f"{found}1.0e-07 of the largest one (allowed 1e-05)\n" in output
    assert main(["inspect", path, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["task"], found["classes"]) == ("regression", None)
    assert found["format_version"] == 2
    assert found["outputs"] == len(names(kind))
    assert found["link"] == ("log" if kind == "logarithm" else "identity")
    assert len(found["columns"]) == 13


def test_what_a_student_of_classes_is(tmp_path, rng, capsys):
    X = rng.normal(size=(50, 2))
    student = TreeStudentClassifier(random_state=0).fit(X, X[:, 0] > 0)
    save(student.to_spec(), tmp_path / "s.skd")
    assert main(["inspect", str(tmp_path / "s.skd"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["task"], found["classes"]) == ("classification", [False, True])
    assert not {"outputs", "link"} & set(found)
