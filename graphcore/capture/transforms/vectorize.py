"""``vmap``: a function of one example becomes a function of a batch of them."""
from __future__ import annotations

from graphcore.capture import failures
from graphcore.capture.language import callee
from graphcore.capture.language.nests import NUMBERS, put_together, take_apart
from graphcore.capture.location import locate
from graphcore.capture.trace import current_trace
from graphcore.capture.transforms.calling import Transformed, name_of
from graphcore.capture.transforms.examples import Examples
from graphcore.errors import CaptureError
from graphcore.ops.batching.values import Value, move_axis
from graphcore.tensor import Tensor


@failures.shows_users_frames
def vmap(fn, in_axes=0, out_axes=0):
    """A function that does for each example of a batch what `fn` does for one.

    fn: a function or Cell of Tensors; or a CellList, of which cell i takes example i.
    in_axes: the axis of each positional argument along which the examples stand: an int for all of them, or a tuple or
    list with an int or None (shared by all examples) for each argument; for an argument that is a tuple or list, an
    entry may be a tuple or list again.  Numbers and keyword arguments are shared.
    out_axes: where the axis of the examples stands in each output, likewise; None for an output that is the same for
    all examples.
    Random operators draw other numbers for each example.

    Raises RuntimeError if the axes are no ints or None, are None throughout, do not match the arguments or outputs, are
    out of range, or have different sizes.
    """
    _check_axes("in_axes", in_axes)
    _check_axes("out_axes", out_axes)
    mapped = _Mapped(fn, in_axes, out_axes)
    return Transformed(mapped.traced, f"vmap of {name_of(fn)}")


def _refuse(message: str):
    raise locate(CaptureError(message))


def _check_axes(name: str, axes) -> None:
    entries: list = []
    take_apart(axes, entries, lambda v: not isinstance(v, (list, tuple)))
    for entry in entries:
        if entry is not None and (isinstance(entry, bool) or not isinstance(entry, int)):
            _refuse(f"{name} of vmap holds ints and None, got {entry!r}")
    if all(entry is None for entry in entries):
        _refuse(f"{name} of vmap is None throughout; give the axis of the examples for at least one "
                f"{'argument' if name == 'in_axes' else 'output'}")


class _Mapped:
    """What `vmap` returns, as a function that runs in a capture."""

    def __init__(self, fn, in_axes, out_axes):
        self.fn, self.in_axes, self.out_axes = fn, in_axes, out_axes

    def traced(self, *args, **kwargs):
        trace = current_trace()
        pairs = _pairs("in_axes", self.in_axes, args)
        size = self._size(trace, pairs)
        if _is_cell_list(self.fn):
            return self._ensemble(trace, args, kwargs, pairs, size)
        examples = Examples(trace, size)
        structure = take_apart(args, [], _is_leaf)
        with examples.recording():
            inside = [value if axis is None else examples.example(_first(trace.node_of(value), axis))
                      for value, axis in pairs]
            result = callee(self.fn)(*put_together(structure, inside), **kwargs)
            pairs = _pairs("out_axes", self.out_axes, result)
            outputs = [examples.trace.node_of(value) for value, _ in pairs]
        values = examples.values(outputs)
        tensors = [trace.record(_placed(value, axis, size)) for value, (_, axis) in zip(values, pairs)]
        return put_together(take_apart(result, [], _is_leaf), tensors)

    def _size(self, trace, pairs):
        sizes = {}
        for value, axis in pairs:
            if axis is not None:
                shape = trace.node_of(value).shape
                if not -len(shape) <= axis < len(shape):
                    _refuse(f"axis {axis} in in_axes of vmap is out of range for an argument of shape {shape}")
                sizes.setdefault(shape[axis], shape)
        if not sizes:
            _refuse("vmap got no Tensor with an axis of examples; give one, or call the function itself")
        if len(sizes) > 1:
            _refuse("the arguments of vmap have different numbers of examples: "
                    + ", ".join(f"{size} (shape {shape})" for size, shape in sizes.items()))
        return next(iter(sizes))

    def _ensemble(self, trace, args, kwargs, pairs, size):
        """Cell i on example i; the results are stacked."""
        from graphcore.ops import functional as F
        cells = list(self.fn)
        if len(cells) != size:
            _refuse(f"vmap of a CellList of {len(cells)} cells got {size} examples; their numbers must agree")
        structure, results = take_apart(args, [], _is_leaf), []
        for i, cell in enumerate(cells):
            inside = [value if axis is None else trace.record(_first(trace.node_of(value), axis))[i]
                      for value, axis in pairs]
            results.append(cell(*put_together(structure, inside), **kwargs))
        pairs = [_pairs("out_axes", self.out_axes, result) for result in results]
        stacked = [column[0][0] if column[0][1] is None else F.stack([v for v, _ in column], column[0][1])
                   for column in zip(*pairs)]
        return put_together(take_apart(results[0], [], _is_leaf), stacked)


def _is_cell_list(fn) -> bool:
    from graphcore.nn import CellList
    return isinstance(fn, CellList)


def _is_leaf(value) -> bool:
    return isinstance(value, (Tensor, *NUMBERS))


def _pairs(name: str, axes, values) -> list:
    """(value, its axis or None) for each Tensor and number in a nest; numbers given to the function have no axis."""
    if axes is None or isinstance(axes, int):
        leaves: list = []
        take_apart(values, leaves, _is_leaf)
        return [(v, axes if isinstance(v, Tensor) or name == "out_axes" else None) for v in leaves]
    if not isinstance(values, (list, tuple)):
        values = (values,)
    if len(axes) != len(values):
        _refuse(f"{name} of vmap has {len(axes)} entries for {len(values)} "
                f"{'arguments' if name == 'in_axes' else 'outputs'}")
    return [pair for a, v in zip(axes, values) for pair in _pairs(name, a, v)]


def _first(node, axis: int):
    """A node with the axis of the examples in front."""
    return move_axis(node, axis % node.rank, 0)


def _placed(value: Value, axis, size):
    """The node of an output with the axis of the examples where `axis` wants it."""
    if axis is None:
        if value.batched:
            _refuse("None in out_axes of vmap, but the output differs from example to example; give an axis")
        return value.node
    rank = value.rank + 1
    if not -rank <= axis < rank:
        _refuse(f"axis {axis} in out_axes of vmap is out of range for an output of {rank} axes")
    return move_axis(value.spread(size), 0, axis % rank)
