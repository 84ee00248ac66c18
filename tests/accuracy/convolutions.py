"""Convolutions by every algorithm: forward, for their inputs and for their weights."""
from __future__ import annotations

import os
from unittest import mock

from graphcore.compiler.kernels import winograd
from graphcore.ops.linear import conv2d_shape
from tests.accuracy.measure import Family, Result, linear, numbers, roles
from tests.accuracy.sizes import SIZES

FORWARD, FOR_INPUTS, FOR_WEIGHTS = "conv2d", "conv2d_grad_input", "conv2d_grad_weight"
BOUND = 12                          # without Winograd's algorithm
SUFFIXES = {FORWARD: "", FOR_INPUTS: ", for inputs", FOR_WEIGHTS: ", for weights"}
AXES = "images inputs outputs height width"


def convolve(what: str, images, height, width, inputs=1, outputs=1, groups=1, side=3, pad=None, magnitude="terms",
             parts=0, **attrs) -> Result:
    """One convolution; inputs and outputs are those of a group, side is that of the kernel.

    what: FORWARD, FOR_INPUTS or FOR_WEIGHTS; pad None: half of it; parts: of the sum for weights, 0 for all of it.
    """
    attrs |= {"pad": (side // 2,) * 4 if pad is None else pad, "groups": groups}
    x, w = numbers(images, groups * inputs, height, width), numbers(groups * outputs, inputs, side, side, seed=1)
    if what == FORWARD:
        return linear(what, [x, w], magnitude, **attrs)
    stride, dilation = (attrs.get(key, (1, 1)) for key in ("stride", "dilation"))
    g = numbers(*conv2d_shape(what, x.shape, w.shape, stride, attrs["pad"], dilation, groups), seed=2)
    if what == FOR_INPUTS:
        return linear(what, [g, w], magnitude, **attrs, shape=x.shape)
    if parts:
        return linear(f"{what}_parts", [x, g], magnitude, **attrs, shape=w.shape, parts=parts)
    return linear(what, [x, g], magnitude, **attrs, shape=w.shape)


def _work(images, height, width, inputs=1, outputs=1, groups=1, side=3, parts=1) -> int:
    return images * groups * inputs * outputs * height * width * side * side


def _family(name: str, what: str, sizes: dict, kernel: str, tile: int = 0, bound: float = BOUND, **settings) -> Family:
    """A family with those roles.  tile: of Winograd's algorithm; 0: it is not used."""
    def run(**row) -> Result:
        # the setting is part of a stored program's key, the choice of the tile is not
        with mock.patch.dict(os.environ, {"GRAPHCORE_WINOGRAD": f"F{tile}" if tile else "0"}), \
                mock.patch.object(winograd, "best_tile", lambda *sizes: tile):
            return convolve(what, **settings, **row)
    return Family(f"convolution, {name}{SUFFIXES[what]}", run, bound, sizes, kernel, _work)


def _three(name: str, sizes: dict, kernel: str = "conv2d_f32", for_weights: str = "", **settings) -> list[Family]:
    """A convolution, its gradient for inputs and, unless others are about it, that for weights."""
    return [_family(name, what, sizes, for_weights if what == FOR_WEIGHTS else kernel, **settings)
            for what in (FORWARD, FOR_INPUTS, FOR_WEIGHTS)]


CONVOLUTIONS = [
    *_three("3x3", roles(AXES)),
    _family("3x3, many outputs", FOR_WEIGHTS, roles(AXES, outputs=SIZES[5:]), "conv2d_grad_weight_f32"),
    _family("3x3, few outputs", FOR_WEIGHTS, roles(AXES, outputs=SIZES[:3]), "conv2d_grad_weight_dots"),
    _family("3x3, in parts", FOR_WEIGHTS, roles(AXES + " parts"), ""),
    *_three("1x1", roles(AXES), "", side=1),
    *(_family("1x1, large images", what, roles(AXES, width=SIZES[9:]), "matmul", side=1)
      for what in (FORWARD, FOR_INPUTS)),
    *_three("kernels of all sides", roles(AXES + " side", side=SIZES[:6]), ""),
    *_three("strided", roles(AXES), stride=(2, 3)),
    *_three("dilated", roles(AXES), dilation=(2, 3), pad=(2, 2, 3, 3)),
    *_three("grouped", roles(AXES + " groups")),
    *_three("depthwise", roles("images groups height width"), "depthwise"),
    *_three("depthwise, strided", roles("images groups height width"), "depthwise", stride=(2, 2)),
    *(_family(f"Winograd F({tile}x{tile})", what, roles(AXES), "winograd", tile, bound, magnitude="largest")
      for tile, bound in ((2, 12), (4, 40)) for what in (FORWARD, FOR_INPUTS)),
]
