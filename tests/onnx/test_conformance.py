"""The node tests of the onnx package: the list of those that pass only grows."""
import random

import numpy as np
import pytest

pytest.importorskip("onnx.helper")

import graphcore as gc  # noqa: E402
from tests.onnx import conformance  # noqa: E402

PASSES = [f"test_{name}" for name in conformance.listed(conformance.PASSES)]
IN_SCOPE = [name for name in conformance.scope() if name in set(PASSES)]


def failures(names) -> list[str]:
    with np.errstate(all="ignore"):
        return [f"{name}: {why}" for name in names if (why := conformance.failure(name))]


def test_the_list_is_of_cases_that_count():
    assert set(PASSES) | set(conformance.scope()) <= set(conformance.cases())
    assert len(IN_SCOPE) >= 858 and len(PASSES) == len(set(PASSES))


def test_references_pass():
    gc.set_context(mode=gc.PYNATIVE_MODE)
    assert not failures(IN_SCOPE)


def test_kernels_pass_in_a_sample():
    assert not failures(random.Random(7).sample(IN_SCOPE, 40))


@pytest.mark.parametrize("kind", ["pytorch-converted", "pytorch-operator"])
def test_models_that_pytorch_wrote_pass(kind):
    gc.set_context(mode=gc.PYNATIVE_MODE)
    found = conformance.folders(kind)
    assert len(found) >= 35
    with np.errstate(all="ignore"):
        faults = {folder.name: why for folder in found if (why := conformance.failure_of_folder(folder))}
    assert not faults, faults


@pytest.mark.slow
def test_kernels_pass():
    assert not failures(PASSES)
