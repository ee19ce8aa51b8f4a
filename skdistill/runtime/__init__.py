"""Fitted models without their framework: numpy and the standard library only."""

from ._model import ModelSpec
from ._network import NetworkSpec
from ._scorer import Scorer
from ._spec import CategoryColumn, EncoderSpec, NumberColumn
from ._trees import TreeEnsembleSpec

__all__ = [
    "CategoryColumn",
    "EncoderSpec",
    "ModelSpec",
    "NetworkSpec",
    "NumberColumn",
    "Scorer",
    "TreeEnsembleSpec",
]
