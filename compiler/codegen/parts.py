"""Maps with several functions (exp, tanh ...), in parts.

All in one loop they run at the pace of their latencies, since no CPU looks ahead further than one such iteration.  So
each gets a loop of its own over a block of elements, and tables in the cache carry values from one loop to the next.
"""
from __future__ import annotations

from graphcore.compiler.codegen.phases import DEAR
from graphcore.compiler.codegen.scope import Scope
from graphcore.compiler.codegen.text import compute_type, times
from graphcore.ir.graph import Node

FEWEST = 4          # parts that are worth it
BLOCK = 256         # elements of a table


def cut(members: list) -> list[list]:
    """The members of a group in order, cut behind each function that costs more than arithmetic."""
    found: list = [[]]
    for m in members:
        found[-1].append(m)
        if m.op in DEAR:
            found.append([])
    return [part for part in found if part]


def write(writer, parts: list, count: str) -> None:
    """Write the loops over `count` elements, for a map whose pointers stand at the first of them."""
    tables = {m: f"t{writer.members.index(m)}" for m in _passed_on(writer.loops, parts)}
    writer.head += [f"    {name} = alloca_{compute_type(m.dtype)}({BLOCK})" for m, name in tables.items()]
    writer.line(f"whole = {count}")
    writer.line(f"for done in range(0, whole, {BLOCK}):")
    writer.indent += 1
    writer.line(f"some = minimum({BLOCK}, whole - done)")
    for name, strides in writer.pointers.values():
        writer.line(f"{name}d = advance({name}b, {times('done', strides[-1])})")
    known: dict = {}
    for part in parts:
        writer.line("for j in range(some):")
        writer.indent += 1
        scope = Scope(writer, lambda array, output: writer.element(array, output, "j", "d"),
                      lambda index: writer.index_value(index, "(done + j)"))
        scope.tables = known
        values = {m: scope.value(m) for m in part}
        for m in part:
            if m in tables:
                writer.line(f"store({tables[m]}, j, {values[m]})")
        if part is parts[-1]:           # results last, since they may lie on an input's memory
            for m, array in writer.loops.outputs.items():
                writer.line(f"store({writer.element(array, True, 'j', 'd')}, {scope.value(m)})")
        known = known | {m: tables[m] for m in part if m in tables}
        writer.indent -= 1
    writer.indent -= 1


def _passed_on(loops, parts: list) -> list:
    """The members that later parts use, or that are results of the map."""
    place = {m: k for k, part in enumerate(parts) for m in part}
    used = {o for m in place for o in loops.operands[m] if isinstance(o, Node) and place[o] < place[m]}
    return [m for m in place if m in used or m in loops.outputs and place[m] < len(parts) - 1]
