"""Sizes of axes: integers, or integer polynomials in named symbols (``N``, ``2*N+1``, ``N//2``).

All shape arithmetic in type rules is written with `+ - * //` and comparisons, so it works for both.
A `Dim` is canonical: equal expressions are equal objects by ``==`` and hash.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Union

from graphcore.errors import ShapeError

_MOST_TERMS = 256       # products of sums grow without end


class Dim:
    """A symbolic size, as a sum of integer coefficients times products of atoms."""

    __slots__ = ("terms", "_hash")

    def __init__(self, terms: tuple):
        self.terms = terms
        self._hash = hash(terms)

    # -- construction --------------------------------------------------------------------------------
    @staticmethod
    def symbol(name: str) -> Dim:
        return Dim((((name,), 1),))

    @staticmethod
    def _make(table: dict) -> Size:
        terms = tuple(sorted(((m, c) for m, c in table.items() if c), key=lambda t: (tuple(map(str, t[0])), t[1])))
        if not terms:
            return 0
        if len(terms) == 1 and terms[0][0] == ():
            return terms[0][1]
        if len(terms) > _MOST_TERMS:
            raise ShapeError(f"a symbolic size of more than {_MOST_TERMS} terms")
        return Dim(terms)

    @staticmethod
    def _table(value: Size) -> dict:
        return dict(value.terms) if isinstance(value, Dim) else {(): int(value)}

    # -- arithmetic ----------------------------------------------------------------------------------
    def __add__(self, other):
        table = self._table(self)
        for m, c in self._table(other).items():
            table[m] = table.get(m, 0) + c
        return self._make(table)

    __radd__ = __add__

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + (other * -1)

    def __rsub__(self, other):
        return (self * -1) + other

    def __mul__(self, other):
        table: dict = {}
        for m1, c1 in self._table(self).items():
            for m2, c2 in self._table(other).items():
                m = tuple(sorted(m1 + m2, key=str))
                table[m] = table.get(m, 0) + c1 * c2
        return self._make(table)

    __rmul__ = __mul__

    def __floordiv__(self, other):
        if other == 1:
            return self
        if isinstance(other, Dim):
            return 1 if self == other else self._divide_by_symbol(other)
        whole = {m: c // other for m, c in self.terms if c % other == 0}
        rest = {m: c for m, c in self.terms if c % other}
        result = self._make(whole)
        if rest:
            inner = self._make(rest)
            result = result + (inner // other if isinstance(inner, int) else Dim(((((("//", inner, other)),), 1),)))
        return result

    def _divide_by_symbol(self, other: Dim):
        """The quotient of two polynomials, by long division.  Raises ShapeError unless it is exact."""
        (lead, coefficient), rest, quotient = max(other.terms, key=_degree), self, {}
        while rest != 0:
            mono, c = max(self._table(rest).items(), key=_degree)
            left = list(mono)
            try:
                for atom in lead:
                    left.remove(atom)
            except ValueError:
                left = None
            if left is None or c % coefficient or len(quotient) == _MOST_TERMS:
                raise ShapeError(f"{self} is not known to be divisible by {other}")
            quotient[tuple(left)] = c // coefficient
            rest = rest - self._make({tuple(left): c // coefficient}) * other
        return self._make(quotient)

    def __rfloordiv__(self, other):
        if other == 0:
            return 0
        raise ShapeError(f"{other} is not known to be divisible by {self}")

    def __mod__(self, other):
        return 0 if (self // other) * other == self else self - (self // other) * other

    # -- comparison ----------------------------------------------------------------------------------
    def __eq__(self, other):
        return isinstance(other, Dim) and self.terms == other.terms

    def __hash__(self):
        return self._hash

    def __bool__(self):
        return True  # a symbolic size is at least 1

    def _unordered(self, other):
        raise ShapeError(f"the size {self} is symbolic: how it compares is known only when the program runs; decide by "
                         "tensors, or give this size as a number")

    __lt__ = __le__ = __gt__ = __ge__ = _unordered

    def __int__(self):
        raise ShapeError(f"the size {self} is symbolic: its value is known only when the program runs; compute with "
                         "tensors, or give this size as a number")

    __index__ = __int__

    def __str__(self):
        parts = []
        for mono, coef in self.terms:
            names = [a if isinstance(a, str) else f"({a[1]})//{a[2]}" for a in mono]
            factors = ([str(coef)] if coef != 1 or not names else []) + names
            parts.append("*".join(factors))
        return "+".join(parts).replace("+-", "-")

    __repr__ = __str__

    def symbols(self) -> frozenset:
        found = set()
        for mono, _ in self.terms:
            for atom in mono:
                found |= {atom} if isinstance(atom, str) else atom[1].symbols()
        return frozenset(found)


Size = Union[int, Dim]


def _degree(term: tuple) -> tuple:
    """What orders terms so that the greatest of a product is the product of the greatest."""
    return len(term[0]), tuple(map(str, term[0]))


def evaluate(size: Size, binding: Mapping[str, int]) -> int:
    """The integer that `size` stands for, given a value for each symbol."""
    if not isinstance(size, Dim):
        return size
    total = 0
    for mono, coef in size.terms:
        for atom in mono:
            coef *= binding[atom] if isinstance(atom, str) else evaluate(atom[1], binding) // atom[2]
        total += coef
    return total


def product(sizes) -> Size:
    """The product of sizes; 1 for none."""
    result: Size = 1
    for s in sizes:
        result = s * result
    return result

