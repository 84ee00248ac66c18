"""A native program as data: what to call, with which rows of words, over how many items.

It holds no address, so it can be stored and loaded by another process, and shared by many calls at once.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Union

from graphcore.errors import FormatError


@dataclass(frozen=True)
class Arena:
    """The address of byte `offset` of the call's arena."""

    offset: int


@dataclass(frozen=True)
class External:
    """The address of byte `offset` of external array number `index` (an input, output, Parameter or constant)."""

    index: int
    offset: int = 0


@dataclass(frozen=True)
class Kernel:
    """The address of the kernel called `symbol`."""

    symbol: str


@dataclass(frozen=True)
class RowAddress:
    """The address of row number `index` of the program."""

    index: int


@dataclass(frozen=True)
class Scratch:
    """The address of memory for all workers: worker w owns the `bytes` from ``address + w*bytes`` on.

    `offset` counts from the beginning of the scratch memory, which lies behind the arena and which all instructions
    may share, since they run one after another; 64-byte aligned if `offset` and `bytes` are multiples of 64.
    """

    offset: int
    bytes: int


Word = Union[int, Arena, External, Kernel, RowAddress, Scratch]

_TAGS = {"arena": Arena, "external": External, "kernel": Kernel, "row": RowAddress, "scratch": Scratch}
_NAMES = {type_: tag for tag, type_ in _TAGS.items()}


@dataclass(frozen=True)
class Instruction:
    """Call kernel `symbol` with row number `row` over `items` items, at least `grain` of them to a thread."""

    symbol: str
    row: int
    items: int
    grain: int


@dataclass(frozen=True)
class NativeProgram:
    """Rows of words, the instructions that use them, and the bytes of memory that a call needs.

    All sizes are numbers: a program with symbolic sizes is resolved for each set of sizes that it is called with.
    """

    rows: tuple
    instructions: tuple
    arena_bytes: int = 0

    def verify(self) -> None:
        """Raise FormatError if a row, an offset or a count is out of range."""
        for position, instruction in enumerate(self.instructions):
            if not 0 <= instruction.row < len(self.rows):
                raise FormatError(f"instruction {position} ({instruction.symbol}) uses row {instruction.row} "
                                  f"of {len(self.rows)}")
            if instruction.items < 0 or instruction.grain < 1:
                raise FormatError(f"instruction {position} ({instruction.symbol}) has {instruction.items} items "
                                  f"in grains of {instruction.grain}")
        for position, row in enumerate(self.rows):
            for word in row:
                if isinstance(word, RowAddress) and not 0 <= word.index < len(self.rows):
                    raise FormatError(f"row {position} refers to row {word.index} of {len(self.rows)}")
                if isinstance(word, Arena) and not 0 <= word.offset <= self.arena_bytes:
                    raise FormatError(f"row {position} refers to byte {word.offset} of an arena of {self.arena_bytes}")

    @property
    def symbols(self) -> tuple:
        """Names of all kernels that the program calls, directly or through a row; sorted."""
        called = {instruction.symbol for instruction in self.instructions}
        called |= {word.symbol for row in self.rows for word in row if isinstance(word, Kernel)}
        return tuple(sorted(called))

    def scratch_bytes(self, threads: int) -> int:
        """Bytes of scratch memory that the program needs on `threads` threads."""
        return max((word.offset + word.bytes * threads for row in self.rows for word in row
                    if isinstance(word, Scratch)), default=0)

    def to_json(self) -> dict:
        """The program as data for JSON."""
        return {
            "rows": [[word if isinstance(word, int) else [_NAMES[type(word)], *vars(word).values()] for word in row]
                     for row in self.rows],
            "instructions": [[i.symbol, i.row, i.items, i.grain] for i in self.instructions],
            "arena_bytes": self.arena_bytes,
        }

    @staticmethod
    def from_json(data: dict) -> NativeProgram:
        """The program that `to_json` gave.  Raises FormatError for other data."""
        try:
            program = NativeProgram(
                tuple(tuple(word if isinstance(word, int) else _TAGS[word[0]](*word[1:]) for word in row)
                      for row in data["rows"]),
                tuple(Instruction(*fields) for fields in data["instructions"]),
                data["arena_bytes"])
        except (KeyError, TypeError, IndexError) as error:
            raise FormatError(f"this is no stored program: {error!r}") from None
        program.verify()
        return program
