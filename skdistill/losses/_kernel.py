"""The implementation in force: the compiled kernel, or numpy where there is none."""

import functools
import os

from . import _reference

try:
    from . import _soft_target
except ImportError:  # installed without a compiler
    _soft_target = None

VARIABLE = "SKDISTILL_KERNEL"
"""Environment variable that forces an implementation, read once at import."""


def implementations():
    """Return what computes `_reference.loss_gradient`, by name, the fastest last.

    Besides numpy one for each instruction set of the compiled kernel that this
    machine runs.
    """
    found = {"numpy": _reference.loss_gradient}
    for name in _soft_target.INSTRUCTION_SETS if _soft_target is not None else ():
        found[name] = functools.partial(_soft_target.loss_gradient, name)
    return found


def _choose(name):
    available = implementations()
    if not name:
        name = list(available)[-1]
    if name not in available:
        raise ImportError(
            f"Got {VARIABLE}={name!r}, but expected one of {list(available)}."
        )
    return available[name]


loss_gradient = _choose(os.environ.get(VARIABLE, ""))
