"""Collectives as operators: values and gradients on all ranks, compiled and at once; what the compiler makes of them"""
import pytest

from graphcore.compiler.passes import exchanges
from graphcore.compiler.pipeline import run_stages
from graphcore.compiler.plan import compile_plan
from graphcore.compiler.schedule.steps import make_schedule
from graphcore.compiler.toolchain.cpu import host
from graphcore.dtype import float32
from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph
from graphcore.ir.types import TensorType
from graphcore.ops import collectives, linear, pointwise, view
from tests.distributed.conftest import lines_of

VALUES = """
import sys
import numpy as np
import graphcore as gc
from graphcore import Tensor, communication, nn, ops
communication.init()
rank, size = communication.get_rank(), communication.get_group_size()
generator = np.random.default_rng(3)
all_x, all_w = (generator.standard_normal((size, 6 * k, 2)) for k in (1, 4))        # those of all ranks
x = Tensor(all_x[rank].astype(np.float32))
rows = lambda x: x.reshape(size, -1, 2)
left, right = [(rank - 1) % size], [(rank + 1) % size]
uneven = [4 * (k + 1) for k in range(size)]; uneven[-1] = 12 - sum(uneven[:-1])
ends = np.cumsum([0, *uneven])
CASES = {
    "sum": (ops.AllReduce(), lambda x: [x.sum(0)] * size),
    "max": (ops.AllReduce("max"), lambda x: [x.max(0)] * size),
    "min": (ops.AllReduce("min"), lambda x: [x.min(0)] * size),
    "prod": (ops.AllReduce("prod"), lambda x: [x.prod(0)] * size),
    "gather": (ops.AllGather(), lambda x: [x.reshape(-1, 2)] * size),
    "scatter": (ops.ReduceScatter(), lambda x: list(rows(x.sum(0)))),
    "scatter max": (ops.ReduceScatter("max"), lambda x: list(rows(x.max(0)))),
    "broadcast": (lambda v: ops.Broadcast(1)((v,))[0], lambda x: [x[1]] * size),
    "all to all": (ops.AlltoAll(size, 0, 1), lambda x: [np.concatenate([rows(x[j])[k] for j in range(size)], 1)
                                                        for k in range(size)]),
    "neighbors": (lambda v: ops.NeighborExchange(right, left, ([6, 2],), ([6, 2],), gc.float32)((v,))[0],
                  lambda x: [x[(k - 1) % size] for k in range(size)]),
    "uneven": (lambda v: ops.AlltoAllV()(v.reshape(-1), uneven, [uneven[rank]] * size),
               lambda x: [np.concatenate([x[j].reshape(-1)[ends[k]:ends[k + 1]] for j in range(size)])
                          for k in range(size)]),
    "uneven, of all": (lambda v: ops.AlltoAllVC()(v.reshape(-1), uneven * size),
                       lambda x: [np.concatenate([x[j].reshape(-1)[ends[k]:ends[k + 1]] for j in range(size)])
                                  for k in range(size)]),
    "gather uneven": (lambda v: ops.AllGatherV()(v.reshape(-1)[:uneven[rank]], uneven),
                      lambda x: [np.concatenate([x[j].reshape(-1)[:uneven[j]] for j in range(size)])] * size),
    "scatter uneven": (lambda v: ops.ReduceScatterV()(v.reshape(-1), uneven),
                       lambda x: [x.sum(0).reshape(-1)[ends[k]:ends[k + 1]] for k in range(size)]),
    "scatter of one": (ops.CollectiveScatter(1), lambda x: list(rows(x[1]))),
    "reduce": (ops.Reduce(1), lambda x: [x.sum(0)] * size),     # in a compiled function all get it
}

def weights(w, y):
    return w.reshape(-1)[:y.size].reshape(y.shape)

def loss_of_all(reference, x):
    return sum((y * y * weights(w, y)).sum() for y, w in zip(reference(x), all_w))

for mode in (gc.GRAPH_MODE, gc.PYNATIVE_MODE):
    gc.set_context(mode=mode)
    for name, (operator, reference) in CASES.items():
        wanted = reference(all_x)[rank]
        w = Tensor(weights(all_w[rank], wanted).astype(np.float32))
        value, gradient = gc.value_and_grad(lambda v: (operator(v * 1.0) ** 2 * w).sum())(x)
        error = abs(float(value) - (wanted ** 2 * weights(all_w[rank], wanted)).sum())
        numeric = np.zeros_like(all_x[0])
        for place in np.ndindex(*numeric.shape):
            moved = [all_x.copy(), all_x.copy()]
            for sign, there in zip((1, -1), moved):
                there[(rank, *place)] += sign * 1e-5
            numeric[place] = (loss_of_all(reference, moved[0]) - loss_of_all(reference, moved[1])) / 2e-5
        error = max(error, np.abs(gradient.asnumpy() - numeric).max())
        assert error < 1e-4, (name, mode, error)
    half = ops.AllReduce()(Tensor(np.full(3, rank + 1, np.float16)))
    assert half.dtype == gc.float16 and half.asnumpy().tolist() == [size * (size + 1) / 2] * 3
print("agreed")
"""


@pytest.mark.parametrize("ranks", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_values_and_gradients_are_those_of_all_ranks(launch, ranks):
    assert lines_of(launch(VALUES, ranks=ranks)) == {rank: ["agreed"] for rank in range(ranks)}


DIFFERENT = """
import numpy as np
import graphcore as gc
from graphcore import communication, ops
communication.init()
summed = gc.jit(lambda x: ops.AllReduce()(x * 2))
summed(gc.Tensor(np.ones(3 + communication.get_rank(), np.float32)))
"""


@pytest.mark.slow
def test_ranks_that_would_exchange_different_things_are_told(launch):
    process = launch(DIFFERENT)
    assert process.returncode == 1
    assert "all_reduce sum of 3 elements (float32)" in process.stderr and "same net" in process.stderr


# -- without other ranks: what the compiler makes of them -------------------------------------------------------

TWO = {"group": "world", "size": 2}


def _reduced(x, fuse=0):
    return collectives.all_reduce(x, reduce="sum", fuse=fuse, **TWO)


def _chain(length, fuse, size=16):
    """A graph of `length` products, one after the other, of each of which the sum over all ranks is wanted."""
    x = ir.input_("x", TensorType(float32, (size,)))
    values, y = [], x
    for _ in range(length):
        y = pointwise.exp(y)
        values.append(_reduced(y, fuse))
    return Graph("chain", (x,), tuple(reversed(values)))


def test_small_sums_travel_together_in_the_order_in_which_they_are_made():
    graph = _chain(6, fuse=16 * 4 * 4)                  # four of them fill a bucket
    buckets = exchanges.find_buckets(graph, "all_reduce")
    assert [len(b) for b in buckets] == [4, 2]
    assert [n for b in buckets for n in b] == list(reversed(graph.outputs))
    done = run_stages(graph)[-1].graph
    begun = [n for n in done.nodes if n.op == "exchange_begin"]
    assert sorted(n.type.size for n in begun) == [2 * 16, 4 * 16]
    for fuse in (0, 16 * 4 * 4 - 1):
        assert not exchanges.find_buckets(_chain(6, fuse), "all_reduce")


def test_sums_that_need_each_other_do_not_travel_together():
    x = ir.input_("x", TensorType(float32, (16,)))
    first = _reduced(x, 1024)
    second, other = _reduced(pointwise.exp(first), 1024), _reduced(pointwise.sin(x), 1024)
    graph = Graph("needs", (x,), (first, second, other))
    assert [set(b) for b in exchanges.find_buckets(graph, "all_reduce")] == [{first, other}, {second}]


def test_the_own_part_of_a_sum_is_a_reduce_scatter():
    x = ir.input_("x", TensorType(float32, (16, 3)))
    part = collectives.own_part(_reduced(x), rank=1, **TWO)
    alone = exchanges.own_parts(Graph("alone", (x,), (part,)), [])
    assert [n.op for n in alone.nodes] == ["input", "reduce_scatter"]
    shared = exchanges.own_parts(Graph("shared", (x,), (part, _reduced(x))), [])
    assert {n.op for n in shared.nodes} == {"input", "all_reduce", "slice"}


def test_exchanges_start_early_and_are_waited_for_late():
    done = run_stages(_chain(4, fuse=0))[-1].graph
    order = [s.node.op for s in make_schedule(done, frozenset()).steps if s.node is not None]
    assert order == ["exchange_begin"] * 4 + ["exchange_end"] * 4


def test_what_an_exchange_needs_is_computed_before_what_later_ones_need():
    x = ir.input_("x", TensorType(float32, (64, 64)))
    gradients, y = [], x
    for _ in range(3):                                  # a backward pass: each product leads to a gradient and on
        y = linear.matmul(y, x)
        gradients.append(_reduced(linear.matmul(pointwise.exp(y), x)))
    done = run_stages(Graph("backward", (x,), tuple(gradients)))[-1].graph
    order = [s.node.op for s in make_schedule(done, frozenset()).steps if s.node is not None]
    assert order[:-3] == ["matmul", "matmul", "exchange_begin"] * 3


def _shared_updates(count, rows=64, fuse=0):
    """Gradients of `count` Parameters, one after the other; of each the own part is summed, updated, and gathered."""
    x, updates = ir.input_("x", TensorType(float32, (64, 64))), []
    y = x
    for k in range(count):
        y = linear.matmul(pointwise.exp(y), x)
        weight = ir.param(f"w{k}", TensorType(float32, (rows, 64)))
        gradient = _reduced(view.slice_(y, begin=(0, 0), size=(rows, 64), stride=(1, 1)), fuse)
        own = [collectives.own_part(v, rank=1, **TWO) for v in (weight, gradient)]
        updates.append((f"w{k}", collectives.all_gather(pointwise.sub(*own), rank=1, fuse=fuse, **TWO)))
    return run_stages(Graph("shared", (x,), (), tuple(updates)))[-1].graph


def test_own_parts_are_updated_where_they_are_gathered_while_later_gradients_are_made():
    schedule = make_schedule(_shared_updates(4), frozenset())
    begun = [s.node.attrs["what"] for s in schedule.steps if s.node is not None and s.node.op == "exchange_begin"]
    cut, whole = "reduce_scatter", "all_gather"
    assert begun == [cut, cut, cut, whole, cut, whole, whole, whole]
    assert sorted(where for where in schedule.direct.values() if where[0] == "update") == [
        ("update", f"w{k}") for k in range(4)] and not schedule.copies
    assert len(schedule.placed) == 4 and {n.attrs["what"] for n in schedule.placed.values()} == {whole}


def test_gradients_that_are_shared_do_not_pile_up():
    arenas = [compile_plan(_shared_updates(count), host(), {}).plan.arena_bytes for count in (6, 12)]
    assert arenas[0] == arenas[1] <= 8 * 64 * 64 * 4


def test_a_parameter_that_is_read_later_is_not_overwritten():
    weight = ir.param("w", TensorType(float32, (64, 64)))
    own = collectives.own_part(weight, rank=1, **TWO)
    gathered = collectives.all_gather(pointwise.exp(own), rank=1, fuse=0, **TWO)
    late = linear.matmul(gathered, weight)              # reads the old value and needs the new one
    schedule = make_schedule(run_stages(Graph("late", (), (late,), (("w", gathered),)))[-1].graph, frozenset())
    assert [where for where, _ in schedule.copies] == [("update", "w")]
    assert len(schedule.placed) == 1                    # in memory of its own the parts may come together


def test_small_shared_gradients_and_parameters_travel_together():
    begun = [n for n in _shared_updates(4, rows=8, fuse=1 << 20).nodes if n.op == "exchange_begin"]
    assert [(n.attrs["what"], n.inputs[0].type.size) for n in begun] == [
        ("reduce_scatter", 4 * 8 * 64), ("all_gather", 4 * 4 * 64)]
