"""Compiled programs: shared native code, and what binds it to one net's Parameters.

`SharedProgram` belongs to a graph's structure: two equal nets share one.  `Program` holds the Parameters of one net
beside it and is what a call runs.
"""
from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np

from graphcore.capture import epoch
from graphcore.compiler import cache
from graphcore.compiler.runtime.executor import Executable
from graphcore.compiler.stored import StoredCode
from graphcore.compiler.toolchain.compile import cached_objects, object_keys, objects
from graphcore.compiler.toolchain.cpu import host
from graphcore.errors import UnboundParameterError
from graphcore.ir.dims import evaluate
from graphcore.ir.graph import Graph
from graphcore.ir.printer import graph_text


class Statistics:
    """Counts of what the compiler did in this process, for tests and reports."""

    def __init__(self):
        self.graphs_compiled = 0            # graphs that went through the passes
        self.programs_loaded = 0            # programs found in the cache on disk
        self.programs_shared = 0            # programs found in memory


statistics = Statistics()
_lock = threading.RLock()
_shared: dict[str, SharedProgram] = {}


def compile_graph(graph: Graph, parameters: dict) -> Program:
    """Compile a captured graph and bind it to Parameters by name.

    Raises UnboundParameterError for a name without a Parameter, CompileError for a defect of the compiler.
    """
    missing = [name for name in graph.params if name not in parameters]
    if missing:
        raise UnboundParameterError(f"the graph uses Parameters that were not given: {', '.join(missing)}")
    return Program(graph, shared_program(graph), parameters)


def shared_program(graph: Graph) -> SharedProgram:
    """The native code of a graph: from memory, from disk, or compiled now."""
    key = cache.digest("program", graph_text(graph), host().identity, cache.versions(), _compiler_text())
    with _lock:
        found = _shared.get(key)
        if found is None:
            found = _shared[key] = SharedProgram(graph, key)
        else:
            statistics.programs_shared += 1
        return found


def _compiler_text() -> str:
    """A hash of the compiler and the operators: a stored program is not used by another version of them."""
    global _text_digest
    if _text_digest is None:
        from pathlib import Path

        import graphcore.ops
        here, ops = Path(__file__).parent, Path(graphcore.ops.__file__).parent
        _text_digest = cache.text_digest([*here.rglob("*.py"), *ops.glob("*.py"), *ops.glob("pointwise/*.py")])
    return _text_digest


_text_digest: str | None = None


class SharedProgram:
    """The code of one graph: one version for each set of symbolic sizes."""

    def __init__(self, graph: Graph, key: str):
        self.key = key
        self.symbols = graph.symbols
        self._graph = graph
        self._optimized = None
        self._by_sizes: dict = {}
        if not self.symbols:
            self.code(())

    def code(self, sizes: tuple) -> Version:
        """The version for the values `sizes` of the symbols."""
        with _lock:
            found = self._by_sizes.get(sizes)
            if found is None:
                found = self._by_sizes[sizes] = self._load(sizes) or self._compile(sizes)
            return found

    def _load(self, sizes: tuple) -> Version | None:
        stored = cache.load_json("programs", cache.digest(self.key, repr(sizes)))
        if stored is None:
            return None
        codes = []
        for data in (stored["main"], stored["prologue"]):
            code = data and StoredCode.from_json(data)
            images = code and cached_objects(code.object_keys)
            if data and images is None:
                return None
            codes.append(Code(code, images) if data else None)
        statistics.programs_loaded += 1
        return Version(*codes, tuple((tuple(shape), np.dtype(dtype)) for shape, dtype in stored["derived"]))

    def _compile(self, sizes: tuple) -> Version:
        from graphcore.compiler.passes.derive import split_derived
        from graphcore.compiler.pipeline import optimize
        from graphcore.compiler.plan import compile_plan
        if self._optimized is None:
            self._optimized = split_derived(optimize(self._graph))
            statistics.graphs_compiled += 1
        split, binding = self._optimized, dict(zip(self.symbols, sizes))
        plans = [compile_plan(g, host(), binding) if g is not None else None for g in (split.main, split.prologue)]
        kernels = [k for p in plans if p for k in p.kernels]
        images, keys = objects(kernels), object_keys(kernels)
        codes = [p and StoredCode(p.program, {s: keys[s] for s in p.program.symbols}, p.params, p.constants)
                 for p in plans]
        derived = tuple((tuple(evaluate(s, binding) for s in n.shape), n.dtype.storage)
                        for n in (split.prologue.outputs if split.prologue else ()))
        self._store(sizes, codes, derived)
        return Version(*(c and Code(c, images) for c in codes), derived)

    def _store(self, sizes: tuple, codes: list, derived: tuple) -> None:
        data = [c and c.to_json() for c in codes]
        if any(c and d is None for c, d in zip(codes, data)):
            return
        cache.store_json("programs", cache.digest(self.key, repr(sizes)), {
            "main": data[0], "prologue": data[1], "derived": [[shape, dtype.str] for shape, dtype in derived]})


class Code:
    """An executable with the names of its Parameters and its constant arrays, in the order of the externals."""

    def __init__(self, stored: StoredCode, images):
        self.executable = Executable(stored.program, {s: images[s] for s in stored.program.symbols})
        self.params, self.constants = stored.params, stored.constants

    @property
    def launches(self) -> int:
        """Kernels launched by one run."""
        return len(self.executable.program.instructions)


@dataclass(frozen=True)
class Version:
    """The code of a graph for one set of sizes; `derived` gives shape and storage of what the prologue computes."""

    main: Code
    prologue: Code | None
    derived: tuple


class Program:
    """A compiled graph bound to Parameters; ``run(arrays)`` gives the outputs as new arrays."""

    def __init__(self, graph: Graph, shared: SharedProgram, parameters: dict):
        self.shared, self.parameters = shared, dict(parameters)
        self.graph = graph
        self._writes = bool(graph.updates)
        self._bound: dict = {}
        self._static = self._bind(()) if not shared.symbols else None

    def rebind(self) -> None:
        """Fetch the Parameters' memory again: called when a Parameter's array may have been replaced."""
        self._bound.clear()
        self._static = self._bind(()) if not self.shared.symbols else None

    @property
    def launches(self) -> int:
        """Kernels launched by the last-used (or only) version of the program."""
        bound = self._static or next(iter(self._bound.values()))
        return bound.version.main.launches

    def run(self, arrays: list) -> list:
        """Run on the arrays of the inputs, in order; they have the types that the graph was captured with."""
        bound = self._static or self._bind(self._sizes(arrays))
        outputs = [np.empty(shape, dtype) for shape, dtype in bound.outputs]
        fixed = bound.fixed if bound.derived is None else bound.with_derived()
        executable = bound.version.main.executable
        instance = executable.acquire()
        instance.run((*arrays, *fixed[0], *outputs, *fixed[1]))
        executable.release(instance)
        if self._writes:
            epoch.data[0] += 1
        return outputs

    def _sizes(self, arrays: list) -> tuple:
        values: dict = {}
        for leaf, array in zip(self.graph.inputs, arrays):
            for size, actual in zip(leaf.shape, array.shape):
                if not isinstance(size, int) and len(size.symbols()) == 1 and str(size) in self.shared.symbols:
                    values[str(size)] = actual
        return tuple(values[s] for s in self.shared.symbols)

    def _bind(self, sizes: tuple) -> _Bound:
        found = self._bound.get(sizes)
        if found is None:
            found = self._bound[sizes] = _Bound(self, sizes)
        return found


class _Bound:
    """A program's arrays for one set of sizes: Parameters, constants and derived values."""

    def __init__(self, program: Program, sizes: tuple):
        self.version = program.shared.code(sizes)
        binding = dict(zip(program.shared.symbols, sizes))
        self.outputs = [(tuple(evaluate(s, binding) for s in o.shape), o.dtype.storage) for o in program.graph.outputs]
        self.fixed = ((), _memory(program, self.version.main))
        self.derived = None
        if self.version.prologue is not None:
            self.derived = tuple(np.empty(shape, dtype) for shape, dtype in self.version.derived)
            self.fixed = (self.derived, self.fixed[1])
            self._prologue_memory = _memory(program, self.version.prologue)
            self._escaped = any(program.parameters[n]._escaped for n in self.version.prologue.params)
            self._epoch = None

    def with_derived(self):
        """The fixed arrays, after computing the derived ones again if a Parameter may have changed.

        A Parameter whose memory was handed out by `asnumpy` may change unseen, so it is always taken for changed.
        """
        if self._epoch != epoch.data[0] or self._escaped:
            self._epoch = epoch.data[0]
            self.version.prologue.executable.run((*self.derived, *self._prologue_memory))
        return self.fixed


def _memory(program: Program, code: Code) -> tuple:
    return tuple(program.parameters[n].materialized()._array for n in code.params) + code.constants
