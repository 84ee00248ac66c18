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
    """The address of word number `word` of row number `index` of the program."""

    index: int
    word: int = 0


@dataclass(frozen=True)
class Scratch:
    """The address of memory for all workers: worker w owns the `bytes` from ``address + w*bytes`` on.

    It lies ``offset * threads`` bytes behind the beginning of the scratch memory: `offset` is what other words of the
    same instruction want for a worker, at the rows of which other workers may be at the same time.  The scratch memory
    lies behind the arena, and all instructions may share it, since they run one after another; 64-byte aligned if
    `offset` and `bytes` are multiples of 64.
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
class Control:
    """An instruction of the executor's own; its operands are words of row number `row`, `target` is an instruction.

    jump            go on at the target
    jump_if         the same if the byte at address word 0 is not 0
    jump_unless     the same if it is 0
    set, add        store word 1 at address word 0; add it to the number there
    begin           enter a loop whose row is [iterations left, address of the index, its step, number of iterations or
                    address of it, whether it is an address, number n of moving words, n moving words]; a moving word is
                    [address of the word that moves, address of element 0 or of its tape, whether it is a tape, offset,
                    bytes from one element to the next].  Without iterations go on at the target.
    next            move on and go on at the target while iterations are left; the same row
    push            take the next place on a tape: row [tape, bytes, offset of 1st word, its address, ...] see `TAPE`
    reserve         make place for elements on a tape: row [tape, bytes of each, their number or its address, whether it
                    is an address]

    push and reserve pause the program where the tape is full.
    """

    opcode: str
    row: int = 0
    target: int = 0


#: The words of a tape's row: address of its memory, bytes used, bytes there are.
TAPE = ("memory", "used", "room")


@dataclass(frozen=True)
class HostCall:
    """Pause for Python function number `callback`.

    Row number `row` has the addresses of the arguments and of the result; types: (NumPy dtype, shape) of each argument;
    returns: whether there is a result, of the first one's type.
    """

    callback: int
    row: int
    types: tuple
    returns: bool


@dataclass(frozen=True)
class Exchange:
    """Pause to start exchange number `number` with other processes, or if `ends` to wait for it.

    Row number `row` has the addresses of source and target; dtype: of both, NumPy's; source, target: their elements;
    the rest: see `ops.transport.Collective`.
    """

    number: int
    ends: bool
    row: int
    dtype: str
    source: int
    target: int
    what: str
    group: str
    reduce: str
    root: int
    sends: tuple
    receives: tuple


_INSTRUCTIONS = {"call": Instruction, "control": Control, "host": HostCall, "exchange": Exchange}
_INSTRUCTION_NAMES = {type_: tag for tag, type_ in _INSTRUCTIONS.items()}


@dataclass(frozen=True)
class NativeProgram:
    """Rows of words, the instructions that use them, and the bytes of memory that a call needs.

    tapes: (row, name, bytes of an element) of each tape.  All sizes are numbers: a program with symbolic sizes is
    resolved for each set of sizes that it is called with.
    """

    rows: tuple
    instructions: tuple
    arena_bytes: int = 0
    tapes: tuple = ()

    @property
    def calls(self) -> list:
        """The instructions that call kernels."""
        return [i for i in self.instructions if isinstance(i, Instruction)]

    @property
    def pauses(self) -> bool:
        """Whether Python may have to do something while the program runs."""
        return any(isinstance(i, (HostCall, Exchange)) or isinstance(i, Control) and i.opcode in ("push", "reserve")
                   for i in self.instructions)

    @property
    def exchanges(self) -> list:
        """The instructions that start an exchange with other processes, in order."""
        return [i for i in self.instructions if isinstance(i, Exchange) and not i.ends]

    @property
    def loops(self) -> bool:
        """Whether instructions may run more than once."""
        return any(isinstance(i, Control) and i.opcode in ("jump_if", "next") for i in self.instructions)

    def verify(self) -> None:
        """Raise FormatError if a row, an offset or a count is out of range."""
        for position, instruction in enumerate(self.instructions):
            if not 0 <= instruction.row < len(self.rows) and instruction != Control("jump", 0, instruction.target):
                raise FormatError(f"instruction {position} ({_title(instruction)}) uses row {instruction.row} "
                                  f"of {len(self.rows)}")
            if isinstance(instruction, Control) and not 0 <= instruction.target <= len(self.instructions):
                raise FormatError(f"instruction {position} ({_title(instruction)}) leads to instruction "
                                  f"{instruction.target} of {len(self.instructions)}")
            if not isinstance(instruction, Instruction):
                continue
            if instruction.items < 0 or instruction.grain < 1:
                raise FormatError(f"instruction {position} ({instruction.symbol}) has {instruction.items} items "
                                  f"in grains of {instruction.grain}")
        for position, row in enumerate(self.rows):
            for word in row:
                if isinstance(word, RowAddress) and not 0 <= word.index < len(self.rows):
                    raise FormatError(f"row {position} refers to row {word.index} of {len(self.rows)}")
                if isinstance(word, RowAddress) and not 0 <= word.word <= len(self.rows[word.index]):
                    raise FormatError(f"row {position} refers to word {word.word} of row {word.index}")
                if isinstance(word, Arena) and not 0 <= word.offset <= self.arena_bytes:
                    raise FormatError(f"row {position} refers to byte {word.offset} of an arena of {self.arena_bytes}")

    @property
    def symbols(self) -> tuple:
        """Names of all kernels that the program calls, directly or through a row; sorted."""
        called = {instruction.symbol for instruction in self.calls}
        called |= {word.symbol for row in self.rows for word in row if isinstance(word, Kernel)}
        return tuple(sorted(called))

    def scratch_bytes(self, threads: int) -> int:
        """Bytes of scratch memory that the program needs on `threads` threads."""
        return threads * max((word.offset + word.bytes for row in self.rows for word in row
                              if isinstance(word, Scratch)), default=0)

    def to_json(self) -> dict:
        """The program as data for JSON."""
        return {
            "rows": [[word if isinstance(word, int) else [_NAMES[type(word)], *vars(word).values()] for word in row]
                     for row in self.rows],
            "instructions": [[_INSTRUCTION_NAMES[type(i)], *vars(i).values()] for i in self.instructions],
            "arena_bytes": self.arena_bytes,
            "tapes": list(self.tapes),
        }

    @staticmethod
    def from_json(data: dict) -> NativeProgram:
        """The program that `to_json` gave.  Raises FormatError for other data."""
        try:
            program = NativeProgram(
                tuple(tuple(word if isinstance(word, int) else _TAGS[word[0]](*word[1:]) for word in row)
                      for row in data["rows"]),
                tuple(_INSTRUCTIONS[tag](*map(_frozen, fields)) for tag, *fields in data["instructions"]),
                data["arena_bytes"], _frozen(data["tapes"]))
        except (KeyError, TypeError, IndexError, ValueError) as error:
            raise FormatError(f"this is no stored program: {error!r}") from None
        program.verify()
        return program


def _frozen(data):
    """Lists as tuples, at any depth."""
    return tuple(map(_frozen, data)) if isinstance(data, list) else data


def _title(instruction) -> str:
    names = (getattr(instruction, name, None) for name in ("symbol", "opcode", "what"))
    return next(filter(None, names), "host call")
