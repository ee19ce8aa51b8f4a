import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill.inspection import expected_calibration_error
from skdistill.inspection._reliability import reliability_curve

seeds = st.integers(0, 2**32 - 1)


@given(counts=st.lists(st.integers(0, 10), min_size=1, max_size=6, unique=True))
def test_bins_that_are_right_have_no_error(counts):
    # Of ten rows with probability k / 10, k are of the class.
    share = np.repeat(counts, 10) / 10
    y = np.concatenate([np.arange(10) < k for k in counts]).astype(int)
    proba = np.stack([1 - share, share], axis=1)
    error = expected_calibration_error(y, proba, classes=[0, 1], n_bins=100)
    assert error == pytest.approx(0, abs=1e-12)


def test_sure_and_wrong_is_the_largest_error():
    proba = [[1, 0], [0, 1]]
    assert expected_calibration_error([1, 0], proba, classes=[0, 1]) == 1


@given(seed=seeds, n_bins=st.integers(1, 20))
def test_weights_are_repetitions_and_order_of_classes_does_not_matter(
    draw, seed, n_bins
):
    y, proba, _ = draw(seed)
    weights = np.random.default_rng(seed).integers(0, 3, len(y))
    weights[0] = 1
    rows = np.repeat(np.arange(len(y)), weights)
    options = {"classes": [0, 1, 2], "n_bins": n_bins}
    value = expected_calibration_error(y, proba, sample_weight=weights, **options)
    assert 0 <= value <= 1
    assert value == pytest.approx(
        expected_calibration_error(y[rows], proba[rows], **options)
    )
    options["classes"] = order = [2, 0, 1]
    assert value == pytest.approx(
        expected_calibration_error(y, proba[:, order], sample_weight=weights, **options)
    )


@given(seed=seeds)
def test_one_bin_compares_the_means(draw, seed):
    y, proba, _ = draw(seed)
    frequencies = np.bincount(y, minlength=3) / len(y)
    expected = np.abs(proba.mean(axis=0) - frequencies).mean()
    error = expected_calibration_error(y, proba, classes=[0, 1, 2], n_bins=1)
    assert error == pytest.approx(expected)


@given(seed=seeds, n_bins=st.integers(1, 20))
def test_the_curve_has_the_means_of_all_rows(seed, n_bins):
    rng = np.random.default_rng(seed)
    scores, weights = rng.random(50).round(1), rng.random(50)
    outcome = rng.random(50) < scores
    predicted, actual, share = reliability_curve(outcome, scores, weights, n_bins)
    assert len(predicted) <= n_bins
    assert (np.diff(predicted) > 0).all()
    assert share.sum() == pytest.approx(1)
    assert share @ predicted == pytest.approx(np.average(scores, weights=weights))
    assert share @ actual == pytest.approx(np.average(outcome, weights=weights))


@pytest.mark.parametrize(
    ("y", "proba", "options", "message"),
    [
        ([0, 2], [[0.5, 0.5]] * 2, {}, "label 2"),
        ([0.0, np.nan], [[0.5, 0.5]] * 2, {}, "missing labels"),
        ([0], [[0.5, 0.5]] * 2, {}, "shape"),
        ([0, 1], [0.5, 0.5], {}, "shape"),
        ([0, 1], [[0.5, 0.5]] * 2, {"classes": [0, 1, 2]}, "different labels"),
        ([0, 1], [[0.5, 0.7]] * 2, {}, "sum to 1"),
        ([0, 1], [[0.5, 0.5]] * 2, {"n_bins": 0}, "n_bins=0"),
        ([0, 1], [[0.5, 0.5]] * 2, {"sample_weight": [1, -1]}, "sample_weight"),
        ([], np.empty((0, 2)), {}, "no rows"),
    ],
)
def test_bad_input_is_refused(y, proba, options, message):
    with pytest.raises(ValueError, match=message):
        expected_calibration_error(y, proba, **{"classes": [0, 1], **options})
