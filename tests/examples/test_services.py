import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import numpy as np
import pandas as pd
import pytest

from skdistill.runtime import save
from skdistill.students import MLPStudentClassifier

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def fitted():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"age": rng.normal(40, 10, 200)})
    X["job"] = rng.choice(["clerk", "cook", None], 200)
    y = np.where((X["age"] > 40) ^ (X["job"] == "cook"), "yes", "no")
    return MLPStudentClassifier((8,), n_steps=50, random_state=0).fit(X, y), X


@pytest.fixture(scope="module", params=["serve_fastapi.py", "serve_http.py"])
def address(request, fitted, tmp_path_factory):
    """Address of the service, started in a process of its own."""
    path = tmp_path_factory.mktemp("model") / "model.skd"
    save(fitted[0].to_spec(), path)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, EXAMPLES / request.param, path, "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(address, process)
        yield address
    finally:
        process.terminate()
        process.wait()


def wait_for(address, process):
    for _ in range(600):
        assert process.poll() is None, "the service ended by itself"
        try:
            urlopen(f"{address}/columns").close()
            return
        except URLError:
            time.sleep(0.1)
    raise AssertionError("the service does not answer")


def ask(address, rows):
    headers = {"Content-Type": "application/json"}
    request = Request(f"{address}/predict", json.dumps(rows).encode(), headers)
    with urlopen(request) as answer:
        return json.load(answer)


def test_it_answers_what_the_student_says(address, fitted):
    student, X = fitted
    rows = json.loads(X[:20].to_json(orient="records"))
    rows.append({"age": None, "job": "never seen"})
    answers = ask(address, rows)
    assert [list(answer) for answer in answers] == [["no", "yes"]] * 21
    table = pd.DataFrame(rows).astype({"age": float})
    expected = student.predict_proba(table)
    got = [list(answer.values()) for answer in answers]
    np.testing.assert_allclose(got, expected, atol=1e-5)


def test_it_tells_its_columns(address):
    with urlopen(f"{address}/columns") as answer:
        assert json.load(answer) == {"age": None, "job": ["clerk", "cook"]}


@pytest.mark.parametrize("rows", [[{"age": 1.0}], [{"age": "old", "job": "cook"}]])
def test_what_it_cannot_score_is_the_callers_mistake(address, rows):
    with pytest.raises(HTTPError) as caught:
        ask(address, rows)
    assert caught.value.code == 422
    assert caught.value.read()
    caught.value.close()
