"""What a generated program knows at a place of its text: variables with types, and what may be done there."""
from __future__ import annotations

from dataclasses import dataclass, field, replace

#: The values of variables stay below this, so that nothing overflows; what grows beyond is squashed.
LARGEST = 20.0


@dataclass(frozen=True)
class TensorOf:
    """A tensor: dtype "f" (the program's float), "i" (int32), "b" (bool), "h" (the program's half), "d" (float64)."""

    dtype: str
    shape: tuple

    @property
    def size(self) -> int:
        count = 1
        for n in self.shape:
            count *= n
        return count


@dataclass(frozen=True)
class NumberOf:
    """A Python number.  soft: one that a program may hold as a tensor, so it is used in float arithmetic alone.

    kind: "int" or "float"; bound: an int is from 0 to bound.
    """

    kind: str
    soft: bool = False


@dataclass(frozen=True)
class NestOf:
    """A list, tuple or dict (kind) with entries of these types; keys: of a dict."""

    kind: str
    items: tuple
    keys: tuple = ()


@dataclass(frozen=True)
class FunctionOf:
    """A function by its parameters and its result."""

    parameters: tuple
    result: object


@dataclass(frozen=True)
class Expr:
    """A piece of text with its type; |values| <= bound."""

    text: str
    type: object
    bound: float = 1.0


@dataclass(frozen=True)
class Variable:
    """A name.  own: a tensor whose elements are assigned to; it is only read as a copy (no two names for one)."""

    name: str
    type: object
    bound: float = 1.0
    own: bool = False
    writable: bool = True

    @property
    def read(self) -> str:
        return f"{self.name}.copy()" if self.own else self.name


@dataclass(frozen=True)
class Place:
    """What may stand at a place in the text.

    region: a tensor decides whether or how often it runs.  loop: whether `break` and `continue` are possible.
    result: the types that a `return` gives; None: none here.  depth: of nesting.  trips: how often it runs at most.
    cell: whether `self` is there.
    """

    region: bool = False
    loop: bool = False
    result: tuple | None = None
    depth: int = 0
    trips: int = 1
    cell: bool = False

    def inside(self, **changes) -> Place:
        return replace(self, depth=self.depth + 1, **changes)


@dataclass
class Scope:
    """The variables of a block, and those of the blocks around it."""

    outer: Scope | None = None
    own: dict = field(default_factory=dict)

    def add(self, variable: Variable) -> Variable:
        self.own[variable.name] = variable
        return variable

    def all(self) -> list[Variable]:
        found = {} if self.outer is None else {v.name: v for v in self.outer.all()}
        found.update(self.own)
        return list(found.values())

    def of(self, test) -> list[Variable]:
        return [v for v in self.all() if test(v)]
