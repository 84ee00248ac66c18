"""Running native programs: tables of words, arenas, and one native call for everything.

`Executable` is a program with its kernels loaded; it is shared.  An `Instance` has the table and the arena of one call
at a time; instances are kept for the next call, one for each call that ran at the same time.
"""
from __future__ import annotations

import ctypes
from collections.abc import Mapping

import numpy as np

from graphcore.compiler.runtime import loader, native
from graphcore.compiler.runtime.executor_ir import HEADER
from graphcore.compiler.runtime.program import Exchange, HostCall, NativeProgram
from graphcore.compiler.runtime.table import Table
from graphcore.errors import CompileError
from graphcore.ops.transport import Collective, transport

#: Programs of at most this many instructions, none of them worth splitting, keep Python's lock while they run.
SHORT_PROGRAM = 32
ALIGNMENT = 64
SMALLEST_TAPE = 1 << 12     # bytes
COUNT, PAUSED_BY, RESUME_AT, WANTED = (
    HEADER.index(name) for name in ("instruction_count", "paused_by", "resume_at", "wanted"))


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
        self.plans = _plans(program.exchanges)
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
        self._plans = executable.plans
        self._exchanged: dict = {}                          # number of an exchange -> (addresses, what, arrays there)
        self._under_way: dict = {}                          # number of an exchange -> its handle
        self._tapes: dict[int, np.ndarray] = {}             # table position of a tape -> its memory

    def run_with_pauses(self, externals: tuple, callbacks=()) -> None:
        """Run a program that calls Python functions, exchanges data with other processes, or fills tapes.

        callbacks: the functions, by number; they are given copies.  What one raises ends the run: outputs and the arena
        are then undefined, and the instance can be used again.
        """
        table = self._table
        for group, plan in self._plans.items():
            transport().agree(group, plan)
        try:
            self.run(externals)
            while table[PAUSED_BY]:
                instruction = self._program.instructions[table[PAUSED_BY] - 1]
                if isinstance(instruction, HostCall):
                    self._call_host(instruction, callbacks)
                elif isinstance(instruction, Exchange):
                    self._exchange(instruction)
                else:
                    self._grow_tape(self._layout.rows_at[instruction.row], int(table[WANTED]))
                self.run(externals)
        finally:
            table[PAUSED_BY] = table[RESUME_AT] = 0

    def run_part(self, externals: tuple, begin: int, end: int, callbacks=()) -> None:
        """Run the instructions from number `begin` on, up to number `end`; no jump may lead farther than there."""
        self._table[COUNT], self._table[RESUME_AT] = end, begin
        try:
            self.run_with_pauses(externals, callbacks)
        finally:
            self._table[COUNT] = len(self._program.instructions)

    def _call_host(self, call: HostCall, callbacks) -> None:
        place = self._layout.rows_at[call.row]
        arguments = [_array_at(self._table[place + i], *type_).copy() for i, type_ in enumerate(call.types)]
        given = callbacks[call.callback](*arguments)
        if call.returns:
            result = _array_at(self._table[place + len(arguments)], *call.types[0])
            np.copyto(result, np.asarray(given, result.dtype))

    def _exchange(self, exchange: Exchange) -> None:
        """Start an exchange on the memory where source and target lie, or wait for it."""
        if exchange.ends:
            self._under_way.pop(exchange.number).finish()
            return
        place = self._layout.rows_at[exchange.row]
        where = self._table[place:place + 2].tolist()
        known = self._exchanged.get(exchange.number)
        if known is None or known[0] != where:          # outputs, Parameters and elements of stacks may move
            arrays = (_array_at(address, exchange.dtype, (size,))
                      for address, size in zip(where, (exchange.source, exchange.target)))
            collective = Collective(exchange.what, exchange.group, exchange.reduce, exchange.root, exchange.sends,
                                    exchange.receives)
            known = where, collective, *arrays
            self._exchanged[exchange.number] = known
        self._under_way[exchange.number] = transport().begin(*known[1:])

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
    """The table of a program with the addresses of its kernels, before it is any instance's."""

    def __init__(self, program: NativeProgram, addresses: Mapping[str, int]):
        self._table = table = Table(program)
        self.template = np.zeros(table.size, np.int64)
        self.template[list(table.words)] = list(table.words.values())
        self.template[list(table.kernels)] = [addresses[name] for name in table.kernels.values()]
        executor = native.executor()
        self.template[HEADER.index("items_offset")] = executor.items_offset
        self.template[HEADER.index("data_offset")] = executor.data_offset
        self.rows_at, self.external_count = table.rows_at, table.external_count
        self.scratch_at = program.arena_bytes + -program.arena_bytes % ALIGNMENT

    def relocate(self, words: np.ndarray, arena: int, threads: int) -> None:
        """Make a copy of the template the table of an instance."""
        words[HEADER.index("most_threads")] = threads
        words[self._table.of_table] += words.ctypes.data
        words[self._table.of_arena] += arena
        words[list(self._table.scratch)] = [arena + self.scratch_at + offset * threads
                                            for offset in self._table.scratch.values()]


def _plans(exchanges: list) -> dict:
    """For each group of processes what the program exchanges in it, a line each, in order."""
    found: dict = {}
    for e in exchanges:
        line = f"{e.what} {e.reduce} of {e.source} elements ({np.dtype(e.dtype).name})".replace("  ", " ")
        if e.what == "neighbor_exchange":       # of which each process has its own
            line = e.what
        found[e.group] = found.get(e.group, "") + line + "\n"
    return found


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
