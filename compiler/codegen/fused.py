"""The text of a fused kernel, from the loop structure of its group.

Three forms: a *map* over flat items; *rows*, where each item reduces along a contiguous row; *columns*, where an item
is a block of neighbouring columns and the loop over the reduced axes lies outside the vectorised one.
"""
from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from graphcore.compiler.launch import KernelSource
from graphcore.compiler.schedule.groups import kind
from graphcore.compiler.schedule.loops import Array, Index, Literal, Loops
from graphcore.dtype import DType
from graphcore.ir.dims import Size, product
from graphcore.ir.graph import Node
from graphcore.ops.record import REGISTRY

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


def compute_type(dtype: DType) -> str:
    """The kernel language's type in which values of `dtype` are computed."""
    return {"f16": "f32", "bf16": "f32"}.get(dtype.code, dtype.code)


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

    def _declare_key(self, array: Array) -> None:
        number = len(self.words)
        self.words.append(ArrayWord(array.base, 0))
        self.head += [f"    key = ptr_i64(args[{number}])", "    key0 = load(key, 0)", "    key1 = load(key, 1)"]

    # -- text ------------------------------------------------------------------------------------------
    def _line(self, text: str) -> None:
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
        heavy = {"exp", "log", "tanh", "sigmoid", "erf", "pow", "sin", "cos", "random_uniform", "log1p", "expm1"}
        return 1 + sum(3 for m in self.members if m.op in heavy) + len(self.members) // 8

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
            self._line("for i in range(end - begin):")
        else:
            self._line("at = begin")
            self._line("while at < end:")
            self.indent += 1
            inner = f"n{depth - 1}"
            self._line(f"row = at // {inner}")
            self._line(f"start = at - row * {inner}")
            self._line(f"count = minimum({inner} - start, end - at)")
            positions = self._split_row("row", depth - 1)
            self._base_pointers(positions + ["start"], inner=True)
            self._line("at += count")
            self._line("for i in range(count):")
        self.indent += 1
        self._evaluate_all(index="i")

    def _split_row(self, name: str, depth: int, sizes: str = "n") -> list[str]:
        """Write the decomposition of a flat index over the first `depth` loops; the names of the indices."""
        names = [f"{name}{k}" for k in range(depth)]
        rest = name
        for k in range(depth - 1, 0, -1):
            quotient = f"{name}_{k}"
            self._line(f"{quotient} = {rest} // {sizes}{k}")
            self._line(f"{names[k]} = {rest} - {quotient} * {sizes}{k}")
            rest = quotient
        if depth:
            self._line(f"{names[0]} = {rest}")
        return names

    def _base_pointers(self, positions: list, inner: bool) -> None:
        """Pointers at the present outer position; the last position is where the innermost loop starts."""
        for (array, output), (name, strides) in self.pointers.items():
            self._line(f"{name}b = advance({name}, {_affine(positions, strides)})")
        for index in self.loops.indices:
            texts = [self._index_stride(s) for s in index.strides]
            self._line(f"{self._index_name(index)} = {_sum([self._index_stride(index.offset), _affine(positions, texts)])}")

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
        scope = _Scope(self, lambda array, output: self._element(array, output, index, suffix),
                       lambda i: self._index_value(i, index))
        for m in self.members:
            scope.value(m)
        for m, array in self.loops.outputs.items():         # last, since an output may lie on an input's memory
            self._line(f"store({self._element(array, True, index, suffix)}, {scope.value(m)})")

    def _element(self, array: Array, output: bool, index: str, suffix: str, axis: int = -1) -> str:
        name, strides = self.pointers[array, output]
        stride = strides[axis] if strides else "0"
        return f"{name}{suffix}, {_times(index, stride)}"

    def _index_value(self, found: Index, index: str, axis: int = -1, suffix: str = "") -> str:
        if not found.strides:
            return self._index_stride(found.offset)
        return _sum([self._index_name(found) + suffix, _times(index, self._index_stride(found.strides[axis]))])

    # -- rows ------------------------------------------------------------------------------------------
    def _rows(self) -> None:
        loops = self.loops
        outer = len(loops.outer)
        self._line("for row in range(begin, end):")
        self.indent += 1
        positions = self._split_row("row", outer)
        self._base_pointers(positions + ["0"] * len(loops.inner), inner=False)
        rows = _Scope(self, lambda array, output: self._element(array, output, "0", "b"),
                      lambda i: self._index_value(i, "0"))
        for phase in _phases(loops):
            for m in phase.row_nodes:
                if kind(m) != "reduction":
                    rows.value(m)
            if phase.targets:
                for r in phase.reductions:
                    rows.names[r] = f"a{self.members.index(r)}"
                    self._line(f"{rows.names[r]} = {_identity(r)}")
                self._load_row_values(phase, rows)
                depth = self._open_inner()
                self._phase_body(phase, rows, lambda r, v: self._line(
                    f"{rows.names[r]} = {_combine(r, rows.names[r], v)}"), "i", "c")
                self.indent -= depth
        for m in self._row_outputs():
            self._line(f"store({self._element(loops.outputs[m], True, '0', 'b')}, {rows.value(m)})")

    def _row_outputs(self) -> list:
        """Row-level results: stored when all is read, since they may lie on the memory of row-level operands."""
        return [m for m in self.loops.outputs if self.group.nodes[m] == "row"]

    def _load_row_values(self, phase, rows: "_Scope") -> None:
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
            self._line(f"for k{k} in range(m{k}):")
            self.indent += 1
        outer = len(loops.outer)
        for (array, _), (name, strides) in self.pointers.items():
            if array.level == "full":
                self._line(f"{name}c = advance({name}b, "
                           f"{_affine([f'k{k}' for k in range(depth - 1)], strides[outer:outer + depth - 1])})")
        for index in loops.indices:
            texts = [self._index_stride(s) for s in index.strides[outer:outer + depth - 1]]
            self._line(f"{self._index_name(index)}c = "
                       f"{_sum([self._index_name(index), _affine([f'k{k}' for k in range(depth - 1)], texts)])}")
        self._line(f"for i in range(m{depth - 1}):")
        self.indent += 1
        return depth

    def _phase_body(self, phase, rows: "_Scope", reduce, index: str, suffix: str) -> None:
        loops = self.loops

        def element(array, output):
            return self._element(array, output, index, suffix)

        def index_of(found):
            return self._index_value(found, index, suffix=suffix)

        scope = _Scope(self, element, index_of, outer=rows, reload=phase.reload)
        for m in phase.targets:
            if kind(m) == "reduction":
                reduce(m, scope.operand(loops.operands[m][0], m))
            else:
                self._line(f"store({element(loops.outputs[m], True)}, {scope.value(m)})")

    # -- columns ---------------------------------------------------------------------------------------
    def _columns(self) -> None:
        loops = self.loops
        outer, width = len(loops.outer), f"n{len(loops.outer) - 1}"
        tables = {m: f"t{k}" for k, m in enumerate(m for m in self.members if self.group.nodes[m] == "row")}
        for m, name in tables.items():
            code = compute_type(m.dtype)
            self.head.append(f"    {name} = alloca_{code}({BLOCK})")
        self._line(f"blocks = ({width} + {BLOCK - 1}) // {BLOCK}")
        self._line("for item in range(begin, end):")
        self.indent += 1
        self._line("row = item // blocks")
        self._line(f"start = (item - row * blocks) * {BLOCK}")
        self._line(f"count = minimum({BLOCK}, {width} - start)")
        positions = self._split_row("row", outer - 1)
        self._base_pointers(positions + ["start"] + ["0"] * len(loops.inner), inner=False)
        axis = outer - 1
        phases = _phases(loops)
        for phase in phases:
            self._column_row_values(phase, tables, axis, is_last=phase is phases[-1])
            if phase.targets:
                if phase.reductions:
                    self._line(f"for j in range({BLOCK}):")
                    for r in phase.reductions:
                        self.indent += 1
                        self._line(f"store({tables[r]}, j, {_identity(r)})")
                        self.indent -= 1
                self._column_phase(phase, tables, axis)
    def _column_row_values(self, phase, tables: dict, axis: int, is_last: bool) -> None:
        """Compute the row values that are ready; those needed after this loop go into tables, results to memory last."""
        computed = [m for m in phase.row_nodes if kind(m) != "reduction"]
        outputs = self._row_outputs() if is_last else []
        if not computed and not outputs:
            return
        self._line("for j in range(count):")
        self.indent += 1
        rows = self._column_scope({m: t for m, t in tables.items() if m not in computed}, axis)
        for m in computed:
            value = rows.value(m)
            if not is_last or self._used_at_full_level(m):
                self._line(f"store({tables[m]}, j, {value})")
        for m in outputs:
            self._line(f"store({self._element(self.loops.outputs[m], True, 'j', 'b', axis)}, {rows.value(m)})")
        self.indent -= 1

    def _used_at_full_level(self, m: Node) -> bool:
        return any(m in self.loops.operands[u] for u in self.members
                   if self.group.nodes[u] == "full" or kind(u) == "reduction")

    def _column_scope(self, tables: dict, axis: int) -> "_Scope":
        scope = _Scope(self, lambda array, output: self._element(array, output, "j", "b", axis),
                       lambda i: self._index_value(i, "j", axis))
        scope.tables = tables
        return scope

    def _column_phase(self, phase, tables: dict, axis: int) -> None:
        loops = self.loops
        depth, outer = len(loops.inner), len(loops.outer)
        for k in range(depth):
            self._line(f"for k{k} in range(m{k}):")
            self.indent += 1
        indices = [f"k{k}" for k in range(depth)]
        for (array, _), (name, strides) in self.pointers.items():
            if array.level == "full":
                self._line(f"{name}c = advance({name}b, {_affine(indices, strides[outer:])})")
        for index in loops.indices:
            texts = [self._index_stride(s) for s in index.strides[outer:]]
            self._line(f"{self._index_name(index)}c = {_sum([self._index_name(index), _affine(indices, texts)])}")
        self._line("for j in range(count):")
        self.indent += 1
        rows = self._column_scope(tables, axis)

        def element(array, output):
            return self._element(array, output, "j", "c" if array.level == "full" else "b", axis)

        def index_of(found):
            return self._index_value(found, "j", axis, "c")

        scope = _Scope(self, element, index_of, outer=rows, reload=phase.reload)
        scope.tables = tables
        for m in phase.targets:
            if kind(m) == "reduction":
                value = scope.operand(loops.operands[m][0], m)
                self._line(f"store({tables[m]}, j, {_combine(m, f'load({tables[m]}, j)', value)})")
            else:
                self._line(f"store({element(loops.outputs[m], True)}, {scope.value(m)})")
        self.indent -= depth + 1


class _Scope:
    """The values that are known by name at one place of the text; writes the lines that compute missing ones."""

    def __init__(self, writer: _Writer, element, index_of, outer: "_Scope | None" = None, reload=frozenset()):
        self.writer, self.element, self.index_of, self.outer, self.reload = writer, element, index_of, outer, reload
        self.names: dict = {}
        self.tables: dict = {}

    def value(self, m: Node) -> str:
        """The name of a member's value."""
        known = self.names.get(m)
        if known is not None:
            return known
        writer, group = self.writer, self.writer.group
        if m in self.tables:
            text = f"load({self.tables[m]}, j)"
        elif self.outer is not None and group.nodes[m] == "row":
            return self.outer.value(m)
        elif m in self.reload:
            text = f"load({self.element(writer.loops.outputs[m], True)})"
        else:
            text = self._expression(m)
        return self._assign(m, f"v{writer.members.index(m)}", text)

    def _assign(self, key, name: str, text: str) -> str:
        self.writer._line(f"{name} = {text}")
        self.names[key] = name
        return name

    def operand(self, operand, m: Node) -> str:
        """The text of one operand of member m."""
        if isinstance(operand, Node):
            return self.value(operand)
        if isinstance(operand, Literal):
            return literal(operand.node)
        if isinstance(operand, Index):
            return f"{compute_type(operand.dtype)}({self.index_of(operand)})"
        known = self.names.get(operand)
        if known is not None:
            return known
        if self.outer is not None and operand.level == "row" and not self.tables and self.writer.group.reduced:
            return self.outer.operand(operand, m)
        name = self.writer.pointers[operand, False][0]
        return self._assign(operand, f"e{name}", f"load({self.element(operand, False)})")

    def _expression(self, m: Node) -> str:
        record, code = REGISTRY[m.op], compute_type(m.dtype)
        if m.op == "random_uniform":
            return f"philox_uniform(key0, key1, {m.attrs['site']}, {self.index_of(self.writer.loops.positions[m])})"
        texts = [self.operand(o, m) for o in self.writer.loops.operands[m]]
        source = compute_type(m.inputs[0].dtype) if m.inputs else code
        text = record.scalar.format(*texts).replace("T(", f"{source}(")
        return text if m.dtype.is_bool and record.scalar != "{0}" else f"{code}({text})"


@dataclass(frozen=True)
class _Phase:
    """One walk along the reduced axes: first the row values that are ready, then the loop for `targets`."""

    row_nodes: tuple
    targets: tuple              # reductions and full-level outputs
    reload: frozenset           # full-level outputs stored by earlier phases

    @property
    def reductions(self) -> list:
        return [m for m in self.targets if kind(m) == "reduction"]


def _phases(loops: Loops) -> list[_Phase]:
    """Order a row-wise group: a value can be used from the phase after its reductions are done."""
    ready: dict = {}
    for m in loops.group.in_order():
        before = max((ready[o] for o in loops.operands[m] if isinstance(o, Node)), default=0)
        ready[m] = before + 1 if kind(m) == "reduction" else before
    last = max(ready.values(), default=0)
    phases, stored = [], frozenset()
    for p in range(last + 1):
        rows = tuple(m for m in loops.group.in_order() if loops.group.nodes[m] == "row" and ready[m] == p)
        targets = tuple(m for m in loops.group.in_order()
                        if kind(m) == "reduction" and ready[m] == p + 1
                        or loops.group.nodes[m] == "full" and m in loops.outputs and ready[m] == p)
        phases.append(_Phase(rows, targets, stored))
        stored |= {m for m in targets if kind(m) != "reduction"}
    return phases


def literal(node: Node) -> str:
    """A one-element constant as text of its compute type; exact."""
    value = node.attrs["value"]
    dtype, item = value.dtype, value.array.reshape(-1)[0]
    if dtype.is_bool:
        return "bool(1)" if item else "bool(0)"
    if dtype.is_integer:
        return f"{dtype.code}({int(item)})"
    if dtype.code == "bf16":
        item = np.uint32(int(item) << 16).view(np.float32)
    number = float(item)
    text = "(1e999 - 1e999)" if math.isnan(number) else ("1e999" if number > 0 else "-1e999") if math.isinf(number) \
        else repr(number)
    return f"{compute_type(dtype)}({text})"


_INTEGER_LIMITS = {"maximum": lambda t: np.iinfo(t).min, "minimum": lambda t: np.iinfo(t).max}


def _identity(reduction: Node) -> str:
    combine, dtype = REGISTRY[reduction.op].combine, reduction.dtype
    if combine in ("and", "or"):
        return "bool(1)" if combine == "and" else "bool(0)"
    if combine in ("add", "multiply"):
        value = "0" if combine == "add" else "1"
    elif dtype.is_float:
        value = "-1e999" if combine == "maximum" else "1e999"
    else:
        value = str(_INTEGER_LIMITS[combine](dtype.storage))
    return f"{compute_type(dtype)}({value})"


def _combine(reduction: Node, total: str, value: str) -> str:
    combine, code = REGISTRY[reduction.op].combine, compute_type(reduction.dtype)
    return {"add": f"accumulate({total}, {value})", "multiply": f"{code}({total} * {value})",
            "maximum": f"maximum({total}, {value})", "minimum": f"minimum({total}, {value})",
            "and": f"{total} & {value}", "or": f"{total} | {value}"}[combine]


def _grain(work_per_item: Size) -> int:
    return max(1, SERIAL_ELEMENTS // work_per_item) if isinstance(work_per_item, int) and work_per_item else 1


def _times(index: str, stride: str) -> str:
    if stride == "0" or index == "0":
        return "0"
    return index if stride == "1" else f"{index} * {stride}"


def _sum(terms: list) -> str:
    kept = [t for t in terms if t != "0"]
    return " + ".join(kept) or "0"


def _affine(positions: list, strides: list) -> str:
    return _sum([_times(p, s) for p, s in zip(positions, strides)])
