"""``mindspore.boost``: of its algorithms, the accumulation of gradients."""
from graphcore.boost.grad_accumulation import GradientAccumulation

__all__ = ["GradientAccumulation"]
