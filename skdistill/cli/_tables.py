"""Labelled tables for training and judging, read into memory with pandas."""

from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np

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


def read_labelled(path, target, *, read_target=read_labels, weights=None, drop=()):
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
    table = _read(Path(path))
    for what, name in [("target", target), ("weights", weights)] + [
        ("column to drop", name) for name in drop
    ]:
        if name is not None and name not in table:
            raise ValueError(
                f"Got the {what} {name!r}, but {Path(path).name} has the columns "
                f"{list(table.columns)}."
            )
    known = table[target].notna().to_numpy()
    if not known.any():
        raise ValueError(
            f"Got {len(table)} rows in {Path(path).name}, but expected some with a "
            f"label in the column {target!r}."
        )
    others = [name for name in (target, weights, *drop) if name is not None]
    X = table.drop(columns=others)
    # LightGBM takes categories, not strings.
    strings = X.select_dtypes(["object", "string"]).columns
    X = X.astype(dict.fromkeys(strings, "category"))
    return LabelledTable(
        X[known].reset_index(drop=True),
        read_target(target, table.loc[known, target]),
        None if weights is None else _weights(table.loc[known, weights]),
        X[~known].reset_index(drop=True),
    )


def _read(path):
    try:
        import pandas as pd
    except ModuleNotFoundError as error:
        raise ImportError(
            "reading a training table needs pandas and pyarrow: "
            "pip install 'skdistill[demo]'"
        ) from error
    readers = {".csv": pd.read_csv, ".parquet": pd.read_parquet}
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


def _weights(weights):
    if weights.dtype.kind not in "biuf":
        raise ValueError(
            f"Got weights of type {weights.dtype}, but expected a column of numbers."
        )
    return weights.to_numpy(dtype=np.float64)
