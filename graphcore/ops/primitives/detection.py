"""Primitives of detectors: choosing among boxes, and cutting regions out of features."""
from __future__ import annotations

import numpy as np

from graphcore import dtype as dt
from graphcore.ops import functional as F
from graphcore.ops.functional.selecting import size_from_data
from graphcore.ops.host import on_host
from graphcore.ops.primitives.base import primitive
from graphcore.tensor import Tensor

__all__ = ["CropAndResize", "NMSWithMask", "NonMaxSuppressionWithOverlaps", "CombinedNonMaxSuppression", "ROIAlign",
           "RandomChoiceWithMask"]


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
def NonMaxSuppressionWithOverlaps(overlaps, scores, max_output_size, overlap_threshold, score_threshold):
    """The int32 numbers of the boxes that are kept, by falling score: those above `score_threshold` that overlap none
    that is kept by more than `overlap_threshold`, at most `max_output_size`.

    overlaps: [boxes, boxes]; scores: [boxes].  How many there are depends on the data: see `ops.nonzero`.
    """
    def choose(table, values, most, shared, least):
        kept = []
        for box in np.argsort(-values, kind="stable"):
            if len(kept) < most and values[box] > least and not any(table[box, other] > shared for other in kept):
                kept.append(box)
        numbers = np.zeros(len(values), np.int32)
        numbers[:len(kept)] = kept
        return numbers, np.int64(len(kept))

    given = [v if isinstance(v, Tensor) else Tensor(v) for v in (max_output_size, overlap_threshold, score_threshold)]
    numbers, count = on_host("NonMaxSuppressionWithOverlaps", choose, [overlaps, scores, *given],
                             [(dt.int32, scores.shape), (dt.int64, ())])
    return numbers[:size_from_data(count, "NonMaxSuppressionWithOverlaps")]


@primitive
def CombinedNonMaxSuppression(boxes, scores, max_output_size_per_class, max_total_size, iou_threshold, score_threshold,
                              *, pad_per_class=False, clip_boxes=True):
    """(boxes [N, M, 4], their scores [N, M], their classes [N, M], int32 [N]: how many count) of each image.

    boxes: [N, boxes, classes or 1, 4], two opposite corners each; scores: [N, boxes, classes].  Of each class the boxes
    above `score_threshold` that overlap none that is kept by more than `iou_threshold` of their common area, then the
    best of all classes.  M is max_total_size, with pad_per_class at most the number per class times the classes.
    clip_boxes: corners are cut off at 0 and 1.
    """
    most, total = (int(v) for v in (max_output_size_per_class, max_total_size))
    images, _, classes = scores.shape
    size = min(total, most * classes) if pad_per_class else total

    def choose(corners, values, shared, least):
        found = [np.zeros((images, size, 4), np.float32), np.zeros((images, size), np.float32),
                 np.zeros((images, size), np.float32), np.zeros(images, np.int32)]
        for image in range(images):
            kept = []
            for kind in range(classes):
                own = corners[image, :, kind if corners.shape[2] > 1 else 0]
                kept += [(values[image, box, kind], kind, own[box])
                         for box in _kept(own, values[image, :, kind], most, shared, least)]
            kept.sort(key=lambda entry: -entry[0])
            for place, (score, kind, box) in enumerate(kept[:size]):
                found[0][image, place] = np.clip(box, 0, 1) if clip_boxes else box
                found[1][image, place], found[2][image, place] = score, kind
            found[3][image] = min(len(kept), size)
        return found

    given = [v if isinstance(v, Tensor) else Tensor(v, dt.float32) for v in (iou_threshold, score_threshold)]
    return on_host("CombinedNonMaxSuppression", choose, [boxes, scores, *given],
                   [(dt.float32, (images, size, 4)), (dt.float32, (images, size)), (dt.float32, (images, size)),
                    (dt.int32, (images,))])


def _kept(boxes, scores, most, shared, least) -> list:
    """The numbers of the boxes of one class that are kept, by falling score."""
    low, high = np.minimum(boxes[:, :2], boxes[:, 2:]), np.maximum(boxes[:, :2], boxes[:, 2:])
    areas, kept = (high - low).prod(1), []
    for box in np.argsort(-scores, kind="stable"):
        common = [np.clip(np.minimum(high[box], high[o]) - np.maximum(low[box], low[o]), 0, None).prod() for o in kept]
        if len(kept) < most and scores[box] > least and all(
                c <= shared * (areas[box] + areas[o] - c) for c, o in zip(common, kept)):
            kept.append(box)
    return kept


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
