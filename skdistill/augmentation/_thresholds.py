"""The numbers at which a fitted tree ensemble splits each column."""

import json

import numpy as np
from sklearn.frozen import FrozenEstimator


def read_thresholds(teacher, n_columns):
    """Return where a teacher splits each column, or None if it does not tell.

    A row goes to the left if its value is at most the threshold, for all teachers
    alike. Splits by categories are left out.

    Parameters
    ----------
    teacher : fitted estimator, or booster
        Of LightGBM, XGBoost or scikit-learn: trees, and ensembles whose members are
        trees on all columns. Also one of these in a `FrozenEstimator` or in an
        `EarlyStoppingTeacher`, or found by a search.
    n_columns : int
        Columns of the table that the teacher was fitted on.

    Returns
    -------
    list of ndarray, or None
        Sorted distinct thresholds of each column.

    Raises
    ------
    ValueError
        If a teacher whose thresholds can be read was fitted on another number of
        columns.
    """
    teacher = _unwrap(teacher)
    for reader in (_read_lightgbm, _read_xgboost, _read_scikit_learn):
        found = reader(teacher)
        if found is None:
            continue
        n_fitted, splits = found
        if n_fitted != n_columns:
            raise ValueError(
                f"Got a teacher fitted on {n_fitted} columns, but expected "
                f"{n_columns}, those of X."
            )
        return _by_column(splits, n_columns)
    return None


def _unwrap(teacher):
    while True:
        ours = type(teacher).__module__.startswith("skdistill.")
        if isinstance(teacher, FrozenEstimator):
            teacher = teacher.estimator
        elif hasattr(teacher, "best_estimator_"):
            teacher = teacher.best_estimator_
        elif ours and hasattr(teacher, "estimator_"):
            # What codes its labels, or holds rows out to stop early.
            teacher = teacher.estimator_
        else:
            return teacher


def _by_column(splits, n_columns):
    thresholds: list = [[] for _ in range(n_columns)]
    for column, threshold in splits:
        thresholds[column].append(threshold)
    return [np.unique(np.array(values, dtype=np.float64)) for values in thresholds]


def _read_lightgbm(teacher):
    booster = getattr(teacher, "booster_", teacher)
    if not hasattr(booster, "dump_model") or not hasattr(booster, "num_feature"):
        return None
    trees = booster.dump_model()["tree_info"]
    splits = [
        (node["split_feature"], node["threshold"])
        for tree in trees
        for node in _nodes(tree["tree_structure"], ("left_child", "right_child"))
        if node.get("decision_type") == "<="
    ]
    return booster.num_feature(), splits


def _read_xgboost(teacher):
    booster = teacher.get_booster() if hasattr(teacher, "get_booster") else teacher
    if not hasattr(booster, "get_dump") or not hasattr(booster, "num_features"):
        return None
    n_columns = booster.num_features()
    names = booster.feature_names or [f"f{j}" for j in range(n_columns)]
    position = {name: j for j, name in enumerate(names)}
    splits = [
        # Left is what is below, not what is at most, and in single precision.
        (position[node["split"]], np.nextafter(np.float32(threshold), -np.inf))
        for tree in booster.get_dump(dump_format="json")
        for node in _nodes(json.loads(tree), ("children",))
        if isinstance(threshold := node.get("split_condition"), int | float)
    ]
    return n_columns, splits


def _nodes(root, branches):
    """Yield the nodes of a tree of dictionaries, without recursion: it may be deep."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        for branch in branches:
            child = node.get(branch, [])
            waiting.extend(child if isinstance(child, list) else [child])


def _members(teacher):
    """What an ensemble is made of; boosting has them in an array."""
    members = getattr(teacher, "estimators_", [])
    # Not as an array: forests among them are sequences to numpy.
    return list(members.ravel() if isinstance(members, np.ndarray) else members)


def _read_scikit_learn(teacher):
    members = [teacher] if hasattr(teacher, "tree_") else _members(teacher)
    # Members of a bagging see a choice of the columns and count those only.
    on_choices = hasattr(teacher, "estimators_features_")
    if on_choices or not members or not all(hasattr(m, "tree_") for m in members):
        return None
    splits: list = []
    for member in members:
        inner = member.tree_.children_left >= 0
        columns = member.tree_.feature[inner].tolist()
        splits += zip(columns, member.tree_.threshold[inner].tolist(), strict=True)
    return teacher.n_features_in_, splits
