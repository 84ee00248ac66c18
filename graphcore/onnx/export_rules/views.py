"""Rules of views, of what assembles arrays, and of reading and writing at given places."""
from __future__ import annotations

import numpy as np

from graphcore import dtype as dt
from graphcore.ir.dims import Dim
from graphcore.ir.graph import Node
from graphcore.onnx.export_rules.windows import attention_output, is_output_of_attention
from graphcore.onnx.writer import OnnxExportError, Writer, rule

_BEFORE_ALL = -(2 ** 63)


@rule("reshape")
def reshape(w: Writer, node: Node, x):
    shape = list(node.shape)
    if sum(isinstance(s, Dim) for s in shape) == 1 and 0 not in shape:
        shape = [-1 if isinstance(s, Dim) else s for s in shape]        # the others say what it is
    return w.add("Reshape", x, w.ints(shape), allowzero=int(0 in shape))


@rule("transpose")
def transpose(w, node, x):
    return w.add("Transpose", x, perm=list(node.attrs["perm"]))


@rule("broadcast_to")
def broadcast_to(w, node, x):
    return w.add("Expand", x, w.ints(node.shape))


@rule("slice")
def slice_(w, node, x):
    source = node.inputs[0]
    if is_output_of_attention(node):
        return attention_output(w, source)
    x = w.name_of(source) if x is None else x
    begin, size, stride = (node.attrs[k] for k in ("begin", "size", "stride"))
    axes = [i for i, (b, n, s, extent) in enumerate(zip(begin, size, stride, source.shape))
            if (b, n, s) != (0, extent, 1)]
    if not axes:
        return w.add("Identity", x)
    ends = []
    for i in axes:
        end = begin[i] + size[i] * stride[i]
        ends.append(_BEFORE_ALL if stride[i] < 0 and isinstance(end, int) and end < 0 else end)
    return w.add("Slice", x, w.ints(begin[i] for i in axes), w.ints(ends), w.ints(axes),
                 w.ints(stride[i] for i in axes))


@rule("concat")
def concat(w, node, *xs):
    return w.add("Concat", *xs, axis=node.attrs["axis"])


@rule("place")
def place(w, node, x):
    return placed(w, x, node.inputs[0].shape, node, node.attrs["begin"], node.attrs["stride"], node.attrs["fill"])


def placed(w: Writer, x: str, sizes: tuple, node: Node, begin, stride, fill) -> str:
    """x, of the shape `sizes`, at begin + k * stride of an array like `node` that is filled with `fill`."""
    value, rank = w.number(fill, node), len(sizes)
    begin, sizes = list(begin), list(sizes)
    for axis, step in enumerate(stride):
        if step < 0:
            x = w.add("Slice", x, w.ints([-1]), w.ints([_BEFORE_ALL]), w.ints([axis]), w.ints([-1]))
            begin[axis], step = begin[axis] + (sizes[axis] - 1) * step, -step
        if step == 1 or isinstance(sizes[axis], int) and sizes[axis] < 2:
            continue
        apart = w.add("Unsqueeze", x, w.ints([axis + 1]))
        pads = [0] * (rank + 1) + [step - 1 if i == axis + 1 else 0 for i in range(rank + 1)]
        apart = w.add("Pad", apart, w.ints(pads), value)
        x = w.add("Reshape", apart, w.ints([*sizes[:axis], sizes[axis] * step, *sizes[axis + 1:]]))
        span = (sizes[axis] - 1) * step + 1
        x = w.add("Slice", x, w.ints([0]), w.ints([span]), w.ints([axis]))
        sizes[axis] = span
    after = [whole - b - n for whole, b, n in zip(node.shape, begin, sizes)]
    return w.add("Pad", x, w.ints([*begin, *after]), value)


@rule("update_slice")
def update_slice(w, node, x, value):
    """The value put in its place, and chosen there."""
    begin, stride, shape = node.attrs["begin"], node.attrs["stride"], node.shape
    window = node.inputs[1].shape
    if not shape:
        return w.add("Identity", value)
    if any(isinstance(s, Dim) for s in (*shape, *window, *begin)):
        raise OnnxExportError(f"writing a window of a tensor of symbolic shape {shape} has no form in ONNX")
    inside = None
    for axis, (b, s, n, extent) in enumerate(zip(begin, stride, window, shape)):
        if n == extent:
            continue
        mask = np.zeros(extent, bool)
        mask[b + np.arange(n) * s] = True
        mask = w.constant(mask.reshape([-1 if i == axis else 1 for i in range(len(shape))]))
        inside = mask if inside is None else w.add("And", inside, mask)
    spread = placed(w, value, window, node, begin, stride, 0)
    return spread if inside is None else w.add("Where", inside, spread, x)


# -- places that are data ---------------------------------------------------------------------------------------

def _zeros(w: Writer, node: Node) -> str:
    return w.add("Expand", w.number(0, node), w.ints(node.shape))


@rule("gather")
def gather(w, node, x, indices):
    return w.add("Gather", x, indices, axis=node.attrs["axis"])


@rule("gather_elements")
def gather_elements(w, node, x, indices):
    return w.add("GatherElements", x, indices, axis=node.attrs["axis"])


@rule("gather_nd")
def gather_nd(w, node, x, indices):
    return w.add("GatherND", x, _wide(w, node.inputs[1], indices))


def _wide(w: Writer, node: Node, indices: str) -> str:
    return indices if node.dtype is dt.int64 else w.cast(indices, dt.int64)


@rule("scatter_nd_add")
def scatter_nd_add(w, node, indices, values):
    return w.add("ScatterND", _zeros(w, node), _wide(w, node.inputs[0], indices), values, reduction="add")


@rule("scatter_nd_update")
def scatter_nd_update(w, node, x, indices, values):
    return w.add("ScatterND", x, _wide(w, node.inputs[1], indices), values)


@rule("scatter_elements_add")
def scatter_elements_add(w, node, indices, values):
    return w.add("ScatterElements", _zeros(w, node), indices, values, axis=node.attrs["axis"], reduction="add")


@rule("scatter_add")
def scatter_add(w, node, indices, values):
    """With the indexed axis in front: rows added to rows."""
    axis, rank, count = node.attrs["axis"], len(node.shape), node.inputs[0].rank
    order = [axis, *(i for i in range(rank) if i != axis)]
    front = [*range(axis, axis + count), *(i for i in range(rank - 1 + count) if not axis <= i < axis + count)]
    zeros = w.add("Expand", w.number(0, node), w.ints(node.shape[i] for i in order))
    rows = w.add("Unsqueeze", _wide(w, node.inputs[0], indices), w.ints([count]))
    total = w.add("ScatterND", zeros, rows, w.add("Transpose", values, perm=front), reduction="add")
    return w.add("Transpose", total, perm=[order.index(i) for i in range(rank)])


# -- order ------------------------------------------------------------------------------------------------------

@rule("cumsum")
def cumsum(w, node, x):
    a = node.attrs
    return w.add("CumSum", x, w.constant(np.int64(a["axis"])), exclusive=int(a["exclusive"]), reverse=int(a["reverse"]))


@rule("sort_values", "sort_indices", "topk_values", "topk_indices")
def top_k(w, node, x):
    a, source = node.attrs, node.inputs[0]
    k = a["k"] if node.op.startswith("topk") else source.shape[a["axis"]]
    largest = a["largest"] if node.op.startswith("topk") else a["descending"]
    values, places = w.add("TopK", x, w.ints([k]), outputs=2, axis=a["axis"], largest=int(largest), sorted=1)
    return values if node.op.endswith("values") else w.cast(places, node.dtype)


@rule("argmax", "argmin")
def extreme_place(w, node, x):
    found = w.add("ArgMax" if node.op == "argmax" else "ArgMin", x, axis=node.attrs["axis"],
                  keepdims=int(node.attrs["keepdims"]))
    return found if node.dtype is dt.int64 else w.cast(found, node.dtype)
