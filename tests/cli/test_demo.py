import json
import subprocess
import sys
from importlib.metadata import entry_points

import numpy as np
import pytest

from skdistill import _demo, cli
from skdistill._demo import Settings

TINY = Settings(n_estimators=10, max_rows=600, cv=3, n_steps=200)


@pytest.fixture
def table(tmp_path, adult):
    X, y = adult
    frame = X.iloc[:600].assign(income=y[:600])
    frame.loc[0, "income"] = None
    frame.to_csv(tmp_path / "table.csv", index=False)
    frame.to_parquet(tmp_path / "table.parquet")
    return tmp_path / "table"


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(_demo, "QUICK", TINY)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_demo_runs_on_a_users_table(table, suffix, small, capsys):
    path = str(table.with_suffix(suffix))
    code = cli.main(["demo", "--data", path, "--target", "income", "--quick", "--json"])
    output, progress = capsys.readouterr()
    assert code == 0
    result = json.loads(output)
    assert result["rows_train"] + result["rows_test"] == 599
    teacher, *students = result["scores"]
    assert teacher["agreement"] == 1
    assert 0.8 < teacher["skill_retention"] <= 1
    assert [s["trained_on"] for s in students] == ["teacher + labels", "labels"] * 2
    for score in result["scores"]:
        assert 0.5 < score["accuracy"] <= 1
        assert 0 < score["log_loss"] < 1
        assert min(score["size_kb"], score["one_row_us"], score["rows_per_second"]) > 0
    assert "fitting LGBMClassifier: 4/4 fits" in progress
    assert "rows without a label are not used" in progress


def test_demo_prints_a_table(small, capsys):
    assert cli.main(["demo", "--quick"]) == 0
    header, blank, headings, rule, *rows = capsys.readouterr().out.splitlines()
    assert header.startswith("LightGBM, 10 trees; 450 rows to learn from, 150 held out")
    assert blank == ""
    for heading in ("accuracy", "log-loss", "AUC", "agreement", "size kB", "rows/s"):
        assert heading in headings
    assert set(rule) == {"-", " "}
    assert len(rows) == 5


def test_demo_takes_many_classes(small, tmp_path, letter, capsys):
    X, y = letter
    X.assign(letter=y).to_parquet(tmp_path / "letter.parquet")
    arguments = ["--data", str(tmp_path / "letter.parquet"), "--target", "letter"]
    assert cli.main(["demo", "--quick", "--json", *arguments]) == 0
    assert len(json.loads(capsys.readouterr().out)["classes"]) == 26


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "missing.csv", "--target", "y"], "missing.csv"),
        (["--data", "table.xlsx", "--target", "y"], "expected a .csv or .parquet"),
        (["--data", "{table}.csv", "--target", "y"], "Got the target 'y'"),
        (["--data", "{table}.csv", "--target", "fnlwgt"], ""),
    ],
)
def test_mistakes_are_told_in_a_line(arguments, message, table, small, capsys):
    arguments = [argument.format(table=table) for argument in arguments]
    assert cli.main(["demo", "--quick", *arguments]) == 1
    output, error = capsys.readouterr()
    assert output == ""
    assert error.splitlines()[-1].startswith("skdistill: ")
    assert message in error


@pytest.mark.parametrize("arguments", [["--data", "table.csv"], ["--target", "y"]])
def test_arguments_that_go_together(arguments, small, capsys):
    assert cli.main(["demo", "--quick", *arguments]) == 2
    assert "--data and --target go together" in capsys.readouterr().err


def test_names_that_lightgbm_refuses(tmp_path, small, capsys, adult):
    X, y = adult
    table = X.rename(columns={"age": "age [years]"}).assign(income=y)
    table.to_parquet(tmp_path / "table.parquet")
    path = str(tmp_path / "table.parquet")
    assert cli.main(["demo", "--quick", "--data", path, "--target", "income"]) == 0
    assert "LightGBM" in capsys.readouterr().out


def test_too_few_rows_are_refused():
    with pytest.raises(ValueError, match="Got 50 rows"):
        _demo.run_demo(np.zeros((50, 2)), np.arange(50) % 2, TINY)


def test_a_missing_library_is_named(monkeypatch, capsys):
    import importlib.util

    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name == "lightgbm" else find_spec(name, *rest),
    )
    assert cli.main(["demo", "--quick"]) == 1
    assert "needs lightgbm: pip install 'skdistill[demo]'" in capsys.readouterr().err


def test_wrong_arguments_exit_with_2():
    with pytest.raises(SystemExit) as exit_:
        cli.main(["distill-everything"])
    assert exit_.value.code == 2


def test_the_command_is_installed():
    (command,) = entry_points(group="console_scripts", name="skdistill")
    assert command.load() is cli.main
    version = subprocess.run(
        [sys.executable, "-c", "from skdistill.cli import main; main(['--version'])"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert version.stdout.strip() == "0.1.0"
