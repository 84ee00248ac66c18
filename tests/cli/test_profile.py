"""``graphcore profile``: the times are those of what ran, none is lost on the way to Cells and lines."""
import json
import re
from pathlib import Path

import numpy as np
import pytest

from graphcore import Parameter, Tensor, nn, ops
from graphcore.capture.compiled import capture_call
from graphcore.compiler.inspection import measure, peaks
from graphcore.compiler.program import compile_graph
from graphcore.compiler.runtime.program import Control, Instruction
from graphcore.inspect import compilation, profile_program
from graphcore.ir.types import parse_type

ROOT = Path(__file__).resolve().parent.parent.parent
TARGET = (f"{ROOT / 'examples' / 'digits.py'}:Net", "--input", "f32[2,1,8,8]", "--input", "i32[2]", "--train")


@pytest.fixture(autouse=True)
def quick_peaks(monkeypatch):
    monkeypatch.setattr(peaks, "SECONDS", 0.01)


class Steps(nn.Cell):
    def __init__(self):
        super().__init__()
        self.cell = nn.Dense(8, 8)
        self.count = Parameter(Tensor(np.zeros(1, np.float32)), name="count")

    def construct(self, x, n):
        i, h = n * 0, ops.exp(x)
        while i < n:
            h = ops.tanh(self.cell(h))
            i = i + 1
        ops.assign(self.count, self.count + 1)
        return ops.matmul(h, h)


def test_loops_are_parts_and_nothing_is_lost():
    cell = Steps()
    captured = capture_call(cell.construct, [parse_type("f32[8,8]"), parse_type("i32[]")], {}, "Steps", cell)
    record = compilation(captured.graph)
    program = compile_graph(captured.graph, captured.parameters)
    found = profile_program(record, program, [np.ones((8, 8), np.float32), np.array(5, np.int32)], 4)
    assert cell.count.asnumpy()[0] == 0, "Parameters have their values back"
    [loop] = [p for p in found.parts if "control flow" in p.title]
    assert re.fullmatch(r"control flow around \d launches", loop.title) and len(loop.launches) >= 3
    assert sorted(e.number for p in found.parts for e in p.launches) == [e.number for e in record.launches
                                                                         if not e.in_prologue]
    assert all(len(p.samples) == 4 and min(p.samples) >= 0 for p in found.parts) and found.whole > 0
    for view in (found.by_kernel, found.by_launch, found.by_node, found.by_cell, found.by_line):
        assert sum(view().values()) == pytest.approx(found.total)
    assert set(found.by_cell()) == {"cell", ""}
    lines = {line for place in found.by_line() if place for line in place[1:]}
    first = Steps.construct.__code__.co_firstlineno
    assert lines <= set(range(first, first + 8)) and first + 3 in lines


def test_parts_are_closed_under_jumps():
    call = Instruction("k", 0, 1, 1)
    program = (call, Control("jump_unless", 0, 4), call, Control("jump", 0, 5), call, call,
               Control("begin", 0, 9), call, Control("next", 0, 7), call)
    assert measure._parts(program) == [(0, 1), (1, 5), (5, 6), (6, 9), (9, 10)]
    backwards = (call, Control("jump", 0, 3), call, call, Control("jump_if", 0, 2), call)
    assert measure._parts(backwards) == [(0, 1), (1, 5), (5, 6)]


def test_the_command(command, tmp_path):
    code, out, err = command("profile", *TARGET, "--steps", "3", "--trace", "trace.json")
    assert (code, err) == (0, "")
    assert re.match(r"3 runs on \d+ threads: [\d,.]+ µs in one go, [\d,.]+ in \d+ parts\n"
                    r"[\d,.]+ GFLOP/s of [\d,]+ that the machine can do", out)
    assert re.search(r"^matmul\w+ +\d+ +[\d.,]+ +[\d.]+% ", out, re.M)
    assert re.search(r"^conv2 +[\d.,]+ +[\d.]+%", out, re.M), "by Cell"
    assert re.search(r"^digits\.py:\d+ +[\d.,]+ +[\d.]+%  x = self\.pool\(ops\.relu", out, re.M), "by line"
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    bars = [e for e in events if e["ph"] == "X" and e["tid"] == 1]
    runs = [e for e in events if e["ph"] == "X" and e["tid"] == 2]
    assert len(runs) == 3 and len(bars) % 3 == 0
    assert all(a["ts"] + a["dur"] <= b["ts"] + 0.01 for a, b in zip(bars, bars[1:])), "one after another"
    assert any("digits.py" in place for e in bars for place in e["args"]["from"])


def test_json(command):
    found = json.loads(command("profile", *TARGET, "--steps", "2", "--json")[1])
    assert found["steps"] == 2 and sum(found["kernels"].values()) == pytest.approx(found["total"])
    assert found["peak_flops"] > 1e8 and sum(p["seconds"] for p in found["parts"]) == pytest.approx(found["total"])


def test_what_cannot_be_measured(command, file, monkeypatch):
    file("talks.py", "from graphcore import nn\n\n\nclass Net(nn.Cell):\n    def construct(self, x):\n"
                     "        print(x)\n        return x\n")
    assert "calls Python while it runs" in command("profile", "talks.py:Net", "--input", "f32[2]")[2]
    monkeypatch.setenv("GRAPHCORE_INTERPRET", "1")
    assert "GRAPHCORE_INTERPRET=1 runs no kernels" in command("profile", *TARGET)[2]


@pytest.mark.parametrize("arguments, message", [
    (["--steps", "0"], "--steps: at least one"), (["--by", "color"], "invalid choice: 'color'"),
])
def test_errors(command, arguments, message):
    code, out, err = command("profile", *TARGET, *arguments)
    assert (code, out) == (2, "") and message in err
