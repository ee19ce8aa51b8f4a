"""The objectives that students minimise.

`soft_target_loss` computes it on numpy arrays, `SoftTargetLoss` on torch tensors,
`SoftTargetObjective` its derivatives for LightGBM and XGBoost. All stand on one
compiled kernel, with a numpy reference where no compiler was available at
installation. `SquaredLoss`, `HuberLoss`, `QuantileLoss` and `PoissonLoss` say what
students of numbers minimise.
"""

from ._boosting import SoftTargetObjective
from ._numpy import soft_target_loss
from ._regression import HuberLoss, PoissonLoss, QuantileLoss, SquaredLoss

__all__ = [
    "HuberLoss",
    "PoissonLoss",
    "QuantileLoss",
    "SoftTargetLoss",
    "SoftTargetObjective",
    "SquaredLoss",
    "soft_target_loss",
]


def __getattr__(name):
    # torch is an optional dependency and takes a second to import.
    if name == "SoftTargetLoss":
        from ._torch import SoftTargetLoss

        return SoftTargetLoss
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return __all__
