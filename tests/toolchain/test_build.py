"""What kernels compile to: loads and stores of every dtype, vector code, and errors that name the kernel."""
from __future__ import annotations

import ctypes
import re

import numpy as np
import pytest

from graphcore import dtype as dt
from graphcore.compiler.launch import KernelSource
from graphcore.compiler.runtime import loader
from graphcore.compiler.toolchain.build import build_object, explain_object
from graphcore.compiler.toolchain.cpu import host, x86_level
from graphcore.compiler.toolchain.elf import undefined_symbols
from graphcore.compiler.toolchain.naming import symbol
from graphcore.compiler.toolchain.symbols import ALLOWED
from graphcore.errors import CompileError

ON_X86 = host().is_x86


def kernel(name: str, body: str) -> KernelSource:
    lines = "\n".join("    " + line for line in body.strip().splitlines())
    return KernelSource(name, f"def {name}(args, begin, end, worker):\n{lines}\n")


def run(source: KernelSource, *words, items: int, cpu=None) -> None:
    """Run a kernel over `items` items with arrays and numbers as words."""
    name = symbol(source)
    image = build_object(source, cpu)
    if cpu is not None:     # this variant must not take the place of the host's
        name = symbol(source)
    address = loader.load({name: image})[name]
    row = np.array([word.ctypes.data if isinstance(word, np.ndarray) else word for word in words], np.int64)
    ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 4)(address)(row.ctypes.data, 0, items, 0)


def copy_kernel(source_code: str, target_code: str, note: str = "") -> KernelSource:
    return kernel(f"copy_{source_code}_{target_code}{note}", f"""
x = ptr_{source_code}(args[0])
y = ptr_{target_code}(args[1])
for i in range(begin, end):
    store(y, i, load(x, i))
""")


HALF_SAMPLES = np.concatenate([
    np.array([0, -0.0, 1, -1, 65504, 65519.99, 65520, 1e6, np.inf, -np.inf, np.nan, 6.1e-5, 5.96e-8, 2.98e-8, 2.99e-8,
              1e-10, 2049, 2051, 1 + 2 ** -11, 1 + 3 * 2 ** -11, 3.4e38], np.float32),
    np.random.default_rng(0).normal(0, 1, 100).astype(np.float32),
    np.random.default_rng(1).normal(0, 1e-6, 100).astype(np.float32),
])


@pytest.mark.parametrize("dtype", dt.ALL, ids=lambda d: d.code)
def test_copy_keeps_every_value(dtype):
    values = np.random.default_rng(0).integers(0, 2 if dtype.is_bool else 256, 77 * dtype.itemsize, np.uint8)
    x = values.view(dtype.storage)
    if dtype.is_float:          # random bytes hold NaNs, whose bits may change
        x = np.linspace(-3, 3, 77).astype(dtype.storage if dtype is not dt.bfloat16 else np.float32)
        x = dt.float32_to_bfloat16(x) if dtype is dt.bfloat16 else x
    y = np.zeros_like(x)
    run(copy_kernel(dtype.code, dtype.code), x, y, items=x.size)
    np.testing.assert_array_equal(x, y)


def test_float16_rounds_to_nearest_even_and_keeps_nan():
    y = np.zeros(HALF_SAMPLES.size, np.float16)
    run(copy_kernel("f32", "f16"), HALF_SAMPLES, y, items=y.size)
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(y, HALF_SAMPLES.astype(np.float16))
    every = np.arange(65536, dtype=np.uint16).view(np.float16)
    widened = np.zeros(every.size, np.float32)
    run(copy_kernel("f16", "f32"), every, widened, items=every.size)
    np.testing.assert_array_equal(widened, every.astype(np.float32))


@pytest.mark.skipif(not ON_X86, reason="other CPUs have the instructions")
def test_float16_without_instructions_for_it():
    old = x86_level("x86-64-v2")
    every = np.arange(65536, dtype=np.uint16).view(np.float16)
    widened, back = np.zeros(every.size, np.float32), np.zeros(every.size, np.float16)
    run(copy_kernel("f16", "f32", "_old"), every, widened, items=every.size, cpu=old)
    np.testing.assert_array_equal(widened, every.astype(np.float32))
    run(copy_kernel("f32", "f16", "_old"), widened, back, items=every.size, cpu=old)
    np.testing.assert_array_equal(back, every)
    y = np.zeros(HALF_SAMPLES.size, np.float16)
    run(copy_kernel("f32", "f16", "_old"), HALF_SAMPLES, y, items=y.size)
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(y, HALF_SAMPLES.astype(np.float16))


def test_bfloat16_rounds_like_the_reference():
    y = np.zeros(HALF_SAMPLES.size, np.uint16)
    run(copy_kernel("f32", "bf16"), HALF_SAMPLES, y, items=y.size)
    np.testing.assert_array_equal(y, dt.float32_to_bfloat16(HALF_SAMPLES))


def test_store_converts_to_the_element_type():
    x = np.array([0, 0.25, -2.75, 7.5], np.float32)
    truth, whole = np.zeros(4, np.bool_), np.zeros(4, np.int8)
    run(copy_kernel("f32", "bool"), x, truth, items=4)
    run(copy_kernel("f32", "i8"), x, whole, items=4)
    assert truth.tolist() == [False, True, True, True]
    assert whole.tolist() == [0, 0, -2, 7]


def test_maximum_and_minimum_keep_nan():
    x = np.array([1, np.nan, 3, -np.inf], np.float32)
    y = np.array([2, 1, np.nan, 0], np.float32)
    high, low = np.zeros(4, np.float32), np.zeros(4, np.float32)
    run(kernel("extrema", """
for i in range(begin, end):
    store(ptr_f32(args[2]), i, maximum(load(ptr_f32(args[0]), i), load(ptr_f32(args[1]), i)))
    store(ptr_f32(args[3]), i, minimum(load(ptr_f32(args[0]), i), load(ptr_f32(args[1]), i)))
"""), x, y, high, low, items=4)
    np.testing.assert_array_equal(high, np.maximum(x, y))
    np.testing.assert_array_equal(low, np.minimum(x, y))


def test_a_nan_anywhere_reaches_a_maximum_over_many():
    for place in range(0, 100, 9):
        x, y = np.arange(100, dtype=np.float32), np.zeros(1, np.float32)
        x[place] = np.nan
        run(kernel("greatest", """
best = load(ptr_f32(args[0]), begin)
for i in range(end - begin):
    best = maximum(best, load(ptr_f32(args[0]), begin + i))
store(ptr_f32(args[1]), 0, best)
"""), x, y, items=100)
        assert np.isnan(y[0])


def test_unsigned_arithmetic_wraps_and_bits_are_kept():
    a, b = np.array([0xFFFFFFFF, 0xD2511F53], np.uint32), np.array([0xFFFFFFFF, 0x9E3779B9], np.uint32)
    high, low, total = (np.zeros(2, np.uint32) for _ in range(3))
    run(kernel("wrap", """
for i in range(begin, end):
    a = load(ptr_u32(args[0]), i)
    b = load(ptr_u32(args[1]), i)
    store(ptr_u32(args[2]), i, mulhi_u32(a, b))
    store(ptr_u32(args[3]), i, mullo_u32(a, b))
    store(ptr_u32(args[4]), i, bitcast_f32_i32(bitcast_i32_f32(i32(add_u32(a, b)))))
"""), a, b, high, low, total, items=2)
    product = a.astype(np.uint64) * b.astype(np.uint64)
    np.testing.assert_array_equal(high, product >> np.uint64(32))
    np.testing.assert_array_equal(low, product & np.uint64(0xFFFFFFFF))
    np.testing.assert_array_equal(total, a + b)


def test_a_kernel_calls_another_with_a_row_of_its_own():
    inner = kernel("inner", "store(ptr_i64(args[0]), 0, begin * 100 + end * 10 + worker)")
    outer = kernel("outer", "call_kernel(args[0], args[1], 3, 5, 7)")
    result = np.zeros(1, np.int64)
    row = np.array([result.ctypes.data])
    address = loader.load({symbol(inner): build_object(inner)})[symbol(inner)]
    run(outer, address, row, items=1)
    assert result[0] == 357


def test_small_arrays_live_on_the_stack():
    y = np.zeros(8, np.float32)
    run(kernel("reverse", """
local = alloca_f32(8)
for i in range(8):
    store(local, i, f32(i))
for i in range(8):
    store(ptr_f32(args[0]), i, load(local, 7 - i))
"""), y, items=8)
    assert y.tolist() == [7, 6, 5, 4, 3, 2, 1, 0]


@pytest.mark.skipif(not ON_X86, reason="looks for x86 instructions")
@pytest.mark.parametrize("name, body, instruction", [
    ("sum_f32", "total = f32(0)\nfor i in range(end):\n    total = accumulate(total, load(ptr_f32(args[0]), i))\n"
                "store(ptr_f32(args[1]), 0, total)", "vaddps"),
    ("sum_i32", "total = i32(0)\nfor i in range(end):\n    total = accumulate(total, load(ptr_i32(args[0]), i))\n"
                "store(ptr_i32(args[1]), 0, total)", "vpaddd"),
    ("greatest_f32", "best = load(ptr_f32(args[0]), 0)\nfor i in range(end):\n"
                     "    best = maximum(best, load(ptr_f32(args[0]), i))\nstore(ptr_f32(args[1]), 0, best)", "vmaxps"),
    ("round_bf16", "for i in range(end):\n    store(ptr_bf16(args[1]), i, load(ptr_f32(args[0]), i))", "vpsrld"),
    ("round_f16", "for i in range(end):\n    store(ptr_f16(args[1]), i, load(ptr_f32(args[0]), i))", "vcvtps2ph"),
])
def test_loops_become_vector_instructions(name, body, instruction):
    _, assembly = explain_object(kernel(name, body), x86_level("x86-64-v3"))
    assert re.search(rf"{instruction}\s.*%ymm", assembly)


def test_restrict_saves_overlap_checks():
    pointers = "x = advance({}, begin)\ny = advance({}, begin)\n"
    loop = "for i in range(end - begin):\n    store(y, i, load(x, i) + f32(1))"
    plain = pointers.format("ptr_f32(args[0])", "ptr_f32(args[1])")
    scoped = pointers.format("restrict(ptr_f32(args[0]), 0)", "restrict(ptr_f32(args[1]), 1)")
    checked, _ = explain_object(kernel("checked", plain + loop))
    promised, _ = explain_object(kernel("promised", scoped + loop))
    assert "llvm.loop.isvectorized" in checked and "llvm.loop.isvectorized" in promised
    assert len(promised.split("alias.scope")) > 2
    assert promised.count(" icmp ") < checked.count(" icmp ")


@pytest.mark.parametrize("level", ["x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4"])
@pytest.mark.skipif(not ON_X86, reason="needs the x86 code generator")
def test_objects_need_nothing_but_the_mathematics_library(level):
    image = build_object(kernel("needs", """
store(ptr_f16(args[0]), 0, libm_erf(load(ptr_f16(args[0]), 0)) + floor(load(ptr_f32(args[1]), 0)))
store(ptr_bf16(args[0]), 1, libm_pow(load(ptr_f64(args[0]), 0), 2.5) // 3 + begin // end + begin % worker)
"""), x86_level(level))
    assert set(undefined_symbols(image)) <= ALLOWED
    assert "erff" in undefined_symbols(image)


@pytest.mark.parametrize("body, told", [
    ("x = unheard_of(args[0])", "unheard_of"),
    ("store(ptr_f32(args[0]), 0, load(1, 2))", "load"),
    ("restrict(ptr_f32(args[0]), 99)", "restrict"),
    ("x = [1, 2", "not Python"),
    ("alloca_f32(begin)", "alloca_f32"),
])
def test_a_text_that_is_no_kernel_is_shown_with_line_numbers(body, told):
    with pytest.raises(CompileError) as caught:
        build_object(kernel("wrong", body))
    message = str(caught.value)
    assert "kernel wrong" in message and told in message and "   2 | " in message
    assert caught.value.__suppress_context__


def test_symbols_follow_the_text():
    one, two = kernel("f", "pass"), kernel("f", "return")
    assert symbol(one) == symbol(kernel("f", "pass")) != symbol(two)
    assert re.fullmatch(r"gc_f_[0-9a-f]{24}", symbol(one))
