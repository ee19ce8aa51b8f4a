"""From an estimator and data to what a student can trust."""

from ._blending import blended_log_odds, own_share
from ._booster import from_booster
from ._calibration import calibration_temperature
from ._correction import corrected_log_odds
from ._early_stopping import EarlyStoppingTeacher
from ._ensemble import TeacherEnsemble
from ._function import FunctionTeacher
from ._labelling import Labelling, label_rows
from ._predictions import Predictions, predict_rows
from ._prior import prior_shift, undo_prior_shift
from ._residuals import blended_predictions

__all__ = [
    "EarlyStoppingTeacher",
    "FunctionTeacher",
    "Labelling",
    "Predictions",
    "TeacherEnsemble",
    "blended_log_odds",
    "blended_predictions",
    "calibration_temperature",
    "corrected_log_odds",
    "from_booster",
    "label_rows",
    "own_share",
    "predict_rows",
    "prior_shift",
    "undo_prior_shift",
]
