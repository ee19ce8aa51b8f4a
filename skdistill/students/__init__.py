"""Small classifiers that learn from labels or from a teacher's soft targets.

Each is a complete scikit-learn estimator. `as_student` turns estimators of other
libraries into students.
"""

from ._adapting import as_student
from ._base import StudentClassifier
from ._boosted import BoostedStudentClassifier
from ._encoder import TabularEncoder
from ._mlp import MLPStudentClassifier
from ._ordering import OrderingEncoder
from ._regression import LogOddsStudentClassifier
from ._skorch import SkorchStudentClassifier
from ._tree import TreeStudentClassifier
from ._weighted import WeightedStudentClassifier

__all__ = [
    "BoostedStudentClassifier",
    "LogOddsStudentClassifier",
    "MLPStudentClassifier",
    "OrderingEncoder",
    "SkorchStudentClassifier",
    "StudentClassifier",
    "TabularEncoder",
    "TreeStudentClassifier",
    "WeightedStudentClassifier",
    "as_student",
]
