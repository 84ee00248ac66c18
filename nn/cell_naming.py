"""How Parameters get their names.

A Parameter is named when it is attached: ``self.w`` gives ``w``, inserting its Cell as ``self.a`` gives ``a.w``.
`adopt` registers Cells and Parameters that stand in plain lists, tuples and dicts: MindSpore leaves those untrained.
`bind` runs before anybody uses the names and resolves clashes.  What is put into a container that is an attribute
already gets a shorter name (`prefix_of_items`), or its path where that clashes.
"""
from __future__ import annotations

from graphcore.capture import epoch
from graphcore.capture.location import warn_user
from graphcore.errors import NameClashError
from graphcore.nn.cell_walk import children, join, own_parameters, walk_cells, walk_parameters
from graphcore.parameter import Parameter, ParameterTuple

_DEEPEST_CONTAINER = 8
_WARNED_CLASHES = 4         # pairs that a warning spells out


# -- attaching -----------------------------------------------------------------------------------------
def attach_parameter(cell, name: str, parameter: Parameter) -> None:
    """Name a Parameter that `cell` has registered as `name`; a name that the user gave is kept."""
    if not parameter.has_given_name:
        parameter.name = join(cell.__dict__["_path"], name)
    parameter.in_cell = True


def attach_cell(cell, name: str, child, prefix: str | None = None) -> None:
    """Rename everything below `child`, which `cell` has registered as `name`, to its structural path.

    prefix: what the names begin with instead of the path of `cell`, where a container says so (`prefix_of_items`).
    """
    state = cell.__dict__
    child.__dict__["_attached"] = True
    if not state["_auto_prefix"]:
        return
    path = join(state["_path"], name)
    named = path if prefix is None else join(prefix, name)
    child.__dict__["_shortened"] = named != path
    owned: set = set()
    for below, part in walk_cells(child, path):
        part.__dict__["_path"] = below
        borrowed = part.__dict__.get("_borrowed", ())       # an optimiser lists the net's weights, it does not own them
        owned.update(id(p) for _, p in own_parameters(part) if id(p) not in borrowed)
    for below, parameter in walk_parameters(child, named):
        if id(parameter) in owned:
            parameter._name, parameter.has_given_name = below, True


def prefix_of_items(items: dict) -> str:
    """What the names of a container's items begin with: what those that it has begin with.

    Empty for the first one: as in MindSpore, a container that is filled after it was set as an attribute is not
    part of the names (`0.weight`, not `blocks.0.weight`), so that checkpoints go from one to the other.
    """
    firsts = ((key, next(walk_parameters(cell), None)) for key, cell in items.items() if cell is not None)
    found = [(key, first[1].name.split(".")) for key, first in firsts if first is not None][:2]
    if not found:
        return ""
    (key, parts), prefix = found[0], ""
    for place, part in enumerate(parts):
        if part == key:
            prefix = ".".join(parts[:place])
            if len(found) > 1 and found[1][1][place:place + 1] == [found[1][0]]:
                break
    return prefix


# -- plain containers ----------------------------------------------------------------------------------
def adopt(root) -> None:
    """Register, in every Cell below `root`, the Cells and Parameters in its plain lists, tuples and dicts."""
    _adopt_below(root, {})


def _adopt_below(cell, seen: dict) -> None:
    if id(cell) in seen:
        return
    seen[id(cell)] = cell
    _adopt_own(cell)
    for _, child in list(children(cell)):
        _adopt_below(child, seen)


def _adopt_own(cell) -> None:
    state = cell.__dict__
    if "_params" not in state:
        raise cell._not_initialised()
    found: dict = {}
    for name, value in list(state.items()):
        if isinstance(value, (list, tuple, dict)) and name not in _INTERNAL and not isinstance(value, ParameterTuple):
            _collect(value, name, found, 0)
    before = state.get("_adopted", {})
    if not found and not before:
        return
    known = {id(item) for item in before.values()}
    registered = {id(item) for own in ("_params", "_cells") for item in state[own].values()}
    adopted, referenced, new = {}, {}, []
    for key, item in found.items():
        if id(item) in registered:
            continue
        if id(item) in known:
            adopted[key] = item
        elif _is_attached(item):
            referenced[key] = item
        elif not _contains(item, cell):         # a list that holds a parent, or the Cell itself, owns nothing
            known.add(id(item))
            adopted[key] = item
            new.append(key)
    if {key: id(item) for key, item in adopted.items()} != {key: id(item) for key, item in before.items()}:
        epoch.structure_changed()
    state["_adopted"], state["_referenced"] = adopted, referenced
    for key in new:
        attach = attach_parameter if isinstance(adopted[key], Parameter) else attach_cell
        attach(cell, key, adopted[key])
    _warn_adopted(cell, new, adopted)


_INTERNAL = frozenset(("_params", "_cells", "_buffers", "_adopted", "_referenced", "_tuples", "_borrowed", "_flags",
                       "_inputs", "_hooks", "_extras", "cell_list", "_pairs"))


def _collect(container, path: str, found: dict, depth: int) -> None:
    """Note the Cells and Parameters in a nest of containers as ``path.index``."""
    from graphcore.nn.cell import Cell
    items = container.values() if isinstance(container, dict) else container
    wanted = (Cell, Parameter, list, tuple, dict)
    if depth > _DEEPEST_CONTAINER or not any(issubclass(t, wanted) for t in set(map(type, items))):
        return
    for key, item in container.items() if isinstance(container, dict) else enumerate(container):
        if isinstance(item, (Cell, Parameter)):
            found[f"{path}.{key}"] = item
        elif isinstance(item, (list, tuple, dict)):
            _collect(item, f"{path}.{key}", found, depth + 1)


def _is_attached(item) -> bool:
    return item.in_cell if isinstance(item, Parameter) else item.__dict__.get("_attached", False)


def _contains(item, cell) -> bool:
    return not isinstance(item, Parameter) and any(below is cell for _, below in walk_cells(item))


def _warn_adopted(cell, new: list, adopted: dict) -> None:
    new = [key for key in new if _holds_parameters(adopted[key])]
    warned = cell.__dict__.setdefault("_warned", set())
    attributes = {key.split(".")[0] for key in new} - warned
    if attributes:
        warned |= attributes
        keys = ", ".join(key for key in new if key.split(".")[0] in attributes)
        kind = "Parameters" if all(isinstance(adopted[k], Parameter) for k in new) else "Cells"
        better = "ParameterTuple" if kind == "Parameters" else "nn.CellList, nn.SequentialCell or nn.CellDict"
        warn_user(f"{type(cell).__name__}: {kind} in plain containers ({', '.join(sorted(attributes))}) are registered "
                  f"as {keys}, so that they are trained and saved; {better} says so explicitly")


def _holds_parameters(item) -> bool:
    return isinstance(item, Parameter) or next(walk_parameters(item), None) is not None


# -- clashes -------------------------------------------------------------------------------------------
def bind(root) -> None:
    """Settle the names below `root`: adopt, then give Parameters that share a name their structural paths.

    Warns once, naming the paths.  Raises NameClashError for names that still clash.
    """
    cells: dict = {}
    _adopt_below(root, cells)
    for cell in cells.values():
        cell.__dict__["_bound"] = True
    by_name: dict = {}
    found = list(walk_parameters(root, root.__dict__["_path"]))
    for path, parameter in found:
        by_name.setdefault(parameter.name, []).append((path, parameter))
    if len(by_name) == len(found):
        return
    _lengthen(root)
    clashes = {name: group for name, group in by_name.items() if len({p.name for _, p in group}) < len(group)}
    for group in clashes.values():
        for path, parameter in group:
            parameter.name = path
    _refuse_clashes(found)
    if not clashes:
        return
    texts = [f"{' and '.join(path for path, _ in group)} were all called {name!r}" if len(group) > 2 else
             f"{group[0][0]} and {group[1][0]} were both called {name!r}" for name, group in clashes.items()]
    more = f"; and {len(texts) - _WARNED_CLASHES} more names" if len(texts) > _WARNED_CLASHES else ""
    warn_user(f"{type(root).__name__}: {'; '.join(texts[:_WARNED_CLASHES])}{more}. They now bear their structural "
              "paths; leave out name=, or give different names")


def _lengthen(root) -> None:
    """Give everything that bears a name shortened by its container (`prefix_of_items`) its structural path."""
    for path, cell in walk_cells(root, root.__dict__["_path"]):
        if cell.__dict__.get("_shortened"):
            cell.__dict__["_shortened"] = False
            for below, parameter in walk_parameters(cell, path):
                parameter.name = below


def _refuse_clashes(found: list) -> None:
    taken: dict = {}
    for path, parameter in found:
        other = taken.setdefault(parameter.name, path)
        if other != path:
            raise NameClashError(f"the Parameters {other!r} and {path!r} are both called {parameter.name!r}, and the "
                                 "structural path of one is the name of the other; give them different names: "
                                 "Parameter(..., name=...)")
