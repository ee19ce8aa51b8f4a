import json
from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx.reference import ReferenceEvaluator

from skdistill._columns import read_columns
from skdistill.export import ParityCertificate, export_onnx, parity_rows
from skdistill.export._onnx import _cells

seeds = st.integers(0, 2**32 - 1)


def run(path, spec, X):
    """Labels and probabilities of a table by ONNX Runtime, fed as users would."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    if isinstance(X, np.ndarray):
        feed = {"input": X.astype(np.float32)}
    else:
        feed = {
            c.name: X[c.name].to_numpy(np.float32)[:, None]
            if c.is_numeric
            else X[c.name]
            .astype(object)
            .where(X[c.name].notna(), "")
            .to_numpy()[:, None]
            for c in spec.columns
        }
    return session.run(["label", "probabilities"], feed)


def as_float32(X):
    if isinstance(X, np.ndarray):
        return X.astype(np.float32)
    numbers = X.select_dtypes("float").columns
    return X.astype(dict.fromkeys(numbers, np.float32))


def test_onnx_runtime_computes_what_the_student_does(student, tmp_path):
    model, X = student
    spec, path = model.to_spec(), tmp_path / "model.onnx"
    certificate = export_onnx(spec, path, X)
    assert certificate.largest <= 1e-5
    label, probabilities = run(path, spec, X)
    X = as_float32(X)
    values = np.stack(read_columns(X, spec.columns), axis=1)
    expected = spec.probabilities(values)
    np.testing.assert_allclose(probabilities, expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose(expected, model.predict_proba(X), rtol=0, atol=1e-6)
    clear = np.abs(np.diff(np.sort(expected)[:, -2:]))[:, 0] > 1e-5
    predicted = model.predict(X)
    if label.dtype == object:
        predicted = predicted.astype(str)
    np.testing.assert_array_equal(label[clear], predicted[clear])


def test_onnx_runtime_computes_what_a_forest_does(forest, tmp_path):
    model, spec, X = forest
    assert export_onnx(spec, tmp_path / "model.onnx", X).largest < 1e-6
    rows = parity_rows(spec, X).astype(np.float32)
    label, probabilities = run(tmp_path / "model.onnx", spec, rows)
    expected = model.predict_proba(rows)
    np.testing.assert_allclose(probabilities, expected, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(label, model.classes_[probabilities.argmax(axis=1)])


def test_the_schema_is_what_users_of_onnx_runtime_expect(student, tmp_path):
    model, X = student
    path = tmp_path / "model.onnx"
    export_onnx(model.to_spec(), path, X)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    inputs = {i.name: (i.type, i.shape) for i in session.get_inputs()}
    if isinstance(X, np.ndarray):
        assert inputs == {"input": ("tensor(float)", [None, 4])}
    else:
        assert list(inputs) == list(X.columns)
        assert inputs["flag"] == ("tensor(float)", [None, 1])
        assert inputs["city"] == ("tensor(string)", [None, 1])
    label, probabilities = session.get_outputs()
    assert (label.name, label.shape) == ("label", [None])
    assert (probabilities.name, probabilities.type, probabilities.shape) == (
        "probabilities",
        "tensor(float)",
        [None, len(model.classes_)],
    )
    whole = model.classes_.dtype.kind in "ib" or model.classes_[0] == 1.0
    assert label.type == ("tensor(int64)" if whole else "tensor(string)")


def test_a_graph_takes_any_number_of_rows(student, tmp_path):
    model, X = student
    spec, path = model.to_spec(), tmp_path / "model.onnx"
    export_onnx(spec, path)
    whole = run(path, spec, X[:5])[1]
    for n_rows in (0, 1, 5):
        probabilities = run(path, spec, X[:n_rows])[1]
        np.testing.assert_allclose(probabilities, whole[:n_rows], rtol=0, atol=1e-6)


@pytest.mark.filterwarnings("ignore:overflow")
@given(seed=seeds)
def test_any_network_is_exported(seed, draw_network, tmp_path_factory):
    spec = draw_network(seed)
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    export_onnx(spec, path)


@given(seed=seeds)
def test_any_trees_are_exported(seed, draw_trees, tmp_path_factory):
    spec = draw_trees(seed)
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    assert export_onnx(spec, path).largest < 3e-6


def test_a_class_that_is_no_text_is_refused(iris_spec, tmp_path):
    spec = replace(iris_spec, classes=np.array(["a", "b", "\ud800"]))
    with pytest.raises(ValueError, match=r"Got the class '\\ud800', but expected"):
        export_onnx(spec, tmp_path / "model.onnx")


def test_the_metadata_say_what_the_file_is(iris_spec, tmp_path):
    path = tmp_path / "model.onnx"
    certificate = export_onnx(iris_spec, path)
    model = onnx.load(path)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    assert metadata["producer"].startswith("skdistill ")
    assert json.loads(metadata["classes"]) == [0, 1, 2]
    found = ParityCertificate.from_dict(json.loads(metadata["parity_certificate"]))
    assert found == certificate
    assert str(tmp_path).encode() not in path.read_bytes()


def test_the_same_model_is_the_same_file(iris_spec, tmp_path):
    first, second = tmp_path / "a.onnx", tmp_path / "b.onnx"
    export_onnx(iris_spec, first)
    export_onnx(iris_spec, second)
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("seed", range(8))
def test_the_reference_of_onnx_agrees(seed, draw_network, draw_trees, tmp_path):
    # The files are no dialect that ONNX Runtime alone understands.
    for spec in (draw_network(seed), draw_trees(seed)):
        export_onnx(spec, tmp_path / "model.onnx")
        model = onnx.load(tmp_path / "model.onnx")
        rows = parity_rows(spec, n_rows=20)[:60]
        reference = ReferenceEvaluator(model)
        session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
        names = {i.name for i in session.get_inputs()}
        feed = {"input": rows.astype(np.float32)}
        if names != {"input"}:
            feed = {
                column.name: _cells(column, rows[:, j])[:, None]
                for j, column in enumerate(spec.columns)
            }
        got = reference.run(["probabilities"], feed)[0]
        expected = session.run(["probabilities"], feed)[0]
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-5)
