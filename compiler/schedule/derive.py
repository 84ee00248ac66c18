"""Inference: what depends on Parameters alone is computed once and kept.

Folding BatchNorm into weights, packing weights for the kernels: launches that read nothing but Parameters and constants
form a prologue.  Its results are kept between calls and computed again when a Parameter has changed.
"""
from __future__ import annotations

from dataclasses import dataclass

from graphcore.compiler.lower import Lowered


@dataclass(frozen=True)
class Split:
    """launches: of every call; prologue: of the first, and after a change; derived: the buffers passed between them."""

    launches: list
    prologue: list
    derived: list


def split_launches(lowered: Lowered, writes_parameters: bool) -> Split:
    """Split the launches of a graph; one that writes Parameters is left whole."""
    if writes_parameters:
        return Split(list(lowered.launches), [], [])
    fixed = _fixed_launches(lowered)
    prologue = [entry for entry, is_fixed in zip(lowered.launches, fixed) if is_fixed]
    rest = [entry for entry, is_fixed in zip(lowered.launches, fixed) if not is_fixed]
    made = dict.fromkeys(b for entry in prologue for b in entry.writes)
    read = {b for entry in rest for b in entry.reads}
    return Split(rest, prologue, [b for b in made if b in read])


def _fixed_launches(lowered: Lowered) -> list:
    """For each launch, whether all that it reads depends on Parameters alone, and nobody else writes what it writes."""
    always = {b for b, e in lowered.externals.items() if e.kind in ("param", "const")}
    launches = lowered.launches
    fixed = [not any(b in lowered.externals for b in entry.writes) for entry in launches]
    changed = True
    while changed:
        changed = False
        unfixed = {b for entry, is_fixed in zip(launches, fixed) if not is_fixed for b in entry.writes}
        for i, entry in enumerate(launches):
            if fixed[i] and (any(b in unfixed or b in lowered.externals and b not in always for b in entry.reads)
                             or any(b in unfixed for b in entry.writes)):
                fixed[i], changed = False, True
                unfixed.update(entry.writes)
    return fixed
