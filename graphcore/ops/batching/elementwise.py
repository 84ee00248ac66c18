"""Rules of whole kinds: pointwise operators, reductions, markers."""
from __future__ import annotations

from graphcore.ops.batching.values import first_example, rule


@rule("pointwise")
def _pointwise(record, batch, values, attrs):
    """Examples are brought to one rank, so that broadcasting meets the batch axes only with each other."""
    rank = max(v.rank for v in values)
    return record(*(v.aligned(rank) for v in values), **attrs)


@rule("fence")
def _fence(record, batch, values, attrs):
    """All examples wait for the first one's value: those of a batch are computed together."""
    x, late = values
    return record(x.spread(batch), first_example(late) if late.batched else late.node)


@rule("random_uniform")
def _random_uniform(record, batch, values, attrs):
    """Each example draws its own numbers; keys of their own have no rule."""
    (key,) = values
    return None if key.batched else record(key.node, **{**attrs, "shape": (batch, *attrs["shape"])})


@rule("reduction")
def _reduction(record, batch, values, attrs):
    """The same axes, behind the batch axis."""
    return record(values[0].node, axes=tuple(a + 1 for a in attrs["axes"]), keepdims=attrs["keepdims"])


@rule("barrier", "stop_gradient")
def _marker(record, batch, values, attrs):
    """A mark on the whole batch."""
    return record(values[0].node, **attrs)
