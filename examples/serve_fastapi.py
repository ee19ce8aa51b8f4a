"""Serve a distilled model over HTTP with FastAPI.

    pip install fastapi uvicorn skdistill
    python examples/serve_fastapi.py fraud.skd --port 8000

    curl -s localhost:8000/predict -H 'content-type: application/json' \
        -d '[{"age": 39, "job": "clerk"}]'

The answer holds, for each row, a probability for each class, or the number that a
regressor predicts. Scoring imports numpy and
the runtime only; the documentation of the service is at ``/docs``.
"""

import argparse

import uvicorn
from fastapi import FastAPI, HTTPException
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from skdistill.runtime import load

LARGEST_REQUEST = 10_000_000
"""Bytes of a request that are read at most."""


def create_app(path):
    """Return the application that serves the model of a file."""
    scorer = load(path)
    app = FastAPI(title="skdistill", description=f"Scores rows with {path}.")

    @app.middleware("http")
    async def limit(request, call_next):
        """Refuse what is too large, or does not say how large it is."""
        if "transfer-encoding" in request.headers:
            return JSONResponse({"detail": "Content-Length is missing."}, 411)
        if int(request.headers.get("content-length", "0")) > LARGEST_REQUEST:
            return JSONResponse({"detail": "The request is too large."}, 413)
        return await call_next(request)

    @app.exception_handler(RequestValidationError)
    async def refuse(request, error):
        """Answer without what was sent, which JSON need not be able to hold."""
        details = [f"{found['loc']}: {found['msg']}" for found in error.errors()]
        return JSONResponse({"detail": details}, 422)

    @app.get("/columns")
    def columns() -> dict[str, list[str] | None]:
        """Names of the columns, and the levels of categorical ones."""
        return {
            column.name: None if column.is_numeric else list(column.levels)
            for column in scorer.spec.columns
        }

    @app.post("/predict")
    def predict(rows: list[dict[str, int | float | str | bool | None]]) -> list:
        """Probability of each class, or the predicted number, for each row."""
        try:
            if scorer.classes_ is None:
                return scorer.predict(rows).tolist()
            probabilities = scorer.predict_proba(rows).tolist()
        except (TypeError, ValueError) as error:
            raise HTTPException(422, str(error)) from error
        classes = [str(label) for label in scorer.classes_]
        return [dict(zip(classes, row, strict=True)) for row in probabilities]

    return app


def main():
    """Read the arguments and serve until stopped."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", help="model, as the export of a model writes it")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    arguments = parser.parse_args()
    uvicorn.run(create_app(arguments.path), host=arguments.host, port=arguments.port)


if __name__ == "__main__":
    main()
