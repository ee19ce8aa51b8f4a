"""Serve a distilled model over HTTP with FastAPI.

    pip install fastapi uvicorn skdistill
    python examples/serve_fastapi.py fraud.skd --port 8000

    curl -s localhost:8000/predict -H 'content-type: application/json' \
        -d '[{"age": 39, "job": "clerk"}]'

The answer holds, for each row, a probability for each class. Scoring imports numpy and
the runtime only; the documentation of the service is at ``/docs``.
"""

import argparse

import uvicorn
from fastapi import FastAPI, HTTPException

from skdistill.runtime import load


def create_app(path):
    """Return the application that serves the model of a file."""
    scorer = load(path)
    classes = [str(label) for label in scorer.classes_]
    app = FastAPI(title="skdistill", description=f"Scores rows with {path}.")

    @app.get("/columns")
    def columns() -> dict[str, list[str] | None]:
        """Names of the columns, and the levels of categorical ones."""
        return {
            column.name: None if column.is_numeric else list(column.levels)
            for column in scorer.spec.columns
        }

    @app.post("/predict")
    def predict(rows: list[dict[str, float | str | bool | None]]) -> list[dict]:
        """Probability of each class for each row."""
        try:
            probabilities = scorer.predict_proba(rows)
        except (TypeError, ValueError) as error:
            raise HTTPException(422, str(error)) from error
        return [dict(zip(classes, row, strict=True)) for row in probabilities.tolist()]

    return app


def main():
    """Read the arguments and serve until stopped."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", help="model, as DistilledClassifier.export writes it")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    arguments = parser.parse_args()
    uvicorn.run(create_app(arguments.path), host=arguments.host, port=arguments.port)


if __name__ == "__main__":
    main()
