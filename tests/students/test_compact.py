import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from skdistill.students import TabularEncoder
from skdistill.students._torch.compact import CompactInputs

N_SAMPLES = 60
NUMBERS = st.lists(
    st.one_of(st.none(), st.floats(-1e6, 1e6), st.integers(-2, 2).map(float)),
    min_size=N_SAMPLES,
    max_size=N_SAMPLES,
)
LEVELS = st.lists(
    st.sampled_from([None, "a", "b", "c"]), min_size=N_SAMPLES, max_size=N_SAMPLES
)


def expanded(encoder, X):
    inputs = CompactInputs(encoder.to_spec())
    kept = inputs.compress(values(encoder, X), len(X))
    return inputs(torch.from_numpy(kept)).numpy(), kept


def values(encoder, X):
    from skdistill._columns import read_columns

    return read_columns(X, encoder.columns_)


@given(st.data(), st.integers(0, 3), st.integers(0, 3))
def test_it_expands_to_what_the_encoder_computes(data, n_numbers, n_categories):
    columns = {f"n{j}": data.draw(NUMBERS) for j in range(n_numbers)}
    X = pd.DataFrame(columns, dtype=float, index=range(N_SAMPLES))
    for j in range(n_categories):
        X[f"c{j}"] = pd.Series(data.draw(LEVELS), dtype="category")
    X["last"] = np.arange(N_SAMPLES) % 5
    y = np.arange(N_SAMPLES) % 2
    encoder = TabularEncoder(n_bins=8).fit(X, y)
    code, _ = expanded(encoder, X)
    np.testing.assert_allclose(code, encoder.transform(X), atol=1e-5)


def test_levels_with_means_and_new_values(rng):
    from skdistill import SoftTargets

    X = pd.DataFrame({"x": rng.normal(size=400), "level": rng.integers(0, 30, 400)})
    X["level"] = X["level"].astype(str)
    targets = SoftTargets(rng.normal(size=(400, 3)))
    encoder = TabularEncoder(max_levels=10).fit(X, targets)
    new = X[:20].assign(level="never seen", x=1e9)
    for rows in (X, new):
        code, _ = expanded(encoder, rows)
        np.testing.assert_allclose(code, encoder.transform(rows), atol=1e-5)


def test_a_code_of_nothing_is_a_column_of_zeros():
    X = pd.DataFrame({"constant": np.ones(10)})
    code, _ = expanded(TabularEncoder().fit(X, np.arange(10) % 2), X)
    np.testing.assert_array_equal(code, np.zeros((10, 1)))


@pytest.mark.parametrize("n_bins", [4, 32])
def test_what_is_kept_does_not_grow_with_the_bins(rng, n_bins):
    X = rng.normal(size=(2000, 5))
    y = (np.sin(3 * X[:, 0]) > 0).astype(int)
    _, kept = expanded(TabularEncoder(n_bins=n_bins).fit(X, y), X)
    assert kept.shape == (2000, 10)


def test_numbers_too_near_to_zero_to_tell_apart():
    tiny = 2.225073858507e-311
    X = pd.DataFrame({"x": np.tile([0.0, tiny, -tiny, 1e-300], 20), "y": [0.0, 1] * 40})
    encoder = TabularEncoder(n_bins=8).fit(X, np.arange(80) % 2)
    assert np.isfinite(encoder.transform(X)).all()
    code, _ = expanded(encoder, X)
    np.testing.assert_allclose(code, encoder.transform(X), atol=1e-5)
