"""Rules of operators along one axis: running sums, sorting, the k largest, argmax."""
from __future__ import annotations

from graphcore.ops.batching.values import rule


@rule("cumsum", "cumprod", "sort_indices", "sort_values", "topk_indices", "topk_values", "argmax", "argmin")
def _along_axis(record, batch, values, attrs):
    """The same axis, behind the batch axis."""
    return record(values[0].node, **{**attrs, "axis": attrs["axis"] + 1})
