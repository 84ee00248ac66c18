"""From entries with planned memory to the instructions and rows of a native program."""
from __future__ import annotations

from collections.abc import Callable, Mapping

from graphcore.compiler import launch as parts
from graphcore.compiler.control import Branch, Exchange, HostCall, Repeat, Tape, While
from graphcore.compiler.launch import Buffer, Launch
from graphcore.compiler.memory import MemoryPlan
from graphcore.compiler.runtime import program
from graphcore.compiler.runtime.program import (
    TAPE,
    Arena,
    Control,
    External,
    Instruction,
    Kernel,
    NativeProgram,
    RowAddress,
    Scratch,
)
from graphcore.compiler.toolchain.naming import symbol
from graphcore.ir.dims import Size

ALIGNMENT = 64


def native_program(entries, numbers: Mapping, plan: MemoryPlan, number: Callable[[Size], Size]) -> NativeProgram:
    """Write the program.

    numbers: the number of each external buffer; number: what stands in a word for a size: its value, or the size itself
    in a program whose symbolic sizes are known only when it runs (`compiler.aot`).
    """
    writer = _Writer(numbers, plan, number)
    writer.entries(entries)
    return NativeProgram(tuple(writer.rows), tuple(writer.instructions), plan.arena_bytes, tuple(writer.tapes))


def launches_in_order(entries, number: Callable[[Size], Size]) -> list:
    """The launch behind each call of a kernel in the program that `native_program` writes for the same entries."""
    found: list = []
    for entry in entries:
        if isinstance(entry, Launch):
            found += [entry] if number(entry.items) else []
        else:
            bodies = reversed(entry.bodies) if isinstance(entry, While) else entry.bodies   # its test stands at the end
            found += [launch for body in bodies for launch in launches_in_order(body, number)]
    return found


class _Writer:
    def __init__(self, numbers: Mapping, plan: MemoryPlan, number: Callable[[Size], Size]):
        self.numbers, self.plan, self.number = numbers, plan, number
        self.rows: list = []
        self.instructions: list = []
        self.tapes: list = []                       # (row, name, bytes of an element)
        self._tape_rows: dict[Tape, int] = {}
        self._moving: dict[Buffer, list] = {}       # element of a stack -> (row, word, offset) of each use
        self._scratch = 0

    # -- entries ---------------------------------------------------------------------------------------
    def entries(self, entries) -> None:
        """Append the instructions of the entries."""
        for entry in entries:
            _WRITERS[type(entry)](self, entry)

    def _launch(self, entry: Launch) -> None:
        items = self.number(entry.items)
        if items:
            self.instructions.append(Instruction(symbol(entry.kernel), self._row(entry.words), items,
                                                 _at_least_one(self.number(entry.grain))))
            self._scratch = 0                       # the next launch may use the scratch memory from its beginning

    def _branch(self, entry: Branch) -> None:
        condition = self._row((_start(entry.condition),))
        to_else = self._placeholder()
        self.entries(entry.then)
        if entry.orelse:
            to_end = self._placeholder()
        self.instructions[to_else] = Control("jump_unless", condition, len(self.instructions))
        if entry.orelse:
            self.entries(entry.orelse)
            self.instructions[to_end] = Control("jump", 0, len(self.instructions))

    def _while(self, entry: While) -> None:
        tapes = entry.elements.items()
        for _, tape in tapes:
            self._control("set", (RowAddress(self._tape(tape), TAPE.index("used")), 0))
        if entry.trips:
            self._control("set", (_start(entry.trips), 0))
        to_test = self._placeholder()
        start = len(self.instructions)
        pushes = [self._placeholder() for _ in tapes]
        self.entries(entry.body)
        for at, (element, tape) in zip(pushes, tapes):
            uses = self._moving.pop(element, ())
            words = [word for row, place, offset in uses for word in (offset, RowAddress(row, place))]
            row = self._row((RowAddress(self._tape(tape)), self._bytes(tape), len(uses), *words))
            self.instructions[at] = Control("push", row)
        if entry.trips:
            self._control("add", (_start(entry.trips), 1))
        self.instructions[to_test] = Control("jump", 0, len(self.instructions))
        self.entries(entry.test)
        self._control("jump_if", (_start(entry.flag),), start)

    def _repeat(self, entry: Repeat) -> None:
        indirect = isinstance(entry.count, Buffer)
        count = _start(entry.count) if indirect else entry.count
        for tape in entry.grown:
            self._control("reserve", (RowAddress(self._tape(tape)), self._bytes(tape), count, int(indirect)))
        row, to_end = self._reserve_row(), self._placeholder()
        start = len(self.instructions)
        self.entries(entry.body)
        moving: list = []
        for element, stack in entry.elements.items():
            base = RowAddress(self._tape(stack)) if isinstance(stack, Tape) else _start(stack)
            for user, place, offset in self._moving.pop(element, ()):
                moving += [RowAddress(user, place), base, int(isinstance(stack, Tape)), offset, self._bytes(element)]
        self._fill_row(row, (0, _start(entry.index), -1 if entry.reverse else 1, count, int(indirect), len(moving) // 5,
                             *moving))
        self.instructions.append(Control("next", row, start))
        self.instructions[to_end] = Control("begin", row, len(self.instructions))

    def _host_call(self, entry: HostCall) -> None:
        result = [entry.result] if entry.result is not None else []
        row = self._row(tuple(parts.Address(v) for v in (*entry.arguments, *result)))
        types = tuple((v.dtype.storage.str, tuple(map(self.number, v.shape))) for v in entry.arguments)
        self.instructions.append(program.HostCall(entry.callback, row, types, bool(result)))

    def _exchange(self, entry: Exchange) -> None:
        views = (entry.source, entry.target)
        row = self._row(tuple(map(parts.Address, views)))
        sizes = (self.number(v.size) for v in views)
        self.instructions.append(program.Exchange(entry.number, entry.ends, row, entry.target.dtype.storage.str, *sizes,
                                                  *entry.collective))

    def _control(self, opcode: str, words: tuple, target: int = 0) -> None:
        self.instructions.append(Control(opcode, self._row(words), target))

    def _placeholder(self) -> int:
        self.instructions.append(None)
        return len(self.instructions) - 1

    # -- tapes -----------------------------------------------------------------------------------------
    def _tape(self, tape: Tape) -> int:
        """The row of a tape."""
        if tape not in self._tape_rows:
            self._tape_rows[tape] = self._row((0,) * len(TAPE))
            self.tapes.append((self._tape_rows[tape], tape.name, self._bytes(tape)))
        return self._tape_rows[tape]

    def _bytes(self, block: Buffer | Tape) -> int:
        return self.number(block.size) * block.dtype.itemsize

    # -- rows ------------------------------------------------------------------------------------------
    def _row(self, words: tuple) -> int:
        """Append a row; its number."""
        place = self._reserve_row()
        self._fill_row(place, words)
        return place

    def _reserve_row(self) -> int:
        self.rows.append(None)
        return len(self.rows) - 1

    def _fill_row(self, place: int, words: tuple) -> None:
        self.rows[place] = tuple(self._word(w, place, i) for i, w in enumerate(words))

    def _word(self, word, row: int, place: int):
        if isinstance(word, parts.Address):
            return self._address(word.view, row, place)
        if isinstance(word, parts.KernelAddress):
            return Kernel(symbol(word.kernel))
        if isinstance(word, parts.Row):
            return RowAddress(self._row(word.words))
        if isinstance(word, parts.Scratch):
            size = -(-self.number(word.bytes) // ALIGNMENT) * ALIGNMENT
            found = Scratch(self._scratch, size)
            self._scratch += size
            return found
        return word if isinstance(word, RowAddress) else self.number(word)

    def _address(self, view: parts.View, row: int, place: int):
        offset = self.number(view.offset) * view.dtype.itemsize
        buffer = view.buffer
        if buffer in self.numbers:
            return External(self.numbers[buffer], offset)
        if buffer in self.plan.offsets:
            return Arena(self.plan.offsets[buffer] + offset)
        self._moving.setdefault(buffer, []).append((row, place, offset))
        return 0                                    # an element of a stack: set by the loop that it belongs to


_WRITERS = {Launch: _Writer._launch, Branch: _Writer._branch, While: _Writer._while, Repeat: _Writer._repeat,
            HostCall: _Writer._host_call, Exchange: _Writer._exchange}


def _at_least_one(grain: Size) -> Size:
    return max(1, grain) if isinstance(grain, int) else grain


def _start(buffer: Buffer) -> parts.Address:
    return parts.Address(parts.View(buffer, (1,), (1,)))
