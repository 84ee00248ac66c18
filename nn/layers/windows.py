"""The windows of images, laid side by side."""
from __future__ import annotations

from graphcore import ops
from graphcore.nn.arguments import one_of, positive_int, rank
from graphcore.nn.cell import Cell
from graphcore.ops.functional.convolution import same_padding

__all__ = ["Unfold"]


class Unfold(Cell):
    """The windows of images (N, C, H, W) as (N, rows * columns * C, H', W'), the place in a window before the channel.

    ksizes, strides, rates: (1, rows, columns, 1) as tuple or list: size of a window, distance between windows, distance
    between elements in one.  padding: "valid" or "same" (zeros, H' = ceil(H / stride)), in any case.
    Raises TypeError or ValueError for sizes of another form.
    """

    def __init__(self, ksizes, strides, rates, padding="valid"):
        super().__init__()
        self.kernel, self.stride, self.rate = (
            self._rows_and_columns(v, n) for v, n in ((ksizes, "ksizes"), (strides, "strides"), (rates, "rates")))
        self.padding = one_of(str(padding).lower(), ("valid", "same"), "padding", self.cls_name)

    def _rows_and_columns(self, sizes, name) -> tuple:
        if not isinstance(sizes, (tuple, list)):
            raise TypeError(f"{self.cls_name}: {name} must be a tuple or list, got {sizes!r}")
        if len(sizes) != 4 or sizes[0] != 1 or sizes[3] != 1:
            raise ValueError(f"{self.cls_name}: {name} must be (1, rows, columns, 1), got {sizes!r}")
        return tuple(positive_int(v, name, self.cls_name) for v in sizes[1:3])

    def construct(self, x):
        rank(x, (4,), self.cls_name)
        sides = [(0, 0), (0, 0)]
        if self.padding == "same":
            sides = [same_padding(*a) for a in zip(x.shape[2:], self.kernel, self.stride, self.rate)]
        padded = ops.pad(x, (*sides[1], *sides[0]))
        rows, columns = (
            (n - d * (k - 1) - 1) // s + 1
            for n, k, s, d in zip(padded.shape[2:], self.kernel, self.stride, self.rate))
        windows = ops.unfold(padded, self.kernel, self.rate, 0, self.stride)
        n, c, places = x.shape[0], x.shape[1], self.kernel[0] * self.kernel[1]
        by_place = ops.transpose(ops.reshape(windows, (n, c, places, -1)), (0, 2, 1, 3))
        return ops.reshape(by_place, (n, places * c, rows, columns))
