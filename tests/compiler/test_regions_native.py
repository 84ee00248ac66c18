"""Branches, loops and calls of Python functions in native programs, against the evaluation of their graphs."""
import json
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from graphcore import Parameter, Tensor
from graphcore.compiler.passes import algebra
from graphcore.compiler.pipeline import everywhere
from graphcore.compiler.plan import compile_plan
from graphcore.compiler.program import compile_graph
from graphcore.compiler.runtime.executor import Executable
from graphcore.compiler.runtime.program import NativeProgram
from graphcore.compiler.schedule.windows import insert_copies
from graphcore.compiler.toolchain.compile import objects
from graphcore.compiler.toolchain.cpu import host
from graphcore.dtype import bool_, float32, int64
from graphcore.ir import graph as ir
from graphcore.ir.dims import Dim
from graphcore.ir.graph import Graph, close
from graphcore.ir.types import TensorType
from graphcore.ops import linear, pointwise, reduction, regions, view
from graphcore.ops.evaluate import interpret
from tests.compiler.random_regions import COUNT, FLAG, SCALAR, RegionMaker, item, number

FOUR = TensorType(float32, (4,))
A, B, LIMIT = (ir.input_(name, SCALAR) for name in ("a", "b", "limit"))
X, Y, FLAG_LEAF = ir.input_("x", FOUR), ir.input_("y", FOUR), ir.input_("flag", FLAG)
INDEX = ir.input_("i", COUNT)


def expected(graph, arrays, callbacks=(), parameters=None):
    leaves = dict(zip(graph.inputs, arrays))
    leaves |= {leaf: parameters[name].asnumpy() for name, leaf in graph.params.items()} if parameters else {}
    values = interpret(graph, leaves, callbacks)
    return [values[o] for o in graph.outputs]


def run_raw(graph, arrays, callbacks=()):
    """Run a graph without the pipeline's passes on regions, which may do away with them; it has no Parameters."""
    graph = everywhere(lambda g, log: insert_copies(algebra.RULES.apply(g, log)))(graph, [])
    planned = compile_plan(graph, host(), {})
    constants = planned.constants
    derived = tuple(np.empty(size, dtype) for size, dtype in planned.derived)
    outputs = tuple(np.empty(o.shape, o.dtype.storage) for o in graph.outputs)
    images = objects(planned.kernels)
    if planned.prologue:
        Executable(planned.prologue, {s: images[s] for s in planned.prologue.symbols}).run((*derived, *constants))
    program = NativeProgram.from_json(json.loads(json.dumps(planned.program.to_json())))
    assert program == planned.program
    instance = Executable(program, {s: images[s] for s in program.symbols}).acquire()
    for _ in range(2):                      # the second run finds the memory as the first left it
        for output in outputs:
            output.fill(7)
        instance.run_with_pauses((*arrays, *derived, *outputs, *constants), callbacks)
    return outputs


def check(graph, arrays, callbacks=()):
    arrays = [np.asarray(a) for a in arrays]
    wanted = expected(graph, arrays, callbacks)
    for found in (run_raw(graph, arrays, callbacks), compile_graph(graph, {}, callbacks).run(arrays)):
        for a, b in zip(found, wanted):
            np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6)
    return wanted


def fibonacci(kept=()):
    """while a < limit: a, b = b, a + b"""
    inputs = (A, B, LIMIT)
    return regions.while_(A, B, LIMIT, carried=2, condition=close("c", inputs, (pointwise.lt(A, LIMIT),)),
                          body=close("b", inputs, (B, pointwise.add(A, B), *kept)))


def test_branches_give_operands_and_computed_values():
    region = regions.if_(FLAG_LEAF, X, Y, then=close("t", (X, Y), (pointwise.add(X, Y), X, Y)),
                         orelse=close("e", (X, Y), (pointwise.mul(X, Y), Y, Y)))
    graph = Graph("g", (FLAG_LEAF, X, Y), (item(region, 0), pointwise.add(item(region, 1), X), item(region, 2)))
    for flag in (True, False):
        check(graph, [flag, np.arange(4, dtype=np.float32), np.ones(4, np.float32)])


@pytest.mark.parametrize("limit", [0, 1, 2, 100])
def test_a_while_swaps_its_carried_values_and_counts(limit):
    region = fibonacci()
    graph = Graph("g", (A, B, LIMIT), tuple(item(region, i) for i in range(3)))
    check(graph, [np.float32(0), np.float32(1), np.float32(limit)])


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("length", [0, 1, 5])
def test_a_loop_takes_and_makes_stacks(length, reverse):
    rows = ir.input_("rows", TensorType(float32, (length, 4)))
    row = ir.input_("row", FOUR)
    new = pointwise.tanh(pointwise.add(pointwise.mul(X, Y), row))
    place = pointwise.cast(INDEX, dtype=float32)
    body = close("b", (INDEX, X, row, Y), (new, pointwise.mul(new, row), row, place))
    region = regions.loop(X, rows, Y, body=body, carried=1, stacks=1, length=length, reverse=reverse)
    graph = Graph("g", (X, rows, Y), tuple(item(region, i) for i in range(4)))
    random = np.random.RandomState(0)
    check(graph, [random.randn(4).astype(np.float32), random.randn(length, 4).astype(np.float32),
                  random.randn(4).astype(np.float32)])


def test_a_stack_of_stacks():
    """The inner loop reads elements of an element of the outer loop's stack, and makes one of its results'."""
    cube, square = ir.input_("cube", TensorType(float32, (3, 2, 4))), ir.input_("square", TensorType(float32, (2, 4)))
    row = ir.input_("row", FOUR)
    inner = regions.loop(X, square, carried=1, stacks=1, length=2, reverse=True, body=close(
        "inner", (INDEX, X, row), (pointwise.add(pointwise.mul(X, number(0.5)), row), pointwise.sub(X, row))))
    outer = regions.loop(X, cube, carried=1, stacks=1, length=3, reverse=False, body=close(
        "outer", (INDEX, X, square), (item(inner, 0), item(inner, 1))))
    graph = Graph("g", (X, cube), (item(outer, 0), item(outer, 1)))
    check(graph, [np.ones(4, np.float32), np.random.RandomState(0).randn(3, 2, 4).astype(np.float32)])


@pytest.mark.parametrize("limit", [0, 1, 5, 1e30])
def test_tapes_hold_what_a_while_kept(limit):
    region = fibonacci(kept=(pointwise.sub(A, B), B))
    back = close("back", (INDEX, X, A, B), (pointwise.add(pointwise.mul(X, number(0.5)), pointwise.mul(A, B)),
                                            pointwise.mul(A, number(2))))
    first = regions.loop(item(region, 2), X, item(region, 3), item(region, 4), body=back, carried=1, stacks=2,
                         length=None, reverse=True)
    again = regions.loop(item(region, 2), X, item(first, 1), item(region, 3), body=back, carried=1, stacks=2,
                         length=None, reverse=False)
    graph = Graph("g", (A, B, LIMIT, X), (item(first, 0), item(again, 0), item(region, 2)))
    check(graph, [np.float32(0), np.float32(1), np.float32(limit), np.ones(4, np.float32)])


def test_tapes_grow_and_keep_what_they_hold():
    wide = TensorType(float32, (3000,))
    w = ir.input_("w", wide)
    inputs = (A, w, LIMIT)
    region = regions.while_(*inputs, carried=2, condition=close("c", inputs, (pointwise.lt(A, LIMIT),)), body=close(
        "b", inputs, (pointwise.add(A, number(1)), pointwise.mul(w, number(0.9)), w)))
    v = ir.input_("v", wide)
    total = regions.loop(item(region, 2), w, item(region, 3), carried=1, stacks=1, length=None, reverse=False,
                         body=close("s", (INDEX, w, v), (pointwise.add(w, v),)))
    graph = Graph("g", inputs, (item(total, 0),))
    for limit in (1, 40, 7):
        check(graph, [np.float32(0), np.arange(3000, dtype=np.float32), np.float32(limit)])
    program = compile_graph(graph, {})
    (tape,) = program.shared.code(()).executable.program.tapes
    assert tape[2] == 12000                         # bytes of an iteration


@pytest.mark.parametrize("seed", range(60))
def test_random_nested_regions(seed):
    graph, arrays = RegionMaker(seed).make()
    check(graph, arrays)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(60, 1000))
def test_more_random_nested_regions(seed):
    graph, arrays = RegionMaker(seed).make()
    check(graph, arrays)


# -- Python functions -------------------------------------------------------------------------------------------------

def test_python_functions_are_called_in_order_and_may_give_values():
    seen = []

    def note(x):
        seen.append(x.tolist())

    def double(x):
        seen.append("double")
        return 2 * x

    twice = item(regions.host_call(X, callback=1, label="double", returns=True), 0)
    inner = regions.host_call(A, callback=0, label="note", returns=False)
    loop = regions.while_(A, LIMIT, carried=1, condition=close("c", (A, LIMIT), (pointwise.lt(A, LIMIT),)),
                          body=close("b", (A, LIMIT), (pointwise.add(A, number(1)),), (inner,)))
    then = close("t", (B,), (), (regions.host_call(pointwise.neg(B), callback=0, label="note", returns=False),))
    branch = regions.if_(FLAG_LEAF, B, then=then, orelse=close("e", (B,), ()))
    after = regions.host_call(twice, callback=0, label="note", returns=False)
    graph = Graph("g", (X, A, LIMIT, FLAG_LEAF, B), (pointwise.add(twice, number(1)),), (), (loop, branch, after))
    arrays = [np.ones(4, np.float32), np.float32(0), np.float32(3), np.array(True), np.float32(5)]
    program = compile_graph(graph, {}, (note, double))
    (found,) = program.run([np.asarray(a) for a in arrays])
    assert found.tolist() == [3.0] * 4
    assert [s for s in seen if s != "double"] == [0.0, 1.0, 2.0, -5.0, [2.0] * 4] and seen.count("double") == 1
    seen.clear()
    program.run([np.asarray(a) for a in (arrays[0], *arrays[1:3], np.array(False), arrays[4])])
    assert [s for s in seen if s != "double"] == [0.0, 1.0, 2.0, [2.0] * 4]


def test_what_a_python_function_raises_passes_through_and_leaves_parameters_alone():
    weight = Parameter(Tensor(np.arange(4, dtype=np.float32)), name="w")
    leaf = ir.param("w", FOUR)

    def refuse(x):
        if x[0] < 0:
            raise ValueError("negative")

    loop = regions.loop(X, leaf, carried=1, stacks=0, length=3, reverse=False, body=close(
        "b", (INDEX, X, Y), (pointwise.add(X, Y),), (regions.host_call(X, callback=0, label="check", returns=False),)))
    graph = Graph("g", (X,), (item(loop, 0),), (("w", pointwise.add(leaf, X)),), (loop,))
    program = compile_graph(graph, {"w": weight}, (refuse,))
    for _ in range(2):
        with pytest.raises(ValueError, match="negative"):
            program.run([np.full(4, -1, np.float32)])
        assert weight.asnumpy().tolist() == [0, 1, 2, 3]
    (found,) = program.run([np.ones(4, np.float32)])
    assert found.tolist() == [1, 4, 7, 10] and weight.asnumpy().tolist() == [1, 2, 3, 4]


# -- Parameters, constants, threads, the cache ------------------------------------------------------------------------

def test_a_parameter_is_read_in_a_loop_and_updated_after_it():
    weight = Parameter(Tensor(np.full(4, 2, np.float32)), name="w")
    leaf = ir.param("w", FOUR)
    loop = regions.loop(X, leaf, carried=1, stacks=0, length=3, reverse=False,
                        body=close("b", (INDEX, X, Y), (pointwise.mul(X, Y),)))
    graph = Graph("g", (X,), (pointwise.add(leaf, X),), (("w", item(loop, 0)),))
    program = compile_graph(graph, {"w": weight})
    (found,) = program.run([np.ones(4, np.float32)])
    assert found.tolist() == [3] * 4 and weight.asnumpy().tolist() == [8] * 4
    program.run([np.ones(4, np.float32)])
    assert weight.asnumpy().tolist() == [512] * 4


def test_what_is_the_same_in_all_iterations_is_done_once():
    """A product with a fixed matrix packs the matrix: before the loop if it is an argument, once and for all if not."""
    state = TensorType(float32, (32, 64))
    x, w = ir.input_("x", state), ir.input_("w", TensorType(float32, (64, 64)))
    body = close("b", (INDEX, x, w), (pointwise.tanh(linear.matmul(x, w, transpose_b=True)),))

    def looped(matrix):
        return item(regions.loop(x, matrix, body=body, carried=1, stacks=0, length=4, reverse=False), 0)

    def opcodes(program):
        return [getattr(i, "opcode", "call") for i in program.shared.code(()).executable.program.instructions]

    random = np.random.RandomState(0)
    arrays = [random.randn(32, 64).astype(np.float32), random.randn(64, 64).astype(np.float32) / 8]
    argument = Graph("g", (x, w), (looped(w),))
    check(argument, arrays)
    weight = Parameter(Tensor(arrays[1]), name="w")
    bound = Graph("g", (x,), (looped(ir.param("w", w.type)),))
    program = compile_graph(bound, {"w": weight})
    np.testing.assert_allclose(program.run(arrays[:1])[0], expected(argument, arrays)[0], rtol=1e-4, atol=1e-5)
    before, inside = opcodes(compile_graph(argument, {})), opcodes(program)
    inner = before[before.index("begin"):].count("call")
    assert inside[inside.index("begin"):].count("call") == inner
    assert before[:before.index("begin")].count("call") > inside[:inside.index("begin")].count("call")


def test_symbolic_sizes_in_regions():
    vector = TensorType(float32, (Dim.symbol("N"),))
    v, w = ir.input_("v", vector), ir.input_("w", vector)
    loop = regions.loop(v, w, carried=1, stacks=0, length=3, reverse=False,
                        body=close("b", (INDEX, v, w), (pointwise.add(v, w), pointwise.mul(v, w))))
    graph = Graph("g", (v, w), (item(loop, 0), item(loop, 1)))
    program = compile_graph(graph, {})
    for size in (4, 7, 4):
        arrays = [np.arange(size, dtype=np.float32), np.ones(size, np.float32)]
        for found, wanted in zip(program.run(arrays), expected(graph, arrays)):
            np.testing.assert_allclose(found, wanted)


def test_a_view_of_a_stack_and_a_wide_reduction_in_a_loop():
    stack, matrix = ir.input_("s", TensorType(float32, (4, 3, 6))), ir.input_("m", TensorType(float32, (6, 3)))
    turned = view.transpose(stack, perm=(0, 2, 1))
    body = close("b", (INDEX, A, matrix), (pointwise.add(A, reduction.sum_(matrix, axes=(0, 1), keepdims=False)),
                                           reduction.max_(matrix, axes=(1,), keepdims=False)))
    region = regions.loop(A, turned, body=body, carried=1, stacks=1, length=4, reverse=True)
    graph = Graph("g", (A, stack), (item(region, 0), item(region, 1)))
    check(graph, [np.float32(1), np.random.RandomState(0).randn(4, 3, 6).astype(np.float32)])


def test_two_threads_at_once():
    region = fibonacci(kept=(A,))
    total = regions.loop(item(region, 2), A, item(region, 3), carried=1, stacks=1, length=None, reverse=True,
                         body=close("s", (INDEX, A, B), (pointwise.add(A, B),)))
    program = compile_graph(Graph("g", (A, B, LIMIT), (item(region, 0), item(total, 0))), {})
    wrong = []

    def work(limit):
        arrays = [np.float32(0).reshape(()), np.float32(1).reshape(()), np.float32(limit).reshape(())]
        wanted = expected(program.graph, arrays)
        for _ in range(300):
            if [float(v) for v in program.run([np.asarray(a) for a in arrays])] != [float(v) for v in wanted]:
                wrong.append(limit)

    threads = [threading.Thread(target=work, args=(limit,)) for limit in (3, 1e6, 50, 1e9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


WARM = """
import numpy as np
from graphcore.compiler import program
from tests.compiler.test_regions_native import A, B, LIMIT, Graph, fibonacci, item
region = fibonacci()
compiled = program.compile_graph(Graph("g", (A, B, LIMIT), (item(region, 0), item(region, 2))), {})
print(*(float(v) for v in compiled.run([np.array(v, np.float32) for v in (0, 1, 100)])),
      program.statistics.programs_loaded)
"""


def test_a_second_process_loads_the_program(tmp_path):
    def run():
        done = subprocess.run([sys.executable, "-c", WARM], capture_output=True, text=True, timeout=120,
                              env={**os.environ, "GRAPHCORE_CACHE_DIR": str(tmp_path), "PYTHONPATH": os.getcwd()})
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    assert run() == ["144.0", "12.0", "0"]
    assert run() == ["144.0", "12.0", "1"]


def test_types_of_all_widths_are_carried():
    from graphcore import dtype as dt
    for dtype in (dt.float16, dt.bfloat16, dt.int8, dt.int64, dt.float64, bool_):
        v, w = ir.input_("v", TensorType(dtype, (3,))), ir.input_("w", TensorType(dtype, (3,)))
        region = regions.loop(v, w, carried=2, stacks=0, length=3, reverse=False,
                              body=close("b", (INDEX, v, w), (w, pointwise.maximum(v, w) if dtype is not bool_
                                                              else pointwise.logical_or(v, w), v)))
        graph = Graph("g", (v, w), tuple(item(region, i) for i in range(3)))
        arrays = [np.array([1, 0, 1]).astype(dtype.storage), np.array([0, 1, 1]).astype(dtype.storage)]
        check(graph, arrays)
    assert int64.itemsize == 8
