"""Checks: the guards of one program as one generated function.

The function compares by identity, which is exact and quick: global variables of the module with most reads are its own
globals and closure cells its own free variables, so that Python's inline caches work for them.  Where an identity does
not hold, the snapshots decide: a list that was replaced by an equal one changes nothing.
"""
from __future__ import annotations

import functools
import keyword
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from operator import is_
from types import CellType, CodeType, FunctionType, SimpleNamespace

from graphcore.capture import epoch
from graphcore.capture.guards.reads import Attribute, Closure, Contents, Global, Read, Watched
from graphcore.capture.guards.snapshots import MISSING, Array, Bound, Items, Same, same_words, snapshot
from graphcore.tensor import Tensor

_PREFIX = "_gc_"            # of the names that stand for objects
_UNROLLED_ITEMS = 32        # containers with more are compared by a loop
_SMALL_ARRAY = 1 << 14      # bytes; up to here comparing copies of the bytes is quicker than NumPy's comparison


class Guards:
    """What one program depends on.

    check: None where `epoch.structure` covers everything, else a function without arguments; while it gives True, and
    the epoch has not moved, all reads hold.
    """

    def __init__(self, reads: dict):
        self._expect(r for r in reads.values() if not _is_fleeting(r) or r.still_holds())

    def _expect(self, reads: Iterable[Read]) -> None:
        self._reads = tuple(reads)
        self.check, self._watched = compile_check(self._reads)

    def changes(self) -> list[str]:
        """What does not hold any more, in words."""
        return list(dict.fromkeys(r.change() for r in self._reads if not r.still_holds()))

    def refresh(self) -> bool:
        """Compare everything by value; where it holds, later checks expect the objects that are there now."""
        kept = []
        moved = self.check is not None and not self.check() or not all(map(epoch.is_watched, self._watched))
        for read in self._reads:
            now = read.now()
            if not read.held.matches(now):
                return False
            if moved or now is not read.held.value and _expects_the_object(read):
                read, moved = replace(read, held=Same(MISSING) if now is MISSING else snapshot(now)), True
            kept.append(read)
        if moved:
            self._expect(kept)
        return True


def _is_fleeting(read: Read) -> bool:
    """Whether a read may fail at once: of a variable that the capture itself sets later, of what a property makes."""
    return isinstance(read, Closure) or isinstance(read, Attribute) and read.computed


def _expects_the_object(read: Read) -> bool:
    """Whether a check compares with the very object that was read."""
    if isinstance(read, Watched):
        return read.held.changes_in_place
    return not isinstance(read.held, Bound) and not (isinstance(read, Attribute) and read.computed)


def compile_check(reads: tuple[Read, ...]) -> tuple[Callable[[], bool] | None, list[Tensor]]:
    """What compares these reads, or None where there is nothing to compare, and the Tensors it leaves to the epoch."""
    spaces = Counter(id(r.owner) for r in reads if isinstance(r, Global))
    writer = _Writer(spaces.most_common(1)[0][0] if spaces else None)
    for read in reads:
        writer.read(read)
    return writer.function(), writer.watched


class _Writer:
    """Writes the text of a check and collects the objects that its names stand for."""

    def __init__(self, main_namespace: int | None):
        self._main, self._globals = main_namespace, {}
        self._objects: dict = {}        # id -> (name, object)
        self._cells: dict = {}          # id -> (name, closure cell)
        self._tests: list[str] = []     # of expressions, which come first
        self._contents: list[str] = []  # statements that take containers apart
        self._seen: set = set()
        self.watched: list[Tensor] = []

    def read(self, read: Read) -> None:
        """Add the comparison of one read."""
        if isinstance(read, Watched):
            self._content(read.held)
        elif isinstance(read.held, Same) and read.held.value is MISSING:
            self._tests.append(f"not {self._name(hasattr)}({self._name(read.owner)}, {read.name!r})")
        elif isinstance(read, Attribute) and isinstance(read.held, Bound):
            self._tests.append(f"{self._expression(read)} == {self._name(read.held.value)}")
        elif isinstance(read, Attribute) and read.computed:
            self._tests.append(f"{self._name(read.held.matches)}({self._expression(read)})")
        else:
            if not isinstance(read, Contents):
                self._tests.append(f"{self._expression(read)} is {self._name(read.held.value)}")
            self._content(read.held)

    def _expression(self, read: Read) -> str:
        """What reads the place again."""
        if isinstance(read, Closure):
            return self._cells.setdefault(id(read.owner), (f"{_PREFIX}cell_{len(self._cells)}", read.owner))[0]
        plain = read.name.isidentifier() and not keyword.iskeyword(read.name) and not read.name.startswith(_PREFIX)
        if isinstance(read, Global):
            if id(read.owner) == self._main:
                self._globals = read.owner
                if plain:
                    return read.name
            return f"{self._name(read.owner)}[{read.name!r}]"
        if type(read.owner) is SimpleNamespace:         # as a dict it is quicker
            return f"{self._name(vars(read.owner))}[{read.name!r}]"
        owner = self._name(read.owner)
        return f"{owner}.{read.name}" if plain else f"{self._name(getattr)}({owner}, {read.name!r})"

    def _content(self, held) -> None:
        """Add the comparison of what may have changed within an object, which itself is the same."""
        if not held.changes_in_place or id(held.value) in self._seen:
            return
        self._seen.add(id(held.value))
        if isinstance(held, Array):
            self._array(held)
        elif isinstance(held, Items):
            if not isinstance(held.value, tuple):
                self._container(self._name(held.value), held.keys, [s.value for s in held.items])
            for part in held.items:
                self._content(part)

    def _container(self, name: str, keys: tuple | None, items: list) -> None:
        if keys is None:
            self._row(name, name, items)
        elif 0 < len(keys) <= _UNROLLED_ITEMS and all(type(key) is str for key in keys):
            self._contents.append(f"if [*{name}] != {self._name(list(keys))}: return False")
            tests = " and ".join(f"{name}[{key!r}] is {self._name(item)}" for key, item in zip(keys, items))
            self._contents.append(f"if not ({tests}): return False")
        else:
            self._row(name, name, keys)
            self._row(f"{name}.values()", name, items)

    def _row(self, expression: str, container: str, objects) -> None:
        """The objects that iterating gives are these."""
        count = len(objects)
        if count == 0:
            self._contents.append(f"if {self._name(len)}({container}): return False")
        elif count <= _UNROLLED_ITEMS:
            names = [f"{_PREFIX}item_{i}" for i in range(count)]
            self._contents.append(f"{', '.join(names)}, = {expression}")
            tests = " and ".join(f"{n} is {self._name(o)}" for n, o in zip(names, objects))
            self._contents.append(f"if not ({tests}): return False")
        else:
            pairs = f"{self._name(map)}({self._name(is_)}, {expression}, {self._name(tuple(objects))})"
            self._contents.append(f"if {self._name(len)}({container}) != {count}: return False")
            self._contents.append(f"if not {self._name(all)}({pairs}): return False")

    def _array(self, held: Array) -> None:
        if held.watch():
            self.watched.append(held.value)
            return
        array = self._name(held.value)
        if isinstance(held.value, Tensor):
            array += "._array"
        if held.words.nbytes <= _SMALL_ARRAY and isinstance(held.value, Tensor):
            self._contents.append(f"if {array}.tobytes() != {self._name(held.words.tobytes())}: return False")
        else:
            self._contents.append(f"if not {self._name(same_words)}({array}, {self._name(held.words)}): return False")

    def _name(self, value) -> str:
        """The name that stands for an object; the object lives as long as the check."""
        return self._objects.setdefault(id(value), (f"{_PREFIX}{len(self._objects)}", value))[0]

    def function(self) -> Callable[[], bool] | None:
        """The check, or None if nothing was added."""
        if not self._tests and not self._contents:
            return None
        error = self._name(Exception)
        lines = [f"if not ({' and '.join(self._tests)}): return False"] if self._tests else []
        body = "".join(f"            {line}\n" for line in [*lines, *self._contents, "return True"])
        names = sorted(name for name, _ in (*self._objects.values(), *self._cells.values()))
        code = _compiled(f"def outer({', '.join(names)}):\n    def check():\n        try:\n{body}"
                         f"        except {error}:\n            return False\n")
        values = {name: CellType(value) for name, value in self._objects.values()} | dict(self._cells.values())
        return FunctionType(code, self._globals, "check", None, tuple(values[name] for name in code.co_freevars))


@functools.lru_cache(maxsize=512)
def _compiled(text: str) -> CodeType:
    outer = next(c for c in compile(text, "<guards>", "exec").co_consts if isinstance(c, CodeType))
    return next(c for c in outer.co_consts if isinstance(c, CodeType))
