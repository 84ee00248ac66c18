"""Symbolic sizes: one library for all values, without compiling again."""
from __future__ import annotations

import ctypes

import numpy as np
import pytest

import graphcore as gc
from graphcore import Tensor, nn, ops
from graphcore.aot.bundle import write_bundle
from graphcore.aot.compiled_model import CompiledModel, CompiledModelError
from graphcore.compiler.aot.library import arena_bytes, targets
from graphcore.compiler.aot.plan import plan_level
from graphcore.compiler.pipeline import optimize
from graphcore.compiler.program import statistics
from graphcore.ir.types import parse_type
from graphcore.train.exporting import exported_graph
from tests.aot.nets import leaves
from tests.aot.show import host_levels

RANDOM = np.random.default_rng(3)


class Decoder(nn.Cell):
    """Causal attention over tokens (B, T), and a dense layer to 9 logits."""

    def __init__(self, width=16, heads=2, most=40):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(9, width), nn.Embedding(most, width)
        self.qkv, self.out, self.norm = nn.Dense(width, 3 * width), nn.Dense(width, 9), nn.LayerNorm((width,))
        self.width, self.heads = width, heads
        self.future = Tensor(np.triu(np.ones((most, most), bool), 1))

    def construct(self, tokens):
        batch, length = tokens.shape
        x = self.norm(self.wte(tokens) + self.wpe.embedding_table[:length])
        q, k, v = (ops.transpose(ops.reshape(part, (batch, length, self.heads, self.width // self.heads)), (0, 2, 1, 3))
                   for part in ops.split(self.qkv(x), self.width, -1))
        scores = ops.matmul(q, ops.transpose(k, (0, 1, 3, 2))) * 0.3
        shares = ops.softmax(ops.masked_fill(scores, self.future[:length, :length], float("-inf")), -1)
        mixed = ops.transpose(ops.matmul(shares, v), (0, 2, 1, 3))
        return self.out(x + ops.reshape(mixed, (batch, length, self.width)))


class Slices(nn.Cell):
    """Sizes in slices, joins, a product of two sizes, and results that depend on both."""

    def construct(self, x, y):
        n, m = x.shape[0], y.shape[0]
        joined, whole = ops.concat((x[n // 2:], y[:m - 1]), 0), ops.concat((ops.roll(x, 1, 0), ops.roll(y, -1, 0)))
        flat = ops.reshape(whole, (-1,)), ops.reshape(ops.transpose(whole, (1, 0)), (5, n + m, -1))
        return joined * 2.0, flat, ops.matmul(x, ops.transpose(y, (1, 0))), ops.reshape(x, (-1,)).sum() / (n * m)


class Steps(nn.Cell):
    """A loop whose length is a size, and a recurrent layer over six steps."""

    def __init__(self):
        super().__init__()
        self.cell, self.lstm = nn.Dense(3, 3), nn.LSTM(3, 4, batch_first=True)

    def construct(self, x, steps):
        i, h = Tensor(0, gc.int32), ops.zeros_like(x[:, 0])
        while i < x.shape[1]:
            h = ops.tanh(self.cell(h + x[:, i]))
            i = i + 1
        y, _ = self.lstm(steps)
        return h, y


class Convolved(nn.Cell):
    """Images of any size."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, pad_mode="same")
        self.conv2 = nn.Conv2d(8, 8, 3, stride=2, pad_mode="pad", padding=1)
        self.norm, self.pool, self.fc = nn.BatchNorm2d(8), nn.MaxPool2d(2, 2), nn.Dense(8, 4)

    def construct(self, x):
        x = self.pool(ops.relu(self.norm(self.conv1(x))))
        return self.fc(ops.mean(ops.relu(self.conv2(x)), (2, 3)))


def tokens(b, t):
    return RANDOM.integers(0, 9, (b, t)).astype(np.int32)


def floats(*shape):
    return RANDOM.standard_normal(shape).astype(np.float32)


#: net, types of the inputs, largest sizes, inputs of several sizes
CASES = {
    "attention": (Decoder, ["i32[B,T]"], {"B": 4, "T": 40},
                  [(tokens(*s),) for s in ((2, 7), (4, 40), (1, 1), (3, 33))]),
    "slices": (Slices, ["f32[N,5]", "f32[M,5]"], {"N": 9, "M": 70},
               [(floats(n, 5), floats(m, 5)) for n, m in ((2, 3), (9, 70), (1, 2), (7, 1))]),
    "steps": (Steps, ["f32[N,T,3]", "f32[N,6,3]"], {"N": 3, "T": 12},
              [(floats(n, t, 3), floats(n, 6, 3)) for n, t in ((2, 5), (3, 12), (1, 1), (1, 7))]),
    "images": (Convolved, ["f32[N,3,H,W]"], {"N": 3, "H": 20, "W": 40},
               [(floats(*s),) for s in ((1, 3, 8, 8), (3, 3, 20, 40), (2, 3, 6, 11))]),
}


@pytest.fixture(scope="module", params=CASES)
def case(request, tmp_path_factory):
    net, types, largest, inputs = CASES[request.param]
    gc.set_seed(1)
    net = net().set_train(False)
    folder = tmp_path_factory.mktemp(request.param)
    write_bundle(folder, request.param, exported_graph(net, [parse_type(t) for t in types]), levels=host_levels())
    return net, folder, largest, inputs


def test_all_sizes_on_every_level_and_number_of_threads(case):
    net, folder, largest, sets = case
    wanted = [leaves(net(*map(Tensor, arrays))) for arrays in sets]
    compiled = statistics.graphs_compiled
    for level in host_levels():
        results = []
        for threads in (1, 2, 4):
            model = CompiledModel(folder, threads, level, largest=largest)
            # one after another and back: nothing is left of what was computed with other sizes
            results.append([[y.asnumpy() for y in leaves(model(*arrays))] for arrays in (*sets, *sets[::-1])])
        for given, expected in zip(results[0], (*wanted, *wanted[::-1])):
            for a, b in zip(given, expected, strict=True):
                assert a.shape == b.shape
                np.testing.assert_allclose(a, b.asnumpy(), 1e-5, 2e-6)
        for others in results[1:]:
            assert all(np.array_equal(a, b) for x, y in zip(results[0], others) for a, b in zip(x, y))
    assert statistics.graphs_compiled == compiled


def test_sizes_above_the_largest_are_refused_by_the_library(case):
    _, folder, largest, sets = case
    model = CompiledModel(folder, largest=dict.fromkeys(largest, 6))
    [handle] = model._idle
    arrays = [np.zeros(64 << 10, np.int64) for _ in (*model.inputs, *model.outputs)]
    addresses = [array.ctypes.data for array in arrays]
    for sizes in ({"T": 7, "B": 1}, {"N": 7}, {"H": 7}, {"M": 7}, {"N": 0, "B": 0}, {"N": -1, "B": -1}):
        values = [sizes.get(symbol, 2) for symbol in model.manifest.symbols]
        if set(sizes) & set(model.manifest.symbols):
            status = model._library.run(handle.pointer, *values, *addresses)
            with pytest.raises(CompiledModelError, match="above the largest one"):
                model._library.check(status)
    assert not any(array.any() for array in arrays)
    values = dict.fromkeys(model.manifest.symbols, 2)
    assert model._library.run(handle.pointer, *values.values(), *addresses) == 0


class Windows(nn.Cell):
    """A buffer that is the larger the smaller one size is, and a slice that only some pairs of sizes allow."""

    def __init__(self):
        super().__init__()
        self.table = Tensor(np.arange(40, dtype=np.float32))

    def construct(self, x, y):
        n = y.shape[0]
        return ops.cumsum(ops.softmax(ops.tanh(x[n:])), 0), self.table[:x.shape[0] + n] * 2.0


def test_sizes_of_which_not_all_pairs_are_possible(tmp_path):
    """All memory is there for any pair up to the largest two, though these two together are none for the net."""
    net = Windows()
    write_bundle(tmp_path, "net", exported_graph(net, [parse_type("f32[M]"), parse_type("f32[N]")]), levels=(2,))
    model = CompiledModel(tmp_path, largest={"M": 38, "N": 35})
    for m, n in ((38, 1), (18, 17), (2, 1), (38, 2), (36, 4)):
        arrays = floats(m), floats(n)
        for a, b in zip(model(*arrays), net(*map(Tensor, arrays)), strict=True):
            np.testing.assert_allclose(a.asnumpy(), b.asnumpy(), 1e-5)
    with pytest.raises(CompiledModelError, match="the net cannot take"):
        model(floats(30), floats(20))
    assert len(model._idle) == 1


def test_memory_grows_as_planned(tmp_path):
    net = Convolved().set_train(False)
    exported = exported_graph(net, [parse_type("f32[N,3,H,32]")])
    write_bundle(tmp_path, "net", exported, levels=(2,))
    [(_, _, cpu)] = targets((2,))
    blocks = plan_level(optimize(exported.graph), cpu).blocks
    bytes_of = ctypes.CDLL(None).malloc_usable_size
    bytes_of.argtypes, bytes_of.restype = [ctypes.c_void_p], ctypes.c_size_t
    found, planned = [], []
    for sizes in ({"N": 1, "H": 4}, {"N": 1, "H": 32}, {"N": 5, "H": 32}, {"N": 64, "H": 200}):
        [handle] = CompiledModel(tmp_path, largest=sizes)._idle
        found.append(bytes_of(handle.pointer))
        planned.append(arena_bytes(blocks, sizes))
    assert planned == sorted(set(planned))
    for there, plan in zip(found, planned):
        assert there - found[0] == pytest.approx(plan - planned[0], abs=8192)        # malloc rounds up to pages
