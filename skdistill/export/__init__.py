"""Fitted models as files for other programs, compared with the model they came from."""

from ._c_source import export_c
from ._formats import export
from ._onnx import export_onnx
from ._parity import ParityCertificate, compare, parity_rows
from ._skd import export_skd

__all__ = [
    "ParityCertificate",
    "compare",
    "export",
    "export_c",
    "export_onnx",
    "export_skd",
    "parity_rows",
]
