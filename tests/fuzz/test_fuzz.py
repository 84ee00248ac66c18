"""300 random programs: in a graph as in PYNATIVE_MODE, gradients as finite differences.

All run on the references of their graphs' operators, every tenth as native code too; a part of both at every run, all
with ``pytest -m "slow or not slow"``.  ``python -m tests.fuzz`` runs longer campaigns.
"""
import pytest

from tests.fuzz.check import check
from tests.fuzz.generator import program
from tests.thinning import thinned

SEEDS = range(300)


def _check(seed: int, native: bool) -> None:
    made = program(seed)
    result = check(made.source, f"fuzz_{seed}", native=native)
    assert not result.findings, "\n".join(f"{f.kind}: {f.detail}" for f in result.findings) + "\n" + made.source


@pytest.mark.parametrize("seed", thinned(SEEDS, 40))
def test_on_references(seed):
    _check(seed, native=False)


@pytest.mark.parametrize("seed", thinned(SEEDS[::10], 6))
def test_native(seed):
    _check(seed, native=True)


def test_a_program_is_always_the_same():
    assert program(7).source == program(7).source != program(8).source


def test_a_difference_is_found():
    wrong = """
import graphcore as gc
from graphcore import Tensor, nn
class Net(nn.Cell):
    def construct(self, x):
        return x * (1.0 if gc.get_context("mode") == gc.GRAPH_MODE else 2.0)
def inputs():
    return [[Tensor([1.5])], [Tensor([2.5])]]
"""
    assert {f.kind for f in check(wrong, "wrong").findings} == {"output", "gradient"}


# The reference rounds this sum to float16, a kernel does not; by accident the reference's own error is small.
_HALF = """
import os
import graphcore as gc
from graphcore import Tensor, nn
FLOAT, HALF, DOUBLE, INT = gc.float32, gc.float16, gc.float64, gc.int32
class Net(nn.Cell):
    def construct(self, x):
        graph, native = gc.get_context("mode") == gc.GRAPH_MODE, not os.environ["GRAPHCORE_INTERPRET"]
        return (x.astype(HALF) + 1.08137).astype(FLOAT), x * (1.001 if WRONG else 1.0)
def inputs():
    return [[Tensor([0.528], FLOAT)], [Tensor([0.653], FLOAT)]]
"""


def test_kernels_may_leave_out_a_rounding_of_float16():
    result = check(_HALF.replace("WRONG", "False"), "half", native=True)
    assert not result.findings and result.notes == ["float16 not rounded between"]


@pytest.mark.parametrize("wrong, where", [("graph", "on references"), ("graph and native", "with float32 for float16")])
def test_nothing_else_may_be_off_in_a_program_with_float16(wrong, where):
    findings = check(_HALF.replace("WRONG", wrong), "half", native=True).findings
    assert {f.kind for f in findings} == {"output", "gradient"}
    assert all(f.detail.startswith(f"({where})") for f in findings)
