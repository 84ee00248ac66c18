"""What processes keep: Parameters, parts of an optimiser's state, slices; checkpoints of them; and a rank's end."""
import time

import pytest

import graphcore as gc
from graphcore import nn
from graphcore.errors import ShapeError
from graphcore.initializer import initializer
from graphcore.ops import transport
from tests.distributed.conftest import lines_of

CONTINUED = """
import sys
import numpy as np
import graphcore as gc
from graphcore import Tensor, communication, nn
communication.init()
rank, size = communication.get_rank(), communication.get_group_size()
action, sharded, path = sys.argv[1:]
gc.set_auto_parallel_context(parallel_mode="data_parallel", gradients_mean=True, parameter_broadcast=True,
                             enable_parallel_optimizer=sharded == "sharded",
                             parallel_optimizer_config={"parallel_optimizer_threshold": 0})
gc.set_seed(1)
net = nn.SequentialCell(nn.Dense(8, 6), nn.Tanh(), nn.Dense(6, 3))
optimizer = nn.Adam(net.trainable_params(), 0.01)
step = nn.TrainOneStepCell(nn.WithLossCell(net, nn.MSELoss()), optimizer).set_train()
generator = np.random.default_rng(2)
x, y = (generator.standard_normal((10, 4, n)).astype(np.float32) for n in (8, 3))

def train(first, last):
    for i in range(first, last):
        step(*(Tensor(np.split(a[i], size)[rank]) for a in (x, y)))

if action == "save":
    train(0, 5)
    gc.save_checkpoint(step, path)
else:
    missing, unused = gc.load_param_into_net(step, gc.load_checkpoint(path))
    assert not missing and not unused, (missing, unused)
train(5, 10)
shapes = {p.name: p.shape for p in optimizer.get_parameters()}
print(*(f"{np.abs(p.asnumpy()).sum():.5f}" for p in net.trainable_params()), shapes["moment1.0.weight"],
      shapes["moment1.2.weight"])
"""


@pytest.mark.slow
def test_checkpoints_are_whole_and_resume_on_another_number_of_ranks(launch, tmp_path):
    path = tmp_path / "five.ckpt"
    first = lines_of(launch(CONTINUED, "save", "sharded", path))
    assert first[0] == first[1] and first[0][0].endswith("(3, 8) (3, 6)")       # 3 rows cannot be divided
    saved = gc.load_checkpoint(str(path))
    assert saved["moment1.0.weight"].shape == (6, 8) and not any("own_part" in name for name in saved)
    trained = first[0][0].split(" (")[0]
    for how, ranks in (("sharded", 2), ("whole", 2), ("sharded", 1)):
        found = lines_of(launch(CONTINUED, "resume", how, path, ranks=ranks))
        values = [float(v) for v in found[0][0].split(" (")[0].split()]
        assert values == pytest.approx([float(v) for v in trained.split()], rel=1e-5), (how, ranks)


LAYERWISE = """
import numpy as np
import graphcore as gc
from graphcore import Parameter, Tensor, communication, nn, ops
communication.init()
rank, size = communication.get_rank(), communication.get_group_size()
gc.set_auto_parallel_context(parallel_mode="data_parallel", gradients_mean=True, parameter_broadcast=True)

class Net(nn.Cell):
    def __init__(self):
        super().__init__()
        self.ours = Parameter(Tensor(np.full(3, 1.0 + rank, np.float32)), name="ours")
        self.mine = Parameter(Tensor(np.full(3, 1.0 + rank, np.float32)), name="mine", layerwise_parallel=True)
    def construct(self, x):
        return ((self.ours + self.mine) * x).sum()

net, x = Net(), Tensor(np.full(3, 1.0 + rank, np.float32))
step = nn.TrainOneStepCell(net, nn.SGD(net.trainable_params(), 1.0)).set_train()
step(x)
print(net.ours.asnumpy()[0], net.mine.asnumpy()[0])

net = Net()         # the same with functions, as scripts of newer versions do
optimizer = nn.SGD(net.trainable_params(), 1.0)
reducer = nn.DistributedGradReducer(optimizer.parameters)
differentiate = gc.value_and_grad(net, None, optimizer.parameters)
def train_step(x):
    loss, gradients = differentiate(x)
    optimizer(reducer(gradients))
    return loss
gc.jit(train_step)(x)
print(net.ours.asnumpy()[0], net.mine.asnumpy()[0])
"""


@pytest.mark.slow
def test_layerwise_parallel_parameters_belong_to_their_rank(launch):
    found = lines_of(launch(LAYERWISE))
    # ours begins as rank 0 has it and takes the mean of the gradients 1 and 2; mine stays each rank's own
    assert found == {0: ["-0.5 0.0"] * 2, 1: ["-0.5 0.0"] * 2}


KILLED = """
import os, signal, sys, threading
import numpy as np
import graphcore as gc
from graphcore import Tensor, communication, nn
communication.init()
gc.set_auto_parallel_context(parallel_mode="data_parallel", gradients_mean=True, parameter_broadcast=True)
net = nn.SequentialCell(nn.Dense(64, 256), nn.Tanh(), nn.Dense(256, 8))
step = nn.TrainOneStepCell(nn.WithLossCell(net, nn.MSELoss()), nn.Adam(net.trainable_params(), 0.01)).set_train()
x, y = Tensor(np.ones((32, 64), np.float32)), Tensor(np.ones((32, 8), np.float32))
step(x, y)
gc.save_checkpoint(step, sys.argv[1])
if communication.get_rank() == 1:
    threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGKILL)).start()
while True:
    step(x, y)
    gc.save_checkpoint(step, sys.argv[1])
"""


@pytest.mark.slow
def test_a_rank_killed_in_a_step_ends_all_and_leaves_a_whole_checkpoint(launch, tmp_path):
    path = tmp_path / "last.ckpt"
    process = launch(KILLED, path, timeout=120)
    ended = time.time()
    assert process.returncode == 137
    assert "rank 1 " in process.stderr.strip().splitlines()[-1] and "SIGKILL" in process.stderr
    assert ended - path.stat().st_mtime < 10                # rank 0 wrote until it was stopped
    net = nn.SequentialCell(nn.Dense(64, 256), nn.Tanh(), nn.Dense(256, 8))
    assert gc.load_param_into_net(net, gc.load_checkpoint(str(path)))[0] == []


# -- slices, with a stand-in for the other ranks ------------------------------------------------------------------

class OneOf:
    """This process as rank `number` of `count`; nothing can be exchanged."""

    def __init__(self, number, count):
        self.number, self.count = number, count

    def rank(self, group):
        return self.number

    def size(self, group):
        return self.count


@pytest.fixture
def as_rank():
    yield lambda number, count: transport.install(OneOf(number, count))
    transport.install(None)


@pytest.mark.parametrize("grid, axes, shape, slices", [
    ((4,), (0, -1), (2, 6), lambda a, r: a[2 * r:2 * r + 2]),
    ((2, 2), (1, 0), (4, 3), lambda a, r: a[4 * (r // 2):4 * (r // 2) + 4, 3 * (r % 2):3 * (r % 2) + 3]),
    ((2, 2), (-1, 1), (8, 3), lambda a, r: a[:, 3 * (r // 2):3 * (r // 2) + 3])])
def test_a_slice_is_the_slice_of_the_whole(as_rank, grid, axes, shape, slices):
    for rank in range(4):
        gc.set_seed(5)
        whole = gc.Parameter(initializer("normal", (8, 6), gc.float32), name="w").init_data().asnumpy()
        gc.set_seed(5)
        as_rank(rank, 4)
        own = gc.Parameter(initializer("normal", (8, 6), gc.float32), name="w")
        assert own.init_data((grid, axes, shape, 0, True, ""), set_sliced=True) is own
        assert own.sliced and own.shape == shape
        assert (own.asnumpy() == slices(whole, rank)).all()


@pytest.mark.parametrize("layout, error", [
    ([(2,), (0,), (4,), 0, True, ""], TypeError), (((2,), (0,)), ValueError),
    (((2,), (0, 0), (4,), 0, True, ""), ValueError), (((3,), (0,), (4,), 0, True, ""), ShapeError),
    (((2,), (0,), (8,), 0, True, ""), ShapeError)])
def test_bad_layouts(layout, error):
    with pytest.raises(error, match="init_data"):
        gc.Parameter(initializer("ones", (8,), gc.float32), name="w").init_data(layout)


def test_only_large_parameters_that_may_be_shared_are(as_rank):
    as_rank(1, 2)
    gc.set_auto_parallel_context(parallel_mode="data_parallel", enable_parallel_optimizer=True)
    try:
        sizes = {"large": (256, 128), "small": (8, 8), "odd": (255, 256), "own": (256, 128), "whole": (256, 128)}
        parameters = [gc.Parameter(initializer("ones", shape, gc.float32), name=name, layerwise_parallel=name == "own",
                                   parallel_optimizer=name != "whole") for name, shape in sizes.items()]
        state = {p.name: p.shape for p in nn.Adam(parameters).moment1}
        assert state == {f"moment1.{name}": (128, 128) if name == "large" else shape for name, shape in sizes.items()}
        assert all(p.shape == sizes[p.name.removeprefix("lamb_m.")] for p in nn.Lamb(parameters, 0.1).moments1)
    finally:
        gc.reset_auto_parallel_context()
