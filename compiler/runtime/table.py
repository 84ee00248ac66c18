"""The table of a program instance as data: its words, and which of them depend on an address.

The executor of this process adds addresses to the words; a library compiled ahead of time has code that does the same.
"""
from __future__ import annotations

from graphcore.compiler.runtime.executor_ir import HEADER, INSTRUCTION_WORDS, OPCODES, PATCH_WORDS
from graphcore.compiler.runtime.program import (
    Arena,
    Control,
    External,
    Instruction,
    Kernel,
    NativeProgram,
    RowAddress,
    Scratch,
)

INSTRUCTIONS_AT = len(HEADER) + -len(HEADER) % 8


class Table:
    """Where the words of a program stand.

    words: position -> word (0 where there is none), an offset where an address is to be added; size: of the table;
    of_table, of_arena: positions of words that get the address of the table or of the arena; scratch: position -> the
    bytes for each worker between the beginning of the scratch memory and the address that stands there;
    kernels: position -> symbol of the kernel whose address stands there; rows_at: where each row begins;
    external_count: arrays that a call is given.
    """

    def __init__(self, program: NativeProgram):
        self.words: dict[int, int] = {}
        self.of_table: list[int] = []
        self.of_arena: list[int] = []
        self.scratch: dict[int, int] = {}
        self.kernels: dict[int, str] = {}
        self.rows_at, place = [], INSTRUCTIONS_AT + len(program.instructions) * INSTRUCTION_WORDS
        for row in program.rows:
            self.rows_at.append(place)
            place += len(row)
        for number, instruction in enumerate(program.instructions):
            self._instruction(INSTRUCTIONS_AT + number * INSTRUCTION_WORDS, instruction)
        patches: list = []
        for start, row in zip(self.rows_at, program.rows):
            for position, word in enumerate(row, start):
                self._word(position, word, patches)
        self._patches(place, patches)
        self._header(instruction_count=len(program.instructions), patch_count=len(patches))
        self._point_into_table(HEADER.index("instructions"), INSTRUCTIONS_AT)
        self._point_into_table(HEADER.index("patches"), place)
        self.size = place + PATCH_WORDS * len(patches)
        self.external_count = 1 + max((word.index for _, word in patches), default=-1)

    def _instruction(self, at: int, instruction) -> None:
        if isinstance(instruction, Instruction):
            self.words.update({at: OPCODES["call"], at + 3: instruction.items, at + 4: instruction.grain})
            self.kernels[at + 1] = instruction.symbol
        elif isinstance(instruction, Control):
            self.words.update({at: OPCODES[instruction.opcode], at + 1: instruction.target})
        else:
            self.words[at] = OPCODES["host"]
        if self.rows_at:
            self._point_into_table(at + 2, self.rows_at[instruction.row])

    def _word(self, position: int, word, patches: list) -> None:
        if isinstance(word, Arena):
            self.words[position] = word.offset
            self.of_arena.append(position)
        elif isinstance(word, Scratch):
            self.scratch[position] = word.offset
        elif isinstance(word, External):
            patches.append((position, word))
        elif isinstance(word, Kernel):
            self.kernels[position] = word.symbol
        elif isinstance(word, RowAddress):
            self._point_into_table(position, self.rows_at[word.index] + word.word)
        else:
            self.words[position] = word

    def _patches(self, place: int, patches: list) -> None:
        for number, (position, word) in enumerate(patches):
            at = place + number * PATCH_WORDS
            self._point_into_table(at, position)
            self.words.update({at + 1: word.index, at + 2: word.offset})

    def _header(self, **values: int) -> None:
        for name, value in values.items():
            self.words[HEADER.index(name)] = value

    def _point_into_table(self, position: int, target: int) -> None:
        self.words[position] = target * 8
        self.of_table.append(position)
