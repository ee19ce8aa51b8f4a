"""Mistakes that are told before a teacher is fitted, which may take hours."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skdistill import (
    DistilledClassifier,
    DistilledRegressor,
    RegressionTargets,
    SoftTargets,
)
from skdistill.augmentation import Munge
from skdistill.students import (
    BoostedStudentClassifier,
    MLPStudentClassifier,
    MLPStudentRegressor,
    TreeStudentClassifier,
    TreeStudentRegressor,
)
from skdistill.teachers import EarlyStoppingTeacher, TeacherEnsemble

N_SAMPLES = 120


class Costly(DummyClassifier):
    """A teacher that must not be fitted."""

    def fit(self, X, y, sample_weight=None):
        pytest.fail("The teacher has been fitted.")


class CostlyRegressor(DummyRegressor):
    """Another one."""

    def fit(self, X, y, sample_weight=None):
        pytest.fail("The teacher has been fitted.")


def table():
    numbers = np.arange(N_SAMPLES)
    return pd.DataFrame(
        {
            "number": numbers % 7,
            "when": pd.Timestamp("2020-01-01") + pd.to_timedelta(numbers, unit="D"),
            "id": [f"id{i}" for i in numbers],
        }
    )


def labels():
    return np.arange(N_SAMPLES) % 2


@pytest.mark.parametrize(
    "frame", [pd.DataFrame, pl.from_pandas], ids=["pandas", "polars"]
)
@pytest.mark.parametrize(
    "student",
    [MLPStudentClassifier(), TreeStudentClassifier(), BoostedStudentClassifier()],
    ids=lambda student: type(student).__name__,
)
@pytest.mark.parametrize("augmenter", ["auto", None])
@pytest.mark.parametrize(
    ("column", "error", "message"),
    [
        ("when", TypeError, "'when' holds Datetime.* number of days"),
        ("id", ValueError, "'id' holds 120 different values .* drop identifiers"),
    ],
)
def test_columns_that_no_student_can_read(
    frame, student, augmenter, column, error, message
):
    model = DistilledClassifier(Costly(), student, augmenter=augmenter)
    with pytest.raises(error, match=message):
        model.fit(frame(table()[["number", column]]), labels())


def test_columns_of_the_teacher_alone_need_not_be_readable():
    model = DistilledClassifier(
        DummyClassifier(),
        TreeStudentClassifier(),
        student_columns=["number"],
        augmenter=None,
        cv=2,
    )
    X = table()
    assert model.fit(X, labels()).student_.n_features_in_ == 1
    with pytest.raises(TypeError, match=r"'when' holds .* with augmenter=None"):
        model.set_params(augmenter="auto", teacher=Costly()).fit(X, labels())


def test_students_in_pipelines_may_be_given_what_their_first_steps_read():
    read = FunctionTransformer(lambda X: X[["number"]])
    model = DistilledClassifier(
        DummyClassifier(),
        make_pipeline(read, TreeStudentClassifier()),
        augmenter=None,
        cv=2,
    )
    assert model.fit(table(), labels()).score(table(), labels()) >= 0.5


def test_regressors_check_their_columns_as_well():
    model = DistilledRegressor(CostlyRegressor(), TreeStudentRegressor())
    with pytest.raises(ValueError, match="'id' holds 120 different values"):
        model.fit(table()[["number", "id"]], np.arange(N_SAMPLES))


@pytest.mark.parametrize(
    ("X", "other", "message"),
    [
        (table(), table().to_numpy(), "Got an array .* expected a frame"),
        (np.eye(N_SAMPLES), table(), "Got a frame .* expected an array"),
    ],
    ids=["frame", "array"],
)
def test_unlabelled_rows_are_a_table_of_the_same_kind(X, other, message):
    model = DistilledClassifier(Costly(), TreeStudentClassifier(), augmenter=None)
    with pytest.raises(TypeError, match=message):
        model.fit(X, labels(), X_unlabeled=other)


@pytest.mark.parametrize(
    "frame", [pd.DataFrame, pl.from_pandas], ids=["pandas", "polars"]
)
@pytest.mark.parametrize("columns", [None, ["number"]])
@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ("seven", TypeError, "X_unlabeled .*: Column 'number' held numbers"),
        (np.inf, ValueError, "X_unlabeled .*: Column 'number' holds infinity"),
        (table()["when"], TypeError, "X_unlabeled .*: Column 'number' holds Datetime"),
    ],
)
def test_unlabelled_rows_hold_the_same_kinds(frame, columns, values, error, message):
    X = table()[["number"]].assign(other=labels())
    model = DistilledClassifier(
        Costly(), TreeStudentClassifier(), student_columns=columns, augmenter=None
    )
    with pytest.raises(error, match=message):
        model.fit(frame(X), labels(), X_unlabeled=frame(X.assign(number=values)))


@pytest.mark.parametrize(
    ("model", "targets"),
    [
        (
            DistilledClassifier(Costly(), LogisticRegression()),
            SoftTargets.from_labels(labels()),
        ),
        (
            DistilledRegressor(CostlyRegressor(), TreeStudentRegressor()),
            RegressionTargets(np.arange(float(N_SAMPLES))),
        ),
    ],
    ids=["classes", "numbers"],
)
def test_targets_that_are_there_already_are_for_students(model, targets):
    with pytest.raises(TypeError, match="Targets as y, but expected what the teacher"):
        model.fit(np.eye(N_SAMPLES), targets)


def test_a_class_is_no_sampler():
    model = DistilledClassifier(Costly(), TreeStudentClassifier(), augmenter=Munge)
    with pytest.raises(ValueError, match="expected a sampler of skdistill"):
        model.fit(np.eye(N_SAMPLES), labels())


@pytest.mark.parametrize("freeze", [False, True])
@pytest.mark.parametrize("kind", [pl.Categorical, pl.String])
def test_lightgbm_does_not_end_the_process(kind, freeze):
    X = pl.DataFrame({"number": np.arange(N_SAMPLES), "level": ["a", "b"] * 60})
    X = X.with_columns(pl.col("level").cast(kind))
    teacher = LGBMClassifier(n_estimators=2, n_jobs=1, verbose=-1)
    if freeze:
        pandas = X.to_pandas().astype({"level": "category"})
        teacher = FrozenEstimator(teacher.fit(pandas, labels()))
    model = DistilledClassifier(teacher, TreeStudentClassifier(), cv=2, random_state=0)
    for frame in (X, X.to_arrow()):
        with pytest.raises(TypeError, match=r"columns \['level'\] .* X.to_pandas\(\)"):
            model.fit(frame, labels())


@pytest.mark.parametrize(
    "wrap",
    [
        lambda model: TeacherEnsemble([EarlyStoppingTeacher(model)]),
        lambda model: VotingClassifier([("model", model)], voting="soft"),
        lambda model: StackingClassifier([("model", model)]),
        lambda model: make_pipeline("passthrough", model),
        lambda model: GridSearchCV(make_pipeline(model), {}),
    ],
)
def test_lightgbm_does_not_end_the_process_inside_of_others(wrap):
    X = pl.DataFrame({"number": np.arange(N_SAMPLES), "level": ["a", "b"] * 60})
    X = X.with_columns(pl.col("level").cast(pl.Categorical))
    model = LGBMClassifier(n_estimators=2, n_jobs=1, verbose=-1)
    with pytest.raises(TypeError, match=r"columns \['level'\] .* X.to_pandas\(\)"):
        DistilledClassifier(wrap(model), TreeStudentClassifier()).fit(X, labels())


@pytest.mark.parametrize(
    "student", [LGBMClassifier(verbose=-1), LGBMRegressor(verbose=-1)]
)
def test_lightgbm_does_not_end_the_process_as_the_student(student):
    X = pl.DataFrame({"number": np.arange(N_SAMPLES), "level": ["a", "b"] * 60})
    X = X.with_columns(pl.col("level").cast(pl.Categorical))
    with pytest.raises(TypeError, match=r"columns \['level'\] .* X.to_pandas\(\)"):
        DistilledClassifier(Costly(), student).fit(X, labels())
    only_numbers = DistilledClassifier(
        DummyClassifier(), student, student_columns=["number"], cv=2, augmenter=None
    )
    assert only_numbers.fit(X, labels()).score(X, labels()) >= 0.5


def test_polars_rows_are_scored_by_a_model_fitted_on_pandas_ones():
    X = pl.DataFrame({"number": np.arange(N_SAMPLES), "level": ["a", "b"] * 60})
    readable = X.to_pandas().astype({"level": "category"})
    teacher = LGBMClassifier(n_estimators=2, n_jobs=1, verbose=-1)
    model = DistilledClassifier(teacher, TreeStudentClassifier(), cv=2, random_state=0)
    assert model.fit(readable, labels()).score(X, labels()) > 0.9


def test_numbers_that_the_loss_cannot_have():
    model = DistilledRegressor(CostlyRegressor(), MLPStudentRegressor(), loss="poisson")
    with pytest.raises(ValueError, match="Got y down to -1 with the Poisson loss"):
        model.fit(np.eye(N_SAMPLES), np.arange(N_SAMPLES) - 1.0)


def test_several_numbers_for_a_teacher_of_one():
    teacher = LGBMRegressor(n_estimators=2, n_jobs=1, verbose=-1)
    model = DistilledRegressor(teacher, TreeStudentRegressor())
    with pytest.raises(ValueError, match=r"y of shape \(120, 2\).*MultiOutputRegr"):
        model.fit(np.eye(N_SAMPLES), np.ones((N_SAMPLES, 2)))


def test_labels_of_several_types():
    y = np.array([0, "one"] * (N_SAMPLES // 2), dtype=object)
    model = DistilledClassifier(Costly(), TreeStudentClassifier())
    with pytest.raises(TypeError, match="labels of the types int and str"):
        model.fit(np.eye(N_SAMPLES), y)
