"""Serve a distilled model over HTTP with numpy and the standard library alone.

    python examples/serve_http.py fraud.skd --port 8000

    curl -s localhost:8000/predict -d '[{"age": 39, "job": "clerk"}]'

The answer holds, for each row, a probability for each class, or the number that a
regressor predicts. `http.server` is made for small services behind a proxy: put a real
one in front of it where strangers can ask.
"""

import argparse
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from skdistill.runtime import load

LARGEST_REQUEST = 10_000_000
"""Bytes of a request that are read at most."""


class Server(ThreadingHTTPServer):
    """Has room for dozens of clients that connect at once."""

    request_queue_size = 128

    def handle_error(self, request, client_address):
        """Say nothing of clients that have left."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class JsonHandler(BaseHTTPRequestHandler):
    """Reads the bodies of requests, and answers with JSON."""

    protocol_version = "HTTP/1.1"
    timeout = 60  # seconds without a byte, after which a thread waits no longer

    def body(self):
        """Return what was sent; None, once that is answered, if it cannot be read."""
        if "Transfer-Encoding" in self.headers:
            return self.refuse(411, "Content-Length is missing.")
        length, *others = set(self.headers.get_all("Content-Length", ["0"]))
        if others or not (length.isascii() and length.isdigit()):
            return self.refuse(400, f"Got Content-Length {[length, *others]}.")
        # Python refuses to read numbers of thousands of digits.
        if len(length) > 18 or int(length) > LARGEST_REQUEST:
            return self.refuse(413, "The request is too large.")
        return self.rfile.read(int(length))

    def refuse(self, status, detail):
        """Answer a request whose body is not read, the last of its connection."""
        self.close_connection = True
        self.answer(status, {"detail": detail})

    def send_error(self, code, message=None, explain=None):
        """Refuse as JSON what is no request, or of a method that there is not."""
        self.refuse(code, message or self.responses[code][0])

    def answer(self, status, content):
        """Send an object as JSON."""
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        """Say nothing of single requests."""


def handler_of(path):
    """Return the class that answers requests with the model of a file."""
    scorer = load(path)

    def predict(rows):
        """Return the answer for rows."""
        if scorer.classes_ is None:
            return scorer.predict(rows).tolist()
        classes = [str(label) for label in scorer.classes_]
        probabilities = scorer.predict_proba(rows).tolist()
        return [dict(zip(classes, row, strict=True)) for row in probabilities]

    class Handler(JsonHandler):
        """Answers ``GET /columns`` and ``POST /predict``."""

        def do_GET(self):
            """Names of the columns, and the levels of categorical ones."""
            # A body is not read, and must not be taken for the next request.
            announced = ("Content-Length", "Transfer-Encoding")
            if any(name in self.headers for name in announced):
                self.close_connection = True
            if self.path != "/columns":
                return self.answer(404, {"detail": f"There is no {self.path}."})
            columns = {
                column.name: None if column.is_numeric else list(column.levels)
                for column in scorer.spec.columns
            }
            return self.answer(200, columns)

        def do_POST(self):
            """Probability of each class, or the predicted number, for each row."""
            body = self.body()
            if body is None:
                return None
            if self.path != "/predict":
                return self.answer(404, {"detail": f"There is no {self.path}."})
            try:
                answer = predict(json.loads(body))
            except (RecursionError, TypeError, ValueError) as error:
                return self.answer(422, {"detail": str(error)})
            return self.answer(200, answer)

    return Handler


def main():
    """Read the arguments and serve until stopped."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", help="model, as the export of a model writes it")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    arguments = parser.parse_args()
    address = (arguments.host, arguments.port)
    with Server(address, handler_of(arguments.path)) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
