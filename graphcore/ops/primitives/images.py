"""Primitives of images and volumes: other sizes, places, colours, windows put together."""
from __future__ import annotations

from graphcore.ops import functional as F
from graphcore.ops.functional.arguments import shape_error
from graphcore.ops.functional.resizing import resized
from graphcore.ops.functional.selecting import ints_from_data
from graphcore.ops.primitives.base import primitive

# -- sizes and places ---------------------------------------------------------------------------------------

@primitive
def ResizeBicubic(image, size, *, align_corners=False, half_pixel_centers=False):
    """Images [N, C, H, W] in another size, by cubic interpolation."""
    if align_corners and half_pixel_centers:
        raise shape_error("ResizeBicubic: align_corners and half_pixel_centers exclude each other")
    mode = "bicubic" if half_pixel_centers or align_corners else "bicubic-from-corner"
    rows, columns = ints_from_data(size, "ResizeBicubic: size")
    return resized(resized(image, 2, rows, mode, align_corners), 3, columns, mode, align_corners)


@primitive
def ResizeLinear1D(x, size, *, coordinate_transformation_mode="align_corners"):
    """[N, C, W] with another W, by linear interpolation; the mode is "align_corners" or "half_pixel"."""
    if coordinate_transformation_mode not in ("align_corners", "half_pixel"):
        raise shape_error("ResizeLinear1D: coordinate_transformation_mode must be 'align_corners' or 'half_pixel', got "
                          f"{coordinate_transformation_mode!r}")
    (width,) = ints_from_data(size, "ResizeLinear1D: size")
    return resized(x, 2, width, "linear", coordinate_transformation_mode == "align_corners")


@primitive
def UpsampleNearest3D(x, output_size=None, scales=None):
    """Volumes [N, C, D, H, W] in another size, each element that of the nearest place; give one of size and scales."""
    return F.interpolate(x, output_size, scales, "nearest")


@primitive
def UpsampleTrilinear3D(x, output_size=None, scales=None, *, align_corners=False):
    """Volumes [N, C, D, H, W] in another size, by linear interpolation; give one of output_size and scales."""
    return F.interpolate(x, output_size, scales, "trilinear", align_corners)


def _sampler(name: str, rank: int) -> type:
    def sampled(input_x, grid, *, interpolation_mode="bilinear", padding_mode="zeros", align_corners=False):
        if input_x.ndim != rank:
            raise shape_error(f"{name} takes a tensor of {rank} axes, got shape {input_x.shape}")
        return F.grid_sample(input_x, grid, interpolation_mode, padding_mode, align_corners)
    sampled.__name__, sampled.__module__ = name, __name__
    sampled.__doc__ = "The input read at the places of a grid; see `ops.grid_sample`."
    return primitive(sampled)


GridSampler2D, GridSampler3D = _sampler("GridSampler2D", 4), _sampler("GridSampler3D", 5)


@primitive
def AffineGrid(theta, output_size, *, align_corners=False):
    """The grid that affine maps make of the places of an image; see `ops.affine_grid`."""
    return F.affine_grid(theta, output_size, align_corners)


@primitive
def Col2Im(x, output_size, *, kernel_size, dilation=1, padding=0, stride=1):
    """Windows [N, C, kh * kw, number] added up where they lie in images [N, C, *output_size]; see `ops.col2im`."""
    return F.col2im(x, output_size, kernel_size, dilation, padding, stride)


@primitive
def ChannelShuffle(x, *, group):
    """The channels of [N, C, ...] dealt out to `group` groups; see `ops.channel_shuffle`."""
    return F.channel_shuffle(x, group)


# -- colours ------------------------------------------------------------------------------------------------

@primitive
def RGBToHSV(images):
    """(red, green, blue) along the last axis, from 0 to 1, as (hue, saturation, value)."""
    red, green, blue = F.unstack(images, -1)
    value, least = F.amax(images, -1), F.amin(images, -1)
    span = value - least
    safe = F.where(span > 0, span, 1.0)
    hue = F.where(value == red, (green - blue) / safe,
                  F.where(value == green, (blue - red) / safe + 2.0, (red - green) / safe + 4.0)) / 6.0
    hue = F.where(span > 0, F.where(hue < 0, hue + 1.0, hue), 0.0)
    saturation = F.where(value > 0, span / F.where(value > 0, value, 1.0), 0.0)
    return F.cast(F.stack([hue, saturation, value], -1), images.dtype)


@primitive
def HSVToRGB(x):
    """(hue, saturation, value) along the last axis, from 0 to 1, as (red, green, blue)."""
    hue, saturation, value = F.unstack(x, -1)
    chroma = saturation * value
    turns = hue * 6.0
    found = []
    for start in (5.0, 3.0, 1.0):
        place = F.floor_mod(turns + start, 6.0)
        found.append(value - chroma * F.clamp(F.minimum(place, 4.0 - place), 0.0, 1.0))
    return F.cast(F.stack(found, -1), x.dtype)


@primitive
def AdjustHue(image, delta):
    """Images (..., 3) of red, green and blue from 0 to 1 whose hue is turned by `delta`, a share of the circle."""
    hue, saturation, value = F.unstack(RGBToHSV()(image), -1)
    turned = F.floor_mod(hue + F.cast(delta, image.dtype), 1.0)
    return HSVToRGB()(F.stack([turned, saturation, value], -1))


@primitive
def AdjustSaturation(image, scale):
    """Images (..., 3) of red, green and blue from 0 to 1 with the saturation times `scale`, at most 1."""
    hue, saturation, value = F.unstack(RGBToHSV()(image), -1)
    return HSVToRGB()(F.stack([hue, F.clamp(saturation * F.cast(scale, image.dtype), 0.0, 1.0), value], -1))


__all__ = [n for n, v in list(globals().items()) if isinstance(v, type) and v.__module__ == __name__]
