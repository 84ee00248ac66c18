"""Walks over the tree of Cells: sub-cells and Parameters with their structural paths.

A Cell's children are its registered sub-cells and those that were found in its plain lists and dicts (`cell_naming`).
What such a container holds but another Cell owns is a reference: it is visited last, under the container's path,
unless it was met before.
"""
from __future__ import annotations

from collections.abc import Iterator

from graphcore.parameter import Parameter


def walk_cells(root, prefix: str = "", seen: set | None = None) -> Iterator[tuple]:
    """(path, Cell) of `root` and all below it, parents first, each Cell once."""
    seen = set() if seen is None else seen
    deferred: list = []
    yield from _cells_below(root, prefix, seen, deferred)
    for path, cell in deferred:
        if not isinstance(cell, Parameter):
            yield from walk_cells(cell, path, seen)


def _cells_below(cell, path, seen, deferred):
    if id(cell) in seen:
        return
    seen.add(id(cell))
    yield path, cell
    deferred.extend((join(path, name), item) for name, item in cell.__dict__.get("_referenced", {}).items())
    for name, child in children(cell):
        yield from _cells_below(child, join(path, name), seen, deferred)


def walk_parameters(root, prefix: str = "", recurse: bool = True) -> Iterator[tuple]:
    """(path, Parameter) of `root` and, with `recurse`, of all Cells below it; each Parameter once."""
    seen: set = set()
    cells = walk_cells(root, prefix) if recurse else [(prefix, root)]
    references = []
    for path, cell in cells:
        for name, parameter in own_parameters(cell):
            if id(parameter) not in seen:
                seen.add(id(parameter))
                yield join(path, name), parameter
        references.extend((join(path, name), item) for name, item in cell.__dict__.get("_referenced", {}).items()
                          if isinstance(item, Parameter))
    for path, parameter in references:
        if id(parameter) not in seen:
            seen.add(id(parameter))
            yield path, parameter


def children(cell) -> Iterator[tuple]:
    """(name, Cell) of the direct sub-cells, those in plain containers last."""
    state = cell.__dict__
    for name, child in state["_cells"].items():
        if child is not None:
            yield name, child
    for name, item in state.get("_adopted", {}).items():
        if not isinstance(item, Parameter):
            yield name, item


def own_parameters(cell) -> Iterator[tuple]:
    """(name, Parameter) of a Cell itself, those in plain containers last."""
    state = cell.__dict__
    for name, parameter in state["_params"].items():
        if parameter is not None:
            yield name, parameter
    for name, item in state.get("_adopted", {}).items():
        if isinstance(item, Parameter):
            yield name, item


def join(path: str, name: str) -> str:
    """``path.name``, or the one that is not empty."""
    return f"{path}.{name}" if path and name else path or name
