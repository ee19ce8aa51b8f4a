import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import csr_array
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill import DistilledClassifier
from skdistill.conversion import to_spec
from skdistill.inspection import Cost, measure_cost
from skdistill.inspection import _cost as cost_module
from skdistill.students import MLPStudentClassifier, TreeStudentClassifier
from skdistill.teachers import FunctionTeacher

NUMBERS = np.random.default_rng(0).normal(size=(60, 3))
LABELS = NUMBERS[:, 0] > 0


def check(cost):
    assert isinstance(cost, Cost)
    assert cost.one_row_us > 0
    assert cost.rows_per_second > 0
    return cost


@pytest.mark.parametrize("kind", ["array", "list", "pandas", "polars", "sparse"])
def test_students_are_measured_through_their_file(kind):
    frame = pd.DataFrame(NUMBERS, columns=list("abc"))
    X = {
        "array": NUMBERS,
        "list": NUMBERS.tolist(),
        "pandas": frame,
        "polars": pl.from_pandas(frame),
        "sparse": csr_array(NUMBERS),
    }[kind]
    student = MLPStudentClassifier((4,), n_steps=20, random_state=0)
    student.fit(np.array(X) if kind == "list" else X, LABELS)
    cost = check(measure_cost(student, X))
    assert cost.runtime == "skdistill.runtime"
    assert cost.size_kb > 0


def test_categories_and_arrays_of_objects_are_measured(distilled):
    model, X, _ = distilled
    assert check(measure_cost(model, X)).runtime == "skdistill.runtime"
    compiled = check(measure_cost(to_spec(model.teacher_), X))
    assert compiled.runtime == "skdistill.runtime"
    plain = check(measure_cost(model.teacher_, X))
    assert plain.runtime == "predict_proba"
    cells = np.array([["a", 1.0], ["b", 2.0], ["a", None]] * 20, dtype=object)
    student = TreeStudentClassifier().fit(cells, [0, 1, 0] * 20)
    assert check(measure_cost(student, cells)).runtime == "skdistill.runtime"


@pytest.mark.parametrize("to_frame", [np.asarray, pd.DataFrame])
def test_a_student_of_some_columns_is_measured_on_tables_of_all(to_frame):
    X = to_frame(NUMBERS)
    model = DistilledClassifier(
        LogisticRegression(),
        TreeStudentClassifier(),
        student_columns=[2, 0],
        augmenter=None,
        random_state=0,
    ).fit(X, LABELS)
    assert check(measure_cost(model, X)).runtime == "skdistill.runtime"


def test_other_models_are_measured_by_their_own_method():
    for model in (
        make_pipeline(StandardScaler(), TreeStudentClassifier()),
        LogisticRegression(),
    ):
        cost = check(measure_cost(model.fit(NUMBERS, LABELS), NUMBERS))
        assert cost.runtime == "predict_proba"
        assert cost.size_kb > 0
    regressor = LinearRegression().fit(NUMBERS, LABELS)
    assert check(measure_cost(regressor, NUMBERS)).runtime == "predict"


def test_what_cannot_be_pickled_has_no_size():
    teacher = FunctionTeacher(lambda rows: np.full((len(rows), 2), 0.5), [0, 1])
    assert check(measure_cost(teacher, NUMBERS)).size_kb is None


def test_a_slow_model_is_not_asked_often(monkeypatch):
    monkeypatch.setattr(cost_module, "SECONDS", 0.0)
    calls = []

    def function(rows):
        calls.append(len(rows))
        return np.full((len(rows), 2), 0.5)

    measure_cost(FunctionTeacher(function, [0, 1]), NUMBERS)
    assert calls == [1, 60]


@pytest.mark.parametrize(
    ("model", "X", "error", "message"),
    [
        (StandardScaler().fit(NUMBERS), NUMBERS, TypeError, "predicts nothing"),
        (LogisticRegression(), NUMBERS[:0], ValueError, "no rows"),
        (LogisticRegression(), NUMBERS[0], ValueError, "shape"),
    ],
)
def test_bad_input_is_refused(model, X, error, message):
    with pytest.raises(error, match=message):
        measure_cost(model, X)
