"""The three ways in which a transformed function runs."""
import pytest

import graphcore as gc


@pytest.fixture(params=["compiled", "references", "pynative"])
def way(request, monkeypatch):
    """Run the test as a compiled program, as a graph on the references, and in PYNATIVE_MODE."""
    mode = gc.get_context("mode")
    if request.param == "references":
        monkeypatch.setenv("GRAPHCORE_INTERPRET", "1")
    gc.set_context(mode=gc.PYNATIVE_MODE if request.param == "pynative" else gc.GRAPH_MODE)
    yield request.param
    gc.set_context(mode=mode)
