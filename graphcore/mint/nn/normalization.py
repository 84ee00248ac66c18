"""Normalisation in ``mint.nn``: PyTorch's arguments, and its names of Parameters (weight, bias, running_mean ...)."""
from __future__ import annotations

import numpy as np

from graphcore import dtype as dt
from graphcore.mint.nn import functional
from graphcore.nn import Cell
from graphcore.ops.functional.normalization import batch_norm_of_group
from graphcore.ops.state import assign
from graphcore.ops.transport import WORLD
from graphcore.parameter import Parameter
from graphcore.tensor import Tensor

__all__ = ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "GroupNorm", "LayerNorm", "SyncBatchNorm"]


def _vector(shape, value: float, dtype, name: str, trained: bool = True) -> Parameter:
    return Parameter(Tensor(np.full(shape, value, np.float32), dtype), name=name, requires_grad=trained)


class _BatchNorm(Cell):
    """Each channel of [N, C, ...] normalised by mean and variance: those of the batch in training, else running ones.

    momentum: how far the running statistics move towards those of a batch; None: they are the average of all batches.
    affine: scaled by `weight` and shifted by `bias`.  track_running_stats: False: those of the batch are always used.
    Parameters: weight, bias, running_mean, running_var (num_features,), num_batches_tracked (an int64 scalar).
    """

    ranks: tuple = ()

    def __init__(self, num_features, eps=1e-5, momentum=0.1, affine=True, track_running_stats=True, dtype=None):
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self.dtype = dtype = dt.float32 if dtype is None else dtype
        self.weight = _vector(num_features, 1, dtype, "weight") if affine else None
        self.bias = _vector(num_features, 0, dtype, "bias") if affine else None
        kept = track_running_stats
        self.running_mean = _vector(num_features, 0, dtype, "running_mean", False) if kept else None
        self.running_var = _vector(num_features, 1, dtype, "running_var", False) if kept else None
        self.num_batches_tracked = _vector((), 0, dt.int64, "num_batches_tracked", False) if kept else None

    def construct(self, input):
        if self.ranks and input.ndim not in self.ranks:
            raise ValueError(f"{self.cls_name} takes an input of {' or '.join(map(str, self.ranks))} axes, got shape "
                             f"{tuple(input.shape)}")
        if not self.training and self.track_running_stats:
            return functional.batch_norm(input, self.running_mean, self.running_var, self.weight, self.bias, False,
                                         0.0, self.eps)
        momentum = self.momentum
        if self.training and self.track_running_stats:
            count = self.num_batches_tracked + 1
            assign(self.num_batches_tracked, count)
            momentum = 1.0 / count.astype(dt.float32) if momentum is None else momentum
        return self._by_batch(input, 0.0 if momentum is None else momentum)

    def _by_batch(self, input, momentum):
        return functional.batch_norm(input, self.running_mean, self.running_var, self.weight, self.bias, True, momentum,
                                     self.eps)

    def extend_repr(self):
        return (f"num_features={self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
                f"track_running_stats={self.track_running_stats}")


class BatchNorm1d(_BatchNorm):
    __doc__ = f"[N, C] or [N, C, L].  {_BatchNorm.__doc__}"
    ranks = (2, 3)


class BatchNorm2d(_BatchNorm):
    __doc__ = f"[N, C, H, W].  {_BatchNorm.__doc__}"
    ranks = (4,)


class BatchNorm3d(_BatchNorm):
    __doc__ = f"[N, C, D, H, W].  {_BatchNorm.__doc__}"
    ranks = (5,)


class SyncBatchNorm(_BatchNorm):
    __doc__ = f"With the batches of all processes (of `process_group`) taken together.  {_BatchNorm.__doc__}"

    def __init__(self, num_features, eps=1e-5, momentum=0.1, affine=True, track_running_stats=True, process_group=None,
                 dtype=None):
        super().__init__(num_features, eps, momentum, affine, track_running_stats, dtype)
        self.process_group = process_group

    def _by_batch(self, input, momentum):
        return batch_norm_of_group(input, self.running_mean, self.running_var, self.weight, self.bias, momentum,
                                   self.eps, self.process_group or WORLD)


class LayerNorm(Cell):
    """The last axes, whose sizes `normalized_shape` gives (an int: the last one), normalised by mean and variance.

    Parameters, of that shape: weight (if elementwise_affine) and bias (if `bias`, too).
    """

    def __init__(self, normalized_shape, eps=1e-5, elementwise_affine=True, bias=True, dtype=None):
        super().__init__()
        one = isinstance(normalized_shape, int)
        self.normalized_shape = shape = (normalized_shape,) if one else tuple(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        dtype = dt.float32 if dtype is None else dtype
        self.weight = _vector(shape, 1, dtype, "weight") if elementwise_affine else None
        self.bias = _vector(shape, 0, dtype, "bias") if elementwise_affine and bias else None

    def construct(self, input):
        return functional.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extend_repr(self):
        return (f"normalized_shape={self.normalized_shape}, eps={self.eps}, "
                f"elementwise_affine={self.elementwise_affine}, weight={self.weight}, bias={self.bias}")


class GroupNorm(Cell):
    """The channels of [N, C, ...] in groups, each normalised by its mean and variance; Parameters weight, bias (C,).

    affine: False: neither is trained.  Raises ValueError if the groups do not divide the channels.
    """

    def __init__(self, num_groups, num_channels, eps=1e-5, affine=True, dtype=None):
        super().__init__()
        if num_channels % num_groups:
            raise ValueError(f"GroupNorm: num_channels {num_channels} must be divisible by num_groups {num_groups}")
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        dtype = dt.float32 if dtype is None else dtype
        self.weight = _vector(num_channels, 1, dtype, "weight", affine)
        self.bias = _vector(num_channels, 0, dtype, "bias", affine)

    def construct(self, input):
        return functional.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extend_repr(self):
        return f"num_groups={self.num_groups}, num_channels={self.num_channels}, eps={self.eps}, affine={self.affine}"
