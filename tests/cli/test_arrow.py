"""Arrow's columns mean what the runtime's tables mean."""

import datetime
import decimal
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill.cli._arrow import ArrowReader, arrow_labels, arrow_numbers
from skdistill.runtime import CategoryColumn, NumberColumn, read_table

NUMBER = NumberColumn("x", 0.0, 1.0)
LEVELS = ("", "-1", "0", "1", "1.5", "NA", "True", "a", "é")
CATEGORY = CategoryColumn("x", LEVELS)

CELLS = {
    "float64": st.floats(),
    "float32": st.floats(width=32),
    "int64": st.integers(-(2**63), 2**63 - 1),
    "uint8": st.integers(0, 255),
    "bool": st.booleans(),
}
TEXTS = st.sampled_from([*LEVELS, "b", "nan"])


def read(column, array, **options):
    batch = pa.RecordBatch.from_arrays([array], ["x"])
    out = np.full((len(array) + 1, 1), 7.0)
    rows = ArrowReader((column,), ["x"], **options).read(batch, out)
    assert rows.base is out
    assert out[-1] == 7
    return rows


def columns(cells):
    return st.lists(st.none() | cells, min_size=1, max_size=20)


@pytest.mark.parametrize("kind", CELLS)
@given(data=st.data())
def test_numbers(kind, data):
    cells = data.draw(columns(CELLS[kind]))
    array = pa.array(cells, kind, from_pandas=False)
    expected = read_table((NUMBER,), {"x": cells})
    np.testing.assert_array_equal(read(NUMBER, array), expected)
    start = data.draw(st.integers(0, len(cells) - 1))
    np.testing.assert_array_equal(read(NUMBER, array[start:]), expected[start:])
    encoded = array.dictionary_encode()
    np.testing.assert_array_equal(read(NUMBER, encoded), expected)


@given(data=st.data(), kind=st.sampled_from(["string", "large_string"]))
def test_categories(data, kind):
    cells = data.draw(columns(TEXTS))
    array = pa.array(cells, kind)
    expected = read_table((CATEGORY,), {"x": cells})
    for same in (array, array.dictionary_encode()):
        np.testing.assert_array_equal(read(CATEGORY, same), expected)
        np.testing.assert_array_equal(read(CATEGORY, same[1:]), expected[1:])


@pytest.mark.parametrize("kind", ["int64", "bool", "float64"])
@given(data=st.data())
def test_numbers_of_a_category(kind, data):
    few = st.sampled_from([-1, 0, 1, 2]) if kind == "int64" else CELLS[kind]
    cells = data.draw(columns(few))
    array = pa.array(cells, kind, from_pandas=False)
    expected = read_table((CATEGORY,), {"x": cells})
    np.testing.assert_array_equal(read(CATEGORY, array), expected)


@given(cells=st.lists(TEXTS, min_size=1))
def test_some_text_of_a_csv_file_means_missing_unless_it_is_a_level(cells):
    expected = [{"nan": -1, "b": -2}.get(cell) for cell in cells]
    expected = [
        LEVELS.index(cell) if code is None else code
        for cell, code in zip(cells, expected, strict=True)
    ]
    array = pa.array(cells).dictionary_encode()
    np.testing.assert_array_equal(read(CATEGORY, array, from_text=True).T, [expected])


def test_a_large_dictionary_of_few_rows():
    dictionary = pa.array([f"level {i}" for i in range(1000)] + ["a"])
    array = pa.DictionaryArray.from_arrays(pa.array([1000, None, 3]), dictionary)
    np.testing.assert_array_equal(read(CATEGORY, array).T, [[7, -1, -2]])


@pytest.mark.parametrize("column", [NUMBER, CATEGORY])
def test_nothing_at_all_is_missing(column):
    missing = math.nan if column.is_numeric else -1
    for array in (pa.nulls(3), pa.nulls(3, "string"), pa.nulls(3, "float64")):
        np.testing.assert_array_equal(read(column, array), [[missing]] * 3)


def test_decimals_are_numbers():
    array = pa.array([decimal.Decimal("1.25"), None])
    np.testing.assert_array_equal(read(NUMBER, array), [[1.25], [math.nan]])


@pytest.mark.parametrize("value", [datetime.date(2020, 1, 1), b"x", [1.0], {"a": 1}])
@pytest.mark.parametrize("column", [NUMBER, CATEGORY])
def test_other_types_are_refused(value, column):
    with pytest.raises(TypeError, match="Column 'x' holds"):
        read(column, pa.array([value]))


def test_text_is_no_number():
    with pytest.raises(TypeError, match="'x' held numbers when the model was fitted"):
        read(NUMBER, pa.array([None, "1"]))


@pytest.mark.parametrize(
    "labels", [[1, 2], [1.5, 2.0], [True, False], ["", "é", "a"]], ids=str
)
def test_labels(labels):
    assert arrow_labels(np.array(labels)).to_pylist() == labels
    assert arrow_labels(np.array(labels, object)).to_pylist() == labels


@given(st.lists(st.floats(allow_nan=False)))
def test_numbers_are_not_copied(numbers):
    values = np.array(numbers, dtype=np.float64)
    array = arrow_numbers(values)
    assert array.to_pylist() == numbers
    assert array.buffers()[1].address == values.ctypes.data or not numbers
