"""`summary`: the table of a net, counted without running it."""
import json

import numpy as np
import pytest

from graphcore import Tensor, context, nn, ops, summary
from graphcore.cli.main import main
from graphcore.errors import ShapeError

LENET = """
from graphcore import nn

class LeNet(nn.Cell):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, pad_mode="valid", has_bias=True)
        self.conv2 = nn.Conv2d(6, 16, 5, pad_mode="valid", has_bias=True)
        self.pool = nn.MaxPool2d(2, 2)
        self.head = nn.SequentialCell(nn.Flatten(), nn.Dense(400, 120), nn.ReLU(), nn.Dense(120, 84), nn.ReLU(),
                                      nn.Dense(84, 10))

    def construct(self, x):
        return self.head(self.pool(self.conv2(self.pool(self.conv1(x)))))
"""


@pytest.fixture
def lenet(tmp_path):
    path = tmp_path / "lenet.py"
    path.write_text(LENET)
    return path


def rows_of(net, *inputs):
    return {row.path: row for row in summary(net, *inputs).rows}


def test_the_counts_of_lenet(lenet):
    space = {}
    exec(LENET, space)
    net = space["LeNet"]()
    found = summary(net, (2, 1, 32, 32))
    rows = {row.path: row for row in found.rows}
    assert found.parameters == found.trainable == 61_706            # LeCun's LeNet-5 with full connections
    assert rows["conv1"].parameters == 6 * 25 + 6
    assert rows["conv1"].multiply_adds == 2 * 6 * 28 * 28 * 25
    assert rows["conv2"].multiply_adds == 2 * 16 * 10 * 10 * 6 * 25
    assert rows["head"].multiply_adds == 2 * (400 * 120 + 120 * 84 + 84 * 10)
    assert found.multiply_adds == sum(rows[path].multiply_adds for path in ("conv1", "conv2", "head"))
    assert rows["pool"].outputs == ("f32[2,16,5,5]",) and rows["head.1"].output_bytes == 2 * 120 * 4
    assert found.parameter_bytes == 4 * 61_706 and found.arena_bytes > 0
    lines = str(found).splitlines()
    assert lines[2].split() == ["LeNet", "f32[2,10]", "61,706", "833,040", "80", "bytes"]
    assert "  conv1 (Conv2d)" in lines[3] and "    1 (Dense)" in str(found)
    assert "    1 (Dense)" not in found.table(depth=1)


class Block(nn.Cell):
    def __init__(self, inside, outside, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inside, outside, 3, stride), nn.BatchNorm2d(outside)
        self.conv2, self.bn2 = nn.Conv2d(outside, outside, 3), nn.BatchNorm2d(outside)
        self.short = nn.SequentialCell(nn.Conv2d(inside, outside, 1, stride), nn.BatchNorm2d(outside)) \
            if stride > 1 else nn.Identity()

    def construct(self, x):
        y = self.bn2(self.conv2(ops.relu(self.bn1(self.conv1(x)))))
        return ops.relu(y + self.short(x))


def test_resnet18_has_the_counts_that_everybody_knows():
    stages = [Block(*sizes) for sizes in [(64, 64, 1), (64, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2),
                                          (256, 256, 1), (256, 512, 2), (512, 512, 1)]]
    net = nn.SequentialCell(nn.Conv2d(3, 64, 7, 2), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, "same"), *stages,
                            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dense(512, 1000))
    found = summary(net, "f32[1,3,224,224]")
    assert found.trainable == 11_689_512 and found.parameters == 11_689_512 + 9_600     # the moving statistics
    assert found.multiply_adds == 1_814_073_344
    assert found.rows[0].outputs == ("f32[1,1000]",)


@pytest.mark.parametrize("net, inputs, count", [
    (nn.Conv2d(4, 8, 3, group=2), [(1, 4, 6, 6)], 8 * 36 * 2 * 9),
    (nn.Conv2dTranspose(4, 8, 2, stride=2, pad_mode="valid"), [(1, 4, 6, 6)], 4 * 36 * 8 * 4),
    (nn.Conv1d(4, 8, 3, pad_mode="valid"), [(2, 4, 10)], 2 * 8 * 8 * 4 * 3),
    (nn.LSTM(8, 16, batch_first=True), [(2, 5, 8)], 2 * 5 * (8 + 16) * 4 * 16),
    (nn.MultiheadAttention(8, 2, batch_first=True), [(3, 5, 8)] * 3, 3 * (4 * 5 * 8 * 8 + 2 * 5 * 5 * 8)),
], ids=lambda value: type(value).__name__ if isinstance(value, nn.Cell) else None)
def test_multiply_adds(net, inputs, count):
    assert summary(net, *inputs).multiply_adds == count


class Repeats(nn.Cell):
    def __init__(self):
        super().__init__()
        self.step, self.unused = nn.Dense(4, 4), nn.Dense(4, 4)

    def construct(self, x):
        for _ in range(100):
            x = self.step(x)
        if ops.sum(x) > 0:
            x = self.step(self.step(x))
        else:
            x = self.step(x)
        return x, {"twice": x + x}


def test_loops_and_branches():
    found = summary(Repeats(), Tensor(np.ones((1, 4), np.float32)))
    rows = {row.path: row for row in found.rows}
    assert rows["step"].multiply_adds == 102 * 16 and not found.at_least
    assert rows[""].outputs == ("f32[1,4]", "f32[1,4]")
    assert rows["unused"].outputs == () and "not called" in str(found)


class Until(nn.Cell):
    def __init__(self):
        super().__init__()
        self.step = nn.Dense(4, 4)

    def construct(self, x):
        while ops.sum(x) < 10:
            x = self.step(x)
        return x


def test_an_unknown_number_of_iterations_counts_as_one():
    found = summary(Until(), (1, 4))
    assert found.at_least and found.multiply_adds == 16 and "at least 16" in str(found)


def test_symbolic_sizes_stay_symbols():
    found = summary(nn.Dense(3, 5), "f32[N,3]")
    assert str(found.multiply_adds) == "15*N" and found.arena_bytes is None
    assert found.as_dict()["multiply_adds"] == "15*N"


def test_a_summary_leaves_the_net_as_it_was():
    net = nn.SequentialCell(nn.Dense(3, 5), nn.ReLU())
    holder = nn.SequentialCell(nn.Flatten(), net)
    x = Tensor(np.ones((2, 3), np.float32))
    before = net(x).asnumpy()
    assert rows_of(net, x).keys() == {"", "0", "1"}
    assert [name for name, _ in holder.parameters_and_names()] == ["1.0.weight", "1.0.bias"]
    assert np.array_equal(net(x).asnumpy(), before)
    if context.get_context("mode") == context.GRAPH_MODE:
        assert net._compiled.programs == 1
    with pytest.raises(ShapeError):
        summary(net, (2, 4))
    assert not any(cell._extras for cell in net.cells())


def test_what_it_refuses():
    with pytest.raises(TypeError, match="summary takes a Cell, got function"):
        summary(lambda x: x, (1,))
    with pytest.raises(TypeError, match="an input is a Tensor, a shape or a type"):
        summary(nn.ReLU(), 3)


def test_the_command(lenet, capsys):
    assert main(["summary", f"{lenet}:LeNet", "--input", "f32[1,1,32,32]", "--depth", "1"]) == 0
    assert "head (SequentialCell)  f32[1,10]" in capsys.readouterr().out
    assert main(["summary", f"{lenet}:LeNet", "--input", "f32[1,1,32,32]", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["parameters"] == 61_706 and found["cells"][1]["path"] == "conv1"
    assert main(["summary", f"{lenet}:LeNet"]) == 2
    assert "repeat --input TYPE for each" in capsys.readouterr().err
