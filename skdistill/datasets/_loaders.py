"""Loaders of the data sets that ship with the package."""

import importlib.util
from importlib import resources

import numpy as np
from sklearn.utils import Bunch


def load_adult(*, return_X_y=False, as_frame="auto"):
    """Load Adult (Census Income): whether a person earns more than 50,000 dollars.

    48,842 rows, 6 numeric and 8 categorical columns, 2 classes (24 % ``">50K"``);
    `workclass`, `occupation` and `native_country` have missing values.

    Parameters
    ----------
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.
    as_frame : bool or "auto", default="auto"
        Whether `data` is a pandas DataFrame with categorical columns and `target` a
        Series; otherwise they are arrays, `data` of dtype object with ``None`` for
        missing values. ``"auto"``: where pandas is installed.

    Returns
    -------
    data : Bunch
        With `data`, `target`, `feature_names`, `target_names` and `DESCR`; or the
        tuple ``(data, target)``.

    Raises
    ------
    ImportError
        If ``as_frame=True`` and pandas is not installed.

    Notes
    -----
    Source: UCI Machine Learning Repository, Adult (B. Becker, R. Kohavi, 1996), the
    original training and test files joined. Licence: CC BY 4.0.

    Examples
    --------
    >>> from skdistill.datasets import load_adult
    >>> X, y = load_adult(return_X_y=True)
    >>> X.shape
    (48842, 14)
    """
    return _load("adult", load_adult.__doc__, return_X_y, as_frame)


def load_magic(*, return_X_y=False, as_frame="auto"):
    """Load MAGIC Gamma Telescope: whether a shower of light is a gamma signal.

    19,020 rows, 10 numeric columns, 2 classes: ``"g"`` gamma (65 %), ``"h"`` hadron.

    Parameters
    ----------
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.
    as_frame : bool or "auto", default="auto"
        Whether `data` is a pandas DataFrame and `target` a Series; otherwise they
        are arrays. ``"auto"``: where pandas is installed.

    Returns
    -------
    data : Bunch
        With `data`, `target`, `feature_names`, `target_names` and `DESCR`; or the
        tuple ``(data, target)``.

    Raises
    ------
    ImportError
        If ``as_frame=True`` and pandas is not installed.

    Notes
    -----
    Source: UCI Machine Learning Repository, MAGIC Gamma Telescope (R. Bock, 2004).
    Licence: CC BY 4.0.

    Examples
    --------
    >>> from skdistill.datasets import load_magic
    >>> X, y = load_magic(return_X_y=True)
    >>> X.shape
    (19020, 10)
    """
    return _load("magic", load_magic.__doc__, return_X_y, as_frame)


def load_letter(*, return_X_y=False, as_frame="auto"):
    """Load Letter Recognition: which of the 26 capital letters an image shows.

    20,000 rows, 16 integer columns from 0 to 15 (statistics of the image), 26
    classes of about equal size.

    Parameters
    ----------
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.
    as_frame : bool or "auto", default="auto"
        Whether `data` is a pandas DataFrame and `target` a Series; otherwise they
        are arrays. ``"auto"``: where pandas is installed.

    Returns
    -------
    data : Bunch
        With `data`, `target`, `feature_names`, `target_names` and `DESCR`; or the
        tuple ``(data, target)``.

    Raises
    ------
    ImportError
        If ``as_frame=True`` and pandas is not installed.

    Notes
    -----
    Source: UCI Machine Learning Repository, Letter Recognition (D. Slate, 1991).
    Licence: CC BY 4.0.

    Examples
    --------
    >>> from skdistill.datasets import load_letter
    >>> X, y = load_letter(return_X_y=True)
    >>> X.shape
    (20000, 16)
    """
    return _load("letter", load_letter.__doc__, return_X_y, as_frame)


def _load(name, description, return_X_y, as_frame):
    if as_frame not in (True, False, "auto"):
        raise ValueError(f"Got as_frame={as_frame!r}, but expected a bool or 'auto'.")
    columns, levels = _read(name)
    names = [column for column in columns if column != "target"]
    target_names = levels["target"]
    if as_frame == "auto":
        as_frame = importlib.util.find_spec("pandas") is not None
    if as_frame:
        data, target = _as_frame(columns, levels, names)
    else:
        data, target = _as_arrays(columns, levels, names)
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        feature_names=names,
        target_names=target_names,
        DESCR=description,
    )


def _read(name):
    """Columns in their order, codes of categories with -1 for missing, and levels."""
    path = resources.files(__package__) / "data" / f"{name}.npz"
    with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
        names = archive["names"].tolist()
        # Stored in the smallest integers, handed out in ones that do not overflow.
        columns = {name: _widened(archive[f"values_{name}"]) for name in names}
        levels = {
            column: archive[f"levels_{column}"]
            for column in names
            if f"levels_{column}" in archive
        }
    return columns, levels


def _widened(values):
    return values.astype(np.int32) if values.dtype.kind == "i" else values


def _as_frame(columns, levels, names):
    import pandas as pd

    data = pd.DataFrame(
        {
            name: pd.Categorical.from_codes(columns[name], levels[name])
            if name in levels
            else columns[name]
            for name in names
        }
    )
    return data, pd.Series(levels["target"][columns["target"]], name="target")


def _as_arrays(columns, levels, names):
    decoded = [
        # The last entry is what the code -1 of a missing value points to.
        np.append(levels[name].astype(object), [None])[columns[name]]
        if name in levels
        else columns[name]
        for name in names
    ]
    target = levels["target"][columns["target"]]
    return np.stack(decoded, axis=1), target
