import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from skdistill.inspection._drift import population_stability, share_of_known_rows

seeds = st.integers(0, 2**32 - 1)


def table(rng, n_samples, shift=0.0):
    return pd.DataFrame(
        {
            "number": rng.normal(shift, size=n_samples),
            "few": rng.integers(0, 3, n_samples) * 1.0,
            "level": rng.choice(["a", "b", "c"], n_samples),
        }
    )


@given(seed=seeds, n_samples=st.integers(100, 2000))
def test_equal_distributions_are_stable_even_with_few_rows(seed, n_samples):
    rng = np.random.default_rng(seed)
    drift = population_stability(
        table(rng, 2000), table(rng, n_samples), np.ones(n_samples)
    )
    assert list(drift) == ["number", "few", "level"]
    assert max(drift.values()) < 0.1 + 30 / n_samples


def test_what_has_moved_is_found(rng):
    before, after = table(rng, 2000), table(rng, 1000, shift=1.0)
    drift = population_stability(before, after, np.ones(1000))
    assert drift["number"] > 0.25
    assert drift["few"] < 0.05
    after = table(rng, 1000)
    after["level"] = "new"
    after.loc[:500, "few"] = np.nan
    drift = population_stability(before, after, np.ones(1000))
    assert drift["level"] > 1
    assert drift["few"] > 0.25
    assert drift["number"] < 0.1


def test_weights_count_and_their_scale_does_not(rng):
    before, after = table(rng, 2000), table(rng, 1000)
    weights = np.where(after.number > 0, 4.0, 1.0)
    drift = population_stability(before, after, weights)
    assert drift["number"] > 0.2
    assert population_stability(before, after, 1e6 * weights) == pytest.approx(drift)


def test_columns_that_are_empty_or_constant_are_stable():
    X = np.stack([np.full(50, np.nan), np.ones(50)], axis=1)
    drift = population_stability(X, X, np.ones(50))
    assert list(drift.values()) == [0, 0]
    sparse = population_stability(csr_array(X[:, 1:]), csr_array(X[:, 1:]), np.ones(50))
    assert sparse == {"x0": 0}


def test_rows_of_training_are_known_again(rng):
    before, after = table(rng, 500), table(rng, 300)
    after.loc[0, "number"] = before.loc[0, "number"] = np.nan
    weights = np.ones(300)
    assert share_of_known_rows(before, after, weights) <= 1 / 300
    after.iloc[:100] = before.iloc[200:300]
    known = share_of_known_rows(before, after, weights)
    assert known == pytest.approx(1 / 3, abs=0.01)
    weights[:100] = 0
    assert share_of_known_rows(before, after, weights) < 0.01
    # Values that have changed places are another row.
    X = rng.normal(size=(50, 2))
    assert share_of_known_rows(X, X[:, ::-1], np.ones(50)) == 0
    assert share_of_known_rows(X, X[::-1], np.ones(50)) == 1


@pytest.mark.parametrize("function", [population_stability, share_of_known_rows])
def test_other_columns_are_refused(function, rng):
    X = table(rng, 20)
    for other in (X[["few", "number", "level"]], X[["few"]], X.iloc[:0]):
        with pytest.raises(ValueError, match="X_train"):
            function(other, X, np.ones(20))
