"""Where rounding decides what a model gives: which of two float32 results is nearer to that without rounding.

What a compiled Cell's graph gives without rounding is what its operators' NumPy references give in float64.  Weights,
images and constants are the float32 numbers that they are; what is computed of them is float64.
"""
from __future__ import annotations

from collections import Counter

import numpy as np

from graphcore.inspect import compiled_graph
from graphcore.ir.graph import Graph
from graphcore.ops.record import REGISTRY
from tests.compat.mindcv.inputs import image


def compare(net, images_record: dict) -> dict:
    """How far this net's outputs and MindSpore's lie from those without rounding.

    net: compiled, with the weights that MindSpore had.  images_record: the size of the images and what MindSpore gave
    for images 0, 1, 2, ....  ours, theirs: the medians of the distances, divided by the norm; ratio: the geometric mean
    of their quotient over the images, and `give`, the factor of two standard errors of it; matches: ratio <= give.
    """
    import mindspore as ms
    weights = {p.name: p for p in net.get_parameters()}
    ours, theirs = [], []
    for index, recorded in enumerate(images_record["outputs"]):
        x = image(index, images_record["size"])
        y = net(ms.Tensor(x))
        graph = compiled_graph(net)
        leaves = {n: weights[n.name].asnumpy() for n in graph.nodes if n.op == "param"} | {graph.inputs[0]: x}
        exact = in_float64(graph, leaves)[0].reshape(-1)
        y = (y[0] if isinstance(y, (tuple, list)) else y).asnumpy().reshape(-1)
        ours.append(np.linalg.norm(y - exact) / np.linalg.norm(exact))
        theirs.append(np.linalg.norm(np.array(recorded) - exact) / np.linalg.norm(exact))
    logs = np.log(ours) - np.log(theirs)
    ratio, give = np.exp(logs.mean()), np.exp(2 * logs.std(ddof=1) / np.sqrt(len(logs)))
    found = {"ours": np.median(ours), "theirs": np.median(theirs), "ratio": ratio, "give": give}
    return {key: float(f"{value:.2g}") for key, value in found.items()} | {"images": len(ours),
                                                                           "matches": bool(ratio <= give)}


def step_without_rounding(name: str, size: int, gain: float) -> dict:
    """loss, norm and projections of the gradients of a training step, see `training.step`."""
    import mindspore as ms

    from tests.compat.mindcv.training import batch, measures, ready_to_train
    net, loss_of = ready_to_train(name, gain)
    trained, inputs = net.trainable_params(), batch(size)
    before = {p.name: p.asnumpy().copy() for p in net.get_parameters()}
    gradient = ms.value_and_grad(lambda x, y: loss_of(net(x), y), None, trained)
    gradient(*map(ms.Tensor, inputs))
    graph = compiled_graph(gradient, "grad")
    leaves = {n: before[n.name] for n in graph.nodes if n.op == "param"} | dict(zip(graph.inputs, inputs))
    loss, *gradients = in_float64(graph, leaves)
    return measures(loss, {p.name: g for p, g in zip(trained, gradients)})


def in_float64(graph: Graph, leaves: dict) -> list[np.ndarray]:
    """The outputs of a graph without regions or random numbers, with float64 in place of float32.

    leaves: arrays for the input and param leaves.  Arrays that nothing needs any more are let go.
    """
    uses = Counter(i for n in graph.nodes for i in n.inputs)
    uses.update(graph.outputs)
    values: dict = {}
    for n in graph.nodes:
        values[n] = _wide(leaves[n] if n in leaves else _value(n, values))
        for i in n.inputs:
            uses[i] -= 1
            if not uses[i]:
                del values[i]
    return [values[n] for n in graph.outputs]


def _value(n, values) -> np.ndarray:
    if n.op == "const":
        return n.attrs["value"].array
    inputs = [values[i] for i in n.inputs]
    if n.op == "cast" and n.attrs["dtype"].name == "float32" and inputs[0].dtype == np.float64:
        return inputs[0]
    with np.errstate(all="ignore"):
        return np.asarray(REGISTRY[n.op].reference(*inputs, **n.attrs))


def _wide(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float64) if array.dtype == np.float32 else array
