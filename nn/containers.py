"""Containers: Cells whose children have indices or keys."""
from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping

import numpy as np

from graphcore.capture import epoch
from graphcore.nn import cell_naming
from graphcore.nn.cell import Cell


class _Ordered(Cell):
    """What SequentialCell and CellList share: children in order, held under the names '0', '1', ...

    `cell_list` is a tuple that is replaced whenever the children change: construct reads it as an ordinary attribute,
    so a compiled program notices.
    """

    cell_list: tuple = ()

    def _replace_all(self, named: dict) -> None:
        """Take `named` as the children, attached under their names."""
        prefix = cell_naming.prefix_of_items(self._cells)
        for name in self._cells:
            self.__dict__.pop(name, None)
        self.__dict__["_cells"] = {}
        for name, cell in named.items():
            self._attach(name, cell, prefix)
        self._refresh()

    def _attach(self, name: str, cell, prefix: str | None = None) -> None:
        """Register a child; unlike an attribute it may replace any other.  prefix: of the names of its Parameters."""
        if prefix is None:
            prefix = cell_naming.prefix_of_items(self._cells)
        self.__dict__["_cells"][name] = self.__dict__[name] = cell
        cell_naming.attach_cell(self, name, cell, prefix)

    def _refresh(self) -> None:
        self.__dict__["cell_list"] = tuple(self._cells.values())
        epoch.structure_changed()

    def _name_at(self, index) -> str:
        """The name of the child at an int `index`, negative ones from the end.  Raises IndexError or TypeError."""
        return self._at(list(self._cells), index)

    def _at(self, names: list, index) -> str:
        if isinstance(index, bool) or not isinstance(index, (int, np.integer)):
            raise TypeError(f"{type(self).__name__}: an index must be an int or a slice, got {type(index).__name__}")
        if not -len(names) <= index < len(names):
            raise IndexError(f"{type(self).__name__}: the index must be in [-{len(names)}, {len(names)}), got {index}")
        return names[index]

    def _check(self, cell):
        if not isinstance(cell, Cell):
            raise TypeError(f"{type(self).__name__} holds Cells, got {type(cell).__name__}"
                            + ("; did you forget the parentheses?" if isinstance(cell, type) else ""))
        if "_params" not in cell.__dict__:
            raise cell._not_initialised()
        return cell

    def _set_cell(self, state, name, child) -> None:
        super()._set_cell(state, name, child)
        self._refresh()

    def __delattr__(self, name):
        super().__delattr__(name)
        self._refresh()

    def _view(self, kind, named: dict):
        """Some of these Cells in a container of their own, under their old names."""
        chosen = kind.__new__(kind)
        Cell.__init__(chosen, auto_prefix=False)
        chosen._replace_all(named)
        return chosen

    def __getitem__(self, index):
        if isinstance(index, slice):
            return self._slice(index)
        try:
            return self.cell_list[index]
        except (IndexError, TypeError):
            self._name_at(index)        # says what is wrong
            raise

    def __setitem__(self, index, cell):
        self._attach(self._name_at(index), self._check(cell))
        self._refresh()

    def __len__(self):
        return len(self.cell_list)

    def __bool__(self):
        return True

    def __iter__(self):
        return iter(self.cell_list)

    def __reversed__(self):
        return reversed(self.cell_list)


class SequentialCell(_Ordered):
    """``SequentialCell(*cells)``: calls its Cells one after the other.

    cells: Cells, one list of Cells, or one OrderedDict of names and Cells.  Raises TypeError for anything else.
    A Cell that is set as a new attribute later, as subclasses do, is registered but not called by construct.
    """

    _aside: frozenset = frozenset()         # names of children that are no link of the chain

    def __init__(self, *args):
        super().__init__()
        if len(args) == 1 and isinstance(args[0], (list, tuple)):
            args = args[0]
        if len(args) == 1 and isinstance(args[0], Mapping):
            named = dict(args[0])
        else:
            named = {str(i): cell for i, cell in enumerate(args)}
        self._replace_all({name: self._check(cell) for name, cell in named.items()})

    def _set_cell(self, state, name, child) -> None:
        if name not in self._cells:
            state["_aside"] = self._aside | {name}
        super()._set_cell(state, name, child)

    def _refresh(self) -> None:
        self.__dict__["cell_list"] = tuple(self._chain().values())
        epoch.structure_changed()

    def _chain(self) -> dict:
        return {name: cell for name, cell in self._cells.items() if name not in self._aside and cell is not None}

    def _name_at(self, index) -> str:
        return self._at(list(self._chain()), index)

    def _slice(self, index) -> SequentialCell:
        return self._view(SequentialCell, dict(list(self._chain().items())[index]))

    def __delitem__(self, index):
        chain = self._chain()
        names = list(chain)[index] if isinstance(index, slice) else [self._name_at(index)]
        kept = [(name, cell) for name, cell in chain.items() if name not in names]
        if all(name.isdecimal() for name in chain):
            kept = [(str(i), cell) for i, (_, cell) in enumerate(kept)]
        self._replace_all({**dict(kept), **{name: self._cells[name] for name in self._aside if name in self._cells}})

    def append(self, cell) -> SequentialCell:
        """Add a Cell at the end; returns this one."""
        number = len(self._cells)
        while str(number) in self._cells:
            number += 1
        self._attach(str(number), self._check(cell))
        self._refresh()
        return self

    def construct(self, input_data):
        for cell in self.cell_list:
            input_data = cell(input_data)
        return input_data


class CellList(_Ordered):
    """``CellList(cells=())``: a list of Cells.  It cannot be called; index it or iterate over it in construct.

    Takes Cells, or one list or tuple of Cells.  Raises TypeError for anything else.
    """

    def __init__(self, *args, auto_prefix=True):
        super().__init__(auto_prefix=auto_prefix)
        nested = len(args) == 1 and (not isinstance(args[0], Cell) or isinstance(args[0], _Ordered))
        self.extend(args[0] if nested else args)

    def _slice(self, index) -> CellList:
        return self._view(CellList, {str(i): cell for i, cell in enumerate(self.cell_list[index])})

    def __delitem__(self, index):
        cells = list(self.cell_list)
        del cells[index if isinstance(index, slice) else int(self._name_at(index))]
        self._renumber(cells)

    def __iadd__(self, cells):
        return self.extend(cells)

    def append(self, cell) -> CellList:
        """Add a Cell at the end; returns this list."""
        self._attach(str(len(self)), self._check(cell))
        self._refresh()
        return self

    def extend(self, cells) -> CellList:
        """Add Cells at the end; returns this list.  Raises TypeError unless `cells` is a collection of Cells."""
        if not isinstance(cells, Iterable):
            raise TypeError(f"CellList.extend takes a list of Cells, got {type(cells).__name__}")
        prefix = cell_naming.prefix_of_items(self._cells)
        for number, cell in enumerate([self._check(c) for c in cells], len(self)):
            self._attach(str(number), cell, prefix)
        self._refresh()
        return self

    def insert(self, index: int, cell) -> None:
        """Insert a Cell before `index`; those behind it move up, and are renamed."""
        if isinstance(index, bool) or not isinstance(index, (int, np.integer)) or not -len(self) <= index <= len(self):
            raise IndexError(f"CellList: the index must be an int in [-{len(self)}, {len(self)}], got {index}")
        cells = list(self.cell_list)
        cells.insert(index, self._check(cell))
        self._renumber(cells)

    def _renumber(self, cells: list) -> None:
        self._replace_all({str(i): cell for i, cell in enumerate(cells)})

    def construct(self, *inputs):
        raise NotImplementedError("a CellList cannot be called: it does not say how its Cells follow each other; call "
                                  "its items, or use SequentialCell")


class CellDict(Cell):
    """``CellDict(cells=None)``: a dict of Cells.  It cannot be called; use its items in construct.

    Takes a dict, a list of (key, Cell) pairs, or a CellDict.  Keys are strs without dots that are no attribute of Cell.
    Raises TypeError or KeyError for anything else.
    """

    _pairs: tuple = ()       # ((key, Cell), ...), replaced at each change so that compiled programs notice

    def __init__(self, *args, auto_prefix=True):
        super().__init__(auto_prefix=auto_prefix)
        if len(args) > 1:
            raise TypeError(f"CellDict takes one dict of Cells, got {len(args)} arguments")
        if args:
            self.update(args[0])

    def _refresh(self) -> None:
        self.__dict__["_pairs"] = tuple(self._cells.items())
        epoch.structure_changed()

    def _set_cell(self, state, name, child) -> None:
        prefix = cell_naming.prefix_of_items(self._cells)
        super()._set_cell(state, name, child)
        cell_naming.attach_cell(self, name, child, prefix)
        self._refresh()

    def __delattr__(self, name):
        super().__delattr__(name)
        self._refresh()

    def _checked_key(self, key, cell) -> str:
        if not isinstance(key, str):
            raise TypeError(f"CellDict: a key must be a str, got {type(key).__name__}")
        if not key or "." in key:
            raise KeyError(f"CellDict: a key must not be empty nor contain '.', got {key!r}")
        if hasattr(self, key) and key not in self._cells:
            raise KeyError(f"CellDict: {key!r} is the name of an attribute of Cell; choose another key")
        if not isinstance(cell, Cell):
            raise TypeError(f"CellDict holds Cells, got {type(cell).__name__} for key {key!r}")
        return key

    def __setitem__(self, key, cell):
        self._set_cell(self.__dict__, self._checked_key(key, cell), cell)

    def __getitem__(self, key):
        return dict(self._pairs)[key]

    def __delitem__(self, key):
        self[key]       # raises KeyError
        delattr(self, key)

    def __len__(self):
        return len(self._pairs)

    def __bool__(self):
        return True

    def __iter__(self):
        return iter(self.keys())

    def __contains__(self, key):
        return key in dict(self._pairs)

    def keys(self):
        """The keys."""
        return OrderedDict(self._pairs).keys()

    def values(self):
        """The Cells."""
        return OrderedDict(self._pairs).values()

    def items(self):
        """The (key, Cell) pairs."""
        return OrderedDict(self._pairs).items()

    def clear(self) -> None:
        """Take all Cells out."""
        for key in list(self._cells):
            del self[key]

    def pop(self, key):
        """Take the Cell at `key` out and return it.  Raises KeyError if there is none."""
        cell = self[key]
        del self[key]
        return cell

    def update(self, cells) -> None:
        """Set Cells from a dict, a CellDict or a list of (key, Cell) pairs; all are checked before any is set."""
        if not isinstance(cells, (Mapping, CellDict)):
            if not isinstance(cells, Iterable) or isinstance(cells, Cell):
                raise TypeError(f"CellDict.update takes a dict or (key, Cell) pairs, got {type(cells).__name__}")
            cells = list(cells)
            if not all(isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in cells):
                raise ValueError("CellDict.update takes pairs (key, Cell)")
            cells = dict(cells)
        pairs = list(cells.items())
        for key, cell in pairs:
            self._checked_key(key, cell)
        for key, cell in pairs:
            self[key] = cell

    def construct(self, *inputs):
        raise NotImplementedError("a CellDict cannot be called: it does not say how its Cells follow each other; call "
                                  "its items")
