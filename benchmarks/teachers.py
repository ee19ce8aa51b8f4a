"""Where the log-odds of every kind of teacher come from, and how exact they are.

Each teacher is fitted to small tables of two and of three classes. The softmax of its
log-odds on other rows, in float64, is compared with what the teacher predicts itself,
or with what the last column says: smoothed frequencies, rows divided by their sum.

    python benchmarks/teachers.py [--json FILE]

Prints the table of `docs/teachers.md`.
"""

import argparse
import json
import warnings
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
import xgboost
from catboost import CatBoostClassifier
from lightgbm import LGBMClassifier
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_classification
from sklearn.discriminant_analysis import (
    LinearDiscriminantAnalysis,
    QuadraticDiscriminantAnalysis,
)
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, RadiusNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier
from xgboost import XGBClassifier

from skdistill._frequencies import smoothed_proba
from skdistill._kinds import unwrap
from skdistill._log_odds import _choose, classifier_log_odds
from skdistill.teachers import (
    EarlyStoppingTeacher,
    FunctionTeacher,
    TeacherEnsemble,
    from_booster,
)

NAMES = list("abcdef")


def lgbm(n_estimators=20, **parameters):
    return LGBMClassifier(n_estimators=n_estimators, verbose=-1, n_jobs=1, **parameters)


def xgb(n_estimators=20, **parameters):
    return XGBClassifier(n_estimators=n_estimators, n_jobs=1, **parameters)


def catboost(iterations=20, **parameters):
    return CatBoostClassifier(
        iterations=iterations,
        verbose=False,
        allow_writing_files=False,
        thread_count=1,
        **parameters,
    )


def with_columns(classifier):
    """A pipeline that asks for its columns by name."""
    encoder = make_column_transformer(
        (StandardScaler(), ["d", "b"]), remainder="passthrough"
    )
    return make_pipeline(encoder, classifier)


def lightgbm_booster(X, y):
    objective = "binary" if y.max() == 1 else "multiclass"
    parameters = {"objective": objective, "verbose": -1, "num_threads": 1}
    if y.max() > 1:
        parameters["num_class"] = int(y.max()) + 1
    return from_booster(lightgbm.train(parameters, lightgbm.Dataset(X, y), 20))


def xgboost_booster(X, y):
    parameters = {"objective": "multi:softprob", "num_class": int(y.max()) + 1}
    rows = xgboost.DMatrix(X, y)
    return from_booster(xgboost.train({**parameters, "nthread": 1}, rows, 20))


def function(X, y):
    model = LogisticRegression(max_iter=1000).fit(X, y)
    return FunctionTeacher(model.predict_log_proba, np.unique(y), output="log_odds")


RF = {"boosting_type": "rf", "subsample": 0.5, "subsample_freq": 1}
MARGINS = "raw margins"
DECISION = "`decision_function`"
LOGS = "logs of probabilities"
SMOOTHED = "logs of smoothed frequencies"

KINDS = {
    "LGBMClassifier": (lgbm(), MARGINS),
    "LGBMClassifier, sigmoid=2.5": (lgbm(sigmoid=2.5), MARGINS),
    "LGBMClassifier, random forest": (lgbm(**RF), MARGINS),
    "LGBMClassifier, multiclassova": (lgbm(objective="multiclassova"), MARGINS),
    "XGBClassifier": (xgb(), MARGINS),
    "XGBClassifier, dart": (xgb(booster="dart", rate_drop=0.3), MARGINS),
    "XGBClassifier, multi:softmax": (xgb(objective="multi:softmax"), MARGINS),
    "XGBClassifier, binary:logitraw": (xgb(objective="binary:logitraw"), MARGINS),
    "CatBoostClassifier": (catboost(), MARGINS),
    "CatBoostClassifier, MultiClassOneVsAll": (
        catboost(loss_function="MultiClassOneVsAll"),
        MARGINS,
    ),
    "HistGradientBoostingClassifier": (
        HistGradientBoostingClassifier(max_iter=20),
        DECISION,
    ),
    "GradientBoostingClassifier": (GradientBoostingClassifier(), DECISION),
    "AdaBoostClassifier": (AdaBoostClassifier(n_estimators=10), DECISION),
    "LogisticRegression": (LogisticRegression(max_iter=1000), DECISION),
    "SGDClassifier, log_loss": (SGDClassifier(loss="log_loss"), DECISION),
    "LinearDiscriminantAnalysis": (LinearDiscriminantAnalysis(), DECISION),
    "QuadraticDiscriminantAnalysis": (QuadraticDiscriminantAnalysis(), DECISION),
    "LinearSVC": (LinearSVC(), DECISION),
    "SVC": (SVC(), DECISION),
    "RidgeClassifier": (RidgeClassifier(), DECISION),
    "OneVsOneClassifier": (OneVsOneClassifier(LinearSVC()), DECISION),
    "OneVsRestClassifier": (OneVsRestClassifier(lgbm()), LOGS),
    "GaussianNB": (GaussianNB(), LOGS),
    "MLPClassifier": (MLPClassifier(max_iter=100), LOGS),
    "CalibratedClassifierCV": (CalibratedClassifierCV(LinearSVC()), LOGS),
    "VotingClassifier, soft": (
        VotingClassifier([("lgbm", lgbm()), ("nb", GaussianNB())], voting="soft"),
        LOGS,
    ),
    "StackingClassifier": (
        StackingClassifier([("lgbm", lgbm()), ("nb", GaussianNB())]),
        DECISION,
    ),
    "StackingClassifier, LGBMClassifier on top": (
        StackingClassifier([("nb", GaussianNB())], lgbm()),
        MARGINS,
    ),
    "RandomForestClassifier": (RandomForestClassifier(20), SMOOTHED),
    "ExtraTreesClassifier": (ExtraTreesClassifier(20), SMOOTHED),
    "BaggingClassifier of trees": (BaggingClassifier(), SMOOTHED),
    "DecisionTreeClassifier": (DecisionTreeClassifier(), SMOOTHED),
    "KNeighborsClassifier": (KNeighborsClassifier(), SMOOTHED),
    "RadiusNeighborsClassifier": (RadiusNeighborsClassifier(5.0), SMOOTHED),
    "Pipeline by column names, LGBMClassifier": (with_columns(lgbm()), MARGINS),
    "Pipeline by column names, XGBClassifier": (with_columns(xgb()), MARGINS),
    "Pipeline by column names, CatBoostClassifier": (with_columns(catboost()), MARGINS),
    "Pipeline by column names, KNeighborsClassifier": (
        with_columns(KNeighborsClassifier()),
        SMOOTHED,
    ),
    "GridSearchCV of LGBMClassifier": (
        GridSearchCV(lgbm(), {"num_leaves": [4, 8]}, cv=2),
        MARGINS,
    ),
    "FrozenEstimator of XGBClassifier": (
        lambda X, y: FrozenEstimator(xgb().fit(X, y)),
        MARGINS,
    ),
    "EarlyStoppingTeacher of LGBMClassifier": (
        EarlyStoppingTeacher(lgbm(200, early_stopping_round=3)),
        MARGINS,
    ),
    "EarlyStoppingTeacher of XGBClassifier": (
        EarlyStoppingTeacher(xgb(200, early_stopping_rounds=3)),
        MARGINS,
    ),
    "EarlyStoppingTeacher of CatBoostClassifier": (
        EarlyStoppingTeacher(catboost(200, early_stopping_rounds=3)),
        MARGINS,
    ),
    "TeacherEnsemble": (TeacherEnsemble([lgbm(), GaussianNB()]), DECISION),
    "TeacherEnsemble of probabilities": (
        TeacherEnsemble([xgb(), KNeighborsClassifier()], average="proba"),
        DECISION,
    ),
    "from_booster, LightGBM": (lightgbm_booster, DECISION),
    "from_booster, XGBoost": (xgboost_booster, DECISION),
    "FunctionTeacher, log-odds": (function, DECISION),
}
"""Teachers, or what makes one of rows and labels, and where log-odds come from."""

ONE_CASE = {
    "LGBMClassifier, sigmoid=2.5": 2,
    "LGBMClassifier, multiclassova": 3,
    "XGBClassifier, binary:logitraw": 2,
    "XGBClassifier, multi:softmax": 3,
    "CatBoostClassifier, MultiClassOneVsAll": 3,
    "OneVsOneClassifier": 3,
}
"""Kinds that are for so many classes only."""

OTHER_SOURCES = {
    ("AdaBoostClassifier", 3): LOGS,
    ("SGDClassifier, log_loss", 3): LOGS,
    ("OneVsRestClassifier", 2): DECISION,
}
"""Where it depends on the number of classes: one-versus-rest scores are no log-odds."""


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    runs = [measure(name, n_classes) for name, n_classes in cases()]
    print("| teacher | its log-odds come from | largest difference | to |")
    print("|---|---|---|---|")
    for name in KINDS:
        print(describe([run for run in runs if run["teacher"] == name]))
    if arguments.json:
        arguments.json.write_text(json.dumps(runs, indent=1))


def describe(runs):
    """A line of the table: two and three classes together."""
    sources = [run["source"] for run in runs]
    source = sources[0]
    if len(set(sources)) > 1:
        source = f"{sources[0]} (two classes), {sources[1]} (more)"
    differences = [run["difference"] for run in runs]
    largest = (
        "" if None in differences else f"{max(differences):.0e}".replace("0e+00", "0")
    )
    return f"| {runs[0]['teacher']} | {source} | {largest} | {runs[0]['reference']} |"


def cases():
    """Names and numbers of classes of all that is measured."""
    for name in KINDS:
        for n_classes in (2, 3):
            if ONE_CASE.get(name, n_classes) == n_classes:
                yield name, n_classes


def make_table(n_classes, n_rows=600):
    """Rows to fit on, their labels, and other rows."""
    X, y = make_classification(
        n_rows,
        len(NAMES),
        n_informative=4,
        n_redundant=0,
        n_classes=n_classes,
        flip_y=0.1,
        random_state=0,
    )
    X = pd.DataFrame(X, columns=NAMES)
    return X[: n_rows // 2], y[: n_rows // 2], X[n_rows // 2 :]


def make_teacher(name, X, y):
    """A fitted teacher."""
    teacher, _ = KINDS[name]
    if not hasattr(teacher, "fit"):
        return teacher(X, y)
    # XGBoost remembers the objective of an earlier fit.
    teacher = clone(teacher)
    if "random_state" in teacher.get_params():
        teacher.set_params(random_state=0)
    return teacher.fit(X, y)


def measure(name, n_classes):
    X, y, X_test = make_table(n_classes)
    teacher = make_teacher(name, X, y)
    log_odds = classifier_log_odds(teacher, X_test, teacher.classes_)
    reference, expected = find_reference(teacher, X_test)
    return {
        "teacher": name,
        "classes": n_classes,
        "source": find_source(teacher, X_test),
        "reference": reference,
        "difference": None
        if expected is None
        else float(np.abs(np.exp(log_odds) - expected).max()),
    }


def find_reference(teacher, X):
    """What log-odds are compared with, by name and as an array."""
    if not hasattr(teacher, "predict_proba") or (
        getattr(unwrap(teacher)[0], "objective", None) == "binary:logitraw"
    ):
        return "", None
    proba = np.asarray(teacher.predict_proba(X), dtype=float)
    smoothed = smoothed_proba(teacher, X, proba)
    if smoothed is not proba:
        return "smoothed frequencies", smoothed
    sums = proba.sum(axis=1, keepdims=True)
    if np.abs(sums - 1).max() > 1e-3:
        return "`predict_proba` divided by its sum", proba / sums
    return "`predict_proba`", proba


def find_source(teacher, X):
    """Where the log-odds of a fitted teacher come from."""
    read, _ = _choose(teacher, X, True)
    if read.func.__name__ == "_margins":
        return MARGINS
    if read.func.__name__ == "_decision":
        return DECISION
    proba = teacher.predict_proba(X)
    return LOGS if smoothed_proba(teacher, X, proba) is proba else SMOOTHED


if __name__ == "__main__":
    main()
