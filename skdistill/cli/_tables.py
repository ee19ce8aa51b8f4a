"""Labelled tables for training and judging, read into memory with pandas."""

from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np

from ._column_kinds import columns_of_text, with_kinds
from ._text import tell

LARGEST_INTEGER = 2**53
"""Larger ones are not known exactly where missing ones have made floats of them."""


@dataclass(frozen=True, eq=False)
class LabelledTable:
    """Rows with labels and weights, and the rows whose label is missing.

    Parameters
    ----------
    X : pandas.DataFrame of shape (n_samples, n_features)
        Rows; strings are categories.
    y : ndarray of shape (n_samples,)
        Class labels, or numbers.
    weights : ndarray of shape (n_samples,), float64, or None
        Weights of the rows.
    X_unlabeled : pandas.DataFrame of shape (n_unlabeled, n_features)
        Rows without a label.
    """

    X: Any
    y: np.ndarray
    weights: np.ndarray | None
    X_unlabeled: Any

    def tell_unlabeled(self, used):
        """Tell of rows without a label that are not used."""
        if len(self.X_unlabeled):
            tell(f"{len(self.X_unlabeled):,} rows without a label are not {used}.")


def read_labels(name, values):
    """Return a column as class labels.

    Parameters
    ----------
    name : str
        Its name.
    values : pandas.Series
        Without missing ones.

    Returns
    -------
    ndarray
        As they were: missing ones beside them had made floats of integers.
    """
    labels = values.to_numpy()
    if labels.dtype.kind == "f":
        whole = (labels == np.floor(labels)) & (np.abs(labels) <= LARGEST_INTEGER)
        return labels.astype(np.int64) if whole.all() else labels
    if labels.dtype.kind == "O" and all(isinstance(v, bool) for v in labels):
        return labels.astype(bool)
    return labels


def text_labels(target, labels):
    """Return the columns of labels of which every cell of a CSV file is a text.

    Parameters
    ----------
    target : str
        Column of the labels.
    labels : ndarray
        All that are known.

    Returns
    -------
    list of str
        The target, or nothing.
    """
    return [target] if all(isinstance(v, str) for v in labels.tolist()) else []


def read_numbers(name, values):
    """Return a column as numbers.

    Parameters
    ----------
    name : str
        Its name.
    values : pandas.Series
        Without missing ones.

    Returns
    -------
    ndarray, float64

    Raises
    ------
    ValueError
        If it holds something else, or infinite ones.
    """
    known = values.dtype.kind in "biuf" or (
        values.dtype.kind == "O"
        and all(isinstance(value, Real | Decimal) for value in values)
    )
    if not known:
        raise ValueError(
            f"Got the target {name!r} of type {values.dtype} with values such as "
            f"{values.iloc[0]!r}, but expected numbers."
        )
    numbers = values.to_numpy(dtype=np.float64)
    if not np.isfinite(numbers).all():
        raise ValueError(
            f"Got the target {name!r} with infinite values, but expected finite "
            "numbers."
        )
    return numbers


def read_labelled(
    path, target, *, read_target=read_labels, weights=None, drop=(), kinds=None, text=()
):
    """Read a table of which one column is the label, or the number to predict.

    Parameters
    ----------
    path : path-like
        A file that ends in .csv or .parquet.
    target : str
        Column of the labels or numbers.
    read_target : callable, default=read_labels
        Of its name and its values that are not missing; returns them as an array.
    weights : str, default=None
        Column of the weights of the rows.
    drop : sequence of str, default=()
        Columns that no model shall see.
    kinds : dict, default=None
        What the columns are to a model that there is already, see `_column_kinds`.
        ``None``: one is to be fitted to them.
    text : sequence of str, default=()
        Other columns of which every cell of a CSV file is a text.

    Returns
    -------
    LabelledTable

    Raises
    ------
    ImportError
        If pandas is not installed.
    OSError
        If the file cannot be read.
    ValueError
        If it is no such table, or has not the columns.
    """
    path = Path(path)
    table = _read(path, [*columns_of_text(kinds or {}), *text])
    for what, name in [("target", target), ("weights", weights)] + [
        ("column to drop", name) for name in drop
    ]:
        if name is not None and name not in table:
            raise ValueError(
                f"Got the {what} {name!r}, but {path.name} has the columns "
                f"{list(table.columns)}."
            )
    known = table[target].notna().to_numpy()
    if not known.any():
        raise ValueError(
            f"Got {len(table)} rows in {path.name}, but expected some with a "
            f"label in the column {target!r}."
        )
    others = [name for name in (target, weights, *drop) if name is not None]
    X = table.drop(columns=others)
    if kinds is None:
        _check_names(path, table.columns, X.columns)
    else:
        X = with_kinds(X, kinds, path.name)
    # LightGBM takes categories, not strings.
    strings = X.select_dtypes(["object", "string"]).columns
    X = X.astype(dict.fromkeys(strings, "category"))
    return LabelledTable(
        X[known].reset_index(drop=True),
        read_target(target, table.loc[known, target]),
        None if weights is None else _weights(table.loc[known, weights]),
        X[~known].reset_index(drop=True),
    )


def _read(path, text):
    try:
        import pandas as pd
    except ModuleNotFoundError as error:
        raise ImportError(
            "reading a training table needs pandas and pyarrow: "
            "pip install 'skdistill[demo]'"
        ) from error
    # Or the cells of a column may be numbers in one part of the file, texts in another.
    csv = partial(pd.read_csv, low_memory=False, dtype=dict.fromkeys(text, str))
    readers = {".csv": csv, ".parquet": pd.read_parquet}
    if path.suffix.lower() not in readers:
        raise ValueError(f"Got {str(path)!r}, but expected a .csv or .parquet file.")
    if path.is_dir():
        # pandas would read a folder of Parquet files.
        raise IsADirectoryError(f"Got the folder {path}, but expected a file.")
    # pandas says nothing but the name of a Parquet file that is not there.
    path.open("rb").close()
    try:
        table = readers[path.suffix.lower()](path)
    except (ValueError, OSError) as error:
        text = str(error)
        if isinstance(error, UnicodeDecodeError):
            text = f"expected UTF-8, but {text}"
        raise ValueError(f"{path} cannot be read: {text}") from error
    return table.set_axis(table.columns.map(str), axis=1)


def _check_names(path, names, used):
    """Raise if a column of a CSV file is used that has no name of its own.

    pandas makes one, by which nothing else would find it.
    """
    if path.suffix.lower() != ".csv":
        return
    import pandas as pd

    header = pd.read_csv(path, header=None, nrows=1, dtype=str, keep_default_na=False)
    given = header.iloc[0].tolist()
    pairs = zip(given, names, strict=False)
    odd = [name for own, name in pairs if not own or given.count(own) > 1]
    odd = [name for name in odd if name in used]
    if odd:
        drop = " ".join(f"--drop {name!r}" for name in odd)
        raise ValueError(
            f"Got {path.name} with columns without a name of their own, which are read "
            f"as {odd}, but expected one for each: name them, or leave them out by "
            f"{drop}."
        )


def _weights(weights):
    if weights.dtype.kind not in "biuf":
        raise ValueError(
            f"Got weights of type {weights.dtype}, but expected a column of numbers."
        )
    return weights.to_numpy(dtype=np.float64)
