"""Distil any trained model into a student small enough to score a row in microseconds.

>>> from sklearn.datasets import make_classification
>>> from sklearn.ensemble import RandomForestClassifier
>>> from skdistill import DistilledClassifier
>>> from skdistill.students import TreeStudentClassifier
>>> X, y = make_classification(random_state=0)
>>> teacher = RandomForestClassifier(random_state=0)
>>> model = DistilledClassifier(teacher, TreeStudentClassifier(max_leaf_nodes=8))
>>> model.fit(X, y).predict_proba(X).shape
(100, 2)
"""

import importlib

from ._version import __version__

__all__ = [
    "DistilledClassifier",
    "DistilledClassifierCV",
    "DistilledRegressor",
    "RegressionTargets",
    "SoftTargets",
    "__version__",
]

_PUBLIC = {
    "DistilledClassifier": "._distilled",
    "DistilledClassifierCV": "._distilled_cv",
    "DistilledRegressor": "._distilled_regressor",
    "RegressionTargets": "._regression_targets",
    "SoftTargets": ".targets",
}


def __getattr__(name):
    # Lazy (PEP 562): a program that only scores pays for nothing else.
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return __all__
