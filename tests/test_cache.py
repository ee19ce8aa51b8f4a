"""The cache of labels: what hits it, what misses it, and what is not trusted."""

import json
import os
import pickle
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from joblib.externals.loky import get_reusable_executor
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_iris
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from sklearn.preprocessing import scale

from skdistill import DistilledClassifier
from skdistill.augmentation import MarginalSwap, Munge
from skdistill.students import TreeStudentClassifier
from skdistill.teachers import FunctionTeacher
from skdistill.teachers._cache import cached

X, y = load_iris(return_X_y=True)
X = scale(X)
TREE = TreeStudentClassifier(max_leaf_nodes=4)

SCRIPT = """
import sys
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from skdistill import DistilledClassifier
from skdistill.students import TreeStudentClassifier

from teacher_of_a_file import Teacher

X, y = load_iris(return_X_y=True)
folder, log, *changes = sys.argv[1:]
model = DistilledClassifier(
    Teacher(log), TreeStudentClassifier(), cv=3, memory=folder, random_state=0
)
model.set_params(**{k: float(v) for k, v in (c.split("=") for c in changes)})
print(model.fit(X, y).predict_proba(X).tolist())
"""

MODULE = """
import time
from pathlib import Path
from sklearn.linear_model import LogisticRegression

class Teacher(LogisticRegression):
    def __init__(self, log=None, C=1.0, seconds=0.0):
        super().__init__(C=C, max_iter=1000)
        self.log = log
        self.seconds = seconds

    def fit(self, X, y):
        with open(self.log, "a") as file:
            print(len(X), file=file)
        time.sleep(self.seconds)
        return super().fit(X, y)
"""


class LoggingTeacher(ClassifierMixin, BaseEstimator):
    """Adds a line to a file whenever it is fitted, in whatever process."""

    def __init__(self, log, C=1.0, rests=0.0):
        self.log = log
        self.C = C
        self.rests = rests

    def fit(self, X, y, sample_weight=None):
        with Path(self.log).open("a") as file:
            print(len(y), file=file)
        time.sleep(self.rests)
        self.model_ = LogisticRegression(C=self.C).fit(X, y, sample_weight)
        self.classes_ = self.model_.classes_
        return self

    def predict_proba(self, X):
        return self.model_.predict_proba(X)


def n_fits(log):
    return len(Path(log).read_text().splitlines()) if Path(log).exists() else 0


@pytest.fixture
def log(tmp_path):
    return str(tmp_path / "fits.txt")


@pytest.fixture
def model(tmp_path, log):
    return DistilledClassifier(
        LoggingTeacher(log),
        TREE,
        cv=3,
        augmenter=None,
        memory=str(tmp_path / "cache"),
        random_state=0,
    )


def start(tmp_path, *arguments):
    (tmp_path / "teacher_of_a_file.py").write_text(MODULE)
    package = Path(sys.modules["skdistill"].__file__).parents[1]
    path = os.pathsep.join(map(str, (tmp_path, package)))
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "cache"), *arguments],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        text=True,
    )


def finish(process):
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return np.array(json.loads(output))


@pytest.mark.skipif(sys.platform == "win32", reason="no locks there")
def test_processes_find_what_one_has_computed_or_is_computing(tmp_path, log):
    both = [start(tmp_path, log, "teacher__seconds=0.3") for _ in range(2)]
    first, second = (finish(process) for process in both)
    np.testing.assert_array_equal(first, second)
    assert n_fits(log) == 4
    changed = finish(start(tmp_path, log, "teacher__seconds=0.3", "temperature=3"))
    assert n_fits(log) == 4
    assert np.abs(changed - first).max() > 0


@pytest.mark.skipif(sys.platform == "win32", reason="no such signal there")
def test_a_killed_process_leaves_nothing_behind(tmp_path, log):
    import fcntl

    process = start(tmp_path, log, "teacher__seconds=60")
    while n_fits(log) < 1:
        time.sleep(0.05)
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not list((tmp_path / "cache").rglob("output.pkl*"))
    (lock,) = (tmp_path / "cache").rglob("skdistill_locks/*")
    with lock.open("wb") as file:  # nobody holds it any more
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.fixture
def processes_that_know_this_file(monkeypatch):
    """Processes of joblib take the path of the one that starts them, as it is then."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1]))
    get_reusable_executor().shutdown(wait=True)
    yield
    get_reusable_executor().shutdown(wait=True)


@pytest.mark.usefixtures("processes_that_know_this_file")
@pytest.mark.parametrize("folds", [2, 3])
def test_a_search_in_two_processes_fits_once_for_each_part(model, log, folds):
    """With two folds both processes soon want the same one."""
    search = GridSearchCV(
        model.set_params(teacher__rests=0.1),
        {"temperature": [1, 2, 4], "alpha": [0.5, 0.9]},
        cv=folds,
        n_jobs=2,
        error_score="raise",
    ).fit(X, y)
    assert n_fits(log) == 4 * (folds + 1)
    alone = clone(search).set_params(n_jobs=1).fit(X, y)
    assert n_fits(log) == 4 * (folds + 1)
    np.testing.assert_array_equal(
        alone.cv_results_["mean_test_score"], search.cv_results_["mean_test_score"]
    )


def test_what_hits_and_what_misses(model, log):
    def fits(X=X, y=y, sample_weight=None, **changes):
        before = n_fits(log)
        clone(model).set_params(**changes).fit(X, y, sample_weight)
        return n_fits(log) - before

    assert fits() == 4
    hits = (
        {"temperature": 3.0},
        {"alpha": 0.2},
        {"calibrate": False},
        {"student__max_leaf_nodes": 8},
        {"student": LogisticRegression()},
        {"n_jobs": 1},
        {"verbose": 0},
    )
    for same in hits:
        assert fits(**same) == 0, same
    assert fits(X=X.copy(), y=y.copy()) == 0
    assert fits(X=np.asfortranarray(X)) == 0
    misses = (
        ({"teacher__C": 0.5}, 4),
        ({"cv": 4}, 5),
        ({"cv": KFold(3)}, 4),
        ({"cv": StratifiedKFold(3, shuffle=True, random_state=1)}, 4),
        ({"random_state": 1}, 4),
        ({"augmenter": Munge()}, 4),
        ({"augmenter": MarginalSwap()}, 4),
        ({"sample_weight": np.ones(150)}, 4),
        ({"sample_weight": np.arange(150) + 1.0}, 4),
        ({"X": X + 1e-9 * (np.arange(150) == 7)[:, None]}, 4),
        ({"X": X[::-1], "y": y[::-1]}, 4),
        ({"X": X.astype(np.float32)}, 4),
        ({"y": np.where(np.arange(150) == 3, 1, y)}, 4),
        ({"y": y.astype(str)}, 4),
        ({"X": pd.DataFrame(X)}, 4),
    )
    for other, n in misses:
        assert fits(**other) == n, other
        assert fits(**other) == 0, other


def test_a_frozen_teacher_has_neither_folds_nor_seeds(tmp_path):
    teacher = FrozenEstimator(LogisticRegression(max_iter=1000).fit(X, y))
    model = DistilledClassifier(
        teacher, TREE, augmenter=None, calibrate=False, memory=str(tmp_path)
    )
    for parameters in ({}, {"cv": 3}, {"random_state": 5}):
        clone(model).set_params(**parameters).fit(X, y)
    assert len(list(tmp_path.rglob("output.pkl"))) == 1


def test_drawn_folds_defeat_it_and_it_says_so(model):
    with pytest.warns(UserWarning, match="nothing will be found in the cache"):
        model.set_params(random_state=None).fit(X, y)
    model.set_params(cv=KFold(3)).fit(X, y)  # nothing is drawn: no warning


def test_generators_are_known_by_their_state(model, log):
    for _ in range(2):
        model.set_params(random_state=np.random.RandomState(3))
        model.fit(X, y)
    assert n_fits(log) == 4
    model.fit(X, y)
    assert n_fits(log) == 8


# What is stored.


def damage(how, content):
    middle = len(content) // 2
    return {
        "empty": b"",
        "one byte": content[:1],
        "half": content[:middle],
        "all but a byte": content[:-1],
        "zeros": bytes(len(content)),
        "one bit": content[:middle]
        + bytes([content[middle] ^ 1])
        + content[middle + 1 :],
        "something else": pickle.dumps({"digest": "right"}),
        "plain": pickle.dumps(("0" * 64, [np.zeros(3, np.uint8)])),
    }[how]


@pytest.mark.filterwarnings("ignore:An entry of the cache:UserWarning")
@pytest.mark.parametrize(
    "how",
    [
        "empty",
        "one byte",
        "half",
        "all but a byte",
        "zeros",
        "one bit",
        "something else",
        "plain",
    ],
)
def test_a_damaged_entry_is_computed_anew_and_replaced(model, log, how):
    expected = model.fit(X, y).predict_proba(X)
    (entry,) = Path(model.memory).rglob("output.pkl")
    whole = entry.read_bytes()
    entry.write_bytes(damage(how, whole))
    np.testing.assert_array_equal(model.fit(X, y).predict_proba(X), expected)
    assert n_fits(log) == 8
    assert entry.stat().st_size == len(whole)
    np.testing.assert_array_equal(model.fit(X, y).predict_proba(X), expected)
    assert n_fits(log) == 8


def test_a_flipped_bit_in_an_array_is_said(model):
    model.fit(X, y)
    (entry,) = Path(model.memory).rglob("output.pkl")
    content = bytearray(entry.read_bytes())
    content[-100] ^= 4
    entry.write_bytes(content)
    with pytest.warns(UserWarning, match="damaged"):
        model.fit(X, y)


def counted(numbers, log):
    log.append(1)
    return {"sums": numbers.cumsum(), "text": "a" * 50, "empty": np.zeros((0, 3))}


@pytest.mark.filterwarnings("ignore:An entry of the cache:UserWarning")
def test_no_bit_can_flip_unseen(tmp_path):
    """Bytes all over an entry, joblib's own around it as well."""
    numbers = np.arange(40.0)
    log = []
    function = cached(counted, str(tmp_path), ignore=["log"])
    expected = function(numbers, log)
    (entry,) = tmp_path.rglob("output.pkl")
    whole = entry.read_bytes()
    for position in range(0, len(whole), 3):
        flipped = bytearray(whole)
        flipped[position] ^= 1 << position % 8
        entry.write_bytes(flipped)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = function(numbers, log)
        np.testing.assert_array_equal(found["sums"], expected["sums"])
        assert found["text"] == expected["text"]
        assert found["empty"].shape == (0, 3)


@pytest.mark.parametrize("missing", ["output.pkl", "metadata.json"])
def test_an_entry_without_one_of_its_files(model, log, missing):
    expected = model.fit(X, y).predict_proba(X)
    (file,) = Path(model.memory).rglob(missing)
    file.unlink()
    np.testing.assert_array_equal(model.fit(X, y).predict_proba(X), expected)
    assert n_fits(log) == (8 if missing == "output.pkl" else 4)


@pytest.mark.filterwarnings("ignore:An entry of the cache:UserWarning")
def test_an_entry_of_another_key_is_not_taken(model, log):
    """As left by someone who copies folders about."""
    model.fit(X, y)
    (first,) = Path(model.memory).rglob("output.pkl")
    clone(model).set_params(teacher__C=0.1).fit(X, y)
    second = next(f for f in Path(model.memory).rglob("output.pkl") if f != first)
    second.write_bytes(first.read_bytes())
    clone(model).set_params(teacher__C=0.1).fit(X, y)
    assert n_fits(log) == 12


def unpicklable(log):
    log.append(1)
    return lambda: 3


def test_what_cannot_be_stored_is_returned_and_said(tmp_path):
    log = []
    function = cached(unpicklable, str(tmp_path), ignore=["log"])
    for n in (1, 2):
        with pytest.warns(UserWarning, match=r"unpicklable cannot be pickled"):
            assert function(log)() == 3
        assert len(log) == n


def fails(log):
    log.append(1)
    raise RuntimeError("broken")


def test_errors_pass_and_are_not_stored(tmp_path):
    log = []
    function = cached(fails, str(tmp_path), ignore=["log"])
    for n in (1, 2):
        with pytest.raises(RuntimeError, match="broken"):
            function(log)
        assert len(log) == n


@pytest.mark.parametrize(
    "options", [{"mmap_mode": "r"}, {"mmap_mode": "c"}, {"compress": 3}], ids=str
)
def test_any_memory_of_joblib(tmp_path, options):
    memory = joblib.Memory(tmp_path, verbose=0, **options)
    log = []
    for _ in range(2):
        found = cached(counted, memory, ignore=["log"])(np.arange(9.0), log)
        np.testing.assert_array_equal(found["sums"], np.arange(9.0).cumsum())
    assert len(log) == 1


def test_without_memory_nothing_is_between():
    assert cached(counted, None) is counted
    assert cached(counted, joblib.Memory(None)) is counted
    with pytest.raises(ValueError, match="memory"):
        cached(counted, 3)


def probabilities(X):
    return np.full((len(X), 3), 1 / 3)


def test_lambdas_are_refused(tmp_path):
    teacher = FunctionTeacher(lambda rows: probabilities(rows), [0, 1, 2])
    model = DistilledClassifier(
        teacher, TREE, augmenter=None, calibrate=False, memory=str(tmp_path)
    )
    with pytest.raises(TypeError, match="no lambdas, or leave memory out"):
        model.fit(X, y)
    assert model.set_params(memory=None).fit(X, y)


@pytest.mark.parametrize("form", ["pandas", "polars", "sparse", "objects"])
def test_tables_of_any_form_are_found_again(tmp_path, adult, form):
    frame, labels = adult
    frame, labels = frame.iloc[:300], labels[:300]
    if form == "sparse":
        table = csr_array(frame.select_dtypes("number").to_numpy(float))
    elif form == "objects":
        table = frame.astype(object).where(frame.notna(), None).to_numpy()
    else:
        table = frame if form == "pandas" else pl.from_pandas(frame)
    teacher = TreeStudentClassifier(max_leaf_nodes=6)
    if form == "sparse":
        teacher = LogisticRegression(max_iter=10_000)
    model = DistilledClassifier(
        teacher,
        LogisticRegression(max_iter=10_000) if form == "sparse" else TREE,
        cv=2,
        augmenter=None,
        memory=str(tmp_path),
        random_state=0,
    )
    fresh = clone(model).set_params(memory=None).fit(table, labels)
    for alpha in (0.95, 0.5, 0.95):
        found = clone(model).set_params(alpha=alpha).fit(table, labels)
    assert len(list(tmp_path.rglob("output.pkl"))) == 1
    np.testing.assert_array_equal(
        found.predict_proba(table), fresh.predict_proba(table)
    )
