"""LossBase: what losses share, and the base class for those that users write."""
from __future__ import annotations

from graphcore import dtype as dt
from graphcore import ops
from graphcore.nn.arguments import one_of
from graphcore.nn.cell import Cell


class LossBase(Cell):
    """``LossBase(reduction="mean")``: subclass it and end ``construct`` with ``return self.get_loss(x, weights)``.

    reduction: "mean", "sum" or "none".  Raises ValueError for anything else.
    """

    def __init__(self, reduction="mean"):
        super().__init__()
        self.reduction = one_of(reduction, ("mean", "sum", "none"), "reduction", self.cls_name)
        self.reduce = reduction != "none"
        self.average = reduction != "sum"

    def get_axis(self, x) -> tuple:
        """All axes of `x`."""
        return tuple(range(len(x.shape)))

    def get_loss(self, x, weights=1.0):
        """``weights * x`` reduced to a 0-d Tensor as `reduction` says, in the dtype of `x`; computed in float32."""
        wide = x if x.dtype is dt.float64 else ops.cast(x, dt.float32)
        wide = wide * weights
        if self.reduce:
            wide = ops.mean(wide) if self.average else ops.sum(wide)
        return ops.cast(wide, x.dtype)

    def construct(self, logits, labels):
        """The loss; defined by subclasses."""
        raise NotImplementedError(f"{self.cls_name} must define construct(self, logits, labels)")
