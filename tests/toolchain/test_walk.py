"""The walk over a kernel's syntax gives what Numba's front end gives, for every construct that kernels may use."""
from __future__ import annotations

import ctypes

import numpy as np
import pytest

from graphcore import Tensor, nn
from graphcore.compiler.launch import KernelSource
from graphcore.compiler.pipeline import optimize
from graphcore.compiler.plan import compile_plan
from graphcore.compiler.runtime import loader
from graphcore.compiler.toolchain import build, walk
from graphcore.compiler.toolchain.cpu import host
from graphcore.compiler.toolchain.naming import symbol
from graphcore.errors import CompileError
from tests.compiler.test_it_is_a_compiler import batch, lenet, training_step


def kernel(name: str, body: str) -> KernelSource:
    lines = "\n".join("    " + line for line in body.strip().splitlines())
    return KernelSource(name, f"def {name}(args, begin, end, worker):\n{lines}\n")


def results(source: KernelSource, inputs, count: int) -> np.ndarray:
    """What the kernel leaves in ``args[0]``, `count` int64 that begin as -7; args[1:] are the inputs."""
    name = symbol(source)
    address = loader.load({name: build.build_object(source)})[name]
    out = np.full(count, -7, np.int64)
    row = np.array([out.ctypes.data, *(i.ctypes.data if isinstance(i, np.ndarray) else i for i in inputs)], np.int64)
    ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 4)(address)(row.ctypes.data, 2, 11, 3)
    return out


def by_numba(monkeypatch, source: KernelSource, inputs, count: int) -> np.ndarray:
    def refuse(*arguments):
        raise walk.NotUnderstood("this is the comparison")
    with monkeypatch.context() as patch:
        patch.setattr(walk, "lower", refuse)
        return results(KernelSource(source.name + "_numba", source.source.replace(
            f"def {source.name}(", f"def {source.name}_numba(")), inputs, count)


def agree(monkeypatch, body: str, *inputs, count: int = 16) -> np.ndarray:
    """Both front ends on one text; the walk must have understood it."""
    source = kernel("both", body)
    walk.lower(source, "f")
    found = results(source, inputs, count)
    np.testing.assert_array_equal(found, by_numba(monkeypatch, source, inputs, count))
    return found


LEAST = -2 ** 63
DIVIDENDS = np.array([0, 1, -1, 7, -7, 8, -8, 63, -64, LEAST, LEAST + 1, 2 ** 63 - 1], np.int64)


@pytest.mark.parametrize("divisor", ["1", "2", "3", "8", "10", "4096", "load(ptr_i64(args[2]), k)"])
@pytest.mark.parametrize("operator", ["//", "%"])
def test_whole_division_rounds_down(monkeypatch, operator, divisor):
    divisors = np.array([3, -3, 2, -2, 0, -1, 5, 1, -8, -1, 2 ** 63 - 1, LEAST], np.int64)
    found = agree(monkeypatch, f"""
out = ptr_i64(args[0])
for k in range(12):
    store(out, k, load(ptr_i64(args[1]), k) {operator} {divisor})
""", DIVIDENDS, divisors, count=12)
    by = [int(d) if divisor.startswith("load") else int(divisor) for d in divisors]
    for a, b, result in zip(DIVIDENDS.tolist(), by, found.tolist()):
        defined = b != 0 and not (a == LEAST and b == -1)
        assert result == ((a // b if operator == "//" else a % b) if defined else 0), (a, b)


@pytest.mark.parametrize("arguments", [
    "n", "-n", "3, n", "n, 3", "0, n, 2", "n, 0, -2", "n, -5, -3", "1, n, n", "1, n, args[2]", "n, 1, args[3]",
    "n, 1, args[2]", "1, n, args[3]", "0, 7, args[2]", "0, 8, args[2]", "0, 0, args[2]",
])
def test_ranges(monkeypatch, arguments):
    values = {"n": 9, "args": {2: 2, 3: -3}}
    found = agree(monkeypatch, f"""
n = args[1]
at = 0
for i in range({arguments}):
    store(ptr_i64(args[0]), at, i)
    at += 1
store(ptr_i64(args[0]), 15, at)
""", 9, 2, -3)
    want = list(eval(f"range({arguments})", values))
    assert found.tolist()[:len(want)] == want and found[15] == len(want)


@pytest.mark.parametrize("body", [
    # variables over loops and branches, of which some live on and some do not
    """
total = 0
last = -1
for i in range(begin, end):
    if i % 3 == 0:
        total += i
        step = 2
    else:
        total -= 1
        step = total
    for j in range(step):
        if j > i:
            last = j
    total = total + step
store(ptr_i64(args[0]), 0, total)
store(ptr_i64(args[0]), 1, last)
""",
    # a loop's name may be a variable before it, may be written in it, and keeps its last value
    """
i = 100
for i in range(0):
    pass
store(ptr_i64(args[0]), 0, i)
for i in range(5):
    i = i * 2
    store(ptr_i64(args[0]), 1 + i, i)
store(ptr_i64(args[0]), 15, i)
""",
    # two values that change places, from turn to turn
    """
a = 1
b = 2
n = 0
while n < end:
    c = a
    a = b
    b = c + b
    n += 1
store(ptr_i64(args[0]), 0, a)
store(ptr_i64(args[0]), 1, b)
""",
    # what would fail is not evaluated
    """
n = 0
while n < 5 and load(ptr_i64(args[1]), n) >= 0:
    n += 1
store(ptr_i64(args[0]), 0, n)
far = n == 99 and load(ptr_i64(0), 0) == 1
near = n == 3 or load(ptr_i64(0), 0) == 1
store(ptr_i64(args[0]), 1, far)
store(ptr_i64(args[0]), 2, near)
if not far and (near or args[1] == 0) and not args[2]:
    store(ptr_i64(args[0]), 3, 1)
if begin and end:
    store(ptr_i64(args[0]), 4, -begin)
""",
    # chains of comparisons, the later of which are not evaluated in vain
    """
for i in range(-3, 9):
    if 0 <= i - 1 < 6:
        store(ptr_i64(args[0]), i, i)
store(ptr_i64(args[0]), 9, 0 < begin < end <= 11)
store(ptr_i64(args[0]), 10, begin < 0 < load(ptr_i64(0), 0))
""",
    # types: literals, words, floats of both widths, conditions
    """
x = load(ptr_f32(args[3]), 1)
y = x * 2 + 1
z = f32(x) / f32(3)
w = x - f32(0.1)
small = i32(worker) + i32(1)
size = 3 * (4 - 1)
many = alloca_i64(16)
for i in range(size):
    store(many, i, i * size)
store(ptr_i64(args[0]), 0, i64(y * 1e6))
store(ptr_i64(args[0]), 1, bitcast_f64_i64(f64(z)))
store(ptr_i64(args[0]), 2, bitcast_f64_i64(f64(w)))
store(ptr_i64(args[0]), 3, small)
store(ptr_i64(args[0]), 4, load(many, 8) + (-5))
store(ptr_i64(args[0]), 5, select(x > f32(0.25), 10, 20))
store(ptr_i64(args[0]), 6, (begin & 3) + (end | 8) + (end ^ 5) + (end << 2) + (end >> 1))
store(ptr_i64(args[0]), 7, begin <= 2)
store(ptr_i64(args[0]), 8, i64(begin / end * 1000))
flag = x != x
store(ptr_i64(args[0]), 9, flag)
store(ptr_i64(args[0]), 10, i64(exp(x) * f32(1000)) + i64(tanh(f64(x)) * 1e9))
""",
    # pointers as variables
    """
out = ptr_i64(args[0])
inside = ptr_i64(args[1])
for i in range(3):
    store(out, 0, load(inside, 0) * 2)
    out = advance(out, 2)
    if i == 1:
        inside = advance(inside, 3)
    else:
        inside = advance(inside, 1)
""",
])
def test_control_flow_and_types(monkeypatch, body):
    found = agree(monkeypatch, body, np.array([5, 4, 3, -2, 1, 0, 9, 8], np.int64), 0,
                  np.array([0.5, 0.3, 2.5], np.float32))
    assert (found != -7).any()


@pytest.mark.parametrize("body", [
    "store(ptr_i64(args[0]), 0, 1 if begin < end else 2)",
    "a, b = begin, end\nstore(ptr_i64(args[0]), 0, a * b)",
    "for i in range(end):\n    if i == 5:\n        break\n    store(ptr_i64(args[0]), i, i)",
    "x = 1\nif end > 3:\n    x = 2.5\nstore(ptr_i64(args[0]), 0, i64(x * 2))",
    "x = 1\nfor i in range(end):\n    x = x * 0.5\nstore(ptr_i64(args[0]), 0, i64(x * 1e6))",
    "store(ptr_i64(args[0]), 0, floor_divide(end, begin) + floor_mod(end, begin))",
    "if begin == 2:\n    store(ptr_i64(args[0]), 0, 9)\n    return\nstore(ptr_i64(args[0]), 0, 7)",
    "if begin == 2:\n    x = 3\nif begin == 2:\n    store(ptr_i64(args[0]), 0, x)",
])
def test_what_the_walk_does_not_understand_is_for_numba(body):
    source = kernel("strange", body)
    with pytest.raises(walk.NotUnderstood):
        walk.lower(source, "f")
    assert (results(source, (), 16) != -7).any()


@pytest.mark.parametrize("body", [
    "x = unheard_of(args[0])", "load(1, 2)", "x = y", "x = [1, 2", "x = store(begin, 0, 1)"])
def test_both_refuse_what_is_no_kernel(body):
    source = kernel("wrong", body)
    with pytest.raises(walk.NotUnderstood):
        walk.lower(source, "f")
    with pytest.raises(CompileError):
        build.build_object(source)


def recurrent_net():
    class Net(nn.Cell):
        def __init__(self):
            super().__init__()
            self.rnn, self.out = nn.LSTM(6, 5), nn.Dense(5, 10)

        def construct(self, x):
            return self.out(self.rnn(x)[0][-1])
    return Net()


@pytest.mark.parametrize("net, shape", [(lenet, (4, 1, 32, 32)), (recurrent_net, (7, 4, 6))], ids=["lenet", "lstm"])
def test_kernels_of_nets_are_understood(net, shape):
    step = training_step(net())
    data = Tensor(np.ones(shape, np.float32)), batch((4,))[1]
    step(*data)
    plan = compile_plan(optimize(step._compiled.last_program.graph), host(), {})
    assert len(plan.kernels) > 10
    for source in plan.kernels:
        walk.lower(source, symbol(source))
