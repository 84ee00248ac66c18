"""Random statements: branches, jumps, functions, state, effects, and what `loops` and `assignments` make."""
from __future__ import annotations

from tests.fuzz.assignments import SHAPES
from tests.fuzz.loops import MOST_TRIPS, Loops
from tests.fuzz.scope import LARGEST, FunctionOf, Place, TensorOf, Variable


class Statements(Loops):
    """Writes any statements."""

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
            self.own_tensor: 1, self.effect: 0.5 if p.cell and self.attributes else 0,
        }
        self.weighted(options)()

    def body(self, place: Place, low: int = 1, high: int = 3) -> None:
        """The statements of a nested block."""
        with self.block(place):
            self.statements(self.rng.randint(low, high))
            if self.chance(0.7):
                self.reassign()

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

    def effect(self) -> None:
        """Something that changes Python objects: an attribute of the Cell, a list of the module."""
        name, wanted = self.pick(self.attributes)
        if self.chance(0.4) and not self.place.region:
            self.features["list of the module"] += 1
            self.write(f"LOG.append({self.squashed(self.tensor(TensorOf('f', ()), 1), LARGEST).text})")
        elif wanted is None:
            if self.place.region:
                self.reassign()
            else:
                self.features["attribute counted up"] += 1
                self.write(f"{name} += 1")
        else:
            self.features["attribute set"] += 1
            self.write(f"{name} = {self.squashed(self.tensor(wanted, 2), LARGEST).text} * 1")

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
