"""Dependencies point one way, asserted from the source."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "skdistill"

LAYERS = [
    {"_version", "_progress"},
    {"runtime"},
    {"_parameters"},
    {"losses", "datasets"},
    {"targets", "_regression_targets", "_columns"},
    {"conversion"},
    {"_kinds"},
    {"_compiled", "_frequencies"},
    {"export"},
    {"_validation", "_log_odds", "_fitting"},
    {"augmentation"},
    {"teachers", "students"},
    {"_labelled", "_metadata", "_student_columns"},
    {"_task"},
    {"_distilled_base"},
    {"_distilled", "_distilled_regressor"},
    {"_distilled_cv"},
    {"inspection"},
    {"_default_teacher"},
    {"_demo"},
    {"cli"},
]
"""Each unit may import from the layers above its own line, and from itself."""

RESTRICTED = {
    "torch": {"losses/_torch.py", "students/_torch"},
    "skorch": {"students/_torch"},
    "lightgbm": {
        "_default_teacher.py",
        "_kinds/_of_lightgbm.py",
        "students/_boosted.py",
        "teachers/_booster.py",
    },
    "catboost": {"_kinds/_of_catboost.py"},
    "xgboost": {"_kinds/_of_xgboost.py", "teachers/_booster.py"},
    "pandas": {
        "datasets/_loaders.py",
        "inspection/_comparison.py",
        "cli/_tables.py",
    },
    "pyarrow": {
        "cli/_arrow.py",
        "cli/_reading.py",
        "cli/_scoring.py",
        "cli/_writing.py",
    },
    "narwhals": {"_columns.py"},
    "tqdm": {"_progress.py"},
    "matplotlib": {
        "inspection/_plotting.py",
        "inspection/_figures.py",
        "inspection/_page.py",
    },
    "jinja2": {"inspection/_page.py"},
    "onnx": {"export/_onnx.py"},
    "onnxruntime": {"export/_onnx.py"},
}

FILES = sorted(PACKAGE.rglob("*.py"))


def imports(path):
    """Absolute names of the modules that a file imports."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = list(parts[: len(parts) - node.level]) if node.level else []
            if node.module:
                yield ".".join([*base, node.module])
            else:
                yield from (".".join([*base, alias.name]) for alias in node.names)


def unit(name):
    return name.split(".")[1] if "." in name else ""


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_dependencies_point_one_way(path):
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if own == "__init__":
        return
    layer = {name: depth for depth, names in enumerate(LAYERS) for name in names}
    assert own in layer, f"{own} has no layer: decide where it belongs"
    for name in imports(path):
        if name.startswith("skdistill.") and unit(name) != own:
            assert layer[unit(name)] < layer[own], f"{path.name} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_optional_libraries_stay_in_their_files(path):
    own = path.relative_to(PACKAGE).as_posix()
    for name in imports(path):
        allowed = RESTRICTED.get(name.split(".")[0], {own})
        folder = own.rpartition("/")[0]
        assert {own, folder} & allowed, f"{own} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_private_name_of_scikit_learn(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
            "sklearn"
        ):
            private = [a.name for a in node.names if a.name.startswith("_")]
            assert not private, f"{path.name} imports {private}"
            assert "._" not in node.module


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_files_and_functions_are_short(path):
    source = path.read_text()
    assert source.count("\n") <= 500
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            docstring = ast.get_docstring(node, clean=False) or ""
            length = node.end_lineno - node.lineno - docstring.count("\n")
            assert length <= 60, f"{node.name} has {length} lines"


def test_the_runtime_needs_numpy_only():
    code = (
        "import sys, numpy\n"
        "before = set(sys.modules)\n"
        "import skdistill.runtime\n"
        "new = {name.split('.')[0] for name in set(sys.modules) - before}\n"
        "foreign = new - set(sys.stdlib_module_names) - {'skdistill'}\n"
        # Compiled code makes modules of its own that are no files of any library.
        "foreign = {name for name in foreign if sys.modules[name].__spec__}\n"
        "assert not foreign, foreign\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_importing_the_package_imports_nothing_heavy():
    code = (
        "import sys, skdistill\n"
        "heavy = {'torch', 'skorch', 'lightgbm', 'pandas', 'sklearn', 'scipy'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_main_classes_need_no_optional_library():
    code = (
        "import sys, sklearn.base\n"
        "before = set(sys.modules)\n"
        "from skdistill import DistilledClassifier, SoftTargets\n"
        "from skdistill.students import MLPStudentClassifier\n"
        "new = {name.split('.')[0] for name in set(sys.modules) - before}\n"
        "assert not {'torch', 'skorch', 'lightgbm', 'pandas', 'polars'} & new, new\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_public_names_exist():
    import skdistill
    import skdistill.losses

    for module in (skdistill, skdistill.losses):
        assert set(module.__all__) == set(dir(module))
        for name in module.__all__:
            assert getattr(module, name) is not None
        with pytest.raises(AttributeError, match="nonsense"):
            module.nonsense  # noqa: B018 - the access is the test
