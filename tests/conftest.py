"""Every test starts from the same seed and the default settings; compiled objects are shared between tests."""
import pytest


@pytest.fixture(autouse=True)
def _fresh_state():
    import graphcore
    graphcore.set_seed(1)
    graphcore.set_context(mode=graphcore.GRAPH_MODE)
    yield
    graphcore.set_context(mode=graphcore.GRAPH_MODE)
