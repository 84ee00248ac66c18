"""Runs of equal elements, and reductions over the elements that share a segment."""
from __future__ import annotations

import numpy as np

from graphcore.ops.functional.arguments import (
    Tensor,
    axis_of,
    cast,
    dt,
    number_of,
    tensor_of,
)
from graphcore.ops.functional.arithmetic import div, maximum, mul
from graphcore.ops.functional.comparison import equal, where
from graphcore.ops.functional.creation import zeros_like
from graphcore.ops.functional.indexing import gather, unsorted_segment_sum
from graphcore.ops.functional.shaping import (
    moveaxis,
    ravel,
    reshape,
)
from graphcore.ops.host import on_host

__all__ = ["unique_consecutive", "unsorted_segment_max", "unsorted_segment_min", "unsorted_segment_prod"]


def unique_consecutive(input, return_inverse=False, return_counts=False, dim=None, *, return_idx=None, axis=None):
    """The elements (or slices along `dim`) that differ from the one before; then the number of each element's, and how
    many each stands for.  In a graph, the values of `input` must be constants."""
    x = tensor_of(input, "unique_consecutive")
    return_inverse = return_inverse if return_idx is None else return_idx
    dim = axis if dim is None else dim
    along = 0 if dim is None else axis_of(dim, x.ndim, "unique_consecutive")
    flat = ravel(x) if dim is None else moveaxis(x, along, 0)
    values = flat.asnumpy()
    rows = values.reshape(len(values), -1) if len(values) else values.reshape(0, 1)
    first = np.concatenate([[True], (rows[1:] != rows[:-1]).any(1)])[:len(rows)]
    places = np.flatnonzero(first)
    result = gather(flat, Tensor(places, dt.int32), 0)
    found = [result if dim is None else moveaxis(result, 0, along)]
    kind = dt.int64
    if return_inverse:
        inverse = np.cumsum(first) - 1
        found.append(Tensor(inverse.reshape(x.shape) if dim is None else inverse, kind))
    if return_counts:
        found.append(Tensor(np.diff(np.append(places, len(rows))), kind))
    return found[0] if len(found) == 1 else tuple(found)


def _segments(name, combine, start):
    """A function that combines the slices of each segment, computed by NumPy's ``ufunc.at``."""
    def segments(x, segment_ids, num_segments):
        x, ids = tensor_of(x, name), tensor_of(segment_ids, name)
        count = number_of(num_segments, name)
        inner = x.shape[ids.ndim:]

        def compute(values, places):
            values, places = values.reshape(-1, *inner), places.ravel()
            result = np.full((count, *inner), start(x.dtype), values.dtype)
            combine.at(result, places[places >= 0], values[places >= 0])
            return result

        def gradient(i, y, g):
            flat_ids = ravel(i[1])
            inside = reshape(flat_ids >= 0, (-1,) + (1,) * len(inner))
            spots = maximum(flat_ids, 0)
            values = reshape(i[0], (-1, *inner))
            result, arriving = (gather(t, spots, 0) for t in (y[0], g[0]))
            if combine is np.multiply:
                found = mul(arriving, div(result, where(equal(values, 0), 1.0, values)))
            else:
                winner = cast(equal(values, result), x.dtype)
                ties = gather(unsorted_segment_sum(winner, flat_ids, count), spots, 0)
                found = mul(arriving, div(winner, maximum(ties, 1.0)))
            return [reshape(where(inside, found, zeros_like(found)), i[0].shape), None]
        return on_host(name, compute, [x, ids], [(x.dtype, (count, *inner))], gradient if x.dtype.is_float else None)
    segments.__name__ = segments.__qualname__ = name
    segments.__doc__ = (
        f"The {name.rsplit('_', 1)[1]} of the slices that belong to each of `num_segments` segments.\n\n"
        "    segment_ids: integer Tensor, of the first axes of `x`; negative ones belong to none.\n    ")
    return segments


def _lowest(dtype):
    return -np.finfo(dtype.storage).max if dtype.is_float else np.iinfo(dtype.storage).min


def _highest(dtype):
    return np.finfo(dtype.storage).max if dtype.is_float else np.iinfo(dtype.storage).max


unsorted_segment_max = _segments("unsorted_segment_max", np.maximum, _lowest)
unsorted_segment_min = _segments("unsorted_segment_min", np.minimum, _highest)
unsorted_segment_prod = _segments("unsorted_segment_prod", np.multiply, lambda dtype: 1)
