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


def handler_of(path):
    """Return the class that answers requests with the model of a file."""
    scorer = load(path)
    classes = [str(label) for label in scorer.classes_]

    class Handler(BaseHTTPRequestHandler):
        """Answers ``GET /columns`` and ``POST /predict``."""

        protocol_version = "HTTP/1.1"

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
            if self.path != "/predict":
                return self.answer(404, {"detail": f"There is no {self.path}."})
            length = int(self.headers.get("Content-Length", 0))
            if length > LARGEST_REQUEST:
                self.close_connection = True
                return self.answer(413, {"detail": "The request is too large."})
            try:
                rows = json.loads(self.rfile.read(length))
                probabilities = scorer.predict_proba(rows)
            except (TypeError, ValueError) as error:
                return self.answer(422, {"detail": str(error)})
            answer = [
                dict(zip(classes, row, strict=True)) for row in probabilities.tolist()
            ]
            return self.answer(200, answer)

        def answer(self, status, content):
            """Send an object as JSON."""
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            """Say nothing of single requests."""

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
