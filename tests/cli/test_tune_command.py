"""``graphcore tune``: a line for each trial and a sum, and what it says when it cannot."""
import re

import pytest

from graphcore.compiler import program

NET = """\
from graphcore import nn


class Net(nn.Cell):
    def __init__(self):
        super().__init__()
        self.fc = nn.Dense(32, 48)

    def construct(self, x):
        return self.fc(x)


class Talks(Net):
    def construct(self, x):
        print(x)
        return x
"""
TRIAL = r"blocks of product \S+: [a-z ]+ takes \d+\.\d\d of the time of [a-z ]+(  kept)?"


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GRAPHCORE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(program, "_shared", {})


def test_prints_trials(command, file):
    file("net.py", NET)
    code, out, _ = command("tune", "net.py:Net", "--input", "f32[40,32]", "--seconds", "30")
    *trials, total = out.splitlines()
    assert code == 0 and len(trials) >= 4
    assert all(re.fullmatch(TRIAL, line) for line in trials), out
    assert re.match(rf"{len(trials)} alternatives tried, \d+ kept", total)


@pytest.mark.parametrize("arguments, message", [
    (["Net", "--input", "f32[N,32]"], "write numbers in place of names"),
    (["Talks", "--input", "f32[40,32]"], "calls Python while it runs"),
    (["Net"], "Net.construct"),
])
def test_errors(command, file, arguments, message):
    file("net.py", NET)
    name, *rest = arguments
    code, out, err = command("tune", f"net.py:{name}", *rest)
    assert code == 2 and message in err and not out
