import json
import re
import shutil
import subprocess

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skdistill.export import ParityCertificate, export_c, parity_rows
from skdistill.export._c_literals import unique_name

STRICT = ["-std=c99", "-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror"]
STRICT += ["-Wshadow", "-Wdouble-promotion", "-Wmissing-prototypes"]
SANITIZED = ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]

seeds = st.integers(0, 2**32 - 1)

MAIN = """
#include <stdio.h>
int main(void)
{
    float row[MODEL_N_COLUMNS + 1], answer[MODEL_N_CLASSES + 1];
    while (fread(row, sizeof(float), MODEL_N_COLUMNS, stdin) == MODEL_N_COLUMNS) {
        model_predict_proba(row, answer);
        answer[MODEL_N_CLASSES] = (float)model_predict(row);
        fwrite(answer, sizeof(float), MODEL_N_CLASSES + 1, stdout);
    }
    return 0;
}
"""


def build(compiler, path, *options):
    """Compile a source with a program around it that scores what it is given."""
    source, program = path.with_name("main.c"), path.with_name("program")
    source.write_text(path.read_text() + MAIN)
    command = [compiler, *STRICT, *options, "-o", program, source]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return program


def score(program, spec, rows):
    """Probabilities and positions of the best class."""
    data = rows.astype(np.float32).tobytes()
    done = subprocess.run([program], input=data, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    answers = np.frombuffer(done.stdout, np.float32).reshape(len(rows), -1)
    assert answers.shape[1] == len(spec.classes) + 1
    return answers[:, :-1], answers[:, -1].astype(int)


@pytest.fixture(scope="session")
def sanitizers(compiler, tmp_path_factory):
    path = tmp_path_factory.mktemp("sanitizers") / "a.c"
    path.write_text("int main(void) { return 0; }\n")
    command = [compiler, *SANITIZED, "-o", path.with_suffix(""), path]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("the C compiler has no address and undefined sanitizers")
    return SANITIZED


def test_the_source_computes_what_the_student_does(student, compiler, tmp_path):
    model, X = student
    spec, path = model.to_spec(), tmp_path / "model.c"
    certificate = export_c(spec, path, X)
    rows = parity_rows(spec, X)
    got, best = score(build(compiler, path, "-O2"), spec, rows)
    expected = spec.probabilities(rows)
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-5)
    assert certificate.rows == len(rows)
    assert abs(certificate.largest - np.abs(got - expected).max()) < 1e-6
    clear = np.abs(np.diff(np.sort(expected)[:, -2:]))[:, 0] > 1e-5
    np.testing.assert_array_equal(best[clear], expected[clear].argmax(axis=1))


def test_the_source_computes_what_a_forest_does(forest, compiler, tmp_path):
    model, spec, X = forest
    export_c(spec, tmp_path / "model.c", X)
    rows = parity_rows(spec, X)
    got, best = score(build(compiler, tmp_path / "model.c"), spec, rows)
    expected = model.predict_proba(rows)
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(best, got.argmax(axis=1))


@settings(max_examples=25)
@given(seed=seeds)
def test_any_model_is_exported(seed, draw_network, draw_trees, tmp_path_factory):
    if shutil.which("cc") is None:
        pytest.skip("no C compiler 'cc'")
    folder = tmp_path_factory.mktemp("c")
    export_c(draw_network(seed), folder / "network.c")
    assert export_c(draw_trees(seed), folder / "trees.c").largest < 3e-6


@settings(max_examples=8)
@given(seed=seeds)
def test_the_source_is_strict_and_clean(
    seed, draw_network, draw_trees, compiler, sanitizers, tmp_path_factory
):
    folder = tmp_path_factory.mktemp("c")
    for spec in (draw_network(seed), draw_trees(seed)):
        export_c(spec, folder / "model.c")
        program = build(compiler, folder / "model.c", *sanitizers)
        rows = parity_rows(spec, n_rows=50)
        odd = np.array([np.nan, np.inf, -np.inf, -3, 0.5, 1e30, -1e30, -0.0])
        rows[: len(odd)] = odd[:, None]
        got, _ = score(program, spec, rows)
        expected = spec.probabilities(rows)
        finite = np.isfinite(rows).all(axis=1)
        np.testing.assert_allclose(got[finite], expected[finite], rtol=0, atol=1e-5)


def test_other_compilers_take_it(iris_spec, draw_trees, tmp_path):
    found = [name for name in ("gcc", "clang", "tcc") if shutil.which(name)]
    if not found:
        pytest.skip("no gcc, clang or tcc")
    for number, spec in enumerate([iris_spec, draw_trees(0), draw_trees(1)]):
        path = tmp_path / f"m{number}.c"
        export_c(spec, path)
        for name in found:
            command = [name, *STRICT, "-c", "-o", tmp_path / "m.o", path]
            subprocess.run(command, check=True)
            # Neither libraries nor headers of 32 bits may be there.
            if name == "gcc" and "math.h" not in path.read_text():
                subprocess.run([*command, "-m32", "-ffreestanding"], check=True)


def test_the_model_needs_no_library_and_no_writable_memory(student, compiler, tmp_path):
    if shutil.which("nm") is None:
        pytest.skip("no nm")
    path = tmp_path / "model.c"
    export_c(student[0].to_spec(), path)
    command = [compiler, "-std=c99", "-O2", "-c", "-o", tmp_path / "m.o", path]
    subprocess.run([*command, "-fno-stack-protector"], check=True)
    symbols = subprocess.run(
        ["nm", tmp_path / "m.o"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    kinds = {line.split()[-1]: line.split()[-2] for line in symbols}
    undefined = {name for name, kind in kinds.items() if kind == "U"}
    assert not undefined - {"memcpy", "memset", "_GLOBAL_OFFSET_TABLE_"}
    assert not set("bBdDC") & set(kinds.values())
    public = {name for name, kind in kinds.items() if kind == "T"}
    assert public == {"model_predict_proba", "model_predict"}


def test_the_header_says_what_the_file_is(student, compiler, tmp_path):
    model, X = student
    spec, path = model.to_spec(), tmp_path / "my model-1.c"
    certificate = export_c(spec, path, X)
    text = path.read_text(encoding="ascii")
    found = re.search(r"Parity of probabilities: (.*)", text).group(1)
    assert ParityCertificate.from_dict(json.loads(found)) == certificate
    found = json.loads(re.search(r"Classes: (.*)", text).group(1))
    assert found == model.classes_.tolist()
    for j, column in enumerate(spec.columns):
        assert f" *   {j} {json.dumps(column.name)}: " in text
    assert f"#define MY_MODEL_1_N_COLUMNS {len(spec.columns)}\n" in text
    assert f"#define MY_MODEL_1_N_CLASSES {len(spec.classes)}\n" in text
    assert "void my_model_1_predict_proba(const float *row" in text
    assert str(tmp_path) not in text
    if not isinstance(X, np.ndarray):
        code = spec.columns[3].levels.index("x, y")
        assert f"MY_MODEL_1_COLOUR_X__Y = {code} " in text


def test_names_of_levels_are_unique(draw_network, compiler, tmp_path):
    columns = draw_network(6).columns
    assert any(len(column.levels or ()) > 4 for column in columns)
    export_c(draw_network(6), tmp_path / "m.c")
    names = re.findall(r"^    (M_\w+) = \d+ /\*", (tmp_path / "m.c").read_text(), re.M)
    assert len(names) == len(set(names))
    assert len(names) == sum(len(column.levels or ()) for column in columns)


def test_names_of_the_same_stem_are_numbered():
    taken = {"M_N_COLUMNS": 1}
    names = [
        unique_name(("M", text), taken) for text in ("a", "A", "a_3", "a", "\u00c4")
    ]
    assert names == ["M_A", "M_A_2", "M_A_3", "M_A_4", "M__"]
    long = [unique_name(("M", "b" * 99), taken) for _ in range(100)]
    assert {len(name) for name in long} == {63}
    assert len(set(long)) == 100
    # The next number is known: columns may have very many levels of one stem.
    assert taken[long[0]] == 100


@pytest.mark.parametrize("name", ["7 days.c", "ä.c", "_x.c", ".c"])
def test_any_file_name_gives_a_c_name(name, iris_spec, compiler, tmp_path):
    export_c(iris_spec, tmp_path / name)
    assert re.search(r"\nint model_\w*predict\(", (tmp_path / name).read_text())


def test_without_a_compiler_the_file_says_so(iris_spec, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.warns(UserWarning, match="Got no C compiler 'cc'"):
        assert export_c(iris_spec, tmp_path / "m.c") is None
    assert "\n * Parity: not compared\n" in (tmp_path / "m.c").read_text()


def test_a_compiler_that_fails_is_an_error(iris_spec, tmp_path, monkeypatch):
    broken = tmp_path / "cc"
    broken.write_text("#!/bin/sh\necho no way >&2\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(RuntimeError, match=r"(?s)Got exit status 3 .* no way"):
        export_c(iris_spec, tmp_path / "m.c")
    assert list(tmp_path.iterdir()) == [broken]
