"""Sizes of blocks for matrix products and convolutions: from the CPU and the static sizes, never the thread count.

Nothing here needs Numba: lowering runs also where all kernels come from the cache.
"""
from __future__ import annotations

from dataclasses import dataclass

from graphcore.dtype import DType, float64
from graphcore.ir.dims import Dim, Size

#: Operations that are worth a thread.
OPERATIONS_PER_THREAD = 1 << 18
#: Operations that a part of a split inner axis should have at least.
OPERATIONS_PER_PART = 1 << 21
#: Most steps of the inner axis between two additions to a result, and where vectors have up to four float32. Narrow
#: panels fill the cache late: the more steps are summed one after the other, the more the roundings add up.
MOST_STEPS, MOST_NARROW_STEPS = 512, 128
#: Bytes of the second-level cache, where nobody tells.
USUAL_L2 = 256 << 10
#: So many independent items keep the cores of a usual machine busy.
ENOUGH_ITEMS = 8


@dataclass(frozen=True)
class Tile:
    """The register tile of a CPU for one dtype.

    work: code of the dtype that sums are formed in; rows x (vectors*lanes): size of the tile;
    depth: steps of the inner axis after which a panel of the right operand fills its part of the first-level cache, or
    the most that may be.
    """

    work: str
    rows: int
    vectors: int
    lanes: int
    depth: int

    @staticmethod
    def of(cpu, dtype: DType) -> Tile:
        """The tile for `dtype` on `cpu`; it leaves registers for the right operand's vectors and one scalar."""
        wide = dtype is float64
        item = 8 if wide else 4
        rows, vectors = (8, 3) if cpu.vector_registers >= 32 else (6, 2)
        lanes = max(1, cpu.vector_floats // (2 if wide else 1))
        depth = (cpu.l1 or 32 << 10) * 5 // 8 // (vectors * lanes * item)
        most = MOST_NARROW_STEPS if cpu.vector_floats <= 4 else MOST_STEPS
        return Tile("f64" if wide else "f32", rows, vectors, lanes, max(32, min(most, depth // 8 * 8)))

    @property
    def columns(self) -> int:
        return self.vectors * self.lanes

    @property
    def dot_rows(self) -> int:
        """Rows of a tile of dot products, whose sums are vectors."""
        return 6 if self.rows == 8 else 3

    @property
    def dot_columns(self) -> int:
        """Columns of a tile of dot products."""
        return 4

    @property
    def bytes(self) -> int:
        """Size of one number that is worked with."""
        return 8 if self.work == "f64" else 4

    def height(self, rows: Size) -> int:
        """Rows of a panel such that `rows` are split as evenly as the tile allows (for symbolic sizes: the most)."""
        if isinstance(rows, Dim) or rows <= 0:
            return self.rows
        return ceil_div(rows, ceil_div(rows, self.rows))


def ceil_div(a: Size, b: int) -> Size:
    """a / b, rounded up; `a` may be symbolic."""
    return (a + (b - 1)) // b


def round_up(a: Size, unit: int) -> Size:
    """The least multiple of `unit` that is not below `a`."""
    return ceil_div(a, unit) * unit


def odd_lines(numbers: int) -> int:
    """At least so many float32, an odd number of cache lines: rows so far apart do not meet in the cache."""
    return (ceil_div(numbers, 16) | 1) * 16


def static(size: Size, otherwise: int) -> int:
    """The size, or `otherwise` where it is symbolic."""
    return otherwise if isinstance(size, Dim) else size


def grain(operations: Size) -> int:
    """Items to a thread at least, when one has so many operations (if that is symbolic, they count as many)."""
    return max(1, OPERATIONS_PER_THREAD // max(1, static(operations, OPERATIONS_PER_THREAD)))


class Sections:
    """Lays out sections of a worker's scratch memory, each 64-byte aligned; `offsets` and `total` count bytes."""

    def __init__(self):
        self.total: Size = 0

    def add(self, bytes_: Size) -> Size:
        """Reserve a section; gives its offset."""
        offset = self.total
        self.total = offset + round_up(bytes_, 64)
        return offset
