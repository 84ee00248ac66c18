"""Damaged models: mutants of sound ones, made by changing the protobuf where it means something.

``mutants(seed, count)`` gives bytes; `outcome` imports and runs them as a stranger's model is run.
"""
from __future__ import annotations

import random
from functools import cache

import numpy as np
from onnx import AttributeProto, ModelProto, TensorProto, helper

import graphcore as gc
from graphcore.capture.compiled import capture_call
from graphcore.errors import FormatError
from graphcore.onnx.tensors import CODES
from tests.onnx.models import graph_of, model, node

LIMIT = 1 << 18             # elements of one tensor
HUGE = (-1, 0, 1, 2, 3, 7, -2, 255, 2 ** 31 - 1, 2 ** 31, -2 ** 31, 2 ** 52, 2 ** 62, 2 ** 63 - 1, -2 ** 63)


@cache
def seeds() -> tuple:
    """Sound models of all families of operators, as bytes."""
    r = np.random.default_rng(0)
    f = lambda *s: r.standard_normal(s).astype("f4")  # noqa: E731
    i = lambda *v: np.array(v, np.int64)  # noqa: E731
    image, wide = {"x": [1, 2, 6, 6]}, {"x": [2, 3, 4]}
    body = graph_of([node("Add", ["s", "s"], ["t"]), node("Identity", ["c"], ["d"])],
                    {"i": (7, []), "c": (9, []), "s": None}, {"d": (9, []), "t": None, "s2": None})
    body.node.append(node("Identity", ["s"], ["s2"]))
    branch = [graph_of([node(op, ["x"], ["z"])], {}, {"z": None}) for op in ("Neg", "Exp")]
    step = graph_of([node("Add", ["s", "e"], ["t"]), node("Identity", ["t"], ["o"])], {"s": None, "e": None},
                    {"t": None, "o": None})
    given = [
        ([node("Conv", ["x", "w"], ["a"], pads=[1, 1, 1, 1], strides=[2, 1]), node("Relu", ["a"], ["b"]),
          node("MaxPool", ["b"], ["c", "ind"], kernel_shape=[2, 2], ceil_mode=1),
          node("AveragePool", ["c"], ["y"], kernel_shape=[1, 2], pads=[0, 1, 0, 0])], image, {"w": f(4, 2, 3, 3)}),
        ([node("ConvTranspose", ["x", "w"], ["a"], strides=[2, 2], output_padding=[1, 1]),
          node("BatchNormalization", ["a", "s", "s", "s", "v"], ["y"])], image,
         {"w": f(2, 3, 2, 2), "s": f(3), "v": np.ones(3, "f4")}),
        ([node("Resize", ["x", "", "k"], ["y"], mode="linear")], image, {"k": np.array([1, 1, 1.5, 2], "f4")}),
        ([node("Resize", ["x", "", "", "k"], ["y"], mode="cubic", antialias=1)], image, {"k": i(1, 2, 3, 9)}),
        ([node("Pad", ["x", "p"], ["a"], mode="reflect"), node("Slice", ["a", "b", "e", "ax", "st"], ["y"])], image,
         {"p": i(0, 0, 1, 2, 0, 0, 1, 0), "b": i(0, 5), "e": i(3, 0), "ax": i(2, 3), "st": i(1, -2)}),
        ([node("MatMul", ["x", "w"], ["a"]), node("Softmax", ["a"], ["b"]), node("Reshape", ["b", "s"], ["c"]),
          node("Tile", ["c", "t"], ["y"])], wide, {"w": f(4, 5), "s": i(3, -1), "t": i(2, 1)}),
        ([node("ConstantOfShape", ["s"], ["a"]), node("Expand", ["x", "e"], ["b"]), node("Shape", ["b"], ["n"]),
          node("Range", ["z", "l", "d"], ["r"]), node("Gather", ["b", "r"], ["y"], axis=-1),
          node("OneHot", ["r", "l", "ov"], ["h"])], wide,
         {"s": i(2, 3), "e": i(2, 2, 3, 4), "z": np.int64(0), "l": np.int64(4), "d": np.int64(1), "ov": i(0, 1)}),
        ([node("LSTM", ["x", "w", "r"], ["", "h", "y"], hidden_size=3), node("Squeeze", ["h", "q"], ["g"])], wide,
         {"w": f(1, 12, 4), "r": f(1, 12, 3), "q": i(0)}),
        ([node("GRU", ["x", "w", "r"], ["y"], hidden_size=3, direction="reverse")], wide,
         {"w": f(1, 9, 4), "r": f(1, 9, 3)}),
        ([node("Loop", ["m", "", "x"], ["y", "ys"], body=body)], wide, {"m": np.int64(3)}),
        ([node("ReduceSum", ["x"], ["s"], keepdims=0), node("Greater", ["s", "z"], ["c"]),
          node("If", ["c"], ["y"], then_branch=branch[0], else_branch=branch[1])], wide, {"z": np.float32(0)}),
        ([node("Scan", ["s0", "x"], ["l", "y"], body=step, num_scan_inputs=1)], wide, {"s0": f(3, 4)}),
        ([node("TopK", ["x", "k"], ["v", "p"]), node("ScatterElements", ["x", "p", "v"], ["y"], axis=2),
          node("GatherND", ["y", "i"], ["g"]), node("CumSum", ["y", "ax"], ["u"])], wide,
         {"k": i(2), "i": i(0, 1).reshape(1, 2), "ax": np.int64(1)}),
        ([node("Split", ["x"], ["a", "b"], axis=2, num_outputs=2), node("Concat", ["a", "b"], ["c"], axis=1),
          node("Einsum", ["c", "c"], ["y"], equation="bij,bkj->bik"), node("LayerNormalization", ["y", "g"], ["z"])],
         wide, {"g": f(6)}),
        ([node("Attention", ["x", "x", "x"], ["y"], q_num_heads=2, kv_num_heads=2, is_causal=1),
          node("Trilu", ["y"], ["t"]), node("Transpose", ["t"], ["u"], perm=[2, 0, 1])], wide, {})]
    return tuple(model(nodes, inputs, {"y": None}, constants, opset=24) for nodes, inputs, constants in given)


def mutants(seed: int, count: int, sound=None):
    """`count` damaged models, made of those in `sound` (by default `seeds`)."""
    for number in range(count):
        r = random.Random(seed * 1_000_003 + number)
        yield mutant(r, r.choice(sound or seeds()))


def mutant(r: random.Random, data: bytes) -> bytes:
    """A sound model with one or two changes."""
    proto = ModelProto.FromString(data)
    for _ in range(r.choice((1, 1, 1, 2))):
        r.choice(_CHANGES)(r, proto)
    data = proto.SerializeToString()
    return _bytes_changed(r, data) if r.random() < 0.15 else data


def _bytes_changed(r, data: bytes) -> bytes:
    data = bytearray(data)
    for _ in range(r.randint(1, 8)):
        data[r.randrange(len(data))] = r.randrange(256)
    return bytes(data[:r.randrange(len(data))]) if r.random() < 0.2 else bytes(data)


def _graph(r, proto):
    """The main graph, or one within it."""
    inner = [a.g for n in proto.graph.node for a in n.attribute if a.type == AttributeProto.GRAPH]
    return r.choice([proto.graph, proto.graph, *inner])


def _node(r, proto):
    nodes = _graph(r, proto).node
    return r.choice(nodes) if nodes else None


def _names(graph) -> list:
    return [*(n for node in graph.node for n in (*node.input, *node.output)), *(i.name for i in graph.initializer), "?"]


def change_attribute(r, proto):
    """Numbers and words in attributes become strange ones; attributes go, come twice, or change their type."""
    node = _node(r, proto)
    if node is None or not node.attribute:
        return
    a, kind = r.choice(node.attribute), r.randrange(6)
    if kind == 0:
        node.attribute.remove(a)
    elif kind == 1:
        node.attribute.add().CopyFrom(a)
    elif kind == 2:
        a.type = r.randrange(15)
    elif a.type == AttributeProto.INT:
        a.i = r.choice(HUGE)
    elif a.type == AttributeProto.FLOAT:
        a.f = r.choice([0.0, -1.0, float("nan"), float("inf"), 1e30])
    elif a.type == AttributeProto.STRING:
        a.s = r.choice([b"", b"SAME_LOWER", b"nearest", b"\xff\xfe", b"bidirectional"])
    elif a.ints:
        if r.random() < 0.5:
            a.ints[r.randrange(len(a.ints))] = r.choice(HUGE)
        else:
            a.ints.append(r.choice(HUGE))


def add_attribute(r, proto):
    """An attribute of another operator."""
    node = _node(r, proto)
    if node is not None:
        name = r.choice(["axis", "group", "strides", "pads", "kernel_shape", "mode", "body", "perm", "to", "alpha"])
        node.attribute.append(helper.make_attribute(name, r.choice([r.choice(HUGE), [r.choice(HUGE)] * 2, 0.5, "x"])))


def change_node(r, proto):
    """Another operator, other names, a node more or less, another order."""
    graph = _graph(r, proto)
    if not graph.node:
        return
    node, kind = r.choice(graph.node), r.randrange(7)
    if kind == 0:
        node.op_type = r.choice(["Add", "Loop", "If", "Conv", "Reshape", "Nope", "", "Expand", "LSTM", "Resize"])
    elif kind == 1 and node.input:
        node.input[r.randrange(len(node.input))] = r.choice(_names(graph))
    elif kind == 2 and node.output:
        node.output[r.randrange(len(node.output))] = r.choice(_names(graph))
    elif kind == 3:
        graph.node.remove(node)
    elif kind == 4:
        graph.node.add().CopyFrom(node)
    elif kind == 5:
        node.input.append(r.choice(_names(graph)))
    else:
        other = r.choice(graph.node)
        a, b = type(node)(), type(node)()
        a.CopyFrom(node)
        b.CopyFrom(other)
        node.CopyFrom(b)
        other.CopyFrom(a)


def change_tensor(r, proto):
    """Sizes, type or data of an initialiser."""
    graph = _graph(r, proto)
    if not graph.initializer:
        return
    t, kind = r.choice(graph.initializer), r.randrange(7)
    if kind == 0 and t.dims:
        t.dims[r.randrange(len(t.dims))] = r.choice(HUGE)
    elif kind == 1:
        t.dims.append(r.choice(HUGE))
    elif kind == 2:
        t.data_type = r.randrange(24)
    elif kind == 3:
        t.raw_data = t.raw_data[:r.randrange(len(t.raw_data) + 1)]
    elif kind == 4:
        t.data_location = TensorProto.EXTERNAL
        t.external_data.add(key="location", value=r.choice(["/etc/passwd", "../x", "w.bin", ""]))
    elif kind == 5 and t.data_type == TensorProto.INT64:
        array = np.frombuffer(t.raw_data[:len(t.raw_data) // 8 * 8], np.int64).copy()
        if array.size:
            array[r.randrange(array.size)] = r.choice(HUGE)
            t.raw_data = array.tobytes()
    else:
        t.name = r.choice(_names(graph))


def change_place(r, proto):
    """Inputs, outputs and opsets."""
    graph, kind = _graph(r, proto), r.randrange(5)
    if kind == 0 and proto.opset_import:
        proto.opset_import[0].version = r.choice([0, 1, 6, 7, 9, 10, 12, 13, 17, 18, 21, 28, 29, -1, 2 ** 40])
    elif kind == 1 and graph.input:
        graph.input.remove(r.choice(graph.input))
    elif kind == 2 and graph.output:
        graph.output[0].name = r.choice(_names(graph))
    elif kind == 3 and graph.input:
        graph.input.add().CopyFrom(graph.input[0])
    elif graph.input:
        tensor = graph.input[0].type.tensor_type
        if r.random() < 0.5:
            tensor.elem_type = r.randrange(24)
        elif tensor.shape.dim:
            tensor.shape.dim[r.randrange(len(tensor.shape.dim))].dim_value = r.choice(HUGE)


_CHANGES = (change_attribute, change_attribute, add_attribute, change_node, change_node, change_tensor, change_tensor,
            change_place)


def outcome(data: bytes, capture: bool) -> str:
    """What becomes of a model: "import" or "run" where it is refused, "done" if it runs.

    Raises whatever is raised besides FormatError.
    """
    try:
        return use(gc.import_onnx(data, max_elements=LIMIT), capture)
    except FormatError:
        return "import"


def use(net, capture: bool) -> str:
    """What becomes of an imported model that is captured or run on ones: see `outcome`."""
    inputs = []
    for place in net.model.inputs:
        shape = [s if isinstance(s, int) else 2 for s in ((2,) if place.sizes is None else place.sizes)]
        if np.prod([float(s) for s in shape]) > LIMIT or place.dtype is None or place.dtype not in CODES:
            return "import"
        inputs.append(gc.Tensor(np.ones(shape), place.dtype))
    try:
        with np.errstate(all="ignore"):
            if capture:
                capture_call(net.construct, inputs, {}, "mutant", net)
            else:
                net(*inputs)
    except FormatError:
        return "run"
    return "done"
