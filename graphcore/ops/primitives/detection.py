"""Primitives of detectors: choosing among boxes, and cutting regions out of features."""
from __future__ import annotations

import numpy as np

from graphcore import dtype as dt
from graphcore.ops import functional as F
from graphcore.ops.host import on_host
from graphcore.ops.primitives.base import primitive
from graphcore.tensor import Tensor

__all__ = ["CropAndResize", "NMSWithMask", "ROIAlign", "RandomChoiceWithMask"]


@primitive
def NMSWithMask(bboxes, *, iou_threshold=0.5):
    """(boxes [N, 5] by falling score, their numbers in this order, bool [N]: whether a box is kept).

    A box is (x0, y0, x1, y1, score); it is kept unless one that is kept, of higher score, overlaps it by more than
    `iou_threshold` of their common area.
    """
    def choose(boxes):
        boxes = boxes[np.argsort(-boxes[:, 4], kind="stable")]
        kept = np.ones(len(boxes), bool)
        x0, y0, x1, y1 = boxes[:, :4].T
        areas = (x1 - x0) * (y1 - y0)
        for i in range(len(boxes)):
            if kept[i]:
                width = np.maximum(np.minimum(x1[i], x1) - np.maximum(x0[i], x0), 0)
                height = np.maximum(np.minimum(y1[i], y1) - np.maximum(y0[i], y0), 0)
                common = width * height
                kept &= (common <= iou_threshold * (areas[i] + areas - common)) | (np.arange(len(boxes)) <= i)
        return boxes, np.arange(len(boxes), dtype=np.int32), kept

    count = bboxes.shape[0]
    return on_host("NMSWithMask", choose, [bboxes], [(bboxes.dtype, (count, 5)), (dt.int32, (count,)),
                                                     (dt.bool_, (count,))])


@primitive
def RandomChoiceWithMask(input_x, *, count=256, seed=0, seed2=0):
    """(the places of `count` true elements drawn at random, which of them are places); see `ops.choice_with_mask`."""
    return F.choice_with_mask(input_x, count, [seed, seed2] if seed or seed2 else None)


@primitive
def CropAndResize(x, boxes, box_indices, crop_size, *, method="bilinear", extrapolation_value=0.0):
    """Boxes of images [N, H, W, C], each resized to crop_size; see `ops.crop_and_resize`."""
    return F.crop_and_resize(x, boxes, box_indices, crop_size, method, extrapolation_value)


@primitive
def ROIAlign(features, rois, *, pooled_height, pooled_width, spatial_scale, sample_num=2, roi_end_mode=1):
    """Regions of features [N, C, H, W] as [M, C, pooled_height, pooled_width], by linear interpolation.

    rois: [M, 5], the number of the image and (x0, y0, x1, y1), which `spatial_scale` takes to features.  Each cell is
    the mean of `sample_num` by `sample_num` points in it.  roi_end_mode: added to x1 and y1.
    """
    images = F.gather(features, F.cast(rois[:, 0], dt.int32), 0)
    _, _, height, width = features.shape
    corners = F.cast(rois, dt.float32)
    rows = _mean_weights(corners[:, 2], corners[:, 4] + roi_end_mode, spatial_scale, pooled_height, sample_num, height)
    columns = _mean_weights(corners[:, 1], corners[:, 3] + roi_end_mode, spatial_scale, pooled_width, sample_num, width)
    cut = F.matmul(F.expand_dims(rows, 1), F.cast(images, dt.float32))
    return F.cast(F.matmul(cut, F.expand_dims(F.swapaxes(columns, 1, 2), 1)), features.dtype)


def _mean_weights(start, end, scale, cells, samples, size):
    """[M, cells, size]: how much of each pixel along an axis goes into each cell of each region.

    A point between two pixels takes of both by its distance; beyond the last pixels it takes of those, and more than a
    pixel away from the image nothing.
    """
    start, end = start * scale, end * scale
    step = F.maximum(end - start, 0.0001) / cells
    places = (np.arange(cells)[:, None] + (np.arange(samples) + 0.5) / samples).astype(np.float32)
    points = F.reshape(start, (-1, 1, 1)) + F.reshape(step, (-1, 1, 1)) * Tensor(places)
    inside = F.cast(F.logical_and(points >= -1.0, points <= float(size)), dt.float32)
    points = F.expand_dims(F.clamp(points, 0.0, float(size - 1)), -1)
    weights = F.maximum(1.0 - F.abs(points - Tensor(np.arange(size, dtype=np.float32))), 0.0)
    return F.mean(weights * F.expand_dims(inside, -1), 2)
