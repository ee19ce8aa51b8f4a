"""From an estimator and data to log-odds that a student can trust."""

from ._blending import blended_log_odds, own_share
from ._booster import from_booster
from ._calibration import calibration_temperature
from ._correction import corrected_log_odds
from ._function import FunctionTeacher
from ._labelling import Labelling, label_rows

__all__ = [
    "FunctionTeacher",
    "Labelling",
    "blended_log_odds",
    "calibration_temperature",
    "corrected_log_odds",
    "from_booster",
    "label_rows",
    "own_share",
]
