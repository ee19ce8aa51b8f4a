"""What is known about classifiers of CatBoost."""

import numpy as np


def _margins(model, X):
    from catboost import CatBoostClassifier

    # Of the trees that are left after early stopping, as the probabilities are.
    raw = CatBoostClassifier.predict(model, X, prediction_type="RawFormulaVal")
    if model.get_all_params().get("loss_function") == "MultiClassOneVsAll":
        # Logarithms of one-versus-rest probabilities, which need not sum to 1.
        return -np.logaddexp(0, -raw)
    return raw


def _evaluation(model, X, y, sample_weight):
    from catboost import Pool

    names = ("early_stopping_rounds", "od_type", "od_wait", "od_pval", "use_best_model")
    parameters = model.get_params()
    if not any(parameters.get(name) for name in names):
        raise ValueError(
            f"Got {type(model).__name__} without early_stopping_rounds, but expected "
            "one that stops early."
        )
    columns = {
        name: parameters.get(name)
        for name in ("cat_features", "text_features", "embedding_features")
    }
    return {"eval_set": Pool(X, y, weight=sample_weight, **columns)}


MARGINS = {"catboost.CatBoostClassifier": _margins}
EVALUATION = {"catboost.CatBoostClassifier": _evaluation}
