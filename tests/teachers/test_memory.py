"""Labelling needs little memory beside the log-odds."""

import tracemalloc
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier
from sklearn.dummy import DummyClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from skdistill._log_odds import LARGEST_CHUNK, classifier_log_odds
from skdistill.teachers import FunctionTeacher, TeacherEnsemble, label_rows

N_ROWS, N_CLASSES = 400_000, 8
CLASSES = np.arange(N_CLASSES)


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N_ROWS, 4))
    return X, rng.integers(N_CLASSES, size=N_ROWS)


@contextmanager
def peak_bytes():
    """Most bytes that the block has held at once, beside those from before."""
    peak: list = []
    tracemalloc.start()
    try:
        yield peak
        peak.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()


TEACHERS = [
    LogisticRegression(max_iter=20),
    GaussianNB(),
    make_pipeline(StandardScaler(), GaussianNB()),
    LinearSVC(),
    TeacherEnsemble([GaussianNB(), LogisticRegression(max_iter=20)]),
    LGBMClassifier(n_estimators=2, num_leaves=4, verbose=-1, n_jobs=1),
]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("teacher", TEACHERS, ids=lambda t: type(t).__name__)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_log_odds_need_less_than_twice_their_size(teacher, dtype, table):
    X, y = table
    teacher.fit(X[:2000], y[:2000])
    with peak_bytes() as peak:
        log_odds = classifier_log_odds(teacher, X, CLASSES, dtype=dtype)
    assert log_odds.nbytes == N_ROWS * N_CLASSES * np.dtype(dtype).itemsize
    # What the teacher needs for a chunk is its own, and is smaller than that here.
    assert log_odds.nbytes <= peak[0] < 2 * log_odds.nbytes


def test_frames_are_read_in_chunks(table):
    X, y = table
    frame = pd.DataFrame(X, columns=list("abcd"))
    teacher = GaussianNB().fit(frame[:2000], y[:2000])
    with peak_bytes() as peak:
        log_odds = classifier_log_odds(teacher, frame, CLASSES)
    assert peak[0] < 2 * log_odds.nbytes


@pytest.mark.parametrize("cv", [None, KFold(4)])
def test_labelling_needs_less_than_twice_the_size_of_its_result(cv, table):
    X, y = table
    with peak_bytes() as peak:
        labelling = label_rows(DummyClassifier(), X, y, CLASSES, cv)
    size = labelling.own_logits.nbytes
    size += 0 if labelling.logits is labelling.own_logits else labelling.logits.nbytes
    folds = 0 if cv is None else X.nbytes + y.nbytes
    assert peak[0] < 2 * size + folds


def test_a_pool_is_labelled_in_chunks(table):
    X, y = table
    teacher = FrozenEstimator(GaussianNB().fit(X[:2000], y[:2000]))
    with peak_bytes() as peak:
        labelling = label_rows(
            teacher, X[:2000], y[:2000], CLASSES, None, X_unlabeled=X
        )
    assert labelling.pool_logits.dtype == np.float32
    assert peak[0] < 2 * labelling.pool_logits.nbytes


@pytest.mark.parametrize("batch_size", [3000, 10_000, 100_000])
@pytest.mark.parametrize("frozen", [False, True])
def test_a_service_is_called_no_more_often_than_without_chunks(batch_size, frozen):
    n_rows, classes = 25_000, np.arange(30)
    asked: list = []

    def score(rows):
        asked.append(len(rows))
        return np.zeros((len(rows), 30))

    teacher = FunctionTeacher(score, classes, batch_size=batch_size, output="log_odds")
    teacher = FrozenEstimator(teacher) if frozen else teacher
    classifier_log_odds(teacher, np.zeros((n_rows, 2)), classes)
    assert sum(asked) == n_rows
    assert len(asked) == -(-n_rows // batch_size)


class Watching(GaussianNB):
    """Remembers how many rows it is asked for."""

    def predict_proba(self, X):
        self.asked.append(len(X))
        return super().predict_proba(X)


def test_a_teacher_is_asked_for_a_chunk_at_a_time(table):
    X, y = table
    teacher = Watching().fit(X[:2000], y[:2000] % 2)
    teacher.asked = []
    classifier_log_odds(teacher, X, np.arange(2))
    assert sum(teacher.asked) == N_ROWS
    assert max(teacher.asked) <= LARGEST_CHUNK
