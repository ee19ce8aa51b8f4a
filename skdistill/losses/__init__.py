"""The objective that every student minimises.

`soft_target_loss` computes it on numpy arrays, `SoftTargetLoss` on torch tensors,
`SoftTargetObjective` its derivatives for LightGBM and XGBoost. All stand on one
compiled kernel, with a numpy reference where no compiler was available at
installation.
"""

from ._boosting import SoftTargetObjective
from ._numpy import soft_target_loss

__all__ = ["SoftTargetLoss", "SoftTargetObjective", "soft_target_loss"]


def __getattr__(name):
    # torch is an optional dependency and takes a second to import.
    if name == "SoftTargetLoss":
        from ._torch import SoftTargetLoss

        return SoftTargetLoss
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return __all__
