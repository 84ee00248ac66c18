"""Tests that take the fixture `mode` run eagerly and compiled."""
import functools

import pytest


@functools.cache
def why_not_compiled() -> str:
    """Why programs cannot be compiled here, or "" if they can."""
    import numpy as np

    import graphcore
    from graphcore import nn
    try:
        nn.ReLU()(graphcore.Tensor(np.ones(3, np.float32)))
    except ImportError as error:
        return f"there is no compiler: {error}"
    return ""


@pytest.fixture(params=["eager", "compiled"])
def mode(request):
    """PYNATIVE_MODE and GRAPH_MODE in turn."""
    import graphcore
    if request.param == "compiled":
        graphcore.set_context(mode=graphcore.GRAPH_MODE)
        if why_not_compiled():
            pytest.skip(why_not_compiled())
    else:
        graphcore.set_context(mode=graphcore.PYNATIVE_MODE)
    return request.param


@pytest.fixture
def compiled():
    """GRAPH_MODE, for tests that compile many cases as one program."""
    import graphcore
    graphcore.set_context(mode=graphcore.GRAPH_MODE)
    if why_not_compiled():
        pytest.skip(why_not_compiled())


@pytest.fixture
def eager():
    """PYNATIVE_MODE."""
    import graphcore
    graphcore.set_context(mode=graphcore.PYNATIVE_MODE)
