"""The graphs that mutants are made of: exported nets, and each operator alone."""
from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

import graphcore as gc
from graphcore import dtype as dt
from graphcore import nn, ops
from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph
from graphcore.ir.printer import print_graph
from graphcore.ir.types import TensorType
from graphcore.ops.record import REGISTRY, Pointwise, Reduction


class _Branches(nn.Cell):
    def __init__(self):
        super().__init__()
        self.fc = nn.Dense(3, 3)

    def construct(self, x):
        y = self.fc(x)
        if y.sum() > 0:
            y = y * 2
        while y.max() < 3:
            y = y + 1
        return y[1:, ::2]


class _Loops(nn.Cell):
    def construct(self, x, n):
        total = ops.zeros_like(x[0])
        for i in range(n):
            total = total * 0.5 + x[i % 4]
        for row in x:
            total = ops.maximum(total, row.sort()[0])
        return total, ops.cat((total, x[0, :2]))


class _Attends(nn.Cell):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(7, 8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def construct(self, x):
        y = self.embedding(x)
        return self.attention(y, y, y)[0]


def _input(*shape, dtype=np.float32):
    return gc.Tensor(np.arange(np.prod(shape)).reshape(shape).astype(dtype) % 5)


def nets() -> list[dict]:
    """The files of some nets with fixed weights."""
    np.random.seed(0)
    gc.set_seed(0)
    image = nn.SequentialCell(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2, 2), nn.Flatten(),
                              nn.Dense(16, 3), nn.Softmax())
    small = nn.SequentialCell(nn.Conv2d(2, 2, 3, stride=2, pad_mode="pad", padding=1, group=2), nn.AvgPool2d(2, 1),
                              nn.Conv2dTranspose(2, 3, 2), nn.GroupNorm(1, 3))
    made = [(image, (_input(1, 2, 4, 4),)), (small, (_input(1, 2, 6, 6),)), (_Branches(), (_input(2, 3),)),
            (_Loops(), (_input(4, 5), gc.Tensor(3, gc.int64))), (_Attends(), (_input(2, 3, dtype=np.int32),)),
            (nn.LSTM(3, 4), (_input(5, 2, 3), (_input(1, 2, 4), _input(1, 2, 4)))),
            (nn.SequentialCell(nn.Dense(4, 4), nn.LayerNorm((4,)), nn.GELU()), (_input(2, 4),))]
    return [_exported(net, inputs) for net, inputs in made]


def _exported(net, inputs) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        gc.export(net, *inputs, file_name=str(Path(folder, "net")), file_format="GIR")
        return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir(), reverse=True)}


def graphs() -> list[str]:
    """The texts of graphs of one operator each, and of one with symbolic sizes, which no exported net has."""
    found = [_text(record, arrays, attrs) for record in REGISTRY.values()
             for arrays, attrs in (record.samples() if record.samples else _samples(record))]
    symbolic = ("graph s(%x: f32[N,4]) -> f32[N-1,4] {\n  %1 = slice(%x) {begin=(1,0), size=(<N-1>,4), stride=(1,1)} "
                ": f32[N-1,4]\n  return %1\n}\n")
    return [*found, f"# result: 0\n{symbolic}"]


def _samples(record) -> list:
    x = np.arange(1, 13).reshape(3, 4)
    if isinstance(record, Reduction):
        x = x > 3 if record.accepts == "bool" else x.astype("f4")
        return [([x], {"axes": axes, "keepdims": keep}) for axes, keep in (((0,), False), ((0, 1), True))]
    if not isinstance(record, Pointwise):
        return []
    x = x.astype({"integer": "i4", "integer or bool": "i4", "bool": "?"}.get(record.accepts, "f4"))
    return [([x, x[0]][:record.arity], {}), ([x, x[:, :1]][:record.arity], {})]


def _text(record, arrays, attrs) -> str:
    arrays = [np.asarray(a) for a in arrays]
    leaves = [ir.input_(f"x{i}", TensorType(dt.from_numpy(a.dtype), a.shape)) for i, a in enumerate(arrays)]
    graph = Graph(record.name, tuple(leaves), (record(*leaves, **attrs),))
    return f"# result: 0\n{print_graph(graph)}"
