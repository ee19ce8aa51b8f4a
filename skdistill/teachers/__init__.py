"""From an estimator and data to log-odds that a student can trust."""

from ._blending import blended_log_odds, own_share
from ._booster import from_booster
from ._calibration import calibration_temperature
from ._correction import corrected_log_odds
from ._early_stopping import EarlyStoppingTeacher
from ._ensemble import TeacherEnsemble
from ._function import FunctionTeacher
from ._labelling import Labelling, label_rows
from ._prior import prior_shift, undo_prior_shift

__all__ = [
    "EarlyStoppingTeacher",
    "FunctionTeacher",
    "Labelling",
    "TeacherEnsemble",
    "blended_log_odds",
    "calibration_temperature",
    "corrected_log_odds",
    "from_booster",
    "label_rows",
    "own_share",
    "prior_shift",
    "undo_prior_shift",
]
