import json
import socket
import struct
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import numpy as np
import pandas as pd
import pytest

from skdistill.runtime import save
from skdistill.students import MLPStudentClassifier, TreeStudentRegressor

EXAMPLES = Path(__file__).parents[2] / "examples"
SERVICES = ["serve_fastapi.py", "serve_http.py"]


@pytest.fixture(scope="module")
def fitted():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"age": rng.normal(40, 10, 200)})
    X["job"] = rng.choice(["clerk", "cook", None], 200)
    y = np.where((X["age"] > 40) ^ (X["job"] == "cook"), "yes", "no")
    return MLPStudentClassifier((8,), n_steps=50, random_state=0).fit(X, y), X


@pytest.fixture(scope="module")
def fitted_regressor():
    """A regressor of numbers of accounts that are the same as floats."""
    X = pd.DataFrame({"account": np.repeat([2**53, 2**53 + 1], 50)}, dtype="category")
    return TreeStudentRegressor().fit(X, np.repeat([1.0, 2.0], 50)), X


@pytest.fixture(scope="module", params=SERVICES)
def regressor_address(request, fitted_regressor, tmp_path_factory):
    """Address of a service of a regressor."""
    yield from serve(request.param, fitted_regressor, tmp_path_factory)


@pytest.fixture(scope="module", params=SERVICES)
def address(request, fitted, tmp_path_factory):
    """Address of the service, started in a process of its own."""
    yield from serve(request.param, fitted, tmp_path_factory)


@pytest.fixture(scope="module")
def plain_address(fitted, tmp_path_factory):
    """Address of the service of the standard library."""
    yield from serve("serve_http.py", fitted, tmp_path_factory)


def serve(script, fitted, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.skd"
    save(fitted[0].to_spec(), path)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, EXAMPLES / script, path, "--port", str(port)]
    errors = path.with_name("errors.txt")
    with open(errors, "wb") as file:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=file)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(address, process)
        yield address
    finally:
        process.terminate()
        process.wait()
    assert "Traceback" not in errors.read_text()


def wait_for(address, process):
    for _ in range(600):
        assert process.poll() is None, "the service ended by itself"
        try:
            urlopen(f"{address}/columns", timeout=20).close()
            return
        except URLError:
            time.sleep(0.1)
    raise AssertionError("the service does not answer")


def ask(address, rows):
    headers = {"Content-Type": "application/json"}
    request = Request(f"{address}/predict", json.dumps(rows).encode(), headers)
    with urlopen(request, timeout=20) as answer:
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


def test_it_answers_what_a_regressor_says(regressor_address):
    rows = [{"account": 2**53}, {"account": 2**53 + 1}]
    assert ask(regressor_address, rows) == [1, 2]


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


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (422, b'{"x": NaN}', {}),
        (422, b'[{"\\ud800": []}]', {}),
        (413, b"", {"Content-Length": "10000001"}),
        (411, b"", {"Transfer-Encoding": "chunked"}),
    ],
)
def test_what_it_does_not_read_is_refused(status, body, headers, address):
    connection = HTTPConnection(address.removeprefix("http://"), timeout=20)
    headers = {"Content-Type": "application/json", **headers}
    connection.request("POST", "/predict", body, headers)
    answer = connection.getresponse()
    assert (answer.status, list(json.loads(answer.read()))) == (status, ["detail"])
    connection.close()


def test_dozens_of_clients_may_come_at_once(plain_address):
    def client(number):
        return len(ask(plain_address, [{"age": number, "job": "cook"}]))

    with ThreadPoolExecutor(40) as threads:
        assert list(threads.map(client, range(200))) == [1] * 200


def post(connection, path="/predict", body=b"[]", length=None):
    """Status of an answer, and what it says is wrong."""
    connection.putrequest("POST", path)
    connection.putheader("Content-Length", str(len(body)) if length is None else length)
    connection.endheaders(body)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


@pytest.fixture
def connection(plain_address):
    connection = HTTPConnection(plain_address.removeprefix("http://"), timeout=20)
    yield connection
    connection.close()


def test_a_connection_goes_on_after_a_wrong_path(connection):
    rows = b'[{"age": 39, "job": "clerk"}]'
    assert post(connection, body=rows)[0] == 200
    assert post(connection, "/nothing", rows)[0] == 404
    assert post(connection, body=rows)[0] == 200


@pytest.mark.parametrize("length", ["-1", "abc", "", "1.5", "1_0", "\u0663"])
def test_what_is_no_length_is_not_read(length, connection):
    length = length.encode("utf-8").decode("latin-1")
    status, answer = post(connection, body=b"", length=length)
    assert (status, list(answer)) == (400, ["detail"])
    assert post(connection, body=b'[{"age": 39, "job": "clerk"}]')[0] == 200


def answers_of(address, request):
    """All that is answered to the bytes of one or more requests."""
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as client:
        client.sendall(request)
        return b"".join(iter(lambda: client.recv(65536), b""))


ROWS = b'[{"age": 39, "job": "clerk"}]'


@pytest.mark.parametrize(
    ("status", "request_line", "headers"),
    [
        (411, b"POST /predict", [b"Transfer-Encoding: chunked"]),
        (411, b"POST /predict", [b"transfer-encoding: chunked", b"Content-Length: 29"]),
        (400, b"POST /predict", [b"Content-Length: 29", b"Content-Length: 5"]),
        (200, b"GET /columns", [b"Content-Length: 29"]),
        (200, b"GET /columns", [b"transfer-encoding: chunked"]),
        (501, b"PUT /predict", [b"Content-Length: 29"]),
    ],
)
def test_a_body_is_not_the_next_request(status, request_line, headers, plain_address):
    head = b"\r\n".join([request_line + b" HTTP/1.1", b"Host: here", *headers])
    following = b"GET /columns HTTP/1.1\r\nHost: here\r\n\r\n"
    answered = answers_of(plain_address, head + b"\r\n\r\n" + following)
    assert answered.startswith(b"HTTP/1.1 %d " % status)
    assert answered.count(b"HTTP/1.1") == 1
    json.loads(answered.partition(b"\r\n\r\n")[2])


def test_a_client_may_leave(plain_address):
    host, port = plain_address.removeprefix("http://").split(":")
    for _ in range(5):
        client = socket.create_connection((host, int(port)))
        head = b"POST /predict HTTP/1.1\r\nHost: here\r\nContent-Length: 29\r\n\r\n"
        client.sendall(head + ROWS + head)
        # Without waiting for what was sent, which resets the connection.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
    assert ask(plain_address, json.loads(ROWS))


@pytest.mark.parametrize("length", [10**8, "9" * 5000])
def test_a_large_request_is_not_read(length, connection):
    assert post(connection, body=b"", length=str(length))[0] == 413


@pytest.mark.parametrize("body", [b"[" * 100_000, b"{", b"\xff", b"1"])
def test_what_is_no_table_is_the_callers_mistake(body, connection):
    assert post(connection, body=body)[0] == 422
