"""From an estimator and data to what a student can trust."""

from ._blending import blended_log_odds, own_share
from ._booster import from_booster
from ._calibration import calibration_temperature
from ._function import FunctionTeacher
from ._labelling import Labelling, label_rows
from ._predictions import Predictions, predict_rows
from ._residuals import blended_predictions

__all__ = [
    "FunctionTeacher",
    "Labelling",
    "Predictions",
    "blended_log_odds",
    "blended_predictions",
    "calibration_temperature",
    "from_booster",
    "label_rows",
    "own_share",
    "predict_rows",
]
