"""Random assignments: to variables, elements, entries of containers."""
from __future__ import annotations

from contextlib import contextmanager

from tests.fuzz.conditions import Expressions
from tests.fuzz.scope import LARGEST, Expr, NestOf, NumberOf, Place, Scope, TensorOf, Variable

SHAPES = ((), (), (1,), (3,), (4,), (2, 3), (3, 4), (3, 1), (1, 4), (2, 3, 4), (2, 1, 3))


class Assignments(Expressions):
    """Writes statements into `lines`."""

    def __init__(self, rng):
        super().__init__(rng)
        self.lines: list[str] = []
        self.attributes: list[tuple] = []       # of the Cell, not Parameters: (text, type or None for a Python int)
        self._indent = 0

    def write(self, text: str) -> None:
        self.lines.append("    " * self._indent + text)

    @contextmanager
    def indented(self, header: str):
        self.write(header)
        self._indent += 1
        yield
        self._indent -= 1

    @contextmanager
    def block(self, place: Place):
        """A block with a scope of its own."""
        outer = self.scope, self.place
        self.scope, self.place = Scope(self.scope), place
        yield
        self.scope, self.place = outer

    # -- variables -------------------------------------------------------------------------------------
    def random_type(self, numbers: bool = False):
        if numbers and self.chance(0.15):
            return NumberOf("float", soft=True)
        return TensorOf(self.weighted({"f": 8, "i": 1.5, "b": 0.7}), self.pick(SHAPES))

    def depth_here(self) -> int:
        return 1 if self.place.trips > 8 else 2 if self.place.depth else 3

    def assigned(self, e: Expr, bound: float) -> str:
        return self.squashed(e, bound).text if isinstance(e.type, TensorOf) else e.text

    def new_variable(self, wanted=None) -> Variable:
        wanted = wanted or self.random_type(numbers=True)
        e = self.of_type(wanted, self.depth_here())
        bound = min(max(1.0, e.bound), LARGEST)
        v = Variable(self.new_name("v" if isinstance(wanted, TensorOf) else "k"), wanted, bound)
        self.write(f"{v.name} = {self.assigned(e, bound)}")
        return self.scope.add(v)

    def own_tensor(self) -> None:
        wanted = TensorOf(self.weighted({"f": 4, "i": 1}), self.pick([(3,), (4,), (2, 3), (3, 4), (3, 1)]))
        e = self.squashed(self.tensor(wanted, 1), LARGEST)
        v = Variable(self.new_name("a"), wanted, LARGEST, own=True)
        self.write(f"{v.name} = {_copy(e.text)}")
        self.scope.add(v)

    def _writable(self, test):
        return self.scope.of(lambda v: v.writable and not v.name.startswith("self.") and test(v.type))

    def reassign(self) -> None:
        found = self._writable(lambda t: isinstance(t, TensorOf))
        if not found:
            self.new_variable()
            return
        v = self.pick(found)
        e = self.tensor(v.type, self.depth_here())
        self.write(f"{v.name} = {self._fresh(v, self.assigned(e, v.bound))}")

    def _fresh(self, v: Variable, text: str) -> str:
        return _copy(text) if v.own else text

    def augmented(self) -> None:
        found = [v for v in self._writable(lambda t: isinstance(t, TensorOf) and t.dtype in "fi") if not v.own]
        if not found:
            self.new_variable()
            return
        self.features["augmented assignment"] += 1
        v = self.pick(found)
        wanted = v.type if self.chance(0.6) else TensorOf(v.type.dtype, self._smaller(v.type.shape))
        e = self.squashed(self.tensor(wanted, 2), LARGEST)
        name = self.pick("+-*")
        self.write(f"{v.name} {name}= {e.text}")
        self.write(f"{v.name} = {self.assigned(Expr(v.name, v.type, LARGEST * 9), v.bound)}")

    def item_assignment(self) -> None:
        found = [v for v in self._writable(lambda t: isinstance(t, TensorOf)) if v.own]
        if not found:
            self.own_tensor()
            return
        self.features["item assignment"] += 1
        v = self.pick(found)
        shape, dtype = v.type.shape, v.type.dtype
        kind = self.weighted({"index": 4, "column": 2, "slice": 2, "mask": 1.5})
        if kind == "mask":
            mask = self.tensor(TensorOf("b", shape), 1)
            self.write(f"{v.name}[{mask.text}] = {self.rng.randint(0, 3) if dtype == 'i' else self.constant()}")
            return
        if kind == "index":
            window, part = self.index(shape[0]), shape[1:]
        elif kind == "column":
            window, part = "..., " + self.index(shape[-1]), shape[:-1]
        else:
            window, part = self.pick([("1:", (shape[0] - 1, *shape[1:])), (":-1", (shape[0] - 1, *shape[1:]))])
        e = self.tensor(TensorOf(dtype, part if self.chance(0.6) else ()), 1)
        if dtype == "f" and self.chance(0.3):
            self.write(f"{v.name}[{window}] *= ops.tanh({e.text})")
        else:
            self.write(f"{v.name}[{window}] = {self.squashed(e, LARGEST).text}")

    def number_update(self) -> None:
        found = self.scope.of(lambda v: v.type == NumberOf("float", soft=True) and v.writable)
        if not found:
            self.new_variable(NumberOf("float", soft=True))
            return
        self.features["Python number changed"] += 1
        v = self.pick(found)
        self.write(f"{v.name} = {v.name} * 0.5 + {self.constant(-0.5, 0.5)}")

    # -- containers ------------------------------------------------------------------------------------
    def new_container(self) -> None:
        kind = self.pick(["list", "tuple", "dict"])
        self.features[kind] += 1
        items = tuple(self.random_type() for _ in range(self.rng.randint(1, 3)))
        nest = NestOf(kind, items, tuple("abc"[:len(items)]) if kind == "dict" else ())
        v = Variable(self.new_name("c"), nest, 3)
        self.write(f"{v.name} = {self._entries(nest, 3)}")
        self.scope.add(v)

    def _entries(self, nest: NestOf, bound: float) -> str:
        """A new container with random entries."""
        entries = [self.squashed(self.tensor(t, 2), bound).text for t in nest.items]
        if nest.kind == "dict":
            return "{" + ", ".join(f"{k!r}: {e}" for k, e in zip(nest.keys, entries)) + "}"
        return f"[{', '.join(entries)}]" if nest.kind == "list" else f"({', '.join(entries)},)"

    def container_change(self) -> None:
        found = self._writable(lambda t: isinstance(t, NestOf))
        if not found:
            self.new_container()
            return
        v = self.pick(found)
        self.features["container changed"] += 1
        if v.type.kind == "tuple" or self.chance(0.2):
            self.write(f"{v.name} = {self._entries(v.type, v.bound)}")
            return
        i = self.rng.randrange(len(v.type.items))
        key = v.type.keys[i] if v.type.kind == "dict" else i
        self.write(f"{v.name}[{key!r}] = {self.squashed(self.tensor(v.type.items[i], 2), v.bound).text}")

    def unpack(self) -> None:
        found = self.scope.of(lambda v: isinstance(v.type, NestOf) and v.type.kind != "dict")
        if not found:
            self.new_container()
            return
        v = self.pick(found)
        self.features["unpacking"] += 1
        names = [Variable(self.new_name("u"), t, v.bound) for t in v.type.items]
        self.write(f"{', '.join(n.name for n in names)}{',' if len(names) == 1 else ''} = {v.name}")
        for n in names:
            self.scope.add(n)


def _copy(text: str) -> str:
    """A tensor of its own: the copy of a Parameter would be a Parameter."""
    return f"({text}) * 1" if "self." in text else f"({text}).copy()"
