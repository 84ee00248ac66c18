"""What all parts of the generator share: chance, names, and the simplest expressions, those that need no others."""
from __future__ import annotations

import random
from collections import Counter

from tests.fuzz.scope import Expr, FunctionOf, NestOf, NumberOf, Place, Scope, TensorOf, Variable

_DTYPES = {"f": "FLOAT", "h": "HALF", "d": "DOUBLE", "i": "INT"}        # names at the head of a program


class Choices:
    """Chooses among what a scope holds.  `features` counts what was used."""

    def __init__(self, rng: random.Random):
        self.rng, self.features = rng, Counter()
        self.scope, self.place = Scope(), Place()
        self._names = Counter()

    # -- chance ----------------------------------------------------------------------------------------
    def chance(self, p: float) -> bool:
        return self.rng.random() < p

    def pick(self, options):
        return self.rng.choice(list(options))

    def weighted(self, options: dict):
        return self.rng.choices(list(options), list(options.values()))[0]

    def number(self, low=-1.5, high=1.5) -> float:
        """A number that no computed value meets by accident."""
        return round(self.rng.uniform(low, high), 2) + 0.00137

    def constant(self, low=-1.5, high=1.5) -> str:
        return f"{self.number(low, high):.5f}"

    def new_name(self, prefix: str) -> str:
        self._names[prefix] += 1
        return f"{prefix}{self._names[prefix]}"

    # -- what there is --------------------------------------------------------------------------------
    def squashed(self, e: Expr, bound: float = 1.0) -> Expr:
        """`e` brought below `bound` (at least 1)."""
        if e.bound <= bound or e.type.dtype == "b":
            return e
        if e.type.dtype == "i":
            return Expr(f"({e.text} % {max(2, int(bound) + 1)})", e.type, int(bound))
        return Expr(f"ops.tanh({e.text})", e.type, 1.0)

    def variables(self, wanted) -> list[Expr]:
        """What the scope holds of exactly this type: variables and entries of containers."""
        found = []
        for v in self.scope.all():
            if v.type == wanted:
                found.append(Expr(v.read, wanted, v.bound))
            elif isinstance(v.type, NestOf):
                keys = v.type.keys if v.type.kind == "dict" else range(len(v.type.items))
                found += [Expr(f"{v.name}[{k!r}]", t, v.bound) for k, t in zip(keys, v.type.items) if t == wanted]
        return found

    def functions(self, wanted) -> list[Variable]:
        return self.scope.of(lambda v: isinstance(v.type, FunctionOf) and v.type.result == wanted)

    # -- numbers ---------------------------------------------------------------------------------------
    def number_of(self, wanted: NumberOf) -> Expr:
        found = self.variables(wanted)
        if wanted.kind == "int":
            if found and self.chance(0.7):
                e = self.pick(found)
                return self.pick([e, Expr(f"({e.text} + 1) % 4", wanted, 3), Expr(f"{e.text} % 3", wanted, 2)])
            return Expr(str(self.rng.randint(0, 3)), wanted, 3)
        if found and self.chance(0.7):
            return Expr(f"{self.pick(found).text} * 0.5 + {self.constant(0, 0.5)}", wanted, 1)
        return Expr(self.constant(-0.5, 0.5), wanted, 1)

    def scalar(self) -> Expr:
        """A Python number for arithmetic with floats, often one that the scope holds."""
        found = self.scope.of(lambda v: isinstance(v.type, NumberOf))
        if found and self.chance(0.5):
            v = self.pick(found)
            if v.type.kind == "int":
                return Expr(f"{v.name} * 0.05", None, v.bound * 0.05)
            return Expr(v.name, None, v.bound)
        return Expr(self.constant(), None, 1.6)

    def index(self, size: int) -> str:
        """A valid index for an axis: a number, a Python int, or a tensor."""
        ints = self.scope.of(lambda v: isinstance(v.type, NumberOf) and v.type.kind == "int")
        if ints and self.chance(0.5):
            self.features["index by a loop's number"] += 1
            return f"{self.pick(ints).name} % {size}"
        tensors = self.variables(TensorOf("i", ()))
        if tensors and self.chance(0.4):
            self.features["index by a tensor"] += 1
            return f"{self.pick(tensors).text} % {size}"
        return str(self.rng.randint(-size, size - 1))

    # -- tensors without operators -------------------------------------------------------------------
    def _leaf(self, wanted: TensorOf) -> Expr:
        exact = self.variables(wanted)
        if exact and self.chance(0.85):
            return self.pick(exact)
        options = []
        for v in self.scope.all():
            if not isinstance(v.type, TensorOf) or v.type.dtype != wanted.dtype:
                continue
            if v.type.size == wanted.size and v.type != wanted:
                options.append(Expr(f"{v.read}.reshape({wanted.shape})", wanted, v.bound))
            elif broadcasts(v.type.shape, wanted.shape):
                options.append(Expr(f"{v.read}.broadcast_to({wanted.shape})", wanted, v.bound))
            elif wanted.shape == () and wanted.dtype != "b":
                options.append(Expr(f"{v.read}.mean()", wanted, v.bound) if wanted.dtype != "i" else
                               Expr(f"{v.read}.max()", wanted, v.bound))
        if options and self.chance(0.8):
            return self.pick(options)
        known = self.scope.of(lambda v: isinstance(v.type, TensorOf) and v.type.dtype == wanted.dtype)
        if known and self.chance(0.9):
            v = self.pick(known)
            name = _DTYPES[wanted.dtype]
            text = f"{v.read}.{self.pick(['max', 'min'])}()" if wanted.dtype == "i" else f"{v.read}.mean()"
            return Expr(f"({text} * ops.ones({wanted.shape}, {name}))" if wanted.shape else text, wanted, v.bound)
        return self._literal(wanted)

    def _literal(self, wanted: TensorOf) -> Expr:
        if wanted.dtype == "i":
            value = self.rng.randint(0, 4)
            bound = 4
        else:
            value, bound = self.constant(), 1.6
        name = _DTYPES[wanted.dtype]
        text = f"ops.full({wanted.shape}, {value}, dtype={name})" if wanted.shape else f"Tensor({value}, {name})"
        return Expr(text, wanted, bound)


def broadcasts(small: tuple, large: tuple) -> bool:
    """Whether a tensor of shape `small` broadcasts to `large`."""
    return len(small) <= len(large) and all(a in (1, b) for a, b in zip(small[::-1], large[::-1]))


def atom(e: Expr) -> str:
    """The text of an expression with brackets, where a dot or a subscript may follow."""
    text = e.text
    return text if text.isidentifier() or text.startswith("(") and text.endswith(")") and _closed(text) else f"({text})"


def _closed(text: str) -> bool:
    depth = 0
    for i, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if depth == 0:
            return i == len(text) - 1
    return False
