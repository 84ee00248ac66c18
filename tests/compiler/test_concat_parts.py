"""Parts of a concat are written straight into it where nothing else needs them, and copied where something does."""
import numpy as np
import pytest

import graphcore as gc
from graphcore import Tensor, ops
from graphcore.compiler.pipeline import optimize
from graphcore.compiler.schedule.steps import make_schedule

X = np.random.default_rng(0).standard_normal((3, 4, 6)).astype(np.float32)
Y = np.random.default_rng(1).standard_normal((3, 4, 6)).astype(np.float32)


def joined(axis):
    return lambda x, y: ops.cat((ops.exp(x), ops.tanh(y) * x, x - y), axis)


def used_twice(x, y):
    part = ops.exp(x)
    whole = ops.cat((part, x * y), 1)
    return ops.matmul(whole, ops.transpose(part, (0, 2, 1)))


def same_part_twice(x, y):
    part = x * y
    return ops.cat((part, part), 0) * 2


def of_an_input(x, y):
    return ops.matmul(ops.cat((x, x + y), 2), ops.ones((12, 5)))


def turned(x, y):
    """The gradient of a split into heads: copies of transposes."""
    parts = [ops.transpose(v, (0, 2, 1)).reshape(3, 24) for v in (x * 2, y * x)]
    return ops.matmul(ops.cat(parts, 1), ops.ones((48, 2)))


def sums(x, y):
    return ops.matmul(ops.cat((ops.sum(x * y, 2), ops.mean(y, 2)), 1), ops.ones((8, 2)))


def single_columns(x, y):
    return ops.matmul(ops.cat((x[:, :, :1] * y[:, :, 1:2], ops.exp(x[:, :, 2:3])), 2), ops.ones((2, 3)))


def output_and_part(x, y):
    part = ops.exp(x)
    return ops.cat((part, y + 1), 1), part


def concat_of_concat(x, y):
    inner = ops.cat((x + y, x * y), 2)
    return ops.cat((inner, ops.exp(inner)), 1)


def in_a_loop(x, y):
    total = x[:, :, :2]
    for i in range(20):
        pair = ops.cat((ops.sin(total) + i, total * 0.5), 2)
        total = ops.matmul(pair, ops.ones((4, 2))) * 0.1
    return total


CASES = {"axis 0": (joined(0), 3), "axis 1": (joined(1), 3), "axis 2": (joined(2), 3), "used twice": (used_twice, 1),
         "same part twice": (same_part_twice, 0), "of an input": (of_an_input, 1), "turned": (turned, 2),
         "sums": (sums, 2), "single columns": (single_columns, 2), "output and part": (output_and_part, 1),
         "concat of concat": (concat_of_concat, None), "in a loop": (in_a_loop, None)}


@pytest.mark.parametrize("name", CASES)
def test_parts(name):
    function, placed = CASES[name]
    compiled = gc.jit(lambda x, y: function(x, y))
    got = compiled(Tensor(X), Tensor(Y))
    gc.set_context(mode=gc.PYNATIVE_MODE)
    want = function(Tensor(X), Tensor(Y))
    for a, b in zip(*[r if isinstance(r, tuple) else (r,) for r in (got, want)]):
        np.testing.assert_allclose(a.asnumpy(), b.asnumpy(), rtol=2e-5, atol=1e-5)
    if placed is not None:
        graph = optimize(compiled._compiled.last_program.graph)
        assert len(make_schedule(graph, frozenset()).placed) == placed


def test_a_placed_part_takes_no_launch():
    compiled = gc.jit(lambda x, y: ops.matmul(joined(2)(x, y), ops.ones((18, 4))))
    compiled(Tensor(X), Tensor(Y))
    assert compiled._compiled.last_program.launches == 2        # the parts, and the product
