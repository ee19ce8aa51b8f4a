import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import minimize_scalar
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold, train_test_split

from skdistill import DistilledClassifier, SoftTargets
from skdistill.datasets import load_magic
from skdistill.losses._reference import softmax
from skdistill.students import TreeStudentClassifier
from skdistill.targets import encode_labels
from skdistill.teachers import (
    calibration_temperature,
    corrected_log_odds,
    label_rows,
)

X, y = make_classification(300, n_features=5, random_state=0)
LOGITS = arrays(np.float64, (4, 3), elements=st.floats(-6, 6))
SQUARED_ERROR = st.floats(1e-4, 10)


@given(LOGITS, SQUARED_ERROR)
def test_a_teacher_that_is_right_stays_right_on_average(logits, squared_error):
    proba = softmax(logits)
    mean = np.zeros(proba.shape)
    for label in range(3):
        labels = np.full(4, label)
        corrected = np.exp(corrected_log_odds(logits, labels, squared_error))
        mean += proba[:, [label]] * corrected
    np.testing.assert_allclose(mean, proba, atol=1e-6)


@given(LOGITS, SQUARED_ERROR, st.lists(st.integers(0, 2), min_size=4, max_size=4))
def test_it_lies_between_teacher_and_label(logits, squared_error, labels):
    labels = np.array(labels)
    teacher, label = softmax(logits), np.eye(3)[labels]
    corrected = np.exp(corrected_log_odds(logits, labels, squared_error))
    np.testing.assert_allclose(corrected.sum(axis=1), 1)
    assert (corrected >= np.minimum(teacher, label) - 1e-6).all()
    assert (corrected <= np.maximum(teacher, label) + 1e-6).all()
    order = [2, 0, 1]
    permuted = corrected_log_odds(
        logits[:, order], np.argsort(order)[labels], squared_error
    )
    np.testing.assert_allclose(np.exp(permuted), corrected[:, order], atol=1e-12)


@given(st.floats(0.01, 0.99), st.floats(1e-3, 1))
def test_the_squared_error_of_the_target_is_smallest(proba, squared_error):
    variance = proba * (1 - proba)
    logits = np.log([[1 - proba, proba]])
    target = np.exp(corrected_log_odds(logits, np.array([1]), squared_error))[0, 1]
    best = minimize_scalar(
        lambda gamma: (1 - gamma) ** 2 * squared_error + gamma**2 * variance,
        bounds=(0, 1),
        method="bounded",
    ).x
    assert (target - proba) / (1 - proba) == pytest.approx(best, abs=1e-4)


def test_extremes_and_unknown_labels():
    logits = np.log([[0.3, 0.7], [0.3, 0.7]])
    labels = np.array([0, -1])
    corrected = np.exp(corrected_log_odds(logits, labels, 1e9))
    np.testing.assert_allclose(corrected, [[1, 0], [0.3, 0.7]], atol=1e-6)
    corrected = np.exp(corrected_log_odds(logits, labels, 1e-12))
    np.testing.assert_allclose(corrected, [[0.3, 0.7], [0.3, 0.7]])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[0.0, np.nan]], [0]), "NaN or infinite"),
        (([0.0, 1.0], [0]), "log-odds of shape"),
        (([[0.0, 1.0]], [2]), "labels from 2 to 2"),
        (([[0.0, 1.0]], [0, 1]), "labels of shape"),
        (([[0.0, 1.0]], [0], 0), "squared_error=0"),
        (([[0.0, 1.0]], [0], np.nan), "squared_error=nan"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        corrected_log_odds(*arguments)


def distilled(**parameters):
    parameters = {"cv": 3, "augmenter": None, "random_state": 0, **parameters}
    return DistilledClassifier(
        LogisticRegression(), TreeStudentClassifier(max_leaf_nodes=8), **parameters
    )


@pytest.mark.parametrize("correction", [True, 0.1])
def test_the_model_corrects_held_out_log_odds(correction):
    folds = StratifiedKFold(3)
    model = distilled(cv=folds, correction=correction, alpha=1.0).fit(X, y)
    labelling = label_rows(LogisticRegression(), X, y, np.arange(2), folds)
    held_out = labelling.logits / calibration_temperature(labelling.logits, y)
    squared_error = 0.03 if correction is True else correction
    targets = SoftTargets(corrected_log_odds(held_out, y, squared_error), y)
    student = TreeStudentClassifier(max_leaf_nodes=8, random_state=0).fit(X, targets)
    np.testing.assert_allclose(
        model.predict_proba(X), student.predict_proba(X), atol=1e-9
    )


def test_without_correction_nothing_changes():
    labels = distilled(correction=False).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(distilled().fit(X, y).predict_proba(X), labels)
    assert not np.allclose(
        distilled(correction=True).fit(X, y).predict_proba(X), labels
    )


def test_a_frozen_teacher_is_held_out():
    teacher = FrozenEstimator(LogisticRegression().fit(X[:100], y[:100]))
    model = distilled(cv=None, correction=True).set_params(teacher=teacher)
    assert model.fit(X[100:], y[100:]).score(X, y) > 0.8


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"correction": -1}, "correction=-1"),
        ({"correction": 0}, "correction=0"),
        ({"correction": "yes"}, "correction='yes'"),
        ({"correction": None}, "correction=None"),
        ({"correction": True, "cv": None}, "correction=True with cv=None"),
    ],
)
def test_bad_parameters_are_named(parameters, message):
    with pytest.raises(ValueError, match=message):
        distilled(**parameters).fit(X, y)


def test_searches_over_the_correction_fit_no_teacher_again(tmp_path):
    model = distilled(memory=str(tmp_path))
    search = GridSearchCV(model, {"correction": [False, 0.01, 0.1]}, cv=2)
    search.set_params(error_score="raise").fit(X, y)
    assert len(list(tmp_path.rglob("output.pkl"))) == 3


def test_the_robust_part_of_what_dao_et_al_measured():
    """On Magic, over paired draws: `benchmarks/correction.py` has it in full.

    A large tree learns more from out-of-fold than from in-sample labels of a forest,
    and more still with the correction where the forest underfits.
    """
    table, labels = load_magic(return_X_y=True)
    labels = encode_labels(labels, np.unique(labels))
    grown, shallow = [], []
    for seed in range(2):
        rows, test, codes, truth = train_test_split(
            table, labels, train_size=4000, random_state=seed, stratify=labels
        )
        folds = StratifiedKFold(3, shuffle=True, random_state=seed)

        def proba(logits, rows=rows, test=test, codes=codes):
            student = TreeStudentClassifier(max_leaf_nodes=512, random_state=0)
            return student.fit(rows, SoftTargets(logits, codes)).predict_proba(test)

        for depth, gains in ((None, grown), (3, shallow)):
            forest = RandomForestClassifier(20, max_depth=depth, random_state=seed)
            labelling = label_rows(forest, rows, codes, np.arange(2), folds)
            held_out, own = proba(labelling.logits), proba(labelling.own_logits)
            corrected = proba(corrected_log_odds(labelling.logits, codes))
            areas = [roc_auc_score(truth, p[:, 1]) for p in (held_out, own)]
            losses = [log_loss(truth, p) for p in (held_out, corrected)]
            gains.append((areas[0] - areas[1], losses[0] - losses[1]))
    assert np.mean(grown, axis=0)[0] > 0.002
    assert np.mean(shallow, axis=0)[1] > 0.005
