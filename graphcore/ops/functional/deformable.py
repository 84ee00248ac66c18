"""Convolutions whose points are moved by learned offsets."""
from __future__ import annotations

import numpy as np

from graphcore.ops.functional.arguments import Tensor, cast, dt, ints_of, operands, shape_error, tensor_of
from graphcore.ops.functional.arithmetic import add, clamp, mul, sub
from graphcore.ops.functional.comparison import logical_and
from graphcore.ops.functional.elementary import floor
from graphcore.ops.functional.indexing import gather_elements
from graphcore.ops.functional.linalg import matmul
from graphcore.ops.functional.shaping import broadcast_to, expand_dims, reshape

__all__ = ["deformable_conv2d"]


def deformable_conv2d(x, weight, offsets, kernel_size, strides, padding, bias=None, dilations=(1, 1, 1, 1), groups=1,
                      deformable_groups=1, modulated=True):
    """The convolution of x [N, C, H, W] with `weight` [O, C / groups, kh, kw], whose points are moved by `offsets`.

    offsets: [N, 3 * deformable_groups * kh * kw, H', W'] of the result: how far each point of the kernel is moved to
    the right, how far down, and a factor.  Points between pixels are interpolated, those outside are 0.
    strides, dilations: four ints, those of N and C are 1; padding: (top, bottom, left, right).
    Raises ShapeError for shapes that do not fit, NotImplementedError without `modulated`.
    """
    if not modulated:
        raise NotImplementedError("deformable_conv2d without a factor for each point; give factors of 1 in offsets")
    (x, weight), moves = operands(x, weight, name="deformable_conv2d"), tensor_of(offsets, "deformable_conv2d")
    kernel, (_, _, *stride), (_, _, *dilation) = (ints_of(v, "deformable_conv2d") for v in
                                                  (kernel_size, strides, dilations))
    sides = ints_of(padding, "deformable_conv2d")
    samples, channels, height, width = x.shape
    points = kernel[0] * kernel[1]
    rows, columns = moves.shape[2:]
    expected = [(n + a + b - (k - 1) * d - 1) // s + 1 for n, a, b, k, d, s in
                zip((height, width), sides[::2], sides[1::2], kernel, dilation, stride)]
    if moves.shape != (samples, 3 * deformable_groups * points, *expected):
        raise shape_error(f"deformable_conv2d: offsets must have shape "
                          f"{(samples, 3 * deformable_groups * points, *expected)}, got {moves.shape}")
    moves = reshape(moves, (samples, 3, deformable_groups, points, rows, columns))
    down = add(moves[:, 1], _grid(0, rows, stride[0], sides[0], kernel, dilation[0]))
    right = add(moves[:, 0], _grid(1, columns, stride[1], sides[2], kernel, dilation[1]))
    taken = mul(_sampled(x, down, right), expand_dims(moves[:, 2], 2))      # [N, groups of offsets, C', points, H', W']
    taken = reshape(taken, (samples, groups, channels // groups * points, rows * columns))
    kernels = reshape(weight, (groups, weight.shape[0] // groups, -1))
    result = reshape(matmul(kernels, taken), (samples, weight.shape[0], rows, columns))
    return result if bias is None else add(result, reshape(tensor_of(bias, "deformable_conv2d"), (-1, 1, 1)))


def _grid(axis: int, count: int, stride: int, before: int, kernel: tuple, dilation: int) -> Tensor:
    """[points, H', 1] or [points, 1, W']: where the points of the kernel lie along an axis without offsets."""
    of_points = np.indices(kernel)[axis].reshape(-1, 1) * dilation
    places = (of_points + np.arange(count) * stride - before).astype(np.float32)
    return Tensor(places[:, :, None] if axis == 0 else places[:, None, :])


def _sampled(x: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """[N, G, C / G, ...]: x [N, C, H, W] at the places down, right [N, G, ...], interpolated between pixels."""
    samples, channels, height, width = x.shape
    shares = down.shape[1]
    pixels = reshape(x, (samples, shares, channels // shares, height * width))
    top, left = floor(down), floor(right)
    total = None
    for row, row_share in ((top, sub(add(top, 1.0), down)), (add(top, 1.0), sub(down, top))):
        for column, share in ((left, sub(add(left, 1.0), right)), (add(left, 1.0), sub(right, left))):
            inside = logical_and(logical_and(row >= 0, row < height), logical_and(column >= 0, column < width))
            places = cast(add(mul(clamp(row, 0, height - 1), float(width)), clamp(column, 0, width - 1)), dt.int32)
            places = reshape(places, (samples, shares, 1, -1))
            found = gather_elements(pixels, 3, broadcast_to(places, (*pixels.shape[:3], places.shape[3])))
            found = reshape(found, (*pixels.shape[:3], *down.shape[2:]))
            term = mul(found, expand_dims(mul(mul(row_share, share), cast(inside, x.dtype)), 2))
            total = term if total is None else add(total, term)
    return total
