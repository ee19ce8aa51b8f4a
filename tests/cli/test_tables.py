"""Columns of a table: labels, numbers, and what they are to a model."""

import json
from decimal import Decimal
from pathlib import Path

import joblib
import lightgbm
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill.cli import main
from skdistill.cli._column_kinds import kinds_of_table
from skdistill.cli._tables import read_labelled, read_labels, read_numbers

finite = st.floats(allow_nan=False, allow_infinity=False)
whole = st.integers(-(2**53), 2**53)


@given(st.lists(finite, min_size=1))
def test_numbers_of_any_type_are_the_same_numbers(values):
    columns = [
        pd.Series(values),
        pd.Series(values, dtype="Float64"),
        pd.Series([Decimal(value) for value in values], dtype=object),
        pd.Series(values, dtype=object),
    ]
    for column in columns:
        numbers = read_numbers("y", column)
        assert numbers.dtype == np.float64
        assert numbers.tolist() == values


@given(st.lists(whole, min_size=1))
def test_whole_numbers_are_labels_with_and_without_missing_ones(values):
    assert read_labels("y", pd.Series(values)).tolist() == values
    labels = read_labels("y", pd.Series([*values, None]).dropna())
    assert labels.tolist() == values
    assert labels.dtype == np.int64


@given(st.lists(finite | st.just(np.inf), min_size=1))
def test_no_label_becomes_another_one(values):
    labels = read_labels("y", pd.Series(values, dtype=np.float64))
    assert labels.tolist() == values


@pytest.mark.parametrize(
    "values",
    [["1", "2"], [1.0, "a"], [True, "a"], [1j, 2j], pd.to_datetime(["2020-01-01"])],
    ids=str,
)
def test_what_is_no_number_is_refused(values):
    with pytest.raises(ValueError, match=r"Got the target 'y' .* expected numbers"):
        read_numbers("y", pd.Series(values))


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinite_numbers_are_refused(value):
    with pytest.raises(ValueError, match="infinite values"):
        read_numbers("y", pd.Series([1.0, value]))


def test_rows_with_and_without_a_number(tmp_path):
    frame = pd.DataFrame({"a": [1, 2, 3], "y": [0.5, None, 2.5], "w": [1, 2, 3]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    table = read_labelled(
        tmp_path / "t.csv", "y", read_target=read_numbers, weights="w"
    )
    assert (table.y.tolist(), table.weights.tolist()) == ([0.5, 2.5], [1, 3])
    assert table.X["a"].tolist() == [1, 3]
    assert table.X_unlabeled["a"].tolist() == [2]


def test_a_later_table_holds_what_the_first_one_did(tmp_path):
    first = pd.DataFrame(
        {
            "flag": pd.Series([True, None, False], dtype=object),
            "level": ["1", "b", "c"],
            "number": [1.5, None, 2.0],
            "y": [0, 1, 0],
        }
    )
    later = first.assign(
        flag=[True, True, False],
        level=[1.0, 2.0, None],
        number=[Decimal("1.5"), None, Decimal(2)],
    )
    first.to_parquet(tmp_path / "first.parquet")
    later.to_parquet(tmp_path / "later.parquet")
    X = read_labelled(tmp_path / "first.parquet", "y").X
    read = read_labelled(tmp_path / "later.parquet", "y", kinds=kinds_of_table(X)).X
    assert [str(kind) for kind in read.dtypes] == ["category"] * 2 + ["float64"]
    assert read["flag"].tolist() == [True, True, False]
    assert read["level"].tolist()[:2] == ["1", 2.0]
    assert read["level"].isna().tolist() == [False, False, True]
    assert read["number"].tolist()[::2] == [1.5, 2.0]
    later.assign(number=["1.5", "x", "2"]).to_parquet(tmp_path / "later.parquet")
    with pytest.raises(
        ValueError, match=r"Got later.parquet, whose column 'number' holds 'x'"
    ):
        read_labelled(tmp_path / "later.parquet", "y", kinds=kinds_of_table(X))


@pytest.fixture
def kinds(rng, tmp_path, monkeypatch):
    """A table with a column of every kind; the working directory holds a teacher."""
    monkeypatch.chdir(tmp_path)
    X = pd.DataFrame(
        {
            "number": rng.normal(size=400).round(2),
            "flag": rng.random(400) < 0.5,
            "code": rng.choice(["A1", "07", "12"], 400),
        }
    )
    y = np.where(X["flag"] & (X["code"] != "07"), "no", "yes")
    teacher = lightgbm.LGBMClassifier(
        n_estimators=20, learning_rate=0.3, verbose=-1, n_jobs=1
    )
    joblib.dump(teacher, "t.joblib")
    return X.assign(y=y)


def distill(*arguments):
    return main(["distill", "--student", "tree", "--cv", "2", "--quiet", *arguments])


def result(capsys):
    output, error = capsys.readouterr()
    assert error == ""
    return json.loads(output)


TEACHER = ["--teacher", "t.joblib", "--trust", "--refit"]
TRAIN = ["--data", "train.csv", "--target", "y", "--out", "s.skd"]
TRAIN += [*TEACHER, "--test", "test.csv"]

ODD_ROWS = {
    "as it is": lambda f: f,
    "some flags missing": lambda f: f.assign(
        flag=f["flag"].astype(object).mask(f.index % 7 == 0)
    ),
    "all flags missing": lambda f: f.assign(flag=None),
    "digits alone": lambda f: f[f["code"] != "A1"],
    "no codes": lambda f: f.assign(code=None),
    "no numbers": lambda f: f.assign(number=None),
    "other columns": lambda f: f[f.columns[::-1]].assign(other="x"),
}


@pytest.mark.parametrize("odd", ODD_ROWS)
@pytest.mark.parametrize("blank", [True, False])
def test_rows_of_another_file_are_read_as_those_to_learn_from(
    odd, blank, kinds, capsys
):
    """Whatever their cells look like on their own, as `skdistill score` reads them."""
    train, test = kinds[:200], kinds[200:].reset_index(drop=True)
    if blank:
        train = train.assign(flag=train["flag"].astype(object).mask(train.index == 5))
    train.to_csv("train.csv", index=False)
    test = ODD_ROWS[odd](test)
    test.to_csv("test.csv", index=False)
    assert distill(*TRAIN, "--json", "--save-model", "m.joblib") == 0
    of_student = result(capsys)["quality"][1]
    assert main(["score", "s.skd", "test.csv", "--out", "s.parquet", "--label"]) == 0
    labels = pd.read_parquet("s.parquet")["label"].to_numpy()
    assert of_student["accuracy"] == pytest.approx(np.mean(labels == test["y"]))
    if odd in ("as it is", "digits alone", "other columns"):
        assert of_student["accuracy"] > 0.9
        assert of_student["agreement"] > 0.9
    capsys.readouterr()
    line = ["report", "--model", "m.joblib", "--trust", "--data", "test.csv"]
    line += ["--target", "y", "--out", "r.html", "--json"]
    line += ["--drop", "other"] if odd == "other columns" else []
    assert main(line) == 0
    report = json.loads(capsys.readouterr().out)
    found = {row["metric"]: row["student"]["value"] for row in report["quality"]}
    assert found["accuracy"] == pytest.approx(of_student["accuracy"])
    assert report["fidelity"]["agreement"] == pytest.approx(of_student["agreement"])


def test_labels_of_digits_are_those_of_the_rows_to_learn_from(kinds, capsys):
    labels = kinds["y"].map({"no": "07", "yes": "x"})
    kinds = kinds.assign(y=labels)
    kinds[:200].to_csv("train.csv", index=False)
    kinds[200:][labels[200:] == "07"].to_csv("test.csv", index=False)
    assert distill(*TRAIN, "--json", "--save-model", "m.joblib") == 0
    assert result(capsys)["quality"][1]["accuracy"] > 0.9
    line = ["report", "--model", "m.joblib", "--trust", "--data", "test.csv"]
    assert main([*line, "--target", "y", "--out", "r.html"]) == 0


UNLIKE = {
    "'number' holds 'many', but expected numbers": {"number": "many"},
    "Got the labels ['maybe'] in test.csv": {"y": "maybe"},
    "without the columns ['flag'] of train.csv": {"flag": None},
}


@pytest.mark.parametrize("message", UNLIKE)
def test_rows_that_cannot_be_judged_by_are_told_before_the_fit(
    message, kinds, told, monkeypatch
):
    test = kinds[200:].astype(object)
    ((name, value),) = UNLIKE[message].items()
    test.loc[250, name] = value
    test = test if value else test.drop(columns=name)
    kinds[:200].to_csv("train.csv", index=False)
    test.to_csv("test.csv", index=False)
    monkeypatch.setattr("skdistill.DistilledClassifier.fit", None)
    assert distill(*TRAIN) == 1
    assert message in told()


@pytest.mark.parametrize(
    ("header", "dropped", "message"),
    [
        (",a,y", ["Unnamed: 0"], "which are read as ['Unnamed: 0']"),
        ("a,a,b,y", ["a", "a.1"], "which are read as ['a', 'a.1']"),
    ],
)
def test_columns_that_scoring_could_not_find(header, dropped, message, kinds, told):
    y = ["no" if i % 7 < 3 else "yes" for i in range(100)]
    rows = [f"{i},{'5,' * (len(dropped) - 1)}{i % 7},{y[i]}" for i in range(100)]
    Path("t.csv").write_text("\n".join([header, *rows]))
    line = ["--data", "t.csv", "--target", "y", "--out", "s.skd", *TEACHER]
    assert distill(*line) == 1
    error = told()
    assert message in error
    assert error.endswith(" ".join(f"--drop '{name}'" for name in dropped) + ".")
    for name in dropped:
        line += ["--drop", name]
    assert distill(*line) == 0
    assert main(["score", "s.skd", "t.csv", "--out", "s.csv"]) == 0
