"""What the Cells of a net give, hold and cost: `summary`, from the graph of a call that is captured, never run."""
from __future__ import annotations

import functools
from collections import Counter
from dataclasses import asdict, dataclass

import numpy as np

from graphcore import dtype as dt
from graphcore.ir.graph import Graph, graphs_of
from graphcore.ir.types import TensorType, parse_type
from graphcore.ops.record import REGISTRY
from graphcore.tensor import Tensor

_UNITS = ((1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k"))


@dataclass(frozen=True)
class Row:
    """One Cell, with all Cells below it.

    path: its name in the net; kind: its class; outputs: the types of what it gives, at its last call, empty if it was
    not called; parameters, trainable: numbers of elements, each Parameter once; multiply_adds: of products,
    convolutions and attention (an int, or a `Dim` where sizes are symbols); output_bytes: of `outputs`.
    """

    path: str
    kind: str
    outputs: tuple
    parameters: int
    trainable: int
    multiply_adds: object
    output_bytes: object

    @property
    def depth(self) -> int:
        """How many Cells it lies in."""
        return self.path.count(".") + 1 if self.path else 0


@dataclass(frozen=True)
class Summary:
    """The rows of a net, its own first, and its totals.

    parameter_bytes: of all Parameters; arena_bytes: what a call needs besides inputs, outputs and Parameters (None
    where sizes are symbols); at_least: whether an unknown number of iterations of a loop was counted as one.
    """

    rows: tuple
    parameter_bytes: int
    arena_bytes: int | None
    at_least: bool = False

    @property
    def parameters(self) -> int:
        """How many numbers the Parameters hold."""
        return self.rows[0].parameters

    @property
    def trainable(self) -> int:
        """How many of them are trained."""
        return self.rows[0].trainable

    @property
    def multiply_adds(self):
        """The multiply-adds of one call."""
        return self.rows[0].multiply_adds

    def table(self, depth: int | None = None) -> str:
        """The table as text, of Cells that lie in at most `depth` others."""
        lines = [("Cell", "Output", "Parameters", "Multiply-adds", "Output size")]
        for row in self.rows:
            if depth is None or row.depth <= depth:
                name = row.path.rpartition(".")[2]
                lines.append(("  " * row.depth + (f"{name} ({row.kind})" if name else row.kind),
                              ", ".join(row.outputs) or "not called", _grouped(row.parameters),
                              _grouped(row.multiply_adds), _bytes(row.output_bytes) if row.outputs else ""))
        widths = [max(map(len, column)) for column in zip(*lines)]
        rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
        text = ["  ".join(cell.ljust(w) if i < 2 else cell.rjust(w) for i, (cell, w) in enumerate(zip(line, widths)))
                for line in lines]
        return "\n".join([text[0].rstrip(), rule, *(t.rstrip() for t in text[1:]), rule, *self._totals()])

    def _totals(self) -> list:
        fixed = _grouped(self.parameters - self.trainable)
        return [f"Parameters: {_grouped(self.parameters)} ({_grouped(self.trainable)} trainable, {fixed} not), "
                f"{_bytes(self.parameter_bytes)}",
                f"Multiply-adds: {'at least ' * self.at_least}{_short(self.multiply_adds)}",
                f"Memory of a call beside Parameters, inputs and outputs: "
                f"{'unknown, sizes are symbols' if self.arena_bytes is None else _bytes(self.arena_bytes)}"]

    def __str__(self) -> str:
        return self.table()

    __repr__ = __str__

    def as_dict(self) -> dict:
        """All of it as dicts, lists, strings and numbers, for JSON; what depends on symbols is a string."""
        def plain(value):
            return value if isinstance(value, (int, str, list)) else str(value)
        rows = [{name: plain(list(v) if isinstance(v, tuple) else v) for name, v in asdict(row).items()}
                for row in self.rows]
        return {"parameters": self.parameters, "trainable": self.trainable, "multiply_adds": plain(self.multiply_adds),
                "at_least": self.at_least, "parameter_bytes": self.parameter_bytes, "arena_bytes": self.arena_bytes,
                "cells": rows}


def summary(net, *inputs) -> Summary:
    """A table of the Cells of `net` for a call with arguments like `inputs`: output types, Parameters, multiply-adds.

    inputs: for each argument of construct a Tensor, a shape (of float32) or a type, ``"i32[8,128]"``; sizes may be
    symbols, ``"f32[N,1,28,28]"``.  The call is captured as the net is, for training or not (`set_train`); nothing is
    computed.  Print what it returns; its rows and totals are attributes.  Multiply-adds are those of the call without
    gradients; of the branches of an `if` on a tensor the dearer one counts.
    Raises TypeError for what is no Cell, and whatever construct raises.
    """
    from graphcore.capture.compiled import capture_call
    if not hasattr(net, "cells_and_names"):
        raise TypeError(f"summary takes a Cell, got {type(net).__name__}; write summary(net, input)")
    cells = dict(net.cells_and_names())
    outputs: dict = {}
    paths = {id(cell): path for path, cell in cells.items()}
    hooks = [cell.register_forward_hook(lambda cell, args, output: outputs.update({paths[id(cell)]: _types(output)}))
             for cell in cells.values()]
    scopes = {cell: cell.__dict__["_path"] for cell in cells.values()}
    try:
        for path, cell in cells.items():
            cell.__dict__["_path"] = path
        call = functools.wraps(net.construct)(lambda *args: net(*args))
        graph = capture_call(call, [_type(i) for i in inputs], {}, type(net).__name__, net).graph
    finally:
        for cell, path in scopes.items():
            cell.__dict__["_path"] = path
        for hook in hooks:
            hook.remove()
    counts = Counter()
    at_least = _count(graph, counts, 1, "")
    rows = tuple(_row(path, cell, outputs.get(path, ()), counts) for path, cell in cells.items())
    return Summary(rows, sum(p.nbytes for p in net.get_parameters()), _arena(graph), at_least)


def _row(path, cell, outputs, counts) -> Row:
    parameters = list(cell.get_parameters())
    inside = [n for scope, n in counts.items() if not path or scope == path or scope.startswith(path + ".")]
    return Row(path, type(cell).__name__, tuple(map(str, outputs)), sum(p.size for p in parameters),
               sum(p.size for p in parameters if p.requires_grad), sum(inside),
               sum(t.size * t.dtype.itemsize for t in outputs))


def _type(given) -> TensorType:
    if isinstance(given, Tensor):
        return given.type_
    if isinstance(given, np.ndarray):
        return TensorType(dt.from_numpy(given.dtype), given.shape)
    if isinstance(given, str):
        return parse_type(given)
    if isinstance(given, TensorType):
        return given
    if isinstance(given, (tuple, list)) and all(isinstance(size, int) for size in given):
        return TensorType(dt.float32, tuple(given))
    raise TypeError(f"summary: an input is a Tensor, a shape or a type such as 'f32[1,3,224,224]', got {given!r}")


def _types(output) -> list:
    """The types of the Tensors in what a Cell returned."""
    if isinstance(output, Tensor):
        return [output.type_]
    if isinstance(output, dict):
        output = output.values()
    elif not isinstance(output, (tuple, list)):
        return []
    return [t for part in output for t in _types(part)]


# -- counting --------------------------------------------------------------------------------------------------

def _count(graph: Graph, counts: Counter, times, scope: str) -> bool:
    """Add the multiply-adds of a graph that runs `times` times, by the Cell that made them.

    scope: that of nodes which have none of their own.  Returns whether an unknown number of iterations counted as one.
    """
    unknown = False
    for n in graph.nodes:
        origins = graph.origins.of(n)
        where = origins[0].scope if origins else scope
        count = None if n.is_leaf else REGISTRY[n.op].multiply_adds
        if count is not None:
            counts[where] += times * count(*(i.type for i in n.inputs), **n.attrs)
        inner = graphs_of(n)
        if n.op == "if":
            unknown |= _count_dearer(list(inner.values()), counts, times, where)
        elif n.op == "loop":
            unknown |= _count(inner["body"], counts, times * (n.attrs["length"] or 1), where)
            unknown |= n.attrs["length"] is None
        elif n.op == "call":
            unknown |= _count(inner["body"], counts, times, where)
        elif inner:
            for part in inner.values():
                _count(part, counts, times, where)
            unknown = True
    return unknown


def _count_dearer(branches: list, counts: Counter, times, scope: str) -> bool:
    found = []
    for branch in branches:
        inside = Counter()
        found.append((_count(branch, inside, times, scope), inside))
    # of symbolic sizes it is not known which is larger
    comparable = all(isinstance(n, int) for _, inside in found for n in inside.values())
    unknown, dearer = max(found, key=lambda f: sum(f[1].values())) if comparable else found[0]
    counts.update(dearer)
    return unknown or not comparable


def _arena(graph: Graph) -> int | None:
    from graphcore.inspect import compilation
    return compilation(graph).planned.plan.arena_bytes if not graph.symbols else None


# -- texts -----------------------------------------------------------------------------------------------------

def _grouped(number) -> str:
    return f"{number:,}" if isinstance(number, int) else str(number)


def _short(number) -> str:
    if not isinstance(number, int):
        return str(number)
    for size, unit in _UNITS:
        if number >= size:
            return f"{number / size:.3g}{unit}" if number < 10 * size else f"{number / size:,.1f}{unit}"
    return str(number)


def _bytes(number) -> str:
    if not isinstance(number, int):
        return f"{number} bytes"
    for shift, unit in ((30, "GiB"), (20, "MiB"), (10, "KiB")):
        if number >= 1 << shift:
            return f"{number / (1 << shift):,.1f} {unit}"
    return f"{number} bytes"
