"""Compiled programs: shared native code, and what binds it to one net's Parameters.

`SharedProgram` belongs to a graph's structure: two equal nets share one.  `Program` holds the Parameters of one net beside
it and is what a call runs.
"""
from __future__ import annotations

import os
import threading

import numpy as np

from graphcore.capture import epoch
from graphcore.compiler import cache, plan
from graphcore.compiler.passes.derive import split_derived
from graphcore.compiler.pipeline import optimize
from graphcore.compiler.runtime.executor import Executable
from graphcore.compiler.runtime.program import NativeProgram
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
_shared: dict[str, "SharedProgram"] = {}


def compile_graph(graph: Graph, parameters: dict) -> "Program":
    """Compile a captured graph and bind it to Parameters by name.

    Raises UnboundParameterError for a name without a Parameter, CompileError for a defect of the compiler.
    """
    missing = [name for name in graph.params if name not in parameters]
    if missing:
        raise UnboundParameterError(f"the graph uses Parameters that were not given: {', '.join(missing)}")
    return Program(graph, shared_program(graph), parameters)


def shared_program(graph: Graph) -> "SharedProgram":
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
        _text_digest = cache.text_digest([*here.rglob("*.py"), *ops.glob("*.py")])
    return _text_digest


_text_digest: str | None = None


class SharedProgram:
    """The code of one graph: an executable for each set of symbolic sizes, and a prologue for derived values."""

    def __init__(self, graph: Graph, key: str):
        self.key = key
        self.symbols = graph.symbols
        self._graph = graph
        self._optimized = None
        self._by_sizes: dict = {}
        self.prologue_types: tuple = ()
        if not self.symbols:
            self.code(())

    def code(self, sizes: tuple) -> "Code":
        """The executable for the values `sizes` of the symbols."""
        with _lock:
            found = self._by_sizes.get(sizes)
            if found is None:
                found = self._by_sizes[sizes] = self._load(sizes) or self._compile(sizes)
            return found

    def _load(self, sizes: tuple) -> "Code | None":
        stored = cache.load_json("programs", cache.digest(self.key, repr(sizes)))
        if stored is None:
            return None
        main = _code_from_json(stored["main"])
        prologue = _code_from_json(stored["prologue"]) if stored["prologue"] else None
        if main is None or stored["prologue"] and prologue is None:
            return None
        main.prologue = prologue
        main.derived = tuple((tuple(shape), np.dtype(dtype)) for shape, dtype in stored["derived"])
        statistics.programs_loaded += 1
        return main

    def _compile(self, sizes: tuple) -> "Code":
        if self._optimized is None:
            self._optimized = split_derived(optimize(self._graph))
            statistics.graphs_compiled += 1
        split, binding = self._optimized, dict(zip(self.symbols, sizes))
        main = plan.compile_plan(split.main, host(), binding)
        before = plan.compile_plan(split.prologue, host(), binding) if split.prologue else None
        kernels = main.kernels + (before.kernels if before else ())
        images, keys = objects(kernels), object_keys(kernels)
        derived = tuple((tuple(evaluate(s, binding) for s in n.shape), n.dtype.storage)
                        for n in (split.prologue.outputs if split.prologue else ()))
        stored_main = plan.to_json(main, {s: keys[s] for s in main.program.symbols})
        stored_before = plan.to_json(before, {s: keys[s] for s in before.program.symbols}) if before else None
        if stored_main is not None and (before is None or stored_before is not None):
            cache.store_json("programs", cache.digest(self.key, repr(sizes)), {
                "main": stored_main, "prologue": stored_before, "derived": [[s, d.str] for s, d in derived]})
        code = Code(main.program, images, main.params, main.constants)
        code.prologue = Code(before.program, images, before.params, before.constants) if before else None
        code.derived = derived
        return code


class Code:
    """An executable with the names of its Parameters and its constant arrays, in the order of the externals."""

    def __init__(self, program: NativeProgram, images, params: tuple, constants: tuple):
        self.executable = Executable(program, {s: images[s] for s in program.symbols if s in images})
        self.params, self.constants = tuple(params), tuple(constants)
        self.prologue: Code | None = None
        self.derived: tuple = ()

    @property
    def launches(self) -> int:
        """Kernels launched by one run."""
        return len(self.executable.program.instructions)


def _code_from_json(stored: dict) -> Code | None:
    images = cached_objects(stored["objects"])
    if images is None:
        return None
    return Code(NativeProgram.from_json(stored["program"]), images, tuple(stored["params"]),
                tuple(plan.array_from_json(c) for c in stored["constants"]))


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
        return bound.code.launches

    def run(self, arrays: list) -> list:
        """Run on the arrays of the inputs, in order; they have the types that the graph was captured with."""
        bound = self._static or self._bind(self._sizes(arrays))
        outputs = [np.empty(shape, dtype) for shape, dtype in bound.outputs]
        fixed = bound.fixed if bound.derived is None else bound.with_derived(self)
        executable = bound.code.executable
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

    def _bind(self, sizes: tuple) -> "_Bound":
        found = self._bound.get(sizes)
        if found is None:
            found = self._bound[sizes] = _Bound(self, sizes)
        return found


class _Bound:
    """A program's arrays for one set of sizes: Parameters, constants and derived values."""

    def __init__(self, program: Program, sizes: tuple):
        self.code = program.shared.code(sizes)
        binding = dict(zip(program.shared.symbols, sizes))
        self.outputs = [(tuple(evaluate(s, binding) for s in o.shape), o.dtype.storage) for o in program.graph.outputs]
        self.fixed = ((), self._memory(program, self.code))
        self.derived = None
        if self.code.prologue is not None:
            self.derived = tuple(np.empty(shape, dtype) for shape, dtype in self.code.derived)
            self._prologue_memory = self._memory(program, self.code.prologue)
            self._escaped = any(program.parameters[n]._escaped for n in self.code.prologue.params)
            self._epoch = None
            self.fixed = (self.derived, self.fixed[1])

    @staticmethod
    def _memory(program: Program, code: Code) -> tuple:
        return tuple(program.parameters[n].materialized()._array for n in code.params) + code.constants

    def with_derived(self, program: Program):
        """The fixed arrays, after computing the derived ones again if a Parameter may have changed."""
        if self._epoch != epoch.data[0] or self._escaped:
            self._epoch = epoch.data[0]
            executable = self.code.prologue.executable
            executable.run((*self.derived, *self._prologue_memory))
        return self.fixed


def interpret_requested() -> bool:
    """Whether GRAPHCORE_INTERPRET=1 asks for the NumPy references instead of compiled code."""
    return os.environ.get("GRAPHCORE_INTERPRET") == "1"
