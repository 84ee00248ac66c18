"""Every test starts from the same seed and the default settings; compiled objects are shared between tests."""
import os

import pytest


def pytest_configure(config):
    """With GRAPHCORE_TEST_STAGES=1 every stage of all that is compiled is checked: see `tests.ir.stages`."""
    if os.environ.get("GRAPHCORE_TEST_STAGES") == "1":
        from graphcore import compiler
        from tests.ir.stages import checking
        compiler.compile = checking(compiler.compile)


@pytest.fixture(autouse=True)
def _fresh_state():
    import graphcore
    graphcore.set_seed(1)
    graphcore.set_context(mode=graphcore.GRAPH_MODE)
    yield
    graphcore.set_context(mode=graphcore.GRAPH_MODE)
