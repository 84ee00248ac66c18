"""Damaged models are refused with a FormatError: no other exception, no crash, little memory, little time."""
import resource
import time
from collections import Counter

import pytest

pytest.importorskip("onnx.helper")

import graphcore as gc  # noqa: E402
from tests.onnx import conformance, fuzz  # noqa: E402

MOST_SECONDS, MOST_MEBIBYTES = 5.0, 600


def run(seed: int, count: int, sound=None) -> Counter:
    gc.set_context(mode=gc.PYNATIVE_MODE)
    found, faults = Counter(), []
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number, data in enumerate(fuzz.mutants(seed, count, sound)):
        for capture in (False, True):
            started = time.process_time()
            try:
                found[fuzz.outcome(data, capture)] += 1
            except Exception as error:
                faults.append(f"mutant {number} of seed {seed} (capture={capture}): {type(error).__name__}: {error}")
            if time.process_time() - started > MOST_SECONDS:
                faults.append(f"mutant {number} of seed {seed} (capture={capture}) took too long")
    assert not faults, "\n".join(faults[:20])
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < MOST_MEBIBYTES
    return found


def test_a_few_mutants():
    found = run(1, 300)
    assert min(found["import"], found["done"]) > 50 and found["run"] > 20, found


@pytest.mark.slow
def test_many_mutants():
    run(2, 5000)


@pytest.mark.slow
def test_mutants_of_node_tests():
    passing = {f"test_{name}" for name in conformance.listed(conformance.PASSES)}
    run(3, 5000, [case.model.SerializeToString() for name, case in conformance.cases().items() if name in passing])


def test_the_seeds_run():
    for data in fuzz.seeds():
        for capture in (False, True):
            assert fuzz.outcome(data, capture) == "done"
