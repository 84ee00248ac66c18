"""What scripts get wrong on several ranks, and what they are told; none of it may end in silence."""
import pytest

TRAIN = """
import sys
import numpy as np
from mindspore import Parameter, Tensor, communication, nn, set_auto_parallel_context
from mindspore.dataset import NumpySlicesDataset
from mindspore.train import Callback, Model

mistake, rank, size = sys.argv[1], 0, 1
if mistake != "no init":
    communication.init()
    rank, size = communication.get_rank(), communication.get_group_size()
set_auto_parallel_context(parallel_mode="data_parallel", gradients_mean=True, parameter_broadcast=True)
x = np.random.default_rng(0).standard_normal((16, 8)).astype(np.float32)
shards = {} if mistake == "no shards" else {"num_shards": size, "shard_id": rank}
data = NumpySlicesDataset((x, x), ["x", "y"], shuffle=False, **shards).batch(2 + 2 * (mistake == "batch" and rank))

class Net(nn.Cell):
    def __init__(self):
        super().__init__()
        self.layer = nn.Dense(8, 8)
        if mistake == "parameter" and rank:
            self.scale = Parameter(Tensor(np.ones(8, np.float32)))
    def construct(self, x):
        return self.layer(x)

class Stop(Callback):
    def on_train_step_end(self, run_context):
        if mistake == "stop" and rank:
            run_context.request_stop()

net = Net()
Model(net, nn.MSELoss(), nn.Adam(net.trainable_params())).train(1, data, callbacks=[Stop()])
print("trained")
"""


@pytest.mark.slow
@pytest.mark.parametrize("mistake, told", [
    ("no init", "call communication.init() first"),
    ("batch", "4 on rank 0, 2 on rank 1; give all the same num_shards"),
    ("parameter", "Parameter number 1 is layer.weight float32[8, 8] on rank 0, but scale float32[8] on rank 1"),
    ("stop", "rank 1 has come to the end of its script, but rank 0 waits for it in all_reduce")])
def test_mistakes_are_errors(launch, mistake, told):
    process = launch(TRAIN, mistake)
    assert process.returncode == 1 and told in process.stderr, process.stderr


@pytest.mark.slow
def test_equal_data_on_all_ranks_is_worth_a_warning(launch):
    process = launch(TRAIN, "no shards")
    assert process.stdout.count("trained") == 2 and process.stderr.count("num_shards=get_group_size()") == 1
    assert "train on the same batches" not in launch(TRAIN, "none").stderr
