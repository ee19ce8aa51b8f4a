import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, log_loss, r2_score, roc_auc_score

from skdistill.inspection import (
    Estimate,
    error_retention,
    expected_calibration_error,
    skill_retention,
)
from skdistill.inspection import _bootstrap as bootstrap
from skdistill.inspection._bootstrap import intervals
from skdistill.inspection._classifier_pair import ClassifierPair
from skdistill.inspection._quality import aucs
from skdistill.inspection._regressor_pair import RegressorPair

seeds = st.integers(0, 2**32 - 1)


def classifier_pair(draw, seed, n_samples=200, n_classes=3, calibrated=None):
    y, teacher, student = draw(seed, n_samples, n_classes)
    weights = np.random.default_rng(seed).integers(1, 3, n_samples).astype(float)
    prior = np.bincount(y, weights, n_classes) / weights.sum()
    return ClassifierPair(
        y,
        teacher,
        student,
        teacher if calibrated is None else calibrated,
        weights,
        np.arange(n_classes),
        1 if n_classes == 2 else None,
        prior,
    )


def regressor_pair(seed, n_samples=200):
    rng = np.random.default_rng(seed)
    y = rng.normal(5, size=n_samples)
    teacher, student = y + 0.3 * rng.normal(size=(2, n_samples))
    return RegressorPair(y, teacher, student, rng.integers(1, 3, n_samples) * 1.0)


@pytest.mark.parametrize("n_classes", [2, 3])
@given(seed=seeds)
def test_statistics_of_classifiers_are_those_of_the_functions(draw, n_classes, seed):
    pair = classifier_pair(draw, seed, n_classes=n_classes)
    found = pair.statistics(pair.weights[None])
    options = {"sample_weight": pair.weights}
    for who in ("teacher", "student"):
        proba = getattr(pair, who)
        expected = {
            "log_loss": log_loss(pair.labels, proba, **options),
            "accuracy": np.average(
                proba.argmax(axis=1) == pair.labels, weights=pair.weights
            ),
            "ece": expected_calibration_error(
                pair.labels, proba, classes=pair.classes, **options
            ),
        }
        if n_classes == 2:
            expected["auc"] = roc_auc_score(pair.labels, proba[:, 1], **options)
            expected["brier"] = brier_score_loss(pair.labels, proba[:, 1], **options)
        else:
            expected["auc"] = np.mean(
                [
                    roc_auc_score(pair.labels == k, proba[:, k], **options)
                    for k in range(n_classes)
                ]
            )
        for name, value in expected.items():
            assert found[f"{name}_{who}"] == pytest.approx(value), name
    kept = skill_retention(
        pair.labels, pair.teacher, pair.student, classes=pair.classes, **options
    )
    assert found["retention"] == pytest.approx(kept)


@given(seed=seeds)
def test_statistics_of_regressors_are_those_of_the_functions(seed):
    pair = regressor_pair(seed)
    found = pair.statistics(pair.weights[None])
    options = {"sample_weight": pair.weights}
    assert found["r2_student"] == pytest.approx(
        r2_score(pair.outcome, pair.student, **options)
    )
    assert found["retention"] == pytest.approx(
        error_retention(pair.outcome, pair.teacher, pair.student, **options)
    )
    difference = np.average(np.abs(pair.teacher - pair.outcome), weights=pair.weights)
    assert found["mae_teacher"] == pytest.approx(difference)


@given(seed=seeds)
def test_every_row_of_weights_has_its_own_area(seed):
    rng = np.random.default_rng(seed)
    labels = np.append([0, 1], rng.integers(0, 2, 30))
    scores = rng.random(32).round(1)
    proba = np.stack([1 - scores, scores], axis=1)
    weights = rng.integers(0, 3, (4, 32)).astype(float)
    weights[:, :2] = 1
    expected = [roc_auc_score(labels, scores, sample_weight=w) for w in weights]
    np.testing.assert_allclose(aucs(labels, proba, weights), expected)


def test_an_area_needs_rows_of_both_kinds():
    proba = np.array([[0.2, 0.8], [0.6, 0.4]])
    weights = np.array([[1.0, 1.0], [1.0, 0.0]])
    np.testing.assert_array_equal(aucs(np.array([1, 0]), proba, weights), [1, np.nan])


def test_intervals_are_as_wide_as_theory_says(draw):
    pair = classifier_pair(draw, 0, 3000, 2)
    found = intervals(pair, np.random.default_rng(0))
    loss = pair.losses[:, 0]
    centred = loss - np.average(loss, weights=pair.weights)
    error = np.sqrt(((pair.weights * centred) ** 2).sum()) / pair.weights.sum()
    estimate = found["log_loss_teacher"]
    assert estimate.low < estimate.value < estimate.high
    width = estimate.high - estimate.low
    assert width == pytest.approx(2 * 1.96 * error, rel=0.2)
    # Both models err on the same rows: their difference is surer than either.
    paired = found["log_loss_difference"]
    assert paired.high - paired.low < width
    # The plain bootstrap of a calibration error lies above it.
    ece = found["ece_teacher"]
    assert ece.low <= ece.value <= ece.high


def test_of_many_rows_some_say_the_same(draw, monkeypatch):
    pair = classifier_pair(draw, 0, 6000, 2)
    full = intervals(pair, np.random.default_rng(0))["auc_student"]
    monkeypatch.setattr(bootstrap, "MOST_CELLS", 0)
    some = intervals(pair, np.random.default_rng(0))["auc_student"]
    assert some.value == full.value
    assert some.high - some.low == pytest.approx(full.high - full.low, rel=0.25)


@given(seed=seeds, n_samples=st.integers(3, 40))
@settings(max_examples=10)
def test_an_interval_holds_its_estimate_whatever_the_rows(draw, seed, n_samples):
    pair = classifier_pair(draw, seed, n_samples)
    for name, found in intervals(pair, np.random.default_rng(seed)).items():
        if np.isfinite(found.low):
            # Sums in another order differ in the last digit.
            low, high = found.low - 1e-12, found.high + 1e-12
            assert low <= found.value <= high, name


def test_the_same_seed_draws_the_same_rows(draw):
    pair = classifier_pair(draw, 0)
    one, two, other = (intervals(pair, np.random.default_rng(k)) for k in (0, 0, 1))
    assert one == two != other


def test_the_better_teacher_counts(draw):
    pair = classifier_pair(draw, 0)
    sure = np.maximum(pair.teacher, 1e-9) ** 4
    sure /= sure.sum(axis=1, keepdims=True)
    overconfident = classifier_pair(draw, 0, calibrated=pair.teacher)
    overconfident.teacher[:] = sure
    weights = pair.weights[None]
    assert overconfident.statistics(weights)["retention"] == pytest.approx(
        pair.statistics(weights)["retention"]
    )


def test_no_skill_is_no_number(draw):
    pair = classifier_pair(draw, 0)
    pair.teacher[:] = 1 / 3
    found = intervals(pair, np.random.default_rng(0))["retention"]
    assert np.isnan([found.value, found.low, found.high]).all()


def test_a_difference_of_rounding_is_no_skill(draw):
    pair = classifier_pair(draw, 0)
    # Better than the frequencies by less than can be told.
    pair.teacher[:] = pair.prior
    pair.teacher[np.arange(200), pair.labels] *= 1 + 1e-12
    weights = pair.weights[None]
    assert np.isnan(pair.statistics(weights)["retention"])
    pair = regressor_pair(0)
    mean = np.average(pair.outcome, weights=pair.weights)
    pair.teacher[:] = mean + 1e-12 * (pair.outcome - mean)
    assert np.isnan(pair.statistics(weights)["retention"])


def test_an_interval_excludes_what_is_outside():
    estimate = Estimate(0.1, 0.05, 0.2)
    assert estimate.excludes(0)
    assert not estimate.excludes(0.2)
    assert not Estimate(0.1, np.nan, np.nan).excludes(0)
