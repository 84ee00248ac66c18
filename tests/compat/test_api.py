"""docs/api.md is what `python -m tests.compat.api` makes, and names without a case become fewer."""
import pytest

from graphcore.cli import mindspore_hook
from tests.compat import api, coverage, names, table

# Public names that MindSpore has too and that no case speaks for: this number only shrinks.
MOST_WITHOUT_A_CASE = 12
# Of the public scripts, the share all of whose names have a case: this number only grows.
LEAST_SHARE = 0.96


@pytest.fixture(autouse=True)
def _hook():
    mindspore_hook.install()
    yield
    mindspore_hook.uninstall()


def test_the_page_is_up_to_date():
    assert api.page() == api.PAGE.read_text(), "run: python -m tests.compat.api"


def test_names_without_a_case_become_fewer():
    without = [f"{section}.{name}" for section, found in api.statuses().items()
               for name, status in found.items() if status == api.WITHOUT]
    assert len(without) <= MOST_WITHOUT_A_CASE, without


def test_scripts_find_their_names():
    listed, sets = names.load()
    covered = coverage.Covered([entry for entry in table.every_case() if entry.source != "refused"])
    have = {n for n, name in enumerate(listed) if coverage.exists(name) and name in covered}
    assert names.share(sets, have) / sum(sets.values()) >= LEAST_SHARE


def test_every_case_speaks_for_a_name():
    for entry in table.every_case():
        assert entry.names, f"{entry.topic}: {entry.text} uses no public name"
