"""Graphs with branches and loops, for the tests of what compilers do with them."""
from __future__ import annotations

import numpy as np

from graphcore import dtype as dt
from graphcore.compiler.autodiff import expand_gradients
from graphcore.compiler.pipeline import run_stages
from graphcore.compiler.program import compile_graph
from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph
from graphcore.ir.types import parse_type
from graphcore.ir.verifier import verify
from graphcore.ops import indexing, linear, regions, structural
from graphcore.ops import pointwise as pw
from graphcore.ops.evaluate import interpret
from graphcore.ops.reduction import sum_
from graphcore.ops.view import reshape

VECTOR, MATRIX, INDEX = map(parse_type, ("f64[3]", "f64[4,3]", "i64[]"))


def closed(function, *types, name="body", effects=()):
    """The closed graph of a function of nodes that gives a tuple of nodes."""
    leaves = tuple(ir.input_(f"v{k}", t) for k, t in enumerate(types))
    return Graph(name, leaves, tuple(function(*leaves)), (), tuple(effects))


def number(value):
    return ir.const(np.float64(value))


def total(x):
    return sum_(x, axes=tuple(range(x.rank)), keepdims=False) if x.rank else x


def items(region):
    return [structural.item(region, index=k) for k in range(len(region.type.items))]


def if_(condition, then, orelse, *operands):
    types = [o.type for o in operands]
    return items(regions.if_(condition, *operands, then=closed(then, *types, name="then"),
                             orelse=closed(orelse, *types, name="orelse")))


def while_(condition, body, *values, carried):
    types = [v.type for v in values]
    return items(regions.while_(*values, condition=closed(lambda *v: (condition(*v),), *types, name="condition"),
                                body=closed(body, *types), carried=carried))


def loop(body, *values, carried, stacks=0, length=None, reverse=False):
    inside = [v.type for v in values[length is None:]]
    inside[carried:carried + stacks] = map(regions.element_type, inside[carried:carried + stacks])
    return items(regions.loop(*values, body=closed(body, INDEX, *inside), carried=carried, stacks=stacks, length=length,
                              reverse=reverse))


def matmul(a, b, ta=False, tb=False):
    return linear.matmul(a, b, **{name: True for name, given in (("transpose_a", ta), ("transpose_b", tb)) if given})


def loops(graph: Graph) -> list:
    return [n for n in graph.nodes if n.op == "loop"]


def optimized_in_float32(leaves: tuple, outputs: tuple, reach: float = 1.0) -> Graph:
    """After the stages; this graph and the native program give the values of the one with these outputs.

    The leaves are drawn from -reach to reach.  The program runs twice: it finds the memory as it left it.
    """
    graph = Graph("g", leaves, tuple(outputs))
    result = run_stages(graph)[-1].graph
    verify(result, final=True)
    random = np.random.RandomState(1)
    arrays = [random.uniform(-reach, reach, x.shape).astype(np.float32) for x in leaves]
    given = expand_gradients(graph)
    expected, found = (interpret(g, dict(zip(leaves, arrays))) for g in (given, result))
    native = compile_graph(graph, {})
    for _ in range(2):
        for before, after, array in zip(given.outputs, result.outputs, native.run(arrays)):
            np.testing.assert_allclose(found[after], expected[before], rtol=1e-4, atol=1e-5)
            np.testing.assert_allclose(array, expected[before], rtol=1e-4, atol=1e-5)
    return result


def gradients(loss, *wrt):
    return items(structural.grad(loss, *wrt, sens=False))


# -- the functions that are differentiated: f64[4,3], f64[3] -> f64[] -------------------------------------------------

FUNCTIONS = {}


def function(f):
    FUNCTIONS[f.__name__] = f
    return f


def as_row(y):
    return reshape(y, shape=(1, 3))


@function
def branch(x, y):
    """Both branches use both operands, one of them only a part."""
    a, b = if_(pw.gt(total(x), number(0)),
               lambda x, y: (pw.mul(pw.tanh(x), y), pw.exp(y)),
               lambda x, y: (pw.square(x), y), x, y)
    return pw.add(total(pw.mul(a, x)), total(pw.mul(b, y)))


@function
def branch_not_taken(x, y):
    """The branch that is not taken divides by zero."""
    (a,) = if_(pw.lt(total(x), number(-1e9)), lambda x: (pw.div(x, pw.sub(x, x)),), lambda x: (pw.sin(x),), x)
    return total(pw.mul(a, y))


@function
def newton(x, y):
    """z <- z - (z e^z - y^2) / (e^z (1 + z)) until the step is small."""
    def body(size, z, a):
        e = pw.exp(z)
        step = pw.div(pw.sub(pw.mul(z, e), a), pw.mul(e, pw.add(z, number(1))))
        return total(pw.abs_(step)), pw.sub(z, step)
    _, z, *_ = while_(lambda size, z, a: pw.gt(size, number(1e-7)), body, number(1), pw.square(y), pw.square(y),
                      carried=2)
    return total(pw.mul(z, x))


@function
def counted_by_hand(x, y):
    """A while with a counter of integers, a value that nothing changes, and rows read by the counter."""
    def body(n, z, fixed, w, rows):
        row = indexing.gather(rows, n, axis=0)
        return pw.add(n, ir.const(1)), pw.add(z, pw.mul(pw.mul(w, row), pw.tanh(z))), fixed
    _, z, fixed, _ = while_(lambda n, z, fixed, w, rows: pw.lt(n, ir.const(4)), body, ir.const(0), y, x, y, x,
                            carried=3)
    return total(pw.mul(pw.mul(z, z), fixed))


@function
def recurrent(x, y):
    """A recurrent net over the rows of x; its states are kept and used afterwards."""
    def body(i, h, row, w):
        new = pw.tanh(pw.add(row, matmul(h, w)))
        return new, pw.mul(new, row)
    weights = matmul(reshape(y, shape=(3, 1)), as_row(pw.sin(y)))
    h, kept = loop(body, as_row(y), reshape(x, shape=(4, 1, 3)), weights, carried=1, stacks=1, length=4)
    return pw.add(total(pw.mul(h, h)), total(pw.exp(kept)))


@function
def backwards(x, y):
    """A loop from the last row to the first that uses its index."""
    def body(i, h, row):
        return pw.add(pw.mul(h, row), pw.cast(i, dtype=dt.float64)), pw.mul(h, h)
    h, kept = loop(body, y, x, carried=1, stacks=1, length=4, reverse=True)
    return pw.add(total(h), total(pw.mul(kept, x)))


@function
def as_often_as_data_says(x, y):
    """A loop whose length only the program knows, with the square of y kept on a tape that nobody takes."""
    often = pw.cast(pw.add(pw.mul(number(0), total(x)), number(3)), dtype=dt.int64)
    h, _ = loop(lambda i, h, w: (pw.sin(pw.mul(h, w)), pw.mul(h, h)), often, x, y, carried=1)
    return total(h)


@function
def branch_in_a_loop(x, y):
    def body(i, h, row):
        (new,) = if_(pw.gt(total(pw.mul(h, row)), number(0.2)), lambda h, row: (pw.sin(pw.add(h, row)),),
                     lambda h, row: (pw.mul(pw.exp(h), row),), h, row)
        return (new,)
    (h,) = loop(body, y, x, carried=1, stacks=1, length=4)
    return total(h)


@function
def while_in_a_loop(x, y):
    def body(i, h, row):
        z, *_ = while_(lambda z, row: pw.gt(total(pw.square(z)), number(0.5)),
                       lambda z, row: (pw.mul(z, pw.mul(number(0.5), pw.cos(row))),), h, row, carried=1)
        return (pw.add(z, row),)
    (h,) = loop(body, y, x, carried=1, stacks=1, length=4)
    return total(pw.square(h))


@function
def loop_in_a_branch(x, y):
    def then(x, y):
        h, kept = loop(lambda i, h, row: (pw.tanh(pw.add(h, row)), h), y, x, carried=1, stacks=1, length=4)
        return (pw.add(h, sum_(kept, axes=(0,), keepdims=False)),)
    (h,) = if_(pw.gt(total(pw.square(x)), number(0)), then, lambda x, y: (y,), x, y)
    return total(pw.square(h))


@function
def gradient_in_a_loop(x, y):
    """Two steps of gradient descent, differentiated with respect to the data."""
    def body(i, w, x):
        loss = total(pw.square(pw.sub(pw.sin(pw.mul(x, w)), number(0.5))))
        (g,) = gradients(loss, w)
        return (pw.sub(w, pw.mul(number(0.1), g)),)
    (w,) = loop(body, y, x, carried=1, length=2)
    return total(pw.mul(w, w))


@function
def stopped(x, y):
    """What passes through stop_gradient in a body counts as a constant."""
    def body(i, h, row):
        return (pw.add(pw.mul(structural.stop_gradient(pw.sub(h, h)), row), pw.mul(h, row)),)
    (h,) = loop(body, y, x, carried=1, stacks=1, length=4)
    return total(h)


X, Y = ir.input_("x", MATRIX), ir.input_("y", VECTOR)
random = np.random.RandomState(3)
POINT = {X: 0.5 + 0.4 * random.rand(4, 3), Y: 0.6 + 0.5 * random.rand(3)}
