"""One launch for many rows of the same kernel: the updates of all Parameters by an optimiser, for instance.

The items of the rows are numbered one after another, so the work is split over threads as that of one big launch, and
an instruction is paid for once.
"""
from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from graphcore.compiler.launch import KernelAddress, KernelSource, Row, Word
from graphcore.ir.dims import Size

#: args: the kernel's address, the number n of rows, n+1 words where each row's items begin and the last ones end,
#: n addresses of rows.
GROUP = KernelSource("group", '''
def group(args, begin, end, worker):
    kernel = args[0]
    count = args[1]
    low = 0
    high = count
    while high - low > 1:           # the last row that begins at or before `begin`
        middle = (low + high) // 2
        if args[2 + middle] <= begin:
            low = middle
        else:
            high = middle
    row = low
    while row < count and args[2 + row] < end:
        first = args[2 + row]
        start = max(begin, first)
        stop = min(end, args[3 + row])
        if start < stop:
            call_kernel(kernel, args[3 + count + row], start - first, stop - first, worker)
        row += 1
'''.lstrip())


def group_words(kernel: KernelSource, rows: Sequence[tuple], items: Sequence[Size]) -> tuple[Word, ...]:
    """The words of a launch of `GROUP` that runs `kernel` on each of `rows`, over ``items[i]`` items for row i.

    The launch's own number of items is the sum of `items`.  Raises ValueError if there are no rows, or not as many
    rows as items.
    """
    if not rows or len(rows) != len(items):
        raise ValueError(f"a group needs rows and one number of items for each; got {len(rows)} and {len(items)}")
    beginnings = tuple(accumulate(items, initial=0))
    return (KernelAddress(kernel), len(rows), *beginnings, *(Row(tuple(words)) for words in rows))
