"""Serve a distilled model over HTTP with numpy and the standard library alone.

    python examples/serve_http.py fraud.skd --port 8000

    curl -s localhost:8000/predict -d '[{"age": 39, "job": "clerk"}]'

The answer holds, for each row, a probability for each class. `http.server` is made for
small services behind a proxy: put a real one in front of it where strangers can ask.
"""

import argparse
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from skdistill.runtime import load

LARGEST_REQUEST = 10_000_000
"""Bytes of a request that are read at most."""


class JsonHandler(BaseHTTPRequestHandler):
    """Reads the bodies of requests, and answers with JSON."""

    protocol_version = "HTTP/1.1"

    def body(self):
        """Return what was sent; None, once that is answered, if it cannot be read."""
        length = self.headers.get("Content-Length", "0")
        if not (length.isascii() and length.isdigit()):
            return self.refuse(400, f"Got Content-Length {length!r}.")
        # Python refuses to read numbers of thousands of digits.
        if len(length) > 18 or int(length) > LARGEST_REQUEST:
            return self.refuse(413, "The request is too large.")
        return self.rfile.read(int(length))

    def refuse(self, status, detail):
        """Answer a request whose body is not read, the last of its connection."""
        self.close_connection = True
        self.answer(status, {"detail": detail})

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
    classes = [str(label) for label in scorer.classes_]

    class Handler(JsonHandler):
        """Answers ``GET /columns`` and ``POST /predict``."""

        def do_GET(self):
            """Names of the columns, and the levels of categorical ones."""
            if self.path != "/columns":
                return self.answer(404, {"detail": f"There is no {self.path}."})
            columns = {
                column.name: None if column.is_numeric else list(column.levels)
                for column in scorer.spec.columns
            }
            return self.answer(200, columns)

        def do_POST(self):
            """Probability of each class for each row."""
            body = self.body()
            if body is None:
                return None
            if self.path != "/predict":
                return self.answer(404, {"detail": f"There is no {self.path}."})
            try:
                probabilities = scorer.predict_proba(json.loads(body))
            except (RecursionError, TypeError, ValueError) as error:
                return self.answer(422, {"detail": str(error)})
            rows = probabilities.tolist()
            answer = [dict(zip(classes, row, strict=True)) for row in rows]
            return self.answer(200, answer)

    return Handler


def main():
    """Read the arguments and serve until stopped."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", help="model, as DistilledClassifier.export writes it")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    arguments = parser.parse_args()
    address = (arguments.host, arguments.port)
    with ThreadingHTTPServer(address, handler_of(arguments.path)) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
