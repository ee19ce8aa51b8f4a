"""What is known about classifiers of scikit-learn, beside their `decision_function`."""

import numpy as np


def _count_trees(model, X):
    members = np.ravel(model.estimators_)
    return len(members) if all(hasattr(m, "tree_") for m in members) else None


def _count_leaf_rows(model, X):
    return model.tree_.n_node_samples[model.apply(X)]


def _count_in_radius(model, X):
    neighbors = model.radius_neighbors(X, return_distance=False)
    # A row without any got the class of outliers, which someone has chosen.
    return np.maximum([len(rows) for rows in neighbors], 1)


def _last_step(model, X):
    if X is not None and len(model.steps) > 1:
        X = model[:-1].transform(X)
    return model.steps[-1][1], X


def _final_estimator(model, X):
    return model.final_estimator_, None if X is None else model.transform(X)


def _evaluation(model, X, y, sample_weight):
    # "auto" stops early from 10,000 rows on, and would leave fewer to no use.
    if model.early_stopping is not True:
        raise ValueError(
            f"Got {type(model).__name__} with early_stopping={model.early_stopping!r}, "
            "but expected one that stops early: early_stopping=True."
        )
    return {"X_val": X, "y_val": y, "sample_weight_val": sample_weight}


VOTES = {
    "sklearn.BaggingClassifier": _count_trees,
    "sklearn.DecisionTreeClassifier": _count_leaf_rows,
    "sklearn.ExtraTreesClassifier": _count_trees,
    "sklearn.KNeighborsClassifier": lambda model, X: model.n_neighbors,
    "sklearn.RadiusNeighborsClassifier": _count_in_radius,
    "sklearn.RandomForestClassifier": _count_trees,
}
WRAPPERS = {
    "sklearn.BaseSearchCV": lambda model, X: (model.best_estimator_, X),
    "sklearn.FixedThresholdClassifier": lambda model, X: (model.estimator_, X),
    "sklearn.FrozenEstimator": lambda model, X: (model.estimator, X),
    "sklearn.Pipeline": _last_step,
    "sklearn.StackingClassifier": _final_estimator,
    "sklearn.TunedThresholdClassifierCV": lambda model, X: (model.estimator_, X),
}
EVALUATION = {"sklearn.HistGradientBoostingClassifier": _evaluation}
