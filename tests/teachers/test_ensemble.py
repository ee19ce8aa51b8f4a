import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from joblib import parallel_config
from lightgbm import LGBMClassifier
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import load_iris, make_classification
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC
from xgboost import XGBClassifier

from skdistill import DistilledClassifier
from skdistill._log_odds import classifier_log_odds, floor_log_odds
from skdistill.losses._reference import log_softmax, softmax
from skdistill.students import TreeStudentClassifier
from skdistill.teachers import FunctionTeacher, TeacherEnsemble, label_rows
from skdistill.teachers._mixture import average_log_odds, learned_weights

X, y = make_classification(
    400, 6, n_informative=4, n_classes=3, flip_y=0.2, random_state=0
)
NAMES = np.array(["c", "a", "b"])[y]
BINARY = (y > 0).astype(int)


def lgbm(**parameters):
    return LGBMClassifier(n_estimators=10, verbose=-1, n_jobs=1, **parameters)


def members():
    return [lgbm(), GaussianNB(), RandomForestClassifier(10, random_state=0)]


@pytest.mark.parametrize("labels", [NAMES, BINARY], ids=["three", "two"])
@pytest.mark.parametrize("average", ["log_odds", "proba"])
@pytest.mark.parametrize("weights", ["uniform", [1, 0, 3]])
def test_it_is_the_weighted_mean(labels, average, weights):
    ensemble = TeacherEnsemble(members(), weights=weights, average=average)
    ensemble.fit(X, labels)
    share = np.full(3, 1 / 3) if weights == "uniform" else np.array([0.25, 0, 0.75])
    np.testing.assert_allclose(ensemble.weights_, share)
    parts = [
        classifier_log_odds(clone(member).fit(X, labels), X, np.unique(labels))
        for member in members()
    ]
    if average == "log_odds":
        expected = softmax(sum(w * t for w, t in zip(share, parts, strict=True)))
    else:
        expected = sum(w * np.exp(t) for w, t in zip(share, parts, strict=True))
    np.testing.assert_allclose(ensemble.predict_proba(X), expected, atol=1e-12)
    np.testing.assert_array_equal(
        ensemble.predict(X), ensemble.classes_[expected.argmax(axis=1)]
    )
    log_odds = classifier_log_odds(ensemble, X, ensemble.classes_)
    np.testing.assert_allclose(softmax(log_odds), expected, atol=1e-12)


def test_one_teacher_is_itself():
    ensemble = TeacherEnsemble([lgbm()]).fit(X, NAMES)
    np.testing.assert_allclose(
        ensemble.predict_proba(X), lgbm().fit(X, NAMES).predict_proba(X), atol=1e-12
    )


def test_classes_are_matched_by_label():
    rows, labels = X[NAMES != "b"], NAMES[NAMES != "b"]
    known_to_few = FrozenEstimator(GaussianNB().fit(rows, labels))
    everything = FrozenEstimator(GaussianNB().fit(X, NAMES))
    swapped = FunctionTeacher(
        lambda rows: everything.predict_proba(rows)[:, ::-1], ["c", "b", "a"]
    )
    ensemble = TeacherEnsemble([known_to_few, swapped], average="proba")
    ensemble.fit(rows, labels)
    assert list(ensemble.classes_) == ["a", "b", "c"]
    few = known_to_few.predict_proba(X)
    floor = np.exp(floor_log_odds(len(rows)))
    expected = everything.predict_proba(X) / 2
    expected[:, [0, 2]] += few / 2
    expected[:, 1] += floor / 2
    np.testing.assert_allclose(
        ensemble.predict_proba(X), expected / (1 + floor / 2), atol=1e-6
    )


def test_labels_of_any_type_reach_xgboost():
    ensemble = TeacherEnsemble([XGBClassifier(n_estimators=5, n_jobs=1), GaussianNB()])
    assert ensemble.fit(X, NAMES).score(X, NAMES) > 0.6


def held_out_losses(ensemble, X, labels):
    """Log-loss of the ensemble's weights and of each teacher, on the same folds."""
    folds = StratifiedKFold(
        ensemble.cv, shuffle=True, random_state=ensemble.random_state
    )
    classes = np.unique(labels)
    parts = np.stack(
        [
            label_rows(teacher, X, labels, classes, folds).logits
            for teacher in (clone(teacher) for _, teacher in ensemble.teachers)
        ]
    )
    mixed = average_log_odds(parts, ensemble.weights_, ensemble.average)
    return [log_loss(labels, softmax(t), labels=classes) for t in (mixed, *parts)]


@pytest.mark.parametrize("average", ["log_odds", "proba"])
def test_learned_weights_are_no_worse_held_out_than_any_teacher(average):
    ensemble = TeacherEnsemble(
        [(f"t{i}", member) for i, member in enumerate(members())],
        weights="learned",
        average=average,
        cv=3,
        random_state=0,
    ).fit(X, NAMES)
    assert (ensemble.weights_ >= 0).all()
    assert ensemble.weights_.sum() == pytest.approx(1)
    mixed, *alone = held_out_losses(ensemble, X, NAMES)
    assert mixed < min(alone) - 1e-3


PARTS = arrays(
    float,
    st.tuples(st.integers(1, 4), st.integers(1, 12), st.integers(2, 3)),
    elements=st.floats(-30, 30),
)


@given(PARTS, st.data())
@settings(max_examples=100)
@pytest.mark.parametrize("average", ["log_odds", "proba"])
def test_learned_weights_are_never_worse(average, parts, data):
    n_teachers, n_samples, n_classes = parts.shape
    labels = data.draw(arrays(int, n_samples, elements=st.integers(0, n_classes - 1)))
    row_weights = data.draw(arrays(float, n_samples, elements=st.floats(0.1, 5)))
    parts = np.stack([log_softmax(part) for part in parts])
    weights = learned_weights(parts, labels, average, row_weights)
    assert weights.shape == (n_teachers,)
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(1)

    def loss(weights):
        log_p = average_log_odds(parts, weights, average)
        return -np.average(log_p[np.arange(n_samples), labels], weights=row_weights)

    others = [*np.eye(n_teachers), np.full(n_teachers, 1 / n_teachers)]
    assert loss(weights) <= min(loss(other) for other in others) + 1e-9


@pytest.mark.parametrize("average", ["log_odds", "proba"])
def test_learned_weights_find_the_optimum(average, rng):
    parts = np.stack([log_softmax(rng.normal(size=(500, 3))) for _ in range(3)])
    truth = softmax(average_log_odds(parts, np.array([0.6, 0.1, 0.3]), average))
    labels = (truth.cumsum(axis=1) < rng.random((500, 1))).sum(axis=1)
    weights = learned_weights(parts, labels, average)

    def loss(weights):
        log_p = average_log_odds(parts, weights, average)
        return -log_p[np.arange(500), labels].mean()

    best = loss(weights)
    for other in rng.dirichlet(np.ones(3), 300):
        assert best <= loss(other) + 1e-7
        near = 0.98 * weights + 0.02 * other
        assert best <= loss(near) + 1e-7


def test_weights_of_rows_count_in_learning():
    """Rows of no weight may have any label."""
    wrong = np.where(y == 0, 1, 0)
    rows, labels = np.r_[X, X], np.r_[y, wrong]
    weights = np.r_[np.ones(len(y)), np.full(len(y), 1e-9)]
    folds = [
        (np.r_[train, train + len(y)], np.r_[test, test + len(y)])
        for train, test in KFold(3).split(X)
    ]
    parameters = {"weights": "learned"}
    teachers = [LogisticRegression(max_iter=1000), GaussianNB()]
    twice = TeacherEnsemble(teachers, **parameters, cv=folds).fit(rows, labels, weights)
    once = TeacherEnsemble(teachers, **parameters, cv=KFold(3)).fit(X, y)
    np.testing.assert_allclose(twice.weights_, once.weights_, atol=1e-2)


def test_a_class_that_a_fold_lacks():
    labels = np.where(np.arange(400) == 7, "rare", NAMES)
    ensemble = TeacherEnsemble(
        [lgbm(), LogisticRegression(max_iter=1000)], weights="learned", cv=KFold(3)
    ).fit(X, labels)
    assert ensemble.predict_proba(X).shape == (400, 4)


def test_frozen_teachers_are_not_fitted():
    inner = GaussianNB().fit(X[:100], y[:100])
    before = inner.theta_.copy()
    ensemble = TeacherEnsemble([FrozenEstimator(inner), lgbm()], weights="learned")
    ensemble.fit(X, y, np.ones(len(y)))
    assert ensemble.teachers_[0].estimator is inner
    np.testing.assert_array_equal(inner.theta_, before)


def test_parameters_of_members():
    ensemble = TeacherEnsemble([("trees", lgbm()), ("bayes", GaussianNB())])
    parameters = ensemble.get_params()
    assert parameters["trees__n_estimators"] == 10
    assert parameters["bayes"] is ensemble.teachers[1][1]
    assert set(ensemble.get_params(deep=False)) == {
        "teachers",
        "weights",
        "average",
        "cv",
        "n_jobs",
        "random_state",
    }
    given_list = ensemble.teachers
    ensemble.set_params(
        trees__n_estimators=3, bayes=LogisticRegression(), average="proba"
    )
    assert ensemble.teachers[0][1].n_estimators == 3
    assert isinstance(ensemble.teachers[1][1], LogisticRegression)
    assert isinstance(given_list[1][1], GaussianNB)
    plain = TeacherEnsemble([lgbm(), lgbm(), GaussianNB()])
    plain.set_params(**{"lgbmclassifier-2__n_estimators": 4, "gaussiannb": lgbm()})
    assert [member.n_estimators for member in plain.teachers] == [10, 4, 10]
    copy = clone(plain)
    assert copy.teachers[1] is not plain.teachers[1]
    with pytest.raises(ValueError, match="Invalid parameter"):
        plain.set_params(nonsense=1)
    assert [len(e.teachers) for e in (plain.set_params(teachers=[lgbm()]),)] == [1]


def test_a_search_reaches_members():
    model = DistilledClassifier(
        TeacherEnsemble([("trees", lgbm()), ("bayes", GaussianNB())]),
        TreeStudentClassifier(max_leaf_nodes=8),
        cv=2,
        augmenter=None,
        random_state=0,
    )
    grid = {
        "teacher__trees__num_leaves": [4, 8],
        "teacher__weights": ["uniform", [1, 2]],
    }
    search = GridSearchCV(model, grid, cv=2).fit(X, NAMES)
    assert search.score(X, NAMES) > 0.5
    # Seeds of members that are None follow from that of the model.
    assert isinstance(search.best_estimator_.teacher_.teachers[0][1].random_state, int)


def test_it_is_the_same_with_two_jobs():
    ensemble = TeacherEnsemble(
        [GaussianNB(), LogisticRegression(max_iter=1000)],
        weights="learned",
        cv=2,
        random_state=0,
    )
    one = ensemble.fit(X, y).predict_proba(X)
    with parallel_config("threading"):
        two = ensemble.set_params(n_jobs=2).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(one, two)


def test_frames_and_sparse_tables(adult):
    frame, labels = adult
    frame, labels = frame[:500], labels[:500]
    ensemble = TeacherEnsemble(
        [lgbm(), HistGradientBoostingClassifier(max_iter=5)]
    ).fit(frame, labels)
    assert ensemble.score(frame, labels) > 0.75
    assert list(ensemble.feature_names_in_) == list(frame.columns)
    with pytest.raises(ValueError, match="feature names"):
        ensemble.predict(frame[frame.columns[::-1]])
    rows = csr_array(X)
    linear = TeacherEnsemble([LogisticRegression(max_iter=1000), LinearSVC()])
    np.testing.assert_allclose(
        linear.fit(rows, y).predict_proba(rows),
        linear.fit(X, y).predict_proba(X),
        atol=1e-2,
    )


def test_weights_that_a_teacher_cannot_take_are_an_error_before_any_fit(monkeypatch):
    fitted: list = []

    def fit(self, X, y, sample_weight=None):
        fitted.append(self)

    monkeypatch.setattr(LogisticRegression, "fit", fit)
    ensemble = TeacherEnsemble(
        [("line", LogisticRegression()), ("near", KNeighborsClassifier())]
    )
    with pytest.raises(ValueError, match="'near', KNeighborsClassifier, cannot take"):
        ensemble.fit(X, y, np.ones(len(y)))
    assert not fitted


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"teachers": []}, ValueError, "at least one classifier"),
        ({"teachers": None}, ValueError, "at least one classifier"),
        ({"teachers": [("a__b", GaussianNB())]}, ValueError, "a__b"),
        ({"teachers": [("cv", GaussianNB())]}, ValueError, "cv"),
        (
            {"teachers": [("a", GaussianNB()), ("a", GaussianNB())]},
            ValueError,
            "different ones",
        ),
        ({"teachers": [GaussianNB]}, TypeError, "classifier object"),
        ({"teachers": [("a", 3)]}, TypeError, "classifier object"),
        ({"weights": "best"}, ValueError, "weights='best'"),
        ({"weights": [1, 2, 3]}, ValueError, "2 non-negative"),
        ({"weights": [1, -1]}, ValueError, "non-negative"),
        ({"weights": [0, 0]}, ValueError, "not all zero"),
        ({"weights": [np.nan, 1]}, ValueError, "finite"),
        ({"weights": None}, ValueError, "weights=None"),
        ({"weights": ["a", "b"]}, ValueError, "non-negative"),
        ({"average": "mean"}, ValueError, "average='mean'"),
    ],
)
def test_bad_parameters(parameters, error, message):
    parameters = {"teachers": [GaussianNB(), lgbm()], **parameters}
    with pytest.raises(error, match=message):
        TeacherEnsemble(**parameters).fit(X, y)


def test_a_frozen_teacher_of_other_labels():
    frozen = FrozenEstimator(GaussianNB().fit(X, NAMES))
    with pytest.raises(TypeError, match="expected labels of one type"):
        TeacherEnsemble([frozen]).fit(X, y)


def test_it_must_be_fitted():
    with pytest.raises(NotFittedError):
        TeacherEnsemble([GaussianNB()]).predict(X)


def test_names_of_columns_reach_the_teachers():
    rows, labels = load_iris(return_X_y=True, as_frame=True)
    ensemble = TeacherEnsemble([GaussianNB(), lgbm()]).fit(rows, labels)
    for teacher in ensemble.teachers_:
        assert len(teacher.feature_names_in_) == 4
    assert isinstance(rows, pd.DataFrame)


@pytest.mark.parametrize("labels", [["b", "a"], [0, 1]])
def test_weights_are_learned_where_a_fold_has_met_one_class(labels):
    order = np.argsort(BINARY, kind="stable")
    ordered = np.array(labels)[BINARY[order]]
    one = np.flatnonzero(BINARY[order] == 1)
    rows = np.arange(len(ordered))
    cv = [(np.setdiff1d(rows, one), one), (rows[::2], rows[1::2])]
    teachers = [LogisticRegression(), GaussianNB()]
    found = TeacherEnsemble(teachers, weights="learned", cv=cv).fit(X[order], ordered)
    assert found.weights_.sum() == pytest.approx(1)
    assert found.predict_proba(X).shape == (400, 2)


def test_frozen_members_may_know_more_classes_than_a_distilled_model_meets():
    frozen = FrozenEstimator(GaussianNB().fit(X, y))
    known = y < 2
    model = DistilledClassifier(
        TeacherEnsemble([frozen, GaussianNB()]),
        TreeStudentClassifier(),
        augmenter=None,
        random_state=0,
    ).fit(X[known], y[known])
    np.testing.assert_array_equal(model.classes_, frozen.classes_)
    assert model.score(X[known], y[known]) > 0.5
