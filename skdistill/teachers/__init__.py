"""From an estimator and data to log-odds that a student can trust."""

from ._calibration import calibration_temperature
from ._labelling import Labelling, label_rows

__all__ = ["Labelling", "calibration_temperature", "label_rows"]
