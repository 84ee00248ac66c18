"""Programs that once showed a defect, found by the fuzzer and reduced: one in each file of `cases/`."""
from pathlib import Path

import pytest

from tests.fuzz.check import check

CASES = sorted(Path(__file__).with_name("cases").glob("*.py"))


@pytest.mark.parametrize("native", [False, True], ids=["references", "native"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_case(case, native):
    result = check(case.read_text(), case.stem, native=native)
    assert not result.findings, "\n".join(f"{f.kind}: {f.detail}" for f in result.findings)
