import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import make_friedman1
from sklearn.metrics import r2_score
from sklearn.tree import DecisionTreeRegressor

from skdistill import DistilledRegressor, RegressionTargets
from skdistill.losses import HuberLoss
from skdistill.runtime import load
from skdistill.students import BoostedStudentRegressor, TreeStudentRegressor

X, y = make_friedman1(400, noise=0.5, random_state=0)
STUDENTS = [TreeStudentRegressor(random_state=0), BoostedStudentRegressor()]


@pytest.fixture
def table(rng):
    """Names with blanks, categories and missing values."""
    size = rng.normal(size=500)
    size[rng.random(500) < 0.1] = np.nan
    kind = pd.Categorical(rng.choice(["flat", "town house", "farm"], 500))
    frame = pd.DataFrame({"air temp": rng.normal(size=500), "floor [m2]": size})
    frame["what kind?"] = kind
    target = np.nan_to_num(size) + 2 * (kind == "farm") + frame["air temp"] ** 2
    return frame, target.to_numpy()


@pytest.mark.parametrize("student", STUDENTS)
def test_they_learn_numbers_and_what_teachers_say(student):
    assert student.fit(X, y).score(X, y) > 0.8
    said = RegressionTargets(y + 100, y, alpha=1.0)
    assert r2_score(y + 100, student.fit(X, said).predict(X)) > 0.8


@given(
    # What is expected cannot be computed of numbers that have lost their digits.
    alpha=st.just(0.0) | st.floats(1e-200, 1),
    known=st.lists(st.booleans(), min_size=2, max_size=12),
    seed=st.integers(0, 2**31),
)
def test_a_leaf_minimises_the_objective_over_its_rows(alpha, known, seed):
    """With one column of one value there is one leaf."""
    rng = np.random.default_rng(seed)
    n_rows = len(known)
    teacher, true = rng.normal(size=(2, n_rows))
    true[~np.array(known)] = np.nan
    soft = np.full(n_rows, alpha)
    hard = (1 - alpha) * np.array(known)
    if not (soft + hard).sum():
        return  # nothing is asked of it
    targets = RegressionTargets(teacher, true, alpha)
    student = TreeStudentRegressor().fit(np.zeros((n_rows, 1)), targets)
    best = (soft @ teacher + hard @ np.nan_to_num(true)) / (soft + hard).sum()
    np.testing.assert_allclose(student.predict([[0.0]]), best, atol=1e-12)


@pytest.mark.parametrize("student", STUDENTS)
def test_rows_of_weight_zero_are_no_rows(student, rng):
    weights = rng.integers(0, 2, len(y))
    weighted = student.fit(X, y, weights).predict(X)
    fewer = student.fit(X[weights > 0], y[weights > 0]).predict(X)
    np.testing.assert_allclose(weighted, fewer)


@pytest.mark.parametrize("student", STUDENTS)
def test_any_names_categories_and_missing_values(student, table, tmp_path):
    frame, target = table
    student.fit(frame, target)
    assert student.score(frame, target) > 0.8
    model = DistilledRegressor(
        TreeStudentRegressor(), student, augmenter=None, random_state=0
    ).fit(frame, target)
    certificate = model.export(tmp_path / "student.skd", frame)
    assert certificate.largest < 1e-9
    scored = load(tmp_path / "student.skd").predict(frame)
    np.testing.assert_allclose(scored, model.predict(frame))


@pytest.mark.parametrize("scale", [2.0**-40, 2.0**40])
def test_the_unit_of_y_changes_nothing(scale):
    student = TreeStudentRegressor(random_state=0)
    expected = student.fit(X, y).predict(X)
    np.testing.assert_array_equal(
        student.fit(X, y * scale).predict(X), expected * scale
    )


def test_a_tree_of_several_outputs():
    both = np.stack([y, -2 * y], axis=1)
    student = TreeStudentRegressor().fit(X, both)
    np.testing.assert_allclose(
        student.predict(X), np.outer(student.predict(X)[:, 0], [1, -2])
    )
    with pytest.raises(ValueError, match="Got 2 outputs, but expected 1"):
        BoostedStudentRegressor().fit(X, RegressionTargets(both))


@pytest.mark.parametrize("student", STUDENTS)
def test_other_losses_are_refused_before_the_teacher_is_fitted(student):
    model = DistilledRegressor(DecisionTreeRegressor(), student, loss="huber")
    with pytest.raises(TypeError, match=r"HuberLoss with .*, but expected SquaredLoss"):
        model.fit(X, y)
    with pytest.raises(TypeError, match="expected SquaredLoss"):
        student.fit(X, RegressionTargets(y, loss=HuberLoss(1.0)))


@pytest.mark.parametrize(
    ("student", "message"),
    [
        (TreeStudentRegressor(max_leaf_nodes=1), "max_leaf_nodes"),
        (TreeStudentRegressor(max_depth=0), "max_depth"),
        (TreeStudentRegressor(min_samples_leaf=0), "min_samples_leaf"),
        (BoostedStudentRegressor(n_estimators=0), "n_estimators"),
        (BoostedStudentRegressor(num_leaves=1), "num_leaves"),
        (BoostedStudentRegressor(learning_rate=0), "learning_rate"),
        (BoostedStudentRegressor(reg_lambda=-1), "reg_lambda"),
        (BoostedStudentRegressor(n_jobs="many"), "n_jobs"),
    ],
)
def test_bad_parameters_are_named(student, message):
    with pytest.raises((TypeError, ValueError), match=message):
        student.fit(X, y)
