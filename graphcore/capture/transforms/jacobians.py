"""``jacfwd`` and ``jacrev``: all derivatives of all outputs, one direction of a basis in each example of a batch."""
from __future__ import annotations

from collections.abc import Callable

from graphcore.capture import failures
from graphcore.capture.language import callee
from graphcore.capture.language.nests import put_together, take_apart
from graphcore.capture.location import locate
from graphcore.capture.trace import Trace, current_trace
from graphcore.capture.transforms.calling import (
    Transformed,
    call_with_aux,
    check_aux_flag,
    check_variables,
    float_tensors,
    inner_product,
    name_of,
    points_of,
)
from graphcore.capture.transforms.examples import Examples
from graphcore.capture.transforms.products import push_forward
from graphcore.dtype import int64
from graphcore.errors import IndexRangeError
from graphcore.ir import graph as ir
from graphcore.ir.dims import product
from graphcore.ir.graph import Node
from graphcore.ops.batching.values import move_axis
from graphcore.ops.pointwise import add, cast, eq, iota
from graphcore.ops.view import reshape, slice_


@failures.shows_users_frames
def jacfwd(fn, grad_position=0, has_aux=False):
    """A function that gives the Jacobian of `fn`, in forward mode: good for few inputs and many outputs.

    grad_position: the argument(s) to differentiate by, an int or a tuple of ints; has_aux: only the first output is
    differentiated, and the function gives (Jacobian, the others).
    The derivative of an output by an input has the shape of the output followed by that of the input.  With several
    arguments or outputs the result is a tuple of them; with several of both, a tuple for each output of a tuple for
    each argument.
    Raises TypeError for a grad_position or has_aux of another type, IndexError for a position out of range.
    """
    return _jacobian("jacfwd", _forward, fn, grad_position, has_aux)


@failures.shows_users_frames
def jacrev(fn, grad_position=0, has_aux=False):
    """Like `jacfwd`, in reverse mode: good for many inputs and few outputs."""
    return _jacobian("jacrev", _reverse, fn, grad_position, has_aux)


def _jacobian(name: str, derivatives: Callable, fn, grad_position, has_aux) -> Transformed:
    check_aux_flag(has_aux)
    positions = grad_position if isinstance(grad_position, tuple) else (grad_position,)
    if not positions or any(isinstance(p, bool) or not isinstance(p, int) for p in positions):
        raise TypeError(f"grad_position must be an int or a tuple of ints, got {grad_position!r}")

    def traced(*args):
        for p in positions:
            if not -len(args) <= p < len(args):
                raise locate(IndexRangeError(f"grad_position {p} is out of range: the function got {len(args)} "
                                             "arguments"))
        selected = [p % len(args) for p in positions]

        def of_selected(*points):
            given = dict(zip(selected, points))
            return callee(fn)(*(given.get(i, a) for i, a in enumerate(args)))

        variables = [args[p] for p in selected]
        check_variables(variables, "argument")
        rows, aux = derivatives(current_trace(), of_selected, variables, has_aux)
        return (_arranged(rows), *aux) if has_aux else _arranged(rows)

    return Transformed(traced, f"{name} of {name_of(fn)}")


def _arranged(rows: list):
    """Rows of derivatives, one for each output with an entry for each argument, as MindSpore returns them."""
    if len(rows[0]) == 1:
        return rows[0][0] if len(rows) == 1 else tuple(row[0] for row in rows)
    return tuple(rows[0]) if len(rows) == 1 else tuple(map(tuple, rows))


def _forward(trace: Trace, fn, variables, has_aux: bool) -> tuple:
    """One tangent for each element of each argument."""
    points = [trace.node_of(v) for v in variables]
    size, basis = _basis(points)
    examples = Examples(trace, size)
    tangents = [examples.example(b) for b in basis]
    with examples.recording():
        _, pushed, *aux = push_forward(fn, variables, tangents, has_aux)
        pushed = [examples.trace.node_of(t) for t in float_tensors(pushed)]
    values, aux = _lifted(trace, examples, pushed, aux)
    rows = [[trace.record(reshape(move_axis(part, 0, part.rank - 1), shape=(*part.shape[1:], *x.shape)))
             for part, x in zip(_parts(value.spread(size), points), points)] for value in values]
    return rows, aux


def _reverse(trace: Trace, fn, variables, has_aux: bool) -> tuple:
    """One cotangent for each element of each output."""
    examples = Examples(trace, None)
    with examples.recording():
        inside = examples.trace
        points = points_of(inside, variables, "argument")
        outputs, aux = call_with_aux(fn, points, has_aux)
        results = [inside.node_of(y) for y in float_tensors(outputs)]
        examples.size, basis = _basis(results)
        total = inner_product((y, examples.example(b).node) for y, b in zip(results, basis))
        pulled = [g.node for g in inside.gradient(total, None, [p.node for p in points])]
    values, aux = _lifted(trace, examples, pulled, aux)
    columns = [[trace.record(reshape(part, shape=(*y.shape, *part.shape[1:])))
                for part, y in zip(_parts(value.spread(examples.size), results), results)] for value in values]
    return list(zip(*columns)), aux


def _lifted(trace: Trace, examples: Examples, derivatives: list, aux) -> tuple:
    """The derivatives for all directions, as Values; the auxiliary outputs, which no direction changes."""
    tensors: list = []
    structure = take_apart(aux, tensors)
    values = examples.values([*derivatives, *(examples.trace.node_of(t) for t in tensors)])
    rest = [trace.record(v.node) for v in values[len(derivatives):]]
    return values[:len(derivatives)], put_together(structure, rest)


def _basis(nodes) -> tuple:
    """(the number of all elements of `nodes`, for each node its parts of the unit vectors: [number, *its shape])."""
    total, start, parts = sum(product(n.shape) for n in nodes), 0, []
    for n in nodes:
        shape = (total, product(n.shape))
        column = add(iota(shape=shape, axis=1, dtype=int64), ir.const(start, int64))
        unit = cast(eq(iota(shape=shape, axis=0, dtype=int64), column), dtype=n.dtype)
        parts.append(reshape(unit, shape=(total, *n.shape)))
        start += shape[1]
    return total, parts


def _parts(rows: Node, nodes):
    """The rows of the unit vectors of each of `nodes`."""
    start = 0
    for n in nodes:
        count = product(n.shape)
        yield slice_(rows, begin=(start,) + (0,) * (rows.rank - 1), size=(count, *rows.shape[1:]),
                     stride=(1,) * rows.rank)
        start += count
