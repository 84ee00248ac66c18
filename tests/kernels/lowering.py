"""Run the launches of one operator's lowering at once, split over make-believe threads, on NumPy arrays."""
from __future__ import annotations

import ctypes

import numpy as np

from graphcore import dtype as dt
from graphcore.compiler.launch import Address, Buffer, Launch, Scratch, View, contiguous_strides
from graphcore.compiler.runtime import loader
from graphcore.compiler.toolchain.build import build_object
from graphcore.compiler.toolchain.cpu import host
from graphcore.compiler.toolchain.naming import symbol
from graphcore.ir import graph as ir
from graphcore.ir.dims import Dim, evaluate
from graphcore.ir.types import TensorType
from graphcore.ops.evaluate import evaluate as reference
from graphcore.ops.record import REGISTRY

ENTRY = ctypes.CFUNCTYPE(None, ctypes.c_void_p, *[ctypes.c_int64] * 3)
WORKERS = 3


class EagerBuild:
    """What a lowering asks of the compiler, done at once; temps begin as garbage.

    in_loop: whether operands count as the same in all iterations of a loop.
    """

    in_loop = False

    def __init__(self, binding: dict, cpu=None):
        self.binding, self.memory, self.launches = binding, {}, []
        self.cpu = cpu or host()

    def size(self, value) -> int:
        return evaluate(value, self.binding)

    def hold(self, name: str, dtype, array: np.ndarray) -> Buffer:
        buffer = Buffer(name, dtype, array.size)
        self.memory[buffer] = array
        return buffer

    def temp(self, name: str, dtype, size) -> Buffer:
        garbage = np.frombuffer(b"\xa5" * (self.size(size) * dtype.itemsize), dtype.storage).copy()
        return self.hold(name, dtype, garbage)

    def contiguous(self, view: View) -> View:
        if view.is_contiguous:
            return view
        return View.whole(self.hold("copy", view.dtype, self.read(view).ravel()), view.shape)

    def is_fixed(self, buffer: Buffer) -> bool:
        return self.in_loop

    def read(self, view: View) -> np.ndarray:
        array = self.memory[view.buffer].ravel()[self.size(view.offset):]
        strides = [self.size(s) * array.itemsize for s in view.strides]
        return np.lib.stride_tricks.as_strided(array, [self.size(n) for n in view.shape], strides).copy()

    def launch(self, kernel, words, items, grain, reads, writes, flops=0, bytes=0):
        self.launches.append(Launch(kernel, tuple(words), items, grain, tuple(reads), tuple(writes), (), flops, bytes))
        touched = {word.view.buffer for word in words if isinstance(word, Address)}
        assert touched <= {*reads, *writes}, "a launch names every buffer it touches"
        keep: list = []
        row = (ctypes.c_int64 * len(words))(*(self._word(word, keep) for word in words))
        entry, items = _function(kernel, self.cpu), self.size(items)
        assert self.size(grain) >= 1
        cuts = [0, items // 3, items // 3 + items // 2, items]
        for worker, (begin, end) in reversed(list(enumerate(zip(cuts, cuts[1:])))):
            if begin < end:
                entry(ctypes.addressof(row), begin, end, worker)

    def _word(self, word, keep: list) -> int:
        if isinstance(word, Address):
            array = self.memory[word.view.buffer]
            return array.ctypes.data + self.size(word.view.offset) * array.itemsize
        if isinstance(word, Scratch):
            memory = np.empty(self.size(word.bytes) * WORKERS + 64, np.uint8)
            keep.append(memory)
            return (memory.ctypes.data + 63) // 64 * 64
        return self.size(word)


_functions: dict = {}


def _function(kernel, cpu):
    if kernel.digest not in _functions:
        name = symbol(kernel)
        _functions[kernel.digest] = ENTRY(loader.load({name: build_object(kernel, cpu)})[name])
    return _functions[kernel.digest]


def run(lowerings: dict, name: str, arrays, attrs: dict, dtypes=None, symbolic: bool = False, strided: bool = False,
        cpu=None):
    """(result of the kernels, result of the reference) for the operator `name` on stored arrays.

    dtypes: those of the arrays, where NumPy does not tell; symbolic: give the first axis of all inputs a symbol;
    strided: hand the inputs over as windows with gaps and an offset; cpu: which to compile for.
    """
    arrays = [np.ascontiguousarray(a).reshape(np.shape(a)) for a in arrays]
    dtypes = dtypes or [dt.from_numpy(a.dtype) for a in arrays]
    binding: dict = {}

    def shape_of(array):
        if not symbolic or not array.ndim:
            return array.shape
        binding["N"] = array.shape[0]
        return (Dim.symbol("N"), *array.shape[1:])

    types = [TensorType(d, shape_of(a)) for a, d in zip(arrays, dtypes)]
    node = REGISTRY[name](*(ir.input_(f"x{i}", t) for i, t in enumerate(types)), **attrs)
    build = EagerBuild(binding, cpu)
    inputs = []
    for number, (array, type_) in enumerate(zip(arrays, types)):
        if strided:
            padded = np.full((*array.shape[:-1], (array.shape or (1,))[-1] + 3), 77, array.dtype)
            padded[..., 2:-1] = array
            buffer = build.hold(f"x{number}", type_.dtype, padded)
            strides = contiguous_strides(padded.shape)
            inputs.append(View(buffer, type_.shape, strides if array.ndim else (), 2))
        else:
            inputs.append(View.whole(build.hold(f"x{number}", type_.dtype, array), type_.shape))
    output = View.whole(build.temp("out", node.dtype, node.type.size), node.shape)
    lowerings[name](build, node, inputs, output, None)
    want = reference(REGISTRY[name], arrays, types, node.attrs, node.type)
    return build.read(output), want.reshape([build.size(n) for n in node.shape])


def as_floats(array: np.ndarray, dtype) -> np.ndarray:
    """Stored values as float64, for comparison."""
    return (dt.bfloat16_to_float32(array) if dtype is dt.bfloat16 else array).astype(np.float64)


def stored(array: np.ndarray, dtype) -> np.ndarray:
    """Values as they are stored for `dtype`."""
    return dt.float32_to_bfloat16(array) if dtype is dt.bfloat16 else array.astype(dtype.storage)
