"""What an entry of the cache is known by."""

import os
import pickle
import subprocess
import sys
import types

import lightgbm
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lightgbm import LGBMClassifier
from scipy.sparse import csr_array
from sklearn.datasets import load_iris
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import KFold
from sklearn.preprocessing import scale

from skdistill.teachers import FunctionTeacher
from skdistill.teachers._fingerprint import fingerprint

X, y = load_iris(return_X_y=True)
X = scale(X)


def same(value):
    return fingerprint("f", {"value": value})


TABLES = {
    "numbers": X,
    "single precision": X.astype(np.float32),
    "objects": np.array([["a", 1.5, None], ["b", 2.0, "a"]] * 20, dtype=object),
    "strings": np.array([["a", "b"], ["c", "d"]]),
    "pandas": pd.DataFrame(
        {
            "n": [1.0, np.nan, 3.0],
            "c": pd.Categorical(["u", "v", None]),
            "s": ["x", "y", "x"],
            "o": pd.Series(["x", 1, None], dtype=object),
        }
    ),
    "polars": pl.DataFrame(
        {
            "n": [1.0, None, 3.0],
            "e": pl.Series(["u", "v", None], dtype=pl.Enum(["u", "v"])),
            "c": pl.Series(["u", "v", None], dtype=pl.Categorical),
            "s": ["x", "y", "x"],
        }
    ),
    "sparse": csr_array(np.diag([1.0, 0.0, 2.0])),
    "teacher": LGBMClassifier(n_estimators=3, class_weight={"b": 2.0, "a": 1.0}),
    "fitted": FrozenEstimator(
        LGBMClassifier(n_estimators=3, verbose=-1, n_jobs=1).fit(X, y)
    ),
    "splits": KFold(5, shuffle=True, random_state=3),
}


def test_another_process_knows_all_again():
    """With other hashes of strings, and other addresses."""
    code = (
        "import pickle, sys\n"
        "from skdistill.teachers._fingerprint import fingerprint\n"
        "for value in pickle.load(sys.stdin.buffer):\n"
        "    print(fingerprint('f', {'value': value}))\n"
    )
    values = list(TABLES.values())
    found = subprocess.run(
        [sys.executable, "-c", code],
        input=pickle.dumps(values),
        env={**os.environ, "PYTHONHASHSEED": "1"},
        stdout=subprocess.PIPE,
        check=True,
    ).stdout.decode()
    again = dict(zip(TABLES, found.split(), strict=True))
    assert again == {name: same(value) for name, value in TABLES.items()}


def test_equal_cells_need_not_be_the_same_objects():
    text = "".join(["some ", "thing"])
    shared = np.array([[text, 1000.5], [text, None]], dtype=object)
    apart = np.array(
        [["".join(["some", " thing"]), 1000.5], ["some thing"[:], None]], dtype=object
    )
    assert same(shared) == same(apart)
    series = pd.DataFrame({"a": pd.Series(shared[:, 0], dtype=object)})
    other = pd.DataFrame({"a": pd.Series(apart[:, 0], dtype=object)})
    assert same(series) == same(other)


def test_parts_of_a_table_are_known_by_their_content():
    rows = np.arange(0, 150, 2)
    np.testing.assert_equal(same(X[rows]), same(X[::2]))
    frame = pd.DataFrame(X)
    assert same(frame.iloc[rows]) == same(frame.iloc[rows].copy())
    sparse = csr_array(X)
    checked = csr_array(X)
    assert checked.has_sorted_indices  # which it then remembers
    assert same(sparse) == same(checked)


def test_bytes_of_a_sparse_table_mean_something_else_in_another_type():
    sparse = csr_array(np.array([[1, 200]], dtype=np.uint8))
    signed = csr_array(sparse.toarray().astype(np.int8))
    assert sparse.data.tobytes() == signed.data.tobytes()
    assert same(sparse) != same(signed)


@given(
    row=st.integers(0, 2),
    column=st.integers(0, 1),
    cell=st.one_of(st.none(), st.text(max_size=2), st.integers(), st.floats()),
    kind=st.sampled_from(["array", "pandas", "polars"]),
)
def test_any_other_cell_is_another_table(row, column, cell, kind):
    cells = [["a", "b"], ["c", ""], ["1", "None"]]
    changed = [list(line) for line in cells]
    changed[row][column] = cell if kind != "polars" or cell is None else str(cell)
    make = {
        "array": lambda c: np.array(c, dtype=object),
        "pandas": lambda c: pd.DataFrame(c, dtype=object),
        "polars": lambda c: pl.DataFrame(c, orient="row", infer_schema_length=3),
    }[kind]
    if changed == cells:
        assert same(make(changed)) == same(make(cells))
    else:
        assert same(make(changed)) != same(make(cells))


def test_categories_count_even_without_a_row():
    few = pd.Categorical(["a", "b"])
    many = pd.Categorical(["a", "b"], categories=["a", "b", "c"])
    assert same(pd.DataFrame({"c": few})) != same(pd.DataFrame({"c": many}))


def test_names_of_columns_and_arguments_count():
    assert same(pd.DataFrame(X)) != same(pd.DataFrame(X, columns=list("abcd")))
    assert fingerprint("f", {"a": 1, "b": 2}) != fingerprint("f", {"a": 2, "b": 1})
    assert fingerprint("f", {"a": 1}) != fingerprint("g", {"a": 1})


@pytest.mark.parametrize("library", ["lightgbm", "sklearn", "numpy", "skdistill"])
def test_another_version_is_another_key(library, monkeypatch):
    from skdistill.teachers import _fingerprint

    before = same(LGBMClassifier())
    if library == "skdistill":
        monkeypatch.setattr(_fingerprint, "__version__", "99")
    else:
        module = {"lightgbm": lightgbm}.get(library) or sys.modules[library]
        monkeypatch.setattr(module, "__version__", "99")
    assert same(LGBMClassifier()) != before


def teacher_class(body):
    """A class of the same name, as if its file had been edited."""
    module = types.ModuleType("edited_teacher")
    sys.modules["edited_teacher"] = module
    exec(body, module.__dict__)
    return module


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return X * 2", "return X * 3"),
        ("scale = 2", "scale = 3"),
        ("def fit(self, X, by=1)", "def fit(self, X, by=2)"),
        ("x + 1 for", "x + 2 for"),
        ("factors = (1, 2)", "factors = (1, 3)"),
        ("'low': [0, 1]", "'low': [0, 2]"),
        ("names={'a'}", "names={'b'}"),
        ("x + 4", "x + 5"),
        ("x + 6", "x + 7"),
        ("times(8)", "times(9)"),
    ],
)
def test_edited_code_of_ones_own_is_another_key(old, new):
    body = (
        "import functools\n"
        "from sklearn.utils.metaestimators import available_if\n"
        "def times(factor):\n"
        "    def wrap(function):\n"
        "        @functools.wraps(function)\n"
        "        def wrapped(self, x):\n"
        "            return factor * function(self, x)\n"
        "        return wrapped\n"
        "    return wrap\n"
        "class Teacher:\n"
        "    @times(8)\n"
        "    def decorated(self, x):\n"
        "        return x + 4\n"
        "    @available_if(lambda self: True)\n"
        "    def available(self, x):\n"
        "        return x + 6\n"
        "    scale = 2\n"
        "    def fit(self, X, by=1):\n"
        "        return X * 2\n"
        "    factors = (1, 2)\n"
        "    def other(self, X, names={'a'}, ends={'low': [0, 1]}):\n"
        "        return [x + 1 for x in X]\n"
        "def function(X, by=1):\n"
        "    return X * 2\n"
    )
    assert old in body
    keys = []
    for text in (body, "\n\n" + body, body.replace(old, new)):
        keys.append(same(teacher_class(text).Teacher()))
    del sys.modules["edited_teacher"]
    assert keys[0] == keys[1] != keys[2]


def test_functions_are_known_by_their_code():
    keys = []
    for factor in (2, 2, 3):
        module = teacher_class(f"def function(X):\n    return X * {factor}\n")
        keys.append(same(FunctionTeacher(module.function, [0, 1])))
    del sys.modules["edited_teacher"]
    assert keys[0] == keys[1] != keys[2]
