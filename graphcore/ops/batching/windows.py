"""Rules of pooling: images are independent of each other, so the batch joins the axis N."""
from __future__ import annotations

from graphcore.ops.batching.values import merge, rule, split


@rule("max_pool2d", "max_pool2d_grad", "max_pool2d_grad_grad", "avg_pool2d")
def _pool(record, batch, values, attrs):
    return split(record(*(merge(v.spread(batch), 0) for v in values), **attrs), 0, batch)


@rule("avg_pool2d_grad")
def _avg_pool2d_grad(record, batch, values, attrs):
    n, *image = attrs["shape"]
    return split(record(merge(values[0].node, 0), **{**attrs, "shape": (batch * n, *image)}), 0, batch)
