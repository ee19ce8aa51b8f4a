"""What a model costs in production: time and bytes, measured here and now."""

import pickle
import tempfile
import time
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from scipy.sparse import issparse
from sklearn.pipeline import Pipeline

from .._columns import column_names, is_frame, row_dictionaries, take_rows
from .._student_columns import select_columns
from ..conversion._students import with_names_of
from ..runtime import ModelSpec, load, save
from ._predictions import as_table

MOST_CALLS = 200
MOST_BATCHES = 3
SECONDS = 1.0
"""A model is called so often, or until the time is over."""

N_ROWS = 20
"""Different rows that are scored one at a time."""

BATCH_ROWS = 10_000


@dataclass(frozen=True)
class Cost:
    """What it costs to score rows by a model on this machine.

    Parameters
    ----------
    one_row_us : float
        Median time to score one row, in microseconds.
    rows_per_second : float
        How many rows a second are scored together.
    size_kb : float or None
        Units of 1000 bytes of the file; ``None`` for what cannot be pickled.
    runtime : str
        What scored them: ``"skdistill.runtime"``, or the model's own method.

    Examples
    --------
    >>> from skdistill.inspection import Cost
    >>> Cost(0.5, 8e6, 40.0, "skdistill.runtime").size_kb
    40.0
    """

    one_row_us: float
    rows_per_second: float
    size_kb: float | None
    runtime: str


def measure_cost(model, X):
    """Measure latency, throughput and size of a fitted model.

    What has a `to_spec` (students, and `skdistill.conversion.to_spec` makes one of
    other tree ensembles) is written to a ``.skd`` file and scored by
    `skdistill.runtime`, one row at a time as a dictionary or an array. Anything else
    is scored by its own `predict_proba` or `predict`, and its size is that of its
    pickle. Up to 20 different rows take turns, 200 calls or one second long.

    Parameters
    ----------
    model : fitted estimator, or skdistill.runtime.ModelSpec
        Of a `DistilledClassifier` the student counts.
    X : array-like or frame of shape (n_samples, n_features)
        Rows to score, of which at most 10,000 are used.

    Returns
    -------
    Cost

    Raises
    ------
    TypeError
        If the model predicts nothing.
    ValueError
        If there are no rows.

    Notes
    -----
    Times are those of the machine as busy as it is, in one thread of Python.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdistill.inspection import measure_cost
    >>> from skdistill.students import TreeStudentClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> student = TreeStudentClassifier(max_leaf_nodes=4).fit(X, y)
    >>> measure_cost(student, X).runtime
    'skdistill.runtime'
    """
    X = as_table(X)
    if not X.shape[0]:
        raise ValueError("Got no rows, but expected at least one.")
    X = take_rows(X, np.arange(min(X.shape[0], BATCH_ROWS)))
    if getattr(model, "student_columns_", None) is not None:
        X = select_columns(model, X)
    model = getattr(model, "student_", model)
    spec = _spec(model, X)
    if spec is None:
        predict, runtime = own_method(model)
        size, rows = _pickled_size(model), _rows(X)
        batch = predict
    else:
        predict, size = _exported(spec)
        runtime, rows = "skdistill.runtime", _plain_rows(X)
        # Only a student can read arrays of strings and sparse matrices.
        readable = _is_readable(X) or isinstance(model, ModelSpec)
        batch = predict if readable else own_method(model)[0]
    one = _median_seconds(predict, rows, MOST_CALLS)
    many = _median_seconds(batch, [X], MOST_BATCHES)
    return Cost(one * 1e6, X.shape[0] / many, size, runtime)


def own_method(model):
    """Return how a model predicts, and the name of the method."""
    for name in ("predict_proba", "decision_function", "predict"):
        if hasattr(model, name):
            return getattr(model, name), name
    raise TypeError(
        f"Got {type(model).__name__}, which predicts nothing, but expected a fitted "
        "model."
    )


def spec_for(spec, X):
    """Return a model with the names that the columns of a frame have."""
    return with_names_of(spec, column_names(X)) if is_frame(X) else spec


def _spec(model, X):
    if isinstance(model, ModelSpec):
        return spec_for(model, X)
    if isinstance(model, Pipeline) or not hasattr(model, "to_spec"):
        return None
    try:
        return model.to_spec()
    except TypeError:  # a student of a kind that cannot be exported
        return None


def _exported(spec):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.skd"
        save(spec, path)
        size, scorer = path.stat().st_size / 1000, load(path)
    regressor = getattr(spec, "is_regressor", False)
    return (scorer.predict if regressor else scorer.predict_proba), size


def _pickled_size(model):
    try:
        return len(pickle.dumps(model)) / 1000
    except (AttributeError, TypeError, pickle.PicklingError):
        return None


def _rows(X):
    return [take_rows(X, np.arange(i, i + 1)) for i in range(min(N_ROWS, X.shape[0]))]


def _plain_rows(X):
    """Return single rows as a service would have them: no frames."""
    first = take_rows(X, np.arange(min(N_ROWS, X.shape[0])))
    if is_frame(X):
        return row_dictionaries(first)
    if issparse(X):
        return list(first.toarray()[:, None])
    if X.dtype.kind in "OUS":
        names = [f"x{j}" for j in range(X.shape[1])]
        return [dict(zip(names, row, strict=True)) for row in first.tolist()]
    return list(first.astype(np.float64)[:, None])


def _is_readable(X):
    return is_frame(X) or (not issparse(X) and X.dtype.kind not in "OUS")


def _median_seconds(predict, tables, most_calls):
    """Median time of calls; the first one counts only if time is over with it."""
    seconds: list[float] = []
    begin = time.perf_counter()
    for table in islice(cycle(tables), most_calls + 1):
        start = time.perf_counter()
        predict(table)
        now = time.perf_counter()
        seconds.append(now - start)
        if now - begin > SECONDS:
            break
    return float(np.median(seconds[1:] or seconds))
