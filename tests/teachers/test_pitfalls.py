"""What goes wrong with a teacher's labels elsewhere, one test for each pitfall."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from catboost import CatBoostClassifier
from lightgbm import LGBMClassifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris, make_classification
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from xgboost import XGBClassifier

from skdistill import DistilledClassifier
from skdistill._log_odds import classifier_log_odds, floor_log_odds
from skdistill.losses._reference import softmax
from skdistill.students import TreeStudentClassifier
from skdistill.teachers import EarlyStoppingTeacher, TeacherEnsemble, label_rows

X, y = load_iris(return_X_y=True)
FRAME = pd.DataFrame(X, columns=list("abcd"))
FOLDS = StratifiedKFold(3, shuffle=True, random_state=0)
STUDENT = TreeStudentClassifier(max_leaf_nodes=8)


def lgbm(**parameters):
    return LGBMClassifier(**{"n_estimators": 10, "n_jobs": 1, **parameters}, verbose=-1)


def xgb(**parameters):
    return XGBClassifier(**{"n_estimators": 10, "n_jobs": 1, **parameters})


def catboost(**parameters):
    parameters = {"iterations": 20, "learning_rate": 0.3, **parameters}
    return CatBoostClassifier(
        **parameters, verbose=False, allow_writing_files=False, thread_count=1
    )


BOOSTED = [lgbm(), xgb(), catboost()]
LIBRARIES = ["lightgbm", "xgboost", "catboost"]


LABELS = {
    "strings": ["setosa", "virginica", "anna"],
    "objects": np.array(["setosa", "virginica", "anna"], dtype=object),
    "integers as strings": ["10", "9", "1"],
    "integers": [7, -3, 100],
    "shuffled codes": [2, 0, 1],
    "floats": [3.0, 1.0, -2.0],
}


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize(
    "teacher",
    [
        *BOOSTED,
        make_pipeline(StandardScaler(), xgb()),
        VotingClassifier([("x", xgb())], voting="soft"),
        TeacherEnsemble(BOOSTED),
        GridSearchCV(xgb(), {"max_depth": [3]}, cv=2),
    ],
    ids=[*LIBRARIES, "pipeline", "voting", "ensemble", "search"],
)
def test_class_order(teacher, labels):
    """Columns follow the labels, whatever their type and the library's own order."""
    names = np.asarray(LABELS[labels])[y]
    classes = np.unique(names)
    for wanted in (classes, classes[[2, 0, 1]]):
        labelling = label_rows(teacher, X, names, wanted, FOLDS)
        for logits in (labelling.logits, labelling.own_logits):
            assert (wanted[logits.argmax(axis=1)] == names).mean() > 0.9


@pytest.mark.parametrize("values", [[False, True], ["no", "yes"], [5, 3]])
@pytest.mark.parametrize("teacher", BOOSTED, ids=LIBRARIES)
def test_class_order_of_two_classes(teacher, values):
    names = np.asarray(values)[(y == 1).astype(int)]
    labelling = label_rows(teacher, X, names, np.unique(names), FOLDS)
    found = np.unique(names)[labelling.logits.argmax(axis=1)]
    assert (found == names).mean() > 0.85


@pytest.mark.parametrize("teacher", BOOSTED, ids=LIBRARIES)
def test_class_order_of_frozen_teachers(teacher):
    names = np.array(["10", "9", "1"])[y]
    coded = isinstance(teacher, XGBClassifier)
    # CatBoost sorts such labels as numbers, numpy as texts.
    teacher = type(teacher)(**teacher.get_params()).fit(X, y if coded else names)
    model = DistilledClassifier(
        FrozenEstimator(teacher), STUDENT, augmenter=None, calibrate=False
    )
    labels = y if coded else names
    assert (model.fit(X, labels).predict(X) == labels).mean() > 0.9


def test_xgboost_in_a_fold_that_lacks_a_class():
    names = np.r_[y, 3]
    rows = np.r_[X, [[30.0, 1, 1, 1]]]
    splits = [(np.arange(151) % 2 == 0, np.arange(151) % 2 == 1)]
    splits = [(np.flatnonzero(a), np.flatnonzero(b)) for a, b in splits]
    splits += [(b, a) for a, b in splits]
    labelling = label_rows(xgb(), rows, names, np.arange(4), splits)
    assert 150 in splits[0][0]
    floor = floor_log_odds(len(splits[1][0]))
    np.testing.assert_allclose(labelling.logits[splits[1][1], 3], floor)
    assert labelling.logits[:150].argmax(axis=1).max() == 2


def test_labels_of_any_type_through_the_whole_model():
    names = np.array(["setosa", "virginica", "anna"])[y]
    model = DistilledClassifier(xgb(), STUDENT, cv=2, augmenter=None, random_state=0)
    assert model.fit(X, names).score(X, names) > 0.9
    np.testing.assert_array_equal(model.teacher_.classes_, np.unique(names))
    assert (model.teacher_.predict(X) == names).mean() > 0.9
    # Labels that XGBoost knows itself need no wrapping.
    assert type(model.fit(X, y).teacher_) is XGBClassifier


def rare_table(n_rows=100_000, n_rare=10):
    rng = np.random.default_rng(0)
    labels = np.r_[np.zeros(n_rows - n_rare, int), np.ones(n_rare, int)]
    labels[: n_rows // 3] = 2
    rows = rng.normal(size=(n_rows, 3)) + 3.0 * np.eye(3)[labels]
    return rows, np.array(["often", "rare", "usual"])[labels]


@pytest.mark.parametrize(
    "teacher", [GaussianNB(), DecisionTreeClassifier(max_depth=3, random_state=0)]
)
def test_rare_class(teacher):
    """Ten rows in 100,000, in each fold and in none but one."""
    rows, names = rare_table()
    classes = np.unique(names)
    rare = names == "rare"
    for folds in (StratifiedKFold(5), KFold(5)):
        labelling = label_rows(teacher, rows, names, classes, folds)
        assert labelling.held_out.all()
        assert np.isfinite(labelling.logits).all()
        mean = softmax(labelling.logits)[:, 1].mean()
        if isinstance(folds, KFold):
            # All of them are in the last fold, whose teacher has not seen any.
            floor = floor_log_odds(80_000)
            np.testing.assert_allclose(labelling.logits[rare, 1], floor)
        else:
            assert 2e-5 < mean < 5e-4
            others = labelling.logits[~rare, 1].mean()
            assert labelling.logits[rare, 1].mean() > others + 1


@pytest.mark.parametrize(
    "teacher",
    [
        RandomForestClassifier(5, random_state=0),
        KNeighborsClassifier(3),
        DecisionTreeClassifier(random_state=0),
        CalibratedClassifierCV(GaussianNB(), method="isotonic", cv=2),
        XGBClassifier(objective="binary:hinge", n_estimators=3, n_jobs=1),
    ],
    ids=lambda teacher: type(teacher).__name__,
)
def test_exact_zeros_and_ones(teacher):
    labels = (y == 0).astype(int)
    proba = teacher.fit(X, labels).predict_proba(X)
    assert (proba == 0).any()
    assert (proba == 1).any()
    log_odds = classifier_log_odds(teacher, X, np.arange(2))
    assert np.isfinite(log_odds).all()
    assert log_odds.min() >= np.log(1e-7) - 1e-6
    np.testing.assert_array_equal(
        log_odds[proba[:, 1] == 1].argmax(axis=1), np.ones((proba[:, 1] == 1).sum())
    )


@pytest.mark.parametrize(
    "teacher",
    [lgbm(objective="multiclassova"), catboost(loss_function="MultiClassOneVsAll")],
    ids=["lightgbm", "catboost"],
)
def test_rows_that_do_not_sum_to_1(teacher):
    proba = teacher.fit(X, y).predict_proba(X)
    sums = proba.sum(axis=1, keepdims=True)
    assert np.abs(sums - 1).max() > 1e-2
    log_odds = classifier_log_odds(teacher, X, np.arange(3))
    np.testing.assert_allclose(softmax(log_odds), proba / sums, atol=1e-12)
    model = DistilledClassifier(teacher, STUDENT, cv=2, augmenter=None, random_state=0)
    assert model.fit(X, y).score(X, y) > 0.9


@pytest.mark.parametrize(
    "make",
    [
        lgbm,
        xgb,
        catboost,
        lambda: VotingClassifier([("l", lgbm()), ("x", xgb())], voting="soft"),
        lambda: make_pipeline(StandardScaler(), lgbm()),
        lambda: TeacherEnsemble([lgbm(), catboost()]),
        lambda: EarlyStoppingTeacher(lgbm(early_stopping_round=3), random_state=0),
    ],
    ids=[*LIBRARIES, "voting", "pipeline", "ensemble", "early stopping"],
)
@pytest.mark.parametrize("to_frame", [lambda X: X, pl.from_pandas])
def test_feature_names_reordered(make, to_frame):
    """Columns in another order are an error, or found by their names."""
    teacher = make().fit(FRAME, y)
    same = to_frame(FRAME)
    expected = classifier_log_odds(teacher, same, np.arange(3))
    other = to_frame(FRAME[list("dbca")])
    if isinstance(teacher, CatBoostClassifier):
        np.testing.assert_array_equal(
            classifier_log_odds(teacher, other, np.arange(3)), expected
        )
        return
    with pytest.raises(ValueError, match=r"order|names"):
        classifier_log_odds(teacher, other, np.arange(3))
    model = DistilledClassifier(FrozenEstimator(teacher), STUDENT, augmenter=None)
    with pytest.raises(ValueError, match=r"order|names"):
        model.fit(other, y)


@pytest.mark.parametrize("teacher", BOOSTED, ids=LIBRARIES)
def test_binary_margins(teacher):
    """Log-odds are (0, z): (-z, z) would double them."""
    labels = (y == 1).astype(int)
    teacher.fit(X, labels)
    log_odds = classifier_log_odds(teacher, X, np.arange(2))
    p = teacher.predict_proba(X)[:, 1].astype(float)
    np.testing.assert_allclose(
        log_odds[:, 1] - log_odds[:, 0], np.log(p / (1 - p)), atol=1e-5
    )


@pytest.mark.parametrize("teacher", BOOSTED, ids=LIBRARIES)
def test_float_labels(teacher):
    """Probabilities as y are refused: LightGBM would ask whether they are above 0."""
    model = DistilledClassifier(teacher, STUDENT, cv=2, augmenter=None, random_state=0)
    with pytest.raises(ValueError, match=r"[Uu]nknown label type"):
        model.fit(X, np.linspace(0.1, 0.9, 150))
    model.fit(X, (y == 1).astype(float))
    np.testing.assert_array_equal(model.classes_, [0.0, 1.0])
    assert model.score(X, (y == 1).astype(float)) > 0.9


def stopping(library):
    if library == "lightgbm":
        return EarlyStoppingTeacher(lgbm(early_stopping_round=5), random_state=0)
    model = xgb if library == "xgboost" else catboost
    return EarlyStoppingTeacher(model(early_stopping_rounds=5), random_state=0)


@pytest.mark.parametrize(
    "teacher",
    [
        *BOOSTED,
        *[stopping(library) for library in LIBRARIES],
        make_pipeline(StandardScaler(), xgb()),
        TeacherEnsemble([lgbm(), GaussianNB()], weights="learned", cv=2),
    ],
    ids=lambda teacher: type(teacher).__name__,
)
def test_weights_reach_the_teacher(teacher):
    """Rows with wrong labels and next to no weight change nothing."""
    rows = np.r_[X, X]
    names = np.array(["a", "b"])[np.r_[y == 1, y != 1].astype(int)]
    weights = np.r_[np.ones(150), np.full(150, 1e-6)]
    labelling = label_rows(
        teacher, rows, names, np.array(["a", "b"]), FOLDS, sample_weight=weights
    )
    truth = (y == 1).astype(int)
    assert (labelling.logits[:150].argmax(axis=1) == truth).mean() > 0.85
    assert (labelling.logits[150:].argmax(axis=1) == truth).mean() > 0.85


@pytest.mark.parametrize(
    "teacher",
    [
        KNeighborsClassifier(),
        make_pipeline(StandardScaler(), KNeighborsClassifier()),
        TeacherEnsemble([lgbm(), KNeighborsClassifier()]),
    ],
    ids=["bare", "pipeline", "ensemble"],
)
def test_weights_that_a_teacher_cannot_take(teacher):
    with pytest.raises(ValueError, match=r"KNeighborsClassifier.* cannot take it"):
        label_rows(teacher, X, y, np.arange(3), FOLDS, sample_weight=np.ones(150))


def noise(n_rows=400):
    """A table whose labels are coin flips."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(n_rows, 5)), rng.integers(2, size=n_rows)


@pytest.mark.parametrize("teacher", BOOSTED, ids=LIBRARIES)
def test_labels_in_disguise(teacher):
    """Of coin flips a boosted teacher knows all in sample and nothing out of fold."""
    rows, labels = noise()
    size = "iterations" if isinstance(teacher, CatBoostClassifier) else "n_estimators"
    teacher = type(teacher)(**{**teacher.get_params(), size: 60})
    labelling = label_rows(teacher, rows, labels, np.arange(2), FOLDS)
    own = roc_auc_score(labels, np.diff(labelling.own_logits, axis=1))
    held_out = roc_auc_score(labels, np.diff(labelling.logits, axis=1))
    assert own > 0.95
    assert abs(held_out - 0.5) < 0.1


def test_leakage_with_a_frozen_teacher_is_warned_of():
    rows, labels = noise()
    teacher = FrozenEstimator(RandomForestClassifier(50, random_state=0))
    teacher.estimator.fit(rows, labels)
    model = DistilledClassifier(teacher, STUDENT, augmenter=None)
    with pytest.warns(UserWarning, match="seems to have been fitted on the rows"):
        model.fit(rows, labels)


def test_leakage_with_a_pool():
    """Test rows as a pool give nothing away if the teacher is fitted in each fold."""
    rows, labels = noise(1000)
    train, test = np.arange(500), np.arange(500, 1000)
    forest = RandomForestClassifier(50, random_state=0)
    scores = {}
    for name, teacher in (
        ("unfrozen", forest),
        ("frozen", FrozenEstimator(forest.fit(rows, labels))),
    ):
        model = DistilledClassifier(
            teacher, TreeStudentClassifier(max_leaf_nodes=400), augmenter=None, cv=3
        ).set_params(calibrate=False, alpha=0.95, random_state=0)
        model.fit(rows[train], labels[train], X_unlabeled=rows[test])
        scores[name] = model.score(rows[test], labels[test])
    assert abs(scores["unfrozen"] - 0.5) < 0.07
    # What no program can see from here, and the documentation says.
    assert scores["frozen"] > 0.75


def test_class_weights_shift_probabilities():
    rows, labels = make_classification(
        4000, 5, weights=[0.95], flip_y=0.05, class_sep=0.5, random_state=0
    )
    teacher = LogisticRegression(class_weight="balanced")
    labelling = label_rows(teacher, rows, labels, np.arange(2), FOLDS)
    assert softmax(labelling.logits)[:, 1].mean() > 3 * labels.mean()
