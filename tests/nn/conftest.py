"""Tests that take the fixture `mode` run eagerly and compiled."""
import pytest


@pytest.fixture(params=["eager", "compiled"])
def mode(request):
    """PYNATIVE_MODE and GRAPH_MODE in turn."""
    import graphcore
    graphcore.set_context(mode=graphcore.GRAPH_MODE if request.param == "compiled" else graphcore.PYNATIVE_MODE)
    return request.param


@pytest.fixture
def compiled():
    """GRAPH_MODE, for tests that compile many cases as one program."""
    import graphcore
    graphcore.set_context(mode=graphcore.GRAPH_MODE)


@pytest.fixture
def eager():
    """PYNATIVE_MODE."""
    import graphcore
    graphcore.set_context(mode=graphcore.PYNATIVE_MODE)
