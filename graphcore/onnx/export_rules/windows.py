"""Rules of matrix products, convolutions, pooling and attention."""
from __future__ import annotations

import math

import numpy as np

from graphcore import dtype as dt
from graphcore.ir.graph import Node
from graphcore.onnx.writer import OnnxExportError, Writer, rule


@rule("matmul")
def matmul(w: Writer, node: Node, a, b):
    def turned(name, source, transposed):
        if not transposed:
            return name
        return w.add("Transpose", name, perm=[*range(source.rank - 2), source.rank - 1, source.rank - 2])
    return w.add("MatMul", turned(a, node.inputs[0], node.attrs.get("transpose_a")),
                 turned(b, node.inputs[1], node.attrs.get("transpose_b")))


def _window(node: Node) -> dict:
    """The attributes that convolutions and pooling share, in ONNX's order of pads."""
    top, bottom, left, right = node.attrs.get("pad", (0, 0, 0, 0))
    found = {"strides": list(node.attrs.get("stride", (1, 1))), "pads": [top, left, bottom, right]}
    if "dilation" in node.attrs:
        found["dilations"] = list(node.attrs["dilation"])
    return found


@rule("conv2d")
def conv2d(w, node, x, weight):
    return w.add("Conv", x, weight, group=node.attrs.get("groups", 1), **_window(node))


@rule("conv2d_grad_input")
def conv2d_grad_input(w, node, g, weight):
    """A transposed convolution: what is left of the size is padding of the output."""
    given, kernel = _window(node), node.inputs[1].shape[2:]
    dilation, extra = given.get("dilations", [1, 1]), []
    for i in range(2):
        size = given["strides"][i] * (node.inputs[0].shape[2 + i] - 1) + dilation[i] * (kernel[i] - 1) + 1
        extra.append(node.shape[2 + i] - (size - given["pads"][i] - given["pads"][i + 2]))
    if not all(isinstance(e, int) for e in extra):
        raise OnnxExportError(f"a transposed convolution to the symbolic shape {node.shape} has no form in ONNX")
    return w.add("ConvTranspose", g, weight, group=node.attrs.get("groups", 1), output_padding=extra, **given)


@rule("max_pool2d")
def max_pool2d(w, node, x):
    if not node.dtype.is_float and node.dtype not in (dt.int8, dt.uint8):
        raise OnnxExportError(f"max_pool2d of {node.dtype.name} has no form in ONNX, only of floats and 8-bit integers")
    return w.add("MaxPool", x, kernel_shape=list(node.attrs["kernel"]), **_window(node))


@rule("avg_pool2d")
def avg_pool2d(w, node, x):
    kernel, divisor = node.attrs["kernel"], node.attrs["divisor_override"]
    counts = bool(node.attrs["count_include_pad"] or divisor)
    y = w.add("AveragePool", x, kernel_shape=list(kernel), count_include_pad=int(counts), **_window(node))
    return w.add("Mul", y, w.number(math.prod(kernel) / divisor, node)) if divisor else y


# -- attention --------------------------------------------------------------------------------------------------

def is_output_of_attention(node: Node) -> bool:
    """Whether a slice takes the result out of what `attention` gives: it leaves the sums of powers behind."""
    source = node.inputs[0]
    if source.op != "attention":
        return False
    length, width = source.inputs[0].shape[-2], source.inputs[2].shape[-1]
    return (not any(node.attrs["begin"]) and set(node.attrs["stride"]) == {1}
            and node.shape == (*source.shape[:-1], length * width))


def attention_output(w: Writer, node: Node) -> str:
    """softmax(q @ k^T * scale + mask) @ v, its last two axes as one; zeros for a query that sees no key."""
    q, k, v, *masks = node.inputs
    scaled = w.add("Mul", w.name_of(q), w.number(node.attrs["scale"], q))
    turned = w.add("Transpose", w.name_of(k), perm=[*range(k.rank - 2), k.rank - 1, k.rank - 2])
    scores = w.add("MatMul", scaled, turned)
    lowest = w.number(-math.inf, q)
    if masks:
        mask = w.name_of(masks[0])
        scores = w.add("Where", mask, scores, lowest) if masks[0].dtype.is_bool else w.add("Add", scores, mask)
    if node.attrs["causal"]:
        scores = w.add("Where", _triangle(w, q.shape[-2], k.shape[-2]), scores, lowest)
    weights = w.add("Softmax", scores, axis=-1)
    if masks and not node.attrs.get("empty_is_nan"):
        top = w.add("ReduceMax", scores, w.ints([-1]), keepdims=1)
        weights = w.add("Where", w.add("Equal", top, lowest), w.number(0, q), weights)
    y = w.add("MatMul", weights, w.name_of(v))
    return w.add("Reshape", y, w.ints((*node.shape[:-1], q.shape[-2] * v.shape[-1])))


def _triangle(w: Writer, rows, columns) -> str:
    """bool [rows, columns]: True up to the diagonal; computed where a size is symbolic."""
    if isinstance(rows, int) and isinstance(columns, int):
        return w.constant(np.tri(rows, columns, dtype=bool))
    zero, one = w.constant(np.int64(0)), w.constant(np.int64(1))
    row = w.add("Reshape", w.add("Range", zero, w.count(rows), one), w.ints([-1, 1]))
    return w.add("LessOrEqual", w.add("Range", zero, w.count(columns), one), row)
