"""Training on two ranks with half of each batch is training on one with all of it."""
import json
import os
import subprocess
import sys

import pytest

from tests.distributed.conftest import lines_of

TRAIN = """
import json, sys
import numpy as np
import mindspore as ms
from mindspore import Tensor, communication, nn, ops
from mindspore.communication import get_group_size, get_rank

communication.init()
rank, size = get_rank(), get_group_size()
steps, sharded, cases = int(sys.argv[1]), sys.argv[2] == "sharded", sys.argv[3:]
ms.set_auto_parallel_context(parallel_mode=ms.ParallelMode.DATA_PARALLEL, gradients_mean=True, parameter_broadcast=True,
                             enable_parallel_optimizer=sharded,
                             parallel_optimizer_config={"parallel_optimizer_threshold": 0})
ms.set_seed(7 + rank)       # without the broadcast ranks would begin with different weights

class LeNet5(nn.Cell):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5, pad_mode="valid"), nn.Conv2d(6, 16, 5, pad_mode="valid")
        self.fc1, self.fc2, self.fc3 = nn.Dense(256, 120), nn.Dense(120, 84), nn.Dense(84, 10)
        self.pool, self.relu, self.flatten = nn.MaxPool2d(2, 2), nn.ReLU(), nn.Flatten()

    def construct(self, x):
        x = self.pool(self.relu(self.conv1(x)))
        x = self.flatten(self.pool(self.relu(self.conv2(x))))
        return self.fc3(self.relu(self.fc2(self.relu(self.fc1(x)))))

NETS = {"mlp": (lambda: nn.SequentialCell(nn.Dense(20, 64), nn.Tanh(), nn.Dense(64, 10)), (20,)),
        "norm": (lambda: nn.SequentialCell(nn.Dense(20, 64), nn.SyncBatchNorm(64), nn.Tanh(), nn.Dense(64, 10)), (20,)),
        "lenet5": (LeNet5, (1, 28, 28))}
OPTIMIZERS = {"sgd": lambda p: nn.SGD(p, 0.02), "momentum": lambda p: nn.Momentum(p, 0.005, 0.9),
              "adam": lambda p: nn.Adam(p, 0.001)}

def train(net, optimizer):
    make, shape = NETS[net]
    cell = make()
    step = nn.TrainOneStepCell(nn.WithLossCell(cell, nn.SoftmaxCrossEntropyWithLogits(True, "mean")),
                               OPTIMIZERS[optimizer](cell.trainable_params())).set_train()
    generator, total, losses = np.random.default_rng(1), ops.AllReduce(), []
    data = generator.standard_normal((4, 16, *shape)).astype(np.float32)
    labels = generator.integers(0, 10, (4, 16)).astype(np.int32)
    for i in range(steps):
        x, y = (np.split(a[i % 4], size)[rank] for a in (data, labels))
        losses.append(float(total(step(Tensor(x), Tensor(y)))) / size)
    return losses, [float(abs(p.asnumpy()).sum()) for p in cell.trainable_params()]

for case in cases:          # lines short enough for mpiexec to pass on whole
    losses, weights = train(*case.split("-"))
    for i in range(0, steps, 50):
        print(json.dumps([case, losses[i:i + 50], weights]))
"""


def _alone(folder, *arguments) -> dict:
    """What the script gives as a single process."""
    (folder / "alone.py").write_text(TRAIN)
    process = subprocess.run([sys.executable, "-m", "graphcore.cli.main", "run", str(folder / "alone.py"), *arguments],
                             capture_output=True, text=True, env={**os.environ, "GRAPHCORE_THREADS": "1"})
    assert process.returncode == 0, process.stderr
    return _trained(process.stdout.splitlines())


def _trained(lines: list) -> dict:
    """case → (losses, sizes of the weights), of what the script printed."""
    found: dict = {}
    for line in lines:
        case, losses, weights = json.loads(line)
        found[case] = found.get(case, ([],))[0] + losses, weights
    return found


def _compare(launch, folder, how, steps, *cases) -> None:
    wanted = _alone(folder, str(steps), how, *cases)
    found = [_trained(lines) for lines in lines_of(launch(TRAIN, steps, how, *cases)).values()]
    assert len(found) == 2
    for case, (losses, weights) in wanted.items():
        for of_rank in found:
            assert of_rank[case][0] == pytest.approx(losses, rel=1e-6, abs=1e-9), case
            assert of_rank[case][1] == pytest.approx(weights, rel=1e-5), case
        assert found[0][case] == found[1][case]
        assert losses[-1] < losses[0]


def test_two_ranks_train_as_one(launch, tmp_path):
    _compare(launch, tmp_path, "whole", 10, "norm-momentum")


@pytest.mark.slow
def test_two_runs_give_the_same_bits(launch):
    first, second = (lines_of(launch(TRAIN, 20, "sharded", "lenet5-adam", "mlp-momentum")) for _ in range(2))
    assert first == second


@pytest.mark.slow
@pytest.mark.parametrize("how", ["whole", "sharded"])
def test_a_hundred_steps_on_two_ranks_are_those_on_one(launch, tmp_path, how):
    _compare(launch, tmp_path, how, 100, *(f"{net}-{optimizer}" for net in ("mlp", "lenet5")
                                           for optimizer in ("sgd", "momentum", "adam")))


MODEL = """
import glob, os, sys
import numpy as np
import mindspore as ms
from graphcore.communication.parameters import as_rank_0, mean_of_all
from mindspore import communication, dataset, nn
from mindspore.train import Callback, CheckpointConfig, Model, ModelCheckpoint

communication.init()
rank, size = communication.get_rank(), communication.get_group_size()
ms.set_auto_parallel_context(parallel_mode="data_parallel", gradients_mean=True, parameter_broadcast=True)
x = np.arange(16, dtype=np.float32).reshape(16, 1)
data = dataset.NumpySlicesDataset((x, x), ["x", "y"], shuffle=True, num_shards=size, shard_id=rank)
print(*sorted(int(row[0][0]) for row in data.create_tuple_iterator(output_numpy=True)))

class Facts(Callback):
    def on_train_end(self, run_context):
        run = run_context.original_args()
        print(run.parallel_mode, run.device_number, run.cur_step_num)

net = nn.Dense(1, 1)
Model(net, nn.MSELoss(), nn.SGD(net.trainable_params(), 0.001)).train(
    2, data.batch(4), callbacks=[Facts(), ModelCheckpoint("net", "saved", CheckpointConfig(2))])
communication.comm_func.barrier()
print(mean_of_all(rank + 1.0), as_rank_0(rank == 1), as_rank_0(rank == 0))
print(repr(float(net.weight.asnumpy()[0, 0])), *sorted(map(os.path.basename, glob.glob("saved/*.ckpt"))))
"""


@pytest.mark.slow
def test_a_script_with_model_and_sharded_dataset_runs_unchanged(launch):
    found = lines_of(launch(MODEL))
    assert sorted(int(n) for lines in found.values() for n in lines[0].split()) == list(range(16))
    assert found[0][1] == found[1][1] == "data_parallel 2 4"
    assert found[0][2] == found[1][2] == "1.5 False True"
    assert found[0][3] == found[1][3] and found[0][3].endswith(" net-1_2.ckpt net-2_2.ckpt")
