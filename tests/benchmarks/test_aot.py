"""The benchmark of compiled models, on graphcore alone: it measures, checks results, and says what failed."""
import shutil
import sys

import numpy as np

from benchmarks.aot import FROM_C, Benchmark, table


def test_a_round_of_the_smallest_net(tmp_path):
    benchmark = Benchmark("tiny", tmp_path, {"graphcore": sys.executable}, 1)
    benchmark.build()
    benchmark.round(0)
    names = ["graphcore", FROM_C] if shutil.which("cc") else ["graphcore"]
    assert list(benchmark.results) == names
    for result in benchmark.results.values():
        assert not result.failure and len(result.rounds) == 1
        assert 0 < result.seconds("call") < 0.1 and result.artefact < 200_000
    assert len(table("tiny", benchmark.results).splitlines()) == 2 + len(names)
    np.save(tmp_path / "graphcore" / "expected.npy", benchmark.expected + 1)
    benchmark.round(1)
    assert "the result is off" in benchmark.results["graphcore"].failure
