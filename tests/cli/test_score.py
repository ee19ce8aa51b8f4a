"""``skdistill score`` in this process; how processes end is in test_ends.py."""

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skdistill.cli import main
from skdistill.cli._reading import BLOCK
from skdistill.runtime import load, save
from skdistill.students import TreeStudentClassifier


def score(*arguments):
    assert main(["score", *map(str, arguments)]) == 0


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("into", ["csv", "parquet"])
@pytest.mark.parametrize("batch", [1, 7, 10**6])
def test_scores_are_those_of_the_scorer(files, tmp_path, suffix, into, batch):
    out = tmp_path / f"scores.{into}"
    frame = pd.read_parquet(files / "rows.parquet").iloc[:100]
    data = tmp_path / f"rows.{suffix}"
    frame.to_csv(data, index=False) if suffix == "csv" else frame.to_parquet(data)
    arguments = ["--id", "id", "--proba", "--label", "--batch-size", batch]
    score(files / "student.skd", data, "--out", out, *arguments)
    scorer = load(files / "student.skd")
    read = pd.read_csv if into == "csv" else pd.read_parquet
    scores = read(out, dtype={"id": str}) if into == "csv" else read(out)
    assert scores["id"].tolist() == frame["id"].tolist()
    assert scores["label"].tolist() == scorer.predict(frame).tolist()
    proba = scores[[f"proba_{label}" for label in scorer.classes_]].to_numpy()
    expected = scorer.predict_proba(frame)
    # CSV has fewer digits.
    np.testing.assert_allclose(proba, expected, rtol=1e-12 if into == "csv" else 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [data.name, out.name]
    )


@pytest.mark.parametrize(
    ("chosen", "columns"),
    [
        ([], ["proba_<=50K", "proba_>50K"]),
        (["--label"], ["label"]),
        (["--proba", "--label"], ["proba_<=50K", "proba_>50K", "label"]),
        (["--id", "id", "--id", "age", "--label"], ["id", "age", "label"]),
    ],
)
def test_the_columns_that_are_written(files, tmp_path, chosen, columns):
    out = tmp_path / "scores.parquet"
    score(files / "student.skd", files / "rows.parquet", "--out", out, *chosen)
    assert pq.read_schema(out).names == columns


@pytest.mark.parametrize("dtype", ["int64", "float32", "datetime64[ms]", "category"])
def test_ids_keep_their_type(files, tmp_path, dtype):
    frame = pd.read_parquet(files / "rows.parquet").iloc[:9]
    ids = pd.Series(np.arange(9)).astype(dtype)
    frame.assign(id=ids.to_numpy()).to_parquet(tmp_path / "rows.parquet")
    out = tmp_path / "scores.parquet"
    data = tmp_path / "rows.parquet"
    score(files / "student.skd", data, "--out", out, "--id", "id")
    kept = pd.read_parquet(out)["id"]
    if dtype != "category":
        assert kept.dtype == dtype
    assert kept.tolist() == ids.tolist()


@pytest.mark.parametrize(
    "labels", [[3, 5], [1.0, 2.0], [False, True], ["é", "no"]], ids=str
)
def test_labels_of_every_type(labels, tmp_path, rng):
    X = pd.DataFrame({"a": rng.normal(size=50)})
    y = np.array(labels)[(X["a"] > 0).astype(int)]
    student = TreeStudentClassifier(random_state=0).fit(X, y)
    save(student.to_spec(), tmp_path / "s.skd")
    X.to_parquet(tmp_path / "rows.parquet")
    out = tmp_path / "scores.parquet"
    score(tmp_path / "s.skd", tmp_path / "rows.parquet", "--out", out, "--label")
    assert pd.read_parquet(out)["label"].tolist() == y.tolist()


def test_a_model_without_names_takes_the_columns_in_order(tmp_path, rng):
    X = rng.normal(size=(50, 3))
    student = TreeStudentClassifier(random_state=0).fit(X, X[:, 1] > 0)
    save(student.to_spec(), tmp_path / "s.skd")
    frame = pd.DataFrame(X, columns=["c", "b", "a"])
    frame.insert(1, "key", range(50))
    frame.to_parquet(tmp_path / "rows.parquet")
    out = tmp_path / "scores.parquet"
    data = tmp_path / "rows.parquet"
    score(tmp_path / "s.skd", data, "--out", out, "--id", "key")
    scores = pd.read_parquet(out)
    np.testing.assert_array_equal(scores["proba_True"], student.predict_proba(X)[:, 1])


def test_booleans_and_missing_values_of_a_csv_file(tmp_path, rng):
    n = 200
    frame = pd.DataFrame(
        {
            "flag": rng.choice([True, False], n),
            "number": np.where(rng.random(n) < 0.2, np.nan, rng.normal(size=n)),
            "level": rng.choice(["NA", "b", "c"], n),
        }
    )
    y = frame["flag"] ^ (frame["level"] == "NA") ^ (frame["number"] > 0)
    student = TreeStudentClassifier(random_state=0).fit(frame, y)
    save(student.to_spec(), tmp_path / "s.skd")
    frame.loc[3, "level"] = ""
    frame.to_csv(tmp_path / "rows.csv", index=False)
    out = tmp_path / "scores.parquet"
    score(tmp_path / "s.skd", tmp_path / "rows.csv", "--out", out)
    frame.loc[3, "level"] = None
    # A level of the student's named NA is a level, an empty cell is missing.
    expected = student.predict_proba(frame)[:, 1]
    np.testing.assert_array_equal(pd.read_parquet(out)["proba_True"], expected)


@pytest.mark.parametrize("text", [str, str.lower, str.upper])
def test_booleans_beside_missing_ones_are_read_as_pandas_reads_them(
    text, tmp_path, rng
):
    frame = pd.DataFrame(
        {"flag": rng.choice(["True", "False"], 200), "number": rng.normal(size=200)}
    )
    y = frame["flag"] == "True"
    frame["flag"] = frame["flag"].map(text)
    frame.loc[3, "flag"] = None
    frame.to_csv(tmp_path / "rows.csv", index=False)
    read = pd.read_csv(tmp_path / "rows.csv")
    student = TreeStudentClassifier(random_state=0)
    expected = student.fit(read.astype({"flag": "category"}), y).predict_proba(read)
    assert np.ptp(expected[:, 1]) > 0.8
    save(student.to_spec(), tmp_path / "s.skd")
    score(tmp_path / "s.skd", tmp_path / "rows.csv", "--out", tmp_path / "s.parquet")
    found = pd.read_parquet(tmp_path / "s.parquet")
    np.testing.assert_array_equal(found["proba_True"], expected[:, 1])


@pytest.mark.parametrize("known", ["boolean", "number", "nothing"])
def test_columns_whose_first_rows_are_blank(known, tmp_path, rng):
    """However far the first cells are that say what they are."""
    frame = pd.DataFrame({"a": rng.normal(size=3000), "late": rng.random(3000)})
    if known == "boolean":
        frame["late"] = frame["late"] < 0.5
    frame["a"] = np.where(frame["late"] < 0.5, frame["a"], 9)
    student = TreeStudentClassifier(random_state=0).fit(frame, frame["late"] < 0.5)
    save(student.to_spec(), tmp_path / "s.skd")
    blank = np.arange(3000) < (2500 if known != "nothing" else 3000)
    frame["late"] = frame["late"].astype(object).mask(blank)
    frame.to_csv(tmp_path / "rows.csv", index=False)
    out = tmp_path / "s.parquet"
    score(tmp_path / "s.skd", tmp_path / "rows.csv", "--out", out, "--batch-size", 7)
    expected = student.predict_proba(frame.astype({"late": float}))[:, 1]
    np.testing.assert_array_equal(pd.read_parquet(out)["proba_True"], expected)


@pytest.mark.parametrize(("n_columns", "letters"), [(700, 5), (4000, 40)])
def test_wide_tables_of_booleans(n_columns, letters, tmp_path, rng):
    """Not even the first lines are where the beginning of the file ends."""
    flags = rng.random((60, n_columns)) < 0.5
    names = [f"{j:0{letters}}" for j in range(n_columns)]
    frame = pd.DataFrame(flags, columns=names)
    student = TreeStudentClassifier(random_state=0).fit(frame, flags[:, -1])
    save(student.to_spec(), tmp_path / "s.skd")
    frame.to_csv(tmp_path / "rows.csv", index=False)
    out = tmp_path / "s.parquet"
    score(tmp_path / "s.skd", tmp_path / "rows.csv", "--out", out)
    expected = student.predict_proba(frame)[:, 1]
    np.testing.assert_array_equal(pd.read_parquet(out)["proba_True"], expected)


def test_line_breaks_in_quoted_cells(tmp_path, rng):
    """However many blocks of the file there are."""
    frame = pd.DataFrame({"a": rng.normal(size=2000), "note": "1,2\n3\n" * 200})
    frame["b"] = rng.choice(["x\ny", "z\n", "z"], 2000)
    y = (frame["a"] > 0) ^ (frame["b"] == "z\n")
    student = TreeStudentClassifier(random_state=0).fit(frame[["a", "b"]], y)
    save(student.to_spec(), tmp_path / "s.skd")
    frame.to_csv(tmp_path / "rows.csv", index=False)
    assert (tmp_path / "rows.csv").stat().st_size > 2 * BLOCK
    out = tmp_path / "scores.parquet"
    score(tmp_path / "s.skd", tmp_path / "rows.csv", "--out", out)
    expected = student.predict_proba(frame[["a", "b"]])[:, 1]
    np.testing.assert_array_equal(pd.read_parquet(out)["proba_True"], expected)


def test_blank_lines_are_no_rows(files, tmp_path):
    """To pandas neither, wherever they are."""
    frame = pd.read_parquet(files / "rows.parquet").iloc[:30]
    lines = frame.to_csv(index=False).splitlines()
    blank, data = tmp_path / "blank.csv", tmp_path / "rows.csv"
    blank.write_text("\n\n" + "\n\n".join(lines) + "\n\n")
    data.write_text("\n".join(lines))
    assert len(pd.read_csv(blank)) == len(frame)
    for path in (blank, data):
        score(files / "student.skd", path, "--out", path.with_suffix(".parquet"))
    found, expected = (path.with_suffix(".parquet") for path in (blank, data))
    pd.testing.assert_frame_equal(pd.read_parquet(found), pd.read_parquet(expected))


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_no_rows_give_no_scores(files, tmp_path, suffix, capsys):
    frame = pd.read_parquet(files / "rows.parquet").iloc[:0]
    data = tmp_path / f"rows.{suffix}"
    frame.to_csv(data, index=False) if suffix == "csv" else frame.to_parquet(data)
    out = tmp_path / "scores.parquet"
    score(files / "student.skd", data, "--out", out, "--id", "id", "--json")
    assert json.loads(capsys.readouterr().out)["rows"] == 0
    scores = pd.read_parquet(out)
    assert scores.shape == (0, 3)
    assert pq.read_schema(out).field("id").type in (pa.string(), pa.large_string())


def test_what_is_said(files, tmp_path, capsys):
    arguments = [files / "student.skd", files / "rows.csv", "--out", tmp_path / "s.csv"]
    score(*arguments)
    said = capsys.readouterr()
    assert said.out.startswith("2,000 rows scored to ")
    assert said.err == ""
    score(*arguments, "--json", "--progress")
    said = capsys.readouterr()
    assert json.loads(said.out)["rows"] == 2000
    assert "scoring: 2,000 rows" in said.err
    score(*arguments, "--no-progress")
    assert capsys.readouterr().err == ""


BAD = [
    ("no.skd rows.csv --out s.csv", 1, "no.skd: No such file"),
    ("student.skd no.csv --out s.csv", 1, "no.csv: No such file"),
    ("student.skd . --out s.csv --format csv", 1, "Is a directory"),
    ("student.skd rows.csv --out .", 2, "expected one that ends in .csv or .parquet"),
    ("student.skd rows.csv --out . --format csv", 1, "Is a directory"),
    ("student.skd rows.csv --out no/s.csv", 1, "No such file or directory"),
    ("rows.csv rows.csv --out s.csv", 1, "does not end as a zip archive"),
    ("s.onnx rows.csv --out s.csv", 2, "expected one that was exported as .skd"),
    ("broken.skd rows.csv --out s.csv", 1, "Got"),
    ("student.skd rows.txt --out s.csv", 2, "rows.txt"),
    ("student.skd rows.csv --out ./student.skd --format csv", 2, "is read as well"),
    ("student.skd rows.csv --out ./rows.csv", 2, "is read as well"),
    ("student.skd student.skd --out s.csv --format csv", 1, "without columns"),
    ("student.skd rows.csv --out s.csv --format parquet --id x", 1, "['x']"),
    ("student.skd fake.parquet --out s.csv", 1, "fake.parquet cannot be read: Parquet"),
    ("student.skd torn.parquet --out s.csv", 1, "torn.parquet cannot be read: "),
    ("student.skd empty.csv --out s.csv", 1, "Got the empty file empty.csv"),
    ("student.skd latin.csv --out s.csv", 1, "latin.csv cannot be read: column 'race'"),
    ("student.skd zeros.csv --out s.csv", 1, "zeros.csv cannot be read: "),
    ("student.skd narrow.csv --out s.csv", 1, "without columns ['workclass'"),
    ("student.skd narrow.csv --out s.csv", 1, "The table has the columns ['age'"),
    ("student.skd text.csv --out s.csv", 1, "text.csv cannot be read: column 'age': "),
    ("student.skd late.csv --out s.csv", 1, "late.csv cannot be read: column 'age': "),
    ("student.skd text.parquet --out s.csv", 1, "'age' held numbers"),
    ("student.skd dates.parquet --out s.csv", 1, "'age' holds"),
    (
        "student.skd ragged.csv --out s.csv",
        1,
        "ragged.csv cannot be read: CSV parse error",
    ),
    ("student.skd rows.csv --out s.csv --id id --id id", 1, "different names"),
    ("student.skd rows.csv --out - --json", 2, "both write to standard output"),
]


@pytest.fixture
def bad_files(files, tmp_path, monkeypatch):
    frame = pd.read_parquet(files / "rows.parquet").iloc[:50]
    for name in ("student.skd", "rows.csv"):
        (tmp_path / name).write_bytes((files / name).read_bytes())
    whole = (files / "student.skd").read_bytes()
    (tmp_path / "broken.skd").write_bytes(whole[:100] + b"?" + whole[101:])
    text = (files / "rows.csv").read_text()
    (tmp_path / "rows.txt").write_text(text)
    (tmp_path / "fake.parquet").write_text(text)
    table = (files / "rows.parquet").read_bytes()
    (tmp_path / "torn.parquet").write_bytes(table[:4] + bytes(5000) + table[5004:])
    frame.assign(race="caf\xe9").to_csv(tmp_path / "latin.csv", encoding="latin-1")
    (tmp_path / "zeros.csv").write_bytes(b"a,b\n" + bytes(2**21))
    late = pd.Series([None] * 110 + ["old"])
    late = pd.concat([frame] * 3).iloc[:111].assign(age=late.to_numpy())
    late.to_csv(tmp_path / "late.csv")
    (tmp_path / "s.onnx").write_bytes(b"\x08\x08\x12\x09skdistill")
    (tmp_path / "ragged.csv").write_text(text + "1,2\n")
    (tmp_path / "empty.csv").touch()
    frame[["age"]].to_csv(tmp_path / "narrow.csv", index=False)
    frame.assign(age="old").to_csv(tmp_path / "text.csv", index=False)
    frame.assign(age="old").to_parquet(tmp_path / "text.parquet")
    dates = pd.date_range("2020-01-01", periods=50)
    frame.assign(age=dates).to_parquet(tmp_path / "dates.parquet")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("line", "code", "message"), BAD)
def test_mistakes_are_told_in_a_line(line, code, message, bad_files, told):
    before = sorted(bad_files.iterdir())
    Path("s.csv").write_text("before")
    assert main(["score", *line.split()]) == code
    assert message in told()
    assert Path("s.csv").read_text() == "before"
    Path("s.csv").unlink()
    assert sorted(bad_files.iterdir()) == before


@pytest.mark.parametrize(
    "wrong",
    [["--batch-size", "0"], ["--threads", "x"], ["--format", "xlsx"], ["--nonsense"]],
)
def test_wrong_arguments_exit_with_2(wrong, told):
    arguments = ["student.skd", "rows.csv", "--out", "s.csv", *wrong]
    with pytest.raises(SystemExit) as exit_:
        main(["score", *arguments])
    assert exit_.value.code == 2
    assert "--help)" in told()


def test_a_stream_is_read_from_wherever_its_beginning_ends():
    from skdistill.cli._reading import _Resumed

    text = bytes(range(256)) * 10
    for cut in (0, 1, 100, len(text)):
        stream = _Resumed(text[:cut], io.BytesIO(text[cut:]))
        assert io.BufferedReader(stream, 64).read() == text
