"""What a command is asked about: ``%12``, a Parameter's name, ``net.py:18``, an operator, a Cell or a kernel."""
from __future__ import annotations

import os
import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

from graphcore.cli.errors import UsageError, nearest

_LINE = re.compile(r"(?P<file>.+):(?P<line>\d+)\Z")
HELP = "%%12, a Parameter's name, FILE.py:LINE, or an operator, a Cell's path or a kernel, with * and ?"


def matching(compilation, stage: str, pattern: str) -> list:
    """The values of a stage that a pattern means, without leaves that it does not name itself.

    Raises UsageError for ``%12`` that is not there.
    """
    values = compilation.values(stage)
    if pattern.startswith("%"):
        found = [v for v in values if v.label == pattern]
        if not found:
            raise UsageError(f"stage {compilation.stage(stage).title} has no value {pattern}"
                             + nearest(pattern, [v.label for v in values]))
        return found
    if any(v.node.op == "param" and v.node.name == pattern for v in values):
        updated = {id(node) for v in values for name, node in v.graph.updates if name == pattern}
        return [v for v in values if v.node.op == "param" and v.node.name == pattern or id(v.node) in updated
                or any(i.op == "param" and i.name == pattern for i in v.node.inputs)]
    line = line_of(pattern)
    if line:
        return [v for v in values if any(is_line(o, *line) for o in v.origins)]
    return [v for v in values if not v.node.is_leaf and (
        fnmatchcase(v.node.op, pattern) or any(in_cell(o.scope, pattern) for o in v.origins))]


def line_of(text: str) -> tuple[str, int] | None:
    """(file, line) of ``FILE.py:18``; None for another text."""
    found = _LINE.match(text)
    return (found["file"], int(found["line"])) if found else None


def nearest_lines(compilation, stage: str, text: str) -> str:
    """``; of that file there are values of lines 17, 18``, for the end of a message."""
    file, wanted = line_of(text)
    lines = {o.line for v in compilation.values(stage) for o in v.origins if is_line(o, file, o.line)}
    near = sorted(sorted(lines, key=lambda line: abs(line - wanted))[:6])
    return f"; of that file there are values of lines {', '.join(map(str, near))}" if near else ""


def is_line(origin, file: str, line: int) -> bool:
    """Whether a place is this line; the file may be given by the end of its path."""
    if origin.line != line or not origin.file:
        return False
    known, wanted = os.path.abspath(origin.file).split(os.sep), os.path.normpath(file).split(os.sep)
    return known[-len(wanted):] == wanted or os.path.abspath(file) == os.path.abspath(origin.file)


def in_cell(scope: str, pattern: str) -> bool:
    """Whether a Cell's path is the one meant, or lies in it."""
    parts = scope.split(".") if scope else []
    return any(fnmatchcase(".".join(parts[:i]), pattern) for i in range(1, len(parts) + 1))


def matching_kernels(compilation, patterns: Iterable[str], values: Iterable) -> list:
    """The kernels that patterns name, and those that compute one of these values (of the last stage)."""
    nodes = {v.node for v in values}
    return [k for k in compilation.kernels if any(is_kernel(k, p) for p in patterns) or not nodes.isdisjoint(k.nodes)]


def is_kernel(kernel, pattern: str) -> bool:
    """Whether a pattern means a kernel: its name, its title or the start of its digest."""
    return (fnmatchcase(kernel.name, pattern) or fnmatchcase(kernel.title, pattern)
            or len(pattern) >= 8 and kernel.digest.startswith(pattern))


def kernels_named(compilation, pattern: str) -> list:
    """The kernels that a pattern means.  Raises UsageError where there is none."""
    found = [k for k in compilation.kernels if is_kernel(k, pattern)]
    if found:
        return found
    raise UsageError(f"there is no kernel {pattern!r}{nearest(pattern, [k.name for k in compilation.kernels])}; "
                     "`graphcore kernels TARGET` lists them")


def stage_named(compilation, name: str):
    """A stage by its name, title or number.  Raises UsageError."""
    try:
        return compilation.stage(name)
    except KeyError:
        names = compilation.stage_names()
        raise UsageError(f"there is no stage {name!r}{nearest(name, names)} (stages: {', '.join(names)})") from None
