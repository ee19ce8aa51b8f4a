import datetime
import math
import sys
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill.runtime import _rows as python_rows
from skdistill.runtime import _table as table_module
from skdistill.runtime._levels import Levels, is_missing, level_of

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
    number,
    texts,
)

sys.path.pop(0)

try:
    from skdistill.runtime import _row_reader as compiled_rows
except ImportError:
    compiled_rows = None

READERS = [python_rows.RowReader]
if compiled_rows is not None:
    READERS.append(compiled_rows.RowReader)


class Colour(StrEnum):
    RED = "a"


cell = st.one_of(
    st.floats(),
    st.integers(),
    st.integers(-(10**400), 10**400),
    st.text(max_size=3),
    texts,
    booleans,
    floats.map(np.float64),
    st.sampled_from([0.0, 0.5, 1.0]).map(np.float32),
    integers.map(np.int64),
    booleans.map(np.bool_),
    texts.map(np.str_),
    st.decimals(allow_nan=False),
    st.sampled_from(
        [
            None,
            pd.NA,
            pd.NaT,
            Colour.RED,
            Fraction(1, 2),
            Decimal("nan"),
            1j,
            b"a",
            [1],
            np.zeros(1),
            np.zeros(2),
            {},
            datetime.date(2020, 1, 1),
            np.datetime64("2020-01-01"),
            np.timedelta64(1, "D"),
            pd.Timestamp("2020-01-01"),
            float("inf"),
            -math.inf,
        ]
    ),
)


def outcome(function, rows, width):
    """What a reader makes of rows: numbers, or an error's type and text."""
    out = np.empty((len(rows), width))
    try:
        function(rows, out)
    except (TypeError, ValueError) as error:
        return type(error), str(error)
    return out.tobytes()


@pytest.mark.skipif(compiled_rows is None, reason="there is no compiled reader")
@given(cells=st.lists(st.tuples(cell, cell), max_size=5), cut=st.integers(0, 5))
def test_compiled_and_python_readers_are_equal(cells, cut):
    columns = number("a"), category("b")
    readers = [reader(columns) for reader in READERS]
    rows = [{"b": b, "a": a, "c": 1} for a, b in cells]
    for row in rows[cut:]:
        del row["b"]
    some = [row[: 1 + (i < cut)] for i, row in enumerate(cells)]
    for given_rows, method in (
        (rows, "mappings"),
        (cells, "sequences"),
        (some, "sequences"),
    ):
        first, second = (
            outcome(getattr(reader, method), given_rows, 2) for reader in readers
        )
        assert first == second


@given(value=cell)
def test_a_level_is_its_text(value):
    levels = Levels("x", LEVELS)
    if isinstance(value, complex | bytes | list | dict | np.ndarray | datetime.date):
        return
    if isinstance(value, np.datetime64 | np.timedelta64):
        return
    expected = (
        -1 if is_missing(value) else dict.get(levels.by_text, level_of(value), -2)
    )
    assert levels.code(value) == expected
    assert levels.codes([value]).tolist() == [expected]
    assert levels.codes([value, True]).tolist() == [expected, LEVELS.index("True")]


@pytest.mark.parametrize(
    ("value", "level"),
    [
        (Decimal("1.00"), "1"),
        (Decimal("12345678901234567890"), "12345678901234567890"),
        (Decimal("0.10"), "0.1"),
        (Fraction(3, 2), "1.5"),
        (np.float32(0.5), "0.5"),
        (np.float32(0.1), str(float(np.float32(0.1)))),
        (np.bool_(True), "True"),
    ],
)
def test_a_number_is_a_level_whatever_its_type(value, level):
    assert level_of(value) == level
    for reader in READERS:
        out = np.empty((1, 1))
        reader([category("x", ("another", level))]).sequences([[value]], out)
        assert out[0, 0] == 1


@given(value=st.floats() | st.integers() | st.text())
def test_any_text_of_a_number_is_found(value):
    if is_missing(value):
        return
    levels = Levels("x", (level_of(value), "another"))
    assert levels.codes([value]).tolist() == [0]
    for reader in READERS:
        out = np.empty((1, 1))
        reader([category("x", (level_of(value), "another"))]).sequences([[value]], out)
        assert out[0, 0] == 0


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    "out",
    [
        np.empty((2, 2)),
        np.empty((1, 3)),
        np.empty(6),
        np.empty((2, 3), np.float32),
        np.empty((2, 3), np.int64),
        np.empty((3, 2)).T,
        np.empty((2, 6))[:, ::2],
    ],
    ids=lambda out: f"{out.shape}-{out.dtype}-{out.flags.c_contiguous}",
)
def test_rows_are_written_nowhere_else(reader, out):
    rows = [(1.0, "m", 1)] * 2
    with pytest.raises(ValueError, match=r"Got out|not C-contiguous"):
        reader(COLUMNS).sequences(rows, out)
    with pytest.raises(ValueError, match=r"Got out|not C-contiguous"):
        reader(COLUMNS).mappings([dict(zip(TABLE, r, strict=True)) for r in rows], out)


@pytest.mark.parametrize("reader", READERS)
def test_rows_that_change_while_they_are_read_do_no_harm(reader):
    rows: list = []

    class Vanishing(Decimal):
        def __float__(self):
            rows.clear()
            return 1.0

    rows += [{"x": Vanishing(1)} for _ in range(100)]
    out = np.zeros((100, 1))
    try:
        reader([number("x")]).mappings(rows, out)
    except ValueError as error:
        assert "changed" in str(error)  # noqa: PT017 - Python's loop just ends
    assert out[0, 0] == 1


@pytest.mark.parametrize("reader", READERS)
def test_threads_share_a_reader(reader):
    shared, expected = reader(COLUMNS), np.array(VALUES[:1] * 500)
    rows = [{"age": 42, "sex": "m", "code": np.float64(1)}] * 500

    def read(_):
        out = np.empty((500, 3))
        shared.mappings(rows, out)
        return out

    with ThreadPoolExecutor(8) as threads:
        for out in threads.map(read, range(32)):
            np.testing.assert_array_equal(out, expected)


def test_the_compiled_reader_is_in_force_if_there_is_one():
    assert table_module.RowReader is READERS[-1]
