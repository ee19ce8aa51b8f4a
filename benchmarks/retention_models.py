"""Teachers, students and baselines of the retention benchmark."""

import numpy as np
from lightgbm import LGBMClassifier
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import ParameterGrid, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from skdistill._columns import take_rows
from skdistill.students import (
    BoostedStudentClassifier,
    MLPStudentClassifier,
    TreeStudentClassifier,
)

NETWORKS = {
    "mlp 2x32": (32, 32),
    "mlp 2x64": (64, 64),
    "mlp 3x64": (64, 64, 64),
    "mlp 2x128": (128, 128),
    "mlp 3x128": (128, 128, 128),
}
# 1,000 rounds of a tree for each of 26 classes would take hours.
OVERFITTED_ROUNDS = {2: 1000}
OVERFITTED_ROUNDS_OF_MANY_CLASSES = 150
NETWORK_GRID = {"learning_rate": [0.002, 0.008], "weight_decay": [0.01, 0.1, 0.5, 1.5]}
BOOSTING_GRID = {"learning_rate": [0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5]}


def make_teacher(name, n_classes):
    return TEACHERS[name](n_classes)


def regularised(n_classes):
    return LGBMClassifier(
        n_estimators=300,
        num_leaves=31,
        learning_rate=0.05,
        reg_lambda=1.0,
        subsample=0.8,
        subsample_freq=1,
        colsample_bytree=0.8,
        min_child_weight=0.01,
        n_jobs=1,
        random_state=0,
        verbose=-1,
    )


def overfitted(n_classes):
    return LGBMClassifier(
        n_estimators=OVERFITTED_ROUNDS.get(
            n_classes, OVERFITTED_ROUNDS_OF_MANY_CLASSES
        ),
        num_leaves=127,
        learning_rate=0.1,
        n_jobs=1,
        random_state=0,
        verbose=-1,
    )


def forest(n_classes):
    return make_pipeline(
        _ordinal(), RandomForestClassifier(200, n_jobs=1, random_state=0)
    )


def voting(n_classes):
    trees = ExtraTreesClassifier(200, min_samples_leaf=2, n_jobs=1, random_state=0)
    members = {
        "boosting": regularised(n_classes),
        "trees": make_pipeline(_ordinal(), trees),
        "linear": make_pipeline(_one_hot(), LogisticRegression(max_iter=500)),
    }
    return VotingClassifier(list(members.items()), voting="soft")


TEACHERS = {
    "regularised": regularised,
    "overfitted": overfitted,
    "forest": forest,
    "voting": voting,
}


def _numbers():
    return make_column_selector(dtype_include="number")


def _categories():
    return make_column_selector(dtype_exclude="number")


def _ordinal():
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    medians = SimpleImputer(strategy="median", keep_empty_features=True)
    return make_column_transformer((codes, _categories()), (medians, _numbers()))


def _one_hot():
    levels = OneHotEncoder(handle_unknown="ignore", min_frequency=10)
    medians = SimpleImputer(strategy="median", keep_empty_features=True)
    scaled = make_pipeline(medians, StandardScaler())
    return make_column_transformer((levels, _categories()), (scaled, _numbers()))


class Chosen:
    """A model on labels whose settings are chosen on an inner validation part."""

    def __init__(self, model, grid):
        self.model, self.grid = model, grid

    def fit(self, X, y):
        """Choose by log-loss on a fifth of the rows, and fit again on all of them."""
        train, valid = train_test_split(
            np.arange(len(y)), test_size=0.2, random_state=0, stratify=y
        )
        parts = take_rows(X, train), y[train], take_rows(X, valid), y[valid]
        candidates = list(ParameterGrid(self.grid))
        losses = [self._loss(candidate, *parts) for candidate in candidates]
        best = candidates[int(np.argmin(losses))]
        return self.model.set_params(**best).fit(X, y)

    def _loss(self, candidate, X, y, X_valid, y_valid):
        model = self.model.set_params(**candidate).fit(X, y)
        proba = model.predict_proba(X_valid)
        return log_loss(y_valid, proba, labels=model.classes_)


def _network(name):
    sizes = NETWORKS[name]
    return lambda seed: MLPStudentClassifier(sizes, random_state=seed)


def _chosen_network(name):
    sizes = NETWORKS[name]
    return lambda seed: Chosen(
        MLPStudentClassifier(sizes, random_state=seed), NETWORK_GRID
    )


STUDENTS = {
    **{name: _network(name) for name in NETWORKS},
    "tree 64": lambda seed: TreeStudentClassifier(random_state=seed),
    "boosted 30x31": lambda seed: BoostedStudentClassifier(random_state=seed),
}


def lightgbm_on_labels(seed):
    model = LGBMClassifier(
        n_estimators=30, num_leaves=31, n_jobs=1, random_state=seed, verbose=-1
    )
    return Chosen(model, BOOSTING_GRID)


BASELINES = {
    **{name: _chosen_network(name) for name in NETWORKS},
    "tree 64": lambda seed: TreeStudentClassifier(random_state=seed),
    "boosted 30x31": lightgbm_on_labels,
}
