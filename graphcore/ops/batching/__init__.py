"""Batching: graphs that do for a batch of examples what a graph does for one.

`batch` rebuilds a graph on values that may have a batch axis in front.  What depends on none of them stays as it is;
every operator else follows its rule (one paragraph for each operator, in the modules named after the kinds), and an
operator without a rule runs in a loop over the examples.
"""
from graphcore.ops.batching import elementwise, indexing, linear, ordering, views, windows  # noqa: F401  their rules
from graphcore.ops.batching.engine import batch
from graphcore.ops.batching.values import Value

__all__ = ["Value", "batch"]
