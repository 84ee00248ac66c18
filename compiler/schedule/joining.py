"""Join launches of one kernel that need nothing computed in the program: packing of weights, updates of Parameters.

They move to the place of the first of them and become one launch over the items of all, so that threads are woken once.
"""
from __future__ import annotations

from itertools import groupby

from graphcore.compiler.control import with_bodies
from graphcore.compiler.launch import Launch
from graphcore.compiler.runtime.group import GROUP, group_words


def group_entries(entries, externals) -> list:
    """The entries with such groups joined, in each stretch of launches between control flow and in all bodies."""
    result: list = []
    for is_straight, stretch in groupby(entries, lambda entry: isinstance(entry, Launch)):
        if is_straight:
            result += group_launches(list(stretch), externals)
        else:
            result += [with_bodies(entry, lambda body: group_entries(body, externals)) for entry in list(stretch)]
    return result


def group_launches(launches: list, externals) -> list:
    """The launches with such groups joined; order and results are otherwise unchanged.

    externals: the buffers that belong to the caller.
    """
    members = _movable(launches, externals)
    result = []
    for number, entry in enumerate(launches):
        group = members.get(number)
        if group is None:
            result.append(entry)
        elif group[0] == number:
            result.append(_joined([launches[i] for i in group]) if len(group) > 1 else entry)
    return result


def _movable(launches: list, externals) -> dict:
    """Number of a launch → the numbers of the launches it may be joined with, first to last."""
    groups: dict = {}
    found: dict = {}
    written: set = set()
    touched: list = []                      # what each launch so far reads and writes
    for number, entry in enumerate(launches):
        reads, writes = set(entry.reads), set(entry.writes)
        if all(b in externals for b in reads) and not reads & written:
            group = groups.setdefault(entry.kernel, [])
            if group and any(writes & t for t in touched[group[0]:]):
                group = groups[entry.kernel] = []
            group.append(number)
            found[number] = group
        written |= writes
        touched.append(reads | writes)
    return found


def _joined(entries: list) -> Launch:
    first = entries[0]
    words = group_words(first.kernel, [e.words for e in entries], [e.items for e in entries])
    items, flops, moved = (sum((getattr(e, name) for e in entries[1:]), getattr(first, name))
                           for name in ("items", "flops", "bytes"))
    grains = [e.grain for e in entries if isinstance(e.grain, int)]
    return Launch(GROUP, words, items, min(grains, default=1),
                  tuple(dict.fromkeys(b for e in entries for b in e.reads)),
                  tuple(dict.fromkeys(b for e in entries for b in e.writes)),
                  tuple(n for e in entries for n in e.nodes), flops, moved,
                  tuple(pair for e in entries for pair in e.epilogues))
