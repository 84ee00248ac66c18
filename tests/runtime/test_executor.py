"""Running native programs: rows and patches, threads, forks, groups, and a warm start without Numba."""
from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from graphcore.compiler import launch as parts
from graphcore.compiler.instructions import native_program
from graphcore.compiler.launch import KernelSource
from graphcore.compiler.memory import MemoryPlan
from graphcore.compiler.runtime import native
from graphcore.compiler.runtime.executor import Executable, aligned_bytes
from graphcore.compiler.runtime.group import GROUP, group_words
from graphcore.compiler.runtime.program import (
    Arena,
    External,
    Instruction,
    Kernel,
    NativeProgram,
    RowAddress,
    Scratch,
)
from graphcore.compiler.toolchain.compile import objects
from graphcore.compiler.toolchain.naming import symbol
from graphcore.errors import CompileError, FormatError

ADD_SCALED = KernelSource("add_scaled", """
def add_scaled(args, begin, end, worker):
    x = advance(ptr_f32(args[0]), begin)
    y = advance(ptr_f32(args[1]), begin)
    for i in range(end - begin):
        store(y, i, load(x, i) * f32(args[2]) + load(y, i))
""")
COUNT = KernelSource("count", """
def count(args, begin, end, worker):
    mine = ptr_i64(args[0] + worker * 64)
    store(mine, 0, load(mine, 0) + (end - begin))
    for i in range(begin, end):
        store(ptr_i64(args[1]), i, load(ptr_i64(args[1]), i) + i)
""")
KERNELS = (ADD_SCALED, COUNT, GROUP)


@pytest.fixture(scope="module")
def images(session_cache):
    os.environ["GRAPHCORE_CACHE_DIR"] = str(session_cache)
    return objects(KERNELS)


@pytest.fixture(autouse=True)
def default_threads():
    yield
    native.set_threads()


def call(source: KernelSource, row: int, items: int, grain: int = 1) -> Instruction:
    return Instruction(symbol(source), row, items, grain)


def chain(items: int, grain: int, steps: int = 20) -> NativeProgram:
    """y += 2x through the arena, `steps` times."""
    rows = ((External(0), Arena(0), 2), (Arena(0), External(1), 1))
    launches = (call(ADD_SCALED, 0, items, grain), call(ADD_SCALED, 1, items, grain)) * steps
    return NativeProgram(rows, launches, arena_bytes=items * 4)


def run_chain(images, items: int, grain: int) -> np.ndarray:
    executable = Executable(chain(items, grain), images)
    instance = executable.acquire()
    instance.arena[:] = 0
    x, y = np.linspace(-1, 1, items, dtype=np.float32), np.zeros(items, np.float32)
    instance.run((x, y))
    executable.release(instance)
    return y


def test_the_thread_count_changes_no_bit(images):
    expected = None
    for threads in (1, 2, 4, 7):
        assert native.set_threads(threads) == threads
        for grain in (1, 1000, 10 ** 9):
            y = run_chain(images, 10_007, grain)
            expected = y if expected is None else expected
            np.testing.assert_array_equal(y, expected)
    x = np.linspace(-1, 1, 10_007, dtype=np.float32)
    np.testing.assert_allclose(expected, x * sum(2 * (k + 1) for k in range(20)), rtol=1e-5)


def test_every_item_is_done_once_whatever_the_split(images):
    native.set_threads(4)
    for items in (1, 2, 3, 4, 5, 15, 16, 17, 100, 1001):
        for grain in (1, 2, 7, items):
            done, seen = np.zeros((4, 8), np.int64), np.zeros(items, np.int64)
            program = NativeProgram(((External(0), External(1)),), (call(COUNT, 0, items, grain),) * 3)
            Executable(program, images).run((done, seen))
            assert done[:, 0].sum() == 3 * items
            np.testing.assert_array_equal(seen, 3 * np.arange(items))


def test_no_items_is_no_call(images):
    seen = np.ones(1, np.int64)
    program = NativeProgram(((External(0), External(0)),), (call(COUNT, 0, 0),))
    Executable(program, images).run((seen,))
    assert seen[0] == 1


def test_external_offsets_and_rows_of_rows(images):
    x, y = np.arange(8, dtype=np.float32), np.zeros(8, np.float32)
    rows = ((Kernel(symbol(ADD_SCALED)), 2, 0, 3, 5, RowAddress(1), RowAddress(2)),
            (External(0), External(1, 4 * 4), 1),
            (External(0, 3 * 4), External(1), 10))
    Executable(NativeProgram(rows, (call(GROUP, 0, 5),)), images).run((x, y))
    assert y.tolist() == [30, 40, 0, 0, 0, 1, 2, 0]


def test_no_two_workers_share_scratch_memory_in_the_rows_of_a_group():
    """Two workers may be at different rows of one instruction: with sizes of their own, no memory may be both's."""
    kernel = KernelSource("any", "def any(args, begin, end, worker):\n    pass\n")
    rows = [(parts.Scratch(size),) for size in (64, 192, 100, 64)]
    launch = parts.Launch(GROUP, group_words(kernel, rows, [1] * len(rows)), len(rows), 1)
    program = native_program((launch,), {}, MemoryPlan({}, {}, {}, 0), lambda size: size)
    for threads in (1, 2, 3, 8):
        words = [word for row in program.rows for word in row if isinstance(word, Scratch)]
        pieces = sorted((w.offset * threads + i * w.bytes, w.bytes) for w in words for i in range(threads))
        assert len(pieces) == len(rows) * threads
        assert all(at + size <= after for (at, size), (after, _) in zip(pieces, pieces[1:]))
        assert sum(pieces[-1]) == program.scratch_bytes(threads)


def test_scratch_gives_each_worker_its_own_memory(images):
    native.set_threads(3)
    seen = np.zeros(1000, np.int64)
    program = NativeProgram(((Scratch(64, 64), External(0)),), (call(COUNT, 0, 1000),), arena_bytes=100)
    executable = Executable(program, images)
    instance = executable.acquire()
    assert instance.arena.size == 128 + 3 * (64 + 64) and instance.arena.ctypes.data % 64 == 0
    instance.arena[:] = 0
    instance.run((seen,))
    counts = instance.arena[128 + 3 * 64:].view(np.int64).reshape(3, 8)[:, 0]
    assert counts.sum() == 1000
    assert not instance.arena[:128 + 3 * 64].any()


def test_groups_number_the_items_of_all_rows(images):
    native.set_threads(4)
    sizes = [1, 0, 700, 3, 64, 1000]
    arrays = [np.ones(size, np.float32) for size in sizes]
    targets = [np.zeros(size, np.float32) for size in sizes]
    words = group_words(ADD_SCALED, [(External(2 * i), External(2 * i + 1), i + 1) for i in range(len(sizes))], sizes)
    header = [Kernel(symbol(ADD_SCALED)), *words[1:2 + len(sizes) + 1]]
    rows = [(*header, *(RowAddress(i + 1) for i in range(len(sizes)))), *(row.words for row in words[-len(sizes):])]
    program = NativeProgram(tuple(rows), (call(GROUP, 0, sum(sizes), 100),))
    externals = tuple(array for pair in zip(arrays, targets) for array in pair)
    Executable(program, images).run(externals)
    for number, target in enumerate(targets, 1):
        assert (target == number).all()
    with pytest.raises(ValueError, match="group"):
        group_words(ADD_SCALED, [], [])


def test_python_threads_may_run_at_once(images):
    native.set_threads(2)
    executable = Executable(chain(5000, 500), images)
    expected = run_chain(images, 5000, 500)
    results, failures = [], []

    def work():
        try:
            for _ in range(30):
                instance = executable.acquire()
                instance.arena[:] = 0
                x, y = np.linspace(-1, 1, 5000, dtype=np.float32), np.zeros(5000, np.float32)
                instance.run((x, y))
                executable.release(instance)
                results.append(np.array_equal(y, expected))
        except Exception as error:      # shown by the assertion below
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures and results == [True] * 120


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded")
def test_a_forked_child_has_threads_of_its_own(images):
    native.set_threads(2)
    expected = run_chain(images, 5000, 500)     # the pool is running now
    child = os.fork()
    if child == 0:
        os._exit(0 if np.array_equal(run_chain(images, 5000, 500), expected) else 1)
    assert os.waitpid(child, 0)[1] == 0
    np.testing.assert_array_equal(run_chain(images, 5000, 500), expected)


def test_runs_where_python_objects_cannot_be_read(images, monkeypatch):
    for name, value in (("reads_objects", False), ("items_offset", 0), ("data_offset", 0)):
        monkeypatch.setattr(native.executor(), name, value)
    x, y = np.arange(8, dtype=np.float32), np.zeros(8, np.float32)
    program = NativeProgram(((External(1, 16), External(0), 3),), (call(ADD_SCALED, 0, 4),))
    Executable(program, images).run((y, x))
    np.testing.assert_array_equal(y[:4], 3 * x[4:])


def test_programs_are_json(images):
    rows = ((External(0), Arena(64), 2), (Kernel("k"), RowAddress(0), Scratch(0, 128), -5))
    program = NativeProgram(rows, (call(ADD_SCALED, 0, 10, 3),), 256)
    assert NativeProgram.from_json(json.loads(json.dumps(program.to_json()))) == program
    for bad in ({}, {"rows": [[["what", 1]]], "instructions": [], "arena_bytes": 0},
                {"rows": [], "instructions": [["k", 0, 1, 1]], "arena_bytes": 0},
                {"rows": [[["arena", 9]]], "instructions": [], "arena_bytes": 8}):
        with pytest.raises(FormatError):
            NativeProgram.from_json(bad)


def test_a_missing_kernel_is_named():
    with pytest.raises(CompileError, match="gc_nowhere"):
        Executable(NativeProgram((((1,)),), (Instruction("gc_nowhere", 0, 1, 1),)), {})


def test_thread_counts():
    with pytest.raises(ValueError, match="at least 1"):
        native.set_threads(0)
    assert native.set_threads(3) == native.threads() == 3


def test_memory_is_aligned():
    for count in (1, 64, 1000):
        memory = aligned_bytes(count)
        assert memory.size == count and memory.ctypes.data % 64 == 0


def test_a_second_process_needs_no_numba(images, session_cache, tmp_path):
    program = chain(100, 10)
    from graphcore.compiler import cache
    from graphcore.compiler.toolchain.compile import object_keys
    cache.store_json("programs", "chain", {"program": program.to_json(), "objects": object_keys([ADD_SCALED])})
    native.executor()
    script = """
import sys
import numpy as np
from graphcore.compiler import cache
from graphcore.compiler.runtime.executor import Executable
from graphcore.compiler.runtime.program import NativeProgram
from graphcore.compiler.toolchain.compile import cached_objects
stored = cache.load_json("programs", "chain")
executable = Executable(NativeProgram.from_json(stored["program"]), cached_objects(stored["objects"]))
instance = executable.acquire()
instance.arena[:] = 0
x, y = np.ones(100, np.float32), np.zeros(100, np.float32)
instance.run((x, y))
assert (y == 420).all(), y
assert not [name for name in sys.modules if name.split(".")[0] in ("numba", "scipy")]
"""
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path), GRAPHCORE_CACHE_DIR=str(session_cache))
    subprocess.run([sys.executable, "-c", script], env=environment, check=True, timeout=60, cwd=tmp_path)


def test_the_process_ends_while_threads_are_awake(images, session_cache, tmp_path):
    script = """
import numpy as np
from graphcore.compiler.launch import KernelSource
from graphcore.compiler.runtime import native
from graphcore.compiler.runtime.executor import Executable
from graphcore.compiler.runtime.program import *
from graphcore.compiler.toolchain.compile import cached_objects
import json, sys
keys = json.loads(sys.argv[1])
native.set_threads(4)
[name] = keys
program = NativeProgram(((External(0), External(1), 1),), (Instruction(name, 0, 10_000, 1),) * 50)
Executable(program, cached_objects(keys)).run((np.ones(10_000, np.float32), np.zeros(10_000, np.float32)))
"""
    from graphcore.compiler.toolchain.compile import object_keys
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path), GRAPHCORE_CACHE_DIR=str(session_cache))
    command = [sys.executable, "-c", script, json.dumps(object_keys([ADD_SCALED]))]
    for _ in range(3):
        subprocess.run(command, env=environment, check=True, timeout=60, cwd=tmp_path)
