"""Expressions of all types, and conditions: integers, bools, numbers, nests."""
from __future__ import annotations

from tests.fuzz.choices import atom
from tests.fuzz.expressions import Floats
from tests.fuzz.scope import LARGEST, Expr, NestOf, NumberOf, TensorOf


class Expressions(Floats):
    """Makes expressions of a wanted type, and conditions."""

    def of_type(self, wanted, depth: int = 2) -> Expr:
        """An expression of any type of `scope`."""
        if isinstance(wanted, NumberOf):
            return self.number_of(wanted)
        if isinstance(wanted, NestOf):
            items = [self.of_type(t, depth - 1) for t in wanted.items]
            bound = max([1, *(i.bound for i in items)])
            if wanted.kind == "dict":
                text = "{" + ", ".join(f"{k!r}: {i.text}" for k, i in zip(wanted.keys, items)) + "}"
            else:
                inner = ", ".join(i.text for i in items)
                text = f"[{inner}]" if wanted.kind == "list" else f"({inner},)"
            return Expr(text, wanted, bound)
        return self.tensor(wanted, depth)

    def tensor(self, wanted: TensorOf, depth: int = 2) -> Expr:
        made = {"f": self._float, "i": self._int, "b": self._bool, "h": self._float, "d": self._float}[wanted.dtype](
            wanted, depth)
        if made.bound > LARGEST * LARGEST and wanted.dtype != "b":
            return self.squashed(made)
        return made

    # -- integers and bools ----------------------------------------------------------------------------
    def _int(self, wanted, depth):
        if depth <= 0:
            return self._leaf(wanted)
        choice = self.weighted({"leaf": 3, "arithmetic": 4, "bool": 1, "sum": 1, "number": 3})
        if choice == "leaf":
            return self._leaf(wanted)
        a = self.tensor(wanted, depth - 1)
        if choice == "number":
            form, bound = self.pick([("({} + 1)", a.bound + 1), ("({} * 2)", a.bound * 2), ("({} // 2)", a.bound),
                                     ("({} % 3)", 2), ("(5 - {})", a.bound + 5)])
            return Expr(form.format(a.text), wanted, bound)
        if choice == "arithmetic":
            b = self.tensor(wanted, depth - 1)
            name = self.pick("+-*")
            return Expr(f"({a.text} {name} {b.text})", wanted, a.bound * b.bound if name == "*" else a.bound + b.bound)
        if choice == "sum":
            axis, shape = self._wider(wanted.shape)
            if len(shape) == len(wanted.shape):
                return a
            e = self.tensor(TensorOf("i", shape), depth - 1)
            return Expr(f"{atom(e)}.sum({axis}).astype(INT)", wanted, e.bound * shape[axis])
        e = self.tensor(TensorOf("b", wanted.shape), depth - 1)
        return Expr(f"{atom(e)}.astype(INT)", wanted, 1)

    def _bool(self, wanted, depth):
        found = self.variables(wanted)
        if found and self.chance(0.25):
            return self.pick(found)
        choice = self.weighted({"float": 5, "int": 3, "logic": 2 if depth > 0 else 0, "not": 1 if depth > 0 else 0})
        if choice == "float":
            e = self.tensor(TensorOf("f", wanted.shape), depth - 1)
            return Expr(f"({e.text} {self.pick('<>')} {self.constant()})", wanted)
        if choice == "int":
            e = self.tensor(TensorOf("i", wanted.shape), depth - 1)
            return Expr(f"({e.text} {self.pick(['<', '>', '==', '!=', '<=', '>='])} {self.rng.randint(0, 4)})", wanted)
        a = self.tensor(wanted, depth - 1)
        if choice == "not":
            return Expr(self.pick([f"ops.logical_not({a.text})", f"(~{a.text})"]), wanted)
        b = self.tensor(wanted, depth - 1)
        form = self.pick(["({} & {})", "({} | {})", "ops.logical_and({}, {})"])
        return Expr(form.format(a.text, b.text), wanted)

    # -- conditions ------------------------------------------------------------------------------------
    def condition(self, depth: int = 1, tensor: bool | None = None) -> tuple[str, bool]:
        """(text, whether a tensor decides) of the condition of an if or a while; tensor: what it must be."""
        if depth > 0 and self.chance(0.25):
            a, first = self.condition(depth - 1, tensor)
            b, second = self.condition(depth - 1)
            word = self.pick(["and", "or"])
            self.features["and, or, not"] += 1
            return f"({a} {word} {b})", first or second
        if depth > 0 and self.chance(0.1):
            a, first = self.condition(depth - 1, tensor)
            self.features["and, or, not"] += 1
            return f"(not {a})", first
        if tensor is not True and self.chance(0.25 if tensor is None else 1):
            python = self._python_condition()
            if python is not None or tensor is False:
                return python or ("True", False)
        kind = self.weighted({"scalar": 4, "any": 1.5, "chain": 1, "int": 3, "one": 0.5})
        if kind == "int":
            e, comparison = self.tensor(TensorOf("i", ()), 1), self.pick(["<", ">", "==", "!="])
            return f"({e.text} {comparison} {self.rng.randint(0, 4)})", True
        if kind == "scalar":
            return f"({self.tensor(TensorOf('f', ()), 1).text} {self.pick('<>')} {self.constant(-0.6, 0.6)})", True
        if kind == "one":
            return f"({self.tensor(TensorOf('f', (1,)), 1).text} {self.pick('<>')} {self.constant(-0.6, 0.6)})", True
        if kind == "chain":
            self.features["comparison chain"] += 1
            e = self.tensor(TensorOf("f", ()), 1)
            return f"({self.constant(-1, -0.3)} < {e.text} < {self.constant(0.3, 1)})", True
        shape = self.pick([v.type.shape for v in self.scope.of(lambda v: isinstance(v.type, TensorOf))] or [(3,)])
        return f"{self.tensor(TensorOf('b', shape), 1).text}.{self.pick(['any', 'all'])}()", True

    def _python_condition(self):
        options = []
        for v in self.scope.all():
            if isinstance(v.type, NumberOf) and v.type.kind == "int":
                options.append((f"({v.name} % 2 == {self.rng.randint(0, 1)})", v.type.soft))
                options.append((f"({v.name} > {self.rng.randint(0, 3)})", v.type.soft))
            elif isinstance(v.type, TensorOf) and v.type.dtype == "f" and v.type.shape:
                options.append((f"({v.name}.shape[0] {self.pick(['>', '=='])} 3)", False))
            elif isinstance(v.type, NestOf):
                options.append((f"(len({v.name}) == {self.rng.randint(1, 3)})", False))
        if self.place.cell:
            options += [("self.flag", False), ("self.training", False), ("(self.width > 2)", False)] * 2
        return self.pick(options) if options else None
