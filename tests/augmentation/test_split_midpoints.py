from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lightgbm import LGBMClassifier
from sklearn.base import clone
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.tree import DecisionTreeClassifier
from xgboost import XGBClassifier

from skdistill.augmentation import SplitMidpoints
from skdistill.augmentation._split_midpoints import _midpoints
from skdistill.augmentation._thresholds import read_thresholds
from skdistill.teachers import EarlyStoppingTeacher
from skdistill.teachers._label_codes import fit_teacher

READABLE = [
    LGBMClassifier(n_estimators=5, verbose=-1, n_jobs=1),
    XGBClassifier(n_estimators=5, n_jobs=1),
    DecisionTreeClassifier(max_depth=4, random_state=0),
    RandomForestClassifier(n_estimators=5, max_depth=4, random_state=0),
    ExtraTreesClassifier(n_estimators=5, max_depth=4, random_state=0),
    GradientBoostingClassifier(n_estimators=5, random_state=0),
]
OTHERS = [
    HistGradientBoostingClassifier(max_iter=5),
    LogisticRegression(),
    BaggingClassifier(n_estimators=3, max_features=0.5, random_state=0),
]


@pytest.fixture
def data(rng):
    X = rng.normal(size=(500, 4))
    y = (X[:, 0] > 0.5).astype(int) + (X[:, 1] > -0.3) * (X[:, 0] > 0)
    return X, y


def last_up_to(value):
    """Return the value in single precision, in which most trees compare."""
    single = np.float32(value)
    return single if single <= value else np.nextafter(single, np.float32(-np.inf))


def next_above(value):
    return np.nextafter(last_up_to(value), np.float32(np.inf))


@pytest.mark.parametrize("teacher", READABLE, ids=lambda t: type(t).__name__)
def test_teachers_are_constant_between_their_thresholds(data, teacher):
    X, y = data
    teacher = clone(teacher).fit(X, y)
    thresholds = read_thresholds(teacher, 4)
    assert sum(map(len, thresholds)) > 0
    row = X[:1].copy()
    for j, cuts in enumerate(thresholds):
        edges = np.concatenate([[cuts[0] - 1] if len(cuts) else [-9], cuts, [9]])
        for low, high in pairwise(edges):
            # At most the threshold is left, so the high end belongs to the interval.
            inside = [next_above(low), (low + high) / 2, last_up_to(high)]
            rows = np.repeat(row, 3, axis=0)
            rows[:, j] = inside
            proba = teacher.predict_proba(rows)
            np.testing.assert_array_equal(proba, proba[[0, 0, 0]])


@pytest.mark.parametrize("teacher", READABLE, ids=lambda t: type(t).__name__)
def test_new_numbers_are_midpoints_of_thresholds(data, teacher):
    X, y = data
    teacher = clone(teacher).fit(X, y)
    thresholds = read_thresholds(teacher, 4)
    new = SplitMidpoints(1.0).sample(X, 3000, teacher=teacher, random_state=0)
    cuts = thresholds[0]
    edges = np.concatenate([[X[:, 0].min()], cuts, [X[:, 0].max()]])
    midpoints = (edges[:-1] + edges[1:]) / 2
    found = np.unique(new[:, 0])
    np.testing.assert_allclose(found, midpoints, rtol=1e-6)


@pytest.mark.parametrize(
    "wrap",
    [
        FrozenEstimator,
        lambda t: FrozenEstimator(FrozenEstimator(t)),
        lambda t: t.booster_,
    ],
)
def test_thresholds_are_found_inside(data, wrap):
    X, y = data
    teacher = LGBMClassifier(n_estimators=5, verbose=-1, n_jobs=1).fit(X, y)
    for inside, own in zip(
        read_thresholds(wrap(teacher), 4), read_thresholds(teacher, 4), strict=True
    ):
        np.testing.assert_array_equal(inside, own)


def test_thresholds_of_a_search_are_those_of_its_best(data):
    X, y = data
    search = GridSearchCV(DecisionTreeClassifier(max_depth=2), {"max_depth": [1, 2]})
    search.fit(X, y)
    own = read_thresholds(search.best_estimator_, 4)
    for inside, best in zip(read_thresholds(search, 4), own, strict=True):
        np.testing.assert_array_equal(inside, best)


@pytest.mark.parametrize("teacher", [None, *OTHERS], ids=lambda t: type(t).__name__)
def test_other_teachers_have_quantiles(data, teacher):
    X, y = data
    if teacher is not None:
        teacher = clone(teacher).fit(X, y)
    assert read_thresholds(teacher, 4) is None
    new = SplitMidpoints(1.0).sample(X, 20_000, teacher=teacher, random_state=0)
    for j in range(4):
        assert 200 < len(np.unique(new[:, j])) <= 256
        # Quantiles are dense where the data is.
        np.testing.assert_allclose(np.median(new[:, j]), np.median(X[:, j]), atol=0.1)


def test_columns_that_are_not_split_have_quantiles(rng):
    X = rng.normal(size=(300, 2))
    teacher = DecisionTreeClassifier(max_depth=1).fit(X, X[:, 0] > 0)
    new = SplitMidpoints(1.0).sample(X, 5000, teacher=teacher, random_state=0)
    assert len(np.unique(new[:, 0])) == 2
    assert len(np.unique(new[:, 1])) > 200


@pytest.mark.parametrize(
    "teacher",
    [
        LGBMClassifier(n_estimators=5, verbose=-1, n_jobs=1),
        XGBClassifier(n_estimators=5, n_jobs=1, enable_categorical=True),
    ],
    ids=lambda t: type(t).__name__,
)
def test_frames_with_categories(adult, teacher):
    X, y = adult
    teacher = clone(teacher).fit(X, y == y[0])
    thresholds = read_thresholds(teacher, X.shape[1])
    for name, cuts in zip(X.columns, thresholds, strict=True):
        assert not len(cuts) or X[name].dtype.kind in "iuf"
    new = SplitMidpoints().sample(X, 500, teacher=teacher, random_state=0)
    pd.testing.assert_series_equal(new.dtypes, X.dtypes)
    assert teacher.predict_proba(new).shape == (500, 2)


@given(
    values=st.lists(st.integers(-50, 50), min_size=2, max_size=30, unique=True),
    cuts=st.lists(st.floats(-60, 60), max_size=10),
)
def test_whole_numbers_stay_in_their_intervals(values, cuts):
    values = np.array(values, dtype=float)
    cuts = np.unique(cuts)
    found = _midpoints(values, cuts, whole=True)
    np.testing.assert_array_equal(found, np.floor(found))
    assert values.min() <= found.min()
    assert found.max() <= values.max()
    inside = cuts[(cuts > values.min()) & (cuts < values.max())]
    if len(inside):
        # One for each interval that has a whole number, thresholds being inclusive.
        whole = np.arange(values.min(), values.max() + 1)
        np.testing.assert_array_equal(
            np.unique(np.searchsorted(inside, found)),
            np.unique(np.searchsorted(inside, whole)),
        )
        assert len(np.unique(found)) == len(found)


@pytest.mark.parametrize("values", [[0, 1], [0, 1, 2], [-3, -2, -1, 0, 1]])
def test_few_whole_numbers_are_all_drawn(values):
    X = np.array(values)[:, None]
    new = SplitMidpoints(1.0).sample(X, 500, random_state=0)
    assert set(new[:, 0].tolist()) == set(values)


@pytest.mark.parametrize("teacher", READABLE, ids=lambda t: type(t).__name__)
def test_every_side_of_whole_thresholds_is_drawn(rng, teacher):
    X = pd.DataFrame(rng.integers(0, 20, size=(500, 2)), columns=["a", "b"])
    teacher = clone(teacher).fit(X, X["a"] // 3 % 2)
    new = SplitMidpoints().sample(X, 2000, teacher=teacher, random_state=0)
    (cuts, _) = read_thresholds(teacher, 2)
    drawn = np.searchsorted(cuts, np.unique(new["a"]))
    assert set(drawn) == set(np.searchsorted(cuts, np.arange(20)))


def test_missing_numbers_are_as_frequent_as_before(rng):
    X = rng.normal(size=(2000, 2))
    X[rng.random(2000) < 0.3, 0] = np.nan
    new = SplitMidpoints(1.0).sample(X, 5000, random_state=0)
    assert np.isnan(new[:, 0]).mean() == pytest.approx(0.3, abs=0.03)
    assert not np.isnan(new[:, 1]).any()


@pytest.mark.parametrize("teacher", READABLE, ids=lambda t: type(t).__name__)
def test_teachers_of_other_columns_are_refused(data, teacher):
    X, y = data
    teacher = clone(teacher).fit(X, y)
    with pytest.raises(ValueError, match="Got a teacher fitted on 4 columns, but exp"):
        SplitMidpoints().sample(X[:, :3], 5, teacher=teacher)


def test_thresholds_are_read_whatever_the_labels_are(data):
    X, y = data
    labels = np.array(["a", "b", "c"])[y]
    plain = XGBClassifier(n_estimators=5, n_jobs=1)
    coded = fit_teacher(plain, X, labels)
    assert type(coded) is not XGBClassifier
    stopping = EarlyStoppingTeacher(
        LGBMClassifier(n_estimators=5, early_stopping_round=2, verbose=-1, n_jobs=1),
        random_state=0,
    ).fit(X, labels)
    for teacher, inside in (
        (coded, clone(plain).fit(X, y)),
        (FrozenEstimator(coded), clone(plain).fit(X, y)),
        (stopping, stopping.estimator_),
    ):
        found, expected = (read_thresholds(t, 4) for t in (teacher, inside))
        assert sum(map(len, expected)) > 0
        for ours, theirs in zip(found, expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_members_may_be_ensembles_of_any_size(data):
    X, y = data
    forests = [(str(n), RandomForestClassifier(n)) for n in (2, 3)]
    for members in (forests, [*forests, ("line", LogisticRegression())]):
        teacher = VotingClassifier(members, voting="soft").fit(X, y)
        assert SplitMidpoints().sample(X, 5, teacher=teacher).shape == (5, 4)
