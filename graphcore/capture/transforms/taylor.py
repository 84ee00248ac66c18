"""``jet`` and ``derivative``: higher derivatives along a curve; ``linearize``: a function's tangent as a function."""
from __future__ import annotations

import math

from graphcore.capture.location import locate
from graphcore.capture.transforms.products import jvp
from graphcore.errors import ShapeError
from graphcore.tensor import Tensor


def jet(fn, primals, series):
    """(fn(primals), its first derivatives along a curve: as many as the curve has terms).

    primals: a float Tensor or a tuple of them, where the curve begins; series: of the same form, [order, ...] each: the
    derivatives of the curve there.  The second result has [order, ...] for each output of `fn`.
    Raises ValueError where their numbers or shapes differ.
    """
    single = isinstance(primals, Tensor)
    points, terms = ((primals,), (series,)) if single else (tuple(primals), tuple(series))
    if len(points) != len(terms) or not points:
        raise locate(ShapeError(f"jet takes as many series as primals, got {len(terms)} for {len(points)}"))
    order = terms[0].shape[0] if terms[0].ndim else 0
    for point, term in zip(points, terms):
        if term.shape != (order, *point.shape) or not order:
            raise locate(ShapeError(f"jet: the series of a primal of shape {point.shape} has shape (order, *shape), "
                                    f"got {term.shape}"))
    zero, one = Tensor(0.0, points[0].dtype), Tensor(1.0, points[0].dtype)

    def along(t):
        moved = []
        for point, term in zip(points, terms):
            for k in range(order):
                point = point + term[k] * t ** (k + 1) * (1.0 / math.factorial(k + 1))
            moved.append(point)
        return fn(*moved)

    outputs, found, function = fn(*points), [], along
    for _ in range(order):
        function = _derivative_of(function, one)
        found.append(function(zero))
    return outputs, _stacked(found)


def derivative(fn, primals, order):
    """(fn(primals), its derivative of an order in the direction of ones); primals: a float Tensor or a tuple of them.

    Raises ValueError unless the order is 1 or more.
    """
    from graphcore.ops import functional as F
    if isinstance(order, bool) or not isinstance(order, int) or order < 1:
        raise locate(ShapeError(f"derivative: order is an int of 1 or more, got {order!r}"))

    def straight(point):
        return F.concat([F.ones_like(F.expand_dims(point, 0)), F.zeros((order - 1, *point.shape), point.dtype)], 0)
    single = isinstance(primals, Tensor)
    outputs, series = jet(fn, primals, straight(primals) if single else tuple(map(straight, primals)))
    return outputs, tuple(s[-1] for s in series) if isinstance(series, tuple) else series[-1]


def linearize(fn, inputs):
    """(fn(inputs), a function that gives the derivative at `inputs` in the direction that it is called with).

    inputs: a float Tensor or a tuple of them; the function takes its direction in the same form.
    """
    outputs = fn(inputs) if isinstance(inputs, Tensor) else fn(*inputs)

    def along(v):
        return jvp(fn, inputs, v)[1]
    return outputs, along


def _derivative_of(function, one):
    def derived(t):
        return jvp(function, t, one)[1]
    return derived


def _stacked(found: list):
    from graphcore.ops import functional as F
    if isinstance(found[0], Tensor):
        return F.stack(found, 0)
    return tuple(F.stack(parts, 0) for parts in zip(*found))
