"""Tests that take the fixture `mode` run compiled and eagerly."""
import pytest


@pytest.fixture(params=["graph", "pynative"])
def mode(request):
    """GRAPH_MODE and PYNATIVE_MODE in turn."""
    import graphcore
    graphcore.set_context(mode=graphcore.GRAPH_MODE if request.param == "graph" else graphcore.PYNATIVE_MODE)
    return request.param
