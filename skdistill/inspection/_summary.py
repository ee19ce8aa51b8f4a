"""What was distilled into what, and on which rows that is looked at."""

import os
import platform
from datetime import UTC, datetime

import numpy as np
from sklearn.frozen import FrozenEstimator

from .._columns import MISSING, iterate_columns
from .._kinds import as_given
from .._version import __version__
from ..conversion import to_spec
from ..runtime import NetworkSpec

MOST_COLUMNS = 20
"""Columns with missing values that are named."""


def convert(model):
    """Return a fitted model as plain arrays, or None where that is not possible."""
    while isinstance(model, FrozenEstimator):
        model = model.estimator
    try:
        return to_spec(model)
    except TypeError:
        return None


def describe_model(model, spec):
    """Return what a fitted model is: its kind, its parameters, and its size.

    Parameters
    ----------
    model : estimator
        Fitted.
    spec : skdistill.runtime.ModelSpec or None
        What `convert` has made of it.

    Returns
    -------
    dict of str to str
        Of the parameters those that are no defaults.
    """
    model = as_given(model)
    inner = model
    while isinstance(inner, FrozenEstimator):
        inner = as_given(inner.estimator)
    return {
        "kind": type(inner).__name__,
        "parameters": " ".join(repr(model).split()),
        "size": "" if spec is None else _describe_predictor(spec.predictor),
    }


def _describe_predictor(predictor):
    if isinstance(predictor, NetworkSpec):
        units = [f"{weights.shape[1]}" for weights in predictor.weights]
        arrays = (*predictor.weights, *predictor.biases)
        n_numbers = sum(array.size for array in arrays)
        inputs = predictor.weights[0].shape[0]
        layers = " - ".join([str(inputs), *units])
        return f"network {layers} (inputs - units), {n_numbers:,} numbers"
    n_trees, n_leaves = len(predictor.roots), len(predictor.leaves)
    trees = "1 tree" if n_trees == 1 else f"{n_trees:,} trees"
    return f"{trees}, {n_leaves:,} leaves"


def describe_settings(model):
    """Return how a model was distilled, by names of parameters.

    Parameters
    ----------
    model : DistilledClassifier or DistilledRegressor
        Fitted.

    Returns
    -------
    dict of str to str
        Without what the model does not have.
    """
    names = ("temperature", "alpha", "loss", "cv", "augmenter", "calibrate")
    found = {}
    for name in names:
        if hasattr(model, name):
            found[name] = " ".join(str(getattr(model, name)).split())
    if hasattr(model, "alpha_"):
        found["alpha"] = f"{model.alpha_:.3g}"
    if hasattr(model, "calibration_temperature_"):
        found["calibration temperature"] = f"{model.calibration_temperature_:.4g}"
    return found


def describe_data(X, pair):
    """Return what the rows of a report are.

    Parameters
    ----------
    X : ndarray, sparse matrix or frame of shape (n_samples, n_columns)
        Rows that weigh anything.
    pair : ClassifierPair or RegressorPair
        The same rows.

    Returns
    -------
    dict
        Rows, columns by kind, missing values, and classes with their shares.
    """
    numeric, missing = 0, {}
    for column, values in iterate_columns(X):
        numeric += column.is_numeric
        gaps = np.isnan(values) if column.is_numeric else values == MISSING
        if gaps.any():
            missing[column.name] = float(np.average(gaps, weights=pair.weights))
    most = sorted(missing, key=missing.__getitem__, reverse=True)[:MOST_COLUMNS]
    data = {
        "rows": X.shape[0],
        "numeric_columns": numeric,
        "categorical_columns": X.shape[1] - numeric,
        "weighted": bool(np.ptp(pair.weights) > 0),
        "columns_with_missing": len(missing),
        "missing": {name: missing[name] for name in most},
    }
    if pair.task == "classification":
        counts = np.bincount(pair.labels, minlength=len(pair.classes))
        mass = np.bincount(pair.labels, pair.weights, len(pair.classes))
        shares = mass / mass.sum()
        names = [str(label) for label in pair.classes]
        data["classes"] = [
            {"name": name, "rows": int(n_rows), "share": float(share)}
            for name, n_rows, share in zip(names, counts, shares, strict=True)
        ]
    else:
        mean = np.average(pair.outcome, weights=pair.weights)
        data["target"] = {
            "mean": float(mean),
            "smallest": float(pair.outcome.min()),
            "largest": float(pair.outcome.max()),
        }
    return data


def describe_origin():
    """Return when, by what and where a report was made.

    Returns
    -------
    dict of str to str
    """
    return {
        "created": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "skdistill": __version__,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
    }
