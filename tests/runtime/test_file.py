import os
import re
import stat
import subprocess
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill.runtime import (
    CategoryColumn,
    EncoderSpec,
    ModelSpec,
    NetworkSpec,
    NumberColumn,
    load,
    load_spec,
    read_header,
    save,
)
from skdistill.runtime._file import read_archive

sys.path.insert(0, str(Path(__file__).parent))
from files import archive_of, assert_same, peak, with_classes
from models import network, tables, trees

sys.path.pop(0)

needs_students = pytest.mark.skipif(
    find_spec("sklearn") is None, reason="students are fitted by scikit-learn"
)


@pytest.fixture(params=[network, trees])
def spec(request, rng):
    return request.param(rng)


def test_what_was_saved_is_loaded(spec, tmp_path, rng):
    path = tmp_path / "model.skd"
    save(spec, path, {"rows": 10, "largest": 1e-7, "nested": [{"a": None}, True, "é"]})
    loaded = load_spec(path)
    assert_same(spec, loaded)
    X = tables(rng)
    np.testing.assert_array_equal(loaded.log_odds(X), spec.log_odds(X))
    header = read_header(str(path))
    assert header["certificate"]["nested"] == [{"a": None}, True, "é"]
    assert header["written_by"].startswith("skdistill ")
    assert os.listdir(tmp_path) == ["model.skd"]


@needs_students
def test_a_student_is_loaded_as_it_was(adult, tmp_path):
    X, y = adult
    from skdistill.students import MLPStudentClassifier

    spec = MLPStudentClassifier((8,), n_steps=20).fit(X, y).to_spec()
    save(spec, tmp_path / "adult.skd")
    assert_same(spec, load_spec(tmp_path / "adult.skd"))
    assert read_header(tmp_path / "adult.skd")["certificate"] is None


def test_the_same_model_gives_the_same_bytes(spec):
    assert archive_of(spec, {"a": 1}) == archive_of(spec, {"a": 1})
    assert archive_of(read_archive(archive_of(spec))[1]) == archive_of(spec)


@given(data=st.data())
def test_any_names_and_numbers_are_kept(data):
    floats = st.floats(allow_nan=False, allow_infinity=False)
    name = data.draw(st.text(st.characters(exclude_categories=[])))
    low, high = sorted(data.draw(st.tuples(floats, floats)))
    fill = data.draw(floats)
    spec = with_classes(np.array([0.1, 0.2]))
    column = NumberColumn(name, low, high, fill, edges=np.array([0.0, 1.0]))
    encoder = EncoderSpec((column,), np.zeros(1, np.float32))
    spec = replace(spec, predictor=replace(spec.predictor, encoder=encoder))
    assert_same(spec, read_archive(archive_of(spec))[1])


@pytest.mark.parametrize(
    "classes",
    [
        np.array([0, 1]),
        np.array([2, -1, 7], np.int8),
        np.array([0, 2**64 - 1], np.uint64),
        np.array([0.1, 1.0]),
        np.array([0.1, 1e30], np.float32),
        np.array([False, True]),
        np.array(["no", "ja, é\ud800"]),
        np.array(["", "b"]),
        np.array(["a\0", "b"], object),
        np.array([1, 10**40], object),
        np.array([1.5, 2.0], object),
        np.array([True, False], object),
    ],
    ids=lambda classes: str(classes.dtype),
)
def test_class_labels_are_kept(classes, tmp_path):
    save(with_classes(classes), tmp_path / "m.skd")
    loaded = load_spec(tmp_path / "m.skd").classes
    assert_same(classes, loaded)
    assert [type(x) for x in loaded.tolist()] == [type(x) for x in classes.tolist()]


@pytest.mark.parametrize(
    "classes",
    [
        np.array([0.5, np.inf]),
        np.array(["a", 1], object),
        np.array([True, 2], object),
        np.array([None, "a"], object),
        np.array([0.5, -np.inf], object),
        np.array([0.5, 1], np.longdouble),
    ]
    if np.dtype(np.longdouble).itemsize > 8
    else [],
    ids=str,
)
def test_other_class_labels_are_refused(classes, tmp_path):
    with pytest.raises(ValueError, match="Got classes"):
        save(with_classes(classes), tmp_path / "m.skd")
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize(
    "certificate",
    [
        {"a": np.nan},
        {"a": np.inf},
        {1: "a"},
        {"a": (1, 2)},
        {"a": {1}},
        {"a": np.int64(1)},
        {"a": [np.zeros(2)]},
        [],
        "text",
    ],
    ids=str,
)
def test_other_certificates_are_refused(certificate, rng, tmp_path):
    with pytest.raises(ValueError, match="certificate"):
        save(network(rng), tmp_path / "m.skd", certificate)
    assert not os.listdir(tmp_path)


def test_certificates_without_an_end_are_refused(rng, tmp_path):
    deep: dict = {}
    for _ in range(100_000):
        deep = {"a": deep}
    with pytest.raises(ValueError, match="certificate"):
        save(network(rng), tmp_path / "m.skd", deep)


def test_numbers_that_the_format_does_not_hold_are_refused(tmp_path):
    spec = with_classes(np.array([0, 1]))
    double = np.full((1, 2), 0.1)
    spec = replace(spec, predictor=replace(spec.predictor, weights=(double,)))
    with pytest.raises(ValueError, match="Got weights of layer 0 of type float64"):
        save(spec, tmp_path / "m.skd")


def test_arrays_changed_since_they_were_checked_are_refused(rng, tmp_path):
    spec = network(rng)
    spec.predictor.weights[0][0, 0] = np.nan
    with pytest.raises(ValueError, match="not a finite number"):
        save(spec, tmp_path / "m.skd")
    assert not os.listdir(tmp_path)


def test_only_models_are_saved(tmp_path):
    with pytest.raises(TypeError, match="Got a dict, but expected a ModelSpec"):
        save({}, tmp_path / "m.skd")


def test_the_old_file_stays_if_the_new_one_cannot_be_written(
    rng, tmp_path, monkeypatch
):
    path = tmp_path / "m.skd"
    save(network(rng), path)
    before = path.read_bytes()

    def fail(*arguments):
        raise OSError("no space left")

    for function in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, function, fail)
            with pytest.raises(OSError, match="no space left"):
                save(trees(rng), path)
        assert path.read_bytes() == before
        assert os.listdir(tmp_path) == ["m.skd"]
    with pytest.raises(FileNotFoundError):
        save(trees(rng), tmp_path / "nowhere" / "m.skd")


@pytest.mark.skipif(os.name != "posix", reason="permissions and links of POSIX")
def test_files_have_the_users_permissions_and_links_stay_links(rng, tmp_path):
    path, link = tmp_path / "m.skd", tmp_path / "link.skd"
    path.write_bytes(b"")
    expected = stat.S_IMODE(path.stat().st_mode)
    link.symlink_to(path)
    save(network(rng), link)
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == expected
    path.chmod(0o600)
    save(network(rng), path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    load_spec(path)


def test_a_name_may_be_as_long_as_names_can_be(rng, tmp_path):
    path = tmp_path / f"{'m' * 251}.skd"
    save(network(rng), path)
    load_spec(path)


@pytest.mark.parametrize("kind", ["levels", "edges"])
def test_memory_does_not_grow_with_the_square(kind, tmp_path):
    n = 20_000
    column = NumberColumn("x", 0.0, 1.0, 0.5, edges=np.linspace(0, 1, n + 1))
    if kind == "levels":
        slots = np.append(np.arange(n), [-1, -1])
        column = CategoryColumn("x", tuple(map(str, range(n))), slots, n)
    encoder = EncoderSpec((column,), np.zeros(n, np.float32))
    weights, biases = np.ones((n, 1), np.float32), np.zeros(1, np.float32)
    spec = ModelSpec(NetworkSpec(encoder, (weights,), (biases,)), np.arange(2))
    save(spec, tmp_path / "m.skd")
    tracemalloc.start()
    scorer = load(tmp_path / "m.skd")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < n**2 / 10
    X = np.array([[0.0], [0.75], [1.0]])
    np.testing.assert_allclose(scorer.predict_log_odds(X), spec.log_odds(X), rtol=1e-6)


def test_files_are_small(rng, tmp_path):
    n_columns, width = 50, 128
    of_table = tuple(
        NumberColumn(f"column_{j}", *ends, ends.mean(), edges=ends)
        for j, ends in enumerate(np.sort(rng.normal(size=(n_columns, 2))))
    )
    widths = [n_columns, width, width, 1]
    weights = tuple(
        rng.normal(size=shape).astype(np.float32) for shape in pairwise(widths)
    )
    biases = tuple(rng.normal(size=n).astype(np.float32) for n in widths[1:])
    encoder = EncoderSpec(of_table, rng.normal(size=n_columns).astype(np.float32))
    save(
        ModelSpec(NetworkSpec(encoder, weights, biases), np.array([0, 1])),
        tmp_path / "m.skd",
        {"rows": 10_000, "largest_difference": 1.2345e-7, "label_flips": 0},
    )
    assert os.path.getsize(tmp_path / "m.skd") <= 100_000


def test_a_file_of_no_end_is_not_read():
    if not os.path.exists("/dev/zero"):
        pytest.skip("no such device")
    with pytest.raises(ValueError, match="Got a file of 0 bytes"):
        load_spec("/dev/zero")


@pytest.mark.parametrize("read", [load, load_spec, read_header])
def test_an_error_says_which_file_it_is_about(read, tmp_path):
    path = tmp_path / "torn.skd"
    path.write_bytes(b"PK")
    with pytest.raises(ValueError, match=re.escape(f"The file is {str(path)!r}.")):
        read(path)


def test_files_too_large_are_not_read(tmp_path):
    path = tmp_path / "large.skd"
    with open(path, "wb") as file:
        file.truncate(2**31)
    used, message = peak(load_spec, path)
    assert "Got a file of 2147483648 bytes" in message
    assert used < 100_000


def test_the_reader_of_the_page_on_the_format_reads(spec, rng, tmp_path):
    page = Path(__file__).parents[2] / "docs" / "skd_format.md"
    (source,) = re.findall("```python\n(.*?)```", page.read_text(), re.DOTALL)
    reader: dict = {}
    exec(source, reader)
    save(spec, tmp_path / "m.skd")
    header = reader["read"](tmp_path / "m.skd")
    X = tables(rng, 50)
    codes = X[:, 3:]
    codes[np.isnan(codes)] = -1
    codes[codes > 1] = -2
    rows = [[*row[:3], *map(int, row[3:])] for row in X.tolist()]
    found = [reader["probabilities"](header, row) for row in rows]
    np.testing.assert_allclose(found, spec.probabilities(X), atol=1e-6)


ALONE = """
import sys
import tracemalloc

class Forbidden:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in {*sys.stdlib_module_names, "numpy", "skdistill", "models"}:
            raise ImportError(f"{name} is not to be imported")

sys.meta_path.insert(0, Forbidden())
import os, tempfile
import numpy as np
import skdistill.runtime as runtime

sys.path.insert(0, sys.argv[1])
import models

rng = np.random.default_rng(0)
X = models.tables(rng)
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "m.skd")
    for make in (models.network, models.trees):
        spec = make(rng)
        runtime.save(spec, path, {"a": 1})
        loaded = runtime.load_spec(path)
        assert (loaded.probabilities(X) == spec.probabilities(X)).all()
        assert runtime.read_header(path)["certificate"] == {"a": 1}
        rows = [
            {c.name: 1.5 if c.is_numeric else c.levels[0] for c in loaded.columns},
            dict.fromkeys((c.name for c in loaded.columns)),
        ]
        values = runtime.read_table(loaded.columns, rows)
        expected = [[1.5, 1.5, 1.5, 0, 0], [np.nan] * 3 + [-1, -1]]
        assert np.array_equal(values, expected, equal_nan=True)
        table = {name: [row[name] for row in rows] for name in rows[0]}
        values = runtime.read_table(loaded.columns, table)
        assert np.array_equal(values, expected, equal_nan=True)
assert not {"sklearn", "scipy", "torch", "pandas", "narwhals"} & set(sys.modules)
"""


def test_the_runtime_works_with_numpy_alone():
    folder = os.path.dirname(__file__)
    subprocess.run([sys.executable, "-c", ALONE, folder], check=True)


def test_loading_imports_nothing_slow(rng, tmp_path):
    save(network(rng), tmp_path / "m.skd")
    code = (
        "import sys, numpy\n"
        "before = set(sys.modules)\n"
        "import skdistill.runtime\n"
        "skdistill.runtime.load(sys.argv[1])\n"
        "slow = {'zipfile', 'hashlib', 'tempfile', 'shutil', 'pathlib', 'numpy.ma'}\n"
        "new = slow & set(sys.modules) - before\n"
        "assert not new, new\n"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / "m.skd"], check=True)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_a_pipe_is_written_and_not_replaced(rng, tmp_path):
    pipe, spec = tmp_path / "m.skd", network(rng)
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as thread:
        content = thread.submit(pipe.read_bytes)
        save(spec, pipe)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert_same(spec, read_archive(content.result())[1])


def test_a_folder_that_is_not_there_is_named(rng, tmp_path):
    path = tmp_path / "no" / "m.skd"
    with pytest.raises(FileNotFoundError) as error:
        save(network(rng), path)
    assert error.value.filename == os.path.realpath(path)
    with pytest.raises(IsADirectoryError):
        save(network(rng), tmp_path)
