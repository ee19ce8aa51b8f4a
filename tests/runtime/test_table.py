import datetime
import pickle
import sys
from collections import OrderedDict, defaultdict
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from skdistill._columns import learn_columns, read_columns
from skdistill.runtime import CategoryColumn, NumberColumn, TableReader, read_table
from skdistill.runtime._levels import is_missing

sys.path.insert(0, str(Path(__file__).parent))
from cells import (
    COLUMNS,
    LEVELS,
    TABLE,
    VALUES,
    booleans,
    category,
    floats,
    integers,
    missing,
    number,
    texts,
)

sys.path.pop(0)

KINDS = {
    "float64": (floats | missing, "float64"),
    "float32": (st.sampled_from([0.0, 0.5, 1.0, 7.0]) | missing, "float32"),
    "int64": (integers, "int64"),
    "int8": (st.sampled_from([0, 1, 2, -5]), "int8"),
    "bool": (booleans, "bool"),
    "Int64": (integers | st.none(), "Int64"),
    "Float64": (floats | st.none(), "Float64"),
    "boolean": (booleans | st.none(), "boolean"),
    "numbers as objects": (integers | floats | missing, object),
    "booleans as objects": (booleans | st.none(), object),
    "strings as objects": (texts | missing | st.just(pd.NA), object),
    "decimals": (floats.map(Decimal) | st.none(), object),
    "str": (texts | st.none(), "str"),
    "string[python]": (texts | st.none(), "string[python]"),
    "categories": (texts | st.none(), "category"),
    "integers as categories": (integers | st.none(), "category"),
    "floats as categories": (floats | st.none(), "category"),
    "booleans as categories": (booleans, "category"),
    "int64[pyarrow]": (integers | st.none(), "int64[pyarrow]"),
    "bool[pyarrow]": (booleans | st.none(), "bool[pyarrow]"),
    "string[pyarrow]": (texts | st.none(), "string[pyarrow]"),
}

POLARS_KINDS = {
    "float64": (floats | missing, pl.Float64),
    "float32": (st.sampled_from([0.0, 0.5, 1.0, 7.0]) | st.none(), pl.Float32),
    "int64": (integers | st.none(), pl.Int64),
    "uint8": (st.sampled_from([0, 1, 2]) | st.none(), pl.UInt8),
    "bool": (booleans | st.none(), pl.Boolean),
    "decimal": (st.sampled_from([0.5, 1.0]).map(Decimal) | st.none(), pl.Decimal(9, 2)),
    "string": (texts | st.none(), pl.String),
    "categories": (texts | st.none(), pl.Categorical),
    "enum": (st.sampled_from(LEVELS) | st.none(), pl.Enum(LEVELS)),
    "nothing": (st.none(), pl.Null),
}


def pandas_series(values, dtype):
    return pd.Series(values, dtype=dtype)


def polars_series(values, dtype):
    return pl.Series(values, dtype=dtype, strict=False)


@st.composite
def series(draw, kinds, make, n_samples):
    values, dtype = kinds[draw(st.sampled_from(sorted(kinds)))]
    return make(draw(st.lists(values, min_size=n_samples, max_size=n_samples)), dtype)


@st.composite
def frames(draw):
    """A frame, and columns that it may be read as."""
    n_columns = draw(st.integers(1, 4))
    n_samples = draw(st.sampled_from([1, 2, 7, 8, 12]))
    kinds, make, frame = draw(
        st.sampled_from(
            [
                (KINDS, pandas_series, pd.DataFrame),
                (POLARS_KINDS, polars_series, pl.DataFrame),
            ]
        )
    )
    X = frame({f"c{j}": draw(series(kinds, make, n_samples)) for j in range(n_columns)})
    of_model = [draw(st.sampled_from([number, category])) for _ in range(n_columns)]
    return X, tuple(make(f"c{j}") for j, make in enumerate(of_model))


def readable(X, columns):
    """What `read_columns` makes of a table, None if it refuses."""
    try:
        return np.stack(read_columns(X, columns), axis=1)
    except (TypeError, ValueError, OverflowError):
        return None


@given(case=frames(), data=st.data())
def test_frames_are_read_as_students_read_them(case, data):
    X, columns = case
    expected = readable(X, columns)
    if expected is None:
        return
    values = read_table(columns, X)
    assert values.dtype == np.float64
    assert values.flags.c_contiguous
    np.testing.assert_array_equal(values, expected)
    if isinstance(X, pl.DataFrame):
        np.testing.assert_array_equal(read_table(columns, X.to_arrow()), expected)
    by_name = {column.name: X[column.name] for column in columns}
    np.testing.assert_array_equal(read_table(columns, by_name), expected)
    lists = {name: values.to_list() for name, values in by_name.items()}
    np.testing.assert_array_equal(read_table(columns, lists), expected)
    rows = [
        dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)
    ]
    np.testing.assert_array_equal(read_table(columns, rows), expected)
    np.testing.assert_array_equal(
        read_table(columns, [tuple(row.values()) for row in rows]), expected
    )
    np.testing.assert_array_equal(read_table(columns, rows[0]), expected[:1])
    # In any order, and with more columns than the model knows.
    order = data.draw(st.permutations(list(by_name)))
    more = X[order].copy() if isinstance(X, pd.DataFrame) else X[order].clone()
    extra = ["more"] * len(X)
    if isinstance(X, pd.DataFrame):
        more.insert(0, "extra", extra)
    else:
        more = more.with_columns(pl.Series("extra", extra))
    np.testing.assert_array_equal(read_table(columns, more), expected)


@given(
    cells=st.lists(
        st.tuples(floats | integers | booleans | missing, texts | missing),
        min_size=1,
        max_size=12,
    ),
    dtype=st.sampled_from([object, np.float64, np.float32, np.int16, np.bool_, "U"]),
)
def test_arrays_are_read_as_students_read_them(cells, dtype):
    if dtype is object:
        X, columns = np.array(cells, dtype=object), (number("x0"), category("x1"))
    elif dtype == "U":
        X, columns = np.array(cells).astype(str)[:, 1:], (category("x0"),)
    else:
        whole = [[0 if is_missing(a) else a, 1] for a, _ in cells]
        X = np.array(whole, dtype=object).clip(-300, 300).astype(dtype)
        columns = (number("x0"), number("x1"))
    expected = readable(X, columns)
    if expected is not None:
        np.testing.assert_array_equal(read_table(columns, X), expected)
        np.testing.assert_array_equal(read_table(columns, X.tolist()), expected)


@pytest.mark.parametrize(
    "X",
    [
        TABLE,
        MappingProxyType(TABLE),
        {name: np.array(values, object) for name, values in TABLE.items()},
        {name: tuple(values) for name, values in TABLE.items()} | {"other": 1},
        pd.DataFrame(TABLE),
        pd.DataFrame(TABLE)[["code", "sex", "age"]].assign(other=1j),
        pl.DataFrame({**TABLE, "code": ["1", "2", "1"]}).with_columns(none=None),
        pa.table({**TABLE, "code": ["1", "2", "1"]}),
        np.array(list(zip(*TABLE.values(), strict=True)), dtype=object),
        list(zip(*TABLE.values(), strict=True)),
        [list(row) for row in zip(*TABLE.values(), strict=True)],
        tuple(zip(*TABLE.values(), strict=True)),
        [
            dict(zip(TABLE, row, strict=True))
            for row in zip(*TABLE.values(), strict=True)
        ],
        [
            OrderedDict(zip(TABLE, row, strict=True))
            for row in zip(*TABLE.values(), strict=True)
        ],
        [
            MappingProxyType(dict(zip(TABLE, row, strict=True)))
            for row in zip(*TABLE.values(), strict=True)
        ],
        np.array(VALUES),
        np.array(VALUES, np.float32, order="F"),
    ],
    ids=lambda X: type(X).__name__,
)
def test_tables_of_all_kinds_are_read(X):
    reader = TableReader(COLUMNS)
    for _ in range(2):
        values = reader.read(X)
        assert values.dtype == np.float64
        assert values.flags.c_contiguous
        np.testing.assert_array_equal(values, VALUES)


@pytest.mark.parametrize(
    "row",
    [
        {"age": 42, "sex": "m", "code": 1},
        {"age": np.float32(42), "sex": np.str_("m"), "code": np.int8(1)},
        {"code": 1.0, "age": Decimal(42), "sex": "m", "more": [1, 2]},
        OrderedDict(age=42.0, sex="m", code="1"),
        pd.DataFrame({"age": 42, "sex": "m", "code": "1"}, index=["row"]),
    ],
)
def test_a_row_is_read(row):
    np.testing.assert_array_equal(read_table(COLUMNS, row), VALUES[:1])


def test_arrays_as_they_should_be_are_not_copied():
    X = np.array(VALUES)
    assert read_table(COLUMNS, X) is X


def test_default_dictionaries_do_not_hide_missing_columns():
    row = defaultdict(float, age=1.0, sex="m")
    with pytest.raises(ValueError, match=r"without columns \['code'\]"):
        read_table(COLUMNS, [row])
    assert set(row) == {"age", "sex"}


@pytest.mark.parametrize("n_samples", [0, 1, 20])
@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_columns_of_a_model_without_names_are_taken_by_position(frame, n_samples, rng):
    values = rng.normal(size=(n_samples, 3))
    columns = [number(f"x{j}") for j in range(3)]
    X = frame(dict(zip("abc", values.T, strict=True)))
    np.testing.assert_array_equal(read_table(columns, X), values)
    with pytest.raises(ValueError, match="Got X with 2 columns, but expected 3"):
        read_table(columns, X[["a", "b"]])
    named = frame({f"x{j}": values[:, j] for j in (2, 0, 1)})
    np.testing.assert_array_equal(read_table(columns, named), values)


def test_numbers_may_be_names():
    X = pd.DataFrame([[1, "a"], [2, "b"]])
    np.testing.assert_array_equal(
        read_table([category("1"), number("0")], X),
        [[LEVELS.index("a"), 1], [LEVELS.index("b"), 2]],
    )


@pytest.mark.parametrize("n_samples", [1, 20])
def test_columns_of_the_same_name_are_taken_by_position_or_refused(n_samples):
    X = pd.DataFrame([[1.0, "a", 2.0]] * n_samples, columns=["x", "c", "x"])
    columns = [number("x"), category("c"), number("x")]
    expected = [[1, LEVELS.index("a"), 2]] * n_samples
    np.testing.assert_array_equal(read_table(columns, X), expected)
    with pytest.raises(ValueError, match="Got 2 columns named 'x' for 1 of the model"):
        read_table(columns[:2], X)
    np.testing.assert_array_equal(
        read_table(columns[1:2], X), np.array(expected)[:, 1:2]
    )


def test_infinite_numbers_pass():
    for X in ([[np.inf, -np.inf]], {"x": np.inf, "y": -np.inf}):
        columns = [number("x"), number("y")]
        np.testing.assert_array_equal(read_table(columns, X), [[np.inf, -np.inf]])


@pytest.mark.parametrize(
    "X",
    [
        np.empty((0, 3)),
        np.empty((0, 3), object),
        [],
        pd.DataFrame(TABLE).iloc[:0],
        pl.DataFrame({**TABLE, "code": [1, 2, 3]})[:0],
        {name: [] for name in TABLE},
    ],
    ids=lambda X: type(X).__name__,
)
def test_no_rows_are_a_table(X):
    assert read_table(COLUMNS, X).shape == (0, 3)


def one(column, values, make=pd.DataFrame):
    return (column,), make({"x": values})


DATES = [datetime.datetime(2020, 1, 1), datetime.datetime(2020, 1, 2)]


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, dict])
@pytest.mark.parametrize("times", [1, 20])
@pytest.mark.parametrize("kind", [number, category])
@pytest.mark.parametrize(
    "values",
    [DATES, [d.date() for d in DATES], [DATES[1] - DATES[0]] * 2, [b"a", b"b"]],
    ids=lambda values: type(values[0]).__name__,
)
def test_what_is_no_cell_is_refused_by_name(make, values, kind, times):
    with pytest.raises(TypeError, match=r"Column 'x' holds .*number of days"):
        read_table((kind("x"),), make({"x": values * times}))


@pytest.mark.parametrize("kind", [number, category])
@pytest.mark.parametrize(
    "dtype", ["datetime64[ns]", "timedelta64[s]", "S1", "c16", "V3"]
)
def test_types_of_arrays_are_refused(kind, dtype):
    X = np.zeros((2, 1), dtype)
    with pytest.raises(TypeError, match=r"Got an array of .* but expected numbers"):
        read_table([kind("x")], X)
    with pytest.raises(TypeError, match="Column 'x' holds"):
        read_table([kind("x")], {"x": X[:, 0]})


def test_times_that_are_all_missing_are_missing():
    X = {"x": np.full(2, np.datetime64("NaT")), "y": pd.Series([pd.NaT] * 2)}
    values = read_table([number("x"), category("y")], X)
    np.testing.assert_array_equal(values, [[np.nan, -1]] * 2)


def test_missing_levels_of_arrow_are_missing():
    texts = pa.chunked_array([pa.array(["m", None]), pa.array(["f"])])
    numbers = pa.chunked_array([pa.array([2, None]), pa.array([1])])
    X = pa.table({"sex": texts.dictionary_encode(), "n": numbers.dictionary_encode()})
    columns = [CategoryColumn("sex", ("f", "m")), NumberColumn("n", 0.0, 9.0)]
    values = read_table(columns, X)
    np.testing.assert_array_equal(values, [[1, 2], [-1, np.nan], [0, 1]])


SCALAR = "one value of column 'age' and several of 'sex'"


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (None, TypeError, "Got None, but expected a table"),
        ("text", TypeError, "Got 'text', but expected a table"),
        (b"text", TypeError, "Got b'text', but expected a table"),
        (1.0, ValueError, "Got float of 0 dimensions"),
        (np.zeros(3), ValueError, "Got ndarray of 1 dimensions"),
        (np.zeros((1, 3, 1)), ValueError, "Got ndarray of 3 dimensions"),
        (np.zeros((1, 2)), ValueError, "Got X with 2 columns, but expected 3"),
        (np.zeros((1, 2), object), ValueError, "Got X with 2 columns, but expected 3"),
        (np.ma.zeros((1, 3)), TypeError, "Got a masked array"),
        (csr_array(np.zeros((1, 3))), TypeError, "Got a sparse matrix"),
        ([1.0, 2.0, 3.0], TypeError, "Got row 0 of type float"),
        (["abc"], TypeError, "Got row 0 of type str"),
        ([[1, "m", 1], {"age": 1}], TypeError, "Got row 1 of type dict"),
        ([[1, "m"]], ValueError, "Got row 0 of 2 values, but expected 3"),
        ([[1, "m", 1], [1] * 4], ValueError, "Got row 1 of 4 values, but expected 3"),
        ({}, ValueError, r"Got row 0 without columns \['age', 'sex', 'code'\]"),
        ([{}], ValueError, r"Got row 0 without columns \['age', 'sex', 'code'\]"),
        ({"age": 1, "code": 1}, ValueError, r"without columns \['sex'\]"),
        ({"age": [1], "code": [1]}, ValueError, r"Got X without columns \['sex'\]"),
        ({**TABLE, "code": [1]}, ValueError, "Got 1 values of column 'code'.* 3 as of"),
        ({**TABLE, "age": 1}, ValueError, SCALAR),
        ({**TABLE, "age": np.zeros((3, 1))}, ValueError, "'age' of 2 dimensions"),
        ({**TABLE, "age": np.array(1)}, ValueError, SCALAR),
        ({**TABLE, "sex": np.zeros((3, 1))}, TypeError, "Column 'sex' holds a list"),
        ({**TABLE, "age": ["1", "2", "3"]}, TypeError, "'age' held numbers.*'1'"),
        ({**TABLE, "age": [1, "2", None]}, TypeError, "'age' held numbers.*'2'"),
        ({**TABLE, "age": [1, 10**400, 3]}, ValueError, "1329 bits in column 'age'"),
        (
            {"age": 10**400, "sex": 1, "code": 1},
            ValueError,
            "1329 bits in column 'age'",
        ),
        ({"age": "1", "sex": "m", "code": 1}, TypeError, "'age' held numbers.*'1'"),
        ({"age": 1, "sex": b"m", "code": 1}, TypeError, "Column 'sex' holds a bytes"),
        ({"age": 1j, "sex": "m", "code": 1}, TypeError, "Column 'age' holds a complex"),
        (pd.DataFrame({"age": [1], "sex": "m"}), ValueError, r"columns \['code'\]"),
        (pl.DataFrame({"code": [1]}), ValueError, r"columns \['age', 'sex'\]"),
        (pl.LazyFrame({"code": [1]}), TypeError, r"Got a LazyFrame.* with collect\(\)"),
    ],
    ids=str,
)
def test_what_is_no_table_of_the_model_is_refused(X, error, message):
    with pytest.raises(error, match=message):
        read_table(COLUMNS, X)


def test_readers_are_pickled():
    reader = pickle.loads(pickle.dumps(TableReader(COLUMNS)))
    np.testing.assert_array_equal(reader.read(TABLE), VALUES)
    np.testing.assert_array_equal(
        reader.read([dict.fromkeys(TABLE)]), [[np.nan, -1, -1]]
    )


def test_students_and_runtime_agree_on_a_real_table(adult):
    X, _ = adult
    columns = learn_columns(X[:1000])
    expected = np.stack(read_columns(X, columns), axis=1)
    np.testing.assert_array_equal(read_table(columns, X), expected)
    polars = pl.from_pandas(X.reset_index(drop=True))
    np.testing.assert_array_equal(read_table(columns, polars), expected)
    rows = X[:50].to_dict("records")
    np.testing.assert_array_equal(read_table(columns, rows), expected[:50])
    for row, values in zip(rows, expected, strict=False):
        np.testing.assert_array_equal(read_table(columns, row), [values])
    np.testing.assert_array_equal(
        read_table(columns, X.iloc[5:6]), expected[5:6], strict=True
    )


def test_positions_of_the_columns_in_a_table():
    named = TableReader((NumberColumn("b", 0, 1), NumberColumn("a", 0, 1)))
    assert named.positions(["a", "c", "b"]) == [2, 0]
    assert named.positions(["b", "a"]) == [0, 1]
    with pytest.raises(ValueError, match=r"without columns \['b'\]"):
        named.positions(["a"])
    with pytest.raises(ValueError, match="2 columns named 'a'"):
        named.positions(["a", "b", "a"])
    unnamed = TableReader((NumberColumn("x0", 0, 1), NumberColumn("x1", 0, 1)))
    assert unnamed.positions(["p", "q"]) == [0, 1]
    with pytest.raises(ValueError, match="3 columns"):
        unnamed.positions(["p", "q", "r"])
