"""Running native programs: tables of words, arenas, and one native call for everything.

`Executable` is a program with its kernels loaded; it is shared.  An `Instance` has the table and the arena of one call
at a time; instances are kept for the next call, one for each call that ran at the same time.
"""
from __future__ import annotations

import ctypes
from collections.abc import Mapping

import numpy as np

from graphcore.compiler.runtime import loader, native
from graphcore.compiler.runtime.executor_ir import HEADER, INSTRUCTION_WORDS, OPCODES
from graphcore.compiler.runtime.program import (
    Arena,
    Control,
    External,
    HostCall,
    Instruction,
    Kernel,
    NativeProgram,
    RowAddress,
    Scratch,
)
from graphcore.errors import CompileError

#: Programs of at most this many instructions, none of them worth splitting, keep Python's lock while they run.
SHORT_PROGRAM = 32
ALIGNMENT = 64
SMALLEST_TAPE = 1 << 12     # bytes
PAUSED_BY, RESUME_AT, WANTED = (HEADER.index(name) for name in ("paused_by", "resume_at", "wanted"))


class Executable:
    """A program whose kernels are loaded, ready to be called from any thread.

    objects: the object that defines each symbol of the program; those loaded before may be absent.
    Raises CompileError if a kernel is missing.
    """

    def __init__(self, program: NativeProgram, objects: Mapping[str, bytes]):
        program.verify()
        self.program = program
        addresses = loader.load({name: image for name, image in objects.items() if name in program.symbols})
        for name in program.symbols:
            if addresses.setdefault(name, loader.loaded(name)) is None:
                raise CompileError(f"kernel {name} was not compiled with the program that calls it")
        self.is_short = len(program.instructions) <= SHORT_PROGRAM and not program.loops and all(
            instruction.items <= instruction.grain for instruction in program.calls)
        self.pauses = program.pauses
        self._layout = _Layout(program, addresses)
        self._idle: list[Instance] = []

    def acquire(self) -> Instance:
        """An instance for one call; give it back with `release`."""
        try:
            instance = self._idle.pop()
        except IndexError:
            return Instance(self)
        return instance if instance.threads >= native.threads() else Instance(self)

    def release(self, instance: Instance) -> None:
        """Keep the instance for the next call."""
        self._idle.append(instance)

    def run(self, externals: tuple) -> None:
        """Run once on an instance of its own; `externals` as for `Instance.run`."""
        instance = self.acquire()
        try:
            instance.run(externals)
        finally:
            self.release(instance)


class Instance:
    """The table and the arena of one call at a time.

    run(externals): run the program.  `externals` is a tuple of NumPy arrays, by the numbers that the program's words
    use; contiguous, of the dtypes and at least of the sizes that the program was made for.  Nothing is checked here.
    A program that pauses is run by `run_with_pauses`.
    arena: uint8[...], 64-byte aligned, the program's arena followed by its scratch memory.
    """

    def __init__(self, executable: Executable):
        program, layout = executable.program, executable._layout
        self.threads = native.threads()
        self.arena = aligned_bytes(layout.scratch_at + program.scratch_bytes(self.threads))
        table = layout.template.copy()
        layout.relocate(table, self.arena.ctypes.data, self.threads)
        self.run = native.executor().runner(table, layout.external_count, keeps_lock=executable.is_short)
        self._program, self._layout, self._table = program, layout, table
        self._tapes: dict[int, np.ndarray] = {}             # table position of a tape -> its memory

    def run_with_pauses(self, externals: tuple, callbacks=()) -> None:
        """Run a program that calls Python functions or fills tapes.

        callbacks: the functions, by number; they are given copies.  What one raises ends the run: outputs and the arena
        are then undefined, and the instance can be used again.
        """
        table = self._table
        try:
            self.run(externals)
            while table[PAUSED_BY]:
                instruction = self._program.instructions[table[PAUSED_BY] - 1]
                if isinstance(instruction, HostCall):
                    self._call_host(instruction, callbacks)
                else:
                    self._grow_tape(self._layout.rows_at[instruction.row], int(table[WANTED]))
                self.run(externals)
        finally:
            table[PAUSED_BY] = table[RESUME_AT] = 0

    def _call_host(self, call: HostCall, callbacks) -> None:
        place = self._layout.rows_at[call.row]
        arguments = [_array_at(self._table[place + i], *type_).copy() for i, type_ in enumerate(call.types)]
        given = callbacks[call.callback](*arguments)
        if call.returns:
            result = _array_at(self._table[place + len(arguments)], *call.types[0])
            np.copyto(result, np.asarray(given, result.dtype))

    def _grow_tape(self, row: int, wanted: int) -> None:
        """Give a full tape at least twice its memory; it is kept for the next call."""
        place = (int(self._table[row]) - self._table.ctypes.data) // 8
        _, used, room = self._table[place:place + 3]
        memory = aligned_bytes(max(wanted, 2 * int(room), SMALLEST_TAPE))
        if used:
            memory[:used] = self._tapes[place][:used]
        self._tapes[place] = memory
        self._table[place], self._table[place + 2] = memory.ctypes.data, memory.size


class _Layout:
    """Where the words of a program stand in the table, and which of them depend on the table's or arena's address."""

    def __init__(self, program: NativeProgram, addresses: Mapping[str, int]):
        instructions_at = len(HEADER) + (-len(HEADER)) % 8
        rows_at, place = [], instructions_at + len(program.instructions) * INSTRUCTION_WORDS
        for row in program.rows:
            rows_at.append(place)
            place += len(row)
        patches_at, patches = place, []
        words: dict[int, int] = {}
        self._of_table, self._of_arena, self._of_scratch = [], [], []

        def point_into_table(position: int, target: int) -> None:
            words[position] = target * 8
            self._of_table.append(position)

        for number, instruction in enumerate(program.instructions):
            at = instructions_at + number * INSTRUCTION_WORDS
            if isinstance(instruction, Instruction):
                words.update({at: OPCODES["call"], at + 1: addresses[instruction.symbol], at + 3: instruction.items,
                              at + 4: instruction.grain})
            elif isinstance(instruction, Control):
                words.update({at: OPCODES[instruction.opcode], at + 1: instruction.target})
            else:
                words[at] = OPCODES["host"]
            if rows_at:
                point_into_table(at + 2, rows_at[instruction.row])
        self.rows_at = rows_at
        for start, row in zip(rows_at, program.rows):
            for position, word in enumerate(row, start):
                if isinstance(word, Arena):
                    words[position] = word.offset
                    self._of_arena.append(position)
                elif isinstance(word, Scratch):
                    words[position] = word.offset
                    self._of_scratch.append(position)
                elif isinstance(word, External):
                    patches.append((position, word))
                elif isinstance(word, Kernel):
                    words[position] = addresses[word.symbol]
                elif isinstance(word, RowAddress):
                    point_into_table(position, rows_at[word.index] + word.word)
                else:
                    words[position] = word
        for number, (position, word) in enumerate(patches):
            at = patches_at + number * 3
            point_into_table(at, position)
            words.update({at + 1: word.index, at + 2: word.offset})
        header = {"instruction_count": len(program.instructions), "patch_count": len(patches)}
        header["items_offset"], header["data_offset"] = native.executor().items_offset, native.executor().data_offset
        for name, value in header.items():
            words[HEADER.index(name)] = value
        point_into_table(HEADER.index("instructions"), instructions_at)
        point_into_table(HEADER.index("patches"), patches_at)

        self.template = np.zeros(patches_at + 3 * len(patches), np.int64)
        self.template[list(words)] = list(words.values())
        self.external_count = 1 + max((word.index for _, word in patches), default=-1)
        self.scratch_at = program.arena_bytes + -program.arena_bytes % ALIGNMENT

    def relocate(self, table: np.ndarray, arena: int, threads: int) -> None:
        """Make a copy of the template the table of an instance."""
        table[HEADER.index("most_threads")] = threads
        table[self._of_table] += table.ctypes.data
        table[self._of_arena] += arena
        table[self._of_scratch] += arena + self.scratch_at


def _array_at(address: int, dtype: str, shape: tuple) -> np.ndarray:
    """The array that lies at an address."""
    dtype = np.dtype(dtype)
    count = int(np.prod(shape, dtype=np.int64))
    memory = (ctypes.c_char * (count * dtype.itemsize)).from_address(int(address))
    return np.frombuffer(memory, dtype, count).reshape(shape)


def aligned_bytes(count: int) -> np.ndarray:
    """uint8[count], of at least one byte, at an address that is a multiple of 64; the content is undefined."""
    memory = np.empty(max(count, 1) + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start:start + max(count, 1)]
