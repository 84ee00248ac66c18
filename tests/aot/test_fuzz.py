"""A few seeds of the campaign: libraries compute what compiled programs do, on every CPU level of this machine."""
import pytest

from tests.aot.fuzz import KINDS, checked, kind_of


@pytest.mark.parametrize("seed", range(len(KINDS)), ids=kind_of)
def test_a_random_graph_as_a_library(seed):
    assert checked(seed) == ""


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 140))
def test_more_random_graphs_as_libraries(seed):
    assert checked(seed) == ""
