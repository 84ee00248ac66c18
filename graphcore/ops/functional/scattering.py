"""Writing slices and elements of Parameters: ``scatter_add`` and its relatives.

Each gives the new value, as a Tensor: that with the updates combined at the indices.  In a graph it is an entry of
`updates`, as for `assign`; outside it is written at once.
"""
from __future__ import annotations

import numpy as np

from graphcore.ops.functional.arguments import cast, dt, shape_error, tensor_of
from graphcore.ops.functional.arithmetic import div, maximum, mul
from graphcore.ops.functional.comparison import equal, where
from graphcore.ops.functional.creation import copied
from graphcore.ops.functional.indexing import (
    gather_nd,
    index_add,
    scatter_nd,
    tensor_scatter_add,
    tensor_scatter_sub,
    tensor_scatter_update,
)
from graphcore.ops.functional.shaping import expand_dims, moveaxis
from graphcore.ops.host import on_host
from graphcore.ops.state import assign

_COMBINED = {"mul": np.multiply, "div": np.divide, "max": np.maximum, "min": np.minimum}
__all__ = ["scatter_update", "scatter_add", "scatter_sub", "scatter_mul", "scatter_div", "scatter_max", "scatter_min",
           "scatter_nd_add", "scatter_nd_sub", "scatter_nd_mul", "scatter_nd_div", "scatter_nd_max", "scatter_nd_min",
           "tensor_scatter_mul", "tensor_scatter_div", "tensor_scatter_max", "tensor_scatter_min",
           "inplace_index_add", "index_copy"]


def written(variable, value):
    """Assign a Parameter; the Tensor that it now holds, as MindSpore's primitives give it."""
    return copied(assign(variable, value))


def _combined(name: str, x, indices, updates):
    """`x` with `updates` combined at the points of `indices` (..., axes), one after another."""
    x, indices = tensor_of(x, name), tensor_of(indices, name)
    updates = cast(tensor_of(updates, name), x.dtype)
    depth = indices.shape[-1]
    if updates.shape != (*indices.shape[:-1], *x.shape[depth:]):
        raise shape_error(f"{name}: updates of shape {updates.shape} for indices {indices.shape} into {x.shape}; they "
                          f"have the shape {(*indices.shape[:-1], *x.shape[depth:])}")
    combine = _COMBINED[name.rsplit("_", 1)[1]]

    def compute(values, places, given):
        result = values.copy()
        combined = combine if combine is not np.divide or result.dtype.kind == "f" else np.floor_divide
        combined.at(result, tuple(np.moveaxis(places, -1, 0)), given)
        return result

    def gradient(i, y, g):
        of_x, of_updates = _GRADIENTS[combine](*i, y[0], g[0])
        return [of_x, None, of_updates]
    return on_host(name, compute, [x, indices, updates], [(x.dtype, x.shape)], gradient if x.dtype.is_float else None)


def _of_extremes(x, indices, updates, y, g):
    """What arrives goes to the value that won; those that are equal share it."""
    kept, won = cast(equal(x, y), x.dtype), cast(equal(updates, gather_nd(y, indices)), x.dtype)
    share = div(g, maximum(kept + scatter_nd(indices, won, x.shape), 1.0))
    return mul(share, kept), mul(gather_nd(share, indices), won)


def _of_products(x, indices, updates, y, g):
    """Updates of zero apart: the product without one is not the quotient, and is zero itself if there are two."""
    zero = equal(updates, 0)
    others = where(zero, 1.0, updates)
    zeros = gather_nd(scatter_nd(indices, cast(zero, x.dtype), x.shape), indices)
    without = gather_nd(mul(g, tensor_scatter_mul(x, indices, others)), indices)
    return (tensor_scatter_mul(g, indices, updates),
            where(zero, mul(without, cast(equal(zeros, 1), x.dtype)), div(gather_nd(mul(g, y), indices), others)))


def _of_quotients(x, indices, updates, y, g):
    return tensor_scatter_div(g, indices, updates), div(gather_nd(mul(g, -y), indices), updates)


_GRADIENTS = {np.maximum: _of_extremes, np.minimum: _of_extremes, np.multiply: _of_products, np.divide: _of_quotients}


def _tensor_scatter(kind):
    name = f"tensor_scatter_{kind}"

    def scattered(input_x, indices, updates):
        return _combined(name, input_x, indices, updates)
    scattered.__name__ = scattered.__qualname__ = name
    scattered.__doc__ = (f"`input_x` with its elements at `indices` (..., axes) combined with `updates` by {kind}; the "
                         "same place may come several times.\n\n    Raises ShapeError if the shapes do not fit.\n    ")
    return scattered


tensor_scatter_mul, tensor_scatter_div, tensor_scatter_max, tensor_scatter_min = map(
    _tensor_scatter, ("mul", "div", "max", "min"))
_BY_KIND = {"update": tensor_scatter_update, "add": tensor_scatter_add, "sub": tensor_scatter_sub,
            "mul": tensor_scatter_mul, "div": tensor_scatter_div, "max": tensor_scatter_max, "min": tensor_scatter_min}


def _scatter(kind, by_points):
    combine = _BY_KIND[kind]
    name = f"scatter_nd_{kind}" if by_points else f"scatter_{kind}"

    def scatter(input_x, indices, updates, use_locking=True):
        places = tensor_of(indices, name)
        return written(input_x, combine(input_x, places if by_points else expand_dims(places, -1), updates))
    scatter.__name__ = scatter.__qualname__ = name
    where = "elements at the points `indices` (..., axes)" if by_points else "rows at `indices`"
    scatter.__doc__ = (
        f"A Parameter with its {where} combined with `updates` by {kind}; returns the new value.\n\n"
        "    Raises ShapeError if the shapes do not fit, DTypeError unless `input_x` is a Parameter.\n    ")
    return scatter


scatter_update, scatter_add, scatter_sub, scatter_mul, scatter_div, scatter_max, scatter_min = (
    _scatter(kind, False) for kind in _BY_KIND)
scatter_nd_add, scatter_nd_sub, scatter_nd_mul, scatter_nd_div, scatter_nd_max, scatter_nd_min = (
    _scatter(kind, True) for kind in ("add", "sub", "mul", "div", "max", "min"))


def inplace_index_add(var, indices, updates, axis):
    """A Parameter with slices of `updates` added at `indices` along an axis; returns the new value."""
    return written(var, index_add(var, cast(tensor_of(indices, "inplace_index_add"), dt.int32), updates, axis))


def index_copy(input, dim, index, tensor):
    """`input` with the slices of `tensor` at the places `index`, a vector of ints, along `dim`."""
    x, places = tensor_of(input, "index_copy"), tensor_of(index, "index_copy")
    rows = moveaxis(cast(tensor_of(tensor, "index_copy"), x.dtype), dim, 0)
    return moveaxis(tensor_scatter_update(moveaxis(x, dim, 0), expand_dims(places, -1), rows), 0, dim)
