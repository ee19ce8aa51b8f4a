"""What the pages in docs/ show is run, and what they name exists."""

import ast
import importlib
import pkgutil
import re
import shlex
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn
from lightgbm import LGBMClassifier
from sklearn.model_selection import GroupKFold, cross_validate

import skdistill
from skdistill import DistilledClassifier
from skdistill.cli import main
from skdistill.students import TreeStudentClassifier

ROOT = Path(__file__).parents[1]
GUIDE = sorted((ROOT / "docs").glob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *GUIDE]

RUN = ["quick_start.md", "how_it_works.md", "students.md", "temperature_and_alpha.md"]
"""Pages whose code stands by itself. Others are run by the tests of what they show."""

RESERVED = {"search", "genindex", "modindex", "py-modindex"}
"""Names of pages that Sphinx makes itself."""


def by_name(path):
    return path.name


def python_blocks(page):
    return re.findall(r"```python\n(.*?)```", page.read_text(), flags=re.DOTALL)


def run(page, namespace):
    for block in python_blocks(page):
        exec(compile(block, page.name, "exec"), namespace)
    return namespace


@pytest.mark.parametrize("name", RUN)
def test_python_blocks_run_in_order(name):
    page = ROOT / "docs" / name
    assert python_blocks(page)
    run(page, {})


def test_the_page_on_labels_routes_weights(rng):
    blocks = python_blocks(ROOT / "docs" / "labels.md")
    (block,) = [block for block in blocks if "set_score_request" in block]
    names = {name: getattr(skdistill, name) for name in skdistill.__all__}
    names |= {
        "LGBMClassifier": partial(LGBMClassifier, n_estimators=3, verbose=-1, n_jobs=1),
        "TreeStudentClassifier": TreeStudentClassifier,
        "cross_validate": cross_validate,
        "GroupKFold": GroupKFold,
        "X": rng.normal(size=(100, 3)),
        "y": np.arange(100) % 2,
        "w": rng.random(100),
        "g": np.arange(100) // 5,
    }
    with sklearn.config_context(enable_metadata_routing=True):
        exec(compile(block, "labels.md", "exec"), names)


def test_the_page_about_serving_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"age": rng.integers(18, 80, 200)})
    frame["workclass"] = rng.choice(["Private", "State-gov"], 200)
    y = np.where(
        frame["age"] + 20 * (frame["workclass"] == "Private") > 60, "yes", "no"
    )
    model = DistilledClassifier(
        TreeStudentClassifier(), TreeStudentClassifier(8), augmenter=None, cv=2
    )
    names = {"model": model.fit(frame, y), "X": frame, "frame": frame}
    run(ROOT / "docs" / "serving.md", names | {"array": np.array([[39.0, 0.0]])})
    assert {path.suffix for path in tmp_path.iterdir()} == {".skd", ".onnx", ".c"}


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_python_blocks_are_python_and_import_what_exists(page):
    for block in python_blocks(page):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    importlib.import_module(alias.name)
            elif isinstance(node, ast.ImportFrom):
                module = importlib.import_module(node.module)
                for alias in node.names:
                    assert hasattr(module, alias.name), f"{node.module}.{alias.name}"


def links(page):
    """Targets of links and images, apart from those in code."""
    text = re.sub(r"```.*?```|`[^`]*`", "", page.read_text(), flags=re.DOTALL)
    return re.findall(r"\]\(\s*([^)\s]+)\s*\)", text)


def anchors(page):
    """Anchors of the headings of a page, as code hosts and myst-parser make them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), flags=re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
    return {heading.strip().replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_relative_links_lead_somewhere(page):
    for link in links(page):
        if re.match(r"\w+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.is_relative_to(ROOT)
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_files_that_are_named_exist(page):
    folders = "benchmarks|docs|examples|skdistill|tests|[.]ci"
    for code in re.findall(r"`([^`\n]+)`", page.read_text()):
        if re.fullmatch(rf"(?:{folders})/[\w./*]*", code):
            assert list(ROOT.glob(code)), code


def code_of(page):
    """The code of a page: blocks, indented lines and spans, one command a line."""
    text = re.sub(r"\\\n\s*", " ", page.read_text()).replace(r"\|", "|")
    blocks = re.findall(r"```\w*\n(.*?)```", text, flags=re.DOTALL)
    indented = re.findall(r"^ {4}(\S.*)$", text, flags=re.MULTILINE)
    spans = re.findall(r"`([^`\n]+)`", text)
    return "\n".join([*blocks, *indented, *spans])


def commands(page, pattern):
    for program, rest in re.findall(pattern, code_of(page)):
        yield program, shlex.split(re.split(r"&&|;|#", rest)[0])


def literals(path):
    """Strings in a Python file."""
    nodes = ast.walk(ast.parse(path.read_text()))
    return {
        node.value
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


BENCHMARKS = r"(benchmarks/\w+\.py)(.*)"
PROGRAM = r"(?m)^(?:.*&& )?(skdistill) (\w.*)"
NAMED_MODELS = {"--teachers", "--students", "--baselines"}


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_benchmarks_have_the_options_that_pages_give_them(page):
    models = literals(ROOT / "benchmarks" / "retention_models.py")
    for script, arguments in commands(page, BENCHMARKS):
        known = literals(ROOT / script)
        option = ""
        for argument in arguments:
            if argument.startswith("--"):
                option = argument
                assert option in known, f"{script} {option}"
            elif option in NAMED_MODELS and "retention" in script:
                assert argument in models, f"{script} {option} {argument}"


def test_commands_are_found():
    """Otherwise the tests beside this one would pass whatever stood there."""
    demos = list(commands(ROOT / "docs" / "quick_start.md", PROGRAM))
    assert ["demo", "--data", "loans.csv", "--target", "default"] in [
        a for _, a in demos
    ]
    found = list(commands(ROOT / "docs" / "claims.md", BENCHMARKS))
    found += commands(ROOT / "docs" / "how_good.md", BENCHMARKS)
    scripts = {script for script, _ in found}
    assert {"benchmarks/retention.py", "benchmarks/scoring.py"} <= scripts
    retention = [a for script, a in found if script == "benchmarks/retention.py"]
    assert any("alpha=0.5|0.95|1" in arguments for arguments in retention)
    assert any("mlp 3x64" in arguments for arguments in retention)


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_commands_of_the_package_have_the_options_that_pages_give_them(page, capsys):
    for _, arguments in commands(page, PROGRAM):
        if arguments[0].isupper():  # stands for any of them
            continue
        with pytest.raises(SystemExit) as end:
            main([arguments[0], "--help"])
        assert end.value.code == 0, arguments
        words = set(re.findall(r"--[\w-]+", capsys.readouterr().out))
        options = {a.partition("=")[0] for a in arguments if a.startswith("--")}
        assert options <= words, arguments


def test_every_page_is_in_a_list_of_contents():
    lists = [(ROOT / "docs" / name).read_text() for name in ("index.md", "guide.md")]
    listed = {"index", *" ".join(lists).split()}
    assert {page.stem for page in GUIDE} <= listed


def test_no_page_has_the_name_of_one_that_sphinx_makes():
    """It would be overwritten without a word."""
    assert not {page.stem for page in GUIDE} & RESERVED


def test_names_of_the_package_in_pages_exist():
    """Of the form `skdistill.students.MLPStudentClassifier`, in spans of code."""
    for page in PAGES:
        for name in re.findall(r"`(skdistill(?:\.\w+)+)", page.read_text()):
            assert pkgutil.resolve_name(name) is not None
