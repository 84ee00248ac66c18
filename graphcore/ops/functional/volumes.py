"""Pooling over windows of three axes, [N, C, D, H, W]: by planes of height and width, then in depth."""
from __future__ import annotations

from graphcore.ops import pooling as records
from graphcore.ops.functional.arguments import Tensor, apply, dt, floating, ints_of, shape_error
from graphcore.ops.functional.arithmetic import add, floor_div, mul
from graphcore.ops.functional.convolution import amounts
from graphcore.ops.functional.indexing import gather_elements
from graphcore.ops.functional.padding import zero_padded
from graphcore.ops.functional.pooling import images_of, max_places, overhang
from graphcore.ops.functional.shaping import reshape, squeeze

__all__ = ["max_pool3d", "avg_pool3d"]


def max_pool3d(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """The largest element of each window of [N, C, D, H, W] (or [C, D, H, W]).

    Sizes are ints or three; stride None: the kernel size; padding: at most half of the window.  ceil_mode: windows that
    leave the volume at its end count.  return_indices: also the int64 place of each maximum in its volume, row-major.
    Raises ShapeError for bad sizes.
    """
    x, added = images_of(x, "max_pool3d", 5)
    kernel, steps, sides = _settings("max_pool3d", kernel_size, stride, padding)
    found = pooled_maxima(x, kernel, steps, sides, three_of(dilation, "max_pool3d: dilation"), ceil_mode,
                          return_indices)
    return _without_batch(found, added)


def avg_pool3d(input_x, kernel_size=1, stride=1, padding=0, ceil_mode=False, count_include_pad=True,
               divisor_override=0):
    """The mean of each window of [N, C, D, H, W] (or [C, D, H, W]).

    padding: an int, three, or six: before and after each axis.  count_include_pad: whether padding counts as elements;
    divisor_override: divide by this instead (0: do not).  Other arguments as in `max_pool3d`.
    """
    x, added = images_of(input_x, "avg_pool3d", 5)
    kernel, steps, sides = _settings("avg_pool3d", kernel_size, stride, padding)
    return _without_batch(pooled_means(x, kernel, steps, sides, ceil_mode, count_include_pad, divisor_override), added)


def three_of(value, name: str) -> tuple:
    """Three ints from one or three."""
    values = ints_of(value, name)
    if len(values) not in (1, 3):
        raise shape_error(f"{name} must be an int or three, got {values}")
    return values * 3 if len(values) == 1 else values


def _settings(name, kernel_size, stride, padding) -> tuple:
    """(kernel, strides, (before, after) of each axis)."""
    kernel = three_of(kernel_size, f"{name}: kernel_size")
    steps = kernel if stride is None else three_of(stride, f"{name}: stride")
    sides = amounts(name, "pad", padding, (None,) * 3, kernel, steps, (1, 1, 1))
    if any(2 * p > k for side, k in zip(sides, kernel) for p in side):
        raise shape_error(f"{name}: padding {padding} must be at most half of the kernel size {kernel}")
    return kernel, steps, sides


def _without_batch(found, added: bool):
    if not added:
        return found
    return tuple(squeeze(v, 0) for v in found) if isinstance(found, tuple) else squeeze(found, 0)


def _more(x, kernel, steps, sides, dilations, ceil_mode) -> tuple:
    """What the ceil mode pads after each axis beside `sides`."""
    if not ceil_mode:
        return 0, 0, 0
    return tuple(overhang(n, k, s, *side, dilation=d)
                 for n, k, s, side, d in zip(x.shape[2:], kernel, steps, sides, dilations))


def pooled_maxima(x: Tensor, kernel, steps, sides, dilations=(1, 1, 1), ceil_mode=False, return_indices=False):
    """`max_pool3d` of [N, C, D, H, W] with sizes of three and (before, after) for each axis in `sides`."""
    n, c, d, h, w = x.shape
    more = _more(x, kernel, steps, sides, dilations, ceil_mode)
    deep, high, wide = ((a, b + m) for (a, b), m in zip(sides, more))
    flat = {"kernel": kernel[1:], "stride": steps[1:], "pad": high + wide, "dilation": dilations[1:]}
    down = {"kernel": (kernel[0], 1), "stride": (steps[0], 1), "pad": deep + (0, 0), "dilation": (dilations[0], 1)}
    images = reshape(x, (n, c * d, h, w))
    planes = apply(records.max_pool2d, images, **flat)
    rows, columns = planes.shape[2:]
    layers = reshape(planes, (n, c, d, rows * columns))
    largest = apply(records.max_pool2d, layers, **down)
    shape = (n, c, largest.shape[2], rows, columns)
    if not return_indices:
        return reshape(largest, shape)
    chosen = reshape(max_places(layers, largest, **down), (n, c, -1))
    in_plane = gather_elements(reshape(max_places(images, planes, **flat), (n, c, d * rows * columns)), 2, chosen)
    places = add(mul(floor_div(chosen, Tensor(rows * columns, dt.int64)), Tensor(h * w, dt.int64)), in_plane)
    return reshape(largest, shape), reshape(places, shape)


def pooled_means(x: Tensor, kernel, steps, sides, ceil_mode=False, count_include_pad=True, divisor_override=0):
    """`avg_pool3d` of [N, C, D, H, W] with sizes of three and (before, after) for each axis in `sides`."""
    x = floating(x)
    more = _more(x, kernel, steps, sides, (1, 1, 1), ceil_mode)
    if any(more) and count_include_pad and not divisor_override:
        # given padding counts, what the ceil mode adds does not
        x = zero_padded(x, (0, 0, *(a for a, _ in sides)), (0, 0, *(b for _, b in sides)))
        sides, count_include_pad = ((0, 0),) * 3, False
    n, c, d, h, w = x.shape
    deep, high, wide = ((a, b + m) for (a, b), m in zip(sides, more))
    counted = {"count_include_pad": bool(count_include_pad)}
    planes = apply(records.avg_pool2d, reshape(x, (n, c * d, h, w)), kernel=kernel[1:], stride=steps[1:],
                   pad=high + wide, divisor_override=1 if divisor_override else None, **counted)
    rows, columns = planes.shape[2:]
    means = apply(records.avg_pool2d, reshape(planes, (n, c, d, rows * columns)), kernel=(kernel[0], 1),
                  stride=(steps[0], 1), pad=deep + (0, 0), divisor_override=int(divisor_override) or None, **counted)
    return reshape(means, (n, c, means.shape[2], rows, columns))
