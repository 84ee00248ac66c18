"""Random float expressions of a wanted type: by what they give, so that every one is valid."""
from __future__ import annotations

from tests.fuzz.choices import Choices, atom
from tests.fuzz.scope import LARGEST, Expr, TensorOf

_SAME_SIZE = {
    1: [(), (1,), (1, 1)], 3: [(3,), (1, 3), (3, 1)], 4: [(4,), (2, 2), (1, 4)], 6: [(2, 3), (6,), (3, 2), (1, 6)],
    8: [(2, 4), (8,), (2, 2, 2)], 12: [(3, 4), (4, 3), (12,), (2, 6), (2, 2, 3)], 24: [(2, 3, 4), (4, 6)],
}

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


class Floats(Choices):
    """Rules that make a float tensor out of others; `tensor` and `condition` come from `conditions.Expressions`."""

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
            return Expr(f"{atom(a)}.masked_fill({mask.text}, {self.constant()})", wanted, max(a.bound, 1.6))
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
        return Expr(f"{atom(e)}.{name}({arguments})", wanted, bound)

    def _wider(self, shape: tuple) -> tuple:
        """(axis, shape) of something that reduces to `shape` along that axis; of equal rank: with the axis kept."""
        ones = [i for i, n in enumerate(shape) if n == 1]
        size = self.rng.randint(2, 4)
        known = self._with_one_axis_more(shape)
        if known and self.chance(0.6):
            return self.pick(known)
        if ones and self.chance(0.5) or len(shape) == 3:
            axis = self.pick(ones) if ones else self.rng.randrange(3)
            if ones:
                return axis, (*shape[:axis], size, *shape[axis + 1:])
        axis = self.rng.randint(0, len(shape))
        return axis, (*shape[:axis], size, *shape[axis:])

    def _with_one_axis_more(self, shape: tuple) -> list:
        """(axis, shape) of the float variables that are of shape `shape` without that axis."""
        known = self.scope.of(lambda v: isinstance(v.type, TensorOf) and v.type.dtype == "f")
        return [(i, v.type.shape) for v in known for i in range(len(v.type.shape))
                if v.type.shape[:i] + v.type.shape[i + 1:] == shape]

    def _viewed(self, wanted, depth):
        self.features["view"] += 1
        shape, rank = wanted.shape, len(wanted.shape)
        choice = self.pick(["transpose", "reshape", "slice", "slice", "flip", "squeeze", "expand"])
        if choice == "reshape" or rank == 1 and choice == "transpose":
            other = self.pick(_SAME_SIZE.get(wanted.size, [(wanted.size,)]))
            e = self.tensor(TensorOf(wanted.dtype, other), depth)
            return Expr(f"{atom(e)}.reshape({shape})", wanted, e.bound)
        if choice == "transpose":
            perm = self.rng.sample(range(rank), rank)
            other = [0] * rank
            for i, p in enumerate(perm):
                other[p] = shape[i]
            e = self.tensor(TensorOf(wanted.dtype, tuple(other)), depth)
            if perm == list(range(rank))[::-1] and self.chance(0.5):
                return Expr(f"{atom(e)}.T", wanted, e.bound)
            return Expr(f"ops.transpose({e.text}, {tuple(perm)})", wanted, e.bound)
        axis = self.rng.randrange(rank)
        before = ":, " * axis
        if choice == "flip":
            e = self.tensor(wanted, depth)
            return Expr(f"{atom(e)}[{before}::-1]", wanted, e.bound)
        if choice == "slice":
            n = shape[axis]
            window, size = self.pick([("1:", n + 1), (":-1", n + 1), ("::2", 2 * n - self.rng.randint(0, 1)),
                                      (f"1:{n + 1}", n + 2), (f"-{n}:", n + 1)])
            e = self.tensor(TensorOf(wanted.dtype, (*shape[:axis], size, *shape[axis + 1:])), depth)
            return Expr(f"{atom(e)}[{before}{window}]", wanted, e.bound)
        if choice == "squeeze":
            e = self.tensor(TensorOf(wanted.dtype, (*shape[:axis], 1, *shape[axis:])), depth)
            return Expr(self.pick([f"{atom(e)}.squeeze({axis})", f"{atom(e)}[{before}0]"]), wanted, e.bound)
        if shape[axis] == 1:
            e = self.tensor(TensorOf(wanted.dtype, shape[:axis] + shape[axis + 1:]), depth)
            return Expr(self.pick([f"ops.expand_dims({e.text}, {axis})", f"{atom(e)}[{before}None]"]), wanted, e.bound)
        return self.tensor(wanted, depth)

    def _indexed(self, wanted, depth):
        self.features["indexing"] += 1
        rank = len(wanted.shape)
        axis, size = self.rng.randint(0, rank), self.rng.randint(2, 4)
        known = self._with_one_axis_more(wanted.shape)
        if known:
            axis, shape = self.pick(known)
            size = shape[axis]
        if rank and self.chance(0.3):                       # a list of positions
            axis = self.rng.randrange(rank)
            places = [self.rng.randrange(size) for _ in range(wanted.shape[axis])]
            e = self.tensor(TensorOf(wanted.dtype, (*wanted.shape[:axis], size, *wanted.shape[axis + 1:])), depth)
            return Expr(self.pick([f"ops.gather({e.text}, Tensor({places}, INT), {axis})",
                                   f"{atom(e)}[{':, ' * axis}Tensor({places}, INT)]"]), wanted, e.bound)
        e = self.tensor(TensorOf(wanted.dtype, (*wanted.shape[:axis], size, *wanted.shape[axis:])), depth)
        return Expr(f"{atom(e)}[{':, ' * axis}{self.index(size)}]", wanted, e.bound)

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
            texts = ", ".join(p.text for p in parts)
            return Expr(f"ops.concat([{texts}], {axis})", wanted, max(p.bound for p in parts))
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
            other = f"{atom(base)}.astype({name})"
            text = self.pick([f"ops.tanh({other} * 0.5)", f"({other} + {self.constant()})", f"{other} * {other}"])
            return Expr(f"({text}).astype(FLOAT)", wanted, base.bound * max(base.bound, 1) + 2)
        e = self.tensor(TensorOf(source, wanted.shape), depth)
        return Expr(f"{atom(e)}.astype(FLOAT)", wanted, e.bound)

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
