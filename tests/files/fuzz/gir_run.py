"""Running what was accepted: natively on arrays that end where their memory does, beside the NumPy references."""
from __future__ import annotations

import ctypes
import mmap
import signal

import numpy as np

from graphcore import compiler
from graphcore.errors import CompileError, GraphcoreError
from graphcore.files.gir import GraphFile
from graphcore.files.stored import StoredTensor
from graphcore.ir.graph import Graph, graphs_of
from graphcore.ir.types import TensorType
from graphcore.ops.evaluate import interpret
from graphcore.parameter import Parameter
from graphcore.tensor import Tensor
from tests.files.fuzz import Finding

MOST_ELEMENTS = 200_000         # of all values of a graph that is run, those in loops for each iteration
_REFERENCE_SECONDS = 3
# NumPy and the processor differ where a result is not defined (a float beyond the integers, a shift beyond the bits).
_UNDEFINED = {"cast", "left_shift", "right_shift", "floor_div", "mod", "pow", "div"}
_libc = ctypes.CDLL(None, use_errno=True)


class _TooLong(Exception):
    """The reference takes too long."""


def use(file: GraphFile) -> str:
    """Run the graph, and compare.  Raises Finding for results that differ, and what the compiler should not raise."""
    graph = file.graph
    if _elements(graph) > MOST_ELEMENTS or any(v.array.size > MOST_ELEMENTS for v in file.values.values()
                                               if isinstance(v, StoredTensor)):
        return "too large to run"
    leaves = {leaf: guarded(_values(leaf.type, i), at_end=i % 3 < 2) for i, leaf in enumerate(graph.inputs)}
    weights = {leaf: guarded(file.values[name].array) for name, leaf in graph.params.items()}
    try:
        expected = _reference(graph, {**leaves, **weights})
    except _TooLong:
        return "no end within seconds"
    except Exception as error:
        expected = error
    parameters = {name: _parameter(weights[leaf], leaf) for name, leaf in graph.params.items()}
    try:
        outputs = compiler.compile(graph, parameters).run(list(leaves.values()))
    except CompileError:
        raise
    except GraphcoreError as error:
        return f"refused by the compiler: {type(error).__name__}"
    if isinstance(expected, Exception):
        return f"ran; the reference raises {type(expected).__name__}"
    if any(n.op in _UNDEFINED for n in _all_nodes(graph)):
        return "ran"
    for output, found in zip(graph.outputs, outputs):
        _compare(output.type, found, expected[output])
    return "ran and compared"


def _all_nodes(graph: Graph):
    for n in graph.nodes:
        yield n
        for inner in graphs_of(n).values():
            yield from _all_nodes(inner)


def _elements(graph: Graph) -> int:
    """Elements of all values, with what the operators read of their inputs for each element of results."""
    total = sum(leaf.type.size for leaf in graph.inputs)
    for n in graph.nodes:
        types = n.type.items if hasattr(n.type, "items") else (n.type,)
        total += sum(t.size for t in types)
        if n.op not in ("input", "param", "const") and "kernel" in n.attrs or n.op.startswith(("conv2d", "depthwise")):
            total += _work(n)
        length = n.attrs.get("length")
        total += sum(map(_elements, graphs_of(n).values())) * (length if isinstance(length, int) else 1)
    return total


def _work(n) -> int:
    """What a window costs, in elements."""
    window = n.attrs.get("kernel") or max((i.shape[-2:] for i in n.inputs), default=(1, 1), key=np.prod)
    return int(np.prod([int(k) for k in window], dtype=object)) * n.type.size // 16


def _values(type_: TensorType, seed: int) -> np.ndarray:
    random, storage = np.random.default_rng(seed), type_.dtype.storage
    if type_.dtype.is_bool:
        return random.random(type_.shape) < 0.5
    if type_.dtype.is_float and type_.dtype.name != "bfloat16":
        return random.uniform(-2, 2, type_.shape).astype(storage)
    if type_.dtype.name == "bfloat16":
        return (random.uniform(-2, 2, type_.shape).astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
    return random.integers(-3 if type_.dtype.kind == "i" else 0, 9, type_.shape).astype(storage)


def guarded(array: np.ndarray, at_end: bool = True) -> np.ndarray:
    """A copy that lies directly before (or behind) a page that nobody may touch."""
    page = mmap.PAGESIZE
    pages = -(-max(array.nbytes, 1) // page)
    memory = mmap.mmap(-1, (pages + 1) * page)
    whole = np.frombuffer(memory, np.uint8)
    start = pages * page - array.nbytes if at_end else page
    forbidden = whole.ctypes.data + (pages * page if at_end else 0)
    if _libc.mprotect(ctypes.c_void_p(forbidden), ctypes.c_size_t(page), 0):
        raise OSError(ctypes.get_errno(), "mprotect")
    copy = whole[start:start + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def _parameter(array: np.ndarray, leaf) -> Parameter:
    parameter = Parameter(Tensor._wrap(array, leaf.dtype), name=leaf.name)
    parameter._array = array
    return parameter


def _reference(graph: Graph, leaves: dict) -> dict:
    def stop(*_):
        raise _TooLong
    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, _REFERENCE_SECONDS)
    try:
        return interpret(graph, dict(leaves))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _compare(type_: TensorType, found: np.ndarray, expected: np.ndarray) -> None:
    if found.shape != expected.shape or found.dtype != expected.dtype:
        raise Finding(f"an output is {found.dtype}{found.shape}, by the reference {expected.dtype}{expected.shape}")
    if type_.dtype.name == "bfloat16":
        found, expected = ((a.astype(np.uint32) << 16).view(np.float32) for a in (found, expected))
    if not type_.dtype.is_float:
        differ = found != expected
    else:
        found, expected = found.astype(np.float64), expected.astype(np.float64)
        if not np.isfinite(expected).all():
            return
        allowed = (3e-2 if type_.dtype.itemsize == 2 else 1e-3) * (1 + np.abs(expected).max(initial=0))
        differ = ~(np.abs(found - expected) <= allowed)
    if differ.any():
        at = tuple(int(i[0]) for i in np.nonzero(differ)) if found.ndim else ()
        raise Finding(f"an output differs at {differ.sum()} places: at {at} {found[at]}, by the reference "
                      f"{expected[at]}")


def stored_values(graph: Graph) -> dict | None:
    """Values for a graph's Parameters; None where they are too large, or of no size."""
    types = {name: leaf.type for name, leaf in graph.params.items()}
    if any(not t.is_static or min(t.shape, default=0) < 0 or t.size > MOST_ELEMENTS for t in types.values()):
        return None
    return {name: StoredTensor(t.dtype, _values(t, i)) for i, (name, t) in enumerate(types.items())}
