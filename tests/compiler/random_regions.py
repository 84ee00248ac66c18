"""Random graphs of branches and loops, nested, over vectors and matrices."""
from __future__ import annotations

import numpy as np

from graphcore.dtype import bool_, float32, int64
from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph, Node, close
from graphcore.ir.types import TapeType, TensorType
from graphcore.ops import linear, pointwise, reduction, regions, structural, view

VECTOR, MATRIX, SCALAR = (TensorType(float32, shape) for shape in ((5,), (3, 5), ()))
COUNT, FLAG = TensorType(int64, ()), TensorType(bool_, ())


def item(region: Node, index: int) -> Node:
    """Result number `index` of a region."""
    return structural.item(region, index=index)


def number(value: float) -> Node:
    """A constant f32[]."""
    return ir.const(np.float32(value))


class RegionMaker:
    """Builds one random graph from a seed; all its values stay within small numbers."""

    def __init__(self, seed: int):
        self.random = np.random.RandomState(seed)

    def make(self) -> tuple[Graph, list]:
        """A graph and the arrays of its inputs."""
        leaves = tuple(ir.input_(f"x{i}", t) for i, t in enumerate((VECTOR, VECTOR, MATRIX, MATRIX, SCALAR, COUNT)))
        outputs = self._values(leaves, depth=3, steps=5)[-6:]
        arrays = [self.random.uniform(-1, 1, leaf.shape).astype(np.float32) for leaf in leaves[:5]]
        return Graph("random", leaves, tuple(outputs)), [*arrays, np.array(self.random.randint(0, 4))]

    def _values(self, given, depth: int, steps: int) -> list:
        values = [v for v in given if isinstance(v.type, TensorType)]
        for _ in range(steps):
            choice = self.random.rand()
            if depth and choice < 0.5:
                make = (self._if, self._while, self._loop)[self.random.randint(3)]
                values += make(values, depth - 1)
            else:
                values.append(self._compute(values))
        return values

    def _pick(self, values, *types) -> Node:
        found = [v for v in values if v.type in types]
        return found[self.random.randint(len(found))] if found else number(0.5)

    def _compute(self, values) -> Node:
        x = self._pick(values, VECTOR, MATRIX, SCALAR)
        choice = self.random.randint(6)
        if choice == 0:
            return pointwise.tanh(x)
        if choice == 1 and x.rank:
            return reduction.sum_(x, axes=(0,), keepdims=False) if x.rank == 2 else pointwise.tanh(
                reduction.max_(x, axes=(0,), keepdims=False))
        if choice == 2 and x.type == MATRIX:
            return pointwise.tanh(linear.matmul(linear.matmul(x, x, transpose_b=True), x))
        if choice == 3 and x.type == MATRIX:
            row = view.slice_(x, begin=(self.random.randint(3), 0), size=(1, 5), stride=(1, 1))
            return view.reshape(row, shape=(5,))
        other = self._pick(values, x.type)
        return (pointwise.mul, pointwise.maximum, pointwise.sub)[choice % 3](pointwise.tanh(x), other)

    def _operands(self, values) -> list:
        tensors = [v for v in values if v.dtype is float32]
        return [tensors[self.random.randint(len(tensors))] for _ in range(self.random.randint(1, 4))]

    def _close(self, inputs, types, depth, forced=()) -> Graph:
        """A graph of the inputs that gives values of these types."""
        leaves = [ir.input_(f"in{i}", t) for i, t in enumerate(inputs)]
        values = self._values(leaves, depth, 2)
        outputs = []
        for t in types:
            found = self._pick(values[self.random.randint(len(values)):] or values, t)
            if found.type != t:
                found = self._pick(values, t)
            outputs.append(found if found.type == t else view.broadcast_to(number(0.25), shape=t.shape))
        return close("region", leaves, outputs)

    def _if(self, values, depth) -> list:
        operands = self._operands(values)
        types = [o.type for o in self._operands(values)]
        flag = pointwise.gt(self._scalar(values), number(self.random.uniform(-0.5, 0.5)))
        inside = [o.type for o in operands]
        region = regions.if_(flag, *operands, then=self._close(inside, types, depth),
                             orelse=self._close(inside, types, depth))
        return [item(region, i) for i in range(len(types))]

    def _scalar(self, values) -> Node:
        x = self._pick(values, SCALAR, VECTOR)
        return x if x.type == SCALAR else reduction.sum_(x, axes=(0,), keepdims=False)

    def _while(self, values, depth) -> list:
        """Counts up to a limit; keeps some values and folds them with a loop that runs backwards."""
        carried, fixed = self._operands(values), self._operands(values)
        kept = [VECTOR] if self.random.rand() < 0.5 else []
        limit = float(self.random.randint(0, 5))
        inside = [SCALAR, *(v.type for v in (*carried, *fixed))]
        leaves = [ir.input_(f"w{i}", t) for i, t in enumerate(inside)]
        body = self._close(inside, [*(v.type for v in carried), *kept], depth)
        after = ir.inline(body, leaves)
        body = close("body", leaves, (pointwise.add(leaves[0], number(1)), *after))
        condition = close("condition", leaves, (pointwise.lt(leaves[0], number(limit)),))
        region = regions.while_(number(0), *carried, *fixed, condition=condition, body=body, carried=1 + len(carried))
        results = [item(region, i) for i in range(1 + len(carried))]
        if kept:
            results.append(self._fold(item(region, 1 + len(carried)), item(region, 2 + len(carried)), None))
        return results

    def _fold(self, count, stack, length) -> Node:
        leaves = [ir.input_(f"f{i}", t) for i, t in enumerate((COUNT, VECTOR, VECTOR))]
        body = close("fold", leaves, (pointwise.sub(pointwise.mul(leaves[1], number(0.5)), leaves[2]),))
        zeros = view.broadcast_to(number(0), shape=VECTOR.shape)
        inputs = (zeros, stack) if count is None else (count, zeros, stack)
        region = regions.loop(*inputs, body=body, carried=1, stacks=1, length=length, reverse=True)
        return item(region, 0)

    def _loop(self, values, depth) -> list:
        length = self.random.randint(0, 4) if self.random.rand() < 0.7 else None
        count = [] if length is not None else [self._pick(values, COUNT)]
        if count and count[0].type != COUNT:
            count = [ir.const(np.int64(2))]
        carried, fixed = self._operands(values), self._operands(values)
        stack = [self._pick(values, MATRIX)] if length == 3 else []
        stack = [s for s in stack if s.type == MATRIX]
        inside = [COUNT, *(v.type for v in carried), *([VECTOR] * len(stack)), *(v.type for v in fixed)]
        body = self._close(inside, [*(v.type for v in carried), VECTOR], depth)
        region = regions.loop(*count, *carried, *stack, *fixed, body=body, carried=len(carried), stacks=len(stack),
                              length=length, reverse=bool(self.random.randint(2)))
        results = [item(region, i) for i in range(len(carried))]
        kept = item(region, len(carried))
        if isinstance(kept.type, TapeType):
            results.append(self._fold(count[0], kept, None))
        elif length:
            results.append(reduction.sum_(kept, axes=(0,), keepdims=False))
        return results
