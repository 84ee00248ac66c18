"""Matrix products: which algorithm and which blocks for which sizes.

Five algorithms: *panels* (both operands in the layout of the register tile; see `panels`); for few rows, as at a small
batch, two that read the right operand once and as it lies: *dots* where it is contiguous along the inner axis, and
*columns* where it is so along its rows, *strips* if it is small, too; and a *plain* loop nest for integers.
"""
from __future__ import annotations

from graphcore.compiler.choices import take
from graphcore.compiler.kernels import panels, products
from graphcore.compiler.kernels.blocking import (
    ENOUGH_ITEMS,
    OPERATIONS_PER_PART,
    USUAL_L2,
    Sections,
    Tile,
    ceil_div,
    grain,
    static,
)
from graphcore.compiler.launch import Address, Buffer, KernelAddress, Row, Scratch, View, contiguous_strides
from graphcore.dtype import from_name
from graphcore.ir.dims import Size, product
from graphcore.ir.types import TensorType

#: A dot product of this many rows with each column still beats packing the columns.
FEW_ROWS = 8
#: A matrix of at most this many elements is read in strips of columns: it stays in the cache.
SMALL_MATRIX = 1 << 14
#: Shapes of blocks that may be chosen: factors of the usual number of rows and columns.
_SHAPES = {"usual": (1, 1), "high": (2, 1), "low": (0.5, 1), "wide": (1, 2), "narrow": (1, 0.5),
           "high and narrow": (4, 0.25)}


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
    _launch_stack(build, a, b, node.shape[:-2], output, epilogue)


def lower_pointwise_convolution(build, weight: View, image: View, output: View, is_gradient: bool, epilogue) -> None:
    """Launches for a convolution by 1x1 kernels with stride 1, or its gradient: a product for each image.

    weight: (outputs, inputs, 1, 1); image and output: (images, channels, rows, columns); all contiguous.
    """
    images, channels, *pixels = image.shape
    matrix = View(weight.buffer, weight.shape[:2], weight.strides[:2], weight.offset)
    lines = (images, channels, product(pixels))
    stack = View(image.buffer, lines, contiguous_strides(lines), image.offset)
    _launch_stack(build, _Operand(matrix, not is_gradient), _Operand(stack, False), (images,), output, epilogue)


def launch_products(build, left: View, right: View, output: View) -> None:
    """Launch left (n, rows, depth) times right (n, columns, depth) transposed; `output` is contiguous."""
    _launch_stack(build, _Operand(left, True), _Operand(right, True), left.shape[:1], output, None)


def _launch_stack(build, a: _Operand, b: _Operand, sizes: tuple, output: View, epilogue) -> None:
    """Launch the products of stacks of matrices of these sizes."""
    batches = [(size, *strides) for size, *strides in zip(sizes, a.batch_strides(len(sizes)),
                                                          b.batch_strides(len(sizes))) if size != 1]
    batches = _merged(batches)
    rows = a.outer
    if batches and _folds_into_rows(batches, a):
        rows, batches = product([rows, *(size for size, _, _ in batches)]), []
    _Product(build, output.dtype, a, b, output, rows, batches, epilogue).launch()


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
        elif self._suits_strips():
            self._launch_strips()
        elif self._suits_dots():
            self._launch_dots()
        elif self._suits_columns():
            self._launch_columns()
        else:
            self._launch_panels()

    def _emit(self, kernel, words, items, each) -> None:
        """Launch; `each` is the number of operations of an item."""
        self.build.launch(kernel, words, items=items, grain=grain(each), reads=self.reads, writes=[self.output.buffer],
                          flops=self.flops, bytes=self.bytes)

    def _batch_row(self) -> Row:
        return Row(tuple(word for batch in self.batches for word in batch) or (0,))

    # -- the algorithms --------------------------------------------------------------------------------
    def _launch_plain(self) -> None:
        words = (Address(self.a.view), Address(self.b.view), Address(self.output), self.rows, self.columns, self.depth,
                 self.a.across, self.a.along, self.b.along, self.b.across, len(self.batches), self._batch_row(),
                 *self.after)
        self._emit(products.plain_kernel(self.dtype), words, self.count * self.rows,
                   self.columns * self.depth)

    def _has_rows_up_to(self, limit: int) -> bool:
        return isinstance(self.rows, int) and self.rows <= limit and not self.batches and self.depth_in_all == -1

    def _suits_dots(self) -> bool:
        return self._has_rows_up_to(FEW_ROWS) and self.a.along == 1 and self.b.along == 1

    def _suits_columns(self) -> bool:
        return self._has_rows_up_to(products.VERY_FEW_ROWS) and self.b.across == 1

    def _suits_strips(self) -> bool:
        """For small matrices; in a loop it pays to turn one round that stays the same."""
        return (self._has_rows_up_to(products.VERY_FEW_ROWS) and self.dtype.code == self._work
                and static(self.depth * self.columns, SMALL_MATRIX + 1) <= SMALL_MATRIX
                and (self.b.across == 1 or self.build.is_fixed(self.b.view.buffer)))

    def _launch_strips(self) -> None:
        if self.b.across != 1:
            view, (across, along) = self.b.view, (self.b.across, self.b.along)
            turned = self.build.contiguous(View(view.buffer, (self.depth, self.columns), (along, across), view.offset))
            self.b = _Operand(turned, outer_first=False)
            self.reads[1] = turned.buffer
        tile = Tile.of(self.build.cpu, self.dtype)
        self._launch_along_columns(products.strips_kernel(tile), products.strip_width(tile))

    def _launch_columns(self) -> None:
        self._launch_along_columns(products.columns_kernel(self.dtype, self._work), products.COLUMNS_WIDTH)

    def _launch_along_columns(self, kernel, width: int) -> None:
        words = (Address(self.a.view), Address(self.b.view), Address(self.output), self.rows, self.columns, self.depth,
                 self.a.across, self.a.along, self.b.along, *self.after)
        self._emit(kernel, words, ceil_div(self.columns, width),
                   static(self.depth, 1024) * self.rows * width)

    @property
    def _work(self) -> str:
        return "f64" if self.dtype.code == "f64" else "f32"

    def _launch_dots(self) -> None:
        together = 16
        words = (Address(self.a.view), Address(self.b.view), Address(self.output), self.rows, self.columns, self.depth,
                 self.a.across, self.b.across, together, *self.after)
        self._emit(products.dots_kernel(self.dtype, self._work), words, ceil_div(self.columns, together),
                   static(self.depth, 1024) * self.rows * together)

    def _launch_panels(self) -> None:
        tile = Tile.of(self.build.cpu, self.dtype)
        height = tile.height(self.rows)
        high, wide = _SHAPES[take("blocks of product", f"{self.count}x{self.rows}x{self.depth}x{self.columns}",
                                  tuple(_SHAPES))]
        block_rows = height * max(1, int(high * self._panels_to_block(tile)))
        row_blocks = ceil_div(self.rows, block_rows)
        others = static(row_blocks, 16) * static(self.count, 1)
        block_columns = tile.columns * max(1, int(wide * self._panels_wide(tile, others)))
        packed = None
        is_shared = row_blocks != 1 or self.build.is_fixed(self.b.view.buffer)
        if is_shared and self.depth_in_all == -1 and all(stride == 0 for _, _, stride in self.batches):
            packed = self._pack_b(tile)
        as_it_lies = (packed is None and self.b.along != 1 and self.b.across == 1 and self.dtype.code == tile.work
                      and row_blocks == 1 and isinstance(self.rows, int) and self.rows <= 2 * tile.rows)
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
                 Scratch(sections.total), sections.total, at_a, at_b, at_sums,
                 int(self._reads_a_as_it_lies(tile)), int(self._rows_first(tile)))
        items = self.count * row_blocks * ceil_div(self.columns, block_columns)
        if packed is not None:
            self.reads.append(packed.view.buffer)
        self._emit(products.driver_kernel(tile, self.dtype), words, items,
                   block_rows * static(self.columns, 64) * static(self.depth, 64))

    def _panels_to_block(self, tile: Tile) -> int:
        """Panels of rows that one item multiplies: many for the reuse of b, few for the balance of the threads."""
        stack = ceil_div(static(self.rows, 16 * tile.rows), tile.rows)
        if stack <= 8 and static(self.columns, 0) >= ENOUGH_ITEMS * tile.columns * 2:
            return stack            # enough items side by side: each packs its own columns
        if static(self.count, 1) >= ENOUGH_ITEMS or self.depth_in_all != -1:
            return min(stack, 16)
        return min(stack, 6 if stack >= 24 else 3)

    def _panels_wide(self, tile: Tile, other_blocks: int) -> int:
        """Panels of columns to an item: many for the reuse of a's block, few if there would be too few items."""
        panels_in_all = ceil_div(static(self.columns, 16 * tile.columns), tile.columns)
        most = 16 if self._reads_a_as_it_lies(tile) else 64         # a is packed for each item
        return max(1, min(most, panels_in_all * other_blocks // (2 * ENOUGH_ITEMS)))

    def _rows_first(self, tile: Tile) -> bool:
        """Whether a thread should have whole rows, as those have that make a and go on with the result.

        That is so where b stays in the cache nevertheless.
        """
        cache = self.build.cpu.l2 or USUAL_L2
        return static(self.depth * self.columns, cache) * tile.bytes <= cache

    def _reads_a_as_it_lies(self, tile: Tile) -> bool:
        """Whether rows of a are contiguous, so that the register tile may read them where they are."""
        return self.a.along == 1 and self.dtype.code == tile.work

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
