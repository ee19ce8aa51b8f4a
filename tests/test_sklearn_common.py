"""scikit-learn's own checks, for every public estimator."""

import pytest
import skorch
import skorch.callbacks
import torch
from sklearn.base import BaseEstimator, clone
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

import skdistill
from skdistill import DistilledClassifier, DistilledClassifierCV, DistilledRegressor
from skdistill.students import (
    AdaptedStudentRegressor,
    BoostedStudentClassifier,
    BoostedStudentRegressor,
    LogOddsStudentClassifier,
    MLPStudentClassifier,
    MLPStudentRegressor,
    OrderingEncoder,
    SkorchStudentClassifier,
    TabularEncoder,
    TreeStudentClassifier,
    TreeStudentRegressor,
    WeightedStudentClassifier,
)
from skdistill.teachers import EarlyStoppingTeacher, FunctionTeacher, TeacherEnsemble

WEIGHTS = "check_sample_weight_equivalence_on_{}_data"
SHUFFLED = (
    "a network is trained on shuffled mini-batches: a row that occurs twice gives "
    "other batches than a row of weight 2; the tests of the student prove that a row "
    "of weight 0 is no row and that weights pull"
)


class FunctionOfModel(FunctionTeacher):
    """Asks a model that is fitted to the table of the check, whose labels are its own.

    All else is the teacher's, its check of the table before the model sees it too.
    """

    batch_size = 7
    n_retries = 0
    output = "probabilities"

    def __init__(self, model):
        self.model = model

    @property
    def function(self):
        return self._smooth

    @property
    def classes(self):
        return self.model_.classes_

    def fit(self, X, y=None, sample_weight=None):
        super().fit(X, None, sample_weight)
        self.model_ = clone(self.model).fit(X, y, sample_weight)
        return super().fit(X, y, sample_weight)

    def _smooth(self, rows):
        """Probabilities without zeros, whose logarithms the checks compare."""
        proba = 0.01 + self.model_.predict_proba(rows)
        return proba / proba.sum(axis=1, keepdims=True)


class WidthOfTable(skorch.callbacks.Callback):
    """Gives a net the columns and classes of the table of the check."""

    def on_train_begin(self, net, X=None, y=None, **_):
        net.set_params(
            module__in_features=X.shape[1], module__out_features=y.shape[1] - 2
        )


class Layer(torch.nn.Linear):
    """Takes missing values for zeros."""

    def forward(self, rows):
        return super().forward(torch.nan_to_num(rows))


class SkorchStudentOfAnyWidth(SkorchStudentClassifier):
    """Its net is no parameter: the name of a test must be the same in each process."""

    net = skorch.NeuralNet(
        Layer,
        torch.nn.CrossEntropyLoss,
        module__in_features=1,
        module__out_features=2,
        callbacks=[("width", WidthOfTable())],
        train_split=None,
        lr=0.1,
        batch_size=16,
        max_epochs=20,
        verbose=0,
    )

    def __init__(self, random_state=None):
        self.random_state = random_state


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
    SkorchStudentOfAnyWidth: {
        WEIGHTS.format("dense"): SHUFFLED,
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


ESTIMATORS = [
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
    FunctionOfModel(DecisionTreeClassifier(random_state=0)),
    SkorchStudentOfAnyWidth(),
    TabularEncoder(),
    OrderingEncoder(),
    DistilledClassifier(LogisticRegression(), TreeStudentClassifier()),
    DistilledClassifier(LogisticRegression(), MLPStudentClassifier(), augmenter=None),
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
    TreeStudentRegressor(),
    BoostedStudentRegressor(),
    AdaptedStudentRegressor(Ridge()),
    AdaptedStudentRegressor(DecisionTreeRegressor()),
    DistilledRegressor(LinearRegression(), DecisionTreeRegressor(max_depth=2)),
    DistilledRegressor(LinearRegression(), MLPStudentRegressor(), augmenter=None),
    DistilledRegressor(LinearRegression(), Ridge(), augmenter=None),
]


@parametrize_with_checks(ESTIMATORS, expected_failed_checks=expected_failures)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:The least populated class in y has only")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_estimator_keeps_the_contract(estimator, check):
    check(estimator)


def test_expected_failures_are_few():
    assert all(len(checks) <= 2 for checks in EXPECTED.values())


def test_every_public_estimator_is_checked():
    modules = skdistill, skdistill.students, skdistill.teachers
    public = {
        thing
        for module in modules
        for name in module.__all__
        if isinstance(thing := getattr(module, name), type)
        and issubclass(thing, BaseEstimator)
        and hasattr(thing, "fit")
    }
    assert public
    for kind in public:
        assert any(isinstance(estimator, kind) for estimator in ESTIMATORS), kind
