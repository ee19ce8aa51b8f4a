"""scikit-learn's own checks, for every public estimator."""

import pytest
import skorch
import torch
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.tree import DecisionTreeRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

from skdistill import DistilledClassifier, DistilledClassifierCV, DistilledRegressor
from skdistill.students import (
    AdaptedStudentRegressor,
    BoostedStudentClassifier,
    LogOddsStudentClassifier,
    MLPStudentClassifier,
    MLPStudentRegressor,
    OrderingEncoder,
    TabularEncoder,
    TreeStudentClassifier,
    WeightedStudentClassifier,
)
from skdistill.teachers import EarlyStoppingTeacher, TeacherEnsemble

WEIGHTS = "check_sample_weight_equivalence_on_{}_data"
SHUFFLED = (
    "a network is trained on shuffled mini-batches: a row that occurs twice gives "
    "other batches than a row of weight 2; the tests of the student prove that a row "
    "of weight 0 is no row and that weights pull"
)

EXPECTED = {
    MLPStudentClassifier: {
        WEIGHTS.format("dense"): SHUFFLED,
        WEIGHTS.format("sparse"): SHUFFLED,
    },
    EarlyStoppingTeacher: {
        WEIGHTS.format("dense"): (
            "rows are held out: one that occurs twice may be held out once"
        )
    },
    MLPStudentRegressor: {
        WEIGHTS.format("dense"): SHUFFLED,
        WEIGHTS.format("sparse"): SHUFFLED,
    },
    "pool": {
        WEIGHTS.format("dense"): (
            "new rows are drawn from the table: one in which a row occurs twice gives "
            "others than one in which it has weight 2"
        )
    },
}
"""Checks that some estimators fail by their nature, with the reason."""


def expected_failures(estimator):
    if getattr(estimator, "augmenter", None) is not None:
        return EXPECTED["pool"]
    return EXPECTED.get(type(getattr(estimator, "student", estimator)), {})


@parametrize_with_checks(
    [
        TreeStudentClassifier(),
        MLPStudentClassifier(),
        BoostedStudentClassifier(),
        WeightedStudentClassifier(LogisticRegression()),
        LogOddsStudentClassifier(LinearRegression()),
        TeacherEnsemble([LogisticRegression(), LogisticRegression(C=0.1)]),
        TeacherEnsemble(
            [("logistic", LogisticRegression()), ("prior", DummyClassifier())],
            weights=[2, 1],
            average="proba",
        ),
        EarlyStoppingTeacher(
            HistGradientBoostingClassifier(max_iter=10, early_stopping=True)
        ),
        TabularEncoder(),
        OrderingEncoder(),
        DistilledClassifier(LogisticRegression(), TreeStudentClassifier()),
        DistilledClassifier(
            LogisticRegression(), MLPStudentClassifier(), augmenter=None
        ),
        DistilledClassifier(LogisticRegression(), LogisticRegression(), augmenter=None),
        DistilledClassifierCV(
            LogisticRegression(),
            TreeStudentClassifier(),
            temperatures=[1.0, 2.0],
            alphas=[0.5],
            cv=3,
            augmenter=None,
        ),
        MLPStudentRegressor(),
        AdaptedStudentRegressor(Ridge()),
        AdaptedStudentRegressor(DecisionTreeRegressor()),
        DistilledRegressor(LinearRegression(), DecisionTreeRegressor(max_depth=2)),
        DistilledRegressor(LinearRegression(), MLPStudentRegressor(), augmenter=None),
        DistilledRegressor(LinearRegression(), Ridge(), augmenter=None),
    ],
    expected_failed_checks=expected_failures,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:The least populated class in y has only")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_estimator_keeps_the_contract(estimator, check):
    check(estimator)


def test_expected_failures_are_few():
    assert all(len(checks) <= 2 for checks in EXPECTED.values())


def test_skorch_nets_are_students_of_the_same_form():
    """Their width is the user's, so scikit-learn's varying tables do not fit them."""
    net = skorch.NeuralNet(torch.nn.Linear, torch.nn.CrossEntropyLoss)
    assert DistilledClassifier(LogisticRegression(), net)._student().net is net
