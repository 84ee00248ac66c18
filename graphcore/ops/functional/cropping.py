"""Regions cut out of images."""
from __future__ import annotations

import numpy as np

from graphcore.ops.functional.arguments import Tensor, cast, dt, shape_error, tensor_of
from graphcore.ops.functional.arithmetic import clamp, maximum, minimum
from graphcore.ops.functional.comparison import logical_and, where
from graphcore.ops.functional.elementary import floor, trunc
from graphcore.ops.functional.indexing import gather
from graphcore.ops.functional.shaping import expand_dims, reshape

__all__ = ["crop_and_resize"]


def crop_and_resize(image, boxes, box_indices, crop_size, method="bilinear", extrapolation_value=0.0):
    """Boxes of images [N, H, W, C], each resized to crop_size: float32 [boxes, height, width, C].

    boxes: [M, 4], (y0, x0, y1, x1) as shares of the image between its first and last pixels; box_indices: int32 [M],
    the images they are of.  method: "bilinear", "nearest" or "bilinear_v2", where boxes are made of whole pixels and
    points outside take the nearest of them.  extrapolation_value: of points outside the image in the other methods.
    """
    x, boxes = tensor_of(image, "crop_and_resize"), tensor_of(boxes, "crop_and_resize")
    if method not in ("bilinear", "nearest", "bilinear_v2"):
        raise shape_error(f"crop_and_resize: method must be 'bilinear', 'nearest' or 'bilinear_v2', got {method!r}")
    _, height, width, channels = x.shape
    rows, row_inside = _points_of(boxes[:, 0], boxes[:, 2], crop_size[0], height, method)
    columns, column_inside = _points_of(boxes[:, 1], boxes[:, 3], crop_size[1], width, method)
    rows, columns = expand_dims(rows, 2), expand_dims(columns, 1)
    pixels = reshape(cast(x, dt.float32), (-1, channels))
    first = reshape(cast(box_indices, dt.int32) * height, (-1, 1, 1))

    def at(row, column):
        places = (first + cast(clamp(row, 0.0, height - 1.0), dt.int32)) * width
        return gather(pixels, places + cast(clamp(column, 0.0, width - 1.0), dt.int32), 0)

    if method == "nearest":
        found = at(floor(rows + 0.5), floor(columns + 0.5))
    else:
        top, left = floor(rows), floor(columns)
        down, right = expand_dims(rows - top, -1), expand_dims(columns - left, -1)
        upper = at(top, left) * (1.0 - right) + at(top, left + 1.0) * right
        lower = at(top + 1.0, left) * (1.0 - right) + at(top + 1.0, left + 1.0) * right
        found = upper * (1.0 - down) + lower * down
    inside = logical_and(expand_dims(row_inside, 2), expand_dims(column_inside, 1))
    return where(expand_dims(inside, -1), found, float(extrapolation_value))


def _points_of(start, end, count, size, method):
    """([boxes, count] where points of boxes lie along an axis of `size` pixels, whether that is in the image)."""
    steps = Tensor(np.arange(count, dtype=np.float32))
    start, end = expand_dims(start, 1), expand_dims(end, 1)
    if method == "bilinear_v2":
        first, last = trunc(start * float(size)), trunc(end * float(size))
        points = first + (steps + 0.5) * ((last - first + 1.0) / count) - 0.5
        points = clamp(maximum(minimum(points, last), first), 0.0, size - 1.0)
    elif count == 1:
        points = (start + end) * (0.5 * (size - 1))
    else:
        points = start * (size - 1.0) + steps * ((end - start) * ((size - 1.0) / (count - 1)))
    return points, logical_and(points >= 0.0, points <= size - 1.0)
