"""Operators on elements: arithmetic, comparisons, functions, activations."""
from __future__ import annotations

import functools
import math

import numpy as np

from graphcore import dtype as dt
from graphcore.onnx.package import UnsupportedOnnxError
from graphcore.onnx.table import operator
from graphcore.onnx.tensors import dtype_of
from graphcore.onnx.values import like
from graphcore.ops import functional as F
from graphcore.tensor import Tensor


def _same_as(name: str, since: int, function, inputs: int = 1) -> None:
    """An operator that a function of graphcore's is."""
    if inputs == 1:
        operator(name, since)(lambda x: function(x))
    else:
        operator(name, since)(lambda a, b: function(a, b))


for _name, _since, _function in (
        ("Abs", 6, F.abs), ("Acos", 7, F.acos), ("Acosh", 9, F.acosh), ("Asin", 7, F.asin), ("Asinh", 9, F.asinh),
        ("Atan", 7, F.atan), ("Atanh", 9, F.atanh), ("Ceil", 6, F.ceil), ("Cos", 7, F.cos), ("Cosh", 9, F.cosh),
        ("Erf", 9, F.erf), ("Exp", 6, F.exp), ("Floor", 6, F.floor), ("Log", 6, F.log), ("Neg", 6, F.neg),
        ("Reciprocal", 6, F.reciprocal), ("Relu", 6, F.relu), ("Round", 11, F.round), ("Sigmoid", 6, F.sigmoid),
        ("Sign", 9, F.sign), ("Sin", 7, F.sin), ("Sinh", 9, F.sinh), ("Softsign", 1, F.softsign),
        ("Sqrt", 6, F.sqrt), ("Tan", 7, F.tan), ("Tanh", 6, F.tanh), ("Mish", 18, F.mish), ("IsNaN", 9, F.isnan),
        ("Not", 1, F.logical_not), ("BitwiseNot", 18, F.bitwise_not)):
    _same_as(_name, _since, _function)

for _name, _since, _function in (
        ("Add", 7, F.add), ("Sub", 7, F.sub), ("Mul", 7, F.mul), ("Equal", 7, F.equal), ("Greater", 7, F.greater),
        ("GreaterOrEqual", 12, F.greater_equal), ("Less", 7, F.less), ("LessOrEqual", 12, F.less_equal),
        ("And", 7, F.logical_and), ("Or", 7, F.logical_or), ("Xor", 7, F.logical_xor),
        ("BitwiseAnd", 18, F.bitwise_and), ("BitwiseOr", 18, F.bitwise_or), ("BitwiseXor", 18, F.bitwise_xor)):
    _same_as(_name, _since, _function, 2)


@operator("Div", 7)
def div(a, b):
    return F.truncate_div(a, b) if a.dtype.is_integer else F.div(a, b)


@operator("Mod", 10)
def mod(a, b, *, fmod=0):
    """fmod 0: the sign of the divisor, 1: that of the dividend."""
    return F.fmod(a, b) if fmod else F.floor_mod(a, b)


@operator("Pow", 7)
def power(x, exponent):
    """In the dtype of `x`; a float exponent of integers is computed in floats."""
    if x.dtype.is_integer and exponent.dtype.is_float:
        return F.cast(F.pow(F.cast(x, exponent.dtype), exponent), x.dtype)
    return F.pow(x, F.cast(exponent, x.dtype))


@operator("BitShift", 11)
def bit_shift(x, by, *, direction):
    """By fewer than no bits or more than there are: nothing but what is filled in is left."""
    if direction not in ("LEFT", "RIGHT"):
        raise ValueError(f"unknown direction {direction!r}")
    width = 8 * x.dtype.itemsize
    outside = F.logical_or(F.less(by, 0), F.greater_equal(by, width))
    within = F.where(outside, like(width - 1, by), by)
    if direction == "LEFT":
        return F.where(outside, like(0, x), F.bitwise_left_shift(x, within))
    shifted = F.bitwise_right_shift(x, within)
    return shifted if x.dtype.kind == "i" else F.where(outside, like(0, x), shifted)


@operator("Max", 8)
def maximum(*xs):
    return functools.reduce(F.maximum, xs)


@operator("Min", 8)
def minimum(*xs):
    return functools.reduce(F.minimum, xs)


@operator("Sum", 8)
def total(*xs):
    return functools.reduce(F.add, xs)


@operator("Mean", 8)
def mean(*xs):
    return F.div(functools.reduce(F.add, xs), float(len(xs)))


@operator("Where", 9)
def where(condition, x, y):
    return F.where(condition, x, y)


@operator("Cast", 6)
def cast(x, *, to, saturate=1, round_mode="up"):
    """saturate and round_mode are for 8-bit floats, which there are none of here."""
    return F.cast(x, dtype_of(to))


@operator("CastLike", 15)
def cast_like(x, target, *, saturate=1, round_mode="up"):
    return F.cast(x, target.dtype)


@operator("Clip", 6)
def clip_to_numbers(x, *, min=None, max=None):
    return clip(x, None if min is None else like(min, x), None if max is None else like(max, x))


@operator("Clip", 11)
def clip(x, min=None, max=None):
    """The upper limit wins where it is below the lower one."""
    x = x if min is None else F.maximum(x, min)
    return x if max is None else F.minimum(x, max)


@operator("IsInf", 10)
def is_infinite(x, *, detect_negative=1, detect_positive=1):
    if detect_negative and detect_positive:
        return F.isinf(x)
    if not detect_negative and not detect_positive:
        return F.zeros_like(x, dtype=dt.bool_)
    return F.equal(x, math.inf if detect_positive else -math.inf)


# -- activations ----------------------------------------------------------------------------------------------

@operator("LeakyRelu", 6)
def leaky_relu(x, *, alpha=0.01):
    return F.where(x < 0, x * alpha, x)


@operator("PRelu", 7)
def prelu(x, slope):
    return F.where(x < 0, x * slope, x)


@operator("Elu", 6)
def elu(x, *, alpha=1.0):
    return F.where(x > 0, x, F.expm1(F.minimum(x, like(0, x))) * alpha)


@operator("Selu", 6)
def selu(x, *, alpha=1.67326319217681884765625, gamma=1.05070102214813232421875):
    return elu(x, alpha=alpha) * gamma


@operator("Celu", 12)
def celu(x, *, alpha=1.0):
    return F.where(x > 0, x, F.expm1(F.minimum(x, like(0, x)) / alpha) * alpha)


@operator("HardSigmoid", 6)
def hard_sigmoid(x, *, alpha=0.2, beta=0.5):
    return F.clamp(x * alpha + beta, 0.0, 1.0)


@operator("HardSwish", 14)
def hard_swish(x):
    return x * hard_sigmoid(x, alpha=1 / 6, beta=0.5)


@operator("ThresholdedRelu", 10)
def thresholded_relu(x, *, alpha=1.0):
    return F.where(x > alpha, x, like(0, x))


@operator("Shrink", 9)
def shrink(x, *, bias=0.0, lambd=0.5):
    return F.where(x < -lambd, x + bias, F.where(x > lambd, x - bias, like(0, x)))


@operator("Softplus", 1)
def softplus(x):
    """log(1 + e^x) without overflow."""
    return F.maximum(x, like(0, x)) + F.log1p(F.exp(-F.abs(x)))


@operator("Swish", 24)
def swish(x, *, alpha=1.0):
    return x * F.sigmoid(x if alpha == 1 else x * alpha)


@operator("SwiGLU", 28)
def swiglu(a, b, *, alpha=1.0):
    return swish(a, alpha=alpha) * b


@operator("Gelu", 20)
def gelu(x, *, approximate="none"):
    return F.gelu(x, approximate)


@operator("Hardmax", 13)
def hardmax(x, *, axis=-1):
    """1 at the first of the largest elements along the axis, 0 elsewhere."""
    axis %= x.ndim
    places = F.reshape(F.arange(x.shape[axis]), tuple(-1 if i == axis else 1 for i in range(x.ndim)))
    return F.cast(F.equal(places, F.argmax(x, axis, True)), x.dtype)


def _flattened(function):
    """A function along the last of two axes, as it was before opset 13: those before `axis` and those behind it."""
    def flat(x, *, axis=1):
        axis = axis % x.ndim if x.ndim else 0
        rows = math.prod(x.shape[:axis])
        return F.reshape(function(F.reshape(x, (rows, math.prod(x.shape[axis:]))), axis=-1), x.shape)
    return flat


operator("Hardmax", 1)(_flattened(hardmax))
operator("Softmax", 1)(_flattened(lambda x, axis: F.softmax(x, axis)))
operator("LogSoftmax", 1)(_flattened(lambda x, axis: F.log_softmax(x, axis)))


@operator("Softmax", 13)
def softmax(x, *, axis=-1):
    return F.softmax(x, axis)


@operator("LogSoftmax", 13)
def log_softmax(x, *, axis=-1):
    return F.log_softmax(x, axis)


# -- dropout and random numbers ---------------------------------------------------------------------------------

@operator("Dropout", 7)
def dropout_of_inference(x, *, ratio=0.5):
    return x, F.full_like(x, True, dtype=dt.bool_)


@operator("Dropout", 12, numbers=("ratio", "training_mode"), random=True)
def dropout(x, ratio=None, training_mode=None, *, seed=None, outputs):
    """In training mode elements become 0 with the probability `ratio`; graphcore's generator says which, not `seed`."""
    chance = 0.5 if ratio is None else float(ratio.item())
    if training_mode is None or not training_mode.item() or chance == 0:
        return x, F.full_like(x, True, dtype=dt.bool_)
    if not 0 <= chance < 1:
        raise ValueError(f"the ratio must lie between 0 and 1, got {chance}")
    kept = F.greater_equal(F.rand_like(x), chance)
    return F.where(kept, x / (1 - chance), like(0, x)), kept


@operator("RandomNormal", 1, random=True)
def random_normal(*, shape, dtype=1, mean=0.0, scale=1.0, seed=None):
    return F.cast(F.randn(*shape) * scale + mean, dtype_of(dtype))


@operator("RandomUniform", 1, random=True)
def random_uniform(*, shape, dtype=1, low=0.0, high=1.0, seed=None):
    return F.cast(F.rand(*shape) * (high - low) + low, dtype_of(dtype))


@operator("RandomNormalLike", 1, random=True)
def random_normal_like(x, *, dtype=None, mean=0.0, scale=1.0, seed=None):
    return F.cast(F.randn(*x.shape) * scale + mean, x.dtype if dtype is None else dtype_of(dtype))


@operator("RandomUniformLike", 1, random=True)
def random_uniform_like(x, *, dtype=None, low=0.0, high=1.0, seed=None):
    return F.cast(F.rand(*x.shape) * (high - low) + low, x.dtype if dtype is None else dtype_of(dtype))


@operator("Bernoulli", 15, random=True)
def bernoulli(x, *, dtype=None, seed=None):
    return F.cast(F.less(F.rand(*x.shape), x), x.dtype if dtype is None else dtype_of(dtype))


# -- quantised values -------------------------------------------------------------------------------------------

def _along(values: Tensor, x: Tensor, axis: int, block_size: int) -> Tensor:
    """Scales (zero points) that broadcast to `x`: one, one for each slice along an axis, or one for each block."""
    if values.ndim == 0 or values.size == 1:
        return F.reshape(values, ())
    if not x.ndim:
        raise ValueError(f"a number takes one scale, not the shape {values.shape}")
    axis %= x.ndim
    if block_size:
        return _of_blocks(values, x.shape, axis, block_size)
    if values.ndim != 1:
        raise ValueError(f"scales of the shape {values.shape} need a block_size")
    return F.reshape(values, tuple(-1 if i == axis else 1 for i in range(x.ndim)))


def _of_blocks(values: Tensor, shape: tuple, axis: int, block_size: int) -> Tensor:
    """Each of `values` for `block_size` elements along an axis of `shape`; the last block may be shorter."""
    length = shape[axis]
    if block_size < 1:
        raise ValueError(f"block_size is {block_size}")
    wanted = (*shape[:axis], -(-length // block_size), *shape[axis + 1:])
    if values.shape != wanted:
        raise ValueError(f"scales for blocks of {block_size} along axis {axis} of {shape} have the shape {wanted}, not "
                         f"{values.shape}")
    repeated = F.repeat_interleave(values, min(block_size, length), axis)
    return F.narrow(repeated, axis, 0, length)


@operator("DequantizeLinear", 10)
def dequantize(x, scale, zero_point=None, *, axis=1, block_size=0, output_dtype=0):
    """(x - zero_point) * scale, in the dtype of the scale."""
    wide = F.cast(x, scale.dtype)
    if zero_point is not None:
        wide = wide - F.cast(_along(zero_point, x, axis, block_size), scale.dtype)
    result = wide * _along(scale, x, axis, block_size)
    return F.cast(result, dtype_of(output_dtype)) if output_dtype else result


@operator("QuantizeLinear", 10)
def quantize(x, scale, zero_point=None, *, axis=1, block_size=0, output_dtype=0, saturate=1, precision=0):
    """round(x / scale) + zero_point, ties to even, limited to what the dtype of the zero point holds."""
    if precision:
        raise UnsupportedOnnxError("precision is not supported")
    target = zero_point.dtype if zero_point is not None else dtype_of(output_dtype) if output_dtype else dt.uint8
    if not target.is_integer:
        raise ValueError(f"quantised values are integers, not {target.name}")
    wide = F.round(x / F.cast(_along(scale, x, axis, block_size), x.dtype))
    if zero_point is not None:
        wide = wide + F.cast(_along(zero_point, x, axis, block_size), x.dtype)
    limits = np.iinfo(target.storage)
    return F.cast(F.clamp(wide, float(limits.min), float(limits.max)), target)


@operator("DynamicQuantizeLinear", 11)
def dynamic_quantize(x):
    """(x as uint8, its scale, its zero point), so that the range of x with 0 is covered."""
    low, high = F.minimum(F.amin(x), like(0, x)), F.maximum(F.amax(x), like(0, x))
    scale = (high - low) / 255.0
    scale = F.where(F.equal(scale, 0), like(1, x), scale)
    zero = F.clamp(F.round(-low / scale), 0.0, 255.0)
    return F.cast(F.clamp(F.round(x / scale) + zero, 0.0, 255.0), dt.uint8), scale, F.cast(zero, dt.uint8)


