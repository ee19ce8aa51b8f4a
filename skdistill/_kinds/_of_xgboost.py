"""What is known about classifiers of XGBoost."""

import numpy as np

NO_DISTRIBUTION = ("binary:hinge", "binary:logitraw")
"""Objectives for which `predict_proba` returns decisions, or margins z as (1 - z, z).

Margins of the hinge loss are no log-odds, but like those of a support vector machine
become such by calibration."""


def _margins(model, X):
    from xgboost import XGBClassifier

    # Of the best iteration, as the probabilities are, and with the base score.
    margins = XGBClassifier.predict(model, X, output_margin=True)
    return np.asarray(margins, dtype=np.float64)


def _evaluation(model, X, y, sample_weight):
    if not model.early_stopping_rounds and not model.callbacks:
        raise ValueError(
            f"Got {type(model).__name__} without early_stopping_rounds, but expected "
            "one that stops early."
        )
    return {
        "eval_set": [(X, y)],
        "sample_weight_eval_set": None if sample_weight is None else [sample_weight],
        "verbose": False,
    }


MARGINS = {"xgboost.XGBClassifier": _margins}
WITHOUT_PROBA = {
    "xgboost.XGBClassifier": lambda model: model.objective in NO_DISTRIBUTION
}
NEEDS_CODES = {"xgboost.XGBClassifier": True}
EVALUATION = {"xgboost.XGBClassifier": _evaluation}
