"""The ensemble that teaches where nobody has brought a teacher."""

from typing import Any

from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from ._columns import column_names, is_frame, number_columns

N_ESTIMATORS = 500

LIGHTGBM: dict[str, Any] = {
    "learning_rate": 0.05,
    "reg_lambda": 1.0,
    "subsample": 0.8,
    "subsample_freq": 1,
    "colsample_bytree": 0.8,
    "n_jobs": 1,
    "verbose": -1,
}

REFUSED = frozenset('",:[]{}')
"""Characters of JSON, which LightGBM takes in no name of a column."""


def default_classifier(X, n_estimators=N_ESTIMATORS, random_state=0):
    """Return an unfitted LightGBM ensemble for classes.

    Parameters
    ----------
    X : array or frame of shape (n_samples, n_features)
        The table that it will be fitted on; only its names of columns are read.
    n_estimators : int, default=500
        Number of trees (of each class, if there are more than two).
    random_state : int, default=0
        Its seed.

    Returns
    -------
    lightgbm.LGBMClassifier or sklearn.pipeline.Pipeline
        One that ends in it, where LightGBM refuses the names of the columns.
    """
    from lightgbm import LGBMClassifier

    settings = {"n_estimators": n_estimators, "random_state": random_state, **LIGHTGBM}
    return _for_names(LGBMClassifier(**settings), X)


def default_regressor(X, n_estimators=N_ESTIMATORS, random_state=0):
    """Return an unfitted LightGBM ensemble for numbers.

    With the parameters of `default_classifier`, and as it where names are refused.
    """
    from lightgbm import LGBMRegressor

    settings = {"n_estimators": n_estimators, "random_state": random_state, **LIGHTGBM}
    return _for_names(LGBMRegressor(**settings), X)


def _for_names(ensemble, X):
    # Spaces become underscores in LightGBM, and no two names may be the same then.
    names = (
        [str(name).replace(" ", "_") for name in column_names(X)] if is_frame(X) else []
    )
    if len(set(names)) == len(names) and REFUSED.isdisjoint("".join(names)):
        return ensemble
    return make_pipeline(FunctionTransformer(number_columns), ensemble)
