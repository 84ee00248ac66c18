"""Arithmetic of sliding windows: how much padding `pad_mode` means, and the size of transposed convolutions.

Axes are handled in the order rows, columns; paddings are (top, bottom, left, right).
"""
from __future__ import annotations

from graphcore.errors import ShapeError


def reach(kernel: int, dilation: int) -> int:
    """How many elements a window of `kernel` taps spans."""
    return (kernel - 1) * dilation + 1


def same_padding(sizes, kernel, stride, dilation, owner: str) -> tuple:
    """Padding with which the result has ceil(size / stride) elements along each axis; the odd one goes to the end.

    Raises ShapeError for a symbolic size with a stride above 1, where the padding would depend on it.
    """
    pads = []
    for size, k, s, d in zip(sizes, kernel, stride, dilation):
        if isinstance(size, int):
            total = max((-(-size // s) - 1) * s + reach(k, d) - size, 0)
        elif s == 1:
            total = reach(k, d) - 1
        else:
            raise ShapeError(f"{owner}: pad_mode 'same' with stride {s} needs to know the size of the axis, which is "
                             f"symbolic ({size}); use pad_mode 'pad', or give inputs of fixed height and width")
        pads += [total // 2, total - total // 2]
    return tuple(pads)


def padding(mode: str, sizes, kernel, stride, dilation, explicit, owner: str) -> tuple:
    """(top, bottom, left, right) for `mode` 'valid', 'same' or 'pad' (which takes `explicit`)."""
    if mode == "same":
        return same_padding(sizes, kernel, stride, dilation, owner)
    return tuple(explicit) if mode == "pad" else (0,) * (2 * len(kernel))


def transposed_size(mode: str, size, kernel: int, stride: int, dilation: int, pads) -> int:
    """The size that a transposed convolution makes of `size`."""
    if mode == "same":
        return size * stride
    if mode == "valid":
        return size * stride + max(reach(kernel, dilation) - stride, 0)
    return size * stride + (reach(kernel, dilation) - stride - sum(pads))


def ceil_extra(size, kernel: int, stride: int, dilation: int, before: int, after: int) -> int:
    """How much more padding at the end makes the number of windows round up instead of down.

    A window that would start in the padding at the end is left out.  Raises ShapeError for a symbolic size.
    """
    if not isinstance(size, int):
        raise ShapeError(f"ceil_mode needs to know the size of the axis, which is symbolic ({size})")
    span = size + before + after - reach(kernel, dilation)
    windows = -(-span // stride) + 1
    if (windows - 1) * stride >= size + before:
        windows -= 1
    return max((windows - 1) * stride - span, 0)
