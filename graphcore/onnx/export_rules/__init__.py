"""How the operators of the IR are written in ONNX, by family; importing this package fills `writer.RULES`."""
from __future__ import annotations

from graphcore.onnx.export_rules import pointwise, regions, views, windows

__all__ = ["pointwise", "regions", "views", "windows"]
