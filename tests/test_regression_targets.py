import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill import RegressionTargets
from skdistill.losses import HuberLoss, PoissonLoss

NAN = np.nan


@given(
    n_samples=st.integers(1, 8),
    n_outputs=st.integers(0, 3),
    alpha=st.floats(0, 1),
    seed=st.integers(0, 100),
)
def test_rows_can_be_taken_before_or_after_mixing(n_samples, n_outputs, alpha, seed):
    rng = np.random.default_rng(seed)
    shape = (n_samples, n_outputs) if n_outputs else (n_samples,)
    y = rng.normal(size=shape)
    y[rng.random(n_samples) < 0.5] = NAN
    targets = RegressionTargets(rng.normal(size=shape), y, alpha)
    rows = rng.integers(n_samples, size=5)
    np.testing.assert_array_equal(targets[rows].mixture(), targets.mixture()[rows])
    np.testing.assert_array_equal(np.asarray(targets), targets.mixture())
    assert targets[rows].alpha == alpha
    assert len(targets) == n_samples
    assert targets.shape == shape
    assert np.isfinite(targets.mixture()).all()


def test_the_mixture_minimises_the_objective():
    targets = RegressionTargets([1.0, 1.0], [3.0, NAN], alpha=0.25)
    np.testing.assert_array_equal(targets.mixture(), [2.5, 1.0])
    teacher, true = targets.term_weights()
    np.testing.assert_array_equal(teacher, [0.25, 0.25])
    np.testing.assert_array_equal(true, [0.75, 0.0])
    np.testing.assert_array_equal(targets.is_labelled, [True, False])


@pytest.mark.parametrize("missing", [None, NAN, pd.NA])
@pytest.mark.parametrize("dtype", ["Float64", "Int64", object])
def test_values_may_be_missing_as_in_any_column(missing, dtype):
    y = pd.Series([3, missing], dtype=dtype)
    targets = RegressionTargets([1.0, 1.0], y, alpha=0.25)
    np.testing.assert_array_equal(targets.mixture(), [2.5, 1.0])
    several = RegressionTargets(np.ones((2, 2)), pd.DataFrame({"a": y, "b": y}))
    np.testing.assert_array_equal(several.is_labelled, [True, False])
    with pytest.raises(ValueError, match="NaN"):
        RegressionTargets.from_values(y)


def test_plain_values_have_no_teacher():
    targets = RegressionTargets.from_values([1, 2])
    assert targets.alpha == 0
    np.testing.assert_array_equal(targets.mixture(), [1.0, 2.0])
    assert targets.dtype == np.float64
    assert targets.ndim == 1


def test_they_do_not_share_memory_with_their_source():
    source = np.array([1.0, 2.0])
    targets = RegressionTargets(source, source)
    source[0] = 9.0
    assert targets.mixture()[0] == 1.0


def test_as_scikit_learn_takes_rows():
    targets = RegressionTargets([1.0, 2.0, 3.0])
    rows = np.array([2, 0])
    np.testing.assert_array_equal(targets[rows, ...].predictions, [3.0, 1.0])
    with pytest.raises(TypeError, match="single index 0"):
        targets[0]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([1.0, NAN],), ValueError, "NaN or infinite"),
        (([[[1.0]]],), ValueError, "shape"),
        ((np.empty((2, 0)),), ValueError, "shape"),
        (([1.0, 2.0], [1.0]), ValueError, "shape"),
        (([1.0], [np.inf]), ValueError, "infinite"),
        (([[1.0, 2.0]], [[1.0, NAN]]), ValueError, "NaN in part"),
        (([1.0], None, 1.5), ValueError, "alpha"),
        (([1.0], None, 1.0, "squared"), TypeError, "loss='squared'"),
        (([1.0], None, 1.0, HuberLoss), TypeError, "loss="),
        (([-1.0], [1.0], 1.0, PoissonLoss()), ValueError, "predictions down to -1"),
        (([1.0], [-2.0], 1.0, PoissonLoss()), ValueError, "y down to -2"),
    ],
)
def test_bad_targets_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        RegressionTargets(*arguments)


def test_plain_values_must_be_known():
    with pytest.raises(ValueError, match="NaN"):
        RegressionTargets.from_values([1.0, NAN])
