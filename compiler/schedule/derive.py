"""Launches that need not run where they stand.

Inference: what depends on Parameters and constants alone (folding BatchNorm into weights, packing weights for the
kernels) forms a prologue, whose results are kept between calls and computed again when a Parameter has changed.
Loops: what is the same in every iteration (packing weights, again) is done once, before the loop.
"""
from __future__ import annotations

from dataclasses import dataclass

from graphcore.compiler.control import Repeat, While, launches_in, varying, walk, with_bodies
from graphcore.compiler.lower import Lowered


@dataclass(frozen=True)
class Split:
    """entries: of every call; prologue: of the first, and after a change; derived: the buffers passed between them."""

    entries: list
    prologue: list
    derived: list


def split_launches(lowered: Lowered, writes_parameters: bool) -> Split:
    """Move launches out of loops, then split off the prologue; a graph that writes Parameters has none."""
    entries = _hoist(lowered.entries, set(lowered.externals))
    if writes_parameters:
        return Split(entries, [], [])
    always = {b for b, e in lowered.externals.items() if e.kind in ("param", "const")}
    fixed = _fixed(entries, {b for b in lowered.externals if b not in always}, set(lowered.externals))
    rest = _without(entries, fixed)
    prologue = [entry for entry in launches_in(entries) if id(entry) in fixed]
    made = dict.fromkeys(b for entry in prologue for b in entry.writes)
    read = {b for entry in walk(rest) for b in entry.reads}
    read |= {b for entry in walk(rest) for b in getattr(entry, "elements", {}).values()}
    return Split(rest, prologue, [b for b in made if b in read])


def _hoist(entries, externals: set) -> list:
    """The entries with what is the same in all iterations of a loop in front of it."""
    result = []
    for entry in entries:
        entry = with_bodies(entry, lambda body: _hoist(body, externals))
        if isinstance(entry, (While, Repeat)):
            fixed = _fixed((entry,), set(), externals)
            result += [launch for launch in launches_in((entry,)) if id(launch) in fixed]
            (entry,) = _without((entry,), fixed)
        result.append(entry)
    return result


def _fixed(entries, changing: set, externals: set) -> set:
    """The ids of launches whose results depend on nothing that changes: all that they read and write is theirs alone.

    changing: buffers whose content changes; those that the control flow in `entries` changes come on top.
    """
    launches = launches_in(entries)
    moving = {id(entry): entry for entry in launches}
    unfixed = changing | varying(entries)
    pinned = externals | varying(entries)
    while True:
        stay = [entry for entry in moving.values()
                if any(b in pinned or b in unfixed for b in entry.writes) or any(b in unfixed for b in entry.reads)]
        if not stay:
            return set(moving)
        for entry in stay:
            del moving[id(entry)]
            unfixed.update(entry.writes)


def _without(entries, fixed: set) -> list:
    return [with_bodies(entry, lambda body: _without(body, fixed)) for entry in entries if id(entry) not in fixed]
