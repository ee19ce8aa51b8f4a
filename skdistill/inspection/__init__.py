"""Looking at what a student has kept of its teacher."""

from ._fidelity import agreement, skill_retention

__all__ = ["agreement", "skill_retention"]
