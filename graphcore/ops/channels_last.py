"""What a convolution becomes where images lie with their channels last, (N, H, W, C): written by the compiler alone.

A 1x1 convolution there is a plain `matmul` of pixels and weights.  These two are what else it takes; inference only,
so neither has a gradient.  See `compiler.passes.channels_last`.
"""
from __future__ import annotations

import numpy as np

from graphcore.errors import ShapeError
from graphcore.ir.types import TensorType
from graphcore.ops.linear import _check_dtypes, _windows, conv2d_shape
from graphcore.ops.record import Scheduled, check_dtype, op


@op
class depthwise_channels_last(Scheduled):
    """Each channel of x (N, H, W, C) convolved with its own kernel of w (kh, kw, C): (N, OH, OW, C).

    stride, pad=(top, bottom, left, right) of zeros and dilation as of `conv2d`; both inputs have the same floating
    dtype.  Raises ShapeError where the result does not exist.
    """
    arity = 2
    kernel = "depthwise_channels_last"

    def infer(x, w, *, stride, pad, dilation):
        name = "depthwise_channels_last"
        _check_dtypes(name, x, w)
        if x.rank != 4 or w.rank != 3 or x.shape[3] != w.shape[2]:
            raise ShapeError(f"{name}: the input has the axes (N, H, W, C) and the weight (kh, kw, C), with as many "
                             f"channels; got the shapes {x.shape} and {w.shape}")
        n, h, w_, c = x.shape
        _, _, *out = conv2d_shape(name, (n, c, h, w_), (c, 1, *w.shape[:2]), stride, pad, dilation, c)
        return x.with_shape((n, *out, c))

    def reference(x, w, *, stride, pad, dilation):
        x, w = x.transpose(0, 3, 1, 2), w.transpose(2, 0, 1)[:, None]
        _, c, *out = conv2d_shape("depthwise_channels_last", x.shape, w.shape, stride, pad, dilation, x.shape[1])
        windows = _windows(x, w.shape[2:], out, stride, pad, dilation)
        return np.einsum("ncijyx,cij->nyxc", windows, w[:, 0])

    def samples():
        x = np.random.default_rng(0).standard_normal
        return [([x((2, 5, 6, 3)), x((3, 3, 3))], {"stride": (1, 1), "pad": (1, 1, 1, 1), "dilation": (1, 1)}),
                ([x((1, 7, 6, 9)), x((3, 2, 9))], {"stride": (2, 1), "pad": (1, 0, 0, 2), "dilation": (1, 2)})]


@op
class pixel_patches(Scheduled):
    """What a convolution's kernel meets at each pixel of its result: (N, C, H, W) -> (N, OH, OW, C*kh*kw).

    kernel=(kh, kw), stride, pad and dilation as of `conv2d`, which is then a product with the weights as a matrix
    (O, C*kh*kw).  Raises ShapeError where the result does not exist.
    """
    arity = 1
    kernel = "pixel_patches"

    def infer(x: TensorType, *, kernel, stride, pad, dilation):
        check_dtype("pixel_patches", x.dtype, "float")
        weight = (1, x.shape[1] if x.rank == 4 else 1, *kernel)
        n, _, *out = conv2d_shape("pixel_patches", x.shape, weight, stride, pad, dilation, 1)
        return x.with_shape((n, *out, weight[1] * kernel[0] * kernel[1]))

    def reference(x, *, kernel, stride, pad, dilation):
        n, _, *out = conv2d_shape("pixel_patches", x.shape, (1, x.shape[1], *kernel), stride, pad, dilation, 1)
        windows = _windows(x, kernel, out, stride, pad, dilation)
        return windows.transpose(0, 4, 5, 1, 2, 3).reshape(n, *out, -1)

    def samples():
        x = np.random.default_rng(0).standard_normal
        return [([x((2, 3, 5, 6))], {"kernel": (3, 3), "stride": (2, 2), "pad": (1, 1, 1, 1), "dilation": (1, 1)}),
                ([x((1, 2, 6, 7))], {"kernel": (2, 3), "stride": (1, 2), "pad": (0, 1, 2, 0), "dilation": (2, 1)})]
