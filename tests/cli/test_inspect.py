import json

import numpy as np
import pandas as pd
import pytest

from skdistill.cli import main
from skdistill.runtime import save
from skdistill.students import MLPStudentClassifier, TreeStudentClassifier


def inspect(path, capsys, *arguments):
    assert main(["inspect", str(path), *arguments]) == 0
    output, error = capsys.readouterr()
    assert error == ""
    return output


@pytest.fixture
def network(tmp_path, rng):
    X = pd.DataFrame({"a": rng.normal(size=100), "b": rng.choice(["x", "y"], 100)})
    X["c"] = np.nan
    student = MLPStudentClassifier((8, 4), n_steps=10, random_state=0)
    spec = student.fit(X, X["a"] > 0).to_spec()
    certificate = {"rows": 10, "largest": 1e-7, "mean": 1e-8, "label_flips": 0}
    save(spec, tmp_path / "m.skd", {**certificate, "tolerance": 1e-5})
    return tmp_path / "m.skd", X, spec


def test_a_network_for_machines(network, capsys):
    path, X, spec = network
    found = json.loads(inspect(path, capsys, "--json"))
    assert found["bytes"] == path.stat().st_size
    assert found["classes"] == [False, True]
    weights = [*spec.predictor.weights, *spec.predictor.biases]
    layers = found["predictor"]["layers"]
    assert layers[1:] == [8, 4, 1]
    assert found["predictor"]["weights"] == sum(array.size for array in weights)
    assert found["certificate"]["rows"] == 10
    a, b, c = found["columns"]
    assert (a["kind"], a["low"], a["high"]) == ("number", X["a"].min(), X["a"].max())
    assert b == {"name": "b", "kind": "category", "levels": ["x", "y"]}
    assert (c["low"], c["high"]) == (None, None)


def test_a_network_for_people(network, capsys):
    path, X, _ = network
    output = inspect(path, capsys)
    assert f"{path}: " in output
    assert "-8-4-1, " in output
    assert "False, True" in output
    assert "10 rows compared" in output
    assert f"{X['a'].min():g} to {X['a'].max():g}" in output
    assert "2 categories: x, y" in output
    assert "all missing" in output


def test_a_tree(files, student, capsys):
    output = inspect(files / "student.skd", capsys)
    assert "1 tree, 15 nodes, 16 leaves" in output
    assert "any number" in output
    assert "{'rows': 7}" in output  # a certificate of somebody else's
    found = json.loads(inspect(files / "student.skd", capsys, "--json"))
    assert found["predictor"]["leaves"] == 16
    names = [column["name"] for column in found["columns"]]
    assert names == student.feature_names_in_.tolist()


def test_many_classes(letter, tmp_path, capsys):
    student = TreeStudentClassifier(random_state=0).fit(*letter)
    save(student.to_spec(), tmp_path / "m.skd")
    output = inspect(tmp_path / "m.skd", capsys)
    assert "A, B, C, D, E, F, ...\n" in output
    assert "none: the file was not compared" in output


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "No such file"), (b"", "file of 0 bytes"), (b"PK" * 99, "zip")],
)
def test_what_is_no_student(content, message, tmp_path, told):
    path = tmp_path / "m.skd"
    if content is not None:
        path.write_bytes(content)
    assert main(["inspect", str(path)]) == 1
    assert message in told()


def test_a_folder_is_no_student(tmp_path, told):
    assert main(["inspect", str(tmp_path)]) == 1
    assert "Is a directory" in told()


def test_a_student_of_another_format(tmp_path, told):
    path = tmp_path / "s.onnx"
    path.touch()
    assert main(["inspect", str(path)]) == 2
    assert "s.onnx, but expected one that was exported as .skd" in told()
