"""Columns of a table as class labels, and as numbers."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill.cli._column_kinds import kinds_of_table
from skdistill.cli._tables import read_labelled, read_labels, read_numbers

finite = st.floats(allow_nan=False, allow_infinity=False)
whole = st.integers(-(2**53), 2**53)


@given(st.lists(finite, min_size=1))
def test_numbers_of_any_type_are_the_same_numbers(values):
    columns = [
        pd.Series(values),
        pd.Series(values, dtype="Float64"),
        pd.Series([Decimal(value) for value in values], dtype=object),
        pd.Series(values, dtype=object),
    ]
    for column in columns:
        numbers = read_numbers("y", column)
        assert numbers.dtype == np.float64
        assert numbers.tolist() == values


@given(st.lists(whole, min_size=1))
def test_whole_numbers_are_labels_with_and_without_missing_ones(values):
    assert read_labels("y", pd.Series(values)).tolist() == values
    labels = read_labels("y", pd.Series([*values, None]).dropna())
    assert labels.tolist() == values
    assert labels.dtype == np.int64


@given(st.lists(finite | st.just(np.inf), min_size=1))
def test_no_label_becomes_another_one(values):
    labels = read_labels("y", pd.Series(values, dtype=np.float64))
    assert labels.tolist() == values


@pytest.mark.parametrize(
    "values",
    [["1", "2"], [1.0, "a"], [True, "a"], [1j, 2j], pd.to_datetime(["2020-01-01"])],
    ids=str,
)
def test_what_is_no_number_is_refused(values):
    with pytest.raises(ValueError, match=r"Got the target 'y' .* expected numbers"):
        read_numbers("y", pd.Series(values))


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinite_numbers_are_refused(value):
    with pytest.raises(ValueError, match="infinite values"):
        read_numbers("y", pd.Series([1.0, value]))


def test_rows_with_and_without_a_number(tmp_path):
    frame = pd.DataFrame({"a": [1, 2, 3], "y": [0.5, None, 2.5], "w": [1, 2, 3]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    table = read_labelled(
        tmp_path / "t.csv", "y", read_target=read_numbers, weights="w"
    )
    assert (table.y.tolist(), table.weights.tolist()) == ([0.5, 2.5], [1, 3])
    assert table.X["a"].tolist() == [1, 3]
    assert table.X_unlabeled["a"].tolist() == [2]


def test_a_later_table_holds_what_the_first_one_did(tmp_path):
    first = pd.DataFrame(
        {
            "flag": pd.Series([True, None, False], dtype=object),
            "level": ["1", "b", "c"],
            "number": [1.5, None, 2.0],
            "y": [0, 1, 0],
        }
    )
    later = first.assign(
        flag=[True, True, False],
        level=[1.0, 2.0, None],
        number=[Decimal("1.5"), None, Decimal(2)],
    )
    first.to_parquet(tmp_path / "first.parquet")
    later.to_parquet(tmp_path / "later.parquet")
    X = read_labelled(tmp_path / "first.parquet", "y").X
    read = read_labelled(tmp_path / "later.parquet", "y", kinds=kinds_of_table(X)).X
    assert [str(kind) for kind in read.dtypes] == ["category"] * 2 + ["float64"]
    assert read["flag"].tolist() == [True, True, False]
    assert read["level"].tolist()[:2] == ["1", 2.0]
    assert read["level"].isna().tolist() == [False, False, True]
    assert read["number"].tolist()[::2] == [1.5, 2.0]
    later.assign(number=["1.5", "x", "2"]).to_parquet(tmp_path / "later.parquet")
    with pytest.raises(
        ValueError, match=r"Got later.parquet, whose column 'number' holds 'x'"
    ):
        read_labelled(tmp_path / "later.parquet", "y", kinds=kinds_of_table(X))
