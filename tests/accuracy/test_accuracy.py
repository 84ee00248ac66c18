"""Every family of kernels against float64, over odd sizes in every role; `docs/accuracy.md` has what was seen."""
import itertools

import pytest

from tests.accuracy.families import FAMILIES
from tests.accuracy.measure import MOST_WORK
from tests.accuracy.sizes import few_rows, rows


def run(family, every: bool) -> None:
    for row in family.rows(every):
        error = family.check(row)
        assert error <= family.bound, f"{family.name} is off by {error:.3g} roundings with {row}"


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_each_size_in_each_role(family):
    run(family, every=False)


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_each_pair_of_sizes_for_each_pair_of_roles(family):
    run(family, every=True)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_the_sizes_are_all_there(family):
    """Every size of every role, and every pair of sizes of every two; also where costly rows were divided."""
    few, every = (make(family.roles, family.work, MOST_WORK) for make in (few_rows, rows))
    for role, sizes in family.roles.items():
        assert {row[role] for row in few} == set(sizes), role
    for pair in itertools.combinations(family.roles, 2):
        wanted = set(itertools.product(*(family.roles[role] for role in pair)))
        assert {tuple(row[role] for role in pair) for row in every} == wanted, pair
