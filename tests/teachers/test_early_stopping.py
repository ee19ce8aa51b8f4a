import inspect
import pickle

import numpy as np
import pandas as pd
import pytest
from catboost import CatBoostClassifier
from hypothesis import given, settings
from hypothesis import strategies as st
from lightgbm import LGBMClassifier
from sklearn.base import clone
from sklearn.datasets import load_iris, make_classification
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from xgboost import XGBClassifier

from skdistill import DistilledClassifier
from skdistill._log_odds import classifier_log_odds
from skdistill.students import TreeStudentClassifier
from skdistill.teachers import EarlyStoppingTeacher, TeacherEnsemble, label_rows

X, y = make_classification(
    400, 6, n_informative=4, n_classes=3, flip_y=0.2, random_state=0
)
NAMES = np.array(["c", "a", "b"])[y]
MOST = 300

STOPPING = {
    "lightgbm": LGBMClassifier(
        n_estimators=MOST, early_stopping_round=5, verbose=-1, n_jobs=1
    ),
    "xgboost": XGBClassifier(n_estimators=MOST, early_stopping_rounds=5, n_jobs=1),
    "catboost": CatBoostClassifier(
        iterations=MOST,
        learning_rate=0.5,
        early_stopping_rounds=5,
        verbose=False,
        allow_writing_files=False,
        thread_count=1,
    ),
    "scikit-learn": HistGradientBoostingClassifier(
        max_iter=MOST, early_stopping=True, n_iter_no_change=5, random_state=0
    ),
}


def n_trees(model):
    """How many iterations count."""
    if isinstance(model, LGBMClassifier):
        return model.best_iteration_
    if isinstance(model, XGBClassifier):
        return model.best_iteration + 1
    if isinstance(model, CatBoostClassifier):
        return model.tree_count_
    return model.n_iter_


def teacher(library, **parameters):
    parameters = {"random_state": 0, **parameters}
    return EarlyStoppingTeacher(clone(STOPPING[library]), **parameters)


each_library = pytest.mark.parametrize("library", STOPPING)


@pytest.mark.parametrize("library", ["lightgbm", "scikit-learn"])
def test_weights_of_classes_are_those_of_labels(library):
    shares = []
    for favourite in ("a", "c"):
        weighted = teacher(library)
        weighted.estimator.set_params(class_weight={favourite: 30.0, "none": 9.0})
        shares.append((weighted.fit(X, NAMES).predict(X) == "a").mean())
    assert shares[0] > 0.4 > 0.33 > shares[1]


@each_library
@pytest.mark.parametrize("weighted", [False, True])
def test_it_is_the_model_that_stops_early_on_these_rows(library, weighted, rng):
    weights = rng.uniform(0.5, 2, len(y)) if weighted else None
    fitted = teacher(library).fit(X, NAMES, weights)
    assert n_trees(fitted.estimator_) < MOST
    held_out = fitted.validation_rows_
    train = np.setdiff1d(np.arange(len(y)), held_out)
    codes = np.searchsorted(fitted.classes_, NAMES)
    by_hand = fit_by_hand(
        library,
        *[(X[rows], codes[rows], part(weights, rows)) for rows in (train, held_out)],
    )
    assert n_trees(by_hand) == n_trees(fitted.estimator_)
    np.testing.assert_array_equal(by_hand.predict_proba(X), fitted.predict_proba(X))


def part(weights, rows):
    return None if weights is None else weights[rows]


def fit_by_hand(library, train, test):
    """As the documentation of each library says."""
    model = clone(STOPPING[library])
    if library == "lightgbm":
        new = "eval_X" in inspect.signature(model.fit).parameters
        rows = (
            {"eval_X": test[0], "eval_y": test[1]} if new else {"eval_set": [test[:2]]}
        )
        weights = None if test[2] is None else [test[2]]
        return model.fit(*train, **rows, eval_sample_weight=weights)
    if library == "xgboost":
        return model.fit(
            *train[:2],
            sample_weight=train[2],
            eval_set=[test[:2]],
            sample_weight_eval_set=None if test[2] is None else [test[2]],
            verbose=False,
        )
    if library == "catboost":
        from catboost import Pool

        pool = Pool(*test[:2], weight=test[2])
        return model.fit(*train[:2], sample_weight=train[2], eval_set=pool)
    return model.fit(*train, X_val=test[0], y_val=test[1], sample_weight_val=test[2])


@each_library
def test_weights_of_the_held_out_rows_count(library):
    """With all weight on rows of one class, another size is best."""
    weights = np.where(y == 0, 50.0, 1.0)
    sizes = {
        n_trees(teacher(library, random_state=seed).fit(X, y, w).estimator_)
        for seed in range(2)
        for w in (None, weights)
    }
    assert len(sizes) > 1


@each_library
def test_log_odds_and_folds(library):
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    weights = np.where(np.arange(len(y)) % 2, 1.0, 2.0)
    labelling = label_rows(
        teacher(library), X, NAMES, np.array(["b", "a", "c"]), folds, weights
    )
    assert labelling.held_out.all()
    assert n_trees(labelling.teacher.estimator_) < MOST
    found = np.array(["b", "a", "c"])[labelling.logits.argmax(axis=1)]
    assert (found == NAMES).mean() > 0.6


@each_library
def test_what_it_hands_on_is_what_the_classifier_says(library):
    fitted = teacher(library).fit(X, NAMES)
    proba = fitted.predict_proba(X)
    np.testing.assert_array_equal(proba, fitted.estimator_.predict_proba(X))
    np.testing.assert_array_equal(
        fitted.predict(X), fitted.classes_[proba.argmax(axis=1)]
    )
    log_odds = classifier_log_odds(fitted, X, fitted.classes_)
    codes = np.arange(3)
    np.testing.assert_array_equal(
        log_odds, classifier_log_odds(fitted.estimator_, X, codes)
    )
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict_proba(X), proba)


def test_a_whole_model_and_a_search_over_it():
    pipeline = make_pipeline(StandardScaler(), teacher("xgboost"))
    model = DistilledClassifier(
        pipeline,
        TreeStudentClassifier(max_leaf_nodes=8),
        cv=2,
        augmenter=None,
        random_state=0,
    )
    search = GridSearchCV(
        model,
        {"teacher__earlystoppingteacher__estimator__max_depth": [2, 3]},
        cv=2,
    )
    assert search.fit(X, NAMES).score(X, NAMES) > 0.5


def test_frames_with_categories(adult):
    frame, labels = adult
    frame, labels = frame[:600], labels[:600]
    for library in ("lightgbm", "xgboost"):
        model = teacher(library)
        if library == "xgboost":
            model.set_params(estimator__enable_categorical=True)
        model.fit(frame, labels)
        assert list(model.feature_names_in_) == list(frame.columns)
        assert model.score(frame, labels) > 0.75
    texts = frame.copy()
    # CatBoost 1.2.10 cannot be cloned with a list (issue 3078 there).
    names = tuple(frame.select_dtypes("category"))
    for name in names:
        texts[name] = texts[name].astype(object).fillna("none")
    model = teacher("catboost")
    model.set_params(estimator__cat_features=names)
    assert model.fit(texts, labels).score(texts, labels) > 0.75


@given(
    sizes=st.lists(st.integers(1, 40), min_size=2, max_size=4),
    fraction=st.floats(0.05, 0.9),
    seed=st.integers(0, 5),
)
@settings(max_examples=30)
def test_rows_of_each_class_are_left(sizes, fraction, seed):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    model = teacher("lightgbm", validation_fraction=fraction, random_state=seed)
    model.classes_ = np.arange(len(sizes))
    if max(sizes) < 2:
        with pytest.raises(ValueError, match="0 are held out"):
            model._hold_out(labels, None, None)
        return
    rows = model._hold_out(labels, None, None)
    taken = np.bincount(labels[rows], minlength=len(sizes))
    assert (taken < sizes).all()
    assert taken.sum() >= 1
    if taken.sum() > 1:
        expected = np.minimum(np.array(sizes) * fraction, np.array(sizes) - 1)
        assert (np.abs(taken - expected) <= 1).all()


def test_rows_of_weight_0_are_not_held_out(rng):
    weights = (rng.random(len(y)) > 0.7).astype(float)
    fitted = teacher("lightgbm").fit(X, y, weights)
    assert (weights[fitted.validation_rows_] > 0).all()


def test_groups_stay_together(rng):
    groups = rng.integers(40, size=len(y))
    fitted = teacher("lightgbm", validation_fraction=0.25).fit(X, y, groups=groups)
    held_out = fitted.validation_rows_
    others = np.setdiff1d(np.arange(len(y)), held_out)
    assert not set(groups[held_out]) & set(groups[others])
    assert 0.15 < len(held_out) / len(y) < 0.35


def test_groups_that_leave_a_class_out():
    groups = y
    with pytest.raises(ValueError, match="all of the classes"):
        teacher("lightgbm").fit(X, y, groups=groups)
    with pytest.raises(ValueError, match="groups of shape"):
        teacher("lightgbm").fit(X, y, groups=groups[:-1])


@pytest.mark.parametrize("fraction", [0, -0.1, 1.5, "a", None, np.nan])
def test_a_bad_fraction(fraction):
    with pytest.raises(ValueError, match="validation_fraction"):
        teacher("lightgbm", validation_fraction=fraction).fit(X, y)


@pytest.mark.parametrize(
    "estimator",
    [
        LGBMClassifier(verbose=-1),
        XGBClassifier(),
        CatBoostClassifier(verbose=False, allow_writing_files=False),
        HistGradientBoostingClassifier(early_stopping=False),
        HistGradientBoostingClassifier(),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_a_classifier_that_would_not_stop(estimator):
    with pytest.raises(ValueError, match="expected one that stops early"):
        EarlyStoppingTeacher(estimator).fit(X, y)


@pytest.mark.parametrize(
    "estimator",
    [LogisticRegression(), make_pipeline(StandardScaler(), STOPPING["lightgbm"])],
)
def test_a_classifier_that_is_not_known(estimator):
    with pytest.raises(TypeError, match="put EarlyStoppingTeacher in the pipeline"):
        EarlyStoppingTeacher(estimator).fit(X, y)


def test_it_works_frozen_and_in_an_ensemble():
    frozen = FrozenEstimator(teacher("xgboost").fit(X, y))
    ensemble = TeacherEnsemble([frozen, teacher("lightgbm")]).fit(X, y)
    assert ensemble.score(X, y) > 0.7
    own = classifier_log_odds(frozen, X, np.arange(3))
    raw = frozen.estimator.estimator_.predict(X, output_margin=True)
    np.testing.assert_allclose(
        own[:, 1] - own[:, 0], (raw[:, 1] - raw[:, 0]), atol=1e-5
    )


def test_frames_in_another_order_are_refused():
    frame = pd.DataFrame(X, columns=list("abcdef"))
    fitted = teacher("lightgbm").fit(frame, y)
    with pytest.raises(ValueError, match="feature names"):
        fitted.predict_proba(frame[list("bacdef")])


def test_a_single_row_class_stays_in_training():
    rows, labels = load_iris(return_X_y=True)
    labels = np.r_[labels, 9]
    rows = np.r_[rows, [[30.0, 1, 1, 1]]]
    for library in STOPPING:
        fitted = teacher(library).fit(rows, labels)
        assert 150 not in fitted.validation_rows_
        assert fitted.predict_proba(rows).shape == (151, 4)


def test_a_distilled_model_hands_groups_to_it():
    X, y = make_classification(200, random_state=0)
    groups = np.repeat(np.arange(20), 10)
    teacher = EarlyStoppingTeacher(
        HistGradientBoostingClassifier(max_iter=5, early_stopping=True), random_state=0
    )
    model = DistilledClassifier(
        teacher, TreeStudentClassifier(), cv=2, augmenter=None, random_state=0
    )
    model.fit(X, y, groups=groups)
    held_out = np.isin(np.arange(200), model.teacher_.validation_rows_)
    assert set(held_out.reshape(20, 10).mean(axis=1)) == {0.0, 1.0}
