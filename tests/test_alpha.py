"""How much labels count beside the teacher, if nobody says it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit

from skdistill import DistilledClassifier, DistilledClassifierCV
from skdistill.inspection import TemperatureDisplay
from skdistill.students import TreeStudentClassifier
from skdistill.teachers._blending import suited_alpha

TREE = TreeStudentClassifier(max_leaf_nodes=8, random_state=0)
IRIS = load_iris(return_X_y=True)


def distilled(**parameters):
    parameters = {"augmenter": None, "random_state": 0} | parameters
    teacher = parameters.pop("teacher", LogisticRegression(max_iter=1000))
    return DistilledClassifier(teacher, TREE, **parameters)


@given(first=st.floats(-10, 1), second=st.floats(-10, 1))
def test_the_more_is_explained_the_more_labels_count(first, second):
    low, high = sorted([first, second])
    assert 0.2 <= suited_alpha(high) <= suited_alpha(low) <= 0.95


@pytest.mark.parametrize("noise", [0.0, 0.07, 0.4])
def test_alpha_is_what_suits_the_noise(noise, rng):
    X = rng.choice([-1.0, 1.0], size=(2000, 2))
    y = (X[:, 0] > 0) ^ (rng.random(2000) < noise)
    model = distilled().fit(X, y)
    # Of the log-loss of two equal classes, what a coin of this bias leaves.
    coin = -sum(p * np.log(p) for p in (noise, 1 - noise) if p)
    expected = suited_alpha(1 - coin / np.log(2))
    assert model.alpha_ == pytest.approx(expected, abs=0.15)
    again = clone(model).set_params(alpha=model.alpha_).fit(X, y)
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    assert again.alpha_ == model.alpha_


def test_rows_that_the_teacher_has_met_say_nothing_of_noise():
    assert distilled(cv=None).fit(*IRIS).alpha_ == 0.95


def test_it_does_not_depend_on_whether_the_teacher_is_calibrated():
    X, y = IRIS
    timid = RandomForestClassifier(20, max_depth=1, random_state=0)
    found = [
        distilled(teacher=timid, calibrate=calibrate).fit(X, y).alpha_
        for calibrate in (True, False)
    ]
    assert found[0] == found[1] < 0.95


def test_held_out_rows_of_one_class_say_nothing_of_noise():
    X, y = IRIS
    X, y = X[:100], y[:100]  # 50 rows of each class, in order
    assert distilled(cv=TimeSeriesSplit(2, test_size=20)).fit(X, y).alpha_ == 0.95


def test_a_search_may_try_it():
    X, y = IRIS
    search = DistilledClassifierCV(
        HistGradientBoostingClassifier(max_iter=5),
        TREE,
        temperatures=[1.0],
        alphas=["auto"],
        augmenter=None,
        random_state=0,
    ).fit(X, y)
    assert search.best_params_ == {"alpha": "auto", "temperature": 1.0}
    assert search.alpha_ == 0.2
    grid = GridSearchCV(distilled(), {"alpha": ["auto", 0.5]}, cv=3).fit(X, y)
    for table in (search.cv_results_, grid.cv_results_):
        assert table["param_alpha"].tolist()[0] == "auto"
        display = TemperatureDisplay.from_cv_results(table)
        assert display.ax_.get_xlabel() in ("alpha", "temperature")
        display.figure_.clear()


@pytest.mark.parametrize("alpha", ["most", 1.5, None])
def test_other_shares_are_refused(alpha):
    with pytest.raises(ValueError, match="Got alpha="):
        distilled(alpha=alpha).fit(*IRIS)
