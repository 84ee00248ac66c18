"""The state of an optimiser shared among processes: each keeps and updates its part of every large enough Parameter.

An optimiser is given stand-ins for the own parts of such Parameters, makes its state in their likeness and updates
them.  Around it the gradients are cut (a sum of gradients over all processes becomes a reduce-scatter) and the
Parameters put together again (all-gather).  Stand-ins take up no memory in a compiled program.
"""
from __future__ import annotations

from collections.abc import Iterable

from graphcore import ops
from graphcore.initializer import Zero
from graphcore.lazy import MetaTensor, Recipe
from graphcore.ops.functional.communication import all_gather, own_part
from graphcore.ops.transport import WORLD, group_rank, group_size
from graphcore.parallel import bucket_bytes, get_auto_parallel_context, is_data_parallel
from graphcore.parameter import Parameter
from graphcore.parameter_tuple import ParameterTuple
from graphcore.parts import PartOf

#: KiB from which on a Parameter is shared, unless `parallel_optimizer_config` says otherwise.
THRESHOLD = 64
_PREFIX = "own_part."


class Parts(ParameterTuple):
    """Stand-ins for the own parts of Parameters, and the Parameters that stay whole, in their order."""

    def clone(self, prefix, init="same") -> ParameterTuple:
        """State in their likeness, called ``prefix.name`` after the whole Parameters."""
        clones = super().clone(prefix, init)
        for clone in clones:
            if clone.part_of is not None:
                clone.name = clone.name.replace(_PREFIX, "", 1)
                clone.part_of = clone.part_of.kept()
        return clones


class Sharding:
    """What an optimiser does before and after its update."""

    def __init__(self, wholes: tuple, parts: Parts):
        self.wholes, self.parts = wholes, parts
        self.fuse = bucket_bytes("allgather")
        self.places = tuple(i for i, p in enumerate(parts) if p.part_of is not None)

    def begin(self, gradients: tuple) -> tuple:
        """(gradients, cut to the own parts; what `end` needs): the stand-ins have the values of their Parameters."""
        cut, before = list(gradients), []
        for i in self.places:
            cut[i] = own_part(cut[i])
            before.append(self.parts[i].value())
            ops.assign(self.parts[i], own_part(self.wholes[i].value()))
        return tuple(cut), before

    def end(self, before: list) -> None:
        """Put the updated parts of all processes together; the stand-ins are as they were, so nothing stores them."""
        for i, value in zip(self.places, before):
            ops.assign(self.wholes[i], all_gather(self.parts[i].value(), fuse=self.fuse))
            ops.assign(self.parts[i], value)


def sharding_of(parameters: Iterable) -> Sharding | None:
    """How the parallel context lets processes share the state of these Parameters; None if they do not."""
    if not get_auto_parallel_context("enable_parallel_optimizer") or group_size() == 1 \
            or not is_data_parallel():
        return None
    limit = get_auto_parallel_context("parallel_optimizer_config").get("parallel_optimizer_threshold", THRESHOLD)
    wholes = tuple(parameters)
    parts = Parts(_stand_in(p) if _is_shared(p, limit * 1024) else p for p in wholes)
    found = Sharding(wholes, parts)
    return found if found.places else None


def _is_shared(parameter, limit: int) -> bool:
    """Whether a Parameter is large enough, can be divided, and may be."""
    return (parameter.parallel_optimizer and not parameter.layerwise_parallel and parameter.ndim > 0
            and parameter.shape[0] % group_size() == 0 and parameter.size * parameter.dtype.itemsize >= limit)


def _stand_in(whole) -> Parameter:
    shape = (whole.shape[0] // group_size(), *whole.shape[1:])
    empty = MetaTensor(Recipe(Zero(), shape, whole.dtype, seed=0))      # draws no seed: values made later stay the same
    part = Parameter(empty, name=_PREFIX + whole.name)
    part.sliced, part.part_of = True, PartOf(group_rank(), group_size(), WORLD, stands_in=True)
    return part
