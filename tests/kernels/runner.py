"""Run a lowering on NumPy arrays, with an epilogue that counts how often it is called for each element."""
from __future__ import annotations

import ctypes

import numpy as np

from graphcore import dtype as dt
from graphcore.compiler.launch import Address, KernelAddress, KernelSource, Row, Scratch, View
from graphcore.compiler.runtime import loader
from graphcore.compiler.toolchain.build import build_object
from graphcore.compiler.toolchain.naming import symbol
from graphcore.ir import graph as ir
from graphcore.ir.types import TensorType
from graphcore.ops.record import REGISTRY
from tests.kernels.lowering import ENTRY, WORKERS, EagerBuild, as_floats, stored

COUNTING = KernelSource("count_calls", """
def count_calls(args, begin, end, worker):
    counts = ptr_i32(args[0])
    for i in range(begin, end):
        store(counts, i, load(counts, i) + 1)
""")


class Build(EagerBuild):
    """Also knows rows of rows and the addresses of kernels; scratch memory begins as NaN."""

    def __init__(self, binding: dict, cuts=(0.0, 0.3, 0.8, 1.0)):
        super().__init__(binding)
        self.cuts = cuts

    def launch(self, kernel, words, items, grain, reads, writes, flops=0, bytes=0):
        touched = {word.view.buffer for word in words if isinstance(word, Address)}
        assert touched <= {*reads, *writes}, "a launch names every buffer it touches"
        assert self.size(grain) >= 1 and self.size(flops) >= 0 and self.size(bytes) >= 0
        self.launches.append(kernel.name)
        keep: list = []
        row = (ctypes.c_int64 * len(words))(*(self._word(word, keep) for word in words))
        entry, items = ENTRY(self._word(KernelAddress(kernel), keep)), self.size(items)
        edges = [round(cut * items) for cut in self.cuts]
        for worker, (begin, end) in reversed(list(enumerate(zip(edges, edges[1:])))):
            if begin < end:
                entry(ctypes.addressof(row), begin, end, worker)

    def fill(self, target: View, value) -> None:
        start = self.size(target.offset)
        self.memory[target.buffer].reshape(-1)[start:start + self.size(target.size)] = value

    def _word(self, word, keep: list) -> int:
        if isinstance(word, KernelAddress):
            name = symbol(word.kernel)
            known = loader.loaded(name)
            return known if known is not None else loader.load({name: build_object(word.kernel)})[name]
        if isinstance(word, Row):
            row = (ctypes.c_int64 * len(word.words))(*(self._word(w, keep) for w in word.words))
            keep.append(row)
            return ctypes.addressof(row)
        if isinstance(word, Scratch):
            memory = np.full(self.size(word.bytes) * WORKERS // 4 + 32, np.nan, np.float32)
            keep.append(memory)
            return (memory.ctypes.data + 63) // 64 * 64
        return super()._word(word, keep)


class Counter:
    """An epilogue that adds one to a number beside each element of the output."""

    def __init__(self, build: Build, size: int):
        self.counts = np.zeros(size, np.int32)
        buffer = build.hold("counts", dt.int32, self.counts)
        self.words = (KernelAddress(COUNTING), Row((Address(View.whole(buffer, (size,))),)))


def window(build: Build, array: np.ndarray, dtype, order=None) -> View:
    """`array` as a View; `order`: the order of its axes in memory, with gaps between the innermost runs."""
    order = tuple(range(array.ndim)) if order is None else order
    memory = np.full([array.shape[axis] + 1 for axis in order], 99, array.dtype)
    memory[tuple(slice(0, array.shape[axis]) for axis in order)] = array.transpose(order)
    strides = [0] * array.ndim
    for axis, stride in zip(order, memory.strides):
        strides[axis] = stride // array.itemsize
    return View(build.hold("x", dtype, memory), array.shape, tuple(strides))


def check(lowerings: dict, name: str, arrays, attrs: dict, dtype=dt.float32, orders=None, symbols=None,
          target=None) -> np.ndarray:
    """Compare the kernels of operator `name` with its reference in float64; one call of the epilogue for each element.

    arrays: float64 values, rounded to `dtype` first; orders: for each input the order of its axes in memory (None:
    row-major and dense); symbols: shapes with symbolic sizes, and their values; target: make blocks for that CPU.
    The work is split in two ways, which must give the same bits.  Returns the result.
    """
    results = [_run(lowerings, name, arrays, attrs, dtype, orders, symbols, target, cuts)
               for cuts in ((0.0, 0.3, 0.8, 1.0), (0.0, 1.0))]
    assert results[0].tobytes() == results[1].tobytes(), "the split over threads changes the result"
    return results[0]


def _run(lowerings, name, arrays, attrs, dtype, orders, symbols, target, cuts) -> np.ndarray:
    kept = [stored(a, dtype) for a in arrays]
    shapes, binding = symbols or ([a.shape for a in arrays], {})
    types = [TensorType(dtype, tuple(shape)) for shape in shapes]
    node = REGISTRY[name](*(ir.input_(f"x{i}", t) for i, t in enumerate(types)), **attrs)
    build = Build(binding, cuts)
    build.cpu = target or build.cpu
    inputs = []
    for array, type_, order in zip(kept, types, orders or [None] * len(kept)):
        dense = order is None
        view = View.whole(build.hold("x", dtype, array), type_.shape) if dense else window(build, array, dtype, order)
        inputs.append(view)
    output = View.whole(build.temp("out", dtype, node.type.size), node.shape)
    counter = Counter(build, build.size(node.type.size))
    lowerings[name](build, node, inputs, output, counter)
    values = [as_floats(a, dtype) for a in kept] if dtype.is_float else kept
    sizes = {key: tuple(build.size(v) for v in value) if isinstance(value, tuple) else value
             for key, value in node.attrs.items()}
    with np.errstate(all="ignore"):
        want = REGISTRY[name].reference(*values, **sizes)
    got = build.read(output)
    assert got.shape == want.shape
    if dtype.is_float:
        scale = np.abs(want[np.isfinite(want)]).max(initial=1.0)
        bound = {"f64": 1e-12, "f32": 3e-6, "f16": 2e-3, "bf16": 1e-2}[dtype.code]
        np.testing.assert_allclose(as_floats(got, dtype), want, rtol=bound, atol=bound * scale)
    else:
        np.testing.assert_array_equal(got, want.astype(dtype.storage))
    assert (counter.counts == 1).all(), "the epilogue is called exactly once for each element"
    return got
