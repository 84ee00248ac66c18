"""The native executor of this process: built (or taken from the cache), loaded and bound to Python on first use."""
from __future__ import annotations

import atexit
import ctypes
import functools
import os
import sys
import threading
from collections.abc import Callable

import numpy as np

from graphcore.compiler import cache
from graphcore.compiler.runtime import loader
from graphcore.compiler.runtime.executor_ir import executor_text
from graphcore.compiler.runtime.pool_ir import MOST_THREADS, pool_text
from graphcore.compiler.runtime.python_ir import PYTHON_TEXT
from graphcore.compiler.toolchain.compile import Module
from graphcore.compiler.toolchain.cpu import CpuTarget, default_threads, host

#: What an executor's object defines, by part.
EXECUTOR_SYMBOLS = ("gc_run", "gc_set_threads")
POOL_SYMBOLS = ("gc_pool_start", "gc_pool_stop", "gc_pool_forget")
PYTHON_SYMBOLS = ("gc_bind_python", "gc_call", "gc_call_unlocked")

#: Whether this system has the threads that the pool is written for.
HAS_THREADS = os.name == "posix" and sys.platform != "emscripten"

_lock = threading.RLock()
_threads: list[int] = []


def executor_object(cpu: CpuTarget, parallel: bool = True, for_python: bool = False) -> bytes:
    """The relocatable object that defines `EXECUTOR_SYMBOLS`, if `parallel` also `POOL_SYMBOLS`.

    With `for_python` it defines `PYTHON_SYMBOLS` too.  If `parallel` it needs pthread functions and sched_yield of the
    C library, else nothing.
    """
    module = _executor_module(cpu, parallel, for_python)
    image = cache.load_object(module.key)
    if image is None:
        from graphcore.compiler.toolchain.assemble import assemble
        image = assemble(module.text, module.exported, cpu)
        cache.store_object(module.key, image)
    return image


def unbuilt_modules() -> list[Module]:
    """What this process will need of LLVM for its executor, if it has none yet and the cache has not either."""
    if _made_executor.cache_info().currsize:
        return []
    module = _executor_module(host(), HAS_THREADS, _reads_objects())
    return [] if cache.load_object(module.key) else [module]


def _executor_module(cpu: CpuTarget, parallel: bool, for_python: bool) -> Module:
    symbols, text = EXECUTOR_SYMBOLS, executor_text(parallel)
    if parallel:
        architecture = "x86" if cpu.is_x86 else "arm" if cpu.triple.startswith(("aarch64", "arm64")) else ""
        is_apple = "apple" in cpu.triple or "darwin" in cpu.triple
        text += pool_text(architecture, set_signal_mask=3 if is_apple else 2)
        symbols += POOL_SYMBOLS
    if for_python:
        text += PYTHON_TEXT
        symbols += PYTHON_SYMBOLS
    return Module(cache.digest("executor", text, cpu.identity, cache.versions()), text, symbols)


def set_threads(count: int | None = None) -> int:
    """Let programs use up to `count` threads from now on (None: the default); returns the number in force.

    Results do not depend on it.  Raises ValueError for a count below 1.
    """
    count = default_threads() if count is None else int(count)
    if count < 1:
        raise ValueError(f"a program needs at least 1 thread, not {count}")
    count = min(count, MOST_THREADS) if HAS_THREADS else 1
    with _lock:
        executor().set_threads(count)
        _threads[:] = [count]
    return count


def threads() -> int:
    """The number of threads that programs may use."""
    return _threads[0] if _threads else set_threads()


class Executor:
    """The loaded executor.

    reads_objects: whether it finds the data of NumPy arrays by itself; items_offset, data_offset: where it looks, in a
    tuple and in an array.  Otherwise `run_at` is given addresses.
    """

    def __init__(self):
        self.reads_objects = _reads_objects()
        self.items_offset, self.data_offset = _object_offsets() if self.reads_objects else (0, 0)
        symbols = (EXECUTOR_SYMBOLS + POOL_SYMBOLS * HAS_THREADS + PYTHON_SYMBOLS * self.reads_objects)
        image = executor_object(host(), HAS_THREADS, self.reads_objects)
        self._addresses = loader.load(dict.fromkeys(symbols, image))
        self.set_threads = ctypes.CFUNCTYPE(None, ctypes.c_int64)(self._addresses["gc_set_threads"])
        self.run_at = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(self._addresses["gc_run"])
        if self.reads_objects:
            self._bind_python()
        if HAS_THREADS:
            atexit.register(ctypes.CFUNCTYPE(None)(self._addresses["gc_pool_stop"]))
            os.register_at_fork(after_in_child=ctypes.PYFUNCTYPE(None)(self._addresses["gc_pool_forget"]))

    def runner(self, table: np.ndarray, external_count: int, keeps_lock: bool) -> Callable[[tuple], None]:
        """The function that runs the program instance in `table` on a tuple of at least `external_count` arrays.

        With `keeps_lock` no other Python thread runs meanwhile, which is faster for very short programs.
        """
        if not self.reads_objects:
            return functools.partial(_run_with_addresses, self.run_at, table, external_count)
        return _new_builtin(ctypes.addressof(self._methods[keeps_lock]), table, None)

    def _bind_python(self) -> None:
        address_of = ctypes.cast
        functions = [address_of(function, ctypes.c_void_p) for function in (
            ctypes.pythonapi.Py_IncRef, ctypes.pythonapi.PyEval_SaveThread, ctypes.pythonapi.PyEval_RestoreThread)]
        bind = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 4, ctypes.c_int64)(self._addresses["gc_bind_python"])
        bind(id(None), *functions, self.data_offset)
        self._methods = {keeps_lock: _MethodDefinition(b"run", self._addresses[symbol], _ONE_ARGUMENT, None)
                         for keeps_lock, symbol in ((True, "gc_call"), (False, "gc_call_unlocked"))}


@functools.cache
def _made_executor() -> Executor:
    return Executor()


def executor() -> Executor:
    """The executor of this process; its threads start with the first kernel that is worth splitting."""
    with _lock:
        return _made_executor()


class _MethodDefinition(ctypes.Structure):
    """PyMethodDef of the C API."""

    _fields_ = [("name", ctypes.c_char_p), ("function", ctypes.c_void_p), ("flags", ctypes.c_int),
                ("documentation", ctypes.c_char_p)]


_ONE_ARGUMENT = 0x0008      # METH_O
_new_builtin = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p)(
    ("PyCFunction_NewEx", ctypes.pythonapi))


def _object_offsets() -> tuple[int, int]:
    """Bytes from a tuple's address to its items, and from an array's address to its data pointer."""
    return tuple.__basicsize__, object.__basicsize__


def _reads_objects() -> bool:
    """Whether tuples and arrays lie in memory the way that the executor reads them; tried on a sample."""
    if sys.implementation.name != "cpython":
        return False
    arrays = (np.zeros(3), np.zeros((2, 2), np.float32)[1:])
    items, data = _object_offsets()
    words = (ctypes.c_int64 * len(arrays)).from_address(id(arrays) + items)
    return all(words[i] == id(array) and ctypes.c_int64.from_address(id(array) + data).value == array.ctypes.data
               for i, array in enumerate(arrays))


def _run_with_addresses(run_at, table: np.ndarray, count: int, externals: tuple) -> None:
    """Run with addresses that Python looked up: `addresses` stands for the arrays, `places` for the tuple."""
    addresses = np.array([array.ctypes.data for array in externals[:count]], np.int64)
    places = addresses.ctypes.data + 8 * np.arange(count, dtype=np.int64)
    run_at(table.ctypes.data, places.ctypes.data)
