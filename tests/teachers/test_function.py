import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lightgbm import LGBMClassifier
from scipy.sparse import csr_matrix, issparse
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import check_is_fitted

from skdistill import DistilledClassifier
from skdistill._log_odds import classifier_log_odds
from skdistill.losses._reference import log_softmax
from skdistill.students import TreeStudentClassifier
from skdistill.teachers import FunctionTeacher, _function, label_rows

X, y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])
MODEL = LogisticRegression(max_iter=1000).fit(X, y)
STUDENT = TreeStudentClassifier(max_leaf_nodes=8)
ROWS: list = []
"""Number of rows of each call of `remote`, and of those that other workers make."""


def remote(rows):
    ROWS.append(len(rows))
    return MODEL.predict_proba(rows)


def positive(rows):
    return 1 / (1 + np.exp(-np.asarray(rows)[:, 0]))


class Service:
    """Fails so many times before each answer; knows what it was asked."""

    def __init__(self, n_failures, error=ConnectionError):
        self.n_failures = n_failures
        self.error = error
        self.n_calls = 0

    def __call__(self, rows):
        self.n_calls += 1
        if self.n_calls <= self.n_failures:
            raise self.error(f"call {self.n_calls}")
        return MODEL.predict_proba(rows)


@pytest.fixture
def waits(monkeypatch):
    """Seconds slept, without sleeping."""
    found: list = []
    monkeypatch.setattr(_function.time, "sleep", found.append)
    return found


@pytest.fixture(autouse=True)
def no_calls():
    ROWS.clear()


@given(n_rows=st.integers(1, 150), batch_size=st.integers(1, 200))
def test_batches_change_nothing_and_no_row_is_asked_for_twice(n_rows, batch_size):
    ROWS.clear()
    teacher = FunctionTeacher(remote, NAMES, batch_size=batch_size)
    proba = teacher.predict_proba(X[:n_rows])
    np.testing.assert_allclose(proba, MODEL.predict_proba(X[:n_rows]), rtol=1e-12)
    assert sum(ROWS) == n_rows
    assert max(ROWS) <= batch_size
    assert len(ROWS) == -(-n_rows // batch_size)


def test_it_predicts_before_and_after_fit_as_the_function_does():
    for teacher in (
        FunctionTeacher(remote, NAMES),
        FunctionTeacher(remote, NAMES).fit(X),
        FrozenEstimator(FunctionTeacher(remote, NAMES)),
        FrozenEstimator(FunctionTeacher(remote, NAMES)).fit(X, NAMES[y]),
    ):
        check_is_fitted(teacher)
        np.testing.assert_array_equal(teacher.classes_, NAMES)
        np.testing.assert_array_equal(teacher.predict(X), NAMES[MODEL.predict(X)])
        np.testing.assert_allclose(
            np.exp(teacher.predict_log_proba(X)), MODEL.predict_proba(X), atol=1e-6
        )
        assert not hasattr(teacher, "decision_function")
        assert teacher.score(X, NAMES[y]) == MODEL.score(X, y)


def test_log_odds_keep_the_digits_that_probabilities_lose():
    far = 100 * X
    teacher = FunctionTeacher(MODEL.decision_function, NAMES, output="log_odds")
    expected = log_softmax(MODEL.decision_function(far))
    assert expected.min() < -100
    for log_odds in (
        teacher.predict_log_proba(far),
        classifier_log_odds(teacher, far, NAMES),
    ):
        np.testing.assert_allclose(log_odds, expected, rtol=1e-12)
    permuted = classifier_log_odds(teacher, far, NAMES[[2, 0, 1]])
    np.testing.assert_array_equal(permuted, log_odds[:, [2, 0, 1]])


@pytest.mark.parametrize("output", ["probabilities", "log_odds"])
def test_one_number_for_two_classes_is_that_of_the_second(output):
    p = positive(X)
    z = np.log(p / (1 - p))

    def answer(rows):
        return z if output == "log_odds" else p

    teacher = FunctionTeacher(answer, [1, 0], output=output)
    np.testing.assert_allclose(teacher.predict_proba(X)[:, 1], p)
    np.testing.assert_array_equal(teacher.predict(X), np.where(p > 0.5, 0, 1))
    if output == "log_odds":
        np.testing.assert_allclose(teacher.decision_function(X), z)


@pytest.mark.parametrize("to_frame", [pd.DataFrame, pl.from_pandas])
def test_the_function_sees_the_original_rows(adult, to_frame):
    frame = to_frame(adult[0])
    seen: list = []

    def look(rows):
        seen.append(rows)
        return np.full((len(rows), 2), 0.5)

    FunctionTeacher(look, [0, 1], batch_size=900).predict_proba(frame)
    assert [type(rows) for rows in seen] == [type(frame)] * 3
    concat = pd.concat if to_frame is pd.DataFrame else pl.concat
    assert concat(seen).equals(frame)


def test_sparse_rows_stay_sparse():
    def look(rows):
        assert rows.format == "csr"
        return MODEL.predict_proba(rows)

    teacher = FunctionTeacher(look, NAMES, batch_size=40)
    proba = teacher.predict_proba(csr_matrix(X))
    np.testing.assert_allclose(proba, MODEL.predict_proba(X))


@pytest.mark.parametrize("to_frame", [pd.DataFrame, pl.DataFrame])
def test_a_frame_of_answers_is_matched_by_the_names_of_classes(to_frame):
    P = MODEL.predict_proba(X)
    order = [2, 0, 1]

    def answer(rows):
        return to_frame({NAMES[k]: P[:, k] for k in order})

    teacher = FunctionTeacher(answer, NAMES)
    np.testing.assert_allclose(teacher.predict_proba(X), P)
    # Labels that are numbers are names of pandas columns, too.
    for labels in ([10, 20, 30], [2, 0, 1], [0, 1, 2]):
        named = pd.DataFrame(P[:, order], columns=[labels[k] for k in order])
        teacher = FunctionTeacher(lambda rows, named=named: named, labels)
        if list(named.columns) != [0, 1, 2]:
            np.testing.assert_allclose(teacher.predict_proba(X), P)
    # Other names tell nothing: columns are in the order of the classes.
    teacher = FunctionTeacher(lambda rows: pd.DataFrame(P), [2, 1, 0])
    np.testing.assert_allclose(teacher.predict_proba(X), P)


def test_columns_are_remembered_by_fit_alone():
    frame = pd.DataFrame(X, columns=list("abcd"))
    teacher = FunctionTeacher(lambda rows: remote(rows.to_numpy()), NAMES)
    teacher.predict(frame)
    assert not hasattr(teacher, "n_features_in_")
    teacher.fit(frame)
    assert not hasattr(clone(teacher), "n_features_in_")
    assert list(teacher.feature_names_in_) == list("abcd")
    ROWS.clear()
    with pytest.raises(ValueError, match="feature names should match"):
        teacher.predict(frame[list("dcba")])
    with pytest.raises(ValueError, match="expecting 4 features"):
        FunctionTeacher(remote, NAMES).fit(X).predict(X[:, :3])
    assert not ROWS


@pytest.mark.parametrize("error", [ConnectionError, TimeoutError, OSError])
def test_failures_are_retried_with_longer_waits_and_told(waits, error):
    service = Service(2, error)
    teacher = FunctionTeacher(service, NAMES, n_retries=2)
    with pytest.warns(RuntimeWarning, match="retry") as told:
        proba = teacher.predict_proba(X)
    np.testing.assert_allclose(proba, MODEL.predict_proba(X))
    assert waits == [0.5, 1.0]
    assert [error.__name__ in str(w.message) for w in told] == [True, True]


def test_the_last_error_is_raised_with_the_rows(waits):
    teacher = FunctionTeacher(Service(100), NAMES, n_retries=9, batch_size=50)
    with (
        pytest.warns(RuntimeWarning, match="rows 0 to 49"),
        pytest.raises(ConnectionError, match="call 10") as caught,
    ):
        teacher.predict_proba(X)
    assert "rows 0 to 49, at call 10 of 10" in caught.value.__notes__[0]
    assert len(waits) == 9
    assert waits == sorted(waits)
    assert max(waits) == 30


@pytest.mark.parametrize("n_retries", [0, 3])
def test_other_errors_are_not_retried(waits, n_retries):
    service = Service(1, KeyError)
    with pytest.raises(KeyError, match="call 1"):
        FunctionTeacher(service, NAMES, n_retries=n_retries).predict(X)
    assert service.n_calls == 1
    with pytest.raises(ConnectionError):
        FunctionTeacher(Service(1), NAMES).predict(X)
    assert not waits


P = np.full((150, 3), 1 / 3)


@pytest.mark.parametrize(
    ("answer", "output", "error", "message"),
    [
        (P[:-1], "probabilities", ValueError, r"\(149, 3\).*\(150, 3\)"),
        (P[:, :2], "probabilities", ValueError, r"\(150, 2\).*setosa"),
        (P[:, 0], "probabilities", ValueError, r"\(150,\).*\(150, 3\)"),
        (P[0, 0], "log_odds", ValueError, r"\(\).*\(150, 3\)"),
        (np.where(np.eye(150, 3, -7), np.nan, P), "probabilities", ValueError, "row 7"),
        (np.where(np.eye(150, 3, -7), -np.inf, P), "log_odds", ValueError, "finite"),
        (P + np.array([0.5, -0.5, 0]), "probabilities", ValueError, "at least 0"),
        (P * 1.002, "probabilities", ValueError, "row 0.*sum to 1"),
        (None, "probabilities", (TypeError, ValueError), "Got"),
        ("a", "probabilities", TypeError, "Got str"),
        ([["a", "b", "c"]] * 150, "log_odds", TypeError, "Got list"),
    ],
)
def test_bad_answers_are_named(answer, output, error, message):
    teacher = FunctionTeacher(lambda rows: answer, NAMES, output=output)
    with pytest.raises(error, match=message):
        teacher.predict_proba(X)


def test_bad_rows_of_later_batches_have_their_own_numbers():
    def answer(rows):
        return np.where(rows[:, :1] == X[77, 0], np.nan, P[: len(rows)])

    first = int(np.flatnonzero(X[:, 0] == X[77, 0])[0])
    assert first > 10
    with pytest.raises(ValueError, match=f"for row {first}, but"):
        FunctionTeacher(answer, NAMES, batch_size=10).predict(X)


@given(st.floats(-9e-4, 9e-4))
def test_rounded_rows_are_divided_by_their_sum(error):
    teacher = FunctionTeacher(lambda rows: P[: len(rows)] * (1 + error), NAMES)
    np.testing.assert_allclose(teacher.predict_proba(X), P, rtol=1e-12)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"function": "http://"}, TypeError, "expected a callable"),
        ({"classes": ["a"]}, ValueError, "at least 2 different"),
        ({"classes": ["a", "a"]}, ValueError, "at least 2 different"),
        ({"classes": "ab"}, ValueError, "at least 2 different"),
        ({"batch_size": 0}, ValueError, "batch_size=0"),
        ({"batch_size": 1.5}, ValueError, "batch_size=1.5"),
        ({"n_retries": -1}, ValueError, "n_retries=-1"),
        ({"output": "margins"}, ValueError, "output='margins'"),
    ],
)
def test_bad_parameters_are_named(parameters, error, message):
    teacher = FunctionTeacher(remote, NAMES).set_params(**parameters)
    with pytest.raises(error, match=message):
        teacher.predict_proba(X)
    with pytest.raises(error, match=message):
        teacher.fit(X, NAMES[y])
    assert not ROWS


def test_bad_input_is_named():
    teacher = FunctionTeacher(remote, NAMES)
    with pytest.raises(ValueError, match="label 0"):
        teacher.fit(X, y)
    with pytest.raises(ValueError, match="sample_weight of shape"):
        teacher.fit(X, NAMES[y], sample_weight=[1.0])
    with pytest.raises(ValueError, match="inconsistent numbers"):
        teacher.fit(X, NAMES[y][:-1])
    with pytest.raises(ValueError, match="0 sample"):
        teacher.predict(X[:0])
    with pytest.raises(ValueError, match="infinity"):
        teacher.predict(np.full((2, 4), np.inf))


def test_clones_share_the_function_and_pickles_do_not():
    service = Service(0)
    teacher = FunctionTeacher(service, NAMES, batch_size=7)
    copy = clone(teacher)
    assert copy.function is service
    assert copy.get_params() == teacher.get_params()
    copy = pickle.loads(pickle.dumps(teacher))
    np.testing.assert_array_equal(copy.predict_proba(X), teacher.predict_proba(X))


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("weights", [None, np.arange(1.0, 151)])
def test_a_student_learns_and_each_row_is_asked_for_once(frozen, weights):
    teacher = FunctionTeacher(remote, NAMES)
    teacher = FrozenEstimator(teacher) if frozen else teacher
    model = DistilledClassifier(
        teacher, STUDENT, calibrate=False, augmenter=None, random_state=0
    )
    model.fit(X, NAMES[y], sample_weight=weights)
    assert ROWS == [150]
    assert model.score(X, NAMES[y]) > 0.9
    expected = DistilledClassifier(
        FrozenEstimator(MODEL), STUDENT, calibrate=False, augmenter=None, random_state=0
    ).fit(X, y, sample_weight=weights)
    # One is read from margins, the other from probabilities not below 1e-7.
    np.testing.assert_allclose(
        model.predict_proba(X), expected.predict_proba(X), atol=1e-5
    )
    assert model.teacher_.n_features_in_ == 4 if not frozen else True
    ROWS.clear()
    model.predict(X)
    assert not ROWS


def test_on_rows_that_the_model_has_learnt_it_warns_like_a_frozen_teacher():
    model = DistilledClassifier(FunctionTeacher(remote, NAMES), STUDENT, augmenter=None)
    with pytest.warns(UserWarning, match="seems to have been fitted on the rows"):
        model.fit(X, NAMES[y])
    assert model.calibration_temperature_ == 1.0


@pytest.mark.parametrize("frozen", [False, True])
def test_log_odds_are_asked_for_once_too(frozen):
    def ask(rows):
        ROWS.append(len(rows))
        return MODEL.decision_function(rows)

    teacher = FunctionTeacher(ask, NAMES, output="log_odds")
    teacher = FrozenEstimator(teacher) if frozen else teacher
    model = DistilledClassifier(teacher, STUDENT, calibrate=False, augmenter=None)
    assert model.fit(X, NAMES[y]).score(X, NAMES[y]) > 0.9
    assert ROWS == [150]


def test_rows_of_a_pool_are_asked_for_too():
    model = DistilledClassifier(
        FunctionTeacher(remote, NAMES), STUDENT, calibrate=False, random_state=0
    )
    model.fit(X[::2], NAMES[y[::2]], X_unlabeled=X[1::2])
    assert sum(ROWS) == 75 + 75 + 30_000
    assert max(ROWS) == 10_000


def test_it_may_know_more_classes_but_not_fewer():
    teacher = FunctionTeacher(remote, NAMES)
    model = DistilledClassifier(teacher, STUDENT, augmenter=None, calibrate=False)
    model.fit(X[:100], NAMES[y[:100]])
    np.testing.assert_array_equal(model.classes_, np.sort(NAMES))
    with pytest.raises(ValueError, match=r"\['rose'\] in y"):
        model.fit(X, np.where(y == 0, "rose", NAMES[y]))
    with pytest.raises(ValueError, match="at least 2 different"):
        model.set_params(teacher__classes=["rose"]).fit(X, NAMES[y])


@pytest.mark.parametrize("classes", [[0, 1], [1, 0]])
def test_the_order_of_its_classes_is_nothing_to_scorers(classes):
    """They take columns to be in the order of sorted labels."""
    told = y == 2
    known = LogisticRegression().fit(X, told)

    def function(rows):
        return known.predict_proba(rows)[:, classes]

    model = DistilledClassifier(
        FunctionTeacher(function, classes), STUDENT, calibrate=False, augmenter=None
    )
    assert model.fit(X, told.astype(int)).classes_.tolist() == [0, 1]
    assert model.predict_proba(X)[told, 1].mean() > 0.8
    assert cross_val_score(model, X, told.astype(int), scoring="roc_auc").min() > 0.9


def test_at_the_end_of_a_pipeline_it_gets_transformed_rows():
    scaler = StandardScaler().fit(X)
    scaled = LogisticRegression().fit(scaler.transform(X), y)
    teacher = make_pipeline(scaler, FunctionTeacher(scaled.predict_proba, [0, 1, 2]))
    model = DistilledClassifier(teacher, STUDENT, cv=3, augmenter=None, random_state=0)
    assert model.fit(X, y, sample_weight=np.ones(150)).score(X, y) > 0.9


def test_a_search_with_memory_asks_once_for_each_training_part(tmp_path):
    model = DistilledClassifier(
        FunctionTeacher(remote, NAMES),
        STUDENT,
        calibrate=False,
        augmenter=None,
        memory=str(tmp_path),
        random_state=0,
    )
    grid = {"temperature": [1, 2], "alpha": [0.5, 0.9]}
    GridSearchCV(model, grid, cv=3).fit(X, NAMES[y])
    assert ROWS == [100, 100, 100, 150]
    ROWS.clear()
    copy = pickle.loads(pickle.dumps(model)).fit(X, NAMES[y])
    assert not ROWS
    copy.set_params(teacher__function=Service(0)).fit(X, NAMES[y])
    copy.set_params(teacher__function=remote, teacher__batch_size=75).fit(X, NAMES[y])
    assert ROWS == [75, 75]


def test_the_cache_knows_the_model_of_a_bound_method(tmp_path):
    other = LogisticRegression(C=0.1, max_iter=1000).fit(X, y)
    labels = [
        DistilledClassifier(
            FunctionTeacher(model.predict_proba, [0, 1, 2]),
            STUDENT,
            calibrate=False,
            augmenter=None,
            memory=str(tmp_path),
            random_state=0,
        )
        .fit(X, y)
        .predict_proba(X)
        for model in (MODEL, other, MODEL)
    ]
    assert np.abs(labels[0] - labels[1]).max() > 0.01
    np.testing.assert_array_equal(labels[0], labels[2])


def test_the_labels_of_a_real_ensemble_are_its_own(adult):
    X, y = adult
    ensemble = LGBMClassifier(n_estimators=20, n_jobs=1, verbose=-1).fit(X, y)
    teacher = FunctionTeacher(ensemble.predict_proba, ensemble.classes_, batch_size=300)
    found = label_rows(teacher, X, y, ensemble.classes_, 5).logits
    expected = label_rows(FrozenEstimator(ensemble), X, y, ensemble.classes_, 5).logits
    np.testing.assert_allclose(found, expected, atol=1e-9)


class BySign:
    """Log-odds of four classes that depend on nothing but the row."""

    def __call__(self, rows):
        if issparse(rows):
            rows = rows.toarray()
        first = np.nan_to_num(np.asarray(rows, dtype=np.float64)[:, :1])
        return np.abs(np.sign(first) - [[-1, 0, 1, 2]]) * -3.0

    def __repr__(self):
        # A function's would tell its address: another name of the test in each process.
        return "BySign()"


GIVEN = "its classes are given, not learnt from y, and so is its accuracy"


@parametrize_with_checks(
    [FunctionTeacher(BySign(), [0, 1, 2, 3], output="log_odds")],
    expected_failed_checks=lambda _: {
        "check_classifiers_classes": GIVEN,
        "check_classifiers_train": GIVEN,
    },
)
def test_estimator_keeps_the_contract(estimator, check):
    check(estimator)
