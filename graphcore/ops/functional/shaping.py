"""The shape of a tensor, and the same elements under another shape or order."""
from __future__ import annotations

from graphcore.ir.dims import product
from graphcore.ops import view as records
from graphcore.ops.functional.arguments import (
    Tensor,
    also_named,
    apply,
    axes_of,
    axis_of,
    cast,
    dt,
    ints_of,
    number_of,
    shape_error,
    tensor_of,
)
from graphcore.ops.record import broadcast_shapes

__all__ = [
    "shape", "size", "numel", "rank", "dtype", "type_as", "reshape", "view_as", "flatten", "ravel", "expand_dims",
    "unsqueeze", "squeeze", "atleast_1d", "atleast_2d", "atleast_3d", "transpose", "permute", "swapaxes",
    "swapdims", "moveaxis", "movedim", "t", "adjoint", "flip", "reverse", "fliplr", "flipud", "rot90",
    "broadcast_to", "expand", "expand_as", "broadcast_tensors", "tile", "repeat_elements", "repeat_interleave",
]


def shape(input_x) -> tuple:
    """The sizes of a Tensor's axes: ints, or symbolic sizes in a capture with unknown sizes."""
    return tensor_of(input_x, "shape").shape


def size(input_x):
    """The number of elements of a Tensor."""
    return tensor_of(input_x, "size").size


numel = size


def rank(input_x) -> int:
    """The number of axes of a Tensor."""
    return tensor_of(input_x, "rank").ndim


def dtype(x) -> dt.DType:
    """The element type of a Tensor."""
    return tensor_of(x, "dtype").dtype


def cast_to(input, dtype):
    """`input` converted to `dtype`: floats to integers by truncation, to bool by ``!= 0``.

    Raises TypeError for what is not a dtype.
    """
    return cast(tensor_of(input, "cast"), dt.as_dtype(dtype))


def type_as(input, other):
    """`input` converted to the dtype of `other`."""
    return cast(tensor_of(input, "type_as"), other.dtype)


# -- reshaping --------------------------------------------------------------------------------------------

def reshape(input, shape):
    """The same elements, row-major, under another shape; one size may be -1, to be worked out.

    Raises ShapeError (a ValueError) if the number of elements differs.
    """
    x = tensor_of(input, "reshape")
    return apply(records.reshape, x, shape=whole_shape(x, ints_of(shape, "reshape: the shape")))


def whole_shape(x: Tensor, shape: tuple) -> tuple:
    """`shape` with its -1 replaced by the size that is left over."""
    unknown = [i for i, s in enumerate(shape) if isinstance(s, int) and s == -1]
    if not unknown:
        return shape
    if len(unknown) > 1:
        raise shape_error(f"reshape: only one size can be -1, got {shape}")
    known = product(s for i, s in enumerate(shape) if i != unknown[0])
    if isinstance(known, int) and known == 0:
        raise shape_error(f"reshape: the size -1 in {shape} is ambiguous, the others have no elements")
    try:
        left_over = x.size // known
    except ValueError:
        left_over = None
    if left_over is None or left_over * known != x.size:
        raise shape_error(f"reshape: the {x.size} elements of a tensor of shape {x.shape} do not divide into {shape}")
    return tuple(left_over if i == unknown[0] else s for i, s in enumerate(shape))


def view_as(input, other):
    """`input` in the shape of `other`."""
    return reshape(input, other.shape)


def flatten(input, order="C", *, start_dim=1, end_dim=-1):
    """The axes from start_dim to end_dim made one.

    order: "C" (row-major) or "F" (column-major).  Raises ValueError for another order or axes out of range.
    """
    x = tensor_of(input, "flatten")
    if order not in ("C", "F"):
        raise shape_error(f"flatten: order must be 'C' or 'F', got {order!r}")
    if order == "F":
        x = transpose(x, tuple(reversed(range(x.ndim))))
    if x.ndim == 0:
        return reshape(x, (1,))
    if x.ndim == 1 and start_dim == 1:
        return x
    first, last = axis_of(start_dim, x.ndim, "flatten"), axis_of(end_dim, x.ndim, "flatten")
    if first > last:
        raise shape_error(f"flatten: start_dim {start_dim} comes after end_dim {end_dim}")
    return reshape(x, x.shape[:first] + (product(x.shape[first:last + 1]),) + x.shape[last + 1:])


def ravel(input):
    """All elements in one axis."""
    x = tensor_of(input, "ravel")
    return reshape(x, (x.size,))


def expand_dims(input_x, axis):
    """A new axis of size 1 at `axis` of the result; a tuple: several.  Raises ShapeError out of range."""
    x = tensor_of(input_x, "expand_dims")
    places = ints_of(axis, "expand_dims: the axis")
    new_rank = x.ndim + len(places)
    new = {axis_of(a, new_rank, "expand_dims") for a in places}
    if len(new) != len(places):
        raise shape_error(f"expand_dims: an axis is given twice in {axis}")
    old = iter(x.shape)
    return apply(records.reshape, x, shape=tuple(1 if i in new else next(old) for i in range(new_rank)))


def unsqueeze(input, dim):
    """A new axis of size 1 at `dim` of the result."""
    return expand_dims(input, dim)


def squeeze(input, axis=None):
    """Without the axes of size 1: all of them, or those named by `axis`; named axes of another size stay."""
    x = tensor_of(input, "squeeze")
    named = range(x.ndim) if axis is None else axes_of(axis, x.ndim, "squeeze") if axis != () else ()
    kept = tuple(s for i, s in enumerate(x.shape) if i not in named or s != 1)
    return x if len(kept) == x.ndim else apply(records.reshape, x, shape=kept)


def _atleast(inputs, rank, padded):
    if isinstance(inputs, (list, tuple)):
        return tuple(_atleast(x, rank, padded) for x in inputs)
    x = tensor_of(inputs, f"atleast_{rank}d")
    return x if x.ndim >= rank else reshape(x, padded(x))


def atleast_1d(inputs):
    """A Tensor (or each of a tuple) with at least one axis."""
    return _atleast(inputs, 1, lambda x: (1,))


def atleast_2d(inputs):
    """A Tensor (or each of a tuple) with at least two axes, new ones in front."""
    return _atleast(inputs, 2, lambda x: (1,) * (2 - x.ndim) + x.shape)


def atleast_3d(inputs):
    """A Tensor (or each of a tuple) with at least three axes: (n) becomes (1, n, 1), (m, n) becomes (m, n, 1)."""
    return _atleast(inputs, 3, lambda x: {0: (1, 1, 1), 1: (1, *x.shape, 1), 2: (*x.shape, 1)}[x.ndim])


# -- order of axes ----------------------------------------------------------------------------------------

@also_named(input_perm="dims", input_x="input")
def transpose(input, dims):
    """Axis i of the result is axis dims[i] of `input`.  Raises ShapeError unless `dims` names every axis once."""
    x = tensor_of(input, "transpose")
    order = tuple(axis_of(d, x.ndim, "transpose") for d in ints_of(dims, "transpose: the axes"))
    if sorted(order) != list(range(x.ndim)):
        raise shape_error(f"transpose: {tuple(dims)} must name each of the {x.ndim} axes of shape {x.shape} once")
    return x if order == tuple(range(x.ndim)) else apply(records.transpose, x, perm=order)


def permute(input, axis):
    """As `transpose`."""
    return transpose(input, axis)


def swapaxes(input, axis0, axis1):
    """Two axes exchanged."""
    x = tensor_of(input, "swapaxes")
    order = list(range(x.ndim))
    a, b = axis_of(axis0, x.ndim, "swapaxes"), axis_of(axis1, x.ndim, "swapaxes")
    order[a], order[b] = b, a
    return transpose(x, order)


def swapdims(input, dim0, dim1):
    """As `swapaxes`."""
    return swapaxes(input, dim0, dim1)


def moveaxis(x, source, destination):
    """The axes `source` moved to the places `destination`, the others keeping their order."""
    x = tensor_of(x, "moveaxis")
    source = [axis_of(a, x.ndim, "moveaxis") for a in ints_of(source, "moveaxis: source")]
    destination = [axis_of(a, x.ndim, "moveaxis") for a in ints_of(destination, "moveaxis: destination")]
    if len(source) != len(destination) or len(set(source)) != len(source) or len(set(destination)) != len(source):
        raise shape_error(f"moveaxis: source {source} and destination {destination} must name as many axes, each once")
    order = [a for a in range(x.ndim) if a not in source]
    for to, axis in sorted(zip(destination, source)):
        order.insert(to, axis)
    return transpose(x, order)


movedim = moveaxis


def t(input):
    """A matrix transposed; fewer axes as they are.  Raises ShapeError for more than two."""
    x = tensor_of(input, "t")
    if x.ndim > 2:
        raise shape_error(f"t takes a tensor of at most 2 axes, got shape {x.shape}; use swapaxes or transpose")
    return transpose(x, tuple(reversed(range(x.ndim))))


def adjoint(x):
    """The last two axes exchanged, complex numbers conjugated."""
    x = tensor_of(x, "adjoint")
    if x.dtype.is_complex:
        from graphcore.ops.functional.complex_numbers import conj
        x = conj(x)
    return swapaxes(x, -1, -2)


def flip(input, dims):
    """The elements in reverse order along the axes `dims`."""
    x = tensor_of(input, "flip")
    axes = axes_of(dims, x.ndim, "flip") if dims != () else ()
    return apply(records.slice_, x, begin=tuple(s - 1 if i in axes else 0 for i, s in enumerate(x.shape)), size=x.shape,
                 stride=tuple(-1 if i in axes else 1 for i in range(x.ndim))) if axes and 0 not in x.shape else x


def reverse(x, axis):
    """As `flip`."""
    return flip(x, axis)


def fliplr(input):
    """Columns in reverse order."""
    return flip(input, (1,))


def flipud(input):
    """Rows in reverse order."""
    return flip(input, (0,))


def rot90(input, k, dims):
    """Turned by k quarters of a circle in the plane of two axes, from the first towards the second."""
    x = tensor_of(input, "rot90")
    a, b = (axis_of(d, x.ndim, "rot90") for d in dims)
    k %= 4
    if k == 2:
        return flip(x, (a, b))
    if k == 0:
        return x
    return swapaxes(flip(x, (b,)), a, b) if k == 1 else flip(swapaxes(x, a, b), (b,))


# -- repetition -------------------------------------------------------------------------------------------

def broadcast_to(input, shape):
    """Repeated along axes of size 1 and new leading axes until it has `shape`; -1 keeps a size.

    Raises ShapeError if that is not possible.
    """
    x = tensor_of(input, "broadcast_to")
    wanted = ints_of(shape, "broadcast_to: the shape")
    lead = len(wanted) - x.ndim
    if lead < 0 or any(isinstance(s, int) and (s < -1 or s == -1 and i < lead) for i, s in enumerate(wanted)):
        raise shape_error(f"a tensor of shape {x.shape} cannot be broadcast to {wanted}")
    target = tuple(x.shape[i - lead] if i >= lead and isinstance(s, int) and s == -1 else s
                   for i, s in enumerate(wanted))
    return x if target == x.shape else apply(records.broadcast_to, x, shape=target)


def expand(input_x, size):
    """As `broadcast_to`."""
    return broadcast_to(input_x, size)


def expand_as(input, other):
    """`input` broadcast to the shape of `other`."""
    return broadcast_to(input, other.shape)


def broadcast_tensors(*tensors):
    """The Tensors broadcast to their common shape."""
    common = broadcast_shapes(*(t.shape for t in tensors))
    return tuple(broadcast_to(t, common) for t in tensors)


def tile(input, dims):
    """Repeated dims[i] times along axis i, as a whole; missing axes are added in front."""
    x = tensor_of(input, "tile")
    times = ints_of(dims, "tile: dims")
    if any(isinstance(n, int) and n < 0 for n in times):
        raise shape_error(f"tile: how often must not be negative, got {times}")
    lead = max(len(times) - x.ndim, 0)
    times = (1,) * (x.ndim - len(times)) + times
    sizes = (1,) * lead + x.shape
    if all(isinstance(n, int) and n == 1 for n in times):
        return reshape(x, sizes) if lead else x
    split = tuple(s for pair in zip((1,) * len(sizes), sizes) for s in pair)
    spread = tuple(s for pair in zip(times, sizes) for s in pair)
    return reshape(broadcast_to(reshape(x, split), spread), tuple(n * s for n, s in zip(times, sizes)))


def repeat_elements(x, rep, axis=0):
    """Each element repeated `rep` times along `axis`."""
    x, rep = tensor_of(x, "repeat_elements"), number_of(rep, "repeat_elements")
    axis = axis_of(axis, x.ndim, "repeat_elements")
    before, n, after = x.shape[:axis], x.shape[axis], x.shape[axis + 1:]
    spread = broadcast_to(reshape(x, (*before, n, 1, *after)), (*before, n, rep, *after))
    return reshape(spread, (*before, rep * n, *after))


def repeat_interleave(input, repeats, axis=None):
    """Each element repeated along `axis` (None: of the flattened tensor).

    repeats: an int, or a tuple or Tensor of known values with one int for each element along the axis.
    Raises ShapeError if their number does not fit.
    """
    x = tensor_of(input, "repeat_interleave")
    if axis is None:
        x, axis = ravel(x), 0
    times = ints_of(repeats, "repeat_interleave: repeats")
    if len(times) == 1:
        return repeat_elements(x, times[0], axis)
    axis = axis_of(axis, x.ndim, "repeat_interleave")
    if len(times) != x.shape[axis]:
        raise shape_error(f"repeat_interleave: {len(times)} repeats for an axis of size {x.shape[axis]}")
    from graphcore.ops.functional.indexing import gather
    return gather(x, Tensor([i for i, n in enumerate(times) for _ in range(n)], dt.int64), axis)
