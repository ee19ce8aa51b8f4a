import builtins
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skdistill.datasets import load_adult, load_letter, load_magic

LOADERS = [load_adult, load_magic, load_letter]
SOURCES = Path(__file__).parents[3] / "shared" / "data"


@pytest.mark.parametrize("load", LOADERS)
def test_arrays_and_frames_hold_the_same(load):
    X, y = load(return_X_y=True)
    array, labels = load(return_X_y=True, as_frame=False)
    assert isinstance(X, pd.DataFrame)
    assert isinstance(array, np.ndarray)
    np.testing.assert_array_equal(labels, y.to_numpy())
    for position, name in enumerate(X):
        values = X[name].astype(object).where(X[name].notna(), None)
        np.testing.assert_array_equal(array[:, position], values)


@pytest.mark.parametrize("load", LOADERS)
def test_bunch_describes_the_data(load):
    bunch = load()
    assert list(bunch.data.columns) == bunch.feature_names
    assert sorted(set(bunch.target)) == list(bunch.target_names)
    assert "Licence: CC BY 4.0" in bunch.DESCR
    assert "Source: UCI" in bunch.DESCR


@pytest.mark.parametrize("load", LOADERS)
def test_they_are_the_source_unchanged(load):
    path = SOURCES / f"{load.__name__.removeprefix('load_')}.parquet"
    if not path.exists():
        pytest.skip("the source tables lie beside the repository in development only")
    source = pd.read_parquet(path)
    X, y = load(return_X_y=True)
    assert list(X.columns) == list(source.columns[:-1])
    assert (y == source["target"]).all()
    for name in X:
        a, b = X[name].astype(object), source[name].astype(object)
        np.testing.assert_array_equal(a.where(a.notna(), ""), b.where(b.notna(), ""))


def test_without_pandas_arrays_come(monkeypatch):
    import importlib.util

    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name == "pandas" else find_spec(name, *rest),
    )
    assert isinstance(load_magic().data, np.ndarray)


def test_frames_without_pandas_are_an_error(monkeypatch):
    original = builtins.__import__

    def without_pandas(name, *rest):
        if name == "pandas":
            raise ModuleNotFoundError("No module named 'pandas'")
        return original(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_pandas)
    with pytest.raises(ImportError, match="pandas"):
        load_magic(as_frame=True)


def test_as_frame_is_checked():
    with pytest.raises(ValueError, match="as_frame='yes'"):
        load_adult(as_frame="yes")
