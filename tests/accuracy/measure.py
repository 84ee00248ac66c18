"""How far kernels are from float64: families of them, the sizes they run over, their errors and their bounds.

An error is counted in roundings of float32, 2^-24: the difference from the result in float64, over the sum of the
magnitudes of the terms that the result is made of (of an operator that is linear in every operand, that is its value
for the operands' magnitudes); for functions that are not linear over the largest magnitude of the result, at least the
square root of how many operands' elements there are for one of it: normal terms add up to that.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

import graphcore as gc
from graphcore import Tensor
from graphcore import dtype as dt
from graphcore.compiler.program import compile_graph
from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph
from graphcore.ir.types import TensorType
from graphcore.ops.record import REGISTRY
from tests.accuracy.sizes import SIZES, few_rows, rows

ROUNDING = 2.0 ** -24
#: Arithmetic operations that one row of sizes may cost.
MOST_WORK = 1 << 23


@dataclass(frozen=True)
class Result:
    """What kernels computed, what it is in float64, what errors are compared with; and the kernels that ran.

    got, want, magnitude: lists of arrays of equal shapes; a magnitude may be a number.
    """

    got: list
    want: list
    magnitude: list
    kernels: frozenset = frozenset()

    def error(self) -> float:
        """The largest error in roundings; infinite where NaN or shapes differ."""
        return max((_error(*each) for each in zip(self.got, self.want, self.magnitude)), default=0.0)


def _error(got, want, magnitude) -> float:
    got, want = np.asarray(got, np.float64), np.asarray(want, np.float64)
    if got.shape != want.shape:
        return np.inf
    difference = np.abs(got - want)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(difference == 0, 0, difference / magnitude)
    return np.inf if np.isnan(relative).any() else float(relative.max(initial=0.0)) / ROUNDING


@dataclass(frozen=True)
class Family:
    """Kernels of one kind.

    run: takes a size for each role and gives a Result.  bound: of the errors, in roundings; 0 means equal.
    kernel: begins the name of one that must run, unless a size is 1, which may be work for another.
    work: the cost of a row of sizes, where some cost too much.
    """

    name: str
    run: Callable
    bound: float
    roles: dict = field(default_factory=dict)
    kernel: str = ""
    work: Callable | None = None

    def rows(self, every: bool) -> list[dict]:
        """Every pair of sizes for every pair of roles, or only each size for each role."""
        return (rows if every else few_rows)(self.roles, self.work, MOST_WORK)

    def check(self, row: dict) -> float:
        """The error for a row of sizes.  Raises AssertionError if another kernel ran than this is about."""
        result = self.run(**row)
        ran = any(name.startswith(f"gc_{self.kernel}") for name in result.kernels)
        assert not self.kernel or ran or 1 in row.values(), (row, sorted(result.kernels))
        return result.error()


def roles(names: str, **special) -> dict:
    """All sizes for each role, but for those that are given others."""
    return {name: special.get(name, SIZES) for name in names.split()}


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    """Normal float32 values."""
    return np.random.default_rng([seed, *shape]).standard_normal(shape).astype(np.float32)


# -- operators of the registry, as the compiler lowers them ------------------------------------------------------------

def compiled(name: str, arrays: list, **attrs) -> tuple:
    """(result of operator `name`, names of the kernels that ran) for stored arrays."""
    leaves = [ir.input_(f"x{i}", TensorType(dt.from_numpy(a.dtype), a.shape)) for i, a in enumerate(arrays)]
    node = REGISTRY[name](*leaves, **attrs)
    program = compile_graph(Graph(name, tuple(leaves), (node,)), {})
    (result,) = program.run([np.ascontiguousarray(a) for a in arrays])
    return result, frozenset(program.shared.code(()).executable.program.symbols)


def linear(name: str, arrays: list, magnitude: str = "terms", fixed: int = 0, **attrs) -> Result:
    """An operator that is linear in each float operand but the first `fixed`; integers among them are indices.

    magnitude: "terms" for the sum of the magnitudes of each result's terms, "largest" for the largest such sum.
    """
    def reference(change) -> np.ndarray:
        operands = [a if a.dtype.kind != "f" else a.astype(np.float64) if i < fixed else change(a.astype(np.float64))
                    for i, a in enumerate(arrays)]
        return REGISTRY[name].reference(*operands, **attrs)

    got, kernels = compiled(name, arrays, **attrs)
    terms = reference(np.abs)
    return Result([got], [reference(np.positive)], [terms if magnitude == "terms" else terms.max(initial=0.0)], kernels)


def equal(name: str, arrays: list, **attrs) -> Result:
    """An operator that only chooses or moves values, or computes with integers: no difference is allowed."""
    got, kernels = compiled(name, arrays, **attrs)
    return Result([got], [REGISTRY[name].reference(*arrays, **attrs)], [1.0], kernels)


# -- functions of a user -----------------------------------------------------------------------------------------------

def function(f: Callable, arrays: list, slopes: bool = False) -> Result:
    """`f` in GRAPH_MODE in float32 against PYNATIVE_MODE in float64.

    slopes: the gradients by all float operands but the last instead, of the sum of the results times the last.
    """
    if slopes:
        count = sum(a.dtype.kind == "f" for a in arrays) - 1
        f = gc.grad(_weighed(f), tuple(range(count)))
    got = _called(gc.jit(f), [Tensor(a) for a in arrays])
    gc.set_context(mode=gc.PYNATIVE_MODE)
    try:
        wide = [Tensor(a.astype(np.float64) if a.dtype == np.float32 else a) for a in arrays]
        want = _called(f, wide)
    finally:
        gc.set_context(mode=gc.GRAPH_MODE)
    most = max(a.size for a in arrays)
    return Result(got, want, [max(1.0, np.sqrt(most / w.size), np.abs(w).max(initial=0.0)) for w in want])


def _weighed(f):
    def total(*operands):
        return (f(*operands[:-1]) * operands[-1]).sum()
    return total


def _called(f, operands: list) -> list:
    results = f(*operands)
    return [r.asnumpy() for r in (results if isinstance(results, (tuple, list)) else [results])]
