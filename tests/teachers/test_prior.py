import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lightgbm import LGBMClassifier
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold
from xgboost import XGBClassifier

from skdistill._log_odds import classifier_log_odds
from skdistill.losses._reference import log_softmax, softmax
from skdistill.teachers import (
    Labelling,
    calibration_temperature,
    label_rows,
    prior_shift,
    undo_prior_shift,
)

FOLDS = StratifiedKFold(3, shuffle=True, random_state=0)


def draw(logits, rng):
    """Labels with these log-odds."""
    cumulative = softmax(logits).cumsum(axis=1)
    return (cumulative < rng.random((len(logits), 1))).sum(axis=1)


@given(st.integers(2, 4), st.integers(0, 1000), st.floats(0.2, 5))
def test_mean_probabilities_are_class_frequencies(n_classes, seed, scale):
    rng = np.random.default_rng(seed)
    logits = scale * rng.normal(size=(300, n_classes))
    labels = draw(logits / scale - np.arange(n_classes), rng)
    weights = rng.uniform(0.5, 2, 300)
    shift = prior_shift(logits, labels, weights)
    temperature = calibration_temperature(logits + shift, labels, weights)
    mean = np.average(softmax((logits + shift) / temperature), axis=0, weights=weights)
    counts = np.bincount(labels, weights, n_classes)
    if (counts > 0).all():
        np.testing.assert_allclose(mean, counts / counts.sum(), atol=2e-4)
    assert np.average(shift, weights=counts) == pytest.approx(0, abs=1e-8)


def test_a_known_shift_is_found(rng):
    truth = 2 * rng.normal(size=(20_000, 3))
    labels = draw(truth, rng)
    added = np.array([1.0, -2.0, 0.5])
    shift = prior_shift(3 * (truth + added), labels)
    expected = -3 * added
    np.testing.assert_allclose(
        shift - shift.mean(), expected - expected.mean(), atol=0.25
    )


def test_shifting_twice_changes_nothing(rng):
    logits = rng.normal(size=(500, 3))
    labels = draw(2 * logits + [1, 0, -1], rng)
    shift = prior_shift(logits, labels)
    np.testing.assert_allclose(prior_shift(logits + shift, labels), 0, atol=1e-4)
    # A constant in each row means nothing.
    rows = rng.normal(size=(500, 1))
    np.testing.assert_allclose(prior_shift(logits + rows, labels), shift, atol=1e-4)


def test_weight_2_is_a_row_twice_and_weight_0_is_none(rng):
    logits = rng.normal(size=(200, 3))
    labels = draw(logits + np.array([0, 1, 0]), rng)
    weights = rng.integers(0, 3, 200)
    np.testing.assert_allclose(
        prior_shift(logits, labels, weights),
        prior_shift(np.repeat(logits, weights, axis=0), np.repeat(labels, weights)),
        atol=1e-5,
    )


def test_classes_that_no_row_has_keep_their_log_odds(rng):
    logits = rng.normal(size=(100, 4))
    labels = np.array([0, 2])[draw(logits[:, [0, 2]] + [1, 0], rng)]
    shift = prior_shift(logits, labels)
    assert shift[1] == shift[3] == 0
    np.testing.assert_allclose(
        shift[[0, 2]], prior_shift(logits[:, [0, 2]], labels // 2), atol=1e-6
    )
    np.testing.assert_array_equal(prior_shift(logits, np.full(100, 2)), np.zeros(4))


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e5])
def test_separable_rows_and_any_size_of_log_odds(size):
    labels = np.repeat([0, 1], 20)
    logits = size * np.stack([np.zeros(40), 2.0 * labels - 1], axis=1)
    shift = prior_shift(logits, labels)
    assert np.isfinite(shift).all()
    assert ((logits + shift).argmax(axis=1) == labels).all()


def test_labels_that_do_not_fit():
    with pytest.raises(ValueError, match=r"labels of shape \(2,\)"):
        prior_shift(np.zeros((3, 2)), np.array([0, 1]))


@pytest.mark.parametrize(
    "teacher",
    [
        LogisticRegression(class_weight="balanced"),
        LGBMClassifier(
            n_estimators=20, num_leaves=4, class_weight="balanced", verbose=-1, n_jobs=1
        ),
        XGBClassifier(n_estimators=20, max_depth=2, scale_pos_weight=20, n_jobs=1),
    ],
    ids=lambda teacher: type(teacher).__name__,
)
def test_class_weights_are_undone(teacher):
    """Nearly as good as the same teacher without them, on rows unseen so far."""
    rows, labels = make_classification(
        6000, 5, weights=[0.95], flip_y=0.02, class_sep=0.6, random_state=0
    )
    plain = type(teacher)(**teacher.get_params())
    neutral = {"class_weight": None, "scale_pos_weight": 1}
    plain.set_params(**{k: v for k, v in neutral.items() if k in teacher.get_params()})
    losses = {}
    for name, model in (("weighted", teacher), ("plain", plain)):
        labelling = label_rows(model, rows[:3000], labels[:3000], np.arange(2), FOLDS)
        held_out = labelling.logits
        shift = prior_shift(held_out, labels[:3000])
        new = classifier_log_odds(labelling.teacher, rows[3000:], np.arange(2))
        for way, added in (("shifted", shift), ("not", 0)):
            temperature = calibration_temperature(held_out + added, labels[:3000])
            log_p = log_softmax((new + added) / temperature)
            losses[name, way] = log_loss(labels[3000:], np.exp(log_p))
    assert losses["weighted", "shifted"] < 0.8 * losses["weighted", "not"]
    assert losses["weighted", "shifted"] < 1.15 * losses["plain", "not"]


def test_all_of_a_labelling_is_shifted(rng):
    rows, labels = make_classification(600, 5, weights=[0.8], random_state=0)
    teacher = LogisticRegression(class_weight="balanced")
    labelling = label_rows(
        teacher, rows, labels, np.arange(2), FOLDS, X_unlabeled=rows[:50]
    )
    weights = rng.uniform(0.5, 2, 600)
    undone = undo_prior_shift(labelling, labels, weights)
    shift = prior_shift(labelling.logits, labels, weights)
    assert abs(shift[1] - shift[0]) > 0.5
    for name in ("logits", "own_logits", "pool_logits", "pool_own_logits"):
        before, after = getattr(labelling, name), getattr(undone, name)
        assert after.dtype == before.dtype
        np.testing.assert_allclose(after, before + shift, rtol=1e-6)
    with pytest.raises(ValueError, match="no held-out rows"):
        undo_prior_shift(label_rows(teacher, rows, labels, np.arange(2), None), labels)


def test_only_held_out_rows_count(rng):
    logits = rng.normal(size=(200, 2))
    labels = draw(logits, rng)
    held_out = np.arange(200) < 100
    wrong = np.where(held_out, labels, 1)
    labelling = Labelling(None, logits, held_out, logits)
    np.testing.assert_allclose(
        undo_prior_shift(labelling, wrong).logits,
        logits + prior_shift(logits[:100], labels[:100]),
        atol=1e-6,
    )
