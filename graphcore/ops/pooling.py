"""Pooling over windows of the two last axes of images [N, C, H, W].

Common attributes: kernel=(kh, kw), stride=(sh, sw), pad=(top, bottom, left, right).  A caller that wants the ceil mode
of other frameworks pads more at the bottom and the right.
"""
from __future__ import annotations

import numpy as np

from graphcore.errors import ShapeError
from graphcore.ops.record import Scheduled, check_dtype, op


def pooled_shape(name: str, shape: tuple, kernel, stride, pad, dilation=(1, 1)) -> tuple:
    """The shape of the result; raises ShapeError if a window does not fit or could lie in the padding altogether."""
    if len(shape) != 4:
        raise ShapeError(f"{name} takes images of shape [N, C, H, W], got {len(shape)} axes: {tuple(shape)}")
    if not len(kernel) == len(stride) == len(dilation) == 2 or len(pad) != 4:
        raise ShapeError(f"{name}: kernel, stride and dilation have 2 entries and pad has 4 (top, bottom, left, right)")
    sizes = []
    for axis, extent, k, s, d, before, after in zip("HW", shape[2:], kernel, stride, dilation, pad[::2], pad[1::2]):
        reach = d * (k - 1) + 1
        if k < 1 or s < 1 or d < 1:
            raise ShapeError(f"{name}: kernel, stride and dilation are at least 1, got {k}, {s} and {d} along {axis}")
        if not (0 <= before < reach and 0 <= after < reach):
            raise ShapeError(f"{name}: padding of ({before}, {after}) along {axis} does not suit a window of {reach}: "
                             "give less than the window on each side")
        if isinstance(extent, int) and extent + before + after < reach:
            raise ShapeError(f"{name}: a window of {reach} does not fit into {axis} = {extent} padded by "
                             f"({before}, {after})")
        sizes.append((extent + (before + after - reach)) // s + 1)
    return (*shape[:2], *sizes)


def _taps(array, out_shape, kernel, stride, dilation=(1, 1)):
    """For each position in the window, the strided view of the padded `array` that all windows have there."""
    (oh, ow), (kh, kw), (sh, sw), (dh, dw) = out_shape[2:], kernel, stride, dilation
    for i in range(kh):
        for j in range(kw):
            yield array[:, :, i * dh:i * dh + sh * (oh - 1) + 1:sh, j * dw:j * dw + sw * (ow - 1) + 1:sw]


def _padded(x, pad, fill):
    return np.pad(x, ((0, 0), (0, 0), tuple(pad[:2]), tuple(pad[2:])), constant_values=fill)


def _cropped(array, pad):
    (top, bottom, left, right), (h, w) = pad, array.shape[2:]
    return np.ascontiguousarray(array[:, :, top:h - bottom, left:w - right])


def _first_hits(x, y, kernel, stride, pad, dilation):
    """For each position in the window, where it holds the window's first maximum."""
    values = _taps(_padded(x, pad, 0), y.shape, kernel, stride, dilation)
    inside = _taps(_padded(np.ones(x.shape, bool), pad, False), y.shape, kernel, stride, dilation)
    taken = np.zeros(y.shape, bool)
    for value, real in zip(values, inside):
        hit = real & ~taken & ((value == y) | ((value != value) & (y != y)))
        taken |= hit
        yield hit


def _image(shape=(2, 3, 7, 6), seed=0):
    return np.random.RandomState(seed).randn(*shape).astype("f4")


_MAX_SAMPLES = (
    {"kernel": (2, 2), "stride": (2, 2), "pad": (0, 0, 0, 0), "dilation": (1, 1)},
    {"kernel": (3, 3), "stride": (2, 2), "pad": (1, 1, 1, 1), "dilation": (1, 1)},
    {"kernel": (3, 2), "stride": (1, 3), "pad": (1, 0, 0, 1), "dilation": (2, 1)},
)


@op
class max_pool2d(Scheduled):
    """The largest element of each window; NaN if one is NaN.  The gradient goes to the first maximum of a window.

    x: number [N, C, H, W] → [N, C, H', W'].  Padding never wins.
    """
    arity = 1
    def infer(x, *, kernel, stride, pad, dilation):
        check_dtype("max_pool2d", x.dtype, "number")
        return x.with_shape(pooled_shape("max_pool2d", x.shape, kernel, stride, pad, dilation))
    def reference(x, *, kernel, stride, pad, dilation):
        lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
        shape = pooled_shape("max_pool2d", x.shape, kernel, stride, pad, dilation)
        result = np.full(shape, lowest, x.dtype)
        for values in _taps(_padded(x, pad, lowest), shape, kernel, stride, dilation):
            np.maximum(result, values, out=result)
        return result
    def vjp(g, y, x, **attrs):
        return (max_pool2d_grad(x, y, g, **attrs),)
    def samples():
        return [([_image()], attrs) for attrs in _MAX_SAMPLES]


def _check_pooled(name: str, x, results, kernel, stride, pad, dilation) -> None:
    """Raise ShapeError, DTypeError unless x is float and all `results` have the type of its pooled images."""
    check_dtype(name, x.dtype, "float")
    made = x.with_shape(pooled_shape(name, x.shape, kernel, stride, pad, dilation))
    for result in results:
        if result != made:
            raise ShapeError(f"{name}: windows on {x} give {made}, not {result}")


@op
class max_pool2d_grad(Scheduled):
    """The gradient of max_pool2d: each element of g at the place of its window's first maximum, overlaps added up.

    x: the input of max_pool2d; y: its result; g: of the shape of y → the shape of x.
    """
    arity = 3
    def infer(x, y, g, *, kernel, stride, pad, dilation):
        _check_pooled("max_pool2d_grad", x, (y, g), kernel, stride, pad, dilation)
        return x
    def reference(x, y, g, *, kernel, stride, pad, dilation):
        padded = _padded(np.zeros_like(x), pad, 0)
        hits = _first_hits(x, y, kernel, stride, pad, dilation)
        for window, hit in zip(_taps(padded, y.shape, kernel, stride, dilation), hits):
            window += np.where(hit, g, 0)
        return _cropped(padded, pad)
    def vjp(gx, out, x, y, g, **attrs):
        return None, None, max_pool2d_grad_grad(x, y, gx, **attrs)
    def samples():
        return [([x, max_pool2d.reference(x, **attrs), max_pool2d.reference(-x, **attrs)], attrs)
                for x in (_image(),) for attrs in _MAX_SAMPLES]


@op
class max_pool2d_grad_grad(Scheduled):
    """The element of gg at the place of each window's first maximum: what max_pool2d_grad does, transposed.

    x: the input of max_pool2d; y: its result; gg: of the shape of x → the shape of y.
    """
    arity = 3
    def infer(x, y, gg, *, kernel, stride, pad, dilation):
        _check_pooled("max_pool2d_grad_grad", x, (y,), kernel, stride, pad, dilation)
        if gg != x:
            raise ShapeError(f"max_pool2d_grad_grad: the gradient {gg} is not of the type {x} of the images")
        return y
    def reference(x, y, gg, *, kernel, stride, pad, dilation):
        result = np.zeros_like(y)
        hits = _first_hits(x, y, kernel, stride, pad, dilation)
        for window, hit in zip(_taps(_padded(gg, pad, 0), y.shape, kernel, stride, dilation), hits):
            result[hit] = window[hit]
        return result
    def vjp(g, out, x, y, gg, **attrs):
        return None, None, max_pool2d_grad(x, y, g, **attrs)
    def samples():
        return [([x, max_pool2d.reference(x, **attrs), _image(seed=1)], attrs)
                for x in (_image(),) for attrs in _MAX_SAMPLES]


_AVERAGE_SAMPLES = (
    {"kernel": (2, 2), "stride": (2, 2), "pad": (0, 0, 0, 0), "count_include_pad": True, "divisor_override": None},
    {"kernel": (3, 3), "stride": (2, 1), "pad": (1, 1, 1, 1), "count_include_pad": False, "divisor_override": None},
    {"kernel": (3, 2), "stride": (2, 3), "pad": (1, 2, 1, 0), "count_include_pad": True, "divisor_override": None},
    {"kernel": (2, 3), "stride": (2, 2), "pad": (0, 1, 0, 2), "count_include_pad": True, "divisor_override": 5},
)


def _divisors(shape, out_shape, kernel, stride, pad, count_include_pad, divisor_override):
    """What the sum of each window is divided by, [H', W'] or a number."""
    if divisor_override:
        return divisor_override
    if count_include_pad:
        return kernel[0] * kernel[1]
    inside = _padded(np.ones((1, 1, *shape[2:]), "f4"), pad, 0)
    return sum(_taps(inside, out_shape, kernel, stride))[0, 0]


@op
class avg_pool2d(Scheduled):
    """The mean of each window.

    x: float [N, C, H, W] → [N, C, H', W'].  The sum is divided by the size of the window, by the number of its elements
    that are not padding (`count_include_pad` false), or by `divisor_override`.
    """
    arity = 1
    def infer(x, *, kernel, stride, pad, count_include_pad, divisor_override):
        check_dtype("avg_pool2d", x.dtype, "float")
        return x.with_shape(pooled_shape("avg_pool2d", x.shape, kernel, stride, pad))
    def reference(x, *, kernel, stride, pad, count_include_pad, divisor_override):
        shape = pooled_shape("avg_pool2d", x.shape, kernel, stride, pad)
        total = sum(_taps(_padded(x, pad, 0), shape, kernel, stride))
        return (total / _divisors(x.shape, shape, kernel, stride, pad, count_include_pad, divisor_override)).astype(
            x.dtype)
    def vjp(g, y, x, **attrs):
        return (avg_pool2d_grad(g, shape=x.shape, **attrs),)
    def samples():
        return [([_image()], attrs) for attrs in _AVERAGE_SAMPLES]


@op
class avg_pool2d_grad(Scheduled):
    """The gradient of avg_pool2d: each element of g spread evenly over its window in an array of `shape`."""
    arity = 1
    def infer(g, *, shape, kernel, stride, pad, count_include_pad, divisor_override):
        check_dtype("avg_pool2d_grad", g.dtype, "float")
        if pooled_shape("avg_pool2d_grad", shape, kernel, stride, pad) != g.shape:
            raise ShapeError(f"avg_pool2d_grad: windows on {tuple(shape)} do not give the shape {g.shape}")
        return g.with_shape(shape)
    def reference(g, *, shape, kernel, stride, pad, count_include_pad, divisor_override):
        divisors = _divisors(shape, g.shape, kernel, stride, pad, count_include_pad, divisor_override)
        share = (g / divisors).astype(g.dtype)
        padded = _padded(np.zeros(shape, g.dtype), pad, 0)
        for window in _taps(padded, g.shape, kernel, stride):
            window += share
        return _cropped(padded, pad)
    def vjp(gg, y, g, *, shape, **attrs):
        return (avg_pool2d(gg, **attrs),)
    def samples():
        return [([avg_pool2d.reference(_image(), **attrs)], {"shape": (2, 3, 7, 6), **attrs})
                for attrs in _AVERAGE_SAMPLES]
