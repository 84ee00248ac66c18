"""The recorded results are what the MindSpore at hand gives: compares live, where its interpreter is named.

    GRAPHCORE_MINDSPORE_PYTHON=FOLDER/bin/python pytest -m parity tests/language
"""
import os

import pytest

from tests.language import encoding, runner
from tests.language.test_language import PROGRAMS, RECORDED, recorded_of
from tests.parity import record

PYTHON = os.environ.get(record.PYTHON_VARIABLE)
# Their answers depend on which numbers are drawn, or on what an earlier call left behind in MindSpore.
UNSTEADY = {"random_numbers"}

pytestmark = [pytest.mark.parity,
              pytest.mark.skipif(not PYTHON, reason=f"{record.PYTHON_VARIABLE} does not name an interpreter")]


@pytest.mark.parametrize("topic", [t for t in runner.topics() if t not in UNSTEADY])
def test_recorded_results_are_what_mindspore_gives(topic):
    live, recorded = record.record(PYTHON, "language", topic), recorded_of(topic)
    assert set(live) == set(recorded), f"record again: python -m tests.parity.record language/{topic}"
    problems = []
    for name, wanted in recorded.items():
        if PROGRAMS[f"{topic}.{name}"].expected is None:    # else MindSpore's own answer may be arbitrary
            problems += encoding.differences(live[name].get("values"), wanted.get("values"), path=name)
    assert not problems, "\n".join(problems)


def test_a_file_is_recorded_for_every_topic():
    assert {path.stem for path in RECORDED.glob("*.json")} == set(runner.topics())
