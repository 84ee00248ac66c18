"""The functions of one CPU level: create a model, and fit it to other sizes.

    i32 create_LEVEL(ptr *model, i64 threads, i64 *largest, ptr weights, ptr mapped, i64 mapped_bytes)
    i32 resize_LEVEL(ptr model)             to the present sizes in its handle; symbolic ones come with the first run

All loops stand in `gc_fill`; what else depends on the net is straight-line code.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from llvmlite import ir

from graphcore.compiler.aot.emitter import F64, I32, I64, POINTER, WORD, Emitter, Number, function
from graphcore.compiler.aot.handle import BAD_SIZE, HEAD, NO_MEMORY, OK, HandleLayout
from graphcore.compiler.aot.image import THREADS, Numbers, image_of
from graphcore.compiler.aot.plan import LevelPlan
from graphcore.compiler.runtime.pool_ir import MOST_THREADS
from graphcore.compiler.runtime.program import Scratch
from graphcore.ir.dims import Dim, Size

ALIGNMENT = 64
MOST_BYTES = float(1 << 46)         # of a model's memory: below it no size overflows
VOID = ir.VoidType()


@dataclass(frozen=True)
class Interface:
    """What all levels share.

    symbols: of the symbolic sizes; inputs, outputs: their numbers of bytes; weights, constants: byte offsets in the
    library's (or file's) weights and in its constants, of each Parameter by name and each array by digest.
    """

    symbols: tuple
    inputs: tuple
    outputs: tuple
    weights: Mapping
    constants: Mapping


def level_module(name: str, plan: LevelPlan, interface: Interface) -> str:
    """LLVM IR of the two functions of a level called `name`."""
    return str(LevelCode(name, plan, interface).module)


class LevelCode:
    """The functions of a level, and where things are in the handle that they make.

    module: the code; layout: of the handle; numbers: which of its bases are the addresses of blocks; tables: its words
    where the programs' tables begin.
    """

    def __init__(self, name: str, plan: LevelPlan, interface: Interface):
        self.name, self.plan, self.interface = name, plan, interface
        self.module = ir.Module(name)
        self.numbers = Numbers()
        self.all_blocks = (*plan.blocks, *plan.prologue_blocks)
        symbols = {block.symbol for block in self.all_blocks}
        self.images = [image_of(program, f"table.{i}", symbols, self.numbers)
                       for i, program in enumerate(plan.programs)]
        for symbol in sorted(symbols):
            self.numbers.base(symbol)
        self.runs_prologue_once = plan.prologue is not None and not self.images[0].has_values
        self.externals = (len(interface.inputs) + len(interface.outputs) + len(plan.derived) + len(plan.params)
                          + len(plan.constants))
        self.layout = HandleLayout(len(interface.symbols), self.externals)
        self.tables = [self.layout.bases + len(self.numbers.bases)]
        for image in self.images:
            self.tables.append(self.tables[-1] + len(image.words))
        self.fixed_bytes = self.tables.pop() * WORD
        self._create()
        self._resize()

    # -- create ----------------------------------------------------------------------------------------
    def _create(self) -> None:
        entry = function(self.module, f"create_{self.name}", I32, (POINTER, I64, POINTER, POINTER, POINTER, I64))
        code = Emitter(entry)
        result, threads, largest, weights, mapped, mapped_bytes = entry.args
        known = {symbol: code.load(largest, i) for i, symbol in enumerate(self.interface.symbols)}
        if known:
            self._refuse_sizes(code, known)
        scratch_at = code.align(self.fixed_bytes, ALIGNMENT)
        arena_at = code.align(code.add(scratch_at, self._scratch(code, known, threads)), ALIGNMENT)
        kept = self.plan.blocks if self.runs_prologue_once else self.all_blocks
        offsets, arena_bytes = self._blocks(code, known, kept)
        derived, total = [], code.add(arena_at, arena_bytes)
        for size in self.plan.derived:
            derived.append(total)
            total = code.align(code.add(total, code.most(size, known)), ALIGNMENT)
        memory = code.call("aligned_alloc", POINTER, ALIGNMENT, code.align(total, ALIGNMENT))
        code.status_if(code.is_null(memory), NO_MEMORY)
        head = {"table": code.at(memory, self.tables[-1] * WORD), "places": code.at(memory, self.layout.places * WORD),
                "resize": self.module.globals.get(f"resize_{self.name}") or self._resize_function(), "mapped": mapped,
                "mapped_bytes": mapped_bytes, "threads": threads}
        for word, name in enumerate(HEAD):
            code.store(head[name], memory, word)
        for i, symbol in enumerate(self.interface.symbols):
            code.store(known[symbol], memory, self.layout.largest + i)
            code.store(0, memory, self.layout.present + i)          # none yet: the first run fits the tables to its own
        self._arrays(code, memory, weights, derived)
        blocks = {symbol: code.at(memory, code.add(arena_at, offset)) for symbol, offset in offsets.items()}
        if self.runs_prologue_once:                 # in memory of its own, which is free again after it
            offsets, arena_bytes = self._blocks(code, known, self.plan.prologue_blocks)
            arena = code.call("aligned_alloc", POINTER, ALIGNMENT, code.larger(arena_bytes, ALIGNMENT))
            with code.builder.if_then(code.is_null(arena), likely=False):
                code.call("free", VOID, memory)
                code.builder.ret(ir.Constant(I32, NO_MEMORY))
            blocks |= {symbol: code.at(arena, offset) for symbol, offset in offsets.items()}
        self._bases(code, memory, blocks, code.at(memory, scratch_at), threads, known)
        if self.runs_prologue_once:
            values = code.builder.alloca(I64)
            code.store(0, values)
            self._fill(code, 0, memory, code.at(memory, self.layout.bases * WORD), values)
            self._run_prologue(code, memory)
            code.call("free", VOID, arena)
        if not known:
            code.builder.call(self._resize_function(), [memory])
        code.store(memory, result)
        code.builder.ret(ir.Constant(I32, OK))

    def _refuse_sizes(self, code: Emitter, known: Mapping) -> None:
        """Return BAD_SIZE for a size below 1, NO_MEMORY where the sum of all bytes is out of all proportion."""
        for value in known.values():
            code.status_if(code.builder.icmp_signed("<", value, code.value(1)), BAD_SIZE)
        plan, total = self.plan, ir.Constant(F64, 0.0)
        scratch = [(word.bytes + word.offset) * MOST_THREADS for word in self._scratch_words()]
        for size in (*self.interface.inputs, *self.interface.outputs, *(b.bytes for b in self.all_blocks),
                     *plan.derived, *scratch, *(expression.size for expression in self.numbers.expressions)):
            if isinstance(size, Dim):
                total = code.builder.fadd(total, code.bound(self._without_blocks(size), known))
        code.status_if(code.builder.fcmp_unordered(">", total, ir.Constant(F64, MOST_BYTES)), NO_MEMORY)

    def _without_blocks(self, size: Size) -> Size:
        """A size without the addresses of blocks in it."""
        for block in self.all_blocks:
            size = size - Dim.symbol(block.symbol) if block.symbol in size.symbols() else size
        return size

    def _scratch_words(self) -> list:
        return [word for program in self.plan.programs for row in program.rows for word in row
                if isinstance(word, Scratch)]

    def _scratch(self, code: Emitter, known: Mapping, threads: ir.Value) -> Number:
        """The bytes of scratch memory."""
        total: Number = 0
        for offset, each in dict.fromkeys((word.offset, word.bytes) for word in self._scratch_words()):
            needed = code.multiply(code.add(code.most(offset, known), code.most(each, known)), threads)
            total = code.larger(total, needed)
        return total

    def _blocks(self, code: Emitter, known: Mapping, blocks: tuple) -> tuple:
        """(the offset in the arena of each of the blocks by symbol, the bytes of the arena)."""
        begins: dict = {}
        ends: dict = {}
        total: Number = 0
        for block in blocks:
            begin: Number = 0
            for below in block.above:
                begin = code.larger(begin, ends[below])
            begins[block.symbol] = begin
            ends[block.symbol] = code.align(code.add(begin, code.most(block.bytes, known)), ALIGNMENT)
            total = code.larger(total, ends[block.symbol])
        return begins, total

    def _arrays(self, code: Emitter, memory: ir.Value, weights: ir.Value, derived: list) -> None:
        """The addresses of the arrays that stay, and the places where all addresses stand."""
        number = len(self.interface.inputs) + len(self.interface.outputs)
        for offset in derived:
            code.store(code.at(memory, offset), memory, self.layout.arrays + number)
            number += 1
        for name in self.plan.params:
            code.store(code.at(weights, self.interface.weights[name]), memory, self.layout.arrays + number)
            number += 1
        if self.plan.constants:
            data = code.address(ir.GlobalVariable(self.module, ir.IntType(8), "gc_constants"))
        for constant in self.plan.constants:
            code.store(code.at(data, self.interface.constants[constant.digest]), memory, self.layout.arrays + number)
            number += 1
        with code.counted(self.externals) as i:
            code.store(code.at(memory, code.multiply(code.add(i, self.layout.arrays), WORD)), memory,
                       code.add(i, self.layout.places))

    def _bases(self, code: Emitter, memory: ir.Value, blocks: Mapping, scratch: ir.Value, threads: ir.Value,
               known: Mapping) -> None:
        for name, number in self.numbers.bases.items():
            if name == "":
                value = 0
            elif name == THREADS:
                value = threads
            elif name in self.numbers.scratch:
                before = code.most(self.numbers.scratch[name], known)
                value = code.at(scratch, code.multiply(before, threads))
            elif name.startswith("table."):
                value = code.at(memory, self.tables[int(name.removeprefix("table."))] * WORD)
            elif name in blocks:
                value = blocks[name]
            else:
                value = function(self.module, name, VOID, (POINTER, I64, I64, I64))
            code.store(value, memory, self.layout.bases + number)

    # -- resize ----------------------------------------------------------------------------------------
    def _resize_function(self) -> ir.Function:
        return function(self.module, f"resize_{self.name}", I32, (POINTER,))

    def _resize(self) -> None:
        code = Emitter(self._resize_function())
        [memory] = code.function.args
        known, largest = ({symbol: code.load(memory, at + i) for i, symbol in enumerate(self.interface.symbols)}
                          for at in (self.layout.present, self.layout.largest))
        if known:
            self._check_sizes(code, known, largest)
        bases = code.at(memory, self.layout.bases * WORD)
        for block in self.all_blocks:
            known[block.symbol] = code.load(bases, self.numbers.bases[block.symbol])
        values = code.builder.alloca(I64, len(self.numbers.expressions))
        for expression, number in self.numbers.expressions.items():
            value = code.size(expression.size, known)
            if expression.least is not None:
                value = code.larger(value, expression.least)
            code.store(value, values, number)
        for number in range(int(self.runs_prologue_once), len(self.images)):
            self._fill(code, number, memory, bases, values)
        if self.plan.prologue and not self.runs_prologue_once:
            self._run_prologue(code, memory)
        code.builder.ret(ir.Constant(I32, OK))

    def _check_sizes(self, code: Emitter, known: Mapping, largest: Mapping) -> None:
        """Return BAD_SIZE where the sizes do not fit the memory, or a slice would leave its array."""
        builder = code.builder
        refused = [builder.icmp_signed("<", known[s], code.value(1)) for s in known]
        refused += [builder.icmp_signed(">", known[s], largest[s]) for s in known]
        for size in dict.fromkeys((*(b.bytes for b in self.all_blocks), *self.plan.derived)):
            if isinstance(size, Dim):
                refused.append(builder.icmp_signed(">", code.size(size, known), code.most(size, largest)))
        for reach in self.plan.reaches:
            count, first, last, extent = (code.value(code.size(s, known)) for s in (
                reach.count, reach.first, reach.last, reach.extent))
            # an unsigned comparison: a negative place is refused as well
            outside = builder.or_(builder.icmp_unsigned(">=", first, extent), builder.icmp_unsigned(">=", last, extent))
            refused.append(builder.and_(outside, builder.icmp_signed("!=", count, code.value(0))))
        for condition in refused:
            code.status_if(condition, BAD_SIZE)

    def _fill(self, code: Emitter, number: int, memory: ir.Value, bases: ir.Value, values: ir.Value) -> None:
        """Write the table of program `number`."""
        image = self.images[number]
        words = self._data(f"words.{self.name}.{number}", I64, image.words)
        fixups = self._data(f"fixups.{self.name}.{number}", I32, [n for fixup in image.fixups for n in fixup])
        code.call("gc_fill", VOID, code.at(memory, self.tables[number] * WORD), code.address(words), len(image.words),
                  code.address(fixups), len(image.fixups), bases, values)

    def _data(self, name: str, type_: ir.Type, numbers) -> ir.GlobalVariable:
        data = ir.GlobalVariable(self.module, ir.ArrayType(type_, len(numbers)), name)
        data.global_constant, data.linkage = True, "internal"
        data.initializer = ir.Constant(data.value_type, list(numbers))
        return data

    def _run_prologue(self, code: Emitter, memory: ir.Value) -> None:
        code.call("gc_run", VOID, code.at(memory, self.tables[0] * WORD), code.at(memory, self.layout.places * WORD))
