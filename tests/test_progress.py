import io
import signal
import sys
import threading

import joblib
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skdistill import DistilledClassifier, _progress
from skdistill._progress import Progress
from skdistill.students import MLPStudentClassifier, TreeStudentClassifier

NETWORK = MLPStudentClassifier((4,), n_steps=100, random_state=0)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def rows(rng):
    X = rng.normal(size=(200, 3))
    return X, (X[:, 0] > 0).astype(int)


def distilled(student, **options):
    options = {"cv": 3, "augmenter": None, "random_state": 0} | options
    return DistilledClassifier(LogisticRegression(), student, **options)


def test_nothing_is_told_unless_asked_for(capsys, rows):
    NETWORK.fit(*rows)
    distilled(NETWORK).fit(*rows)
    with Progress().stage("a stage", 2, "step") as advance:
        advance()
    assert capsys.readouterr() == ("", "")


@given(steps=st.lists(st.integers(1, 10**6), max_size=9), knows=st.booleans())
def test_lines_tell_what_is_done(steps, knows):
    stream = io.StringIO()
    total = sum(steps) if knows else None
    with Progress(1, stream).stage("scoring", total, "row") as advance:
        for n in steps:
            advance(n)
    first, last = stream.getvalue().splitlines()
    assert first == "[skdistill] scoring"
    of = f"/{sum(steps):,}" if knows else ""
    assert last == f"[skdistill] scoring: {sum(steps):,}{of} rows, 0:00"


def test_the_time_left_is_that_of_equal_steps(monkeypatch):
    clock = iter([0.0, 60.0, 61.0, 180.0])
    monkeypatch.setattr(_progress.time, "monotonic", lambda: next(clock))
    stream = io.StringIO()
    with Progress(1, stream).stage("fitting", 3, "fit") as advance:
        advance()
        advance()  # a second after the last line: nothing is told
    _, line, last = stream.getvalue().splitlines()
    assert line == "[skdistill] fitting: 1/3 fits, 1:00, about 2:00 left"
    assert last == "[skdistill] fitting: 2/3 fits, 3:00"


def test_a_terminal_gets_a_bar():
    stream = Terminal()
    with Progress(1, stream).stage("fitting", 4, "fit") as advance:
        advance(3, "loss 0.5")
    assert "fitting:  75%" in stream.getvalue()
    assert "3/4" in stream.getvalue()


def test_without_tqdm_a_terminal_gets_lines(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    stream = Terminal()
    with Progress(1, stream).stage("fitting", 4, "fit") as advance:
        advance(4)
    assert stream.getvalue().endswith("[skdistill] fitting: 4/4 fits, 0:00\n")


def test_a_failed_stage_is_closed_and_passes_the_error_on():
    stream = io.StringIO()
    with (
        pytest.raises(ZeroDivisionError),
        Progress(1, stream).stage("dividing", 2, "step"),
    ):
        1 / 0  # noqa: B018 - the error is the test
    assert stream.getvalue().endswith("dividing: 0/2 steps, 0:00\n")


def test_a_network_tells_its_steps(capsys, rows):
    student = MLPStudentClassifier(**NETWORK.get_params() | {"verbose": 1}).fit(*rows)
    output, told = capsys.readouterr()
    assert output == ""
    assert f"{student.n_iter_}/100 steps" in told
    assert f"loss {student.loss_curve_[-1]:.4f}" in told
    proba = NETWORK.fit(*rows).predict_proba(rows[0])
    assert (student.predict_proba(rows[0]) == proba).all()


@pytest.mark.parametrize(
    ("student", "stage"),
    [
        (NETWORK, "training the network on 200 rows: 100/100 steps"),
        (make_pipeline(NETWORK), "training the network on 200 rows: 100/100 steps"),
        (TreeStudentClassifier(), "fitting TreeStudentClassifier to 200 rows"),
        (LogisticRegression(), "to 200 rows"),
    ],
)
def test_a_distilled_model_tells_the_steps_of_its_student(student, stage, capsys, rows):
    model = distilled(student, verbose=1).fit(*rows)
    told = capsys.readouterr().err
    assert "fitting LogisticRegression: 4/4 fits" in told
    assert stage in told
    if student is NETWORK:
        assert model.student_.verbose == 0


def test_a_pool_is_counted(capsys, rows):
    student = TreeStudentClassifier()
    distilled(student, augmenter="auto", verbose=1).fit(*rows)
    told = capsys.readouterr().err
    assert "labelling new rows: 30,000/30,000 rows" in told


def test_progress_does_not_defeat_the_cache(tmp_path, capsys, rows):
    memory = joblib.Memory(tmp_path, verbose=0)
    student = TreeStudentClassifier(random_state=0)
    first = distilled(student, memory=memory, verbose=1).fit(*rows)
    assert "4/4 fits" in capsys.readouterr().err
    second = distilled(student, memory=memory, verbose=0).fit(*rows)
    third = distilled(student, memory=memory, verbose=1).fit(*rows)
    assert "fits" not in capsys.readouterr().err
    for model in (second, third):
        assert (model.predict_proba(rows[0]) == first.predict_proba(rows[0])).all()


def test_folds_in_parallel_are_counted(capsys, rows):
    with joblib.parallel_config("threading"):
        distilled(TreeStudentClassifier(), n_jobs=2, verbose=1).fit(*rows)
    assert "4/4 fits" in capsys.readouterr().err


@pytest.mark.parametrize("early_stopping", [False, True])
def test_an_interrupt_ends_a_fit(early_stopping, rows):
    student = MLPStudentClassifier(
        (4,),
        n_steps=10**7,
        early_stopping=early_stopping,
        n_iter_no_change=10**6,
        random_state=0,
    )
    clone(student).set_params(n_steps=1).fit(*rows)  # torch is imported
    # A process that was started in the background may have been told to ignore it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(1.0, signal.raise_signal, [signal.SIGINT])
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            student.fit(*rows)
    finally:
        timer.join()
        signal.signal(signal.SIGINT, before)
