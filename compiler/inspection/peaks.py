"""What the machine can do at most: multiply-adds in registers, and reading memory, on all cores at once.

The two kernels are LLVM IR, so that no compiler's choice stands between them and the machine: chains of fused
multiply-adds that never leave the registers, and loads of a range of memory from end to end, added up.
"""
from __future__ import annotations

import ctypes
import functools
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np

CHAINS = 12             # independent ones: latency times throughput, and no more than there are registers
LOADS = 8               # of a vector each, in one iteration of the reading loop
SAMPLE_SECONDS = 0.002  # of one sample, roughly: short, because the best one is what nothing else disturbed
SECONDS = 0.6           # of all samples
_LINE = 64              # bytes of a cache line


def _multiply_adds(lanes: int) -> str:
    """``multiply_adds(count, memory)``: `count` times CHAINS multiply-adds of vectors that start in `memory`."""
    vector, chains = f"<{lanes} x float>", range(CHAINS)
    return "\n".join([
        f"declare {vector} @llvm.fmuladd.v{lanes}f32({vector}, {vector}, {vector})",
        "define void @multiply_adds(i64 %count, ptr %memory) {", "entry:",
        f"  %factor = load {vector}, ptr %memory, align 4",
        *(f"  %at{i} = getelementptr {vector}, ptr %memory, i64 {i}\n"
          f"  %start{i} = load {vector}, ptr %at{i}, align 4" for i in chains),
        "  br label %loop", "loop:",
        "  %done = phi i64 [0, %entry], [%more, %loop]",
        *(f"  %old{i} = phi {vector} [%start{i}, %entry], [%new{i}, %loop]" for i in chains),
        *(f"  %new{i} = call {vector} @llvm.fmuladd.v{lanes}f32({vector} %factor, {vector} %old{i}, {vector} %factor)"
          for i in chains),
        "  %more = add i64 %done, 1",
        "  %goes_on = icmp ult i64 %more, %count",
        "  br i1 %goes_on, label %loop, label %end", "end:",
        *(f"  store {vector} %new{i}, ptr %at{i}, align 4" for i in chains),
        "  ret void", "}"])


def _reads(lanes: int) -> str:
    """``reads(times, count, memory)``: `times` over, `count` times LOADS vectors; their sums go back to the start."""
    vector, loads = f"<{lanes} x float>", range(LOADS)
    return "\n".join([
        "define void @reads(i64 %times, i64 %count, ptr %memory) {", "entry:", "  br label %pass", "pass:",
        "  %passes = phi i64 [0, %entry], [%more_passes, %end_of_pass]",
        *(f"  %sum{i} = phi {vector} [zeroinitializer, %entry], [%new{i}, %end_of_pass]" for i in loads),
        "  br label %loop", "loop:",
        "  %done = phi i64 [0, %pass], [%more, %loop]",
        *(f"  %old{i} = phi {vector} [%sum{i}, %pass], [%new{i}, %loop]" for i in loads),
        f"  %first = mul i64 %done, {LOADS}",
        *(f"  %index{i} = add i64 %first, {i}\n"
          f"  %at{i} = getelementptr {vector}, ptr %memory, i64 %index{i}\n"
          f"  %read{i} = load {vector}, ptr %at{i}, align 4\n"
          f"  %new{i} = fadd {vector} %old{i}, %read{i}" for i in loads),
        "  %more = add i64 %done, 1",
        "  %goes_on = icmp ult i64 %more, %count",
        "  br i1 %goes_on, label %loop, label %end_of_pass", "end_of_pass:",
        "  %more_passes = add i64 %passes, 1",
        "  %again = icmp ult i64 %more_passes, %times",
        "  br i1 %again, label %pass, label %end", "end:",
        *(f"  %to{i} = getelementptr {vector}, ptr %memory, i64 {i}\n"
          f"  store {vector} %new{i}, ptr %to{i}, align 4" for i in loads),
        "  ret void", "}"])


class Kernels:
    """The compiled kernels, whose calls let go of Python's lock.  lanes: the floats of the widest vectors."""

    def __init__(self):
        import llvmlite.binding as llvm
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        features = llvm.get_host_cpu_features()
        self.lanes = next((lanes for name, lanes in (("avx512f", 16), ("avx", 8)) if features.get(name)), 4)
        target = llvm.Target.from_default_triple().create_target_machine(
            cpu=llvm.get_host_cpu_name(), features=features.flatten(), opt=2)
        module = llvm.parse_assembly(_multiply_adds(self.lanes) + "\n" + _reads(self.lanes))
        self._engine = llvm.create_mcjit_compiler(module, target)       # owns the code
        self._engine.finalize_object()
        count, address = ctypes.c_int64, ctypes.c_void_p
        self.multiply_adds = self._function("multiply_adds", count, address)
        self.reads = self._function("reads", count, count, address)

    def _function(self, name: str, *types):
        return ctypes.CFUNCTYPE(None, *types)(self._engine.get_function_address(name))


_kernels = functools.cache(Kernels)


def aligned_zeros(size: int) -> np.ndarray:
    """float32 memory of at least `size` bytes, from the start of a cache line on."""
    memory = np.zeros(size + _LINE, np.uint8)
    start = -memory.ctypes.data % _LINE
    memory[:] = 0       # touched: untouched pages are all one page of zeros
    return memory[start:start + size // 4 * 4].view(np.float32)


def _best_rate(call, arrays: list[np.ndarray], work: int) -> float:
    """Units of work per second, of the best sample, with a thread for each array.

    call: takes an array and how many times `work` units are to be done on it.
    """
    clock, times, seconds = time.perf_counter, 1, 0.0
    while seconds < SAMPLE_SECONDS:
        times *= 2
        started = clock()
        call(arrays[0], times)
        seconds = clock() - started

    meeting = Barrier(len(arrays))      # also keeps one thread from doing the work of two

    def timed(array) -> tuple[float, float]:
        meeting.wait()
        started = clock()
        call(array, times)
        return started, clock()
    best, deadline = float("inf"), clock() + SECONDS
    with ThreadPoolExecutor(len(arrays)) as threads:
        while clock() < deadline:
            starts, ends = zip(*threads.map(timed, arrays))
            best = min(best, max(ends) - min(starts))
    return len(arrays) * times * work / best


@functools.cache
def flop_rate(threads: int) -> float:
    """Float32 operations per second; a multiply-add is two."""
    kernels = _kernels()
    arrays = [aligned_zeros(4 * kernels.lanes * CHAINS) for _ in range(threads)]

    def call(array, times):
        kernels.multiply_adds(times, array.ctypes.data)
    return _best_rate(call, arrays, 2 * CHAINS * kernels.lanes)


@functools.cache
def read_rate(size: int, threads: int) -> float:
    """Bytes per second out of `size` bytes, read over and over: from the cache that holds them, or from memory."""
    kernels = _kernels()
    at_once = 4 * kernels.lanes * LOADS
    count = max(1, size // threads // at_once)
    arrays = [aligned_zeros(count * at_once) for _ in range(threads)]

    def call(array, times):
        kernels.reads(times, count, array.ctypes.data)
    return _best_rate(call, arrays, count * at_once)


def limit(flops: int, size: int, threads: int) -> float:
    """The seconds below which neither so many operations nor so many bytes can be had."""
    return max(flops / flop_rate(threads), size / read_rate(size, threads))
