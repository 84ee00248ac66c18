"""Inference: images with their channels last, (N, H, W, C), in graphs that are mostly depthwise and 1x1 convolutions.

    conv2d(x, w) -> transpose(product of pixels and weights(transpose(x)))

Then the transposes are moved downwards through what does not care for the order of axes, where they meet and vanish.
What comes out is kept only if it pays: if the arrays that still have to be turned are small beside those that depthwise
convolutions give.  So a graph has one layout, with a turn only at its border.
"""
from __future__ import annotations

from graphcore.compiler.choices import default_first, take
from graphcore.compiler.passes.fold_affine import parameter_only
from graphcore.compiler.passes.rewrite import Rules
from graphcore.dtype import float32, float64
from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph, Node
from graphcore.ops import view
from graphcore.ops.channels_last import depthwise_channels_last, pixel_patches
from graphcore.ops.linear import matmul
from graphcore.ops.record import REGISTRY

TO_LAST, TO_FIRST = (0, 2, 3, 1), (0, 3, 1, 2)
#: Where an axis of (N, C, H, W) is in (N, H, W, C).
_PLACE = (0, 3, 1, 2)
#: A convolution of so many channels times taps is a product with patches, which are written out.
MOST_PATCHED = 64

_LAYOUTS = ("channels last", "as written")

RULES = Rules()
rule = RULES.rule


def channels_last(graph: Graph, log: list | None = None) -> Graph:
    """The graph with channels last where that pays, else `graph`."""
    convolutions = [n for n in graph.nodes if n.op == "conv2d"]
    if graph.updates or not any(map(_is_depthwise, convolutions)) or not all(map(_is_plain, graph.nodes)):
        return graph
    rewrites: list = []
    changed = RULES.apply(graph, rewrites)
    fixed = parameter_only(changed)
    turned = sum(n.type.size for n in changed.nodes if _turns(n) and not fixed[n])
    pays = turned <= sum(n.type.size for n in convolutions if _is_depthwise(n))
    if take("layout", "of images", default_first(_LAYOUTS[not pays], *_LAYOUTS)) == _LAYOUTS[1]:
        return graph
    if log is not None:
        log.extend(rewrites)
    return changed


def _is_plain(node: Node) -> bool:
    """Whether a node has nothing against the pass: gradients want other kernels, and sizes must be known."""
    if node.op in ("conv2d_grad_input", "conv2d_grad_weight"):
        return False
    return node.op != "conv2d" or node.dtype in (float32, float64) and node.type.is_static and all(
        i.type.is_static for i in node.inputs)


def _is_depthwise(node: Node) -> bool:
    x, w = node.inputs
    return w.shape[1] == 1 and w.shape[0] == x.shape[1] == node.attrs.get("groups", 1) > 1


def _turns(node: Node) -> bool:
    """Whether a transpose moves elements, not only axes of size 1."""
    if node.op != "transpose":
        return False
    moved = [axis for axis in node.attrs["perm"] if node.inputs[0].shape[axis] != 1]
    return moved != sorted(moved)


def _comes_first(x: Node) -> bool:
    """Whether x is a (N, C, H, W) seen of something with its channels last."""
    return x.op == "transpose" and x.attrs["perm"] == TO_FIRST


def _last(x: Node) -> Node:
    """x, which broadcasts to (N, C, H, W), with its channels last."""
    if x.rank == 0:
        return x
    if _comes_first(x):
        return x.inputs[0]
    if x.rank < 4:
        x = view.reshape(x, shape=(1,) * (4 - x.rank) + x.shape)
    shape = tuple(x.shape[axis] for axis in TO_LAST)
    if x.op == "broadcast_to":
        return view.broadcast_to(_last(x.inputs[0]), shape=shape)
    if x.shape[2] == x.shape[3] == 1:
        return view.reshape(x, shape=shape)
    return view.transpose(x, perm=TO_LAST)


def _first(x: Node) -> Node:
    """x, with its channels last, as (N, C, H, W)."""
    return view.transpose(x, perm=TO_FIRST)


@rule("conv2d")
def convolution_of_last(node: Node):
    """conv2d(x, w) -> a depthwise convolution, or a product of pixels or their patches with w, of channels last"""
    x, w = node.inputs
    rows, columns = w.shape[2:]
    stride = node.attrs.get("stride", (1, 1))
    pad, dilation = node.attrs.get("pad", (0, 0, 0, 0)), node.attrs.get("dilation", (1, 1))
    if _is_depthwise(node):
        weights = view.transpose(view.reshape(w, shape=(w.shape[0], rows, columns)), perm=(1, 2, 0))
        return _first(depthwise_channels_last(_last(x), weights, stride=stride, pad=pad, dilation=dilation))
    if node.attrs.get("groups", 1) != 1:
        return None
    depth = w.shape[1] * rows * columns
    if (rows, columns) == (1, 1) and not any(pad):
        pixels = _last(x)
        if stride != (1, 1):
            n, c, h, width = x.shape
            pixels = view.slice_(pixels, begin=(0, 0, 0, 0), size=(n, *node.shape[2:], c), stride=(1, *stride, 1))
    elif depth <= MOST_PATCHED:
        pixels = pixel_patches(x, kernel=(rows, columns), stride=stride, pad=pad, dilation=dilation)
    else:
        return None
    return _first(matmul(pixels, view.reshape(w, shape=(w.shape[0], depth)), transpose_a=False, transpose_b=True))


@rule("*")
def map_of_last(node: Node):
    """f(first(x), ...) -> first(f(x, ...)) for a pointwise f"""
    if node.is_leaf or REGISTRY[node.op].kind != "pointwise" or not any(map(_comes_first, node.inputs)):
        return None
    shape = tuple(node.shape[axis] for axis in TO_LAST)
    if node.rank != 4:
        return None
    return _first(ir.node(node.op, tuple(map(_last, node.inputs)), node.attrs, node.type.with_shape(shape)))


@rule("*")
def reduction_of_last(node: Node):
    """reduce(first(x)) over rows and columns -> reduce(x);  with keepdims over any axes -> first(reduce(x))"""
    if node.is_leaf or REGISTRY[node.op].kind != "reduction" or not _comes_first(node.inputs[0]):
        return None
    axes = tuple(sorted(_PLACE[axis] for axis in node.attrs["axes"]))
    if node.attrs["keepdims"]:
        return _first(REGISTRY[node.op](node.inputs[0].inputs[0], **{**node.attrs, "axes": axes}))
    return REGISTRY[node.op](node.inputs[0].inputs[0], **{**node.attrs, "axes": axes}) if axes == (1, 2) else None


@rule("concat")
def concat_of_last(node: Node):
    """concat(first(x), ...) -> first(concat(x, ...))"""
    if node.rank != 4 or not any(map(_comes_first, node.inputs)):
        return None
    return _first(view.concat(*map(_last, node.inputs), axis=_PLACE[node.attrs["axis"]]))


@rule("slice")
def slice_of_last(node: Node):
    """slice(first(x)) -> first(slice(x))"""
    if not _comes_first(node.inputs[0]):
        return None
    moved = {key: tuple(node.attrs[key][axis] for axis in TO_LAST) for key in ("begin", "size", "stride")}
    return _first(view.slice_(node.inputs[0].inputs[0], **moved))


@rule("place")
def place_of_last(node: Node):
    """place(first(x)) -> first(place(x))"""
    if not _comes_first(node.inputs[0]):
        return None
    moved = {key: tuple(node.attrs[key][axis] for axis in TO_LAST) for key in ("shape", "begin", "stride")}
    return _first(view.place(node.inputs[0].inputs[0], **moved, fill=node.attrs["fill"]))
