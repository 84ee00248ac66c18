"""Random valid graphs of pointwise operators, reductions, views, matmuls and assemblies, with their inputs."""
from __future__ import annotations

import numpy as np

from graphcore import dtype as dt
from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph, Node
from graphcore.ir.types import TensorType
from graphcore.ops import linear, pointwise, reduction, view
from graphcore.ops.record import REGISTRY

SIZES = (1, 2, 3, 5, 8, 17, 70)
UNARY = ("neg", "abs", "relu", "tanh", "sigmoid", "exp_small", "square", "sin")
BINARY = ("add", "sub", "mul", "maximum", "minimum")


class GraphMaker:
    """Builds one random graph from a seed."""

    def __init__(self, seed: int):
        self.random = np.random.RandomState(seed)
        self.inputs: list[Node] = []
        self.arrays: list[np.ndarray] = []
        self.values: list[Node] = []

    def make(self, steps: int) -> tuple[Graph, list]:
        rank = self.random.randint(1, 4)
        shape = tuple(int(self.random.choice(SIZES)) for _ in range(rank))
        for _ in range(2):
            self._add_input(shape)
        for _ in range(steps):
            made = self._step()
            if made is not None and made.type.size <= 60000:
                self.values.append(made)
        count = self.random.randint(1, 4)
        outputs = [self.values[-1]] + [self._pick() for _ in range(count - 1)]
        return Graph("random", tuple(self.inputs), tuple(dict.fromkeys(outputs))), self.arrays

    def _add_input(self, shape: tuple) -> Node:
        leaf = ir.input_(f"x{len(self.inputs)}", TensorType(dt.float32, shape))
        self.inputs.append(leaf)
        self.arrays.append(self.random.uniform(-1, 1, shape).astype(np.float32))
        self.values.append(leaf)
        return leaf

    def _pick(self) -> Node:
        recent = self.random.rand() < 0.7
        pool = self.values[-5:] if recent else self.values
        return pool[self.random.randint(len(pool))]

    def _step(self) -> Node | None:
        choice = self.random.rand()
        x = self._pick()
        if choice < 0.25:
            return self._unary(x)
        if choice < 0.55:
            return self._binary(x)
        if choice < 0.72 and x.rank:
            return self._reduce(x)
        if choice < 0.92 and x.rank:
            return self._view(x)
        if choice < 0.96 and x.rank == 2:
            other = self._add_input((x.shape[1], int(self.random.choice(SIZES))))
            product = linear.matmul(x, other, transpose_a=False, transpose_b=False)
            return pointwise.mul(product, pointwise.literal(0.2, x))
        if x.rank:
            axis = int(self.random.randint(x.rank))
            return view.concat(x, pointwise.neg(x), axis=axis)
        return None

    def _unary(self, x: Node) -> Node:
        name = self.random.choice(UNARY)
        if name == "exp_small":
            return pointwise.exp(pointwise.neg(pointwise.abs_(x)))
        return REGISTRY[str(name)](x)

    def _binary(self, x: Node) -> Node:
        same = [v for v in self.values if v.shape == x.shape]
        choice = self.random.rand()
        if choice < 0.6:
            other = same[self.random.randint(len(same))]
        elif choice < 0.8:
            other = pointwise.literal(float(self.random.uniform(-2, 2)), x)
        else:
            other = self._add_input(tuple(s if self.random.rand() < 0.5 else 1 for s in x.shape))
        name = self.random.choice(BINARY)
        if self.random.rand() < 0.2:
            return pointwise.select(pointwise.gt(x, other), x, pointwise.mul(other, pointwise.literal(0.5, x)))
        return REGISTRY[str(name)](x, other)

    def _reduce(self, x: Node) -> Node:
        axes = tuple(i for i in range(x.rank) if self.random.rand() < 0.5) or (int(self.random.randint(x.rank)),)
        record = (reduction.sum_, reduction.sum_, reduction.max_, reduction.min_)[self.random.randint(4)]
        reduced = record(x, axes=axes, keepdims=bool(self.random.rand() < 0.7))
        if record is reduction.sum_:
            reduced = pointwise.mul(reduced, pointwise.literal(reduced.type.size / max(1, x.type.size), x))
        if reduced.rank == x.rank and self.random.rand() < 0.7:
            return pointwise.sub(x, reduced)
        return reduced

    def _view(self, x: Node) -> Node:
        choice = self.random.randint(4)
        if choice == 0:
            return view.transpose(x, perm=tuple(int(i) for i in self.random.permutation(x.rank)))
        if choice == 1:
            return view.reshape(x, shape=self._other_shape(x))
        if choice == 2:
            return view.broadcast_to(x, shape=(int(self.random.choice((1, 2, 3))),) + x.shape)
        begin, size, stride = [], [], []
        for n in x.shape:
            step = int(self.random.choice((1, 1, 2, -1))) if n > 2 else 1
            span = max(1, n // 2)
            first = int(self.random.randint(0, n - span + 1))
            count = (span - 1) // abs(step) + 1
            begin.append(first if step > 0 else first + span - 1)
            size.append(count)
            stride.append(step)
        return view.slice_(x, begin=tuple(begin), size=tuple(size), stride=tuple(stride))

    def _other_shape(self, x: Node) -> tuple:
        if self.random.rand() < 0.5 or x.rank < 2:
            return (x.type.size,) if self.random.rand() < 0.5 else (1,) + x.shape
        k = self.random.randint(x.rank - 1)
        return x.shape[:k] + (x.shape[k] * x.shape[k + 1],) + x.shape[k + 2:]


def with_gradients(graph: Graph) -> Graph:
    """The same graph with the gradients of the sum of its first output by its inputs as further outputs."""
    from graphcore.ops.structural import grad, item
    together = grad(graph.outputs[0], *graph.inputs, sens=False)
    extra = tuple(item(together, index=i) for i in range(len(graph.inputs)))
    return Graph(graph.name, graph.inputs, graph.outputs + extra)

