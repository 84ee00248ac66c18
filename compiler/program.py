"""Compiled programs: shared native code, and what binds it to one net's Parameters.

`SharedProgram` belongs to a graph's structure: two equal nets share one.  `Program` holds the Parameters of one net
beside it and is what a call runs.
"""
from __future__ import annotations

import os
import threading

import numpy as np

from graphcore.capture import epoch
from graphcore.compiler import cache
from graphcore.compiler.choices import Choices
from graphcore.compiler.runtime import native
from graphcore.compiler.runtime.executor import Executable
from graphcore.compiler.runtime.program import External, NativeProgram
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


def compile_graph(graph: Graph, parameters: dict, callbacks=()) -> Program:
    """Compile a captured graph and bind it to Parameters by name and to the Python functions that it calls by number.

    Raises UnboundParameterError for a name without a Parameter, CompileError for a defect of the compiler.
    """
    missing = [name for name in graph.params if name not in parameters]
    if missing:
        raise UnboundParameterError(f"the graph uses Parameters that were not given: {', '.join(missing)}")
    return Program(graph, shared_program(graph), parameters, callbacks)


def shared_program(graph: Graph) -> SharedProgram:
    """The native code of a graph: from memory, from disk, or compiled now; tuned, if it was (see `compiler.tune`)."""
    key = program_key(graph)
    with _lock:
        found = _shared.get(key)
        if found is None:
            found = _shared[key] = SharedProgram(graph, key, cache.load_json("tuned", key) or {})
        else:
            statistics.programs_shared += 1
        return found


def keep_choices(graph: Graph, taken: dict) -> None:
    """From now on programs of this graph are compiled with these choices, also in other processes."""
    key = program_key(graph)
    with _lock:
        cache.store_json("tuned", key, taken)
        _shared[key] = SharedProgram(graph, key, taken)


def program_key(graph: Graph) -> str:
    return cache.digest("program", graph_text(graph), host().identity, cache.versions(), _compiler_text(),
                        os.environ.get("GRAPHCORE_WINOGRAD", ""))


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

#: A graph of so many nodes has kernels enough for one worker, which starts while this process plans.
NODES_FOR_A_WORKER = 50


class SharedProgram:
    """The code of one graph, with the choices `taken`: one version for each set of symbolic sizes."""

    def __init__(self, graph: Graph, key: str, taken: dict):
        self.key, self.taken = key, taken
        self.symbols = graph.symbols
        self._graph = graph
        self._optimized = None
        self._by_sizes: dict = {}
        if not self.symbols:
            self.code(())

    def code(self, sizes: tuple) -> Code:
        """The code for the values `sizes` of the symbols."""
        with _lock:
            found = self._by_sizes.get(sizes)
            if found is None:
                found = self._by_sizes[sizes] = self._load(sizes) or self._compile(sizes)
            return found

    def _stored_key(self, sizes: tuple) -> str:
        return cache.digest(self.key, repr(sizes), *map(repr, sorted(self.taken.items())))

    def _load(self, sizes: tuple) -> Code | None:
        data = cache.load_json("programs", self._stored_key(sizes))
        stored = data and StoredCode.from_json(data)
        images = stored and cached_objects(stored.object_keys)
        if not stored or images is None:
            return None
        statistics.programs_loaded += 1
        return Code(stored, images)

    def _compile(self, sizes: tuple) -> Code:
        from graphcore.compiler.pipeline import optimize
        from graphcore.compiler.plan import compile_plan
        with Choices(self.taken).applied():
            if self._optimized is None:
                self._optimized = optimize(self._graph)
                statistics.graphs_compiled += 1
            planned = compile_plan(self._optimized, host(), dict(zip(self.symbols, sizes)))
        images = objects(planned.kernels, also=native.unbuilt_modules())
        stored = StoredCode(planned.program, planned.prologue, planned.derived, object_keys(planned.kernels),
                            planned.params, planned.constants)
        data = stored.to_json()
        if data is not None:
            cache.store_json("programs", self._stored_key(sizes), data)
        return Code(stored, images)


class Code:
    """Executables of a graph for one set of sizes; see `compiler.plan.Compiled` for the order of their externals."""

    def __init__(self, stored: StoredCode, images):
        self.executable = _executable(stored.program, images)
        self.prologue = _executable(stored.prologue, images) if stored.prologue else None
        self.params, self.constants, self.derived = stored.params, stored.constants, stored.derived

    @property
    def launches(self) -> int:
        """Kernels launched by one run; those in branches and loops count once."""
        return len(self.executable.program.calls)

    @property
    def prologue_params(self) -> set:
        """Names of the Parameters that the prologue reads."""
        rows = self.prologue.program.rows if self.prologue else ()
        read = {word.index - len(self.derived) for row in rows for word in row if isinstance(word, External)}
        return {self.params[i] for i in read if 0 <= i < len(self.params)}


def _executable(program: NativeProgram, images) -> Executable:
    return Executable(program, {s: images[s] for s in program.symbols})


class Program:
    """A compiled graph bound to Parameters; ``run(arrays)`` gives the outputs as new arrays."""

    def __init__(self, graph: Graph, shared: SharedProgram, parameters: dict, callbacks=()):
        self.shared, self.parameters, self.callbacks = shared, dict(parameters), tuple(callbacks)
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
        """Run on the arrays of the inputs, in order; they have the types that the graph was captured with.

        What a Python function raises that the program calls passes through; all Parameters are then as they were.
        """
        bound = self._static or self._bind(self._sizes(arrays))
        outputs = [np.empty(shape, dtype) for shape, dtype in bound.outputs]
        fixed = bound.with_derived() if bound.derived else bound.fixed
        executable = bound.code.executable
        instance = executable.acquire()
        if executable.pauses:
            instance.run_with_pauses((*arrays, *fixed[0], *outputs, *fixed[1]), self.callbacks)
        else:
            instance.run((*arrays, *fixed[0], *outputs, *fixed[1]))
        executable.release(instance)
        if self._writes:
            epoch.data[0] += 1
        return outputs

    def prepared(self, arrays: list) -> tuple:
        """(executable, externals) of a run on these arrays, for who runs it part by part; derived values are ready."""
        bound = self._static or self._bind(self._sizes(arrays))
        outputs = [np.empty(shape, dtype) for shape, dtype in bound.outputs]
        derived, memory = bound.with_derived() if bound.derived else bound.fixed
        return bound.code.executable, (*arrays, *derived, *outputs, *memory)

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
        self.code = program.shared.code(sizes)
        binding = dict(zip(program.shared.symbols, sizes))
        self.outputs = [(tuple(evaluate(s, binding) for s in o.shape), o.dtype.storage) for o in program.graph.outputs]
        self.derived = tuple(np.empty(size, dtype) for size, dtype in self.code.derived)
        memory = tuple(program.parameters[n].materialized()._array for n in self.code.params) + self.code.constants
        self.fixed = (self.derived, memory)
        self.escaped = any(program.parameters[n]._escaped for n in self.code.prologue_params)
        self.epoch = None               # what `epoch.data` was when the derived values were computed

    def with_derived(self):
        """The fixed arrays, after computing the derived ones again if a Parameter may have changed.

        A Parameter whose memory was handed out by `asnumpy` may change unseen, so it is always taken for changed.
        """
        if self.epoch != epoch.data[0] or self.escaped:
            self.epoch = epoch.data[0]
            self.code.prologue.run((*self.derived, *self.fixed[1]))
        return self.fixed
