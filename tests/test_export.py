import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill import DistilledClassifier
from skdistill.runtime import load, read_header
from skdistill.students import (
    BoostedStudentClassifier,
    MLPStudentClassifier,
    TreeStudentClassifier,
)


@pytest.mark.parametrize("suffix", [".skd", ".onnx", ".c"])
@pytest.mark.parametrize(
    "student",
    [
        MLPStudentClassifier((8,), n_steps=50),
        TreeStudentClassifier(),
        BoostedStudentClassifier(5),
    ],
    ids=lambda student: type(student).__name__,
)
def test_what_is_exported_is_the_student(student, suffix, tmp_path):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {"age": rng.normal(40, 10, 300).round(), "income": rng.random(300)}
    )
    X["job"] = pd.Series(rng.choice(["clerk", "cook", None], 300), dtype="category")
    y = np.where((X["age"] > 40) ^ (X["job"] == "cook"), "yes", "no")
    teacher = LGBMClassifier(n_estimators=10, n_jobs=1, verbose=-1)
    model = DistilledClassifier(teacher, student, augmenter=None, random_state=0)
    path = tmp_path / f"model{suffix}"
    certificate = model.fit(X, y).export(path, X)
    assert path.exists()
    assert certificate.largest <= 1e-5
    if suffix == ".skd":
        assert read_header(path)["certificate"] == certificate.as_dict()
        scorer = load(path)
        records = X.to_dict("records")
        for table in (X, records):
            np.testing.assert_array_equal(
                scorer.predict_proba(table), model.predict_proba(X)
            )


def test_a_student_of_another_library_is_not_exported(tmp_path):
    X, y = load_iris(return_X_y=True)
    teacher = RandomForestClassifier(10, random_state=0)
    model = DistilledClassifier(teacher, GaussianNB()).fit(X, y)
    with pytest.raises(TypeError, match="expected a student or one of"):
        model.export(tmp_path / "model.skd")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "student",
    [
        LogisticRegression(max_iter=1000),
        make_pipeline(StandardScaler(), TreeStudentClassifier()),
    ],
    ids=["foreign", "pipeline"],
)
def test_what_cannot_be_exported_is_told_what_can(student, tmp_path):
    X, y = load_iris(return_X_y=True)
    model = DistilledClassifier(
        GaussianNB(), student, cv=2, augmenter=None, random_state=0
    ).fit(X, y)
    with pytest.raises(TypeError, match=r"a student or .* in no pipeline: .* pickled"):
        model.export(tmp_path / "m.skd")


def test_rows_with_other_columns_are_not_compared(tmp_path):
    X, y = load_iris(return_X_y=True, as_frame=True)
    student = TreeStudentClassifier()
    model = DistilledClassifier(GaussianNB(), student, augmenter=None).fit(X, y)
    swapped = X[X.columns[::-1]]
    for other in (swapped, X.rename(columns=str.upper), X.iloc[:, :2]):
        with pytest.raises(ValueError, match="names"):
            model.export(tmp_path / "model.skd", other)
    assert not list(tmp_path.iterdir())
    assert model.export(tmp_path / "model.skd", X).label_flips == 0
