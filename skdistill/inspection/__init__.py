"""Looking at what a student has kept of its teacher."""

from ._decision import decision_threshold, flip_rate, gini_ratio
from ._divergence import jensen_shannon_divergence, kl_divergence, log_odds_r2
from ._fidelity import agreement, skill_retention
from ._lift import LiftBin, double_lift
from ._regression import (
    error_retention,
    mean_absolute_difference,
    mean_relative_difference,
    prediction_r2,
)
from ._reliability import expected_calibration_error
from ._segments import Segment, segments, worst_segment

__all__ = [
    "LiftBin",
    "Segment",
    "agreement",
    "decision_threshold",
    "double_lift",
    "error_retention",
    "expected_calibration_error",
    "flip_rate",
    "gini_ratio",
    "jensen_shannon_divergence",
    "kl_divergence",
    "log_odds_r2",
    "mean_absolute_difference",
    "mean_relative_difference",
    "prediction_r2",
    "segments",
    "skill_retention",
    "worst_segment",
]
