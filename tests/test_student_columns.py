"""Teachers that see columns which their students do not."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.compose import make_column_selector
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

from skdistill import DistilledClassifier
from skdistill.runtime import load
from skdistill.students import (
    MLPStudentClassifier,
    TabularEncoder,
    TreeStudentClassifier,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 5))
y = (X[:, 0] + X[:, 3] + 0.5 * RNG.normal(size=300) > 0).astype(int)
NAMES = ["a", "b", "c", "d", "e"]
FRAME = pd.DataFrame(X, columns=NAMES)
TREE = TreeStudentClassifier(max_leaf_nodes=8)


def distilled(columns, student=TREE, **parameters):
    parameters = {"cv": 3, "augmenter": None, "random_state": 0, **parameters}
    return DistilledClassifier(
        LogisticRegression(), student, student_columns=columns, **parameters
    )


@pytest.mark.parametrize(
    "columns",
    [
        ["c", "a"],
        np.array(["c", "a"]),
        [2, 0],
        lambda frame: ["c", "a"],
        pd.Index(["c", "a"]),
    ],
)
def test_ways_to_name_columns(columns):
    model = distilled(columns).fit(FRAME, y)
    np.testing.assert_array_equal(model.student_columns_, [2, 0])
    assert list(model.student_.feature_names_in_) == ["c", "a"]
    assert list(model.feature_names_in_) == NAMES
    assert list(model.teacher_.feature_names_in_) == NAMES
    assert model.n_features_in_ == 5


def test_a_mask_and_a_selector():
    mask = [True, False, True, False, False]
    np.testing.assert_array_equal(distilled(mask).fit(X, y).student_columns_, [0, 2])
    mixed = FRAME.assign(b=np.where(FRAME["b"] > 0, "yes", "no")).astype(
        {"b": "category"}
    )
    model = distilled(make_column_selector(dtype_include="number"))
    model.set_params(
        teacher=make_pipeline(TabularEncoder(), LogisticRegression(max_iter=1000))
    )
    model.fit(mixed, y)
    assert list(model.student_.feature_names_in_) == ["a", "c", "d", "e"]


@pytest.mark.parametrize("to_frame", [pd.DataFrame, pl.from_pandas])
@pytest.mark.parametrize("augmenter", [None, "auto"])
def test_frames_with_and_without_the_teachers_columns_in_any_order(to_frame, augmenter):
    frame = to_frame(FRAME)
    model = distilled(["c", "a"], augmenter=augmenter).fit(
        frame, y, X_unlabeled=frame[:20]
    )
    expected = model.student_.predict_proba(frame[["c", "a"]])
    for names in (NAMES, ["c", "a"], ["a", "c"], ["e", "a", "b", "c"]):
        np.testing.assert_array_equal(model.predict_proba(frame[names]), expected)
        np.testing.assert_array_equal(
            model.predict(frame[names]), model.classes_[expected.argmax(1)]
        )
    np.testing.assert_allclose(
        model.predict_log_proba(frame[["a", "c"]]), np.log(expected)
    )


@pytest.mark.parametrize("to_table", [np.asarray, csr_array, list])
def test_arrays_with_all_columns_or_the_students(to_table):
    student = LinearRegression() if to_table is csr_array else TREE
    table = to_table(X)
    model = distilled([2, 0], student).fit(table, y)
    expected = model.student_.predict_proba(to_table(X[:, [2, 0]]))
    np.testing.assert_array_equal(model.predict_proba(table), expected)
    part = to_table(X[:, [2, 0]])
    np.testing.assert_array_equal(model.predict_proba(part), expected)


@given(st.permutations(range(5)), st.integers(1, 5))
def test_the_student_is_that_of_its_columns_alone(order, n_columns):
    """What it learns from the same labels does not depend on what else there is."""
    columns = order[:n_columns]
    model = distilled(columns).fit(X, y)
    changed = X.copy()
    others = [j for j in range(5) if j not in columns]
    changed[:, others] = np.nan
    np.testing.assert_array_equal(model.predict_proba(changed), model.predict_proba(X))


def test_missing_values_of_the_teachers_columns_do_not_matter():
    """Not to a student that could not take them."""
    model = distilled(["a", "b"], LogisticRegression()).fit(FRAME, y)
    gaps = FRAME.assign(e=np.nan)
    np.testing.assert_array_equal(model.predict(gaps), model.predict(FRAME))


@pytest.mark.parametrize(
    ("columns", "error", "message"),
    [
        ("a", TypeError, "student_columns='a'.*list of names"),
        ([["a"]], TypeError, "list of names"),
        ([0.5], TypeError, "list of names"),
        (7, TypeError, "student_columns=7"),
        ([], ValueError, "at least one column"),
        (["a", "a"], ValueError, "each once"),
        (["a", "z"], ValueError, r"'z' among student_columns.*the columns \['a'"),
        ([0, 5], ValueError, "5 among student_columns.*5 columns"),
        ([-1], ValueError, "-1 among student_columns"),
        ([True, False], ValueError, "True among student_columns"),
        ([None], ValueError, "None among student_columns"),
        (lambda frame: "a", TypeError, "student_columns='a'"),
    ],
)
def test_bad_columns_are_named(columns, error, message):
    with pytest.raises(error, match=message):
        distilled(columns).fit(FRAME, y)


def test_names_need_a_frame():
    with pytest.raises(ValueError, match="columns without names"):
        distilled(["a"]).fit(X, y)


def test_tables_that_the_student_cannot_score_are_named():
    model = distilled(["c", "a"]).fit(FRAME, y)
    with pytest.raises(ValueError, match=r"without the columns \['c'\].*student"):
        model.predict(FRAME[["a", "b"]])
    with pytest.raises(ValueError, match=r"the columns \['z'\]"):
        model.predict(FRAME.assign(z=1.0))
    for rows in (X[:, :3], X[:, :1]):
        with pytest.raises(ValueError, match="2 features of its student or all 5"):
            model.predict(rows)
    with pytest.warns(UserWarning, match="valid feature names"):
        model.predict(X)


def test_without_a_choice_all_columns_are_needed():
    model = distilled(None).fit(FRAME, y)
    assert model.student_columns_ is None
    with pytest.raises(ValueError, match="feature names"):
        model.predict(FRAME[["c", "a"]])


def test_refits_forget_the_columns():
    model = distilled(["a"]).fit(FRAME, y)
    model.set_params(student_columns=None).fit(FRAME, y)
    assert model.predict(FRAME).shape == (300,)
    assert model.student_.n_features_in_ == 5


@pytest.mark.parametrize("student", [TREE, MLPStudentClassifier((8,), n_steps=50)])
def test_files_hold_only_the_students_columns(student, tmp_path):
    model = distilled(["d", "a"], student).fit(FRAME, y)
    model.export(tmp_path / "model.skd", FRAME)
    scorer = load(tmp_path / "model.skd")
    assert [column.name for column in scorer.spec.columns] == ["d", "a"]
    np.testing.assert_allclose(
        scorer.predict_proba(FRAME[["d", "a"]]), model.predict_proba(FRAME), atol=1e-6
    )


def test_searches_over_columns_fit_no_teacher_again(tmp_path):
    model = distilled(["a"], memory=str(tmp_path))
    search = GridSearchCV(
        model, {"student_columns": [["a"], ["d"], ["a", "d"]]}, error_score="raise"
    )
    search.fit(FRAME, y)
    assert search.best_params_ == {"student_columns": ["a", "d"]}
    assert len(list(tmp_path.rglob("output.pkl"))) == 6
    assert cross_val_score(clone(model), FRAME, y, cv=2).mean() > 0.5


def test_a_student_gains_from_what_only_its_teacher_sees():
    """Eight paired draws: one column is what the label depends on, measured well.

    The student has to find that out from eight others, which is easier from the
    probabilities of a teacher that sees it than from those of one that does not, and
    than from labels.
    """
    gains = {"blind teacher": [], "labels": []}
    for seed in range(8):
        rng = np.random.default_rng(seed)
        Z = rng.normal(size=(2400, 8))
        truth = 2 * np.sin(2 * Z[:, 0]) + 2 * Z[:, 1] * Z[:, 2]
        labels = (rng.random(2400) < 1 / (1 + np.exp(-truth))).astype(int)
        privileged = truth + 0.2 * rng.normal(size=2400)
        table = np.column_stack([Z, privileged])
        train, test = slice(0, 400), slice(400, None)
        forest = RandomForestClassifier(25, min_samples_leaf=5, random_state=seed)
        student = TreeStudentClassifier(max_leaf_nodes=16, random_state=seed)
        model = DistilledClassifier(
            forest, student, cv=3, augmenter=None, random_state=seed
        )
        seeing = clone(model).set_params(student_columns=list(range(8)))
        seeing = seeing.fit(table[train], labels[train]).predict_proba(Z[test])
        blind = clone(model).fit(Z[train], labels[train]).predict_proba(Z[test])
        alone = clone(student).fit(Z[train], labels[train]).predict_proba(Z[test])
        loss = log_loss(labels[test], seeing)
        gains["blind teacher"].append(log_loss(labels[test], blind) - loss)
        gains["labels"].append(log_loss(labels[test], alone) - loss)
    for than, gain in gains.items():
        error = np.std(gain, ddof=1) / np.sqrt(len(gain))
        assert np.mean(gain) > 2.5 * error, (than, gain)
