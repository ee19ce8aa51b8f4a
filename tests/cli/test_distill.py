import importlib.util
import json
import pickle
from functools import partial
from pathlib import Path

import joblib
import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill._default_teacher import default_classifier
from skdistill._log_odds import classifier_log_odds
from skdistill.cli import _classes, main
from skdistill.inspection import distillation_report, skill_retention
from skdistill.losses._reference import softmax
from skdistill.runtime import load, read_header
from skdistill.students import MLPStudentClassifier

FAST = {"n_estimators": 20, "verbose": -1, "n_jobs": 1, "random_state": 0}


@pytest.fixture(scope="module")
def table(adult):
    X, y = adult
    frame = X.iloc[:800].reset_index(drop=True)
    return frame.assign(
        id=np.arange(800),
        weight=1.0 + np.arange(800) % 3,
        income=pd.Series(y[:800].astype(object)),
    )


@pytest.fixture
def folder(table, tmp_path, monkeypatch):
    """The working directory, with rows.parquet; the default teacher is small."""
    monkeypatch.chdir(tmp_path)
    default = partial(default_classifier, n_estimators=20)
    monkeypatch.setattr("skdistill.cli._classes.default_classifier", default)
    table.to_parquet("rows.parquet")
    return tmp_path


NUMBERS = ["age", "education_num", "hours_per_week"]


@pytest.fixture
def numbers(folder, table):
    """The table with three numeric columns, and labels of 0 and 1."""
    frame = table[NUMBERS].assign(y=(table["income"] == ">50K").astype(int))
    frame.to_parquet("numbers.parquet")
    return frame


ODD = {"age": "age [years]", "education_num": '"a", b', "hours_per_week": "a b"}
"""Names that LightGBM refuses, or takes for the same as another's."""


def distill(*arguments):
    line = ["distill", "--student", "tree", "--cv", "2", "--quiet", *arguments]
    return main([str(argument) for argument in line])


ADULT = ["--data", "rows.parquet", "--target", "income", "--drop", "id"]
ADULT += ["--drop", "weight"]
SIMPLE = ["--data", "numbers.parquet", "--target", "y", "--out", "s.skd"]


def result(capsys):
    output, error = capsys.readouterr()
    assert error == ""
    return json.loads(output)


@pytest.mark.parametrize("suffix", ["skd", "onnx", "c"])
def test_a_student_of_every_format(suffix, folder, capsys):
    out = f"student.{suffix}"
    assert distill(*ADULT, "--out", out, "--json") == 0
    found = result(capsys)
    assert found["bytes"] == (folder / out).stat().st_size
    assert (found["rows_train"], found["rows_test"], found["columns"]) == (600, 200, 14)
    assert found["classes"] == ["<=50K", ">50K"]
    teacher, student = found["quality"]
    assert teacher["agreement"] == 1
    # Less than 1 where calibration makes the teacher better.
    assert 0.9 < teacher["skill_retention"] <= 1
    assert 0.5 < student["accuracy"] < 1
    assert found["certificate"]["largest"] <= 1e-5
    assert sorted(path.name for path in folder.iterdir()) == ["rows.parquet", out]
    if suffix == "skd":
        assert read_header(out)["certificate"] == found["certificate"]


@pytest.mark.parametrize("student", ["mlp", "tree", "boosted"])
def test_every_student_and_what_is_said(student, folder, capsys, monkeypatch):
    quick = partial(MLPStudentClassifier, n_steps=50)
    monkeypatch.setitem(_classes.STUDENTS, "mlp", quick)
    arguments = ["distill", *ADULT, "--student", student, "--out", "s.skd", "--cv", "2"]
    if student == "mlp":
        arguments += ["--alpha", "0.5", "--temperature", "2", "--seed", "3"]
    assert main(arguments) == 0
    output, progress = capsys.readouterr()
    first, _, headings, _, _, student_line, _, last = output.splitlines()
    assert first.startswith("LGBMClassifier -> ")
    assert "600 rows to learn from, 200 held out" in first
    assert "accuracy" in headings
    assert student_line.split()[0].lower().startswith(student)
    assert last.startswith("s.skd: ")
    assert "compared with the student on" in last
    assert "fitting LGBMClassifier: 3/3 fits" in progress
    if student == "mlp":
        assert "training the network on" in progress
    assert load("s.skd").classes_.tolist() == ["<=50K", ">50K"]


def test_rows_without_a_label_are_labelled_by_the_teacher(folder, table, capsys):
    table.assign(income=table["income"].where(table["id"] < 700)).to_csv("rows.csv")
    arguments = ["--data", "rows.csv", "--target", "income", "--drop", "Unnamed: 0"]
    assert distill(*arguments, "--out", "s.skd", "--json") == 0
    found = result(capsys)
    assert found["rows_unlabeled"] == 100
    assert found["rows_train"] + found["rows_test"] == 700


def test_weights_and_test_rows(folder, table, capsys):
    table.iloc[:500].to_csv("train.csv", index=False)
    table.iloc[500:].to_csv("test.csv", index=False)
    arguments = ["--data", "train.csv", "--target", "income", "--drop", "id"]
    arguments += ["--weights", "weight", "--out", "s.skd", "--json"]
    assert distill(*arguments, "--test", "test.csv") == 0
    found = result(capsys)
    assert (found["rows_train"], found["rows_test"], found["columns"]) == (500, 300, 14)
    # Three rows of one are one row of three.
    again = table.iloc[500:].loc[lambda f: f.index.repeat(f["weight"].astype(int))]
    again.assign(weight=1.0).to_csv("test.csv", index=False)
    assert distill(*arguments, "--test", "test.csv") == 0
    for one, other in zip(found["quality"], result(capsys)["quality"], strict=True):
        assert one.pop("model") == other.pop("model")
        assert one == pytest.approx(other)


def test_the_skill_that_is_kept_is_that_of_the_report(folder, table, capsys):
    """Of a teacher that is much too sure, and of rows of other class frequencies."""
    rich = table["income"] == ">50K"
    table[~rich | (np.arange(800) % 2 == 0)].to_parquet("rows.parquet")
    test = table[rich | (np.arange(800) % 3 == 0)].drop(columns=["id", "weight"])
    test.assign(id=0, weight=1.0).to_parquet("test.parquet")
    teacher = lightgbm.LGBMClassifier(**FAST | {"n_estimators": 200})
    joblib.dump(teacher, "t.joblib")
    line = [*ADULT, "--teacher", "t.joblib", "--trust", "--refit", "--out", "s.skd"]
    line += ["--test", "test.parquet", "--save-model", "m.joblib", "--json"]
    assert distill(*line) == 0
    of_teacher, of_student = result(capsys)["quality"]
    X, y = test.drop(columns="income"), test["income"]
    model = joblib.load("m.joblib")
    report = distillation_report(model, X, y)
    kept = report.skill_retention.value
    assert of_student["skill_retention"] == pytest.approx(kept)
    assert of_teacher["skill_retention"] < 0.95
    logits = classifier_log_odds(model.teacher_, X, model.classes_)
    proba = softmax(logits, model.calibration_temperature_)
    frequencies = pd.read_parquet("rows.parquet")["income"].value_counts(normalize=True)
    expected = skill_retention(
        y,
        proba,
        model.predict_proba(X),
        classes=model.classes_,
        prior=frequencies[model.classes_],
    )
    assert kept == pytest.approx(expected)


@pytest.mark.parametrize("option", ["--report", "--save-model"])
def test_nothing_is_left_if_something_cannot_be_written(option, folder, told):
    (folder / "taken").mkdir()
    (folder / "taken" / "r.html").mkdir()
    (folder / "s.skd").write_text("before")
    line = [*ADULT, "--out", "s.skd", "--save-model", "m.joblib"]
    assert distill(*line, option, "taken/r.html") == 1
    assert "Is a directory" in told()
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["rows.parquet", "s.skd", "taken"]
    assert (folder / "s.skd").read_text() == "before"


@pytest.mark.parametrize("student", ["tree", "boosted"])
def test_names_that_lightgbm_refuses(student, numbers, capsys):
    numbers.rename(columns=ODD).to_parquet("odd.parquet")
    arguments = [*SIMPLE, "--student", student, "--json", "--save-model", "m.joblib"]
    assert distill(*arguments) == 0
    named = result(capsys)
    plain = load("s.skd").predict_proba(numbers[NUMBERS])
    assert distill(*arguments, "--data", "odd.parquet") == 0
    odd = result(capsys)
    assert (odd["teacher"], odd["quality"]) == (named["teacher"], named["quality"])
    rows = numbers[NUMBERS].rename(columns=ODD)
    np.testing.assert_array_equal(load("s.skd").predict_proba(rows), plain)
    np.testing.assert_array_equal(joblib.load("m.joblib").predict_proba(rows), plain)


def test_a_teacher_without_skill_has_none_to_keep(numbers, capsys):
    rng = np.random.default_rng(0)
    numbers.assign(y=rng.integers(0, 2, len(numbers))).to_parquet("numbers.parquet")
    assert distill(*SIMPLE, "--json") == 0
    assert [q["skill_retention"] for q in result(capsys)["quality"]] == [None, None]
    assert distill(*SIMPLE) == 0
    assert capsys.readouterr().out.splitlines()[5].endswith("  -")


def test_nothing_held_out(folder, capsys):
    assert distill(*ADULT, "--out", "s.skd", "--json", "--test-fraction", "0") == 0
    found = result(capsys)
    assert (found["rows_train"], found["rows_test"], found["quality"]) == (800, 0, [])
    assert distill(*ADULT, "--out", "s.skd", "--test-fraction", "0") == 0
    assert "accuracy" not in capsys.readouterr().out


def test_same_seed_same_bytes(folder):
    for name, seed in [("a.skd", 1), ("b.skd", 1), ("c.skd", 2)]:
        assert distill(*ADULT, "--out", name, "--seed", seed) == 0
    a, b, c = ((folder / name).read_bytes() for name in ("a.skd", "b.skd", "c.skd"))
    assert a == b != c


def save_boosters(numbers, labels):
    X, y = numbers[NUMBERS], numbers["y"]
    lightgbm.LGBMClassifier(**FAST).fit(X, y).booster_.save_model("t.txt")
    xgboost.XGBClassifier(n_estimators=20, n_jobs=1).fit(X, y).save_model("t.ubj")
    numbers.assign(y=np.array(labels)[y]).to_parquet("numbers.parquet")


@pytest.mark.parametrize("teacher", ["t.txt", "t.ubj"])
def test_a_native_model_is_used_as_it_is(teacher, numbers, capsys):
    save_boosters(numbers, [0, 1])
    # In another order, and named anew.
    numbers[["y", *NUMBERS[::-1]]].to_parquet("numbers.parquet")
    assert distill("--teacher", teacher, *SIMPLE, "--json") == 0
    found = result(capsys)
    assert found["quality"][1]["agreement"] > 0.9
    assert [c.name for c in load("s.skd").spec.columns] == NUMBERS


@pytest.mark.parametrize("classes", [None, "no,yes", "yes,no"])
def test_the_classes_of_a_native_model(classes, numbers, capsys):
    save_boosters(numbers, ["no", "yes"] if classes != "yes,no" else ["yes", "no"])
    arguments = ["--classes", classes] if classes else []
    assert distill("--teacher", "t.txt", *SIMPLE, "--json", *arguments) == 0
    output, error = capsys.readouterr()
    assert ("in this order" in error) == (classes is None)
    found = json.loads(output)
    assert found["classes"] == ["no", "yes"]
    assert found["quality"][0]["accuracy"] > 0.75
    assert found["quality"][1]["agreement"] > 0.9


def test_a_class_without_a_row_is_of_the_type_of_the_others(numbers, capsys):
    labels = np.arange(len(numbers)) % 3
    model = lightgbm.LGBMClassifier(**FAST).fit(numbers[NUMBERS], labels)
    model.booster_.save_model("t.txt")
    table = numbers.assign(y=10 * labels + 10)
    table[labels < 2].to_parquet("numbers.parquet")
    line = "--teacher", "t.txt", "--classes", "10,20,30"
    assert distill(*line, *SIMPLE, "--json") == 0
    assert result(capsys)["classes"] == ["10", "20", "30"]
    assert load("s.skd").classes_.tolist() == [10, 20, 30]


@pytest.mark.parametrize("suffix", ["joblib", "pkl"])
def test_a_pickled_teacher_needs_trust(suffix, numbers, told, capsys):
    teacher = make_pipeline(StandardScaler(), LogisticRegression())
    teacher.fit(numbers[NUMBERS], numbers["y"])
    if suffix == "joblib":
        joblib.dump(teacher, "t.joblib")
    else:
        with open("t.pkl", "wb") as file:
            pickle.dump(teacher, file)
    assert distill("--teacher", f"t.{suffix}", *SIMPLE) == 2
    assert "run whatever code" in told()
    assert distill("--teacher", f"t.{suffix}", "--trust", *SIMPLE, "--json") == 0
    found = result(capsys)
    assert found["teacher"] == "LogisticRegression"
    assert found["quality"][1]["agreement"] > 0.9


def test_an_untrusted_pickle_is_not_opened(numbers, folder, told):
    class Harmful:
        def __reduce__(self):
            return open, ("harm", "w")

    joblib.dump(Harmful(), "t.joblib")
    assert distill("--teacher", "t.joblib", *SIMPLE) == 2
    assert "--trust" in told()
    assert not (folder / "harm").exists()


def test_a_teacher_that_is_fitted_anew(numbers, capsys):
    joblib.dump(RandomForestClassifier(10, random_state=0), "t.joblib")
    arguments = ["--teacher", "t.joblib", "--trust", "--json", *SIMPLE]
    assert distill(*arguments, "--refit", "--save-model", "model.joblib") == 0
    found = result(capsys)
    assert found["teacher"] == "RandomForestClassifier"
    model = joblib.load("model.joblib")
    assert len(model.teacher_.estimators_) == 10
    assert not hasattr(model.teacher, "estimators_")
    X = numbers[NUMBERS]
    scores = load("s.skd").predict_proba(X)
    np.testing.assert_allclose(model.predict_proba(X), scores, atol=1e-5)


@pytest.mark.parametrize("steps", [[], [StandardScaler()]])
def test_a_teacher_is_called_what_it_was_given_as(steps, numbers, capsys):
    """Even if its labels had to be made into numbers for it."""
    numbers.assign(y=np.array(["no", "yes"])[numbers["y"]]).to_parquet(
        "numbers.parquet"
    )
    xgb = xgboost.XGBClassifier(n_estimators=5, n_jobs=1)
    joblib.dump(make_pipeline(*steps, xgb) if steps else xgb, "t.joblib")
    line = ["--teacher", "t.joblib", "--trust", "--refit", *SIMPLE]
    line += ["--save-model", "m.joblib", "--report", "r.html"]
    assert distill(*line) == 0
    output = capsys.readouterr().out
    assert output.startswith("XGBClassifier -> ")
    assert "\nXGBClassifier " in output
    assert "CodingClassifier" not in output
    page = Path("r.html").read_text()
    assert ("Pipeline" if steps else "XGBClassifier") in page
    assert "CodingClassifier" not in page
    model = joblib.load("m.joblib")
    with pytest.raises(ValueError, match="Got the columns") as caught:
        classifier_log_odds(model.teacher_, numbers[NUMBERS[::-1]], model.classes_)
    assert "CodingClassifier" not in str(caught.value)


BAD = [
    ("--data no.csv", 1, "No such file"),
    ("--data rows.txt", 1, "expected a .csv or .parquet"),
    ("--data .", 1, "expected a .csv or .parquet"),
    ("--data folder.parquet", 1, "folder"),
    ("--data empty.csv", 1, "empty.csv cannot be read: No columns"),
    ("--data utf16.csv", 1, "utf16.csv cannot be read: expected UTF-8"),
    ("--data torn.parquet", 1, "torn.parquet"),
    ("--data dates.parquet", 1, "Column 'when' holds Datetime"),
    ("--data header.csv", 1, "Got 0 rows"),
    ("--target nothing", 1, "Got the target 'nothing'"),
    ("--target age", 1, "or add --regression"),
    ("--target race", 1, "only 1 row, but expected at least 2 of each"),
    ("--weights income", 1, "weights of type"),
    ("--weights no", 1, "Got the weights 'no'"),
    ("--drop no", 1, "Got the column to drop 'no'"),
    ("--drop income", 2, "expected other columns than the target"),
    ("--out student.zip", 2, "ends in one of .skd"),
    ("--out no/student.skd", 1, "there is no folder"),
    ("--temperature -1", 2, "Got --temperature -1.0, but expected a number above 0"),
    ("--temperature 0", 2, "Got --temperature 0.0"),
    ("--temperature nan", 2, "Got --temperature nan"),
    ("--alpha 2", 2, "Got --alpha 2.0, but expected a number from 0 to 1"),
    ("--cv 1", 2, "Got --cv 1, but expected 2 folds or more"),
    ("--seed -1", 2, "Got --seed -1"),
    ("--seed 4294967296", 2, "Got --seed 4294967296"),
    ("--report r.txt", 2, "Got --report r.txt, but expected a file that ends in .html"),
    ("--report no/r.html", 1, "there is no folder"),
    ("--test-fraction 1", 2, "less than 1"),
    ("--test-fraction .01", 1, "2 classes, which --test-fraction 0.01 splits into 1"),
    ("--test-fraction .99", 1, "a row of each class in both"),
    ("--test no.csv", 1, "No such file"),
    ("--test-fraction 0 --report r.html", 2, "held-out"),
    ("--refit", 2, "--refit is for a --teacher"),
    ("--classes a,b", 2, "--classes are those"),
    ("--teacher rows.csv", 2, "ends in one of .joblib"),
    ("--teacher no.txt", 1, "No such file"),
    ("--teacher rows.txt", 1, "expected a model that LightGBM saved"),
    ("--teacher rows.json", 1, "rows.json"),
    ("--teacher object.json", 1, "Got object.json, which is no model of XGBoost"),
    ("--save-model s.skd", 2, "Got --save-model s.skd, which --out is as well"),
    ("--save-model t.txt --teacher t.txt", 2, "--save-model t.txt, which is read"),
    ("--save-model ../{}/rows.parquet", 2, "rows.parquet, which is read as well"),
    ("--teacher cut.txt", 1, "cut.txt, which is damaged"),
    ("--teacher garbled.txt", 1, "garbled.txt, which is damaged"),
    ("--teacher t.txt --refit", 2, "does not say how"),
    ("--teacher t.txt --classes <=50K,>50K", 1, "without the teacher's columns"),
    ("--teacher t.txt --classes a", 1, "2 different labels"),
    ("--teacher no.joblib --trust", 1, "No such file"),
    ("--teacher broken.joblib --trust", 1, "cannot be unpickled"),
    ("--teacher list.joblib --trust", 1, "expected a classifier"),
    ("--teacher unfitted.joblib --trust", 1, "add --refit"),
]


@pytest.fixture(scope="module")
def bad_files(tmp_path_factory, table):
    folder = tmp_path_factory.mktemp("bad")
    table.iloc[:100].to_parquet(folder / "rows.parquet")
    table.iloc[:0].to_csv(folder / "header.csv")
    X = pd.DataFrame({"other": np.arange(100.0)})
    booster = lightgbm.LGBMClassifier(**FAST).fit(X, X["other"] > 50).booster_
    booster.save_model(folder / "t.txt")
    text = (folder / "t.txt").read_text()
    (folder / "cut.txt").write_text(text[:300])
    # Without its leaves a tree ends LightGBM's process.
    (folder / "garbled.txt").write_text(text.replace("leaf_value=", "x="))
    (folder / "utf16.csv").write_text("income,age", encoding="utf-16")
    (folder / "torn.parquet").write_text("PAR1")
    (folder / "object.json").write_text("{}")
    times = pd.date_range("2020-01-01", periods=100)
    table.iloc[:100].assign(when=times).to_parquet(folder / "dates.parquet")
    for name in ("empty.csv", "rows.txt", "rows.csv", "rows.json"):
        (folder / name).touch()
    (folder / "broken.joblib").write_bytes(b"\x80\x04no pickle")
    joblib.dump([1, 2], folder / "list.joblib")
    joblib.dump(LogisticRegression(), folder / "unfitted.joblib")
    (folder / "folder.parquet").mkdir()
    return folder


@pytest.mark.parametrize(("line", "code", "message"), BAD)
def test_mistakes_are_told_in_a_line(line, code, message, bad_files, monkeypatch, told):
    monkeypatch.chdir(bad_files)
    before = sorted(bad_files.iterdir())
    arguments = {"--data": "rows.parquet", "--target": "income", "--out": "s.skd"}
    words = line.format(bad_files.name).split()
    arguments = [w for pair in arguments.items() if pair[0] not in words for w in pair]
    assert distill("--quiet", *arguments, "--drop", "id", *words) == code
    assert message in told()
    assert sorted(bad_files.iterdir()) == before


@pytest.mark.parametrize("suffix", ["onnx", "skd"])
def test_what_onnx_needs_is_told_before_the_fit(suffix, folder, monkeypatch, told):
    find_spec = importlib.util.find_spec
    missing = {"onnxruntime": None}
    monkeypatch.setattr(
        "importlib.util.find_spec",
        lambda name, *rest: missing.get(name, name) and find_spec(name, *rest),
    )
    monkeypatch.setattr("skdistill.DistilledClassifier.fit", None)
    assert distill(*ADULT, "--out", f"s.{suffix}") == 1
    hint = "s.onnx needs onnxruntime: pip install 'skdistill[onnx]'"
    assert (hint in told()) == (suffix == "onnx")


def test_many_whole_numbers_may_not_be_meant_as_classes(folder, capsys):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=600), "y": np.arange(600) % 60})
    frame.to_parquet("counts.parquet")
    line = ["--data", "counts.parquet", "--target", "y", "--out", "s.skd"]
    assert distill(*line) == 0
    error = capsys.readouterr().err
    assert "60 different whole numbers" in error
    assert "say --regression" in error
    frame.assign(y=frame["y"] % 3).to_parquet("counts.parquet")
    assert distill(*line) == 0
    assert "--regression" not in capsys.readouterr().err


def test_columns_that_the_teacher_does_not_know(numbers, told):
    save_boosters(numbers, [0, 1])
    numbers.assign(extra=1.0).to_parquet("numbers.parquet")
    assert distill("--teacher", "t.txt", *SIMPLE) == 1
    assert "the teacher does not know: --drop 'extra'" in told()


def test_labels_that_a_native_model_cannot_have(numbers, told):
    save_boosters(numbers, [0, 1])
    numbers.assign(y=np.arange(len(numbers)) % 3).to_parquet("numbers.parquet")
    assert distill("--teacher", "t.txt", *SIMPLE) == 1
    assert "for a teacher of 2 classes, but expected --classes" in told()


def test_missing_arguments_exit_with_2(told):
    with pytest.raises(SystemExit) as exit_:
        main(["distill", "--data", "rows.csv"])
    assert exit_.value.code == 2
    assert "--target, --out (see skdistill distill --help)" in told()


def test_a_report_beside_the_student(folder, capsys):
    assert distill(*ADULT, "--out", "s.skd", "--report", "r.html") == 0
    assert "r.html: " in capsys.readouterr().out
    assert "<html" in (folder / "r.html").read_text()
