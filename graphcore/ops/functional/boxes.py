"""Boxes around objects, (x0, y0, x1, y1) in pixels that belong to the box."""
from __future__ import annotations

from graphcore.ops.functional.arguments import shape_error, tensor_of
from graphcore.ops.functional.arithmetic import add, clamp, div, maximum, minimum, mul, sub
from graphcore.ops.functional.elementary import exp, log
from graphcore.ops.functional.joining import stack, unstack
from graphcore.ops.functional.shaping import expand_dims

__all__ = ["iou", "bounding_box_encode", "bounding_box_decode", "check_valid"]


def iou(anchor_boxes, gt_boxes, mode="iou"):
    """The overlap of each of the boxes [M, 4] (rows of the result) with each of [N, 4] (columns).

    mode: "iou", the common area divided by the area of both together, or "iof", by the area of the second box.
    Raises ValueError for another mode.
    """
    if mode not in ("iou", "iof"):
        raise shape_error(f"iou: mode must be 'iou' or 'iof', got {mode!r}")
    a = [expand_dims(v, 0) for v in unstack(tensor_of(anchor_boxes, "iou"), -1)]
    b = [expand_dims(v, 1) for v in unstack(tensor_of(gt_boxes, "iou"), -1)]
    def area(box):
        return mul(_extent(box[0], box[2]), _extent(box[1], box[3]))
    common = area((maximum(a[0], b[0]), maximum(a[1], b[1]), minimum(a[2], b[2]), minimum(a[3], b[3])))
    return div(common, sub(add(area(a), area(b)), common) if mode == "iou" else area(b))


def _extent(start, end):
    return clamp(add(sub(end, start), 1.0), min=0.0)


def _centres(box) -> tuple:
    x0, y0, x1, y1 = unstack(box, -1)
    return mul(add(x0, x1), 0.5), mul(add(y0, y1), 0.5), add(sub(x1, x0), 1.0), add(sub(y1, y0), 1.0)


def bounding_box_encode(anchor_box, groundtruth_box, means=(0.0, 0.0, 0.0, 0.0), stds=(1.0, 1.0, 1.0, 1.0)):
    """How the boxes [N, 4] of `groundtruth_box` lie to `anchor_box`: shifts and log ratios, normalised."""
    px, py, pw, ph = _centres(tensor_of(anchor_box, "bounding_box_encode"))
    gx, gy, gw, gh = _centres(tensor_of(groundtruth_box, "bounding_box_encode"))
    deltas = (div(sub(gx, px), pw), div(sub(gy, py), ph), log(div(gw, pw)), log(div(gh, ph)))
    return stack([div(sub(d, m), s) for d, m, s in zip(deltas, means, stds)], -1)


def bounding_box_decode(anchor_box, deltas, max_shape, means=(0.0, 0.0, 0.0, 0.0), stds=(1.0, 1.0, 1.0, 1.0),
                        wh_ratio_clip=0.016):
    """The boxes that `deltas` describe, cut off at an image of `max_shape` (height, width)."""
    from math import log as ln
    px, py, pw, ph = _centres(tensor_of(anchor_box, "bounding_box_decode"))
    parts = unstack(tensor_of(deltas, "bounding_box_decode"), -1)
    dx, dy, dw, dh = (add(mul(d, s), m) for d, s, m in zip(parts, stds, means))
    limit = abs(ln(wh_ratio_clip))
    w, h = mul(pw, exp(clamp(dw, -limit, limit))), mul(ph, exp(clamp(dh, -limit, limit)))
    x, y = add(px, mul(pw, dx)), add(py, mul(ph, dy))
    half_w, half_h = mul(sub(w, 1.0), 0.5), mul(sub(h, 1.0), 0.5)
    right, bottom = float(max_shape[1] - 1), float(max_shape[0] - 1)
    return stack([clamp(sub(x, half_w), 0.0, right), clamp(sub(y, half_h), 0.0, bottom),
                  clamp(add(x, half_w), 0.0, right), clamp(add(y, half_h), 0.0, bottom)], -1)


def check_valid(bboxes, img_metas):
    """Whether each of the boxes [N, 4] lies within an image of (height, width) times a ratio, img_metas [3]."""
    x0, y0, x1, y1 = unstack(tensor_of(bboxes, "check_valid"), -1)
    height, width, ratio = unstack(tensor_of(img_metas, "check_valid"), 0)
    right, bottom = sub(mul(width, ratio), 1.0), sub(mul(height, ratio), 1.0)
    return (x0 >= 0) & (y0 >= 0) & (x1 <= right) & (y1 <= bottom)
