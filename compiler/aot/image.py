"""A program's table as constant data: words, and where an address or a computed size is to be added to them.

    table[position] = words[position] + bases[base] + values[value]

A base is an address that is known when a model is created, a value a number that depends on symbolic sizes; number 0 of
both is 0.  With that the data needs no relocation, so that a library's pages are shared and its linker stays small.
"""
from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from graphcore.compiler.runtime.executor_ir import HEADER, INSTRUCTION_WORDS
from graphcore.compiler.runtime.program import NativeProgram
from graphcore.compiler.runtime.table import INSTRUCTIONS_AT, Table
from graphcore.ir.dims import Dim, Size

#: What other bases are called than the blocks, by their symbols, and the kernels, by theirs.
TABLE, SCRATCH, THREADS = "table", "scratch", "threads"
_GRAIN = 4                      # the word of an instruction that has to be at least 1


@dataclass(frozen=True)
class Expression:
    """A number that the library computes from the symbolic sizes: `size`, but at least `least`, if that is given."""

    size: Size
    least: int | None = None


@dataclass(frozen=True)
class Image:
    """The words of a table, the places where something is added (position, base, value), and the bases by name."""

    words: tuple
    fixups: tuple

    @property
    def has_values(self) -> bool:
        """Whether a word depends on symbolic sizes."""
        return any(value for _, _, value in self.fixups)


class Numbers:
    """Numbers for the bases and expressions of a level's images, in order of first use; number 0 is 0."""

    def __init__(self):
        self.bases: dict[str, int] = {"": 0}
        self.expressions: dict[Expression, int] = {Expression(0): 0}
        self.scratch: dict[str, Size] = {}              # name of a base in the scratch memory -> `Scratch.offset`

    def base(self, name: str) -> int:
        return self.bases.setdefault(name, len(self.bases))

    def scratch_base(self, offset: Size) -> str:
        """The name of the base for words that lie ``offset * threads`` bytes behind the scratch memory's beginning."""
        name = f"{SCRATCH}.{offset}"
        self.scratch[name] = offset
        return name

    def expression(self, expression: Expression) -> int:
        return self.expressions.setdefault(expression, len(self.expressions))


def image_of(program: NativeProgram, table_name: str, blocks: Collection[str], numbers: Numbers) -> Image:
    """The image of a program whose words may be Sizes with the symbols of `blocks`."""
    table = Table(program)
    grains = range(INSTRUCTIONS_AT + _GRAIN, INSTRUCTIONS_AT + INSTRUCTION_WORDS * len(program.instructions),
                   INSTRUCTION_WORDS)
    names = dict.fromkeys(table.of_table, table_name)
    names |= {position: numbers.scratch_base(offset) for position, offset in table.scratch.items()}
    names |= table.kernels | {HEADER.index("most_threads"): THREADS}
    words, fixups = [0] * table.size, []
    for position in range(table.size):
        block, word, rest = _split(table.words.get(position, 0), blocks)
        words[position] = word
        value = 0
        if rest is not None:
            value = numbers.expression(Expression(rest, 1 if position in grains else None))
        base = numbers.base(block or names.get(position, ""))
        if base or value:
            fixups.append((position, base, value))
    return Image(tuple(words), tuple(fixups))


def _split(size: Size, blocks: Collection[str]) -> tuple:
    """(symbol of a block or "", a number, an expression or None) whose sum a size is."""
    if isinstance(size, int):
        return "", size, None
    found = [atoms[0] for atoms, factor in size.terms if len(atoms) == 1 and atoms[0] in blocks and factor == 1]
    rest = size - Dim.symbol(found[0]) if found else size
    return found[0] if found else "", *((rest, None) if isinstance(rest, int) else (0, rest))
