"""Layout: how a tensor would be split over devices, as a description."""
from __future__ import annotations

import copy
from collections.abc import Callable

__all__ = ["Layout", "shard"]


class Layout:
    """``Layout((2, 2), ("dp", "mp"))("dp", "None")``: devices in a grid with named axes, and a tensor's axes on them.

    Called with a name for each axis of a tensor ("None": whole; a tuple of names: over several) it gives the layout of
    that tensor.  It is a description: one device holds every tensor whole.
    Raises TypeError and ValueError for arguments that are no layout.
    """

    def __init__(self, device_matrix, alias_name, rank_list=None):
        for name, value, kind in (("device_matrix", device_matrix, int), ("alias_name", alias_name, str)):
            if not isinstance(value, tuple):
                raise TypeError(f"{name} must be a tuple, got {type(value).__name__}")
            if not all(isinstance(v, kind) and not isinstance(v, bool) for v in value):
                raise TypeError(f"{name} must hold values of type {kind.__name__}, got {value}")
        if len(device_matrix) != len(alias_name):
            raise ValueError(f"device_matrix {device_matrix} and alias_name {alias_name} must have one length")
        if any(name in ("", "None") for name in alias_name) or len(set(alias_name)) != len(alias_name):
            raise ValueError(f"the names in alias_name must differ, and none may be '' or 'None', got {alias_name}")
        if rank_list is not None and not isinstance(rank_list, list):
            raise TypeError(f"rank_list must be a list, got {type(rank_list).__name__}")
        count = 1
        for size in device_matrix:
            count *= size
        if rank_list is not None and len(rank_list) != count:
            raise ValueError(f"rank_list has {len(rank_list)} devices, device_matrix {device_matrix} has {count}")
        self._device_shape, self._alias_name = device_matrix, alias_name
        self._rank_list = list(range(count)) if rank_list is None else rank_list
        self._tensor_map: tuple | None = None

    def __call__(self, *tensor_map) -> Layout:
        """The layout of a tensor; names of `alias_name`, each used once."""
        names = [n for entry in tensor_map for n in (entry if isinstance(entry, tuple) else (entry,)) if n != "None"]
        unknown = [n for n in names if n not in self._alias_name]
        if unknown or len(set(names)) != len(names):
            raise ValueError(f"{tensor_map} must name axes of {self._alias_name}, each once, or 'None'")
        layout = copy.copy(self)
        layout._tensor_map = tuple(tuple(map(self._place, e)) if isinstance(e, tuple) else self._place(e)
                                   for e in tensor_map)
        return layout

    def _place(self, name: str) -> int:
        """The number of an axis of the grid, counted from the last; -1 for "None"."""
        return -1 if name == "None" else len(self._alias_name) - 1 - self._alias_name.index(name)

    def to_dict(self) -> dict:
        """The layout as a dict.  Raises ValueError unless this is the layout of a tensor."""
        if self._tensor_map is None:
            raise ValueError("this Layout describes devices; call it with the names for a tensor's axes first")
        return {"device_matrix": self._device_shape, "tensor_map": self._tensor_map,
                "interleaved_parallel": "interleaved_parallel" in self._alias_name,
                "alias_name": self._alias_name, "rank_list": self._rank_list}


def shard(fn: Callable, in_strategy, out_strategy=None, parameter_plan=None, device="Ascend", level=0) -> Callable:
    """`fn`, a Cell or function, itself: one device computes it whole.  Raises TypeError unless it can be called."""
    if not callable(fn):
        raise TypeError(f"shard takes a Cell or a function, got {type(fn).__name__}")
    return fn
