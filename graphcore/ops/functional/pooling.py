"""Pooling: over windows, or to a given size."""
from __future__ import annotations

import math

from graphcore.ops import pointwise as pw
from graphcore.ops import pooling as records
from graphcore.ops.functional.arguments import Dim, Tensor, apply, cast, dt, floating, ints_of, shape_error, tensor_of
from graphcore.ops.functional.arithmetic import add, mul, pow
from graphcore.ops.functional.comparison import where
from graphcore.ops.functional.convolution import same_padding
from graphcore.ops.functional.creation import counted
from graphcore.ops.functional.indexing import gather_elements
from graphcore.ops.functional.joining import concat, window
from graphcore.ops.functional.padding import pair_of, taps, zero_padded
from graphcore.ops.functional.reduction import amax, mean
from graphcore.ops.functional.reduction import max as largest_of
from graphcore.ops.functional.shaping import broadcast_to, expand_dims, reshape, squeeze

__all__ = [
    "max_pool2d", "avg_pool2d", "max_pool1d", "avg_pool1d", "lp_pool1d", "lp_pool2d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool1d", "adaptive_avg_pool3d", "adaptive_max_pool2d", "adaptive_max_pool1d", "adaptive_max_pool3d",
]


def images_of(input, name, rank=4) -> tuple:
    """(images with a batch axis, whether it was added)."""
    x = tensor_of(input, name)
    if x.ndim not in (rank - 1, rank):
        raise shape_error(f"{name} takes a tensor of {rank} axes, or {rank - 1} without batch, got shape {x.shape}")
    return (x, False) if x.ndim == rank else (expand_dims(x, 0), True)


def overhang(extent, kernel, stride, before, after, dilation=1) -> int:
    """How much more padding the ceil mode needs after an axis; a window never starts beyond the input."""
    reach = dilation * (kernel - 1) + 1
    if isinstance(extent, Dim):
        raise shape_error(f"ceil_mode needs known sizes, got {extent}")
    span = extent + before + after - reach
    count = -(-span // stride) + 1
    if (count - 1) * stride >= extent + before:
        count -= 1
    return max((count - 1) * stride - span, 0)


def _settings(name, kernel_size, stride, padding, dilation=1):
    kernel = pair_of(kernel_size, f"{name}: kernel_size")
    stride = kernel if stride is None else pair_of(stride, f"{name}: stride")
    before = pair_of(padding, f"{name}: padding")
    if any(2 * p > k for p, k in zip(before, kernel)):
        raise shape_error(f"{name}: padding {before} must be at most half of the kernel size {kernel}")
    return kernel, stride, before, pair_of(dilation, f"{name}: dilation")


def max_pool2d(x, kernel_size, stride=None, padding=0, dilation=1, return_indices=False, ceil_mode=False):
    """The largest element of each window of [N, C, H, W] (or [C, H, W]).

    Sizes are ints or pairs; stride None: the kernel size.  ceil_mode: windows that leave the image at its end count.
    return_indices: also the int64 place of each maximum in its image, row-major.  Raises ShapeError for bad sizes.
    """
    x, added = images_of(x, "max_pool2d")
    kernel, stride, before, dilation = _settings("max_pool2d", kernel_size, stride, padding, dilation)
    pad = []
    for n, k, s, p, d in zip(x.shape[2:], kernel, stride, before, dilation):
        pad += [p, p + (overhang(n, k, s, p, p, d) if ceil_mode else 0)]
    y = apply(records.max_pool2d, x, kernel=kernel, stride=stride, pad=tuple(pad), dilation=dilation)
    places = max_places(x, y, kernel, stride, pad, dilation) if return_indices else None
    results = [squeeze(v, 0) if added else v for v in (y, places) if v is not None]
    return tuple(results) if return_indices else results[0]


def max_places(x: Tensor, y: Tensor, kernel, stride, pad, dilation) -> Tensor:
    """The place of each window's first maximum in its image, row-major, as int64."""
    top, bottom, left, right = pad
    around = (0, 0, top, left), (0, 0, bottom, right)
    lowest = -math.inf if x.dtype.is_float else -(2 ** (8 * x.dtype.itemsize - 1)) if x.dtype.kind == "i" else 0
    numbers = broadcast_to(reshape(counted(x.shape[2] * x.shape[3]), x.shape[2:]), x.shape)
    candidates = taps(zero_padded(x, *around, fill=lowest), kernel, stride, dilation)
    labels = taps(zero_padded(numbers, *around, fill=-1), kernel, stride, dilation)
    found = Tensor(-1, dt.int64)
    for value, label in zip(candidates, labels):
        hit = apply(pw.logical_and, apply(pw.eq, value, y), apply(pw.lt, found, Tensor(0, dt.int64)))
        found = where(hit, label, found)
    return found


def avg_pool2d(input_x, kernel_size=1, stride=1, padding=0, ceil_mode=False, count_include_pad=True,
               divisor_override=0):
    """The mean of each window of [N, C, H, W] (or [C, H, W]).

    count_include_pad: whether padding counts as elements; divisor_override: divide by this instead (0: do not).
    Other arguments as in `max_pool2d`.
    """
    x, added = images_of(floating(tensor_of(input_x, "avg_pool2d")), "avg_pool2d")
    kernel, stride, before, _ = _settings("avg_pool2d", kernel_size, stride, padding)
    more = [overhang(n, k, s, p, p) if ceil_mode else 0 for n, k, s, p in zip(x.shape[2:], kernel, stride, before)]
    pad = (before[0], before[0] + more[0], before[1], before[1] + more[1])
    if any(more) and count_include_pad and not divisor_override:
        # given padding counts, what the ceil mode adds does not
        x = zero_padded(x, (0, 0, *before), (0, 0, *before))
        pad, count_include_pad = (0, more[0], 0, more[1]), False
    y = apply(records.avg_pool2d, x, kernel=kernel, stride=stride, pad=pad, count_include_pad=bool(count_include_pad),
              divisor_override=int(divisor_override) or None)
    return squeeze(y, 0) if added else y


def pool_same(record, x: Tensor, kernel, stride, pad_mode: str) -> Tensor:
    """Pooling with pad_mode "valid" or "same"; padding never counts.  Raises ValueError for another mode."""
    mode = str(pad_mode).lower()
    if mode not in ("valid", "same"):
        raise shape_error(f"pad_mode must be 'valid' or 'same', got {pad_mode!r}")
    sides = [same_padding(n, k, s) if mode == "same" else (0, 0) for n, k, s in zip(x.shape[2:], kernel, stride)]
    attrs = {"kernel": kernel, "stride": stride, "pad": sides[0] + sides[1]}
    if record is records.max_pool2d:
        return apply(record, x, dilation=(1, 1), **attrs)
    return apply(record, floating(x), count_include_pad=False, divisor_override=None, **attrs)


# -- one axis ---------------------------------------------------------------------------------------------

def max_pool1d(x, kernel_size, stride=None, padding=0, dilation=1, return_indices=False, ceil_mode=False):
    """The largest element of each window of [N, C, L] (or [C, L]); see `max_pool2d`."""
    one = [(1, *ints_of(v, "max_pool1d")) for v in (kernel_size, kernel_size if stride is None else stride, dilation)]
    y = max_pool2d(expand_dims(x, -2), one[0], one[1], (0, *ints_of(padding, "max_pool1d")), one[2], return_indices,
                   ceil_mode)
    return tuple(squeeze(v, -2) for v in y) if return_indices else squeeze(y, -2)


def avg_pool1d(input_x, kernel_size=1, stride=1, padding=0, ceil_mode=False, count_include_pad=True):
    """The mean of each window of [N, C, L] (or [C, L]); see `avg_pool2d`."""
    kernel, step, pad = (ints_of(v, "avg_pool1d") for v in (kernel_size, stride, padding))
    return squeeze(avg_pool2d(expand_dims(input_x, -2), (1, *kernel), (1, *step), (0, *pad), ceil_mode,
                              count_include_pad), -2)


def lp_pool2d(x, norm_type, kernel_size, stride=None, ceil_mode=False):
    """The norm sum(x^p)^(1/p) of each window of [N, C, H, W]; of one cut off by the ceil mode, as if it were whole."""
    kernel = pair_of(kernel_size, "lp_pool2d")
    means = avg_pool2d(pow(tensor_of(x, "lp_pool2d"), float(norm_type)), kernel, kernel if stride is None else stride,
                       ceil_mode=ceil_mode)
    return pow(mul(means, float(kernel[0] * kernel[1])), 1.0 / norm_type)


def lp_pool1d(x, norm_type, kernel_size, stride=None, ceil_mode=False):
    """The norm sum(x^p)^(1/p) of each window of [N, C, L] or [C, L]."""
    (kernel,), (step,) = ints_of(kernel_size, "lp_pool1d"), ints_of(kernel_size if stride is None else stride, "stride")
    return squeeze(lp_pool2d(expand_dims(x, -2), norm_type, (1, kernel), (1, step), ceil_mode), -2)


# -- to a given size ----------------------------------------------------------------------------------------

def _windows(extent, size: int) -> list:
    """(start, end) of `size` windows, from floor(i n / size) to ceil((i + 1) n / size)."""
    if isinstance(extent, Dim):
        raise shape_error(f"adaptive pooling to {size} needs a known size, got {extent}")
    return [(i * extent // size, -(-(i + 1) * extent // size)) for i in range(size)]


def _to_size(x: Tensor, axis: int, size: int, combine) -> Tensor:
    """`size` windows over one axis, each combined."""
    if size == x.shape[axis]:
        return x
    if size == 1:
        return combine(x, axis, True)
    return concat([combine(window(x, axis, start, end - start), axis, True)
                   for start, end in _windows(x.shape[axis], size)], axis)


def _with_sizes(name, input, output_size, axes) -> tuple:
    """(the Tensor, the wanted size of each of its last `axes` axes, as many as it has for None)."""
    x = tensor_of(input, name)
    if x.ndim not in (axes + 1, axes + 2):
        raise shape_error(f"{name} takes a tensor of {axes + 1} or {axes + 2} axes, got shape {x.shape}")
    wanted = tuple(output_size) if isinstance(output_size, (tuple, list)) else (output_size,) * axes
    if len(wanted) != axes or any(s is not None and (not isinstance(s, int) or s < 1) for s in wanted):
        raise shape_error(f"{name}: output_size must be one or {axes} positive ints or None, got {output_size}")
    return x, [n if size is None else size for n, size in zip(x.shape[-axes:], wanted)]


def _adaptive(name, input, output_size, axes, combine) -> Tensor:
    x, sizes = _with_sizes(name, input, output_size, axes)
    for axis, size in enumerate(sizes, x.ndim - axes):
        x = _to_size(x, axis, size, combine)
    return x


def _even(x, output_size):
    """Kernel sizes if both axes divide evenly into more than one window, else None."""
    sizes = tuple(output_size) if isinstance(output_size, (tuple, list)) else (output_size,) * 2
    known = x.ndim == 4 and len(sizes) == 2 and all(isinstance(s, int) and s > 0 for s in sizes)
    if not known or sizes == (1, 1) or any(isinstance(n, Dim) or n % s for n, s in zip(x.shape[2:], sizes)):
        return None
    return tuple(n // s for n, s in zip(x.shape[2:], sizes))


def adaptive_avg_pool2d(input, output_size):
    """Means over windows that divide [N, C, H, W] (or [C, H, W]) into `output_size`, an int or (H, W); None: as is."""
    x = floating(tensor_of(input, "adaptive_avg_pool2d"))
    kernel = _even(x, output_size)
    if kernel is not None:
        return apply(records.avg_pool2d, x, kernel=kernel, stride=kernel, pad=(0, 0, 0, 0), count_include_pad=True,
                     divisor_override=None)
    if x.ndim > 2 and output_size in (1, (1, 1), [1, 1]):
        return mean(x, (-2, -1), True)
    return _adaptive("adaptive_avg_pool2d", x, output_size, 2, mean)


def adaptive_avg_pool1d(input, output_size):
    """Means over windows that divide [N, C, L] into `output_size`."""
    return _adaptive("adaptive_avg_pool1d", floating(tensor_of(input, "adaptive_avg_pool1d")), output_size, 1, mean)


def adaptive_avg_pool3d(input, output_size):
    """Means over windows that divide [N, C, D, H, W] into `output_size`."""
    return _adaptive("adaptive_avg_pool3d", floating(tensor_of(input, "adaptive_avg_pool3d")), output_size, 3, mean)


def adaptive_max_pool1d(input, output_size, return_indices=False):
    """Maxima over windows that divide [N, C, L] into `output_size`; return_indices: also their int64 places."""
    return _adaptive_maxima("adaptive_max_pool1d", input, output_size, 1, return_indices)


def adaptive_max_pool2d(input, output_size, return_indices=False):
    """Maxima over windows that divide [N, C, H, W] (or [C, H, W]) into `output_size`.

    return_indices: also the int64 places of the maxima in their image, row-major.
    """
    x = tensor_of(input, "adaptive_max_pool2d")
    kernel = x.shape[2:] if output_size in (1, (1, 1)) and x.ndim == 4 else _even(x, output_size)
    if kernel is not None and (return_indices or output_size not in (1, (1, 1))):
        return max_pool2d(x, kernel, kernel, return_indices=return_indices)
    return _adaptive_maxima("adaptive_max_pool2d", x, output_size, 2, return_indices)


def adaptive_max_pool3d(input, output_size, return_indices=False):
    """Maxima over windows that divide [N, C, D, H, W] (or [C, D, H, W]) into `output_size`.

    return_indices: also the int32 places of the maxima in their volume, row-major.
    """
    found = _adaptive_maxima("adaptive_max_pool3d", input, output_size, 3, return_indices)
    return (found[0], cast(found[1], dt.int32)) if return_indices else found


def _adaptive_maxima(name, input, output_size, axes, return_indices):
    if not return_indices:
        return _adaptive(name, input, output_size, axes, amax)
    x, sizes = _with_sizes(name, input, output_size, axes)
    places, reach = None, 1         # of the axes that are done; how far one step along the next one goes
    for axis in reversed(range(x.ndim - axes, x.ndim)):
        extent, maxima, labels = x.shape[axis], [], []
        for start, end in _windows(extent, sizes[axis - x.ndim]):
            largest, chosen = largest_of(window(x, axis, start, end - start), axis, True)
            label = mul(add(chosen, Tensor(start, dt.int64)), Tensor(reach, dt.int64))
            if places is not None:
                label = add(label, gather_elements(window(places, axis, start, end - start), axis, chosen))
            maxima.append(largest)
            labels.append(label)
        x, places, reach = concat(maxima, axis), concat(labels, axis), reach * extent
    return x, places
