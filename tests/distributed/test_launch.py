"""``graphcore launch``: ranks and groups, and what happens when a rank fails."""
import pytest

from tests.distributed.conftest import lines_of

GROUPS = """
import mindspore
from mindspore import communication
from mindspore.communication.management import create_group, get_group_size, get_rank, init
from graphcore.parallel import ParallelismError
init()
communication.create_group("turned", [1, 0])
print(get_rank(), get_group_size(), communication.get_local_rank(), communication.get_local_rank_size(),
      get_rank("turned"), communication.get_world_rank_from_group_rank("turned", 0))
mindspore.set_auto_parallel_context(device_num=2, global_rank=get_rank())
print(mindspore.get_auto_parallel_context("device_num"), mindspore.get_auto_parallel_context("global_rank"))
try:
    mindspore.set_auto_parallel_context(device_num=8)
except ParallelismError as error:
    print(str(error).split(';')[0])
"""

FAILURES = """
import os, signal, sys, time
from graphcore import communication
communication.init()
if communication.get_rank() == 1:
    if sys.argv[1] == "raise":
        raise ValueError("broken here")
    if sys.argv[1] == "exit":
        sys.exit(3)
    if sys.argv[1] == "leave":
        os._exit(7)
    os.kill(os.getpid(), signal.SIGKILL)
time.sleep(60)
"""


def test_ranks_and_groups(launch):
    found = lines_of(launch(GROUPS))
    for rank in (0, 1):
        assert found[rank] == [f"{rank} 2 {rank} 2 {1 - rank} 1", f"2 {rank}",
                               f"device_num=8: this is rank {rank} of 2"]


@pytest.mark.slow
@pytest.mark.parametrize("how, code, message", [
    ("raise", 1, "ValueError: broken here"), ("exit", 3, "exit code 3"), ("kill", 137, "killed by signal 9 (SIGKILL)"),
    ("leave", 7, "a rank left with exit code 7")])
def test_a_rank_that_fails_ends_all(launch, how, code, message):
    process = launch(FAILURES, how, timeout=50)
    assert process.returncode == code
    last = process.stderr.strip()
    assert last.startswith(("rank 1 ", "a rank left")) and message in last.splitlines()[-1]
