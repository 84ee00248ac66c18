"""The tree of Cells: the methods that list Parameters and sub-cells."""
from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from graphcore.errors import NameClashError
from graphcore.nn import cell_naming
from graphcore.nn.cell_walk import children, walk_cells, walk_parameters
from graphcore.parameter import Parameter


class CellTree:
    """The methods of a Cell that list or change what is below it."""

    def bind_names(self) -> CellTree:
        """Settle the names of all Parameters below: Cells and Parameters in plain containers are registered, Parameters
        that share a name take their structural paths.  Warns of both; raises NameClashError for what still clashes."""
        cell_naming.bind(self)
        return self

    def check_names_and_refresh_name(self) -> None:
        """`bind_names`, as MindSpore calls it."""
        self.bind_names()

    # -- Parameters ----------------------------------------------------------------------------------
    def parameters_and_names(self, name_prefix="", expand=True) -> Iterator[tuple]:
        """(structural path, Parameter), own ones first; with `expand` those of all sub-cells too."""
        self.bind_names()
        yield from walk_parameters(self, name_prefix, expand)

    def get_parameters(self, expand=True) -> Iterator[Parameter]:
        """The Parameters, trainable or not, one by one; with `expand` those of all sub-cells too."""
        for _, parameter in self.parameters_and_names(expand=expand):
            yield parameter

    def trainable_params(self, recurse=True) -> list:
        """The Parameters with ``requires_grad=True``."""
        return [p for p in self.get_parameters(recurse) if p.requires_grad]

    def untrainable_params(self, recurse=True) -> list:
        """The Parameters with ``requires_grad=False``."""
        return [p for p in self.get_parameters(recurse) if not p.requires_grad]

    def parameters_dict(self, recurse=True) -> OrderedDict:
        """The Parameters by name."""
        return OrderedDict((p.name, p) for p in self.get_parameters(recurse))

    def parameters_broadcast_dict(self, recurse=True):
        """The Parameters by name that are not layerwise parallel; None if there are none."""
        found = OrderedDict((p.name, p) for p in self.get_parameters(recurse) if not p.layerwise_parallel)
        return found or None

    def init_parameters_data(self, auto_parallel_mode=False) -> dict:
        """Make the values of all lazy Parameters; returns {Parameter: the same, initialised}."""
        return {p: p.init_data() for p in self.get_parameters()}

    def check_names(self) -> None:
        """Raise NameClashError if two Parameters below have one name."""
        seen: dict = {}
        for path, parameter in walk_parameters(self):
            other = seen.setdefault(parameter.name, path)
            if other != path:
                raise NameClashError(f"the Parameters {other!r} and {path!r} are both called {parameter.name!r}; "
                                     "please set a unique name for each, or call bind_names()")

    def update_parameters_name(self, prefix="", recurse=True) -> None:
        """Call every Parameter below `prefix` + its structural path."""
        if not isinstance(prefix, str):
            raise ValueError(f"prefix must be a str, got {type(prefix).__name__}")
        cell_naming.adopt(self)
        for path, parameter in list(walk_parameters(self, recurse=recurse)):
            parameter.name = prefix + path

    _update_local_parameters_name = update_parameters_name      # MindSpore's name for subclasses

    # -- Cells ---------------------------------------------------------------------------------------
    def name_cells(self) -> OrderedDict:
        """The direct sub-cells by name."""
        cell_naming.adopt(self)
        found, seen = OrderedDict(), set()
        for name, child in children(self):
            if id(child) not in seen:
                seen.add(id(child))
                found[name] = child
        return found

    def cells(self):
        """The direct sub-cells."""
        return self.name_cells().values()

    def cells_and_names(self, cells=None, name_prefix="") -> Iterator[tuple]:
        """(structural path, Cell) of this Cell and all below, parents first.  `cells`: a set of ids to leave out."""
        cell_naming.adopt(self)
        yield from walk_cells(self, name_prefix, cells)

    def get_sub_cell(self, target: str):
        """The Cell at the dotted path `target`; "" is this one.  Raises AttributeError if there is none."""
        cell = self
        for name in target.split(".") if target else []:
            below = cell.name_cells()
            if name not in below:
                raise AttributeError(f"{type(cell).__name__} has no sub-cell {name!r}, only: {', '.join(below)}")
            cell = below[name]
        return cell

    def apply(self, fn):
        """Call ``fn(cell)`` for every Cell below, children first, then for this one; returns this one."""
        for child in self.cells():
            child.apply(fn)
        fn(self)
        return self

    def update_cell_prefix(self) -> None:
        """Set `param_prefix` of all Cells below to their paths from here."""
        for path, cell in self.cells_and_names():
            cell.__dict__["_path"] = path
