"""Mutants of files are refused or harmless; and the campaign sees what is neither.  See `tests.files.fuzz`."""
import pytest

from tests.files import faulty_format
from tests.files.fuzz import FORMATS
from tests.files.fuzz.campaign import campaign

# (mutants, every how many-th is used): 5,500 in all; what is accepted of graphs is compiled, which takes its time
SHARES = {"safetensors": (2300, 1), "ckpt": (1800, 1), "mindrecord": (500, 1), "cache": (100, 1), "gir": (300, 10),
          "manifest": (300, 1), "onnx": (200, 1)}


@pytest.mark.parametrize("name", FORMATS)
def test_mutants_are_refused_or_harmless(name, tmp_path):
    if name == "onnx":
        pytest.importorskip("onnx.helper")
    count, use_every = SHARES[name]
    result = campaign(name, count, seed=2026, jobs=2, keep=tmp_path, use_every=use_every)
    assert not result.findings, f"{result}; kept in {tmp_path}\n{next(iter(result.findings.values()))}"
    assert sum(result.words.values()) == count
    assert result.words["refused"] > count // 4
    assert name == "cache" or len(result.words) > 1, "nothing gets through: mutants too wild to test much"


def test_the_campaign_sees_every_fault(tmp_path):
    result = campaign("tests.files.faulty_format", 8, seed=752, keep=tmp_path, hang=8)       # each fault once
    kept = {path.parent.name.rpartition("-")[2]: path.read_text() for path in tmp_path.glob("*/file")}
    assert set(kept.values()) == set(faulty_format.FAULTS) - {"accepted", "refused"}
    late = "no end after 8 s of reading"        # on a busy machine this may be what is said of a slow one
    signs = {"raises": ("KeyError",), "memory": ("MemoryError",), "slow": ("reading took", late), "hangs": (late,),
             "ends": ("the process ended with -6",), "wrong": ("AssertionError",)}
    for number, fault in kept.items():
        assert any(sign in result.findings[int(number)] for sign in signs[fault]), fault
    assert len(kept) == len(result.findings) and sum(result.words.values()) == 8
