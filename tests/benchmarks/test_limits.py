"""What rows have to do at least, what the machine can do at most, and the chart."""
import pytest

from benchmarks import chart
from benchmarks.__main__ import main
from benchmarks.costs import cost
from benchmarks.machine import limit_of
from benchmarks.ratios import Row
from benchmarks.report import table
from benchmarks.workloads import TRAIN, WORKLOADS
from graphcore.compiler.inspection import peaks

ROWS = [(w.name, mode) for w in WORKLOADS.values() for mode in w.modes]


@pytest.mark.parametrize("name, mode", ROWS)
def test_every_row_has_a_cost(name, mode):
    counted = cost(name, mode)
    assert counted.flops > 0 and counted.bytes > 0


@pytest.mark.parametrize("name, mode, millions", [
    ("resnet18_224", "infer", 3628), ("mobilenetv2_224", "infer", 601.6),     # twice the well-known multiply-adds
    ("mlp", "infer_b1", 1.337344), ("tiny", "infer", 0.001088)])
def test_operations(name, mode, millions):
    assert cost(name, mode).flops / 1e6 == pytest.approx(millions, rel=1e-3)


def test_training_is_three_times_forward_without_the_gradient_of_the_input():
    forward, first = cost("mlp", "infer_b128").flops, 2 * 128 * 784 * 512
    assert cost("mlp", TRAIN).flops == 3 * forward - first
    assert cost("gpt", TRAIN).flops == 3 * 8 * cost("gpt", "infer_b1").flops     # its inputs are looked up in a table


def test_bytes():
    weights = 4 * (784 * 512 + 512 + 512 * 512 + 512 + 512 * 10 + 10)
    assert cost("mlp", "infer_b1").bytes == weights + 4 * (784 + 10)
    assert cost("mlp", TRAIN).bytes == 6 * weights + 128 * 4 * (784 + 1)     # weights and two moments, read and written
    assert cost("fused", "fwd").bytes == 5 * 4 * (4 << 20)


def test_peaks(monkeypatch):
    monkeypatch.setattr(peaks, "SECONDS", 0.02)
    flop_rate, read_rate = peaks.flop_rate.__wrapped__, peaks.read_rate.__wrapped__
    assert 1e9 < flop_rate(1) < 1e12
    assert 1e9 < read_rate(1 << 14, 1) < 1e12
    assert 1e8 < read_rate(1 << 24, 2) < 1e12


def test_memory_starts_at_a_cache_line():
    memory = peaks.aligned_zeros(1000)
    assert memory.ctypes.data % 64 == 0 and memory.nbytes == 1000 and not memory.any()


def test_the_limit_is_the_slower_of_two(monkeypatch):
    monkeypatch.setattr(peaks, "flop_rate", lambda threads: 1e9 * threads)
    monkeypatch.setattr(peaks, "read_rate", lambda size, threads: 1e8)
    assert peaks.limit(4 * 10**9, 10**8, 2) == 2.0
    assert peaks.limit(10**9, 3 * 10**8, 2) == 3.0
    assert limit_of("mlp", "infer_b1", 2) == cost("mlp", "infer_b1").bytes / 1e8


def test_the_table_shows_the_limit():
    rows = [Row("gpt train", {"graphcore": [0.25, 0.3, 0.2]}, limit=0.125), Row("tiny infer", {}, limit=1e-8)]
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table(rows, ["graphcore"]).splitlines()]
    assert lines[0][-1] == "the machine's limit"
    assert (lines[2][-1], lines[3][-1]) == ("125 ms  2.00x", "0.01 µs")


RATIOS = [Row("mlp train", {"graphcore": [1.0], "torch": [3.0], "jax": [0.5]}), Row("alone", {"graphcore": [1.0]})]


def test_bars():
    assert chart.bars(RATIOS, ["graphcore", "jax", "torch"]) == [("mlp train", {"jax": 0.5, "torch": 3.0})]


def test_a_chart(tmp_path):
    pytest.importorskip("matplotlib")
    chart.draw(RATIOS, ["graphcore", "jax", "torch"], tmp_path / "ratios.png")
    assert (tmp_path / "ratios.png").read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_nothing_is_measured(monkeypatch, capsys):
    monkeypatch.setattr(chart, "find_spec", lambda name: None)
    assert main(["--only", "tiny", "--chart", "ratios.png"]) == 2
    assert "needs matplotlib, which is not installed here: pip install -e '.[benchmarks]'" in capsys.readouterr().err
