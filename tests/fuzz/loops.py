"""Random loops: for over everything, while, lists that loops append to."""
from __future__ import annotations

from tests.fuzz.assignments import SHAPES, Assignments
from tests.fuzz.scope import LARGEST, NumberOf, TensorOf, Variable

MOST_TRIPS = 40             # how often a statement within loops may run
LONG = 33                   # iterations of a loop that becomes a region


class Loops(Assignments):
    """Writes loops; `body`, what stands in them, comes from `statements.Statements`."""

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
        self._loop(f"for {i} in range({n.text}):", 5, [], True)

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
