"""Normalisation layers: over the batch, the layer, groups of channels, or one instance.

Statistics are computed in float32 (float64 for float64 input); results have the dtype of the input.
"""
from __future__ import annotations

from graphcore import dtype as dt
from graphcore import ops
from graphcore.communication.management import create_group, get_rank, known_groups
from graphcore.errors import ShapeError
from graphcore.initializer import initializer
from graphcore.nn.arguments import boolean, number, one_of, positive_int, rank
from graphcore.nn.cell import Cell
from graphcore.ops.functional.normalization import batch_norm_of_group
from graphcore.ops.transport import WORLD
from graphcore.parameter import Parameter

__all__ = ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "SyncBatchNorm", "LayerNorm", "GroupNorm", "InstanceNorm1d",
           "InstanceNorm2d", "InstanceNorm3d"]


class _ChannelNorm(Cell):
    """What batch and instance normalisation share: scale and shift per channel, and moving statistics."""

    ranks: tuple

    def __init__(self, num_features, eps, momentum, affine, gamma_init, beta_init, mean_init, variance_init, dtype):
        super().__init__()
        self.num_features = positive_int(num_features, "num_features", self.cls_name)
        self.eps = number(eps, "eps", self.cls_name, low=0.0)
        self.momentum = number(momentum, "momentum", self.cls_name, low=0.0, high=1.0)
        boolean(affine, "affine", self.cls_name)

        def vector(init, name, requires_grad):
            return Parameter(initializer(init, (num_features,), dtype), name=name, requires_grad=requires_grad)
        self.moving_mean = vector(mean_init, "mean", False)
        self.moving_variance = vector(variance_init, "variance", False)
        self.gamma = vector(gamma_init, "gamma", affine)
        self.beta = vector(beta_init, "beta", affine)

    def check_input(self, x, channel_axis):
        """Raise ShapeError unless `x` has the right number of axes and channels."""
        rank(x, self.ranks, self.cls_name)
        if x.shape[channel_axis] != self.num_features:
            raise ShapeError(f"{self.cls_name} of {self.num_features} features takes input whose axis {channel_axis} "
                             f"is {self.num_features}, got shape {tuple(x.shape)}")

    def printed(self, momentum) -> str:
        """The arguments, as MindSpore prints them."""
        return (f"num_features={self.num_features}, eps={self.eps}, momentum={momentum}, gamma={self.gamma}, "
                f"beta={self.beta}, moving_mean={self.moving_mean}, moving_variance={self.moving_variance}")


class _BatchNorm(_ChannelNorm):
    """Normalisation over the batch and all spatial axes; see `BatchNorm2d`."""

    def __init__(self, num_features, eps=1e-5, momentum=0.9, affine=True, gamma_init="ones", beta_init="zeros",
                 moving_mean_init="zeros", moving_var_init="ones", use_batch_statistics=None, data_format="NCHW",
                 dtype=dt.float32):
        super().__init__(num_features, eps, momentum, affine, gamma_init, beta_init, moving_mean_init, moving_var_init,
                         dtype)
        if use_batch_statistics is not None:
            boolean(use_batch_statistics, "use_batch_statistics", self.cls_name)
        self.use_batch_statistics = use_batch_statistics
        self.format = one_of(data_format, ("NCHW", "NHWC"), "data_format", self.cls_name)
        self.momentum = 1.0 - self.momentum      # the share of the new batch, as in MindSpore

    def construct(self, x):
        if self.format == "NCHW":
            self.check_input(x, 1)
            return self._normalized(x)
        last = len(x.shape) - 1
        self.check_input(x, last)
        return ops.moveaxis(self._normalized(ops.moveaxis(x, last, 1)), 1, last)

    def _normalized(self, x):
        by_batch = self.training if self.use_batch_statistics is None else self.use_batch_statistics
        return ops.batch_norm(x, self.moving_mean, self.moving_variance, self.gamma, self.beta, by_batch,
                              self.momentum, self.eps)

    def extend_repr(self):
        return self.printed(1.0 - self.momentum)


class BatchNorm1d(_BatchNorm):
    """Batch normalisation of (N, C) or (N, C, L): see `BatchNorm2d`."""

    ranks = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Batch normalisation of images (N, C, H, W): ``(x - mean) / sqrt(variance + eps) * gamma + beta`` per channel.

    In training (``set_train()``) mean and variance are those of the batch, and the moving ones follow:
    ``moving = momentum * moving + (1 - momentum) * batch`` (the variance unbiased); otherwise the moving ones are used.
    use_batch_statistics: True or False takes this choice whatever the mode.  affine: whether gamma and beta are
    trained.  data_format: "NCHW" or "NHWC".  dtype: of the Parameters.
    Parameters (C,): moving_mean, moving_variance, gamma, beta.  Raises ShapeError for inputs of other shapes.
    """

    ranks = (4,)


class BatchNorm3d(Cell):
    """Batch normalisation of volumes (N, C, D, H, W): see `BatchNorm2d`, which it holds as ``bn2d``."""

    def __init__(self, num_features, eps=1e-5, momentum=0.9, affine=True, gamma_init="ones", beta_init="zeros",
                 moving_mean_init="zeros", moving_var_init="ones", use_batch_statistics=None, dtype=dt.float32):
        super().__init__()
        self.bn2d = BatchNorm2d(num_features, eps, momentum, affine, gamma_init, beta_init, moving_mean_init,
                                moving_var_init, use_batch_statistics, "NCHW", dtype)

    def construct(self, x):
        rank(x, (5,), self.cls_name)
        n, c, d, h, w = x.shape
        return ops.reshape(self.bn2d(ops.reshape(x, (n, c, d * h, w))), (n, c, d, h, w))


class SyncBatchNorm(_BatchNorm):
    """`BatchNorm1d` or `BatchNorm2d` with the statistics of the batches of all processes, which are of one size.

    process_groups: lists of ranks; the processes of a list share their statistics (None: all processes).  Then all
    processes make the layer at once.  Raises ValueError for a rank that is in no list, or in several.
    """

    ranks = (2, 4)

    def __init__(self, num_features, eps=1e-5, momentum=0.9, affine=True, gamma_init="ones", beta_init="zeros",
                 moving_mean_init="zeros", moving_var_init="ones", use_batch_statistics=None, process_groups=None,
                 dtype=dt.float32):
        super().__init__(num_features, eps, momentum, affine, gamma_init, beta_init, moving_mean_init, moving_var_init,
                         use_batch_statistics, dtype=dtype)
        self.process_groups = process_groups
        self.group = WORLD if process_groups is None else _group_of_this_process(process_groups)

    def _normalized(self, x):
        by_batch = self.training if self.use_batch_statistics is None else self.use_batch_statistics
        if not by_batch:
            return super()._normalized(x)
        return batch_norm_of_group(x, self.moving_mean, self.moving_variance, self.gamma, self.beta, self.momentum,
                                   self.eps, self.group)


def _group_of_this_process(process_groups) -> str:
    """The name of the group of processes among these lists of ranks to which this process belongs; all are made."""
    rank, own = get_rank(), None
    ranks = [r for group in process_groups for r in group]
    if len(set(ranks)) != len(ranks) or rank not in ranks:
        raise ValueError(f"SyncBatchNorm: process_groups must list each rank once, among them {rank}; got "
                         f"{process_groups}")
    for group in process_groups:
        name = "sync_batch_norm_" + "_".join(map(str, group))
        if name not in known_groups():
            create_group(name, list(group))
        if rank in group:
            own = name
    return own


class _InstanceNorm(_ChannelNorm):
    """Normalisation of each channel of each sample by its own statistics; see `InstanceNorm2d`."""

    def __init__(self, num_features, eps=1e-5, momentum=0.1, affine=True, gamma_init="ones", beta_init="zeros",
                 dtype=dt.float32):
        super().__init__(num_features, eps, momentum, affine, gamma_init, beta_init, "zeros", "ones", dtype)

    def construct(self, x):
        self.check_input(x, 1)
        if self.training:
            self._move_statistics(x)
        return ops.instance_norm(x, self.gamma, self.beta, self.eps)

    def _move_statistics(self, x):
        variance, mean = ops.var_mean(x, tuple(range(2, len(x.shape))), 1)
        for moving, seen in ((self.moving_mean, mean), (self.moving_variance, variance)):
            ops.assign(moving, moving * (1.0 - self.momentum) + ops.mean(seen, 0) * self.momentum)

    def extend_repr(self):
        return self.printed(self.momentum)


class InstanceNorm1d(_InstanceNorm):
    """Instance normalisation of (N, C, L): see `InstanceNorm2d`."""

    ranks = (3,)


class InstanceNorm2d(_InstanceNorm):
    """Each channel of each image (N, C, H, W) normalised by its own mean and variance, times gamma plus beta.

    In training the moving statistics follow, ``moving = (1 - momentum) * moving + momentum * seen``; they are not used.
    Parameters (C,): moving_mean, moving_variance, gamma, beta.  Raises ShapeError for inputs of other shapes.
    """

    ranks = (4,)


class InstanceNorm3d(_InstanceNorm):
    """Instance normalisation of (N, C, D, H, W): see `InstanceNorm2d`."""

    ranks = (5,)


class LayerNorm(Cell):
    """``(x - mean) / sqrt(variance + epsilon) * gamma + beta`` over the axes from `begin_norm_axis` on.

    normalized_shape: tuple or list, the shape of gamma and beta: that of x from `begin_params_axis` on.
    Raises TypeError or ValueError for another normalized_shape, ShapeError where the input does not fit it.
    """

    def __init__(self, normalized_shape, begin_norm_axis=-1, begin_params_axis=-1, gamma_init="ones", beta_init="zeros",
                 epsilon=1e-7, dtype=dt.float32):
        super().__init__()
        if not isinstance(normalized_shape, (tuple, list)):
            raise TypeError(f"LayerNorm: normalized_shape must be a tuple or list, got {normalized_shape!r}; write "
                            f"({normalized_shape!r},)")
        if not normalized_shape:
            raise ValueError("LayerNorm: normalized_shape must have at least one size, got an empty one")
        self.normalized_shape = normalized_shape
        self.begin_norm_axis, self.begin_params_axis, self.epsilon = begin_norm_axis, begin_params_axis, epsilon
        self.gamma = Parameter(initializer(gamma_init, tuple(normalized_shape), dtype), name="gamma")
        self.beta = Parameter(initializer(beta_init, tuple(normalized_shape), dtype), name="beta")
        self.layer_norm = ops.LayerNorm(begin_norm_axis, begin_params_axis, epsilon)    # subclasses call it themselves

    def construct(self, input_x):
        sizes = tuple(input_x.shape)
        for axis in (self.begin_norm_axis, self.begin_params_axis):
            if not -len(sizes) <= axis < len(sizes):
                raise ShapeError(f"LayerNorm: there is no axis {axis} in an input of shape {sizes}")
        tail = sizes[self.begin_params_axis % len(sizes):]
        if tail != tuple(self.gamma.shape):
            raise ShapeError(f"LayerNorm: gamma and beta have shape {tuple(self.gamma.shape)}, but the input is "
                             f"{sizes}, so {tail} from axis {self.begin_params_axis} on")
        return self.layer_norm(input_x, self.gamma, self.beta)[0]

    def extend_repr(self):
        # "gamma{}" without an equals sign is what MindSpore prints
        return (f"normalized_shape={self.normalized_shape}, begin_norm_axis={self.begin_norm_axis}, "
                f"begin_params_axis={self.begin_params_axis}, gamma{self.gamma}, beta={self.beta}")


class GroupNorm(Cell):
    """Normalisation over groups of channels of (N, C, ...), times gamma plus beta per channel.

    num_groups must divide num_channels.  affine: whether gamma and beta are trained.  Parameters (C,): gamma, beta.
    Raises ValueError if the groups do not divide the channels, ShapeError for inputs with other channels.
    """

    def __init__(self, num_groups, num_channels, eps=1e-5, affine=True, gamma_init="ones", beta_init="zeros",
                 dtype=dt.float32):
        super().__init__()
        self.num_groups = positive_int(num_groups, "num_groups", self.cls_name)
        self.num_channels = positive_int(num_channels, "num_channels", self.cls_name)
        if num_channels % num_groups:
            raise ValueError(f"GroupNorm: num_channels ({num_channels}) must be divisible by num_groups ({num_groups})")
        self.eps = number(eps, "eps", self.cls_name, low=0.0)
        self.affine = boolean(affine, "affine", self.cls_name)
        self.gamma = Parameter(initializer(gamma_init, (num_channels,), dtype), name="gamma", requires_grad=affine)
        self.beta = Parameter(initializer(beta_init, (num_channels,), dtype), name="beta", requires_grad=affine)

    def construct(self, x):
        return ops.group_norm(x, self.num_groups, self.gamma, self.beta, self.eps)

    def extend_repr(self):
        return f"num_groups={self.num_groups}, num_channels={self.num_channels}"
