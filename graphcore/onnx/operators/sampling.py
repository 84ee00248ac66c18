"""Reading images at given places, and parts out of their middle."""
from __future__ import annotations

import itertools
import math

from graphcore import dtype as dt
from graphcore.onnx.table import operator
from graphcore.onnx.values import axis_of, ints, like, room
from graphcore.ops import functional as F
from graphcore.ops.functional.padding import zero_padded
from graphcore.tensor import Tensor

_MODES = {"bilinear": "linear", "bicubic": "cubic"}        # names before opset 20
_A = -0.75                                                  # of the cubic convolution


@operator("GridSample", 16)
def grid_sample(x, grid, *, align_corners=0, mode="linear", padding_mode="zeros"):
    """[N, C, ...] read at places [N, ..., axes], from -1 to 1 along each axis, the last axis first."""
    mode, axes, extents = _MODES.get(mode, mode), x.ndim - 2, x.shape[2:]
    if mode not in _TAPS or padding_mode not in ("zeros", "border", "reflection"):
        raise ValueError(f"unknown mode {mode!r} or padding_mode {padding_mode!r}")
    if grid.ndim != x.ndim or grid.shape[-1] != axes:
        raise ValueError(f"a grid of shape {grid.shape} does not fit images of shape {x.shape}")
    n, c, *sizes = *x.shape[:2], *grid.shape[1:-1]
    count, whole = math.prod(sizes), math.prod(extents)
    room((n, c, count, len(_TAPS[mode](Tensor(0.0))) ** axes), "GridSample")
    taps = []
    for axis, extent in enumerate(extents):
        place = F.reshape(grid[..., axes - 1 - axis], (n, count))
        taps.append(_taps(place, extent, mode, padding_mode, bool(align_corners)))
    flat, total = F.reshape(x, (n, c, whole)), None
    for chosen in itertools.product(*taps):
        index, weight = None, None
        for (place, factor), extent in zip(chosen, extents):
            index = place if index is None else index * extent + place
            weight = factor if weight is None else weight * factor
        places = F.broadcast_to(F.reshape(index, (n, 1, count)), (n, c, count))
        part = F.gather_elements(flat, 2, places) * F.cast(F.reshape(weight, (n, 1, count)), x.dtype)
        total = part if total is None else total + part
    return F.reshape(total, (n, c, *sizes))


def _taps(place: Tensor, extent: int, mode: str, padding: str, corners: bool) -> list:
    """(int64 index, weight) of each element that counts along one axis; `place` is from -1 to 1."""
    low, high = (0.0, extent - 1.0) if corners else (-0.5, extent - 0.5)
    where = (place + 1) / 2 * (extent - 1) if corners else ((place + 1) * extent - 1) / 2
    where = F.round(where) if mode == "nearest" else where
    if padding == "border":
        where = F.where(F.logical_or(where < low, where > high), F.clamp(where, 0.0, extent - 1.0), where)
    elif padding == "reflection":
        where = _reflected(where, low, high)
    found = []
    for index, weight in _TAPS[mode](where):
        if padding == "zeros":
            inside = F.logical_and(index >= 0, index <= extent - 1)
            weight = F.where(inside, weight, like(0, weight))
        elif padding == "reflection":
            index = F.trunc(_reflected(index, low, high))
        found.append((F.cast(F.clamp(index, 0.0, extent - 1.0), dt.int64), weight))
    return found


def _reflected(where: Tensor, low: float, high: float) -> Tensor:
    """Places beyond the borders mirrored at them, as often as it takes."""
    span = high - low
    if span <= 0:
        return where * 0
    beyond = F.where(where < low, low - where, where - high)
    turns = F.trunc(beyond / span)
    rest, even = beyond - turns * span, F.equal(F.floor_mod(turns, 2.0), 0.0)
    from_low, from_high = low + rest, high - rest
    mirrored = F.where(F.logical_xor(where < low, even), from_high, from_low)
    return F.where(F.logical_or(where < low, where > high), mirrored, where)


def _linear_taps(where: Tensor) -> list:
    below = F.floor(where)
    part = where - below
    return [(below, 1 - part), (below + 1, part)]


def _cubic_taps(where: Tensor) -> list:
    """Keys' cubic convolution."""
    below = F.floor(where)
    part = where - below

    def far(d):
        return ((_A * d - 5 * _A) * d + 8 * _A) * d - 4 * _A

    def near(d):
        return ((_A + 2) * d - (_A + 3)) * d * d + 1
    return [(below - 1, far(part + 1)), (below, near(part)), (below + 1, near(1 - part)), (below + 2, far(2 - part))]


_TAPS = {"nearest": lambda where: [(where, F.full_like(where, 1.0))], "linear": _linear_taps, "cubic": _cubic_taps}


@operator("CenterCropPad", 18, numbers=("shape",))
def center_crop_pad(x, shape, *, axes=None):
    """The middle of axes that are longer than wanted, zeros around those that are shorter; the odd one behind."""
    axes = range(x.ndim) if axes is None else [axis_of(a, x.ndim) for a in axes]
    before, after = [0] * x.ndim, [0] * x.ndim
    for axis, wanted in zip(axes, ints(shape), strict=True):
        more = wanted - x.shape[axis]
        before[axis] = more // 2 if more >= 0 else -(-more // 2)
        after[axis] = more - before[axis]
    room([n + a + b for n, a, b in zip(x.shape, before, after)], "CenterCropPad")
    return zero_padded(x, before, after)
