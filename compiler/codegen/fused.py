"""The text of a fused kernel, from the loop structure of its group.

Three forms: a *map* over flat items; *rows*, where each item reduces along a contiguous row; *columns*, where an item
is a block of neighbouring columns and the loop over the reduced axes lies outside the vectorised one.
"""
from __future__ import annotations

from dataclasses import dataclass

from graphcore.compiler.codegen import parts
from graphcore.compiler.codegen.phases import DEAR, find_phases
from graphcore.compiler.codegen.scope import Scope
from graphcore.compiler.codegen.text import add_up, affine, combine, compute_type, identity, literal, times, word_of
from graphcore.compiler.launch import KernelSource
from graphcore.compiler.schedule.kinds import kind
from graphcore.compiler.schedule.loops import Array, Index, Loops
from graphcore.dtype import DType
from graphcore.ir.dims import Size, product
from graphcore.ir.graph import Node

BLOCK = 64              # columns of one item: four AVX-512 vectors of floats
SERIAL_ELEMENTS = 1 << 14       # fewer elements than this are not worth waking a thread


@dataclass(frozen=True)
class ArrayWord:
    """The address of an array of the group, with an element offset, as a word of the row."""

    base: Node
    offset: Size


@dataclass(frozen=True)
class FusedKernel:
    """A fused kernel and what its row holds: ArrayWords and sizes."""

    kernel: KernelSource
    words: tuple
    items: Size
    grain: Size


def write_kernel(loops: Loops) -> FusedKernel:
    """Generate the kernel of a group."""
    return _Writer(loops).write()


class _Writer:
    def __init__(self, loops: Loops):
        self.loops, self.group = loops, loops.group
        self.words: list = []
        self.head: list[str] = []               # reads of the row, before any loop
        self.lines: list[str] = []
        self.names: dict = {}
        self.constants: dict = {}               # (text, word) -> name
        self.pointers: dict = {}                # (Array, is output) -> (pointer name, stride texts)
        self.members = self.group.in_order()
        self.indent = 1

    # -- words and pointers ----------------------------------------------------------------------------
    def _word(self, value, name: str) -> str:
        self.head.append(f"    {name} = args[{len(self.words)}]")
        self.words.append(value)
        return name

    def _declare(self) -> None:
        loops = self.loops
        for i, size in enumerate(loops.outer):
            self._word(size, f"n{i}")
        for i, size in enumerate(loops.inner):
            self._word(size, f"m{i}")
        for array in loops.arrays:
            if any(array in loops.operands[m] and m.op == "random_uniform" for m in self.members):
                self._declare_key(array)
            else:
                self._declare_array(array, f"x{len(self.pointers)}", array.base.dtype)
        for m, array in loops.outputs.items():
            self._declare_array(array, f"y{len(self.pointers)}", m.dtype, output=True)

    def _declare_array(self, array: Array, name: str, dtype: DType, output=False) -> None:
        number = len(self.words)
        scope = min(len(self.pointers), 15)
        self.words.append(ArrayWord(array.base, array.offset))
        self.head.append(f"    {name} = restrict(ptr_{dtype.code}(args[{number}]), {scope})")
        strides = []
        for i, stride in enumerate(array.strides):
            strides.append(str(stride) if stride in (0, 1) and isinstance(stride, int)
                           else self._word(stride, f"{name}_s{i}"))
        self.pointers[array, output] = (name, strides)

    def constant(self, node: Node) -> str:
        """The text of a constant."""
        found = word_of(node)
        if found is None:
            return literal(node)
        if found not in self.constants:
            text, word = found
            self.constants[found] = f"c{len(self.constants)}"
            self.head.append(f"    {self.constants[found]} = {text.format(f'args[{len(self.words)}]')}")
            self.words.append(word)
        return self.constants[found]

    def _declare_key(self, array: Array) -> None:
        number = len(self.words)
        self.words.append(ArrayWord(array.base, 0))
        self.head += [f"    key = ptr_i64(args[{number}])", "    key0 = load(key, 0)", "    key1 = load(key, 1)"]

    # -- text ------------------------------------------------------------------------------------------
    def line(self, text: str) -> None:
        self.lines.append("    " * self.indent + text)

    def write(self) -> FusedKernel:
        self._declare()
        loops = self.loops
        if self.group.reduced is None:
            self._map()
            items, grain = product(loops.outer), SERIAL_ELEMENTS // self._cost()
        elif loops.columns:
            self._columns()
            blocks = (loops.outer[-1] + (BLOCK - 1)) // BLOCK
            items = product(loops.outer[:-1]) * blocks
            grain = _grain(product(loops.inner) * BLOCK * self._cost())
        else:
            self._rows()
            items = product(loops.outer)
            grain = _grain(product(loops.inner) * self._cost())
        title = self._title()
        source = "\n".join([f"def {title}(args, begin, end, worker):", *self.head, *self.lines]) + "\n"
        return FusedKernel(KernelSource(title, source), tuple(self.words), items, grain)

    def _cost(self) -> int:
        """Roughly how many times dearer than a copy an element is."""
        return 1 + sum(3 for m in self.members if m.op in DEAR) + len(self.members) // 8

    def _title(self) -> str:
        ops = list(dict.fromkeys(m.op for m in self.members if m.op != "cast"))
        return "fused_" + ("_".join(ops[-4:]) or "convert")

    # -- maps ------------------------------------------------------------------------------------------
    def _map(self) -> None:
        depth = len(self.loops.outer)
        if depth == 0:
            self._evaluate_all(index="0")
            return
        if depth == 1:
            self._base_pointers(["begin"], inner=True)
            self._map_line("end - begin")
        else:
            self.line("at = begin")
            inner = f"n{depth - 1}"
            self.line(f"row = at // {inner}")
            self.line(f"start = at - row * {inner}")
            self.line("while at < end:")
            self.indent += 1
            self.line(f"count = minimum({inner} - start, end - at)")
            positions = self._split_row("row", depth - 1)
            self._base_pointers(positions + ["start"], inner=True)
            self.line("at += count")
            self.line("row += 1")
            self.line("start = 0")
            self._map_line("count")

    def _map_line(self, count: str) -> None:
        """The loop over `count` neighbouring elements."""
        cut = parts.cut(self.members)
        if len(cut) >= parts.FEWEST:
            parts.write(self, cut, count)
            return
        self.line(f"for i in range({count}):")
        self.indent += 1
        self._evaluate_all(index="i")

    def _split_row(self, name: str, depth: int, sizes: str = "n") -> list[str]:
        """Write the decomposition of a flat index over the first `depth` loops; the names of the indices."""
        names = [f"{name}{k}" for k in range(depth)]
        rest = name
        for k in range(depth - 1, 0, -1):
            quotient = f"{name}_{k}"
            self.line(f"{quotient} = {rest} // {sizes}{k}")
            self.line(f"{names[k]} = {rest} - {quotient} * {sizes}{k}")
            rest = quotient
        if depth:
            self.line(f"{names[0]} = {rest}")
        return names

    def _base_pointers(self, positions: list, inner: bool) -> None:
        """Pointers at the present outer position; the last position is where the innermost loop starts."""
        for name, strides in self.pointers.values():
            self.line(f"{name}b = advance({name}, {affine(positions, strides)})")
        for index in self.loops.indices:
            texts = [self._index_stride(s) for s in index.strides]
            value = add_up([self._index_stride(index.offset), affine(positions, texts)])
            self.line(f"{self._index_name(index)} = {value}")

    def _index_stride(self, stride: Size) -> str:
        if isinstance(stride, int) and stride in (0, 1):
            return str(stride)
        for k, known in enumerate(self.words):
            if not isinstance(known, ArrayWord) and known == stride:
                return f"args[{k}]"
        self.words.append(stride)
        return f"args[{len(self.words) - 1}]"

    def _index_name(self, index: Index) -> str:
        return f"index{self.loops.indices.index(index)}"

    def _evaluate_all(self, index: str) -> None:
        suffix = "b" if self.loops.outer else ""
        scope = Scope(self, lambda array, output: self.element(array, output, index, suffix),
                       lambda i: self.index_value(i, index))
        for m in self.members:
            scope.value(m)
        for m, array in self.loops.outputs.items():         # last, since an output may lie on an input's memory
            self.line(f"store({self.element(array, True, index, suffix)}, {scope.value(m)})")

    def element(self, array: Array, output: bool, index: str, suffix: str, axis: int = -1) -> str:
        name, strides = self.pointers[array, output]
        stride = strides[axis] if strides else "0"
        return f"{name}{suffix}, {times(index, stride)}"

    def index_value(self, found: Index, index: str, axis: int = -1, suffix: str = "") -> str:
        if not found.strides:
            return self._index_stride(found.offset)
        return add_up([self._index_name(found) + suffix, times(index, self._index_stride(found.strides[axis]))])

    # -- rows ------------------------------------------------------------------------------------------
    def _rows(self) -> None:
        loops = self.loops
        outer = len(loops.outer)
        self.line("for row in range(begin, end):")
        self.indent += 1
        positions = self._split_row("row", outer)
        self._base_pointers(positions + ["0"] * len(loops.inner), inner=False)
        rows = Scope(self, lambda array, output: self.element(array, output, "0", "b"),
                      lambda i: self.index_value(i, "0"))
        for phase in find_phases(loops):
            for m in phase.row_nodes:
                if kind(m) != "reduction":
                    rows.value(m)
            if phase.targets:
                for r in phase.reductions:
                    rows.names[r] = f"a{self.members.index(r)}"
                    self.line(f"{rows.names[r]} = {identity(r)}")
                self._load_row_values(phase, rows)
                depth = self._open_inner()
                self._phase_body(phase, rows, lambda r, v: self.line(
                    f"{rows.names[r]} = {combine(r, rows.names[r], v)}"), "i", "c")
                self.indent -= depth
        for m in self._row_outputs():
            self.line(f"store({self.element(loops.outputs[m], True, '0', 'b')}, {rows.value(m)})")

    def _row_outputs(self) -> list:
        """Row-level results: stored when all is read, since they may lie on the memory of row-level operands."""
        return [m for m in self.loops.outputs if self.group.nodes[m] == "row"]

    def _load_row_values(self, phase, rows: Scope) -> None:
        """Write the loads of row-level arrays that the coming loop uses, before it."""
        seen: set = set()
        stack = list(phase.targets)
        while stack:
            m = stack.pop()
            if m in seen:
                continue
            seen.add(m)
            for operand in self.loops.operands[m]:
                if isinstance(operand, Array) and operand.level == "row" and m.op != "random_uniform":
                    rows.operand(operand, m)
                elif isinstance(operand, Node) and self.group.nodes[operand] == "full":
                    stack.append(operand)
                elif isinstance(operand, Node) and kind(operand) != "reduction":
                    rows.value(operand)

    def _open_inner(self) -> int:
        """Open the loops over the reduced axes; pointers get the suffix c."""
        loops = self.loops
        depth = len(loops.inner)
        for k in range(depth - 1):
            self.line(f"for k{k} in range(m{k}):")
            self.indent += 1
        outer = len(loops.outer)
        for (array, _), (name, strides) in self.pointers.items():
            if array.level == "full":
                self.line(f"{name}c = advance({name}b, "
                           f"{affine([f'k{k}' for k in range(depth - 1)], strides[outer:outer + depth - 1])})")
        for index in loops.indices:
            texts = [self._index_stride(s) for s in index.strides[outer:outer + depth - 1]]
            self.line(f"{self._index_name(index)}c = "
                       f"{add_up([self._index_name(index), affine([f'k{k}' for k in range(depth - 1)], texts)])}")
        self.line(f"for i in range(m{depth - 1}):")
        self.indent += 1
        return depth

    def _phase_body(self, phase, rows: Scope, reduce, index: str, suffix: str) -> None:
        loops = self.loops

        def element(array, output):
            return self.element(array, output, index, suffix)

        def index_of(found):
            return self.index_value(found, index, suffix=suffix)

        scope = Scope(self, element, index_of, outer=rows, reload=phase.reload)
        for m in phase.targets:
            if kind(m) == "reduction":
                reduce(m, scope.operand(loops.operands[m][0], m))
            else:
                self.line(f"store({element(loops.outputs[m], True)}, {scope.value(m)})")
        for m, output in phase.keep.items():
            self.line(f"store({element(loops.outputs[output], True)}, {scope.value(m)})")

    # -- columns ---------------------------------------------------------------------------------------
    def _columns(self) -> None:
        loops = self.loops
        outer, width = len(loops.outer), f"n{len(loops.outer) - 1}"
        tables = {m: f"t{k}" for k, m in enumerate(m for m in self.members if self.group.nodes[m] == "row")}
        for m, name in tables.items():
            code = compute_type(m.dtype)
            self.head.append(f"    {name} = alloca_{code}({BLOCK})")
        self.line(f"blocks = ({width} + {BLOCK - 1}) // {BLOCK}")
        self.line("for item in range(begin, end):")
        self.indent += 1
        self.line("row = item // blocks")
        self.line(f"start = (item - row * blocks) * {BLOCK}")
        self.line(f"count = minimum({BLOCK}, {width} - start)")
        positions = self._split_row("row", outer - 1)
        self._base_pointers(positions + ["start"] + ["0"] * len(loops.inner), inner=False)
        axis = outer - 1
        phases = find_phases(loops)
        for phase in phases:
            self._column_row_values(phase, tables, axis, is_last=phase is phases[-1])
            if phase.targets:
                if phase.reductions:
                    self.line(f"for j in range({BLOCK}):")
                    for r in phase.reductions:
                        self.indent += 1
                        self.line(f"store({tables[r]}, j, {identity(r)})")
                        self.indent -= 1
                self._column_phase(phase, tables, axis)

    def _column_row_values(self, phase, tables: dict, axis: int, is_last: bool) -> None:
        """Compute the row values that are ready; what later loops need goes into tables, results to memory."""
        computed = [m for m in phase.row_nodes if kind(m) != "reduction"]
        outputs = self._row_outputs() if is_last else []
        if not computed and not outputs:
            return
        self.line("for j in range(count):")
        self.indent += 1
        rows = self._column_scope({m: t for m, t in tables.items() if m not in computed}, axis)
        for m in computed:
            value = rows.value(m)
            if not is_last or self._used_at_full_level(m):
                self.line(f"store({tables[m]}, j, {value})")
        for m in outputs:
            self.line(f"store({self.element(self.loops.outputs[m], True, 'j', 'b', axis)}, {rows.value(m)})")
        self.indent -= 1

    def _used_at_full_level(self, m: Node) -> bool:
        return any(m in self.loops.operands[u] for u in self.members
                   if self.group.nodes[u] == "full" or kind(u) == "reduction")

    def _column_scope(self, tables: dict, axis: int) -> Scope:
        scope = Scope(self, lambda array, output: self.element(array, output, "j", "b", axis),
                       lambda i: self.index_value(i, "j", axis))
        scope.tables = tables
        return scope

    def _column_phase(self, phase, tables: dict, axis: int) -> None:
        loops = self.loops
        depth, outer = len(loops.inner), len(loops.outer)
        for k in range(depth):
            self.line(f"for k{k} in range(m{k}):")
            self.indent += 1
        indices = [f"k{k}" for k in range(depth)]
        for (array, _), (name, strides) in self.pointers.items():
            if array.level == "full":
                self.line(f"{name}c = advance({name}b, {affine(indices, strides[outer:])})")
        for index in loops.indices:
            texts = [self._index_stride(s) for s in index.strides[outer:]]
            self.line(f"{self._index_name(index)}c = {add_up([self._index_name(index), affine(indices, texts)])}")
        self.line("for j in range(count):")
        self.indent += 1
        rows = self._column_scope(tables, axis)

        def element(array, output):
            return self.element(array, output, "j", "c" if array.level == "full" else "b", axis)

        def index_of(found):
            return self.index_value(found, "j", axis, "c")

        scope = Scope(self, element, index_of, outer=rows, reload=phase.reload)
        scope.tables = tables
        for m in phase.targets:
            if kind(m) == "reduction":
                value = scope.operand(loops.operands[m][0], m)
                self.line(f"store({tables[m]}, j, {combine(m, f'load({tables[m]}, j)', value)})")
            else:
                self.line(f"store({element(loops.outputs[m], True)}, {scope.value(m)})")
        for m, output in phase.keep.items():
            self.line(f"store({element(loops.outputs[output], True)}, {scope.value(m)})")
        self.indent -= depth + 1


def _grain(work_per_item: Size) -> int:
    return max(1, SERIAL_ELEMENTS // work_per_item) if isinstance(work_per_item, int) and work_per_item else 1
