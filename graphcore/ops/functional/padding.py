"""Padding, cutting windows out of images and putting them together again."""
from __future__ import annotations

from graphcore.ir.dims import Dim, product
from graphcore.ops import view as records
from graphcore.ops.functional.arguments import Tensor, apply, axis_of, ints_of, number_of, shape_error, tensor_of
from graphcore.ops.functional.arithmetic import add
from graphcore.ops.functional.creation import zeros
from graphcore.ops.functional.joining import concat, stack, window
from graphcore.ops.functional.shaping import flip, reshape, transpose

__all__ = [
    "pad", "roll", "unfold", "fold", "col2im", "pixel_shuffle", "pixel_unshuffle", "channel_shuffle",
]


def zero_padded(x: Tensor, before, after, fill=0) -> Tensor:
    """`x` with before[i] and after[i] elements of `fill` around axis i; negative numbers cut."""
    before, after = tuple(before), tuple(after)
    for axis, (a, b) in enumerate(zip(before, after)):
        if isinstance(a, int) and a < 0 or isinstance(b, int) and b < 0:
            first, last = max(-a, 0), max(-b, 0)
            length = x.shape[axis] - first - last
            if isinstance(length, int) and length < 0:
                raise shape_error(f"pad: ({a}, {b}) cuts more than axis {axis} of shape {x.shape} has")
            x = window(x, axis, first, length)
    before, after = (tuple(max(n, 0) for n in side) for side in (before, after))
    shape = tuple(s + a + b for s, a, b in zip(x.shape, before, after))
    if shape == x.shape:
        return x
    fill = bool(fill) if x.dtype.is_bool else float(fill) if x.dtype.is_float else int(fill)
    return apply(records.place, x, shape=shape, begin=before, stride=(1,) * x.ndim, fill=fill)


def _reflected(x, axis, before, after, skip):
    """`x` continued by its mirror image along `axis`; `skip` 1: without repeating the element at the edge."""
    extent = x.shape[axis]
    if max(before, after) > extent - skip:
        raise shape_error(f"pad: an axis of size {extent} can be mirrored by at most {extent - skip}, got "
                          f"({before}, {after})")
    parts = [flip(window(x, axis, skip, before), (axis,))] if before else []
    parts.append(x)
    if after:
        parts.append(flip(window(x, axis, extent - skip - after, after), (axis,)))
    return concat(parts, axis)


def _replicated(x, axis, before, after):
    from graphcore.ops.functional.shaping import repeat_elements
    first, last = window(x, axis, 0, 1), window(x, axis, x.shape[axis] - 1, 1)
    parts = ([repeat_elements(first, before, axis)] if before else []) + [x]
    return concat(parts + ([repeat_elements(last, after, axis)] if after else []), axis)


def _wrapped(x, axis, before, after):
    extent = x.shape[axis]
    if max(before, after) > extent:
        raise shape_error(f"pad: an axis of size {extent} can be wrapped around by at most {extent}")
    parts = ([window(x, axis, extent - before, before)] if before else []) + [x]
    return concat(parts + ([window(x, axis, 0, after)] if after else []), axis)


def _continued(x, axis, before, after, mode):
    if not before and not after:
        return x
    if mode == "circular":
        return _wrapped(x, axis, before, after)
    if mode in ("replicate", "edge"):
        return _replicated(x, axis, before, after)
    return _reflected(x, axis, before, after, 1 if mode == "reflect" else 0)


def pad(input_x, padding=None, mode="constant", value=None, *, paddings=None):
    """Elements added around axes, the last axis first: (left, right, top, bottom, ...); negative ones cut.

    mode: "constant" (`value`, by default 0), "reflect" (without the edge), "symmetric" (with it), "replicate" or
    "circular".  As before MindSpore 2, `padding` (then also called `paddings`) may have a pair (before, after) for
    every axis, in order.
    Raises ValueError for an odd number of entries, more than the axes have, or another mode.
    """
    x = tensor_of(input_x, "pad")
    if padding is None:
        padding = paddings
    if isinstance(padding, (tuple, list)) and padding and all(isinstance(pair, (tuple, list)) for pair in padding):
        if len(padding) != x.ndim or any(len(pair) != 2 for pair in padding):
            raise shape_error(f"pad: there must be a pair (before, after) for each of the {x.ndim} axes of shape "
                              f"{x.shape}; got {padding}")
        return pad_axes(x, *zip(*padding), mode, value)
    amounts = ints_of(padding, "pad: padding")
    if len(amounts) % 2 or len(amounts) > 2 * x.ndim:
        raise shape_error(f"pad: padding has two entries for each axis from the last, at most {2 * x.ndim} for shape "
                          f"{x.shape}; got {amounts}")
    untouched = x.ndim - len(amounts) // 2
    before = (0,) * untouched + amounts[::2][::-1]
    after = (0,) * untouched + amounts[1::2][::-1]
    return pad_axes(x, before, after, mode, value)


def pad_axes(x: Tensor, before, after, mode="constant", value=None) -> Tensor:
    """As `pad`, with the amounts before and after each axis in order."""
    if mode == "constant":
        return zero_padded(x, before, after, 0 if value is None else number_of(value, "pad"))
    if mode not in ("reflect", "symmetric", "replicate", "edge", "circular"):
        raise shape_error(f"pad: mode must be constant, reflect, symmetric, replicate or circular, got {mode!r}")
    for axis, (a, b) in enumerate(zip(before, after)):
        x = _continued(x, axis, a, b, mode)
    return x


def roll(input, shifts, dims=None):
    """Elements moved along axes, those that leave come back at the other end (dims None: of the flattened tensor)."""
    x, amounts = tensor_of(input, "roll"), ints_of(shifts, "roll: shifts")
    if dims is None:
        return reshape(roll(reshape(x, (x.size,)), amounts[:1], (0,)), x.shape)
    axes = ints_of(dims, "roll: dims")
    if len(axes) != len(amounts):
        raise shape_error(f"roll: {len(amounts)} shifts for {len(axes)} axes")
    for amount, axis in zip(amounts, axes):
        axis = axis_of(axis, x.ndim, "roll")
        size = x.shape[axis]
        if not isinstance(size, Dim):
            amount %= size or 1
        elif amount < 0:            # of a size that is not known amounts are taken to be no larger
            amount = size + amount
        if amount:
            stays = size - amount
            x = concat([window(x, axis, stays, amount), window(x, axis, 0, stays)], axis)
    return x


# -- windows of images --------------------------------------------------------------------------------------

def pair_of(value, name: str) -> tuple:
    """Two ints from an int or a pair."""
    values = ints_of(value, name)
    if len(values) not in (1, 2):
        raise shape_error(f"{name} must be an int or two, got {values}")
    return values * 2 if len(values) == 1 else values


def _sides(padding, name) -> tuple:
    """(top, bottom, left, right) from an int, (height, width), or all four."""
    values = ints_of(padding, name)
    if len(values) == 4:
        return values
    height, width = pair_of(values, name)
    return height, height, width, width


def taps(x: Tensor, kernel, stride, dilation) -> list:
    """For each position in a window, the elements of images [N, C, H, W] that all windows have there."""
    (kh, kw), (sh, sw), (dh, dw) = kernel, stride, dilation
    high = (x.shape[2] - dh * (kh - 1) - 1) // sh + 1
    wide = (x.shape[3] - dw * (kw - 1) - 1) // sw + 1
    size, stride = (*x.shape[:2], high, wide), (1, 1, sh, sw)
    return [apply(records.slice_, x, begin=(0, 0, i * dh, j * dw), size=size, stride=stride)
            for i in range(kh) for j in range(kw)]


def unfold(input, kernel_size, dilation=1, padding=0, stride=1):
    """The windows of images [N, C, H, W] as columns [N, C * kh * kw, number of windows]."""
    x = tensor_of(input, "unfold")
    kernel, dilation, stride = (pair_of(v, "unfold") for v in (kernel_size, dilation, stride))
    top, bottom, left, right = _sides(padding, "unfold: padding")
    x = zero_padded(x, (0, 0, top, left), (0, 0, bottom, right))
    windows = stack(taps(x, kernel, stride, dilation), 2)
    return reshape(windows, (x.shape[0], product(windows.shape[1:3]), product(windows.shape[3:])))


def fold(input, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """Columns [N, C * kh * kw, number of windows] added up where they lie in images [N, C, H, W]."""
    x = tensor_of(input, "fold")
    (kh, kw), (dh, dw), (sh, sw) = (pair_of(v, "fold") for v in (kernel_size, dilation, stride))
    (high, wide), (top, bottom, left, right) = pair_of(output_size, "fold"), _sides(padding, "fold: padding")
    full = (high + top + bottom, wide + left + right)
    rows, columns = (full[0] - dh * (kh - 1) - 1) // sh + 1, (full[1] - dw * (kw - 1) - 1) // sw + 1
    n, channels = x.shape[0], x.shape[1] // (kh * kw)
    windows = reshape(x, (n, channels, kh * kw, rows, columns))
    total = zeros((n, channels, *full), x.dtype)
    for k in range(kh * kw):
        part = reshape(window(windows, 2, k, 1), (n, channels, rows, columns))
        total = add(total, apply(records.place, part, shape=total.shape, begin=(0, 0, k // kw * dh, k % kw * dw),
                                 stride=(1, 1, sh, sw), fill=0.0))
    return zero_padded(total, (0, 0, -top, -left), (0, 0, -bottom, -right))


def col2im(input_x, output_size, kernel_size, dilation, padding_value, stride):
    """Windows [N, C, kh * kw, number of windows] added up where they lie in images [N, C, *output_size]."""
    x = tensor_of(input_x, "col2im")
    if x.ndim != 4:
        raise shape_error(f"col2im takes a tensor [N, C, kh * kw, number of windows], got shape {x.shape}")
    columns = reshape(x, (x.shape[0], x.shape[1] * x.shape[2], x.shape[3]))
    return fold(columns, output_size, kernel_size, dilation, padding_value, stride)


# -- channels and pixels --------------------------------------------------------------------------------------

def pixel_shuffle(input, upscale_factor):
    """[..., C * r * r, H, W] as [..., C, H * r, W * r].  Raises ShapeError if the channels do not divide."""
    x, r = tensor_of(input, "pixel_shuffle"), upscale_factor
    *lead, c, h, w = x.shape
    if c % (r * r):
        raise shape_error(f"pixel_shuffle: {c} channels cannot be divided by {r} * {r}")
    k = len(lead)
    x = reshape(x, (*lead, c // (r * r), r, r, h, w))
    return reshape(transpose(x, (*range(k), k, k + 3, k + 1, k + 4, k + 2)), (*lead, c // (r * r), h * r, w * r))


def pixel_unshuffle(input, downscale_factor):
    """[..., C, H * r, W * r] as [..., C * r * r, H, W].  Raises ShapeError if the sizes do not divide."""
    x, r = tensor_of(input, "pixel_unshuffle"), downscale_factor
    *lead, c, h, w = x.shape
    if h % r or w % r:
        raise shape_error(f"pixel_unshuffle: an image of {h} x {w} cannot be divided by {r}")
    k = len(lead)
    x = reshape(x, (*lead, c, h // r, r, w // r, r))
    return reshape(transpose(x, (*range(k), k, k + 2, k + 4, k + 1, k + 3)), (*lead, c * r * r, h // r, w // r))


def _check_block(r: int) -> None:
    if r < 1:
        raise shape_error(f"a block has at least one row and column, got {r}")


def block_to_depth(x: Tensor, r: int) -> Tensor:
    """[N, C, H * r, W * r] as [N, r * r * C, H, W], the place within a block before the channel."""
    _check_block(r)
    n, c, h, w = x.shape
    blocks = reshape(x, (n, c, h // r, r, w // r, r))
    return reshape(transpose(blocks, (0, 3, 5, 1, 2, 4)), (n, r * r * c, h // r, w // r))


def depth_to_block(x: Tensor, r: int) -> Tensor:
    """[N, r * r * C, H, W] as [N, C, H * r, W * r]: the inverse of `block_to_depth`."""
    _check_block(r)
    n, c, h, w = x.shape
    blocks = reshape(x, (n, r, r, c // (r * r), h, w))
    return reshape(transpose(blocks, (0, 3, 4, 1, 5, 2)), (n, c // (r * r), h * r, w * r))


def channel_shuffle(x, groups):
    """The channels of [N, C, ...] dealt out: channel j of each of the groups in turn.

    Raises ShapeError if the groups do not divide the channels.
    """
    x = tensor_of(x, "channel_shuffle")
    n, c, *rest = x.shape
    if c % groups:
        raise shape_error(f"channel_shuffle: {c} channels cannot be divided into {groups} groups")
    grouped = reshape(x, (n, groups, c // groups, *rest))
    return reshape(transpose(grouped, (0, 2, 1, *range(3, 3 + len(rest)))), x.shape)
