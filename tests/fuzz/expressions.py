"""Random expressions of a wanted type: by what they give, so that every one is valid."""
from __future__ import annotations

import random
from collections import Counter

from tests.fuzz.scope import LARGEST, Expr, FunctionOf, NestOf, NumberOf, Place, Scope, TensorOf, Variable

_SAME_SIZE = {6: [(2, 3), (6,), (3, 2), (1, 6)], 12: [(3, 4), (4, 3), (12,), (2, 6), (2, 2, 3)], 3: [(3,), (1, 3), (3, 1)],
              4: [(4,), (2, 2), (1, 4)], 8: [(2, 4), (8,), (2, 2, 2)], 1: [(), (1,), (1, 1)], 24: [(2, 3, 4), (4, 6)]}

# name: (text, bound of the result from the bound of the operand)
_UNARY = {
    "tanh": ("ops.tanh({})", lambda b: 1), "sigmoid": ("ops.sigmoid({})", lambda b: 1),
    "relu": ("ops.relu({})", lambda b: b), "abs": ("ops.abs({})", lambda b: b), "neg": ("-{}", lambda b: b),
    "square": ("{} ** 2", lambda b: b * b), "sin": ("ops.sin({})", lambda b: 1), "cos": ("{}.cos()", lambda b: 1),
    "exp": ("ops.exp(-ops.abs({}))", lambda b: 1), "log1p": ("ops.log1p({} * {})", lambda b: b),
    "sqrt": ("ops.sqrt({} * {} + 1)", lambda b: b + 1), "erf": ("ops.erf({})", lambda b: 1),
    "gelu": ("ops.gelu({})", lambda b: b), "silu": ("ops.silu({})", lambda b: b),
    "softplus": ("ops.softplus({})", lambda b: b + 1), "inverse": ("1 / (1 + {} * {})", lambda b: 1),
    "clip": ("ops.clip({}, -1.137, 1.237)", lambda b: 1.3), "elu": ("ops.elu({})", lambda b: b),
    "leaky": ("ops.leaky_relu({}, 0.2)", lambda b: b), "atan": ("ops.atan({})", lambda b: 1.6),
}


class Expressions:
    """Makes expressions from what a scope holds.  `features` counts what was used."""

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

    # -- by type ---------------------------------------------------------------------------------------
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

    # -- floats ----------------------------------------------------------------------------------------
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
            elif _broadcasts(v.type.shape, wanted.shape):
                options.append(Expr(f"{v.read}.broadcast_to({wanted.shape})", wanted, v.bound))
            elif wanted.shape == () and wanted.dtype != "b":
                options.append(Expr(f"{v.read}.mean()", wanted, v.bound) if wanted.dtype != "i" else
                               Expr(f"{v.read}.max()", wanted, v.bound))
        if options and self.chance(0.8):
            return self.pick(options)
        known = self.scope.of(lambda v: isinstance(v.type, TensorOf) and v.type.dtype == wanted.dtype)
        if known and self.chance(0.9):
            v = self.pick(known)
            name = {"f": "FLOAT", "h": "HALF", "d": "DOUBLE", "i": "INT"}[wanted.dtype]
            text = f"{v.read}.{self.pick(['max', 'min'])}()" if wanted.dtype == "i" else f"{v.read}.mean()"
            return Expr(f"({text} * ops.ones({wanted.shape}, {name}))" if wanted.shape else text, wanted, v.bound)
        return self._literal(wanted)

    def _literal(self, wanted: TensorOf) -> Expr:
        if wanted.dtype == "i":
            value = self.rng.randint(0, 4)
            return Expr(f"Tensor({value}, INT)" if not wanted.shape else f"ops.full({wanted.shape}, {value}, dtype=INT)",
                        wanted, 4)
        name = {"f": "FLOAT", "h": "HALF", "d": "DOUBLE"}[wanted.dtype]
        value = self.constant()
        return Expr(f"Tensor({value}, {name})" if not wanted.shape else f"ops.full({wanted.shape}, {value}, dtype={name})",
                    wanted, 1.6)

    def _float(self, wanted: TensorOf, depth: int) -> Expr:
        if depth <= 0:
            return self._leaf(wanted)
        rank = len(wanted.shape)
        options = {self._unary: 5, self._binary: 7, self._with_number: 4, self._leaf_of: 2}
        if wanted.dtype in "fd":
            options |= {self._where: 1.5, self._reduced: 3, self._viewed: 3 if rank else 0, self._indexed: 2.5,
                        self._matmul: 2 if rank in (1, 2, 3) else 0.7 * (rank == 0), self._joined: 1.5 if rank else 0,
                        self._along_an_axis: 1.5 if rank else 0}
        if wanted.dtype == "f":
            options |= {self._converted: 1, self._ternary: 1.5, self._called: 3, self._comprehension: 0.7}
        return self.weighted(options)(wanted, depth - 1)

    def _leaf_of(self, wanted, depth):
        return self._leaf(wanted)

    def _unary(self, wanted, depth):
        name = self.pick(_UNARY)
        self.features["pointwise"] += 1
        text, bound = _UNARY[name]
        e = self.squashed(self.tensor(wanted, depth), LARGEST)
        operand = e.text if text.count("{}") == 1 or e.text.isidentifier() else self._leaf(wanted).text
        return Expr("(" + text.format(*[f"({operand})" if not operand.isidentifier() else operand] * text.count("{}"))
                    + ")", wanted, bound(max(e.bound, LARGEST if operand != e.text else 0)))

    def _binary(self, wanted, depth):
        self.features["pointwise"] += 1
        a = self.tensor(wanted, depth)
        other = TensorOf(wanted.dtype, self._smaller(wanted.shape)) if self.chance(0.4) else wanted
        if other != wanted:
            self.features["broadcast"] += 1
        b = self.tensor(other, depth - 1)
        name = self.weighted({"+": 4, "-": 3, "*": 4, "/": 1, "maximum": 1, "minimum": 1, "lerp": 0.5})
        if name in "+-":
            return Expr(f"({a.text} {name} {b.text})", wanted, a.bound + b.bound)
        if name == "*":
            return Expr(f"({a.text} * {b.text})", wanted, a.bound * b.bound)
        if name == "/":
            return Expr(f"({a.text} / (1.3 + ops.abs({b.text})))", wanted, a.bound)
        if name == "lerp":
            return Expr(f"({a.text} + ({b.text} - {a.text}) * 0.3)", wanted, 2 * a.bound + b.bound)
        return Expr(f"ops.{name}({a.text}, {b.text})", wanted, max(a.bound, b.bound))

    def _smaller(self, shape: tuple) -> tuple:
        """A shape that broadcasts to `shape`."""
        kept = shape[self.rng.randint(0, len(shape)):]
        return tuple(1 if self.chance(0.3) else n for n in kept)

    def _with_number(self, wanted, depth):
        e, s = self.tensor(wanted, depth), self.scalar()
        if wanted.dtype != "f":
            s = Expr(self.constant(), None, 1.6)
        form = self.pick(["({e} * ({s}))", "({e} + ({s}))", "(({s}) - {e})"])
        return Expr(form.format(e=e.text, s=s.text), wanted, e.bound * s.bound if "*" in form else e.bound + s.bound)

    def _where(self, wanted, depth):
        self.features["where"] += 1
        mask = self.tensor(TensorOf("b", self._smaller(wanted.shape)), 1)
        a, b = self.tensor(wanted, depth), self.tensor(wanted, depth - 1)
        if self.chance(0.3):
            return Expr(f"{_atom(a)}.masked_fill({mask.text}, {self.constant()})", wanted, max(a.bound, 1.6))
        return Expr(f"ops.where({mask.text}, {a.text}, {b.text})", wanted, max(a.bound, b.bound))

    def _reduced(self, wanted, depth):
        self.features["reduction"] += 1
        axis, shape = self._wider(wanted.shape)
        keep = len(shape) == len(wanted.shape)
        e = self.tensor(TensorOf(wanted.dtype, shape), depth)
        number = axis - len(shape) if self.chance(0.3) else axis
        name = self.weighted({"sum": 3, "mean": 2, "amax": 1, "amin": 1})
        arguments = f"{number}, True" if keep else f"{number}"
        bound = e.bound * shape[axis] if name == "sum" else e.bound
        if not keep and len(shape) == 1 and self.chance(0.5):
            arguments = ""
        return Expr(f"{_atom(e)}.{name}({arguments})", wanted, bound)

    def _wider(self, shape: tuple) -> tuple:
        """(axis, shape) of something that reduces to `shape` along that axis; of equal rank: with the axis kept."""
        ones = [i for i, n in enumerate(shape) if n == 1]
        size = self.rng.randint(2, 4)
        known = [(i, v.type.shape) for v in self.scope.of(lambda v: isinstance(v.type, TensorOf) and v.type.dtype == "f")
                 for i in range(len(v.type.shape)) if v.type.shape[:i] + v.type.shape[i + 1:] == shape]
        if known and self.chance(0.6):
            return self.pick(known)
        if ones and self.chance(0.5) or len(shape) == 3:
            axis = self.pick(ones) if ones else self.rng.randrange(3)
            if ones:
                return axis, (*shape[:axis], size, *shape[axis + 1:])
        axis = self.rng.randint(0, len(shape))
        return axis, (*shape[:axis], size, *shape[axis:])

    def _viewed(self, wanted, depth):
        self.features["view"] += 1
        shape, rank = wanted.shape, len(wanted.shape)
        choice = self.pick(["transpose", "reshape", "slice", "slice", "flip", "squeeze", "expand"])
        if choice == "reshape" or rank == 1 and choice == "transpose":
            other = self.pick(_SAME_SIZE.get(wanted.size, [(wanted.size,)]))
            e = self.tensor(TensorOf(wanted.dtype, other), depth)
            return Expr(f"{_atom(e)}.reshape({shape})", wanted, e.bound)
        if choice == "transpose":
            perm = self.rng.sample(range(rank), rank)
            other = [0] * rank
            for i, p in enumerate(perm):
                other[p] = shape[i]
            e = self.tensor(TensorOf(wanted.dtype, tuple(other)), depth)
            text = f"{_atom(e)}.T" if perm == list(range(rank))[::-1] and self.chance(0.5) else f"ops.transpose({e.text}, {tuple(perm)})"
            return Expr(text, wanted, e.bound)
        axis = self.rng.randrange(rank)
        before = ":, " * axis
        if choice == "flip":
            e = self.tensor(wanted, depth)
            return Expr(f"{_atom(e)}[{before}::-1]", wanted, e.bound)
        if choice == "slice":
            n = shape[axis]
            window, size = self.pick([("1:", n + 1), (":-1", n + 1), ("::2", 2 * n - self.rng.randint(0, 1)),
                                      (f"1:{n + 1}", n + 2), (f"-{n}:", n + 1)])
            e = self.tensor(TensorOf(wanted.dtype, (*shape[:axis], size, *shape[axis + 1:])), depth)
            return Expr(f"{_atom(e)}[{before}{window}]", wanted, e.bound)
        if choice == "squeeze":
            e = self.tensor(TensorOf(wanted.dtype, (*shape[:axis], 1, *shape[axis:])), depth)
            return Expr(self.pick([f"{_atom(e)}.squeeze({axis})", f"{_atom(e)}[{before}0]"]), wanted, e.bound)
        if shape[axis] == 1:
            e = self.tensor(TensorOf(wanted.dtype, shape[:axis] + shape[axis + 1:]), depth)
            return Expr(self.pick([f"ops.expand_dims({e.text}, {axis})", f"{_atom(e)}[{before}None]"]), wanted, e.bound)
        return self.tensor(wanted, depth)

    def _indexed(self, wanted, depth):
        self.features["indexing"] += 1
        rank = len(wanted.shape)
        axis, size = self.rng.randint(0, rank), self.rng.randint(2, 4)
        known = [(i, v.type.shape[i]) for v in self.scope.of(lambda v: isinstance(v.type, TensorOf) and v.type.dtype == "f")
                 for i in range(len(v.type.shape)) if v.type.shape[:i] + v.type.shape[i + 1:] == wanted.shape]
        if known:
            axis, size = self.pick(known)
        if rank and self.chance(0.3):                       # a list of positions
            axis = self.rng.randrange(rank)
            places = [self.rng.randrange(size) for _ in range(wanted.shape[axis])]
            e = self.tensor(TensorOf(wanted.dtype, (*wanted.shape[:axis], size, *wanted.shape[axis + 1:])), depth)
            return Expr(self.pick([f"ops.gather({e.text}, Tensor({places}, INT), {axis})",
                                   f"{_atom(e)}[{':, ' * axis}Tensor({places}, INT)]"]), wanted, e.bound)
        e = self.tensor(TensorOf(wanted.dtype, (*wanted.shape[:axis], size, *wanted.shape[axis:])), depth)
        return Expr(f"{_atom(e)}[{':, ' * axis}{self.index(size)}]", wanted, e.bound)

    def _matmul(self, wanted, depth):
        self.features["matmul"] += 1
        shape, k = wanted.shape, self.rng.randint(2, 4)
        if shape == ():
            left, right = (k,), (k,)
        elif len(shape) == 1:
            left, right = self.pick([((k,), (k, shape[0])), ((shape[0], k), (k,))])
        else:
            left, right = (*shape[:-1], k), (k, shape[-1])
        a, b = self.tensor(TensorOf(wanted.dtype, left), depth), self.tensor(TensorOf(wanted.dtype, right), depth - 1)
        return Expr(self.pick([f"({a.text} @ {b.text})", f"ops.matmul({a.text}, {b.text})"]), wanted,
                    k * a.bound * b.bound)

    def _joined(self, wanted, depth):
        self.features["concat, stack"] += 1
        axis = self.rng.randrange(len(wanted.shape))
        size = wanted.shape[axis]
        around = wanted.shape[:axis], wanted.shape[axis + 1:]
        if size > 1 and self.chance(0.6):
            cut = self.rng.randint(1, size - 1)
            parts = [self.tensor(TensorOf(wanted.dtype, (*around[0], n, *around[1])), depth - i)
                     for i, n in enumerate((cut, size - cut))]
            return Expr(f"ops.concat([{', '.join(p.text for p in parts)}], {axis})", wanted, max(p.bound for p in parts))
        if size > 4:
            return self.tensor(wanted, depth)
        parts = [self.tensor(TensorOf(wanted.dtype, (*around[0], *around[1])), depth - 1) for _ in range(size)]
        return Expr(f"ops.stack([{', '.join(p.text for p in parts)}], {axis})", wanted, max(p.bound for p in parts))

    def _along_an_axis(self, wanted, depth):
        self.features["softmax, cumsum, sort"] += 1
        axis = self.rng.randrange(len(wanted.shape))
        e = self.tensor(wanted, depth)
        name = self.weighted({"softmax": 2, "cumsum": 2, "log_softmax": 1, "sort": 0.7, "roll": 0.5})
        if name == "sort":
            return Expr(f"ops.sort({e.text}, {axis})[0]", wanted, e.bound)
        if name == "roll":
            return Expr(f"ops.roll({e.text}, 1, {axis})", wanted, e.bound)
        if name == "log_softmax":
            return Expr(f"ops.log_softmax({e.text}, {axis})", wanted, 2 * e.bound + 2)
        return Expr(f"ops.{name}({e.text}, {axis})", wanted, 1 if name == "softmax" else e.bound * wanted.shape[axis])

    def _converted(self, wanted, depth):
        source = self.weighted({"i": 2, "b": 2, "h": 1.5, "d": 1})
        self.features[f"dtype {source}"] += 1
        if source in "hd":
            inner = Expr("", TensorOf("f", wanted.shape))
            base = self.squashed(self.tensor(inner.type, depth - 1), 4)
            name = {"h": "HALF", "d": "DOUBLE"}[source]
            other = f"{_atom(base)}.astype({name})"
            text = self.pick([f"ops.tanh({other} * 0.5)", f"({other} + {self.constant()})", f"{other} * {other}"])
            return Expr(f"({text}).astype(FLOAT)", wanted, base.bound * max(base.bound, 1) + 2)
        e = self.tensor(TensorOf(source, wanted.shape), depth)
        return Expr(f"{_atom(e)}.astype(FLOAT)", wanted, e.bound)

    def _ternary(self, wanted, depth):
        condition, _ = self.condition()
        self.features["ternary"] += 1
        a, b = self.tensor(wanted, depth), self.tensor(wanted, depth - 1)
        return Expr(f"({a.text} if {condition} else {b.text})", wanted, max(a.bound, b.bound))

    def _called(self, wanted, depth):
        found = self.functions(wanted)
        if not found:
            return self._binary(wanted, depth)
        function = self.pick(found)
        self.features["call"] += 1
        arguments = [self.squashed(self.of_type(t, depth - 1), 4) if isinstance(t, TensorOf) else self.of_type(t, 1)
                     for t in function.type.parameters]
        return Expr(f"{function.name}({', '.join(a.text for a in arguments)})", wanted, function.bound)

    def _comprehension(self, wanted, depth):
        self.features["comprehension"] += 1
        name = self.new_name("e")
        if wanted.shape and wanted.shape[0] <= 4 and self.chance(0.5):
            e = self.tensor(TensorOf("f", wanted.shape[1:]), depth - 1)
            return Expr(f"ops.stack([{e.text} * ({name} * 0.3 + 0.1) for {name} in range({wanted.shape[0]})])", wanted,
                        e.bound)
        parts = [self.tensor(wanted, depth - 1) for _ in range(self.rng.randint(2, 3))]
        operation = self.pick([f"ops.tanh({name})", f"{name} * 0.4", f"{name} - 0.3"])
        return Expr(f"sum([{operation} for {name} in [{', '.join(p.text for p in parts)}]])", wanted,
                    len(parts) * (max(p.bound for p in parts) + 0.3))

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
            return Expr(f"{_atom(e)}.sum({axis}).astype(INT)", wanted, e.bound * shape[axis])
        e = self.tensor(TensorOf("b", wanted.shape), depth - 1)
        return Expr(f"{_atom(e)}.astype(INT)", wanted, 1)

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
        return Expr(self.pick([f"({a.text} & {b.text})", f"({a.text} | {b.text})", f"ops.logical_and({a.text}, {b.text})"]),
                    wanted)

    # -- conditions ------------------------------------------------------------------------------------
    def condition(self, depth: int = 1, tensor: bool | None = None) -> tuple[str, bool]:
        """(text, whether a tensor decides) of the condition of an if or a while; tensor: what it must be."""
        if depth > 0 and self.chance(0.25):
            a, first = self.condition(depth - 1, tensor)
            b, second = self.condition(depth - 1)
            word = self.pick(["and", "or"])
            self.features["and, or, not"] += 1
            return (f"({a} {word} {b})", True) if first or second else (f"({a} {word} {b})", False)
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
            return f"({self.tensor(TensorOf('i', ()), 1).text} {self.pick(['<', '>', '==', '!='])} {self.rng.randint(0, 4)})", True
        if kind == "scalar":
            return f"({self.tensor(TensorOf('f', ()), 1).text} {self.pick('<>')} {self.constant(-0.6, 0.6)})", True
        if kind == "one":
            return f"({self.tensor(TensorOf('f', (1,)), 1).text} {self.pick('<>')} {self.constant(-0.6, 0.6)})", True
        if kind == "chain":
            self.features["comparison chain"] += 1
            return f"({self.constant(-1, -0.3)} < {self.tensor(TensorOf('f', ()), 1).text} < {self.constant(0.3, 1)})", True
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


def _broadcasts(small: tuple, large: tuple) -> bool:
    """Whether a tensor of shape `small` broadcasts to `large`."""
    return len(small) <= len(large) and all(a in (1, b) for a, b in zip(small[::-1], large[::-1]))


def _atom(e: Expr) -> str:
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
