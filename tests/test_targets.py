import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedKFold, cross_val_score

from skdistill import SoftTargets
from skdistill.students import TreeStudentClassifier


@given(seed=st.integers(0, 2**32 - 1), n_classes=st.integers(2, 20))
def test_probabilities_survive_the_round_trip(seed, n_classes):
    proba = np.random.default_rng(seed).dirichlet(np.ones(n_classes), 5)
    np.testing.assert_allclose(SoftTargets.from_proba(proba).proba(), proba, atol=2e-6)


def test_zeros_and_ones_give_finite_log_odds():
    targets = SoftTargets.from_proba([[1.0, 0.0], [0.0, 1.0]])
    assert np.isfinite(targets.logits).all()
    np.testing.assert_allclose(targets.proba(), [[1, 0], [0, 1]], atol=1e-6)


def test_temperature_softens():
    targets = SoftTargets.from_proba([[0.9, 0.1]])
    assert targets.proba(4.0)[0, 0] < 0.9 < targets.proba(0.25)[0, 0]


@pytest.mark.parametrize(
    "rows",
    [slice(1, 3), [1, 2], np.array([1, 2]), np.array([False, True, True, False])],
)
def test_rows_are_taken_from_everything(rows, rng):
    targets = SoftTargets(
        rng.normal(size=(4, 3)), np.array([0, 1, -1, 2]), list("abc"), 2.0, 0.5, 9
    )
    part = targets[rows]
    assert len(part) == 2
    np.testing.assert_array_equal(part.logits, targets.logits[1:3])
    np.testing.assert_array_equal(part.labels, [1, -1])
    assert (part.temperature, part.alpha, part.n_fitted) == (2.0, 0.5, 9)
    np.testing.assert_array_equal(part.classes, targets.classes)


def test_a_single_row_is_no_soft_targets():
    with pytest.raises(TypeError, match="single index"):
        SoftTargets(np.zeros((2, 2)))[0]


def test_as_array_they_are_labels_or_the_teachers_choice():
    targets = SoftTargets.from_proba(
        [[0.9, 0.1], [0.9, 0.1]], y=["no", None], classes=["yes", "no"]
    )
    np.testing.assert_array_equal(np.asarray(targets), ["no", "yes"])


def test_labels_may_be_missing_as_nan():
    targets = SoftTargets.from_proba([[0.9, 0.1], [0.9, 0.1]], y=[1.0, np.nan])
    np.testing.assert_array_equal(targets.labels, [1, -1])


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
@pytest.mark.parametrize(
    ("labels", "classes", "dtypes"),
    [
        (["a", "b"], ["a", "b"], ["string", "str", "category", object]),
        ([False, True], None, ["boolean", object]),
        ([0, 1], None, ["Int64", object]),
    ],
)
def test_labels_may_be_missing_as_in_any_column(missing, labels, classes, dtypes):
    for dtype in dtypes:
        y = pd.Series([labels[1], missing, labels[0]], dtype=dtype)
        targets = SoftTargets.from_proba(np.full((3, 2), 0.5), y=y, classes=classes)
        np.testing.assert_array_equal(targets.labels, [1, -1, 0])
        for known in (None, labels):
            with pytest.raises(ValueError, match="missing labels"):
                SoftTargets.from_labels(y, known)


def test_from_labels_is_plain_classification():
    targets = SoftTargets.from_labels(["b", "a", "b"])
    assert (targets.alpha, targets.n_fitted) == (0, 3)
    np.testing.assert_array_equal(targets.classes, ["a", "b"])
    np.testing.assert_array_equal(targets.mixture(), [[0, 1], [1, 0], [0, 1]])


def test_mixture_leaves_out_unknown_labels():
    targets = SoftTargets.from_proba(
        [[0.8, 0.2], [0.8, 0.2]], y=[1, None], classes=[0, 1], alpha=0.5
    )
    np.testing.assert_allclose(targets.mixture(), [[0.4, 0.6], [0.8, 0.2]], atol=1e-6)


@given(seed=st.integers(0, 2**32 - 1), n_classes=st.integers(2, 8))
def test_explained_entropy_is_the_share_of_mutual_information(seed, n_classes):
    rng = np.random.default_rng(seed)
    proba = rng.dirichlet(np.full(n_classes, 0.5), 30) * 0.9 + 0.1 / n_classes
    weights = rng.integers(1, 4, 30)
    targets = SoftTargets.from_proba(proba, rng.integers(n_classes, size=30), alpha=0.7)
    explained = targets.explained_entropy(weights)
    # The mutual information of row and class: a sum of divergences from the marginal.
    marginal = weights @ proba / weights.sum()
    divergences = (proba * np.log(proba / marginal)).sum(axis=1)
    entropy = -(marginal * np.log(marginal)).sum()
    expected = weights @ divergences / weights.sum() / entropy
    assert explained == pytest.approx(expected, abs=1e-6)
    repeated = np.repeat(np.arange(30), weights)
    assert targets[repeated].explained_entropy() == pytest.approx(explained, abs=1e-9)


def test_certainty_explains_everything_and_frequencies_nothing():
    assert SoftTargets.from_labels(["a", "b", "b"]).explained_entropy() == 1
    sure = SoftTargets(np.array([[1e4, 0.0], [0.0, 1e4]]))
    assert sure.explained_entropy() == 1
    assert sure[:1].explained_entropy() == 1
    assert SoftTargets(np.tile([0.0, 1.3], (50, 1))).explained_entropy() < 1e-12


def test_labels_say_nothing_about_their_noise(rng):
    logits, labels = rng.normal(size=(40, 3)), rng.integers(3, size=40)
    alone = SoftTargets(logits).explained_entropy()
    for alpha in (0.1, 0.95):
        targets = SoftTargets(logits, labels, alpha=alpha)
        assert targets.explained_entropy() == alone


def test_explained_entropy_of_many_rows_is_that_of_a_sample(rng):
    targets = SoftTargets(rng.normal(size=(250_000, 2)))
    sample = targets[::3].explained_entropy()
    assert targets.explained_entropy(np.ones(250_000)) == pytest.approx(sample)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.longdouble, np.int8, int])
def test_parameters_may_be_numbers_of_any_type(kind):
    targets = SoftTargets(np.zeros((2, 2)), temperature=kind(2), alpha=kind(1))
    assert (targets.temperature, targets.alpha) == (2, 1)


def test_nothing_can_be_changed():
    targets = SoftTargets(np.zeros((2, 2)))
    with pytest.raises(dataclasses.FrozenInstanceError):
        targets.alpha = 0.5


def test_splitters_and_scorers_take_them_as_y(rng):
    X = rng.normal(size=(120, 3))
    y = np.where(X[:, 0] > 0, "yes", "no")
    p = 1 / (1 + np.exp(-3 * X[:, 0]))
    targets = SoftTargets.from_proba(
        np.stack([1 - p, p], axis=1), y=y, classes=["no", "yes"], alpha=0.5
    )
    scores = cross_val_score(
        TreeStudentClassifier(), X, targets, cv=StratifiedKFold(3), error_score="raise"
    )
    assert scores.min() > 0.9


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"logits": np.zeros(3)}, r"log-odds of shape \(3,\)"),
        ({"logits": np.zeros((3, 1))}, "at least 2 classes"),
        ({"logits": np.array([[0, np.inf]])}, "NaN or infinite"),
        ({"logits": np.array([[0, np.nan]])}, "NaN or infinite"),
        ({"labels": np.array([0])}, r"labels of shape \(1,\)"),
        ({"labels": np.array(["a", "b"])}, "from_proba takes class labels"),
        ({"labels": np.array([0, 2])}, "labels from 0 to 2"),
        ({"labels": np.array([0, -2])}, "labels from -2 to 0"),
        ({"classes": ["a"]}, "expected 2 different labels"),
        ({"classes": ["a", "a"]}, "expected 2 different labels"),
        ({"temperature": 0}, "temperature=0"),
        ({"temperature": 10**400}, "temperature=1000"),
        ({"temperature": -(10**400)}, "temperature=-1000"),
        ({"temperature": np.float32("inf")}, "temperature="),
        ({"temperature": True}, "temperature=True"),
        ({"temperature": "2"}, "temperature='2'"),
        ({"alpha": 2}, "alpha=2"),
        ({"n_fitted": 0}, "n_fitted=0"),
        ({"n_fitted": 1.5}, "n_fitted=1.5"),
    ],
)
def test_bad_targets_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        SoftTargets(**{"logits": np.zeros((2, 2)), **arguments})


@pytest.mark.parametrize(
    ("proba", "options", "message"),
    [
        ([[0.5, 0.4]], {}, "row 0 with sum 0.9"),
        ([[0.5, 0.5], [1.2, -0.2]], {}, "in row 1"),
        ([[np.nan, 0.5]], {}, "row 0"),
        ([0.5, 0.5], {}, r"shape \(2,\)"),
        ([[1.0]], {}, r"shape \(1, 1\)"),
        ([[0.5, 0.5]], {"y": ["c"], "classes": ["a", "b"]}, "the label 'c'"),
        ([[0.5, 0.5]], {"y": [["a"]], "classes": ["a", "b"]}, r"y of shape \(1, 1\)"),
    ],
)
def test_bad_probabilities_are_named(proba, options, message):
    with pytest.raises(ValueError, match=message):
        SoftTargets.from_proba(proba, **options)


def test_labels_of_one_class_or_none_are_refused():
    with pytest.raises(ValueError, match="at least 2 classes"):
        SoftTargets.from_labels(["a", "a"])
    with pytest.raises(ValueError, match="missing labels"):
        SoftTargets.from_labels(np.array(["a", None, "b"], dtype=object), ["a", "b"])
