"""Primitives of layers: reductions, matrix products, convolutions, normalisation."""
from __future__ import annotations

from graphcore import dtype as dt
from graphcore.ops import functional as F
from graphcore.ops.functional.arguments import ints_of, same_dtype, shape_error
from graphcore.ops.functional.convolution import amounts, transposed, transposed3d
from graphcore.ops.functional.linalg import product_of
from graphcore.ops.functional.normalization import (
    batch_norm_inference,
    batch_norm_training,
    l2_normalize,
    layer_norm_with_statistics,
)
from graphcore.ops.functional.ordering import running
from graphcore.ops.functional.padding import pair_of
from graphcore.ops.functional.volumes import three_of
from graphcore.ops.primitives.base import Primitive, primitive

# -- reductions -------------------------------------------------------------------------------------------

@primitive
def ReduceSum(x, axis=(), *, keep_dims=False, skip_mode=False):
    """The sum along `axis` in the dtype of x; skip_mode: an empty axis reduces nothing."""
    if skip_mode and axis in ((), []):
        return x
    if x.dtype.is_bool:
        return F.any(x, axis, keep_dims)
    return F.sum(x, axis, keep_dims, dtype=x.dtype)


@primitive
def SumExt(input, dim=None, keepdim=False, dtype=None):
    """The sum along `dim`; integers in int64."""
    return F.sum(input, dim, keepdim, dtype=dtype)


@primitive
def ReduceMean(x, axis=(), *, keep_dims=False):
    """The mean along `axis`."""
    return F.mean(x, axis, keep_dims)


@primitive
def ReduceProd(x, axis=(), *, keep_dims=False):
    """The product along `axis` in the dtype of x."""
    return F.prod(x, axis, keep_dims, dtype=x.dtype)


@primitive
def ReduceMax(x, axis=(), *, keep_dims=False):
    """The largest element along `axis`."""
    return F.amax(x, axis, keep_dims)


@primitive
def ReduceMin(x, axis=(), *, keep_dims=False):
    """The smallest element along `axis`."""
    return F.amin(x, axis, keep_dims)


@primitive
def ReduceAll(input, axis=None, *, keep_dims=False):
    """True where all elements along `axis` are."""
    return F.all(input, axis, keep_dims)


@primitive
def ReduceAny(x, axis=(), *, keep_dims=False):
    """True where any element along `axis` is."""
    return F.any(x, axis, keep_dims)


@primitive
def ReduceStd(x, *, axis=(), unbiased=True, keep_dims=False):
    """(standard deviation, mean) along `axis`."""
    axis = None if not axis and axis != 0 else axis
    deviation, mean = F.std_mean(x, axis, int(unbiased), keep_dims)
    return deviation, mean


@primitive
def ArgMaxWithValue(input, *, axis=0, keep_dims=False):
    """(int64 index, value) of the largest element along `axis`."""
    return tuple(reversed(F.max(input, axis, keep_dims)))


@primitive
def ArgMinWithValue(input, *, axis=0, keep_dims=False):
    """(int64 index, value) of the smallest element along `axis`."""
    return tuple(reversed(F.min(input, axis, keep_dims)))


@primitive
def Argmax(input_x, *, axis=-1, output_type=dt.int32):
    """The index of the largest element along `axis`."""
    return F.cast(F.argmax(input_x, axis), output_type)


@primitive
def Argmin(x, *, axis=-1, output_type=dt.int32):
    """The index of the smallest element along `axis`."""
    return F.cast(F.argmin(x, axis), output_type)


@primitive
def CumSum(input, axis, *, exclusive=False, reverse=False):
    """The running sum along `axis`."""
    from graphcore.ops import sorting
    return running(sorting.cumsum, input, axis, exclusive, reverse)


@primitive
def CumProd(x, axis, *, exclusive=False, reverse=False):
    """The running product along `axis`."""
    from graphcore.ops import sorting
    return running(sorting.cumprod, x, axis, exclusive, reverse)


@primitive
def LpNorm(input, *, axis, p=2, keep_dims=False, epsilon=1e-12):
    """The p-norm along `axis`."""
    return F.vector_norm(input, p, axis, keep_dims)


@primitive
def L2Normalize(input_x, *, axis=0, epsilon=1e-4):
    """x divided by its length along `axis`."""
    return l2_normalize(input_x, axis, epsilon)


@primitive
def L2Loss(input_x):
    """Half the sum of squares."""
    return F.mul(F.sum(F.square(input_x)), 0.5)


# -- products ---------------------------------------------------------------------------------------------

@primitive
def MatMul(input, mat2, *, transpose_a=False, transpose_b=False):
    """The product of two matrices, either of them transposed first."""
    return product_of(input, mat2, transpose_a, transpose_b, "MatMul", 2)


@primitive
def BatchMatMul(x, y, *, transpose_a=False, transpose_b=False):
    """The products of batches of matrices, either of them transposed first."""
    return product_of(x, y, transpose_a, transpose_b, "BatchMatMul")


@primitive
def Dense(input, weight, bias=None):
    """input times the transpose of weight, plus bias."""
    return F.dense(input, weight, bias)


@primitive
def Einsum(operands, *, equation):
    """Einstein's summation of a tuple of tensors."""
    return F.einsum(equation, *operands)


@primitive
def Cdist(x1, x2, *, p=2.0):
    """The p-norm distances of all pairs of rows."""
    return F.cdist(x1, x2, p)


@primitive
def Conv2D(x, weight, *, out_channel, kernel_size, mode=1, pad_mode="valid", pad=0, stride=1, dilation=1, group=1,
           data_format="NCHW"):
    """The convolution of images [N, C, H, W] with `weight`; see `ops.conv2d`."""
    check_layout("Conv2D", data_format)
    return F.conv2d(x, weight, None, last_two(stride), pad_mode, pad, last_two(dilation), group)


def check_layout(name, data_format):
    if data_format not in ("NCHW", "NCDHW"):
        raise shape_error(f"{name}: the layout is NCHW, got {data_format!r}; transpose the input")


def last_two(value):
    """A size for height and width, of one, two or four (N, C, H, W) ints."""
    values = ints_of(value, "a stride or dilation")
    return values[2:] if len(values) == 4 else values


@primitive
def Conv2DTranspose(dout, weight, input_size=None, *, out_channel, kernel_size, pad_mode="valid", pad=0, pad_list=None,
                    mode=1, stride=1, dilation=1, group=1, data_format="NCHW"):
    """The transposed convolution: the gradient of a convolution for its input of shape `input_size`."""
    from graphcore.ops import linear
    from graphcore.ops.dispatch import apply
    check_layout("Conv2DTranspose", data_format)
    dout, weight = same_dtype([dout, weight])
    stride, dilation = pair_of(last_two(stride), "stride"), pair_of(last_two(dilation), "dilation")
    pad = pad_list if pad_list is not None else pad
    if input_size is None:
        sides = ints_of(pad, "pad")
        return transposed(dout, weight, stride, sides if len(sides) == 4 else sides * 4, dilation, group)
    shape = ints_of(input_size, "input_size")
    sides = amounts("Conv2DTranspose", pad_mode, pad, shape[2:], weight.shape[2:], stride, dilation)
    return apply(linear.conv2d_grad_input, dout, weight, shape=shape, stride=stride, pad=sides[0] + sides[1],
                 dilation=dilation, groups=group)


Conv2DBackpropInput = Conv2DTranspose


@primitive
def Conv3D(x, weight, *, out_channel, kernel_size, mode=1, pad_mode="valid", pad=0, stride=1, dilation=1, group=1,
           data_format="NCDHW"):
    """The convolution of [N, C, D, H, W] with `weight`; see `ops.conv3d`."""
    return F.conv3d(x, weight, None, stride, pad_mode, pad, dilation, group)


@primitive
def Conv3DTranspose(dout, weight, *, in_channel, out_channel, kernel_size, mode=1, pad_mode="valid", pad=0, stride=1,
                    dilation=1, group=1, output_padding=0, data_format="NCDHW"):
    """The transposed convolution of [N, C, D, H, W]; pad_mode "valid", "same" or "pad", as in `nn.Conv3dTranspose`."""
    check_layout("Conv3DTranspose", data_format)
    dout, weight = same_dtype([dout, weight])
    steps, dilations, extra = (three_of(v, "Conv3DTranspose") for v in (stride, dilation, output_padding))
    kernel = weight.shape[2:]
    if pad_mode.lower() == "pad":
        cuts = amounts("Conv3DTranspose", "pad", pad, dout.shape[2:], kernel, steps, dilations)
    else:
        overlaps = [d * (k - 1) + 1 - s for k, s, d in zip(kernel, steps, dilations)]
        extra = tuple(max(-overlap, 0) + more for overlap, more in zip(overlaps, extra))
        over = [max(overlap, 0) if pad_mode.lower() == "same" else 0 for overlap in overlaps]
        cuts = [(n // 2, n - n // 2) for n in over]
    return transposed3d(dout, weight, steps, sum(map(tuple, cuts), ()), dilations, group, extra)


# -- normalisation and dropout --------------------------------------------------------------------------------

@primitive
def BatchNorm(input_x, scale, bias, mean, variance, *, is_training=False, epsilon=1e-5, momentum=0.1,
              data_format="NCHW"):
    """(normalised x, batch mean, batch variance, the same two again); in training mean and variance, Parameters, move.

    Outside of training the statistics returned are `mean` and `variance`.
    """
    if not is_training:
        return batch_norm_inference(input_x, mean, variance, scale, bias, epsilon), mean, variance, mean, variance
    from graphcore.parameter import Parameter
    y, new_mean, new_variance = batch_norm_training(input_x, mean, variance, scale, bias, momentum, epsilon)
    axes = tuple(i for i in range(input_x.ndim) if i != 1)
    batch_variance, batch_mean = F.var_mean(input_x, axes)
    for running_statistic, value in ((mean, new_mean), (variance, new_variance)):
        if isinstance(running_statistic, Parameter):
            F.assign(running_statistic, value)
    return y, batch_mean, batch_variance, batch_mean, batch_variance


@primitive
def LayerNorm(input_x, gamma, beta, *, begin_norm_axis=1, begin_params_axis=1, epsilon=1e-7):
    """(normalised x, mean, variance) over the axes from `begin_norm_axis` on."""
    return layer_norm_with_statistics(input_x, begin_norm_axis % input_x.ndim, gamma, beta, epsilon)


@primitive
def RmsNorm(x, gamma, *, epsilon=1e-6):
    """(x / rms * gamma, 1 / rms)."""
    return F.rms_norm(x, gamma, epsilon)


@primitive
def LRN(x, *, depth_radius=5, bias=1.0, alpha=1.0, beta=0.5, norm_region="ACROSS_CHANNELS"):
    """Local response normalisation across channels."""
    return F.lrn(x, depth_radius, bias, alpha, beta, norm_region)


class Dropout(Primitive):
    """``Dropout(keep_prob=0.5, Seed0=0, Seed1=0)(x)``: (x with elements dropped and scaled, the mask of those kept)."""

    def __init__(self, keep_prob=0.5, Seed0=0, Seed1=0):
        super().__init__("Dropout")
        if not 0 < keep_prob <= 1:
            raise ValueError(f"keep_prob must be above 0 and at most 1, got {keep_prob}")
        self.keep_prob, self.seed = keep_prob, Seed0 or Seed1 or None

    def __call__(self, x):
        mask = F.dropout(F.ones_like(x), 1.0 - self.keep_prob, seed=self.seed)
        return F.mul(x, mask), F.cast(F.not_equal(mask, 0), x.dtype)


__all__ = ["Conv2DBackpropInput", *(n for n, v in list(globals().items()) if isinstance(v, type)
                                    and v.__module__ == __name__ and not n.startswith("_"))]
