"""Models that predict numbers, in every format."""

import shutil
import subprocess
from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_diabetes
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.tree import DecisionTreeRegressor

from skdistill import DistilledRegressor, RegressionTargets
from skdistill.export import ParityCertificate, compare, export
from skdistill.losses import PoissonLoss
from skdistill.runtime import ModelSpec, load, read_header
from skdistill.students import MLPStudentRegressor

X, y = load_diabetes(return_X_y=True)
FORMATS = [".skd", ".onnx", ".c"]


def without_classes(spec, link):
    predictor = spec.predictor
    if spec.averages:
        predictor = replace(predictor, probabilities=False)
    return ModelSpec(predictor, link=link)


def needs_compiler(suffix):
    if suffix == ".c" and shutil.which("cc") is None:
        pytest.skip("no C compiler 'cc'")


@pytest.mark.filterwarnings("ignore:overflow")
@settings(max_examples=12)
@given(
    seed=st.integers(0, 2**31),
    link=st.sampled_from(["identity", "log"]),
    is_network=st.booleans(),
)
@pytest.mark.parametrize("suffix", FORMATS)
def test_any_model_is_exported(
    suffix, seed, link, is_network, draw_network, draw_trees, tmp_path_factory
):
    needs_compiler(suffix)
    spec = without_classes((draw_network if is_network else draw_trees)(seed), link)
    path = tmp_path_factory.mktemp("files") / f"model{suffix}"
    # Exponentials turn absolute errors of sums into relative ones.
    certificate = export(spec, path, tolerance=1e-4 if link == "log" else 1e-5)
    assert certificate.label_flips == 0
    assert path.exists()


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize(
    "student",
    [
        MLPStudentRegressor((16, 8), n_steps=50),
        DecisionTreeRegressor(max_leaf_nodes=16),
        RandomForestRegressor(5, max_depth=3),
    ],
    ids=["mlp", "tree", "forest"],
)
def test_distilled_models_are_exported(student, suffix, tmp_path):
    needs_compiler(suffix)
    model = DistilledRegressor(
        Ridge(), student, augmenter=None, cv=3, random_state=0
    ).fit(X, y)
    path = tmp_path / f"model{suffix}"
    certificate = model.export(path, X)
    assert certificate.largest < 1e-5
    rows = X.astype(np.float32)
    expected = model.predict(rows.astype(np.float64))
    if suffix == ".skd":
        np.testing.assert_allclose(load(path).predict(rows), expected, rtol=1e-5)
        found = read_header(path)["certificate"]
        assert ParityCertificate.from_dict(found) == certificate
    if suffix == ".onnx":
        session = onnxruntime.InferenceSession(path)
        assert [output.name for output in session.get_outputs()] == ["predictions"]
        (found,) = session.run(None, {"input": rows})
        np.testing.assert_allclose(found[:, 0], expected, rtol=1e-4)
    if suffix == ".c":
        source = path.read_text()
        assert "void model_predict(const float *row, float *predictions)" in source
        assert "#define MODEL_N_OUTPUTS 1" in source
        assert "Classes" not in source


@pytest.mark.parametrize("link", ["identity", "log"])
def test_the_source_is_strict_and_clean(link, draw_network, draw_trees, tmp_path):
    needs_compiler(".c")
    for number, draw in enumerate([draw_network, draw_trees]):
        spec, path = without_classes(draw(3), link), tmp_path / f"m{number}.c"
        export(spec, path, tolerance=1e-4)
        flags = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-c"]
        subprocess.run(
            [shutil.which("cc"), *flags, str(path), "-o", str(path) + ".o"], check=True
        )


@pytest.mark.parametrize("suffix", FORMATS)
def test_several_outputs_and_logarithms(suffix, tmp_path):
    needs_compiler(suffix)
    both = np.column_stack([y, 1e4 * y**2])
    student = MLPStudentRegressor((16,), n_steps=100, random_state=0)
    student.fit(X, RegressionTargets(both, loss=PoissonLoss()))
    assert export(student.to_spec(), tmp_path / f"m{suffix}", X).largest < 1e-5


def test_differences_are_shares_of_the_largest_number():
    expected = np.array([[1e6, 1.0], [-2e6, 0.5]])
    found = compare(expected, expected + np.array([2.0, 1e-6]), is_regressor=True)
    assert found.largest == pytest.approx(1e-6)
    assert found.label_flips == 0
    with pytest.raises(ValueError, match=r"a number of .* of output 1 in row"):
        compare(expected, expected + np.array([2.0, 1e-3]), is_regressor=True)
    assert compare(np.zeros((2, 1)), np.zeros((2, 1)), is_regressor=True).largest == 0
    with pytest.raises(ValueError, match="Got numbers of shape"):
        compare(expected, expected[:1], is_regressor=True)
    infinite = np.full((1, 1), np.inf)
    with pytest.raises(ValueError, match="a number of inf"):
        compare(infinite, infinite, is_regressor=True)


def test_what_cannot_be_converted_is_an_error(tmp_path):
    model = DistilledRegressor(Ridge(), LinearRegression(), augmenter=None).fit(X, y)
    with pytest.raises(TypeError, match=r"Got sklearn\.LinearRegression"):
        model.export(tmp_path / "m.skd")
    assert not list(tmp_path.iterdir())
