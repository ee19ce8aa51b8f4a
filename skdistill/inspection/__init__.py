"""Looking at what a student has kept of its teacher."""

from ._comparison import StudentComparison, compare_students
from ._fidelity import agreement, skill_retention

__all__ = ["StudentComparison", "agreement", "compare_students", "skill_retention"]
