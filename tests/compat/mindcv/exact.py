"""Where rounding decides what a model gives: which of two float32 results is nearer to that without rounding.

What a compiled Cell's graph gives without rounding is what its operators' NumPy references give in float64.  Weights,
images and constants are the float32 numbers that they are; what is computed of them is float64.

A gradient is not continuous where a ReLU or a maximum has its kink: a unit that rounding puts on the other side moves
it by what the unit is worth, however exact the sums are.  So a step is also compared with the one without rounding on
the same sides (`Kinks`): what is left is rounding of sums, and how many units changed sides is counted.
"""
from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from graphcore import compiler
from graphcore.inspect import compiled_graph
from graphcore.ir.graph import Graph
from graphcore.ops.record import REGISTRY
from tests.compat.mindcv.inputs import image

# Operators that choose by their first two operands: the side of a kink, the maximum of a window.
_CHOOSING = frozenset({"gt", "ge", "lt", "le", "eq", "ne", "max_pool2d_grad"})


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


def step_without_rounding(name: str, size: int, gain: float, images: int) -> tuple[dict, dict]:
    """(a training step without rounding, how far the compiled one lies from it on its own sides of all kinks).

    The first has loss, norm and projections of the gradients, see `training.step`.  The second: sides, the distance of
    the compiled step to the one without rounding in which every unit of a ReLU and every window of a max pooling takes
    the side that it took in the compiled one; flipped, how many of the `units` took another side than without rounding;
    activations, the largest distance of what they choose by, divided by its norm.
    """
    import mindspore as ms

    from tests.compat.mindcv.training import batch, distance, measures, ready_to_train
    net, loss_of = ready_to_train(name, gain)
    trained, inputs = net.trainable_params(), batch(size, images)
    before = {p.name: p.asnumpy().copy() for p in net.get_parameters()}
    gradient = ms.value_and_grad(lambda x, y: loss_of(net(x), y), None, trained)
    gradient(*map(ms.Tensor, inputs))
    for p in net.get_parameters():          # the forward pass has moved the statistics of BatchNorm
        p.set_data(ms.Tensor(before[p.name]))
    graph = compiled_graph(gradient, "grad")
    leaves = {n: before[n.name] for n in graph.nodes if n.op == "param"} | dict(zip(graph.inputs, inputs))

    def measured(loss, *gradients) -> dict:
        return measures(loss, {p.name: g for p, g in zip(trained, gradients)})

    outputs, choices = with_choices(graph, {p.name: p for p in net.get_parameters()}, inputs)
    kinks = Kinks(choices)
    mine, exact = measured(*outputs), measured(*in_float64(graph, leaves))
    sides = distance(mine, measured(*in_float64(graph, leaves, kinks)))
    return exact, {"sides": sides, "flipped": kinks.flipped, "units": kinks.units,
                   "activations": float(f"{kinks.apart:.2g}")}


def with_choices(graph: Graph, parameters: dict, inputs) -> tuple[list, dict]:
    """(the outputs of the compiled graph, the float32 arrays that its choosing operators choose by, by their nodes)."""
    chosen_by = dict.fromkeys(i for n in graph.nodes if n.op in _CHOOSING for i in n.inputs[:2]
                              if i.dtype.name == "float32" and i.op not in ("const", "param", "input"))
    wider = replace(graph, outputs=graph.outputs + tuple(chosen_by), updates=())
    arrays = compiler.compile(wider, parameters).run(list(inputs))
    return arrays[:len(graph.outputs)], dict(zip(chosen_by, arrays[len(graph.outputs):]))


class Kinks:
    """What choosing operators give where they choose by float32 values; counts where that is another choice.

    choices: float32 arrays by the nodes that they stand for.
    """

    def __init__(self, choices: dict):
        self.choices = choices
        self.flipped, self.units = 0, 0
        self.apart = 0.0

    def value(self, n, inputs: list) -> np.ndarray:
        """The value of a choosing node with these float64 inputs, on the sides of the float32 ones."""
        rounded = [_wide(self.choices.get(i, x)) for i, x in zip(n.inputs[:2], inputs)] + inputs[2:]
        for x, y in zip(inputs[:2], rounded):
            self.apart = max(self.apart, np.linalg.norm(x - y) / (np.linalg.norm(x) or 1))
        reference = REGISTRY[n.op].reference
        taken = [reference(*pair, *map(np.ones_like, inputs[2:]), **n.attrs) for pair in (inputs[:2], rounded[:2])]
        differ = int((taken[0] != taken[1]).sum())
        self.flipped += (differ + 1) // 2 if n.op == "max_pool2d_grad" else differ      # a window: from here to there
        self.units += inputs[1].size if n.op == "max_pool2d_grad" else taken[0].size
        return reference(*rounded, **n.attrs)


def in_float64(graph: Graph, leaves: dict, kinks: Kinks | None = None) -> list[np.ndarray]:
    """The outputs of a graph without regions or random numbers, with float64 in place of float32.

    leaves: arrays for the input and param leaves.  kinks: choose as it says.  Arrays that nothing needs any more are
    let go.
    """
    uses = Counter(i for n in graph.nodes for i in n.inputs)
    uses.update(graph.outputs)
    values: dict = {}
    for n in graph.nodes:
        if kinks and n.op in _CHOOSING and any(i in kinks.choices for i in n.inputs[:2]):
            values[n] = _wide(kinks.value(n, [values[i] for i in n.inputs]))
        else:
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
