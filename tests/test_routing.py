"""Who gets weights, groups and other metadata, with scikit-learn's routing and without.

The tests of routing follow those of scikit-learn's own meta-estimators.
"""

import re

import numpy as np
import pytest
import skorch
import torch
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import make_classification
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    StratifiedGroupKFold,
    cross_validate,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tests.metadata_routing_common import (
    ConsumingClassifier,
    ConsumingSplitter,
    NonConsumingClassifier,
    _Registry,
    assert_request_is_empty,
    check_recorded_metadata,
)
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.metadata_routing import MetadataRouter

from skdistill import DistilledClassifier, DistilledClassifierCV
from skdistill._fitting import fit_with_weights
from skdistill.students import TreeStudentClassifier
from skdistill.teachers import Labelling, label_rows

X, y = make_classification(240, n_features=5, random_state=0)
RNG = np.random.default_rng(0)
WEIGHTS = RNG.integers(1, 4, 240).astype(float)
GROUPS = RNG.integers(0, 12, 240)
METADATA = RNG.normal(size=240)
TREE = TreeStudentClassifier(max_leaf_nodes=6)
LOGISTIC = LogisticRegression()


@pytest.fixture
def routing():
    with config_context(enable_metadata_routing=True):
        yield


def distilled(teacher, student=TREE, **parameters):
    parameters = {"cv": 3, "augmenter": None, "random_state": 0, **parameters}
    return DistilledClassifier(teacher, student, **parameters)


def consuming(**parts):
    """A model whose parts note what they get, and the lists where they are."""
    registries = {name: _Registry() for name in ("teacher", "student", "cv")}
    model = distilled(
        ConsumingClassifier(registries["teacher"]),
        ConsumingClassifier(registries["student"]),
        cv=ConsumingSplitter(registries["cv"]),
    )
    return model.set_params(**parts), registries


# With routing.


@pytest.mark.usefixtures("routing")
def test_nothing_is_requested_by_default():
    model, _ = consuming()
    router = model.get_metadata_routing()
    assert isinstance(router, MetadataRouter)
    assert_request_is_empty(router, exclude={"splitter": ["split"]})
    assert_request_is_empty(
        distilled(LogisticRegression()).get_metadata_routing(),
        exclude={"splitter": ["split"]},
    )


@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize("part", ["teacher", "student"])
@pytest.mark.parametrize("key", ["sample_weight", "metadata"])
def test_what_is_not_requested_is_an_error(part, key):
    model, _ = consuming()
    other = {"teacher": "student", "student": "teacher"}[part]
    getattr(model, other).set_fit_request(sample_weight=False, metadata=False)
    model.cv.set_split_request(metadata=False)
    message = (
        f"[{key}] are passed but are not explicitly set as requested or not requested "
        "for ConsumingClassifier.fit"
    )
    with pytest.raises(UnsetMetadataPassedError, match=re.escape(message)):
        model.fit(X, y, **{key: {"sample_weight": WEIGHTS, "metadata": METADATA}[key]})


@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize("key", ["sample_weight", "metadata"])
def test_the_teacher_gets_what_it_requests(key):
    given = {key: {"sample_weight": WEIGHTS, "metadata": METADATA}[key]}
    model, registries = consuming()
    model.teacher.set_fit_request(**{key: True})
    model.student.set_fit_request(sample_weight=False, metadata=False)
    model.cv.set_split_request(metadata=False)
    model.fit(X, y, **given)
    assert len(registries["teacher"]) == 3
    for teacher in registries["teacher"]:
        check_recorded_metadata(
            teacher, method="fit", parent="fit", split_params=[key], **given
        )


@pytest.mark.usefixtures("routing")
def test_the_student_gets_the_weights_that_it_requests():
    teacher = LogisticRegression().set_fit_request(sample_weight=False)
    student = clone(TREE).set_fit_request(sample_weight=True)
    weighted = distilled(teacher, student, alpha=0.95).fit(X, y, sample_weight=WEIGHTS)
    student.set_fit_request(sample_weight=False)
    plain = distilled(teacher, student, alpha=0.95).fit(X, y, sample_weight=WEIGHTS)
    expected = distilled(teacher, student, alpha=0.95).fit(X, y)
    np.testing.assert_array_equal(
        weighted.teacher_.coef_, LogisticRegression().fit(X, y).coef_
    )
    assert not np.allclose(weighted.predict_proba(X), plain.predict_proba(X))
    # The weights still say how far the teacher is to be trusted.
    np.testing.assert_allclose(
        plain.predict_proba(X), expected.predict_proba(X), atol=0.05
    )


@pytest.mark.usefixtures("routing")
def test_the_student_takes_no_other_metadata():
    model, _ = consuming()
    model.teacher.set_fit_request(metadata=False)
    model.student.set_fit_request(metadata=True)
    model.cv.set_split_request(metadata=False)
    with pytest.raises(TypeError, match=r"'metadata'.* for the student"):
        model.fit(X, y, metadata=METADATA)


@pytest.mark.usefixtures("routing")
def test_the_splitter_gets_what_it_requests():
    model, registries = consuming()
    for part in (model.teacher, model.student):
        part.set_fit_request(sample_weight=False, metadata=False)
    model.cv.set_split_request(groups=True, metadata=True)
    model.fit(X, y, groups=GROUPS, metadata=METADATA)
    assert registries["cv"]
    for splitter in registries["cv"]:
        check_recorded_metadata(
            splitter, method="split", parent="fit", groups=GROUPS, metadata=METADATA
        )


@pytest.mark.usefixtures("routing")
def test_what_nobody_knows_is_an_error():
    with pytest.raises(TypeError, match=r"unexpected argument.*'nonsense'"):
        distilled(LogisticRegression()).fit(X, y, nonsense=METADATA)
    with pytest.raises(TypeError, match=r"unexpected argument.*'groups'"):
        distilled(LogisticRegression(), cv=KFold(3)).fit(X, y, groups=GROUPS)


@pytest.mark.usefixtures("routing")
def test_parts_that_take_no_metadata_need_no_requests():
    model = distilled(NonConsumingClassifier(), TREE)
    assert model.fit(X, y).predict(X).shape == y.shape


@pytest.mark.usefixtures("routing")
def test_the_students_of_this_library_ask_for_weights_where_none_is_given():
    student = distilled(LogisticRegression(), None)._requesting_student()
    assert student.get_metadata_routing().fit.requests["sample_weight"] is True


@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize("requested", [True, False])
def test_the_end_of_a_students_pipeline_gets_the_weights_that_it_requests(requested):
    scaler = StandardScaler().set_fit_request(sample_weight=False)
    last = clone(LOGISTIC).set_fit_request(sample_weight=requested)
    teacher = clone(LOGISTIC).set_fit_request(sample_weight=False)
    model = distilled(teacher, make_pipeline(scaler, last), cv=None, alpha=0.0)
    heavy = np.where(y == 1, 1000.0, 1.0)
    weighted = model.fit(X, y, sample_weight=heavy).predict(X).mean()
    assert (weighted > model.fit(X, y).predict(X).mean() + 0.2) == requested


@pytest.mark.usefixtures("routing")
def test_nets_and_others_without_a_say_get_weights():
    net = skorch.NeuralNet(torch.nn.Linear, torch.nn.CrossEntropyLoss)
    for student in (net, make_pipeline(StandardScaler(), net), KNeighborsRegressor()):
        routing = distilled(LOGISTIC, student).get_metadata_routing()
        assert routing.consumes("fit", ["sample_weight"]) == {"sample_weight"}


@pytest.mark.usefixtures("routing")
def test_requests_with_other_names():
    teacher = LogisticRegression().set_fit_request(sample_weight="credit")
    model = distilled(teacher, clone(TREE).set_fit_request(sample_weight=False))
    model.fit(X, y, credit=WEIGHTS)
    expected = LogisticRegression().fit(X, y, sample_weight=WEIGHTS)
    np.testing.assert_array_equal(model.teacher_.coef_, expected.coef_)


@pytest.mark.usefixtures("routing")
def test_metadata_go_through_pipelines_and_searches():
    teacher = make_pipeline(
        StandardScaler().set_fit_request(sample_weight=False),
        LogisticRegression().set_fit_request(sample_weight=True),
    )
    model = distilled(teacher, clone(TREE).set_fit_request(sample_weight=True))
    model.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
    pipeline = make_pipeline(
        StandardScaler().set_fit_request(sample_weight=False), model
    )
    pipeline.fit(X, y, sample_weight=WEIGHTS, groups=GROUPS)
    alone = clone(model).fit(
        pipeline[0].transform(X), y, sample_weight=WEIGHTS, groups=GROUPS
    )
    np.testing.assert_array_equal(
        pipeline.predict_proba(X), alone.predict_proba(pipeline[0].transform(X))
    )
    search = GridSearchCV(pipeline, {"distilledclassifier__alpha": [0.5, 1.0]}, cv=2)
    search.set_params(error_score="raise")
    search.fit(X, y, sample_weight=WEIGHTS, groups=GROUPS)
    assert search.best_score_ > 0.7


@pytest.mark.usefixtures("routing")
def test_groups_go_to_inner_and_outer_splitters():
    for cv in (GroupKFold(2), 2):
        scores = cross_validate(
            distilled(LogisticRegression(), cv=cv),
            X,
            y,
            params={"groups": GROUPS},
            cv=GroupKFold(2),
            error_score="raise",
        )
        assert len(scores["test_score"]) == 2


@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize(
    "student",
    [
        TREE,
        LogisticRegression(),
        Ridge(),
        make_pipeline(StandardScaler(), TREE),
        make_pipeline(StandardScaler(), LogisticRegression()),
    ],
)
def test_a_pool_weighs_the_same_with_routing(student):
    """Its weights are the library's own: nobody need request them."""
    model = distilled(LogisticRegression(), student, augmenter="auto")
    routed = clone(model).fit(X, y).predict_proba(X)
    with config_context(enable_metadata_routing=False):
        plain = clone(model).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(routed, plain, atol=1e-9)


@pytest.mark.usefixtures("routing")
def test_a_frozen_teacher_splits_nothing():
    teacher = FrozenEstimator(LogisticRegression().fit(X, y))
    model = distilled(teacher, clone(TREE).set_fit_request(sample_weight=True))
    assert model.fit(X, y, sample_weight=WEIGHTS).score(X, y) > 0.7
    model.set_params(cv=KFold(3)).fit(X, y)
    with pytest.raises(ValueError, match="not frozen"):
        model.fit(X, y, groups=GROUPS)


# Without routing.


def test_an_integer_means_grouped_folds_where_there_are_groups(monkeypatch):
    met = []

    def spy(teacher, X, y, classes, cv, *rest, **options) -> Labelling:
        met.append(cv)
        return label_rows(teacher, X, y, classes, cv, *rest, **options)

    monkeypatch.setattr("skdistill._distilled.label_rows", spy)
    distilled(LogisticRegression()).fit(X, y, groups=GROUPS)
    assert isinstance(met[0], StratifiedGroupKFold)
    assert met[0].shuffle


def test_grouped_folds_protect_from_twins(rng):
    """Every row occurs four times; its label is noise. Only groups show that."""
    rows = np.repeat(rng.normal(size=(60, 3)), 4, axis=0)
    labels = np.repeat(rng.integers(0, 2, 60), 4)
    groups = np.repeat(np.arange(60), 4)
    teacher = DecisionTreeClassifier(random_state=0)
    grouped = distilled(teacher).fit(rows, labels, groups=groups)
    fooled = distilled(teacher).fit(rows, labels)
    assert fooled.score(rows, labels) > grouped.score(rows, labels) + 0.1


@pytest.mark.parametrize(
    ("parameters", "fit", "error", "message"),
    [
        ({}, {"groups": GROUPS[:-1]}, ValueError, "groups of shape"),
        ({}, {"groups": np.where(GROUPS, GROUPS, np.nan)}, ValueError, "NaN"),
        ({"cv": None}, {"groups": GROUPS}, ValueError, "nothing is split"),
        ({"cv": KFold(3)}, {"groups": GROUPS}, UserWarning, "groups parameter is ign"),
        ({"cv": LeaveOneGroupOut()}, {}, ValueError, "groups"),
        ({}, {"metadata": METADATA}, TypeError, r"\['metadata'\].*routing"),
    ],
)
def test_metadata_that_nobody_takes_are_named(parameters, fit, error, message):
    model = distilled(LogisticRegression()).set_params(**parameters)
    with pytest.raises(error, match=message):
        model.fit(X, y, **fit)


@pytest.mark.parametrize(
    "teacher",
    [
        GridSearchCV(LOGISTIC, {"C": [0.1, 1.0]}, cv=2),
        GridSearchCV(
            make_pipeline(StandardScaler(), LOGISTIC),
            {"logisticregression__C": [0.1, 1.0]},
            cv=2,
        ),
        make_pipeline(StandardScaler(), GridSearchCV(LOGISTIC, {"C": [1.0]}, cv=2)),
        VotingClassifier(
            [("a", LOGISTIC), ("b", DecisionTreeClassifier(max_depth=2))],
            voting="soft",
        ),
        StackingClassifier([("a", LOGISTIC), ("b", "drop")], cv=2),
        CalibratedClassifierCV(LOGISTIC, cv=2),
    ],
    ids=lambda teacher: type(teacher).__name__,
)
def test_weights_reach_what_is_inside_a_teacher(teacher):
    """Rows of a class that weigh next to nothing make the other one likely."""
    heavy = np.where(y == 1, 1000.0, 1.0)
    model = distilled(teacher)
    plain = model.fit(X, y).teacher_.predict(X).mean()
    weighted = model.fit(X, y, sample_weight=heavy).teacher_.predict(X).mean()
    assert weighted > plain + 0.2


def test_weights_reach_what_is_inside_a_student():
    student = TransformedTargetRegressor(Ridge())
    model = distilled(LOGISTIC, student)
    heavy = np.where(y == 1, 1000.0, 1.0)
    teacher = FrozenEstimator(clone(LOGISTIC).fit(X, 1 - y))  # wrong, so that it tells
    model.set_params(teacher=teacher, alpha=0.0, calibrate=False)
    weighted = model.fit(X, y, sample_weight=heavy).predict(X)
    assert weighted.mean() > model.fit(X, y).predict(X).mean() + 0.2
    student.set_params(regressor=KNeighborsRegressor())
    with pytest.raises(ValueError, match="KNeighborsRegressor cannot take it"):
        model.fit(X, y, sample_weight=heavy)


@pytest.mark.parametrize(
    ("teacher", "name"),
    [
        (KNeighborsClassifier(), "KNeighborsClassifier"),
        (GridSearchCV(KNeighborsClassifier(), {}), "KNeighborsClassifier"),
        (
            VotingClassifier([("a", LOGISTIC), ("b", KNeighborsClassifier())]),
            "KNeighborsClassifier",
        ),
        (
            StackingClassifier([("a", LOGISTIC)], KNeighborsClassifier()),
            "KNeighborsClassifier",
        ),
        (CalibratedClassifierCV(KNeighborsClassifier()), "KNeighborsClassifier"),
        (
            CalibratedClassifierCV(make_pipeline(StandardScaler(), LOGISTIC)),
            "CalibratedClassifierCV, which cannot hand",
        ),
        (
            VotingClassifier([("a", make_pipeline(LOGISTIC))]),
            "VotingClassifier, which cannot hand",
        ),
        (OneVsRestClassifier(LOGISTIC), "OneVsRestClassifier"),
    ],
)
def test_who_cannot_take_weights_is_named(teacher, name):
    if isinstance(teacher, VotingClassifier):
        teacher.set_params(voting="soft")
    with pytest.raises(ValueError, match=name):
        distilled(teacher).fit(X, y, sample_weight=WEIGHTS)


# Weights mean numbers of rows.


def test_the_cache_knows_groups_and_weights(tmp_path):
    model = distilled(LOGISTIC, memory=str(tmp_path))
    n_entries = 0
    for groups in (None, GROUPS, GROUPS // 2):
        for weights in (None, WEIGHTS, WEIGHTS[::-1]):
            n_entries += 1
            for _ in range(2):
                model.fit(X, y, sample_weight=weights, groups=groups)
                assert len(list(tmp_path.rglob("output.pkl"))) == n_entries


@pytest.mark.parametrize("cv", [3, GroupKFold(3)])
def test_a_search_with_a_frozen_teacher_keeps_groups_together(cv, routing):
    """Its students have folds, even if its teacher has none."""
    frozen = FrozenEstimator(LogisticRegression().fit(X, y))
    one = {"temperatures": [1.0], "alphas": [0.9], "augmenter": None}
    model = DistilledClassifierCV(frozen, TREE, cv=cv, random_state=0, **one)
    routed = model.fit(X, y, groups=GROUPS).best_score_
    with config_context(enable_metadata_routing=False):
        assert model.fit(X, y, groups=GROUPS).best_score_ == routed


def test_masks_are_folds_of_a_teacher():
    masks = [(np.arange(240) % 3 != k, np.arange(240) % 3 == k) for k in range(3)]
    numbers = [tuple(map(np.flatnonzero, parts)) for parts in masks]
    by_mask, by_number = (
        DistilledClassifier(LOGISTIC, TREE, cv=cv, augmenter=None, random_state=0)
        .fit(X, y)
        .predict_proba(X)
        for cv in (masks, numbers)
    )
    np.testing.assert_array_equal(by_mask, by_number)


def test_requests_of_what_is_frozen_stay_as_they_are(routing):
    scaler = StandardScaler().fit(X)
    teacher = make_pipeline(FrozenEstimator(scaler), LOGISTIC)
    fit_with_weights(clone(teacher), X, y, WEIGHTS)
    assert_request_is_empty(scaler.get_metadata_routing())
