import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import coo_array, csc_array, csr_array, csr_matrix

from skdistill._columns import (
    MISSING,
    UNSEEN,
    Column,
    concatenate_rows,
    is_missing,
    learn_columns,
    number_dtypes,
    read_columns,
    take_cells,
    take_rows,
)
from skdistill.students import TreeStudentClassifier

MIXED = {
    "number": [1.5, None, 3.0],
    "integer": [1, 2, 3],
    "flag": [True, False, True],
    "level": ["b", None, "a"],
}


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_frames_of_all_libraries_read_alike(frame):
    X = frame(MIXED)
    columns = learn_columns(X)
    assert [column.name for column in columns] == list(MIXED)
    assert [column.levels for column in columns] == [None, None, None, ("a", "b")]
    number, integer, flag, level = read_columns(X, columns)
    np.testing.assert_array_equal(number, [1.5, np.nan, 3.0])
    np.testing.assert_array_equal(integer, [1, 2, 3])
    np.testing.assert_array_equal(flag, [1, 0, 1])
    np.testing.assert_array_equal(level, [1, MISSING, 0])


def test_lists_of_rows_keep_their_numbers():
    rows = [[1, "b"], [2, "a"], [10, "b"], [3, "a"]] * 5
    student = TreeStudentClassifier(random_state=0).fit(rows, [1, 0, 1, 0] * 5)
    assert [column.levels for column in student.encoder_.columns_] == [None, ("a", "b")]
    assert student.predict([(20, "b")]) == [1]


def test_object_arrays_read_like_frames():
    array = np.array(list(map(list, zip(*MIXED.values(), strict=True))), dtype=object)
    columns = learn_columns(array)
    for a, b in zip(
        read_columns(array, columns),
        read_columns(pd.DataFrame(MIXED), columns),
        strict=True,
    ):
        np.testing.assert_array_equal(a, b)


@given(
    cells=st.lists(st.sampled_from(["a", "b", "", "NA", None]), min_size=1),
    dtype=st.sampled_from(["str", "string", "category", "object"]),
)
def test_strings_read_alike_whatever_holds_them(cells, dtype):
    cells = [*cells, "a"]
    frame = pd.DataFrame({"x": pd.Series(cells, dtype=dtype)})
    lists = pl.DataFrame({"x": cells}, schema={"x": pl.String})
    assert learn_columns(frame) == learn_columns(lists)
    for known in (learn_columns(frame), [Column("x", ("b", "other"))]):
        (codes,) = read_columns(frame.iloc[::-1], known)
        np.testing.assert_array_equal(codes, read_columns(lists[::-1], known)[0])


def test_extension_dtypes_and_categories_are_read():
    X = pd.DataFrame(
        {
            "a": pd.array([1, None], dtype="Int64"),
            "b": pd.array([True, None], dtype="boolean"),
            "c": pd.Categorical([10, 20]),
            "d": pd.Categorical(["x", None], categories=["z", "x"]),
            "e": pd.Series([True, None], dtype=object),
        }
    )
    a, b, c, d, e = read_columns(X, learn_columns(X))
    np.testing.assert_array_equal(a, [1, np.nan])
    np.testing.assert_array_equal(b, [1, np.nan])
    np.testing.assert_array_equal(c, [0, 1])
    np.testing.assert_array_equal(d, [0, MISSING])
    np.testing.assert_array_equal(e, [1, np.nan])


def test_numbers_may_be_column_names():
    X = pd.DataFrame([[1, "a"], [2, "b"]])
    assert [column.name for column in learn_columns(X)] == ["0", "1"]


def test_levels_keep_their_codes_in_any_order_and_type():
    columns = learn_columns(pd.DataFrame({"a": pd.Categorical(["x", "y"])}))
    for values in (["y", "x", "w", None], pd.Categorical(["y", "x", "w", None])):
        (codes,) = read_columns(pd.DataFrame({"a": values}), columns)
        np.testing.assert_array_equal(codes, [1, 0, UNSEEN, MISSING])


def test_whole_numbers_are_one_level_whatever_their_type():
    columns = learn_columns(pd.DataFrame({"a": pd.Categorical([1, 2])}))
    floats = pd.DataFrame({"a": pd.Categorical([2.0, 1.0])})
    np.testing.assert_array_equal(read_columns(floats, columns)[0], [1, 0])


@pytest.mark.parametrize("dtype", ["bool", "boolean", object])
def test_booleans_are_the_same_levels_beside_missing_values(dtype):
    columns = learn_columns(pd.DataFrame({"a": pd.Categorical([False, True])}))
    assert columns[0].levels == ("False", "True")
    missing = [] if dtype == "bool" else [None]
    X = pd.DataFrame({"a": pd.Series([True, False, *missing], dtype=dtype)})
    expected = [1, 0, *[MISSING for _ in missing]]
    np.testing.assert_array_equal(read_columns(X, columns)[0], expected)


@pytest.mark.parametrize("value", [None, np.nan, pd.NA, pd.NaT, float("nan")])
def test_missing_values_are_known(value):
    assert is_missing(value)


@pytest.mark.parametrize("value", [0, "", False, np.float32(1), "nan", True])
def test_values_are_not_missing(value):
    assert not is_missing(value)


@pytest.mark.parametrize(
    "values",
    [
        [datetime.datetime(2020, 1, 1), datetime.datetime(2020, 1, 2)],
        [datetime.timedelta(1), datetime.timedelta(2)],
        [["list"], ["of", "lists"]],
        [{"a": 1}, {"b": 2}],
        ["text", 1],
    ],
)
def test_other_columns_are_refused_by_name(values):
    with pytest.raises(TypeError, match="'when'"):
        learn_columns(pd.DataFrame({"fine": [1, 2], "when": values}))


DATES = [datetime.datetime(2020, 1, 1), datetime.datetime(2020, 1, 2)]


@pytest.mark.parametrize(
    ("X", "name"),
    [
        (pd.DataFrame({"when": DATES}), "when"),
        (pd.DataFrame({"when": pd.to_datetime(DATES, utc=True)}), "when"),
        (pd.DataFrame({"when": DATES}, dtype=object), "when"),
        (pd.DataFrame({"when": [date.date() for date in DATES]}), "when"),
        (pl.DataFrame({"when": DATES}), "when"),
        (pl.DataFrame({"when": [date.date() for date in DATES]}), "when"),
        (np.array(DATES, dtype="datetime64[D]")[:, None], "x0"),
        (np.array(DATES, dtype=object)[:, None], "x0"),
    ],
)
def test_dates_are_refused_with_a_remedy(X, name):
    with pytest.raises(TypeError, match=f"'{name}' holds .* a number of days"):
        learn_columns(X)


@pytest.mark.parametrize("container", [csr_matrix, csr_array, csc_array, coo_array])
def test_sparse_matrices_read_like_dense_ones(container):
    dense = np.array([[0, 2], [np.nan, 0], [0, -1.5]])
    X = container(dense)
    columns = learn_columns(X)
    assert columns == learn_columns(dense)
    for a, b in zip(read_columns(X, columns), dense.T, strict=True):
        np.testing.assert_array_equal(a, b)


def test_entries_of_the_same_sparse_cell_are_summed():
    X = csr_array(([1, 2, 4], ([0, 0, 1], [0, 0, 0])), shape=(3, 1))
    np.testing.assert_array_equal(read_columns(X, learn_columns(X)), [[3, 4, 0]])


@pytest.mark.parametrize("container", [csr_matrix, csr_array])
def test_sparse_rows_are_taken_and_concatenated(container):
    X = container(np.eye(3))
    both = concatenate_rows(take_rows(X, np.array([2, 0])), X)
    assert isinstance(both, container)
    np.testing.assert_array_equal(both.toarray(), np.eye(3)[[2, 0, 0, 1, 2]])


def test_infinity_is_refused_by_name():
    X = pd.DataFrame({"fine": [1.0], "huge": [np.inf]})
    with pytest.raises(ValueError, match="'huge' holds infinity"):
        read_columns(X, learn_columns(X))


def test_strings_where_numbers_were_are_refused():
    columns = learn_columns(pd.DataFrame({"age": [1, 2]}))
    with pytest.raises(TypeError, match="'age' held numbers"):
        read_columns(pd.DataFrame({"age": ["1", "2"]}), columns)


@pytest.mark.parametrize(
    "cells",
    [
        pd.Series([None, None]),
        pd.Series([pd.NA, None], dtype=object),
        pd.Series([None, None], dtype="string"),
        pd.Series([None, None], dtype="category"),
        pd.Series([1, 2]).iloc[:0],
    ],
)
def test_a_column_of_numbers_may_have_no_value_at_all(cells):
    """However its type then looks."""
    columns = learn_columns(pd.DataFrame({"age": [1.0, 2.0]}))
    (values,) = read_columns(pd.DataFrame({"age": cells}), columns)
    np.testing.assert_array_equal(values, np.full(len(cells), np.nan))


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_rows_are_taken_by_position(frame):
    part = take_rows(frame(MIXED), np.array([2, 0]))
    assert isinstance(part, frame)
    assert part["integer"].to_list() == [3, 1]


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_cells_are_taken_by_position_and_from_other_numbers(frame):
    X = frame(MIXED)
    rows = np.array([[0, 2, 1, 2], [3, 4, 0, 0], [1, 3, 2, 1]])
    new = take_cells(X, rows, {0: np.array([9.5]), 1: np.array([7, 8])})
    assert isinstance(new, frame)
    assert list(new.dtypes) == list(X.dtypes)
    number, integer, flag, level = read_columns(new, learn_columns(X))
    np.testing.assert_array_equal(number, [1.5, 9.5, np.nan])
    np.testing.assert_array_equal(integer, [3, 8, 7])
    np.testing.assert_array_equal(flag, [0, 1, 1])
    np.testing.assert_array_equal(level, [0, 1, MISSING])


def test_cells_of_arrays_are_taken():
    X = np.array([[1, 2], [3, 4]], dtype=np.int8)
    new = take_cells(X, np.array([[1, 0], [2, 1]]), {0: np.array([9], np.int8)})
    np.testing.assert_array_equal(new, [[3, 2], [9, 4]])
    assert new.dtype == np.int8


@pytest.mark.parametrize("table", [pd.DataFrame, pl.DataFrame, np.array])
def test_tables_are_concatenated(table):
    parts = [table(np.array([[1, 2], [3, 4]])), table(np.array([[5, 6]]))]
    both = concatenate_rows(*parts)
    assert type(both) is type(parts[0])
    np.testing.assert_array_equal(both, np.concatenate(parts))


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize("flags", [[True, False], [1.0, None], [0, 1]])
def test_types_of_numbers_go_together(frame, flags):
    parts = [frame({"x": [2, 3], "same": [4, 5]}), frame({"x": flags, "same": [6, 7]})]
    for tables in (parts, parts[::-1]):
        both = concatenate_rows(*tables)
        read, *ends = (read_columns(t, learn_columns(t)) for t in (both, *tables))
        np.testing.assert_array_equal(read, np.concatenate(ends, axis=1))
        assert number_dtypes(both)[1] == np.int64


def test_types_of_numbers_are_known():
    X = pd.DataFrame(
        {
            "a": pd.array([1, None], dtype="Int16"),
            "b": np.array([1, 2], dtype=np.float32),
            "c": pd.array([1, None], dtype="int64[pyarrow]"),
            "d": [True, False],
            "e": pd.Categorical([1, 2]),
            "f": pd.Series([1, True], dtype=object),
        }
    )
    assert number_dtypes(X) == [np.int16, np.float32, np.int64, None, None, None]
    assert number_dtypes(np.zeros((1, 2), np.uint8)) == [np.uint8, np.uint8]
    assert number_dtypes(np.zeros((1, 2), object)) == [None, None]


@pytest.mark.parametrize("ordered", [False, True])
def test_categories_of_all_parts_stay_categories(ordered):
    parts = [
        pd.DataFrame(
            {"x": [1.5] * len(cells), 7: pd.Categorical(cells, levels, ordered)}
        )
        for cells, levels in [
            (["b", None], ["b", "a"]),
            (["c", "a"], ["a", "c"]),
            (["a", "b"], ["b", "a"]),
        ]
    ]
    before = [part.copy() for part in parts]
    whole = concatenate_rows(*parts)
    assert whole[7].dtype == pd.CategoricalDtype(["b", "a", "c"], ordered)
    assert whole[7].tolist()[2:] == ["c", "a", "a", "b"]
    assert whole.columns.tolist() == ["x", 7]
    for part, old in zip(parts, before, strict=True):
        pd.testing.assert_frame_equal(part, old)
