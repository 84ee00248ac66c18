"""Gradients of several processes, brought together."""
from __future__ import annotations

from graphcore.communication.management import get_group_size, group_key
from graphcore.communication.parameters import begin_alike
from graphcore.nn.arguments import boolean
from graphcore.nn.cell import Cell
from graphcore.ops.functional.communication import all_reduce
from graphcore.parallel import bucket_bytes, get_auto_parallel_context

__all__ = ["DistributedGradReducer"]


class DistributedGradReducer(Cell):
    """``reducer(gradients)``: gradients summed or averaged over all processes of a group; with one, as they are.

    parameters: what the gradients belong to, in their order; gradients of Parameters with `layerwise_parallel` stay
    those of this process.  mean: whether to divide by `degree` (None: as `gradients_mean` of the parallel context
    says).  degree: int (None: the number of processes).  fusion_type: accepted, without effect: small gradients travel
    together as `comm_fusion` of the parallel context says, or in buckets of 1 MiB.
    All processes make it at once: with `parameter_broadcast` they then begin with rank 0's Parameters.
    Raises TypeError or ValueError for a degree that is no number of processes, CommunicationError in one of several
    processes before `communication.init`.
    """

    def __init__(self, parameters, mean=None, degree=None, fusion_type=1, group="hccl_world_group"):
        super().__init__(auto_prefix=False)
        parameters = tuple(parameters)
        self.group = group_key(group)
        size = get_group_size(group)
        if degree is not None and (isinstance(degree, bool) or not isinstance(degree, int)):
            raise TypeError(f"DistributedGradReducer: degree must be an int, got {type(degree).__name__}")
        if degree is not None and degree < 1:
            raise ValueError(f"DistributedGradReducer: degree must be at least 1, got {degree}")
        mean = get_auto_parallel_context("gradients_mean") if mean is None else mean
        self.mean = boolean(mean, "mean", self.cls_name)
        self.degree = size if degree is None else degree
        self.exchanges = size > 1
        self.reduced = tuple(not p.layerwise_parallel for p in parameters)
        self.fuse = bucket_bytes("allreduce")
        begin_alike(parameters, get_auto_parallel_context("parameter_broadcast"), self.group)

    def construct(self, grads):
        if not self.exchanges:
            return grads
        return tuple(self._over_all(g) if reduced else g for g, reduced in zip(grads, self.reduced))

    def _over_all(self, gradient):
        """The share of this process is scaled before it travels: the product is part of the kernel that makes it."""
        share = gradient * (1.0 / self.degree) if self.mean else gradient
        return all_reduce(share, "sum", self.group, self.fuse)
