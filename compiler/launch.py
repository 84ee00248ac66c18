"""What lowering produces: kernels, buffers, strided views, and launches of kernels over them.

One ABI for all kernels::

    void kernel(intp *args, intp begin, intp end, intp worker)

`args` is the launch's row: addresses and sizes as 64-bit words.  The kernel does the work items ``begin..end``
(which items there are is the kernel's affair; each must be independent of the others, so that any split over
threads gives the same bits).  `worker` numbers the thread, for scratch memory of its own.
Kernels allocate nothing, raise nothing, and know nothing of sizes: sizes are words of the row, so one kernel
serves every layer and batch size of the same structure, and symbolic sizes cost nothing extra.
"""
from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Union

from graphcore.dtype import DType
from graphcore.ir.dims import Size, product


@dataclass(frozen=True)
class KernelSource:
    """A kernel as readable Python: `source` defines ``def <name>(args, begin, end, worker)``.

    The text may use the names that `compiler.codegen.intrinsics.namespace()` offers and nothing else.
    `name` says where it comes from (``conv2d_forward``, ``add_relu``); identity is the text.
    """

    name: str
    source: str

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(self.source.encode()).hexdigest()[:24]


@dataclass(frozen=True, eq=False)
class Buffer:
    """A block of memory for `size` elements of `dtype`: a tensor's value, or scratch between launches."""

    name: str
    dtype: DType
    size: Size

    def __repr__(self):
        return f"Buffer({self.name}: {self.dtype.code}[{self.size}])"


@dataclass(frozen=True)
class View:
    """A strided window on a buffer; strides and offset count elements."""

    buffer: Buffer
    shape: tuple
    strides: tuple
    offset: Size = 0

    @property
    def dtype(self) -> DType:
        return self.buffer.dtype

    @property
    def size(self) -> Size:
        return product(self.shape)

    @property
    def is_contiguous(self) -> bool:
        expected: Size = 1
        for extent, stride in zip(reversed(self.shape), reversed(self.strides)):
            if extent != 1 and stride != expected:
                return False
            expected = extent * expected
        return True

    @staticmethod
    def whole(buffer: Buffer, shape: tuple) -> View:
        return View(buffer, tuple(shape), contiguous_strides(shape))


def contiguous_strides(shape) -> tuple:
    """Row-major strides, in elements."""
    strides, step = [], 1
    for extent in reversed(shape):
        strides.append(step)
        step = extent * step
    return tuple(reversed(strides))


@dataclass(frozen=True)
class Address:
    """The address of a view's first element, as a word of a row."""

    view: View


@dataclass(frozen=True)
class KernelAddress:
    """The address of another kernel, which the launched kernel calls (an epilogue on a tile, for instance)."""

    kernel: KernelSource


@dataclass(frozen=True)
class Row:
    """The address of another row of words (an epilogue's arguments)."""

    words: tuple


@dataclass(frozen=True)
class Scratch:
    """The address of `bytes` of memory for each worker; worker w owns ``address + w*bytes`` (64-byte aligned)."""

    bytes: Size


Word = Union[int, "Size", Address, KernelAddress, Row, Scratch]


@dataclass(frozen=True)
class Launch:
    """One call of a kernel over `items` work items, at least `grain` of them to a thread.

    reads/writes: the buffers touched, for ordering and the memory plan (a buffer in both is updated in place).
    nodes: the IR nodes it computes; epilogues: (kernel, the nodes among them that it computes on the launched kernel's
    tiles); flops and bytes: the work it does.  These are for reports.
    """

    kernel: KernelSource
    words: tuple
    items: Size
    grain: Size
    reads: tuple = ()
    writes: tuple = ()
    nodes: tuple = field(default=(), compare=False)
    flops: Size = 0
    bytes: Size = 0
    epilogues: tuple = field(default=(), compare=False)
