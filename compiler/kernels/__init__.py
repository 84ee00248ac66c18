"""Operators with kernels of their own: for each, the function that lowers a node to launches."""
from __future__ import annotations

from graphcore.compiler.kernels import (
    assemble,
    attention,
    channels_last,
    convolution,
    indexing,
    matmul,
    pooling,
    scan,
    sorting,
)

_MODULES = (matmul, attention, convolution, channels_last, pooling, indexing, scan, sorting, assemble)

#: operator name -> lower(build, node, inputs: list[View], output: View, epilogue)
LOWERINGS = {name: lower for module in _MODULES for name, lower in module.LOWERINGS.items()}

#: operators whose kernels call an epilogue on each finished range of their output
ACCEPTS_EPILOGUE = frozenset().union(*(module.ACCEPTS_EPILOGUE for module in _MODULES))
