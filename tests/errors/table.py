"""The wrong programs: small programs with the error that each of them must give.

`programs/*.txt` holds whole programs::

    ## a name for the program
    ShapeError: a piece of the message
    x = T(2, 3)
    ops.matmul(x, x)        #!

The second line says the class and a piece of the message; ``#!`` marks the line that must be shown.
`expressions/*.txt` holds one expression a line, ``[net |] expression  ->  ShapeError: a piece of the message``.
It becomes the body of a function of the tensors in `TENSORS`, jitted in GRAPH_MODE; `net` is a Cell made outside.
"""
from __future__ import annotations

import linecache
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import graphcore as gc
from graphcore import Parameter, Tensor, nn, ops

FOLDER = Path(__file__).parent


def T(*shape, dtype=np.float32) -> Tensor:
    """A Tensor of ones."""
    return Tensor(np.ones(shape, dtype))


TENSORS = {
    "x": T(2, 3), "y": T(4, 5), "c": T(2, 3), "v": T(3), "v2": T(2), "s": T(), "i": T(2, 3, dtype=np.int64),
    "k": T(3, dtype=np.int64), "k2": T(2, dtype=np.int64), "b": T(2, 3, dtype=bool), "b1": T(5, dtype=bool),
    "im": T(1, 3, 8, 8), "w": T(4, 2, 3, 3), "w1": T(4, 3, 3, 3), "f": T(3), "x2": T(4, 2), "x3": T(5, 2, 3),
}


@dataclass(frozen=True)
class WrongProgram:
    """A program, the class of its error and a piece of the message, and the number of the line to be shown."""

    name: str
    source: str
    kind: str
    piece: str
    line: int

    @property
    def filename(self) -> str:
        return f"wrong_{''.join(ch if ch.isalnum() else '_' for ch in self.name)}.py"

    def run(self) -> None:
        """Run the program under the names gc, ms, nn, ops, Tensor, Parameter, np, T, A (`TENSORS`)."""
        linecache.cache[self.filename] = len(self.source), None, self.source.splitlines(True), self.filename
        names = {"gc": gc, "ms": gc, "nn": nn, "ops": ops, "Tensor": Tensor, "Parameter": Parameter, "np": np, "T": T,
                 "A": TENSORS, "jit": gc.jit, "__name__": "wrong_program"}
        exec(compile(self.source, self.filename, "exec"), names)


def programs() -> list[WrongProgram]:
    """The whole programs."""
    found = []
    for path in sorted((FOLDER / "programs").glob("*.txt")):
        for block in path.read_text(encoding="utf-8").split("## ")[1:]:
            name, expected, source = block.split("\n", 2)
            kind, piece = expected.split(": ", 1)
            lines = source.splitlines()
            line = next(n for n, text in enumerate(lines, 1) if text.endswith("#!"))
            found.append(WrongProgram(f"{path.stem}: {name}", source, kind, piece, line))
    return found


def expressions(graph: bool) -> list[WrongProgram]:
    """The expressions, as programs that evaluate them in GRAPH_MODE or in PYNATIVE_MODE."""
    found = []
    for path in sorted((FOLDER / "expressions").glob("*.txt")):
        for row in path.read_text(encoding="utf-8").splitlines():
            expression, expected = row.split("  ->  ")
            kind, piece = expected.split(": ", 1)
            net, bar, body = expression.rpartition(" | ")
            before = [f"net = {net}"] if bar else []
            lines = [*before, "@jit" if graph else "", f"def program({', '.join(TENSORS)}):", f"    return {body}",
                     "program(**A)", ""]
            found.append(WrongProgram(f"{path.stem}: {expression}", "\n".join(lines), kind, piece, len(before) + 3))
    return found
