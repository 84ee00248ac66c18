"""Every workload gives the same bits with 1, 2 and 4 threads, and in 20 repeats of a step."""
import json
import os
import subprocess
import sys

import pytest

from benchmarks.workloads import WORKLOADS

QUICK = ("lenet5", "branching_rnn")         # the others compile or run for longer


def bits(name: str, threads: int, steps: int, repeats: int) -> dict:
    """The digests of a fresh process with so many threads."""
    done = subprocess.run([sys.executable, "-m", "tests.e2e.bits", name, str(steps), str(repeats)], text=True,
                          capture_output=True, env=os.environ | {"GRAPHCORE_THREADS": str(threads)})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow)
                                  for name in WORKLOADS])
def test_threads_and_repeats(name):
    """Twenty repeats with two threads, three with one and with four: two steps each."""
    results = [bits(name, threads, 2, repeats) for threads, repeats in ((1, 3), (2, 20), (4, 3))]
    assert results[0] == results[1] == results[2]
