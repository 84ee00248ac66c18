"""Random statements: assignments, branches, loops, state, containers, nested functions."""
from __future__ import annotations

from contextlib import contextmanager

from tests.fuzz.expressions import Expressions
from tests.fuzz.scope import LARGEST, Expr, FunctionOf, NestOf, NumberOf, Place, Scope, TensorOf, Variable

SHAPES = ((), (), (1,), (3,), (4,), (2, 3), (3, 4), (3, 1), (1, 4), (2, 3, 4), (2, 1, 3))
MOST_TRIPS = 40             # how often a statement within loops may run
LONG = 33                   # iterations of a loop that becomes a region


class Statements(Expressions):
    """Writes statements into `lines`."""

    def __init__(self, rng):
        super().__init__(rng)
        self.lines: list[str] = []
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

    # -- blocks ----------------------------------------------------------------------------------------
    def statements(self, count: int) -> None:
        """`count` random statements."""
        for _ in range(count):
            self.statement()

    def statement(self) -> None:
        p = self.place
        nested = p.depth < 3 and p.trips < MOST_TRIPS
        options = {
            self.new_variable: 5, self.reassign: 5, self.augmented: 3, self.item_assignment: 2,
            self.number_update: 1.5, self.container_change: 1.5, self.new_container: 0.7, self.unpack: 0.5,
            self.nested_function: 0.6 if p.depth < 2 else 0, self.state: 2.5 if p.cell else 0, self.check: 0.4,
            self.print_: 0.4, self.branch: 5 if nested else 0, self.define_in_both: 2 if nested else 0,
            self.for_: 3.5 if nested else 0, self.while_: 1.5 if nested else 0, self.gather_list: 1 if nested else 0,
            self.jump: 2.5 if p.loop else 0, self.early_return: 0.8 if p.result and p.depth else 0,
            self.own_tensor: 1,
        }
        self.weighted(options)()

    def body(self, place: Place, low: int = 1, high: int = 3) -> None:
        """The statements of a nested block."""
        with self.block(place):
            self.statements(self.rng.randint(low, high))
            if self.chance(0.7):
                self.reassign()

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
        e = self.squashed(self.tensor(v.type if self.chance(0.6) else TensorOf(v.type.dtype, self._smaller(v.type.shape)),
                                      2), LARGEST)
        name = self.pick("+-*")
        self.write(f"{v.name} {name}= {e.text}")
        if name == "*" or e.bound + v.bound > v.bound:
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
        entries = [self.squashed(self.tensor(t, 2), 3) for t in items]
        if kind == "dict":
            text = "{" + ", ".join(f"{k!r}: {e.text}" for k, e in zip(nest.keys, entries)) + "}"
        else:
            text = ", ".join(e.text for e in entries)
            text = f"[{text}]" if kind == "list" else f"({text},)"
        v = Variable(self.new_name("c"), nest, 3)
        self.write(f"{v.name} = {text}")
        self.scope.add(v)

    def container_change(self) -> None:
        found = self._writable(lambda t: isinstance(t, NestOf))
        if not found:
            self.new_container()
            return
        v = self.pick(found)
        self.features["container changed"] += 1
        if v.type.kind == "tuple" or self.chance(0.2):
            entries = [self.squashed(self.tensor(t, 1), v.bound).text for t in v.type.items]
            text = {"tuple": f"({', '.join(entries)},)", "list": f"[{', '.join(entries)}]",
                    "dict": "{" + ", ".join(f"{k!r}: {e}" for k, e in zip(v.type.keys, entries)) + "}"}[v.type.kind]
            self.write(f"{v.name} = {text}")
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

    def gather_list(self) -> None:
        """A list that a loop appends to, and its use."""
        self.features["list of a loop"] += 1
        element = TensorOf("f", self.pick([(), (3,), (2, 3)]))
        long = self.place.trips == 1 and self.chance(0.4)
        count = LONG if long else self.rng.randint(2, 4)
        name, i = self.new_name("parts"), self.new_name("i")
        self.write(f"{name} = []")
        place = self.place.inside(region=self.place.region or long, loop=False, result=None,
                                  trips=self.place.trips * count)
        with self.indented(f"for {i} in range({count}):"), self.block(place):
            self.scope.add(Variable(i, NumberOf("int", soft=long), count, writable=False))
            if self.chance(0.5):
                self.pick([self.reassign, self.augmented])()
            self.write(f"{name}.append({self.squashed(self.tensor(element, 2), 3).text})")
        use = self.pick(["stack", "sum", "concat"] if element.shape else ["stack", "sum"])
        if use == "sum":
            v = Variable(self.new_name("v"), element, LARGEST)
            self.write(f"{v.name} = sum({name}) * {0.3 if not long else 0.1}")
        elif use == "stack":
            v = Variable(self.new_name("v"), TensorOf("f", (count, *element.shape)), 3)
            self.write(f"{v.name} = ops.stack({name})")
        else:
            v = Variable(self.new_name("v"), TensorOf("f", (count * element.shape[0], *element.shape[1:])), 3)
            self.write(f"{v.name} = ops.concat({name})")
        self.scope.add(v)

    # -- branches --------------------------------------------------------------------------------------
    def branch(self) -> None:
        condition, traced = self.condition()
        self.features["if on a tensor" if traced else "if on Python values"] += 1
        place = self.place.inside(region=self.place.region or traced)
        with self.indented(f"if {condition}:"):
            self.body(place)
        if self.chance(0.25):
            condition, also = self.condition()
            self.features["elif"] += 1
            place = self.place.inside(region=place.region or also)
            with self.indented(f"elif {condition}:"):
                self.body(place)
        if self.chance(0.6):
            with self.indented("else:"):
                self.body(place)

    def define_in_both(self) -> None:
        """A variable that gets its first value in the branches."""
        condition, traced = self.condition()
        self.features["variable of both branches"] += 1
        place = self.place.inside(region=self.place.region or traced)
        v = Variable(self.new_name("w"), self.random_type(), 3)
        for header in (f"if {condition}:", "else:"):
            with self.indented(header), self.block(place):
                self.statements(self.rng.randint(0, 1))
                self.write(f"{v.name} = {self.squashed(self.tensor(v.type, 2), 3).text}")
        self.scope.add(v)

    # -- loops -----------------------------------------------------------------------------------------
    def for_(self) -> None:
        kinds = {"range": 4, "tensor range": 2, "rows": 1.5, "list": 1, "enumerate": 1, "zip": 1, "dict": 0.5}
        if self.place.trips == 1:
            kinds["long range"] = 2
            kinds["long rows"] = 1.5
        getattr(self, f"_for_{self.weighted(kinds).replace(' ', '_')}")()

    def _loop(self, header: str, trips: int, variables, region: bool) -> None:
        place = self.place.inside(region=self.place.region or region, loop=True, trips=self.place.trips * trips)
        with self.indented(header), self.block(place):
            for v in variables:
                self.scope.add(v)
            self.body(place)
        if self.chance(0.08):
            self.features["for else"] += 1
            with self.indented("else:"):
                self.body(self.place.inside(region=True), 1, 1)

    def _for_range(self) -> None:
        self.features["for over range"] += 1
        count, i = self.rng.randint(2, 4), self.new_name("i")
        start = self.rng.randint(0, 2)
        text = f"range({count})" if self.chance(0.6) else f"range({start}, {start + 2 * count}, 2)"
        if self.chance(0.15):
            text = f"reversed({text})"
        self._loop(f"for {i} in {text}:", count, [Variable(i, NumberOf("int"), 10, writable=False)], False)

    def _for_long_range(self) -> None:
        self.features["for over a long range"] += 1
        i = self.new_name("i")
        text = f"range({LONG})" if self.chance(0.6) else f"range(2, {2 + 2 * LONG}, 2)"
        self._loop(f"for {i} in {text}:", LONG, [Variable(i, NumberOf("int", soft=True), 74, writable=False)], True)

    def _for_tensor_range(self) -> None:
        n = self.squashed(self.tensor(TensorOf("i", ()), 1), 4)
        if n.bound > 5 or self.place.trips > 30:
            self._for_range()
            return
        self.features["for over range of a tensor"] += 1
        i = self.new_name("i")
        self._loop(f"for {i} in range({n.text}):", 5, [Variable(i, TensorOf("i", ()), 5, writable=False)]
                   if self.chance(0) else [], True)

    def _rows(self, test) -> Variable | None:
        found = self.scope.of(lambda v: isinstance(v.type, TensorOf) and v.type.shape and test(v.type.shape[0])
                              and not v.name.startswith("self."))
        return self.pick(found) if found else None

    def _for_rows(self) -> None:
        x = self._rows(lambda n: 1 < n <= 4)
        if x is None:
            self._for_range()
            return
        self.features["for over a tensor"] += 1
        row = Variable(self.new_name("row"), TensorOf(x.type.dtype, x.type.shape[1:]), x.bound)
        if self.chance(0.3):
            i = self.new_name("i")
            self._loop(f"for {i}, {row.name} in enumerate({x.read}):", x.type.shape[0],
                       [row, Variable(i, NumberOf("int"), 4, writable=False)], False)
        else:
            self._loop(f"for {row.name} in {x.read}:", x.type.shape[0], [row], False)

    def _for_long_rows(self) -> None:
        x = self._rows(lambda n: n == LONG)
        if x is None:
            self._for_long_range()
            return
        self.features["for over a long tensor"] += 1
        row = Variable(self.new_name("row"), TensorOf(x.type.dtype, x.type.shape[1:]), x.bound)
        if self.chance(0.4):
            i = self.new_name("i")
            self._loop(f"for {i}, {row.name} in enumerate({x.read}):", LONG,
                       [row, Variable(i, NumberOf("int", soft=True), LONG, writable=False)], True)
        else:
            self._loop(f"for {row.name} in {x.read}:", LONG, [row], True)

    def _same(self, count: int) -> tuple[TensorOf, list[str]]:
        wanted = TensorOf("f", self.pick(SHAPES))
        return wanted, [self.squashed(self.tensor(wanted, 1), 3).text for _ in range(count)]

    def _for_list(self) -> None:
        self.features["for over a list"] += 1
        count = self.rng.randint(2, 3)
        wanted, items = self._same(count)
        name = self.new_name("t")
        self._loop(f"for {name} in [{', '.join(items)}]:", count, [Variable(name, wanted, 3)], False)

    def _for_enumerate(self) -> None:
        self.features["for over enumerate"] += 1
        count = self.rng.randint(2, 3)
        wanted, items = self._same(count)
        name, i = self.new_name("t"), self.new_name("i")
        self._loop(f"for {i}, {name} in enumerate(({', '.join(items)})):", count,
                   [Variable(name, wanted, 3), Variable(i, NumberOf("int"), count, writable=False)], False)

    def _for_zip(self) -> None:
        self.features["for over zip"] += 1
        (a, first), (b, second) = self._same(2), self._same(2)
        names = self.new_name("t"), self.new_name("t")
        self._loop(f"for {names[0]}, {names[1]} in zip([{', '.join(first)}], [{', '.join(second)}]):", 2,
                   [Variable(names[0], a, 3), Variable(names[1], b, 3)], False)

    def _for_dict(self) -> None:
        self.features["for over a dict"] += 1
        wanted, items = self._same(2)
        key, name = self.new_name("key"), self.new_name("t")
        text = "{" + ", ".join(f"{k!r}: {e}" for k, e in zip("ab", items)) + "}"
        self._loop(f"for {key}, {name} in {text}.items():", 2, [Variable(name, wanted, 3)], False)

    def while_(self) -> None:
        counter = self.new_name("count")
        if self.chance(0.25):
            self.features["while on Python values"] += 1
            trips = self.rng.randint(2, 3)
            self.write(f"{counter} = 0")
            header, region = f"while {counter} < {trips}:", False
            variable = Variable(counter, NumberOf("int"), trips, writable=False)
        else:
            self.features["while on a tensor"] += 1
            trips = self.rng.randint(2, 6)
            self.write(f"{counter} = {self.pick(['Tensor(0, INT)', '0'])}")
            condition, _ = self.condition(tensor=True)
            header, region = f"while {counter} < {trips} and {condition}:", True
            variable = None
        place = self.place.inside(region=self.place.region or region, loop=True, trips=self.place.trips * trips)
        with self.indented(header), self.block(place):
            self.write(f"{counter} += 1")
            if variable is not None and not self.place.region:
                self.scope.add(variable)
            self.body(place)

    def jump(self) -> None:
        condition, _ = self.condition()
        word = self.pick(["break", "continue"])
        self.features[word] += 1
        with self.indented(f"if {condition}:"):
            if self.chance(0.4):
                with self.block(self.place.inside(region=True, loop=False, result=None)):
                    self.reassign()
            self.write(word)

    # -- the result ------------------------------------------------------------------------------------
    def early_return(self) -> None:
        self.features["early return"] += 1
        condition, _ = self.condition()
        with self.indented(f"if {condition}:"):
            self.return_(self.place.result)

    def return_(self, result: tuple) -> None:
        """``return`` of values of these types (one: by itself; several: a tuple)."""
        texts = [self.squashed(self.tensor(t, 2), LARGEST).text if isinstance(t, TensorOf) else self.of_type(t, 1).text
                 for t in result]
        self.write(f"return {', '.join(texts)}")

    # -- functions -------------------------------------------------------------------------------------
    def nested_function(self) -> None:
        wanted = TensorOf("f", self.pick(SHAPES))
        parameter = TensorOf("f", self.pick([wanted.shape, ()]))
        name, x = self.new_name("f"), self.new_name("x")
        outer_trips = self.place.trips
        if self.chance(0.5):
            self.features["lambda"] += 1
            with self.block(self.place.inside(loop=False, result=None)):
                self.scope.add(Variable(x, parameter, 4))
                e = self.squashed(self.tensor(wanted, 2), 3)
            self.write(f"{name} = lambda {x}: {e.text}")
        else:
            self.features["nested function"] += 1
            place = self.place.inside(loop=False, region=True, result=(wanted,), trips=max(outer_trips, 8))
            with self.indented(f"def {name}({x}):"), self.block(place):
                for v in self.scope.all():          # what is assigned to there would be local
                    if v.writable:
                        self.scope.add(Variable(v.name, v.type, v.bound, v.own, writable=False))
                self.scope.add(Variable(x, parameter, 4))
                self.statements(self.rng.randint(0, 2))
                self.write(f"return {self.squashed(self.tensor(wanted, 2), 3).text}")
        self.scope.add(Variable(name, FunctionOf((parameter,), wanted), 3, writable=False))

    # -- state and effects -----------------------------------------------------------------------------
    def state(self) -> None:
        found = self.scope.of(lambda v: v.name.startswith("self.s"))
        if not found:
            self.reassign()
            return
        v = self.pick(found)
        kind = self.weighted({"set": 3, "assign": 2, "assign_add": 1.5, "augmented": 1.5, "sub": 0.5})
        self.features[f"state: {kind}"] += 1
        self.features["state in a branch or loop"] += self.place.region
        e = self.squashed(self.tensor(v.type, 2), 1)
        if kind == "set":
            self.write(f"{v.name} = {e.text}")
        elif kind == "assign":
            self.write(f"ops.assign({v.name}, {e.text})")
        else:
            text = {"assign_add": f"ops.assign_add({v.name}, {e.text})", "sub": f"ops.assign_sub({v.name}, {e.text})",
                    "augmented": f"{v.name} += {e.text}"}[kind]
            self.write(text)
            limited = f"{v.name} % 5" if v.type.dtype == "i" else f"ops.clip({v.name}, -5.137, 5.137)"
            self.write(f"{v.name} = {limited}")

    def check(self) -> None:
        self.features["assert, raise"] += 1
        e = self.tensor(TensorOf("f", ()), 1)
        if self.chance(0.5):
            self.write(f"assert ({e.text}) > -1e6, 'too small'")
        else:
            with self.indented(f"if {e.text} > 1e6:"):
                self.write("raise ValueError('too large')")

    def print_(self) -> None:
        self.features["print"] += 1
        e = self.tensor(TensorOf(self.pick("ib"), self.pick([(), (3,)])), 1)
        self.write(self.pick([f"print('value', {e.text})", f"print(f'value {{{e.text}}} here')"]).replace("'", '"', 2)
                   if "'" not in e.text else f"print({e.text})")


def _copy(text: str) -> str:
    """A tensor of its own: the copy of a Parameter would be a Parameter."""
    return f"({text}) * 1" if "self." in text else f"({text}).copy()"
