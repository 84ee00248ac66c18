"""Random valid programs: from a seed, the source text of a module with a Cell `Net` and a function `inputs`."""
from __future__ import annotations

import random
from dataclasses import dataclass

from tests.fuzz.assignments import SHAPES
from tests.fuzz.loops import LONG
from tests.fuzz.scope import FunctionOf, NumberOf, Place, Scope, TensorOf, Variable
from tests.fuzz.statements import Statements

_HEAD = '''"""Made by tests.fuzz from seed {seed}."""
import graphcore as gc
from graphcore import Parameter, Tensor, nn, ops

FLOAT, HALF, DOUBLE, INT = gc.float32, gc.float16, gc.float64, gc.int32
LOG = []
'''
SETS = 3            # input sets of a program


@dataclass(frozen=True)
class Program:
    """The text of a program, and how often each feature of the language is in it."""

    seed: int
    source: str
    features: dict


def program(seed: int) -> Program:
    """The program of a seed: always the same."""
    writer = _Writer(random.Random(seed))
    writer.module(seed)
    return Program(seed, "\n".join(writer.lines) + "\n", {k: n for k, n in writer.features.items() if n})


class _Writer(Statements):
    def module(self, seed: int) -> None:
        self.lines += _HEAD.format(seed=seed).split("\n")
        functions = [self._helper() for _ in range(self.rng.randint(0, 2))]
        parts = [self._part() for _ in range(self.rng.randint(0, 1))]
        self._net(functions, parts)

    # -- functions -------------------------------------------------------------------------------------
    def _helper(self) -> Variable:
        """A function of the module."""
        name = self.new_name("helper")
        parameters = tuple(TensorOf("f", self.pick(SHAPES)) for _ in range(self.rng.randint(1, 2)))
        result = TensorOf("f", self.pick(SHAPES))
        names = [self.new_name("x") for _ in parameters]
        place = Place(result=(result,), trips=10, region=True)
        self.write("")
        with self.indented(f"def {name}({', '.join(names)}, scale=0.5):"), self.block(place):
            self.scope = Scope()
            self.scope.add(Variable("scale", NumberOf("float", soft=True), 1, writable=False))
            for n, t in zip(names, parameters):
                self.scope.add(Variable(n, t, 4))
            self.statements(self.rng.randint(1, 4))
            e = self.squashed(self.tensor(result, 2), 4)
            self.write(f"return {e.text}")
        self.write("")
        return Variable(name, FunctionOf(parameters, result), 20, writable=False)

    def _part(self) -> tuple[str, FunctionOf]:
        """A Cell that is used within `Net`: (its name, what it is called with and gives)."""
        name = self.new_name("Part")
        wanted = TensorOf("f", self.pick(SHAPES))
        self.write("")
        with self.indented(f"class {name}(nn.Cell):"):
            held = self._init([wanted], states=self.chance(0.4))
            self.write("")
            place = Place(result=(wanted,), cell=True, trips=10, region=True)
            with self.indented("def construct(self, x):"), self.block(place):
                self.scope = Scope()
                for v in (*held, Variable("x", wanted, 4)):
                    self.scope.add(v)
                self.statements(self.rng.randint(1, 3))
                self.return_((wanted,))
        self.write("")
        return name, FunctionOf((wanted,), wanted)

    def _init(self, types, states: bool, more=()) -> list[Variable]:
        """``__init__`` of a Cell; the Parameters that it makes."""
        held = []
        with self.indented("def __init__(self):"):
            self.write("super().__init__()")
            self.write(f"self.flag, self.width = {self.pick([True, False])}, {self.rng.randint(1, 4)}")
            for i, t in enumerate(types):
                self.write(f"self.w{i} = Parameter(Tensor({self._values(t)}, FLOAT), name='w{i}')")
                held.append(Variable(f"self.w{i}", t, 2, writable=False))
            if states:
                for i in range(self.rng.randint(1, 2)):
                    t = TensorOf(self.weighted({"f": 3, "i": 1}), self.pick(SHAPES))
                    name = "FLOAT" if t.dtype == "f" else "INT"
                    self.write(f"self.s{i} = Parameter(Tensor({self._values(t)}, {name}), name='s{i}', "
                               "requires_grad=False)")
                    held.append(Variable(f"self.s{i}", t, 6, writable=False))
            for line in more:
                self.write(line)
        return held

    def _values(self, t: TensorOf) -> str:
        """Random values as text."""
        def nest(shape):
            if not shape:
                if t.dtype == "b":
                    return str(self.chance(0.5))
                return str(self.rng.randint(0, 4)) if t.dtype == "i" else f"{self.rng.uniform(-1.5, 1.5):.3f}"
            return "[" + ", ".join(nest(shape[1:]) for _ in range(shape[0])) + "]"
        return nest(t.shape)

    # -- the Cell --------------------------------------------------------------------------------------
    def _net(self, functions, parts) -> None:
        arguments = [TensorOf("f", self.pick(SHAPES)) for _ in range(self.rng.randint(1, 3))]
        if self.chance(0.3):
            arguments.append(TensorOf("f", (LONG, *self.pick([(), (2,), (3,)]))))
        arguments += [TensorOf("i", ())] if self.chance(0.7) else []
        arguments += [TensorOf(self.pick("ib"), self.pick([(), (3,)]))] if self.chance(0.3) else []
        names = [f"x{i}" for i in range(len(arguments))]
        result = tuple(TensorOf(self.weighted({"f": 6, "i": 1, "b": 0.5}) if i else "f", self.pick(SHAPES))
                       for i in range(self.rng.randint(1, 3)))
        weights = [TensorOf("f", self.pick(SHAPES)) for _ in range(self.rng.randint(0, 2))]
        self.write("")
        with self.indented("class Net(nn.Cell):"):
            more = [f"self.part{i} = {part}()" for i, (part, _) in enumerate(parts)]
            kept = TensorOf("f", self.pick(SHAPES))
            more += ["self.seen = 0", f"self.last = Tensor({self._values(kept)}, FLOAT)"]
            held = self._init(weights, self.chance(0.6), more)
            if self.chance(0.25):
                self.attributes = [("self.seen", None), ("self.last", kept), ("self.last", kept)]
            self.write("")
            place = Place(result=result, cell=True)
            with self.indented(f"def construct(self, {', '.join(names)}):"), self.block(place):
                self.scope = Scope()
                for n, t in zip(names, arguments):
                    self.scope.add(Variable(n, t, 5 if t.dtype == "i" else 2))
                for v in (*held, *functions, *(Variable(f"self.part{i}", f, 20, writable=False)
                                               for i, (_, f) in enumerate(parts))):
                    self.scope.add(v)
                self.statements(self.rng.randint(3, 8))
                self.return_(result)
        self.write("")
        self.write("")
        with self.indented("def inputs():"):
            self.write("return [")
            for _ in range(SETS):
                dtypes = {"f": "FLOAT", "i": "INT", "b": "gc.bool_"}
                texts = [f"Tensor({self._values(t)}, {dtypes[t.dtype]})" for t in arguments]
                self.write(f"    [{', '.join(texts)}],")
            self.write("]")

