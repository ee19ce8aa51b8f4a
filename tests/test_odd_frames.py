"""Tables that are not as tables should be: handled, or refused with a reason."""

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest
from lightgbm import LGBMClassifier
from scipy.sparse import csc_array, csr_array, csr_matrix
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skdistill import DistilledClassifier, SoftTargets
from skdistill.augmentation import Munge
from skdistill.students import (
    BoostedStudentClassifier,
    BoostedStudentRegressor,
    MLPStudentClassifier,
    OrderingEncoder,
    TabularEncoder,
    TreeStudentClassifier,
    TreeStudentRegressor,
)


def student():
    return MLPStudentClassifier((8,), n_steps=30, random_state=0)


def distilled(teacher=None, **parameters):
    # A teacher that takes any table, since the table is what is tested.
    teacher = DummyClassifier() if teacher is None else teacher
    parameters = {"cv": 2, "augmenter": None, "random_state": 0, **parameters}
    return DistilledClassifier(teacher, student(), **parameters)


ESTIMATORS = [TabularEncoder(), student(), distilled()]


def names(estimator):
    return type(estimator).__name__


@pytest.fixture(params=ESTIMATORS, ids=names)
def estimator(request):
    return request.param


def outputs(estimator, X_train, y, X_test):
    """What an estimator makes of test rows; finite, or there is no test."""
    estimator.fit(X_train, y)
    method = getattr(estimator, "predict_proba", None) or estimator.transform
    result = method(X_test)
    assert len(result) == X_test.shape[0]
    assert np.isfinite(result).all()
    return result


def labels(n_samples):
    return np.arange(n_samples) % 2


def frame(rng, n_samples=80):
    return pd.DataFrame(
        {
            "number": rng.normal(size=n_samples),
            "level": rng.choice(["a", "b", "c"], n_samples),
        }
    )


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([np.nan] * 80),
        pd.Series([None] * 80, dtype=object),
        pd.Series([None] * 80, dtype="Int64"),
        pd.Series([None] * 80, dtype="category"),
        pd.Series([None] * 80, dtype="str"),
        pd.Series([3.0] * 80),
        pd.Series(["same"] * 80),
        pd.Series([True] * 80),
    ],
    ids=lambda column: f"{column.dtype}-{column.nunique()}",
)
def test_a_column_that_is_all_missing_or_constant_is_dropped(estimator, rng, column):
    X = frame(rng)
    without = outputs(estimator, X, labels(80), X)
    odd = X.assign(odd=column)
    np.testing.assert_array_equal(outputs(estimator, odd, labels(80), odd), without)


def test_nothing_but_missing_values_is_still_a_table(estimator):
    X = pd.DataFrame(np.full((40, 2), np.nan), columns=["a", "b"])
    result = outputs(estimator, X, labels(40), X)
    assert (result == result[0]).all()


def test_no_new_rows_can_be_made_of_rows_that_are_all_alike():
    X = pd.DataFrame(np.full((40, 2), np.nan), columns=["a", "b"])
    with pytest.raises(ValueError, match="all alike, but expected at least 2 rows"):
        distilled(augmenter="auto").fit(X, labels(40))


def test_one_value_in_the_test_part_only(estimator, rng):
    X = frame(rng).assign(constant=1.0)
    new = X.iloc[:6].copy()
    new["level"] = "never seen"
    new["number"] = [1e12, -1e12, np.nan, X.number.max(), X.number.min(), 0.0]
    new["constant"] = 7.0
    result = outputs(estimator, X, labels(80), new)
    # Beyond the range is the end of the range, in the same row otherwise.
    np.testing.assert_array_equal(result[[0, 1]], result[[3, 4]])


@pytest.mark.parametrize("dtype", ["str", "category"])
def test_ten_thousand_levels(rng, dtype):
    levels = rng.permutation(np.repeat(np.arange(10_000), 2))
    X = pd.DataFrame({"level": pd.Series(levels.astype(str), dtype=dtype)})
    X["number"] = levels % 7
    y = (levels % 7 > 3).astype(int)
    new = pd.concat([X.iloc[:50], X.iloc[:1].assign(level="never seen")])
    targets = SoftTargets.from_proba(np.stack([0.9 - 0.8 * y, 0.1 + 0.8 * y], axis=1))
    for target in (y, targets):
        outputs(TabularEncoder(), X, target, new)
        model = student().set_params(n_steps=200)
        outputs(model, X, target, new)
        assert model.score(X, y) > 0.95
    model = distilled()
    outputs(model, X, y, new)


def test_ten_thousand_levels_of_many_rows_are_told_apart(rng):
    levels = np.repeat(np.arange(1000), 20)
    z = np.where(levels % 2, 2.0, -2.0)
    targets = SoftTargets(np.stack([0 * z, z], axis=1))
    X = pd.DataFrame({"level": levels.astype(str)})
    model = student().fit(X, targets)
    assert model.score(X, z > 0) == 1


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["text", 1] * 40, "'odd' mixes strings and numbers.*astype"),
        ([datetime.date(2020, 1, 1)] * 80, "'odd' holds .*number of days"),
        ([{"a": 1}] * 80, "'odd' holds .*expected numbers, booleans, strings"),
        ([("a",)] * 80, "'odd' holds .*expected numbers, booleans, strings"),
    ],
)
def test_mixed_types_are_refused_by_name(estimator, rng, values, message):
    X = frame(rng).assign(odd=pd.Series(values, dtype=object))
    with pytest.raises(TypeError, match=message):
        estimator.fit(X, labels(80))


def test_missing_values_of_every_kind_mix(estimator, rng):
    X = frame(rng)
    missing = [None, np.nan, pd.NA, pd.NaT] * 10
    X["number"] = pd.Series([*missing, *range(40)], dtype=object)
    X["level"] = pd.Series([*missing, *["a", "b"] * 20], dtype=object)
    result = outputs(estimator, X, labels(80), X.iloc[:4])
    assert (result == result[0]).all()


def test_texts_are_refused_by_name(estimator, rng):
    X = frame(rng, 120).assign(comment=[f"I write {i} words" for i in range(120)])
    with pytest.raises(ValueError, match="'comment' holds 120 different values"):
        estimator.fit(X, labels(120))


def test_new_rows_do_not_hide_texts(rng):
    X = frame(rng, 120).assign(comment=[f"I write {i} words" for i in range(120)])
    with pytest.raises(ValueError, match="'comment' holds 120 different values"):
        distilled(augmenter="auto").fit(X, labels(120))


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinity_is_refused_by_name(estimator, rng, value):
    X = frame(rng)
    odd = X.copy()
    odd.loc[3, "number"] = value
    with pytest.raises(ValueError, match="'number' holds infinity"):
        estimator.fit(odd, labels(80))
    estimator.fit(X, labels(80))
    method = getattr(estimator, "predict_proba", None) or estimator.transform
    with pytest.raises(ValueError, match="'number' holds infinity"):
        method(odd)


@pytest.mark.filterwarnings("ignore:The least populated class in y has only 2")
def test_two_rows_of_a_class(rng):
    X = frame(rng)
    X["code"] = X.pop("level").map({"a": 0, "b": 1, "c": 2})
    y = np.array(["rare"] * 2 + ["common", "frequent"] * 39)
    for model in (
        student(),
        DistilledClassifier(LogisticRegression(), student(), random_state=0),
        DistilledClassifier(
            LGBMClassifier(n_estimators=3, verbose=-1), student(), random_state=0
        ),
    ):
        assert outputs(model, X, y, X).shape == (80, 3)
        assert list(model.classes_) == ["common", "frequent", "rare"]


def test_five_thousand_columns(rng):
    X = rng.normal(size=(100, 5000)).astype(np.float32)
    model = student().fit(X, X[:, 1234] > 0)
    assert np.isfinite(model.predict_proba(X)).all()
    (first_layer, *_) = model.coefs_
    assert 5000 < len(first_layer) <= 5000 + 4096
    assert model.encoder_.columns_[1234].n_intervals > 1


@pytest.mark.parametrize(
    "augmenter", [None, pytest.param("auto", marks=pytest.mark.slow)]
)
def test_five_thousand_columns_of_which_a_teacher_makes_nothing(rng, augmenter):
    X = rng.normal(size=(100, 5000)).astype(np.float32)
    model = distilled(augmenter=augmenter)
    outputs(model, X, labels(100), X)
    assert len(model.student_.coefs_[0]) == 5000


def test_sixty_rows(estimator, rng):
    X = frame(rng, 60).assign(
        name=[f"name {i % 58}" for i in range(60)],
        flag=[True] * 59 + [False],
        code=pd.Categorical(range(60)),
    )
    outputs(estimator, X, labels(60), X)


def test_sixty_rows_with_more_of_an_augmenter(rng):
    X = frame(rng, 60)
    assert outputs(distilled(augmenter="auto"), X, labels(60), X).shape == (60, 2)


@pytest.mark.parametrize("container", [csr_matrix, csr_array, csc_array])
def test_sparse_tables(estimator, rng, container):
    X = rng.poisson(0.3, (80, 12)).astype(float)
    dense = outputs(estimator, X, labels(80), X)
    sparse = outputs(estimator, container(X), labels(80), container(X))
    np.testing.assert_allclose(sparse, dense, atol=1e-6)


@pytest.mark.parametrize("container", [csr_matrix, csr_array, csc_array])
@pytest.mark.parametrize(
    "trees",
    [
        TreeStudentClassifier(random_state=0),
        TreeStudentRegressor(random_state=0),
        BoostedStudentClassifier(5, random_state=0),
        BoostedStudentRegressor(5, random_state=0),
    ],
    ids=names,
)
def test_trees_of_sparse_tables(trees, rng, container):
    X = rng.poisson(0.3, (400, 12)) * rng.normal(size=(400, 12))
    y = (X[:, 0] + X[:, 1] > 0.1).astype(int)
    dense = trees.fit(X, y).predict(X)
    sparse = trees.fit(container(X), y).predict(container(X))
    np.testing.assert_allclose(sparse, dense, atol=1e-6)
    np.testing.assert_array_equal(trees.predict(X), sparse)
    assert np.ptp(sparse) > 0.5


def test_ordering_keeps_tables_sparse(rng):
    # Two entries of one cell, which count together.
    X = csr_array(([1.5, 2.0, -1.0], [1, 1, 0], [0, 2, 3]), shape=(2, 2))
    numbers = OrderingEncoder().fit(X, [0, 1]).transform(X)
    np.testing.assert_array_equal(numbers.toarray(), [[0, 3.5], [-1, 0]])
    assert numbers.dtype == np.float64
    assert numbers.nnz == 2
    assert X.nnz == 3


def test_trees_of_sparse_tables_with_missing_values(rng):
    X = rng.poisson(0.3, (80, 3)).astype(float)
    X[::7, 0] = np.nan
    boosted = BoostedStudentClassifier(3, random_state=0)
    dense = boosted.fit(X, labels(80)).predict_proba(X)
    sparse = boosted.fit(csr_array(X), labels(80)).predict_proba(csr_array(X))
    np.testing.assert_allclose(sparse, dense)
    with pytest.raises(ValueError, match=r"TreeStudentClassifier cannot split: pass"):
        TreeStudentClassifier().fit(csr_array(X), labels(80))


def test_sparse_tables_with_unlabelled_rows(rng):
    X = csr_array(rng.poisson(0.3, (80, 12)).astype(float))
    model = distilled(LogisticRegression())
    model.fit(X, labels(80), X_unlabeled=X[:20])
    assert np.isfinite(model.predict_proba(X)).all()


def test_sparse_tables_have_no_augmenter(rng):
    X = csr_array(rng.poisson(0.3, (80, 12)).astype(float))
    with pytest.raises(TypeError, match=r"Sparse data was passed.*dense data is req"):
        distilled(augmenter=Munge()).fit(X, labels(80))
    assert distilled(augmenter="auto").fit(X, labels(80)).n_features_in_ == 12


def test_polars_frames_are_no_exception(estimator, rng):
    pandas = frame(rng).assign(odd=None)
    X = pl.DataFrame({name: pandas[name].tolist() for name in pandas})
    np.testing.assert_array_equal(
        outputs(estimator, X, labels(80), X),
        outputs(estimator, pandas, labels(80), pandas),
    )


@pytest.mark.parametrize("dtype", [np.float64, np.float32, object])
def test_missing_values_may_come_where_they_were_when_it_was_fitted(rng, dtype):
    """The column transformer of a pipeline does not say that it imputes."""
    imputed = make_column_transformer((SimpleImputer(), [0, 1]))
    model = distilled(make_pipeline(imputed, LogisticRegression()))
    X = rng.normal(size=(80, 2))
    with_missing = np.where(rng.random(X.shape) < 0.2, np.nan, X)
    model.fit(with_missing.astype(dtype), labels(80))
    assert np.isfinite(model.predict_proba(with_missing)).all()
    model.fit(X.astype(dtype), labels(80))
    with pytest.raises(ValueError, match="contains NaN"):
        model.predict_proba(with_missing)
