"""Fitted models without their framework: numpy and the standard library only."""

from ._file import load, load_spec, read_header, save
from ._model import ModelSpec
from ._network import NetworkSpec
from ._scorer import Scorer
from ._spec import CategoryColumn, EncoderSpec, NumberColumn
from ._table import TableReader, read_table
from ._trees import TreeEnsembleSpec

__all__ = [
    "CategoryColumn",
    "EncoderSpec",
    "ModelSpec",
    "NetworkSpec",
    "NumberColumn",
    "Scorer",
    "TableReader",
    "TreeEnsembleSpec",
    "load",
    "load_spec",
    "read_header",
    "read_table",
    "save",
]
