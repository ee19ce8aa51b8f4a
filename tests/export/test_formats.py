import errno
import os
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import skdistill.export._c_source as c_source
import skdistill.export._onnx as onnx_module
from skdistill.export import export, export_c, export_onnx
from skdistill.runtime import CategoryColumn, ModelSpec, NumberColumn

WRITERS = {".c": (export_c, c_source), ".onnx": (export_onnx, onnx_module)}

both = pytest.mark.parametrize("suffix", WRITERS)


@both
def test_the_suffix_decides(suffix, iris_spec, compiler, tmp_path):
    first, second = tmp_path / f"a{suffix}", tmp_path / f"b{suffix.upper()}"
    certificate = export(iris_spec, str(first))
    assert WRITERS[suffix][0](iris_spec, tmp_path / f"m{suffix}") == certificate
    assert export(iris_spec, second, tolerance=1e-4).tolerance == 1e-4
    assert sorted(tmp_path.iterdir()) == [first, second, tmp_path / f"m{suffix}"]


@pytest.mark.parametrize("name", ["model.pkl", "model", "c", ".onnx", "model.c.gz"])
def test_another_suffix_is_refused(name, iris_spec, tmp_path):
    message = r"Got the suffix '.*' of .*, but expected one of \['.c', '.onnx'"
    with pytest.raises(ValueError, match=message):
        export(iris_spec, tmp_path / name)
    assert not list(tmp_path.iterdir())


def tampered(write):
    """A writer that is handed another model than was asked for."""

    def write_another(*arguments):
        changed = []
        for argument in arguments:
            if hasattr(argument, "biases"):
                *biases, last = argument.biases
                last = last + np.float32([0.01, 0, 0])
                argument = replace(argument, biases=(*biases, last))
            elif hasattr(argument, "leaves"):
                # Only rows above the last threshold are wrong.
                leaves = argument.leaves.copy()
                leaves[-1, 0] += 0.01
                argument = replace(argument, leaves=leaves)
            changed.append(argument)
        return write(*changed)

    return write_another


@both
def test_a_file_that_differs_is_refused(
    suffix, iris_spec, compiler, tmp_path, monkeypatch
):
    module = WRITERS[suffix][1]
    name = {".c": "network_source", ".onnx": "add_network"}[suffix]
    monkeypatch.setattr(module, name, tampered(getattr(module, name)))
    path = tmp_path / f"model{suffix}"
    path.write_text("an older model")
    message = r"Got a probability of .* in row \d+ \(x0=.*\), but expected .* 1e-05"
    with pytest.raises(ValueError, match=message):
        export(iris_spec, path)
    assert path.read_text() == "an older model"
    assert list(tmp_path.iterdir()) == [path]
    assert export(iris_spec, path, tolerance=0.1).largest > 1e-4


@both
def test_one_wrong_leaf_is_found(suffix, tiny_trees, compiler, tmp_path, monkeypatch):
    module = WRITERS[suffix][1]
    name = {".c": "trees_source", ".onnx": "add_trees"}[suffix]
    path = tmp_path / f"model{suffix}"
    assert export(tiny_trees, path).largest < 1e-6
    path.unlink()
    monkeypatch.setattr(module, name, tampered(getattr(module, name)))
    with pytest.raises(ValueError, match=r"in row \d+ \(x=0.30000001192"):
        export(tiny_trees, path)
    assert not list(tmp_path.iterdir())


@both
def test_no_half_of_a_file_is_left(suffix, iris_spec, compiler, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="no space left"):
        export(iris_spec, tmp_path / f"model{suffix}")
    assert not list(tmp_path.iterdir())


@both
def test_a_folder_that_is_not_there_is_an_error(suffix, iris_spec, compiler, tmp_path):
    with pytest.raises(FileNotFoundError):
        export(iris_spec, tmp_path / "nowhere" / f"model{suffix}")
    assert not list(tmp_path.iterdir())


@both
@pytest.mark.parametrize("tolerance", [-1e-5, np.nan, np.inf, None, "1e-5"])
def test_a_wrong_tolerance_is_refused(suffix, tolerance, iris_spec, tmp_path):
    with pytest.raises(ValueError, match="Got tolerance="):
        export(iris_spec, tmp_path / f"model{suffix}", tolerance=tolerance)
    assert not list(tmp_path.iterdir())


@both
def test_another_table_is_refused(suffix, iris_spec, compiler, tmp_path):
    with pytest.raises(ValueError, match="Got X of shape"):
        export(iris_spec, tmp_path / f"model{suffix}", np.zeros((3, 3)))
    assert not list(tmp_path.iterdir())


@both
def test_what_float32_cannot_hold_is_refused(suffix, iris_spec, tmp_path):
    encoder = iris_spec.predictor.encoder
    far = replace(encoder.columns[0], fill=1e300)
    encoder = replace(encoder, columns=(far, *encoder.columns[1:]))
    network = replace(iris_spec.predictor, encoder=encoder)
    with pytest.raises(ValueError, match=r"Got 1e.300 as magnitude"):
        export(replace(iris_spec, predictor=network), tmp_path / f"model{suffix}")
    assert not list(tmp_path.iterdir())


def named(trees, *names):
    """Trees with columns of other names, one a category where two were numbers."""
    columns = (NumberColumn(names[0], 0.0, 1.0), CategoryColumn(names[1], ("a",)))
    return replace(trees, predictor=replace(trees.predictor, columns=columns))


@pytest.mark.parametrize("names", [("x", "x"), ("label", "x"), ("", "x")])
def test_names_that_inputs_cannot_have_are_refused(names, tiny_trees, tmp_path):
    with pytest.raises(ValueError, match=r"Got a column named .* Rename the column"):
        export(named(tiny_trees, *names), tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("names", [("input", "softmax_3"), ("\u00e4 b/c", "gather_1")])
def test_other_names_of_columns_are_those_of_inputs(names, tiny_trees, tmp_path):
    export(named(tiny_trees, *names), tmp_path / "model.onnx")


@pytest.mark.parametrize("missing", ["onnx", "onnxruntime"])
def test_without_its_libraries_the_extra_is_named(
    missing, iris_spec, tmp_path, monkeypatch
):
    monkeypatch.setitem(__import__("sys").modules, missing, None)
    with pytest.raises(ImportError, match=r"pip install 'skdistill\[onnx\]'"):
        export(iris_spec, tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


def test_importing_imports_none_of_the_libraries():
    import subprocess
    import sys

    code = (
        "import sys, skdistill.export\n"
        "heavy = {'onnx', 'onnxruntime', 'sklearn', 'scipy', 'torch'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@both
@pytest.mark.parametrize(("is_regressor", "what"), [(0, "probability"), (1, "number")])
def test_a_warning_says_what_rounding_moves(
    suffix, is_regressor, what, tiny_trees, compiler, tmp_path
):
    spec = ModelSpec(tiny_trees.predictor) if is_regressor else tiny_trees
    table = pd.DataFrame({"y": [1 / 3, 0.25], "x": [0.29999999, 0.1]})
    message = f"Got 0.29999999 in column 'x', .* the {what} .* 50.0% of the rows"
    with pytest.warns(UserWarning, match=message):
        export(spec, tmp_path / f"model{suffix}", table)
    export(spec, tmp_path / f"model{suffix}", table[1:])
    export(spec, tmp_path / "model.skd", table)


@both
@pytest.mark.parametrize("threshold", [1e39, -1e301])
def test_thresholds_beyond_float32_are_refused(
    suffix, threshold, tiny_trees, compiler, tmp_path
):
    trees = replace(tiny_trees.predictor, thresholds=np.array([0.0, threshold]))
    with pytest.raises(ValueError, match=r"Got -?1e\+3.* of column 'x', but expected"):
        export(replace(tiny_trees, predictor=trees), tmp_path / f"model{suffix}")
    assert not list(tmp_path.iterdir())
