"""The operators of ONNX by family; importing this package fills the table (`graphcore.onnx.table`)."""
from __future__ import annotations

from graphcore.onnx.operators import (
    attention,
    control,
    earlier,
    elementwise,
    indexing,
    losses,
    matrices,
    normalization,
    recurrent,
    reductions,
    resize,
    sampling,
    sequences,
    shapes,
    windows,
)

__all__ = ["attention", "control", "earlier", "elementwise", "indexing", "losses", "matrices", "normalization",
           "recurrent", "reductions", "resize", "sampling", "sequences", "shapes", "windows"]
