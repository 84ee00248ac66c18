"""Whole programs print under `graphcore run` what they printed under MindSpore."""
import pytest

from tests.compat.scripts import LONG, printed_by_graphcore, programs, record_of
from tests.compat.scripts.comparison import first_difference


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] if name in LONG else [])
                                  for name in programs()])
def test_a_program_prints_what_mindspore_printed(name):
    difference = first_difference(printed_by_graphcore(name), record_of(name).read_text())
    assert difference is None, f"{name}, {difference}"


@pytest.mark.parametrize("printed, expected", [
    ("loss is 2.3005", "loss is 2.3011"),
    ("Train epoch time: 5.125 ms, per step time: 1.000 ms", "Train epoch time: 99.000 ms, per step time: 3.125 ms"),
    ("[[-0.  1.]\n [ 2. 3.]]\n", "[[0. 1.]\n [2.  3.]]"),
    ("init=<graphcore.initializer.Normal object at 0x7f00>", "init=<mindspore.common.Normal object at 0x7f11>"),
    ("0.33318996 1.00e-05", "0.33318993 1.01e-05"),
    ("loss 0.0012", "loss 0.0013"),
])
def test_what_counts_as_the_same_line(printed, expected):
    assert first_difference(printed, expected) is None


@pytest.mark.parametrize("printed, expected", [
    ("loss is 2.300", "loss is 2.304"),
    ("step 3", "step 4"),
    ("confusion 3. 4.", "confusion 3. 5."),
    ("a 1.0", "b 1.0"),
    ("one\ntwo", "one"),
    ("one", "one\ntwo"),
    ("[1.0 2.0]", "[1.0 2.0 3.0]"),
    ("float32", "float16"),
])
def test_what_does_not(printed, expected):
    assert first_difference(printed, expected) is not None
