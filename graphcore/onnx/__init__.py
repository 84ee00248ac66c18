"""ONNX models: `import_onnx` makes a Cell of one; ``export(..., file_format="ONNX")`` writes one.

The way of a model: `model` reads and checks the protobuf, `table` has a function for each operator (written in
`operators/` with graphcore's), `running` runs them, at once or into a capture, `cell` is the Cell.
"""
from __future__ import annotations

from graphcore.onnx.cell import OnnxCell, import_onnx
from graphcore.onnx.package import MissingPackageError, UnsupportedOnnxError

__all__ = ["MissingPackageError", "OnnxCell", "UnsupportedOnnxError", "import_onnx"]
