"""The thread pool under schedules that a machine seldom shows: behind every access of its shared state may be a pause.

The pauses are put into the pool's IR, so this runs in a process of its own, which may not hang either.
"""
from __future__ import annotations

import re
import subprocess
import sys

import pytest

from graphcore.compiler.runtime import native
from graphcore.compiler.runtime.pool_ir import pool_text

#: Accesses of what the pool's threads share.
ACCESS = re.compile(r"(load|store|cmpxchg|atomicrmw) .*(@job|@unfinished|@busy|@somebody_sleeps|@is_stopping|%cursor)")

#: One access in eight is followed by up to 4,000 turns of a loop: that is as long as several of the jobs below.
DISTURBANCE = """
@disturbances = internal global i64 0, align 64

define internal void @disturb() nounwind noinline {
entry:
  %turns.left = alloca i64
  %number = atomicrmw add ptr @disturbances, i64 1 monotonic
  %mixed = mul i64 %number, -7046029254386353131
  %chance = lshr i64 %mixed, 61
  %is_quick = icmp ne i64 %chance, 0
  %turns.place = lshr i64 %mixed, 49
  %turns = and i64 %turns.place, 4095
  store i64 %turns, ptr %turns.left
  br i1 %is_quick, label %done, label %turn

turn:
  %left = load volatile i64, ptr %turns.left
  %less = sub i64 %left, 1
  store volatile i64 %less, ptr %turns.left
  %goes_on = icmp sgt i64 %less, 0
  br i1 %goes_on, label %turn, label %done

done:
  ret void
}
"""

JOBS = 40_000


def disturbed_pool_text(architecture: str, set_signal_mask: int) -> str:
    lines = pool_text(architecture, set_signal_mask).splitlines()
    return "\n".join(line + "\n  call void @disturb()" if ACCESS.search(line) else line for line in lines) + DISTURBANCE


def run_short_jobs(threads: int) -> None:
    """Jobs of few and many pieces in turn: each item of each must be done once."""
    import numpy as np

    from graphcore.compiler.launch import KernelSource
    from graphcore.compiler.runtime.executor import Executable
    from graphcore.compiler.runtime.program import External, Instruction, NativeProgram
    from graphcore.compiler.toolchain.compile import objects
    from graphcore.compiler.toolchain.naming import symbol

    native.pool_text = disturbed_pool_text
    native.set_threads(threads)
    count = KernelSource("count", """
def count(args, begin, end, worker):
    for i in range(begin, end):
        store(ptr_i64(args[0]), i, load(ptr_i64(args[0]), i) + i + 1)
""")
    sizes = (3, 64, 2, 1000, 7)
    sums = tuple(np.zeros(size, np.int64) for size in sizes)
    rows = tuple((External(i),) for i in range(len(sizes)))
    launches = tuple(Instruction(symbol(count), row, size, 1) for row, size in enumerate(sizes))
    repeats = JOBS // len(sizes)
    Executable(NativeProgram(rows, launches * repeats), objects([count])).run(sums)
    for size, got in zip(sizes, sums):
        np.testing.assert_array_equal(got, repeats * np.arange(1, size + 1))


def test_there_are_accesses_to_disturb():
    assert disturbed_pool_text("x86", 2).count("call void @disturb()") > 30


@pytest.mark.skipif(not native.HAS_THREADS, reason="no threads here")
@pytest.mark.parametrize("threads", [2, 3, 7])
def test_every_item_of_every_job_is_done_once_whatever_the_schedule(threads):
    command = [sys.executable, "-m", "tests.runtime.test_pool", str(threads)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr


if __name__ == "__main__":
    run_short_jobs(int(sys.argv[1]))
