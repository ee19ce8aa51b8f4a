"""What is known about classifiers of LightGBM."""

import numpy as np
from sklearn.utils.validation import has_fit_parameter

from .._columns import arrow_columns_without_numbers

LOG_ODDS = ("binary", "cross_entropy", "multiclass")
"""Objectives whose raw scores are log-odds."""


def read_header(booster):
    """Return keys and values at the top of a booster's text.

    Parameters
    ----------
    booster : lightgbm.Booster
        A trained one.

    Returns
    -------
    dict of str
    """
    text = booster.model_to_string(num_iteration=1).partition("\nTree=")[0]
    return {
        key: value
        for key, _, value in (line.partition("=") for line in text.splitlines())
    }


def find_objective(header):
    """Return the objective that a header names, "none" for one of the user's own."""
    return header.get("objective", "none").partition(" ")[0]


def find_scale(booster, header):
    """Return what raw scores are multiplied by to be natural log-odds.

    The parameter `sigmoid` is no part of them, and ``boosting="rf"`` hands out the
    sum of its trees where it means their average.
    """
    _, _, sigmoid = header["objective"].partition(" sigmoid:")
    scale = float(sigmoid.partition(" ")[0] or 1)
    if "average_output" not in header:
        return scale
    best = booster.best_iteration
    return scale / (best if best > 0 else booster.current_iteration())


def _margins(model, X):
    from lightgbm import LGBMClassifier

    header = read_header(model.booster_)
    objective = find_objective(header)
    if objective not in (*LOG_ODDS, "multiclassova"):
        return None
    # The library's own method: that of a subclass may not know the option.
    raw = LGBMClassifier.predict_proba(model, X, raw_score=True)
    log_odds = raw * find_scale(model.booster_, header)
    if objective == "multiclassova":
        # Logarithms of one-versus-rest probabilities, which need not sum to 1.
        return -np.logaddexp(0, -log_odds)
    return log_odds


def _evaluation(model, X, y, sample_weight):
    names = ("early_stopping_round", "early_stopping_rounds", "n_iter_no_change")
    parameters = model.get_params()
    if not any(parameters.get(name) for name in names):
        raise ValueError(
            f"Got {type(model).__name__} without early_stopping_round, but expected "
            "one that stops early."
        )
    weights = None if sample_weight is None else [sample_weight]
    # LightGBM 4.7 warns of `eval_set`, and older releases do not know the others.
    rows = (
        {"eval_X": X, "eval_y": y}
        if has_fit_parameter(model, "eval_X")
        else {"eval_set": [(X, y)]}
    )
    return {**rows, "eval_sample_weight": weights}


def _check_table(X):
    names = arrow_columns_without_numbers(X)
    if names:
        raise TypeError(
            f"Got the columns {names} of a {type(X).__module__.partition('.')[0]} "
            "frame for a LightGBM model, which would end the process (LightGBM 4.7), "
            "but expected numbers and booleans: convert it with X.to_pandas(), where "
            "categories are read."
        )


CHECK_TABLE = dict.fromkeys(
    ("lightgbm.LGBMClassifier", "lightgbm.LGBMRegressor"), _check_table
)
MARGINS = {"lightgbm.LGBMClassifier": _margins}
EVALUATION = {"lightgbm.LGBMClassifier": _evaluation}
