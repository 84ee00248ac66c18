"""Matrix products: which algorithm and which blocks for which sizes, and the kernels that drive the panels.

Three algorithms: *panels* (both operands in the layout of the register tile; see `panels`), *dots* for few rows or few
columns where both operands are contiguous along the inner axis (a layer's weights at a small batch: read once, as they
lie), and a *plain* loop nest for integers.
"""
from __future__ import annotations

from functools import lru_cache

from graphcore.compiler.kernels import panels
from graphcore.compiler.kernels.blocking import Sections, Tile, ceil_div, static
from graphcore.compiler.launch import Address, Buffer, KernelAddress, KernelSource, Row, Scratch, View
from graphcore.dtype import DType, from_name
from graphcore.ir.dims import Size, product
from graphcore.ir.types import TensorType

#: A dot product of this many rows with each column still beats packing the columns.
FEW_ROWS = 8
#: Operations that are worth a thread, and that a part of a split inner axis should have at least.
OPERATIONS_PER_THREAD = 1 << 18
OPERATIONS_PER_PART = 1 << 21
#: So many independent items keep the cores of a usual machine busy.
ENOUGH_ITEMS = 8

_DRIVER = """
def matmul_{memory}(args, begin, end, worker):
    rows = args[3]
    columns = args[4]
    depth = args[5]
    across_a = args[6]
    along_a = args[7]
    along_b = args[8]
    across_b = args[9]
    rank = args[10]
    batches = ptr_i64(args[11])     # for each batch axis: size, stride of a, stride of b
    depth_in_all = args[12]         # of the parts of a split inner axis
    height = args[13]
    block_rows = args[14]
    block_columns = args[15]
    packed_b = args[16]             # all panels of b, if they are packed already
    as_it_lies = args[17]           # whole panels of b are read where they are
    multiply = args[18]
    pack = args[19]
    scratch = args[22] + worker * args[23]
    steps = ptr_i64(scratch)
    block_a = scratch + args[24]
    block_b = scratch + args[25]
    sums = scratch + args[26]
    packing = alloca_i64(9)
    product = alloca_i64(12)
    row_blocks = (rows + block_rows - 1) // block_rows
    column_blocks = (columns + block_columns - 1) // block_columns
    for item in range(begin, end):
        matrix = item // (row_blocks * column_blocks)
        block = item - matrix * row_blocks * column_blocks
        first_row = block % row_blocks * block_rows
        first_column = block // row_blocks * block_columns
        high = minimum(block_rows, rows - first_row)
        wide = minimum(block_columns, columns - first_column)
        a = args[0] + first_row * across_a * {bytes}
        b = args[1] + first_column * across_b * {bytes}
        index = matrix
        for axis in range(rank - 1, -1, -1):
            size = load(batches, 3 * axis)
            position = index % size
            index = index // size
            a += position * load(batches, 3 * axis + 1) * {bytes}
            b += position * load(batches, 3 * axis + 2) * {bytes}
        long = depth
        if depth_in_all >= 0:
            long = maximum(0, minimum(depth, depth_in_all - matrix * depth))
        output = args[2] + ((matrix * rows + first_row) * columns + first_column) * {bytes}
        result = output
        result_row = columns
{use_sums}
        width = {columns}
        if as_it_lies != 0:
            width = along_b
        for k in range({depth}):
            store(steps, k, k * width)
            store(steps, {depth} + k, k * {columns})
        slices = maximum(1, (long + {depth} - 1) // {depth})
        for piece in range(slices):
            first = piece * {depth}
            deep = minimum({depth}, long - first)
            stacked = (high + height - 1) // height
            store(packing, 0, a + first * along_a * {bytes})
            store(packing, 1, across_a)
            store(packing, 2, along_a)
            store(packing, 3, high)
            store(packing, 4, deep)
            store(packing, 5, height)
            store(packing, 6, block_a)
            store(packing, 7, height * deep)
            store(packing, 8, 0)
            call_kernel(pack, address_of(packing), 0, stacked, worker)
            for panel in range((wide + {columns} - 1) // {columns}):
                at = panel * {columns}
                part = minimum({columns}, wide - at)
                from_b = b + (first * along_b + at * across_b) * {bytes}
                stepping = steps
                if packed_b != 0:
                    from_b = packed_b + ((first_column + at) * depth + first * {columns}) * {size}
                elif as_it_lies == 0 or part < {columns}:
                    store(packing, 0, from_b)
                    store(packing, 1, across_b)
                    store(packing, 2, along_b)
                    store(packing, 3, part)
                    store(packing, 5, {columns})
                    store(packing, 6, block_b)
                    store(packing, 8, 1)
                    call_kernel(pack, address_of(packing), 0, 1, worker)
                    from_b = block_b
                    stepping = advance(steps, {depth})
                store(product, 0, block_a)
                store(product, 1, height * deep)
                store(product, 2, 0)
                store(product, 3, from_b)
                store(product, 4, address_of(stepping))
                store(product, 5, deep)
                store(product, 6, result + at * {size})
                store(product, 7, result_row)
                store(product, 8, high)
                store(product, 9, part)
                store(product, 10, piece)
                store(product, 11, height)
                call_kernel(multiply, address_of(product), 0, stacked, worker)
{store_sums}
        if args[20] != 0:
            start = (matrix * rows + first_row) * columns + first_column
            if wide == columns:
                call_kernel(args[20], args[21], start, start + high * columns, worker)
            else:
                for i in range(high):
                    call_kernel(args[20], args[21], start + i * columns, start + i * columns + wide, worker)
"""

#: 16-bit results are summed in scratch memory and rounded once.
_USE_SUMS = """\
        result = sums
        result_row = block_columns"""
_STORE_SUMS = """\
        rounded = ptr_{memory}(output)
        summed = ptr_{work}(sums)
        for i in range(high):
            for j in range(wide):
                store(rounded, i * columns + j, load(summed, i * block_columns + j))"""

_DOTS = """
def matmul_dots_{memory}(args, begin, end, worker):
    # args: a, b, output, rows, columns, depth, stride across a, stride across b, columns to an item, epilogue, its row
    a = ptr_{memory}(args[0])
    rows = args[3]
    columns = args[4]
    depth = args[5]
    output = ptr_{memory}(args[2])
    for item in range(begin, end):
        first = item * args[8]
        last = minimum(columns, first + args[8])
        column = first
        while column < last:
            # four columns at a time share the loads of a; at the end some are computed twice
            b0 = advance(ptr_{memory}(args[1]), column * args[7])
            b1 = advance(ptr_{memory}(args[1]), minimum(column + 1, last - 1) * args[7])
            b2 = advance(ptr_{memory}(args[1]), minimum(column + 2, last - 1) * args[7])
            b3 = advance(ptr_{memory}(args[1]), minimum(column + 3, last - 1) * args[7])
            for i in range(rows):
                left = advance(a, i * args[6])
                s0 = {work}(0)
                s1 = {work}(0)
                s2 = {work}(0)
                s3 = {work}(0)
                for k in range(depth):
                    x = load(left, k)
                    s0 = accumulate(s0, x * load(b0, k))
                    s1 = accumulate(s1, x * load(b1, k))
                    s2 = accumulate(s2, x * load(b2, k))
                    s3 = accumulate(s3, x * load(b3, k))
                store(output, i * columns + minimum(column + 3, last - 1), s3)
                store(output, i * columns + minimum(column + 2, last - 1), s2)
                store(output, i * columns + minimum(column + 1, last - 1), s1)
                store(output, i * columns + column, s0)
            column += 4
        if args[9] != 0:
            for i in range(rows):
                call_kernel(args[9], args[10], i * columns + first, i * columns + last, worker)
"""

_PLAIN = """
def matmul_plain_{memory}(args, begin, end, worker):
    # args: a, b, output, rows, columns, depth, strides (rows of a, inner of a, inner of b, columns of b), batch axes,
    # their sizes and strides, epilogue, its row; an item is a row of the result
    rows = args[3]
    columns = args[4]
    batches = ptr_i64(args[11])
    for item in range(begin, end):
        a = advance(ptr_{memory}(args[0]), item % rows * args[6])
        b = ptr_{memory}(args[1])
        output = advance(ptr_{memory}(args[2]), item * columns)
        index = item // rows
        for axis in range(args[10] - 1, -1, -1):
            size = load(batches, 3 * axis)
            position = index % size
            index = index // size
            a = advance(a, position * load(batches, 3 * axis + 1))
            b = advance(b, position * load(batches, 3 * axis + 2))
        for j in range(columns):
            store(output, j, 0)
        for k in range(args[5]):
            x = load(a, k * args[7])
            from_b = advance(b, k * args[8])
            for j in range(columns):
                store(output, j, load(output, j) + x * load(from_b, j * args[9]))
        if args[12] != 0:
            call_kernel(args[12], args[13], item * columns, (item + 1) * columns, worker)
"""


@lru_cache(maxsize=None)
def driver_kernel(tile: Tile, dtype: DType) -> KernelSource:
    """The product of matrices in blocks, on the panel kernels; an item is a block of the result."""
    narrow = dtype.code != tile.work
    names = {"memory": dtype.code, "work": tile.work, "bytes": dtype.itemsize, "size": tile.bytes,
             "columns": tile.columns, "depth": tile.depth}
    return KernelSource(f"matmul_{dtype.code}", _DRIVER.format(
        **names, use_sums=_USE_SUMS if narrow else "", store_sums=_STORE_SUMS.format(**names) if narrow else ""))


@lru_cache(maxsize=None)
def dots_kernel(dtype: DType, work: str) -> KernelSource:
    """The product of a few rows with columns that are contiguous along the inner axis."""
    return KernelSource(f"matmul_dots_{dtype.code}", _DOTS.format(memory=dtype.code, work=work))


@lru_cache(maxsize=None)
def plain_kernel(dtype: DType) -> KernelSource:
    """The product as a loop nest, for integers."""
    return KernelSource(f"matmul_plain_{dtype.code}", _PLAIN.format(memory=dtype.code))


# -- lowering --------------------------------------------------------------------------------------------------------


class _Operand:
    """A stack of matrices in memory, seen as (outer, inner): rows of a and columns of b are `outer`."""

    def __init__(self, view: View, outer_first: bool):
        order = (-2, -1) if outer_first else (-1, -2)
        self.view = view
        self.across, self.along = (view.strides[axis] for axis in order)
        self.outer, self.depth = (view.shape[axis] for axis in order)

    def batch_strides(self, rank: int) -> list:
        """Strides along `rank` batch axes; 0 where this operand is repeated."""
        shape, strides = self.view.shape[:-2], self.view.strides[:-2]
        own = [0 if size == 1 else stride for size, stride in zip(shape, strides)]
        return [0] * (rank - len(own)) + own


def lower_matmul(build, node, inputs: list, output: View, epilogue) -> None:
    """Launches for ``matmul`` (see `graphcore.ops.linear.matmul`); `output` is contiguous."""
    a = _Operand(inputs[0], not node.attrs.get("transpose_a", False))
    b = _Operand(inputs[1], node.attrs.get("transpose_b", False))
    sizes = node.shape[:-2]
    batches = [(size, *strides) for size, *strides in zip(sizes, a.batch_strides(len(sizes)),
                                                          b.batch_strides(len(sizes))) if size != 1]
    batches = _merged(batches)
    rows = a.outer
    if batches and _folds_into_rows(batches, a):
        rows, batches = product([rows, *(size for size, _, _ in batches)]), []
    _Product(build, node.dtype, a, b, output, rows, batches, epilogue).launch()


def lower_matmul_parts(build, node, inputs: list, output: View, epilogue) -> None:
    """Launches for ``matmul_parts``: a stack of products, each over its part of the inner axis."""
    a = _Operand(inputs[0], not node.attrs.get("transpose_a", False))
    b = _Operand(inputs[1], node.attrs.get("transpose_b", False))
    parts, whole = node.attrs["parts"], a.depth
    a.depth = b.depth = ceil_div(whole, parts)
    batches = [(parts, a.along * a.depth, b.along * b.depth)]
    _Product(build, node.dtype, a, b, output, a.outer, batches, epilogue, depth_in_all=whole).launch()


def matmul_parts_for(a: TensorType, b: TensorType, transpose_a: bool = False, transpose_b: bool = False) -> int:
    """How many parts the inner axis of a 2-D product should have so that all cores find work; 1: do not split.

    It depends on the static sizes alone; a symbolic size counts as 64.
    """
    rows, depth = (static(size, 64) for size in (reversed(a.shape) if transpose_a else a.shape))
    columns = static(b.shape[0 if transpose_b else 1], 64)
    if not a.dtype.is_float:
        return 1
    items = max(1, rows * columns // (64 * 64))
    return max(1, min(ceil_div(ENOUGH_ITEMS, items), rows * columns * depth // OPERATIONS_PER_PART, depth // 256))


def _merged(batches: list) -> list:
    """Batch axes as few as possible: neighbours whose strides fit become one."""
    result: list = []
    for size, stride_a, stride_b in batches:
        if result and result[-1][1] == size * stride_a and result[-1][2] == size * stride_b:
            result[-1] = (result[-1][0] * size, stride_a, stride_b)
        else:
            result.append((size, stride_a, stride_b))
    return result


def _folds_into_rows(batches: list, a: _Operand) -> bool:
    """Whether the matrices of a, all times one b, are a single tall matrix."""
    return len(batches) == 1 and batches[0][2] == 0 and batches[0][1] == a.outer * a.across


class _Product:
    """One product (or stack of products) on its way to launches."""

    def __init__(self, build, dtype, a, b, output, rows: Size, batches: list, epilogue, depth_in_all: Size = -1):
        self.build, self.dtype, self.a, self.b, self.output = build, dtype, a, b, output
        self.rows, self.columns, self.depth = rows, b.outer, a.depth
        self.batches, self.depth_in_all = batches, depth_in_all
        self.count = product(size for size, _, _ in batches)
        self.after = epilogue.words if epilogue is not None else (0, 0)
        self.reads = [a.view.buffer, b.view.buffer]
        self.flops = 2 * self.count * rows * self.columns * self.depth
        self.bytes = (a.view.size + b.view.size + output.size) * dtype.itemsize

    def launch(self) -> None:
        if any(size == 0 for size in (self.count, self.rows, self.columns)):
            return
        if not self.dtype.is_float:
            self._launch_plain()
        elif self._suits_dots():
            self._launch_dots()
        else:
            self._launch_panels()

    def _emit(self, kernel, words, items, grain) -> None:
        self.build.launch(kernel, words, items=items, grain=grain, reads=self.reads, writes=[self.output.buffer],
                          flops=self.flops, bytes=self.bytes)

    def _grain(self, operations: Size) -> int:
        """Items to a thread when one has so many operations."""
        return max(1, OPERATIONS_PER_THREAD // max(1, static(operations, OPERATIONS_PER_THREAD)))

    def _batch_row(self) -> Row:
        return Row(tuple(word for batch in self.batches for word in batch) or (0,))

    # -- the three algorithms --------------------------------------------------------------------------
    def _launch_plain(self) -> None:
        words = (Address(self.a.view), Address(self.b.view), Address(self.output), self.rows, self.columns, self.depth,
                 self.a.across, self.a.along, self.b.along, self.b.across, len(self.batches), self._batch_row(),
                 *self.after)
        self._emit(plain_kernel(self.dtype), words, self.count * self.rows, self._grain(self.columns * self.depth))

    def _suits_dots(self) -> bool:
        few = isinstance(self.rows, int) and self.rows <= FEW_ROWS
        return (few and not self.batches and self.depth_in_all == -1
                and all(operand.along == 1 for operand in (self.a, self.b)))

    def _launch_dots(self) -> None:
        together = 16
        words = (Address(self.a.view), Address(self.b.view), Address(self.output), self.rows, self.columns, self.depth,
                 self.a.across, self.b.across, together, *self.after)
        work = "f64" if self.dtype.code == "f64" else "f32"
        self._emit(dots_kernel(self.dtype, work), words, ceil_div(self.columns, together),
                   self._grain(static(self.depth, 1024) * static(self.rows, 1) * together))

    def _launch_panels(self) -> None:
        tile = Tile.of(self.build.cpu, self.dtype)
        height = tile.height(self.rows)
        block_rows = height * self._panels_to_block(tile)
        row_blocks = ceil_div(self.rows, block_rows)
        block_columns = tile.columns * self._panels_wide(tile, static(row_blocks, 16) * static(self.count, 1))
        as_it_lies = (self.b.along != 1 and self.b.across == 1 and self.dtype.code == tile.work
                      and row_blocks == 1 and isinstance(self.rows, int) and self.rows <= 2 * tile.rows)
        packed = None
        if row_blocks != 1 and self.depth_in_all == -1 and all(stride == 0 for _, _, stride in self.batches):
            packed = self._pack_b(tile)
        sections = Sections()
        sections.add(2 * tile.depth * 8)
        at_a = sections.add(block_rows * tile.depth * tile.bytes)
        at_b = sections.add(tile.columns * tile.depth * tile.bytes if packed is None else 0)
        at_sums = sections.add(block_rows * block_columns * tile.bytes if self.dtype.code != tile.work else 0)
        pack = KernelAddress(panels.pack_panels(tile, self.dtype))
        words = (Address(self.a.view), Address(self.b.view), Address(self.output), self.rows, self.columns, self.depth,
                 self.a.across, self.a.along, self.b.along, self.b.across, len(self.batches), self._batch_row(),
                 self.depth_in_all, height, block_rows, block_columns, packed or 0, int(as_it_lies),
                 KernelAddress(panels.multiply_panel(tile)), pack, *self.after,
                 Scratch(sections.total), sections.total, at_a, at_b, at_sums)
        items = self.count * row_blocks * ceil_div(self.columns, block_columns)
        if packed is not None:
            self.reads.append(packed.view.buffer)
        self._emit(driver_kernel(tile, self.dtype), words, items,
                   self._grain(block_rows * static(self.columns, 64) * static(self.depth, 64)))

    def _panels_to_block(self, tile: Tile) -> int:
        """Panels of rows that one item multiplies: many for the reuse of b, few for the balance of the threads."""
        stack = ceil_div(static(self.rows, 16 * tile.rows), tile.rows)
        if static(self.count, 1) >= ENOUGH_ITEMS or self.depth_in_all != -1:
            return min(stack, 16)
        return min(stack, 6 if stack >= 24 else 3)

    def _panels_wide(self, tile: Tile, other_blocks: int) -> int:
        """Panels of columns to an item: many for the reuse of a's block, few if there would be too few items."""
        panels_in_all = ceil_div(static(self.columns, 16 * tile.columns), tile.columns)
        return max(1, min(16, panels_in_all * other_blocks // (2 * ENOUGH_ITEMS)))

    def _pack_b(self, tile: Tile) -> Address:
        """Launch the packing of all panels of b, which many items share."""
        count = ceil_div(self.columns, tile.columns)
        work = from_name("float64" if tile.work == "f64" else "float32")
        buffer: Buffer = self.build.temp("panels", work, count * tile.columns * self.depth)
        target = Address(View.whole(buffer, (buffer.size,)))
        words = (Address(self.b.view), self.b.across, self.b.along, self.columns, self.depth, tile.columns, target,
                 tile.columns * self.depth, 1)
        moved = self.columns * self.depth
        self.build.launch(panels.pack_panels(tile, self.dtype), words, items=count,
                          grain=max(1, 16384 // max(1, tile.columns * static(self.depth, 64))),
                          reads=[self.b.view.buffer], writes=[buffer], flops=0, bytes=2 * moved * self.dtype.itemsize)
        return target


LOWERINGS = {"matmul": lower_matmul, "matmul_parts": lower_matmul_parts}
ACCEPTS_EPILOGUE = frozenset(LOWERINGS)
