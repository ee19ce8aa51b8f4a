"""Small models that learn from labels or from what a teacher says.

Each is a complete scikit-learn estimator. `as_student` turns estimators of other
libraries into students of classes, `as_student_regressor` into students of numbers.
"""

from ._adapted_regressor import AdaptedStudentRegressor, as_student_regressor
from ._adapting import as_student
from ._base import StudentClassifier
from ._boosted import BoostedStudentClassifier
from ._boosted_regressor import BoostedStudentRegressor
from ._encoder import TabularEncoder
from ._mlp import MLPStudentClassifier
from ._mlp_regressor import MLPStudentRegressor
from ._ordering import OrderingEncoder
from ._regression import LogOddsStudentClassifier
from ._regressor import StudentRegressor
from ._skorch import SkorchStudentClassifier
from ._tree import TreeStudentClassifier
from ._tree_regressor import TreeStudentRegressor
from ._weighted import WeightedStudentClassifier

__all__ = [
    "AdaptedStudentRegressor",
    "BoostedStudentClassifier",
    "BoostedStudentRegressor",
    "LogOddsStudentClassifier",
    "MLPStudentClassifier",
    "MLPStudentRegressor",
    "OrderingEncoder",
    "SkorchStudentClassifier",
    "StudentClassifier",
    "StudentRegressor",
    "TabularEncoder",
    "TreeStudentClassifier",
    "TreeStudentRegressor",
    "WeightedStudentClassifier",
    "as_student",
    "as_student_regressor",
]
