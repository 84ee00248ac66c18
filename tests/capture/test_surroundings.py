"""Random numbers and clocks of Python in a captured function are warned of; logging has the values of each call."""
import datetime
import logging
import random
import secrets
import time
import warnings

import numpy as np
import pytest

import graphcore as gc
from graphcore import Tensor, nn

GENERATOR = np.random.default_rng(0)
LOG = logging.getLogger("of the tests")


@pytest.mark.parametrize("call", [
    lambda: random.random(),
    lambda: random.randint(0, 3),
    lambda: np.random.rand(),
    lambda: GENERATOR.normal(),
    lambda: time.time(),
    lambda: datetime.datetime.now().year,
    lambda: secrets.randbelow(3),
])
def test_results_that_would_be_constants(call):
    with pytest.warns(UserWarning, match=r"\(\) runs once, while the graph is captured") as caught:
        gc.jit(lambda x: x * call())(Tensor([1.0]))
    assert [w.filename for w in caught] == [__file__]


def test_what_is_no_surprise():
    class Net(nn.Cell):
        def __init__(self):
            super().__init__()
            self.scale = random.random()

        def construct(self, x):
            random.seed(1)
            LOG.debug("shape %s", x.shape)
            return x * self.scale + np.ones(1, np.float32).sum()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Net()(Tensor([1.0]))


@pytest.mark.parametrize("mode", [gc.GRAPH_MODE, gc.PYNATIVE_MODE], ids=["graph", "pynative"])
def test_tensors_are_logged_when_the_program_runs(caplog, mode):
    gc.set_context(mode=mode)

    @gc.jit
    def f(x):
        LOG.warning("sum %.1f", x.sum())
        if x.sum() > 2:
            logging.error(f"large: {x}")
        return x
    try:
        for value in (1.0, 3.0):
            f(Tensor([value]))
    finally:
        gc.set_context(mode=gc.GRAPH_MODE)
    assert [r.getMessage() for r in caplog.records] == ["sum 1.0", "sum 3.0", "large: [3.]"]
