"""Parts of Parameters: what one of several processes keeps of a whole, and how to come from one to the other."""
from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from graphcore.errors import ShapeError
from graphcore.ops.transport import WORLD, Collective, exchange, group_rank


@dataclass(frozen=True)
class PartOf:
    """Part number `rank` of `size` along axis 0; the others are kept by the processes of `group`.

    stands_in: the whole exists too, and this only stands for the own part of it while the program runs.
    """

    rank: int
    size: int
    group: str = WORLD
    stands_in: bool = False

    def kept(self) -> PartOf:
        """The same for a value that exists in parts alone."""
        return replace(self, stands_in=False)

    def cut(self, whole: np.ndarray) -> np.ndarray:
        """This process's part of a whole, as a view."""
        rows = len(whole) // self.size
        return whole[self.rank * rows:(self.rank + 1) * rows]

    def gather(self, own: np.ndarray) -> np.ndarray:
        """The whole; all processes of the group call this."""
        target = np.empty((len(own) * self.size, *own.shape[1:]), own.dtype)
        return exchange(Collective("all_gather", self.group), own, target)


def cut_by_layout(whole: np.ndarray, layout: tuple) -> np.ndarray:
    """This process's slice of an array, as MindSpore's layouts say; a view.

    layout: (sizes of the grid of processes, for each axis of the array the axis of the grid that it is split over,
    counted from the last, or -1, shape of the slice, ..., ..., name of a group that splits axis 0 further, or "").
    Raises TypeError and ValueError for other layouts, ShapeError where the shape of the slice is another.
    """
    if not isinstance(layout, tuple):
        raise TypeError(f"init_data: a layout is a tuple, got {type(layout).__name__}")
    if len(layout) < 6:
        raise ValueError(f"init_data: a layout has at least 6 entries, got {len(layout)}")
    grid, axes, shape, group = tuple(layout[0]), tuple(layout[1]), tuple(layout[2]), layout[5]
    if len(axes) != whole.ndim or any(not -1 <= a < len(grid) for a in axes):
        raise ValueError(f"init_data: the layout maps the axes {axes} onto a grid {grid}; the Parameter has shape "
                         f"{whole.shape}")
    place = np.unravel_index(group_rank() % int(np.prod(grid)), grid)
    found = whole
    for axis, over in enumerate(axes):
        if over >= 0:
            found = _piece(found, axis, grid[-1 - over], int(place[-1 - over]))
    if group:
        from graphcore.communication.management import get_group_size, get_rank
        found = _piece(found, 0, get_group_size(group), get_rank(group))
    if found.shape != shape:
        raise ShapeError(f"init_data: a Parameter of shape {whole.shape} on the grid {grid} by {axes} has slices of "
                         f"shape {found.shape}, but the layout says {shape}")
    return found


def _piece(array: np.ndarray, axis: int, count: int, number: int) -> np.ndarray:
    if array.shape[axis] % count:
        raise ShapeError(f"init_data: axis {axis} of shape {array.shape} cannot be divided in {count}")
    size = array.shape[axis] // count
    return array[(slice(None),) * axis + (slice(number * size, (number + 1) * size),)]
