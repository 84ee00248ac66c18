"""Cells that run a net on parts of a batch, for pipelines and accumulated gradients."""
from __future__ import annotations

from graphcore import ops
from graphcore.errors import ShapeError
from graphcore.nn.cell import Cell

__all__ = ["GradAccumulationCell", "MicroBatchInterleaved", "PipelineCell"]


class _InParts(Cell):
    """``cell(*inputs)``: the sum of what `network` gives for `parts` equal parts of the inputs along the first axis."""

    def __init__(self, network, parts, name):
        super().__init__(auto_prefix=False)
        if not isinstance(network, Cell):
            raise TypeError(f"{self.cls_name}: network must be a Cell, got {type(network).__name__}")
        if not isinstance(parts, int) or isinstance(parts, bool):
            raise TypeError(f"{self.cls_name}: {name} must be an int, got {type(parts).__name__}")
        if parts < 1:
            raise ValueError(f"{self.cls_name}: {name} must be positive, got {parts}")
        self.network, self._parts = network, parts

    def construct(self, *inputs):
        total = None
        for i in range(self._parts):
            result = self.network(*(self._part(x, i) for x in inputs))
            total = result if total is None else ops.add(total, result)
        return total

    def _part(self, x, number):
        if x.shape[0] % self._parts:
            raise ShapeError(f"{self.cls_name}: a batch of {x.shape[0]} does not divide into {self._parts} parts")
        size = x.shape[0] // self._parts
        return x[number * size:(number + 1) * size]


class PipelineCell(_InParts):
    """The sum of a net's results for `micro_size` parts of a batch; in one stage, on one device.

    stage_config and segment_config say what runs where in MindSpore and are accepted.
    Raises TypeError and ValueError for bad arguments, ShapeError for a batch that does not divide.
    """

    def __init__(self, network, micro_size, stage_config=None, segment_config=None):
        super().__init__(network, micro_size, "micro_size")
        self.micro_size = micro_size


class GradAccumulationCell(_InParts):
    """The sum of a net's results for `micro_size` parts of a batch, and so of their gradients; see `PipelineCell`."""

    def __init__(self, network, micro_size):
        super().__init__(network, micro_size, "micro_size")
        self.micro_size = micro_size


class MicroBatchInterleaved(_InParts):
    """The sum of a net's results for `interleave_num` parts of a batch; see `PipelineCell`."""

    def __init__(self, network, interleave_num=2):
        super().__init__(network, interleave_num, "interleave_num")
        self.interleave_num = interleave_num
