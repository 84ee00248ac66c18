"""Exported nets: the text of a graph with the file of its weights.

Half of the mutants are changed texts.  The others are changed graphs whose types were made to fit again, as somebody
would do who wants a kernel to leave its arrays: these get past the reader wherever a type rule lets them.
"""
from __future__ import annotations

import re
import tempfile
from functools import cache
from pathlib import Path
from random import Random

from graphcore.files.ckpt import write_ckpt
from graphcore.files.gir import read_graph
from graphcore.ir.parser import parse_graph
from graphcore.ir.printer import print_graph
from tests.files.fuzz import mutations
from tests.files.fuzz.gir_changes import changed_graph
from tests.files.fuzz.gir_run import stored_values, use
from tests.files.fuzz.gir_seeds import graphs, nets

NAME, WEIGHTS = "net.gir", "net.ckpt"
PORTION = 500           # what a process has compiled stays in its memory
load = read_graph
__all__ = ["NAME", "load", "mutant", "seeds", "use"]

_TOKENS = {
    "number": re.compile(r"-?\b\d+\b"), "value": re.compile(r"%\w+"), "type": re.compile(r"\b[a-z]\w*\[[^\]\n]*\]"),
    "attribute": re.compile(r"\b\w+=(?:\([^()\n]*\)|[^,{}()\n]+)"), "operator": re.compile(r"(?<== )\w+(?=\()"),
    "name": re.compile(r"\b[A-Za-z_.]{2,}\b"),
}
_HOSTILE = ("(" * 5000, "[" * 5000, "graph(" * 500, "{" * 100, "#" + "  a" * 20000, "# " + "a:1; " * 20000, "`" * 999,
            '"' + "\\" * 999, "9" * 5000, "%1 = relu(%1) : f32[1]\n", "\0", "\ud7ff", "<" + "(N+1)//2*" * 13 + "N>",
            "f32[" + ",".join(["<A+B+C+D+E+F+G+H>"] * 32) + "]", "f32[" + ",".join(["9999"] * 32) + "]")


def seeds() -> list[dict]:
    """Nets of most layers and of control flow, and for each operator graphs of it alone."""
    return [*nets(), *({NAME: text.encode()} for text in graphs())]


def mutant(random: Random, seeds: list) -> dict:
    files = dict(random.choice(seeds if random.random() < 0.7 else seeds[:16]))
    if random.random() < 0.5:
        try:
            return _other_graph(random, files)
        except Exception:       # the printer writes no nonsense that is no graph at all
            pass
    if WEIGHTS in files and random.random() < 0.05:
        files[WEIGHTS] = mutations.blind(random, files[WEIGHTS], [files[WEIGHTS]])
    elif random.random() < 0.2:
        files[NAME] = mutations.blind(random, files[NAME], [random.choice(seeds)[NAME]])
    else:
        text = files[NAME].decode()
        for _ in range(random.choice((1, 1, 1, 2, 4))):
            text = _other_text(random, text)
        files[NAME] = text.encode("utf-8", "surrogatepass")
    return files


def _other_text(random: Random, text: str) -> str:
    how = random.random()
    if how < 0.1:
        lines = text.split("\n")
        i, j = (random.randrange(len(lines)) for _ in range(2))
        random.choice((lambda: lines.insert(j, lines[i]), lambda: lines.pop(i),
                       lambda: lines.__setitem__(slice(None), [*lines[:i], *lines[i + 1:], lines[i]])))()
        return "\n".join(lines)
    if how < 0.13:
        at = random.randrange(len(text))
        return text[:at] + random.choice(_HOSTILE) + text[at:]
    found = list(random.choice(list(_TOKENS.values())).finditer(text))
    if not found:
        return text
    match, other = random.choice(found), random.choice(found)[0]
    if match[0].lstrip("-").isdigit() and random.random() < 0.7:
        other = str(random.choice((*mutations.NUMBERS, int(match[0]) + 1, int(match[0]) - 1, -int(match[0]), 2, 3, 4)))
    return text[:match.start()] + other + text[match.end():]


@cache
def _parsed(data: bytes):
    first, _, text = data.decode().partition("\n")
    return first, parse_graph(text)


def _other_graph(random: Random, files: dict) -> dict:
    first, graph = _parsed(files[NAME])
    before = graph.params
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        graph = changed_graph(random, graph)
    files[NAME] = f"{first}\n{print_graph(graph, origins=False)}".encode("utf-8", "surrogatepass")
    if graph.params != before:
        values = stored_values(graph)
        if values is not None:
            with tempfile.TemporaryDirectory() as folder:
                write_ckpt(Path(folder, WEIGHTS), values)
                files[WEIGHTS] = Path(folder, WEIGHTS).read_bytes()
    return files
