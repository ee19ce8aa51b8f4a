"""Looking at what a student has kept of its teacher."""

from ._bootstrap import Estimate
from ._calibration_display import CalibrationComparisonDisplay
from ._comparison import StudentComparison, compare_students
from ._cost import Cost, measure_cost
from ._decision import decision_threshold, flip_rate, gini_ratio
from ._divergence import jensen_shannon_divergence, kl_divergence, log_odds_r2
from ._fidelity import agreement, skill_retention
from ._fidelity_display import FidelityDisplay
from ._lift import LiftBin, double_lift
from ._pareto_display import ParetoDisplay
from ._regression import (
    error_retention,
    mean_absolute_difference,
    mean_relative_difference,
    prediction_r2,
)
from ._reliability import expected_calibration_error
from ._report import DistillationReport, QualityRow, distillation_report
from ._search_display import TemperatureDisplay
from ._segment_display import SegmentDisplay
from ._segments import Segment, segments, worst_segment
from ._training_display import TrainingDisplay

__all__ = [
    "CalibrationComparisonDisplay",
    "Cost",
    "DistillationReport",
    "Estimate",
    "FidelityDisplay",
    "LiftBin",
    "ParetoDisplay",
    "QualityRow",
    "Segment",
    "SegmentDisplay",
    "StudentComparison",
    "TemperatureDisplay",
    "TrainingDisplay",
    "agreement",
    "compare_students",
    "decision_threshold",
    "distillation_report",
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
    "measure_cost",
    "prediction_r2",
    "segments",
    "skill_retention",
    "worst_segment",
]
