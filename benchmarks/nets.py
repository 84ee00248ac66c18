"""The networks of the workloads as Cells, and their training steps.

This file is written against the interface that graphcore and MindSpore share; the runner of MindSpore imports it with
``graphcore`` standing for MindSpore, so that both are timed on the same program.
"""
from __future__ import annotations

from benchmarks.workloads import cell_names, resnet18_blocks
from graphcore import Tensor, nn, ops


class Mlp(nn.Cell):
    """784-512-512-10 with relu."""

    def __init__(self):
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Dense(784, 512), nn.Dense(512, 512), nn.Dense(512, 10)

    def construct(self, x):
        return self.fc3(ops.relu(self.fc2(ops.relu(self.fc1(x)))))


class LeNet5(nn.Cell):
    """LeNet-5 with relu and max pooling, for images (N, 1, 32, 32)."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, pad_mode="valid", has_bias=True)
        self.conv2 = nn.Conv2d(6, 16, 5, pad_mode="valid", has_bias=True)
        self.pool = nn.MaxPool2d(2, 2)
        self.flatten = nn.Flatten()
        self.fc1, self.fc2, self.fc3 = nn.Dense(400, 120), nn.Dense(120, 84), nn.Dense(84, 10)

    def construct(self, x):
        x = self.pool(ops.relu(self.conv1(x)))
        x = self.pool(ops.relu(self.conv2(x)))
        x = ops.relu(self.fc1(self.flatten(x)))
        return self.fc3(ops.relu(self.fc2(x)))


class Tiny(nn.Cell):
    """16-32-1 with tanh."""

    def __init__(self):
        super().__init__()
        self.fc1, self.fc2 = nn.Dense(16, 32), nn.Dense(32, 1)

    def construct(self, x):
        return self.fc2(ops.tanh(self.fc1(x)))


class Newton(nn.Cell):
    """The x with x exp(x) = |a| + 0.1, element by element, by Newton's method until no step exceeds 1e-6."""

    def construct(self, a):
        a = ops.abs(a) + 0.1
        x = ops.log(a + 1.0)
        largest = x.max() + 1.0
        while largest > 1e-6:
            e = ops.exp(x)
            step = (x * e - a) / (e * (x + 1.0))
            x = x - step
            largest = ops.abs(step).max()
        return x


class BranchingRnn(nn.Cell):
    """A tanh cell whose state shrinks after a step that leaves it positive in the mean, and is lifted otherwise."""

    def __init__(self):
        super().__init__()
        self.inputs, self.state = nn.Dense(32, 32), nn.Dense(32, 32, has_bias=False)

    def construct(self, x):
        h = x[0] * 0.0
        for row in x:
            h = ops.tanh(self.inputs(row) + self.state(h))
            if h.sum() > 0.0:
                h = h * 0.5
            else:
                h = h + 0.1
        return h


def conv3x3(inputs, outputs, stride):
    return nn.Conv2d(inputs, outputs, 3, stride, pad_mode="pad", padding=1)


class ResidualBlock(nn.Cell):
    """Two 3x3 convolutions with BatchNorm beside a shortcut, which is a 1x1 convolution where shapes differ."""

    def __init__(self, block):
        super().__init__()
        self.conv1, self.bn1 = conv3x3(block.inputs, block.outputs, block.stride), nn.BatchNorm2d(block.outputs)
        self.conv2, self.bn2 = conv3x3(block.outputs, block.outputs, 1), nn.BatchNorm2d(block.outputs)
        self.projected = block.projected
        if block.projected:
            self.dconv = nn.Conv2d(block.inputs, block.outputs, 1, block.stride, pad_mode="valid")
            self.dbn = nn.BatchNorm2d(block.outputs)

    def construct(self, x):
        y = ops.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        shortcut = self.dbn(self.dconv(x)) if self.projected else x
        return ops.relu(y + shortcut)


class ResNet18(nn.Cell):
    """ResNet-18: `large` for ImageNet's images (7x7 stem, pooling, 1000 classes), otherwise for CIFAR's."""

    def __init__(self, large):
        super().__init__()
        self.large = large
        if large:
            self.conv1 = nn.Conv2d(3, 64, 7, 2, pad_mode="pad", padding=3)
            self.pool = nn.MaxPool2d(3, 2, pad_mode="pad", padding=1)
        else:
            self.conv1 = conv3x3(3, 64, 1)
        self.bn1 = nn.BatchNorm2d(64)
        blocks = [ResidualBlock(block) for block in resnet18_blocks()]
        self.layer1, self.layer2 = nn.SequentialCell(blocks[0:2]), nn.SequentialCell(blocks[2:4])
        self.layer3, self.layer4 = nn.SequentialCell(blocks[4:6]), nn.SequentialCell(blocks[6:8])
        self.fc = nn.Dense(512, 1000 if large else 10)

    def construct(self, x):
        x = ops.relu(self.bn1(self.conv1(x)))
        if self.large:
            x = self.pool(x)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(ops.mean(x, (2, 3)))


NETS = {"mlp": Mlp, "lenet5": LeNet5, "tiny": Tiny, "resnet18_cifar": lambda: ResNet18(large=False),
        "resnet18_224": lambda: ResNet18(large=True), "newton": Newton, "branching_rnn": BranchingRnn}


def make_net(name: str, weights: dict):
    """The net of a workload with `weights` (see `workloads.params`), in evaluation mode.

    Raises ValueError for weights that the net has no Parameters for, KeyError where some are missing.
    """
    net = NETS[name]()
    names = cell_names(weights)
    values = {names[torch_name]: value for torch_name, value in weights.items()}
    for parameter in net.get_parameters():
        parameter.set_data(Tensor(values.pop(parameter.name)))
    if values:
        raise ValueError(f"the net of {name} has no Parameters {', '.join(values)}")
    return net.set_train(False)


def make_optimizer(name: str, net):
    """The optimiser of a workload that trains."""
    if name == "mlp":
        return nn.Adam(net.trainable_params(), learning_rate=1e-3, beta1=0.9, beta2=0.999, eps=1e-8)
    if name == "lenet5":
        return nn.Momentum(net.trainable_params(), learning_rate=0.01, momentum=0.9)
    norms = [p for p in net.trainable_params() if p.name.endswith((".gamma", ".beta"))]
    others = [p for p in net.trainable_params() if not p.name.endswith((".gamma", ".beta"))]
    groups = [{"params": others, "weight_decay": 5e-4}, {"params": norms, "weight_decay": 0.0}]
    return nn.Momentum(groups, learning_rate=0.01, momentum=0.9)


def make_step(name: str, net):
    """The training step of a workload: ``step(x, y)`` gives the loss as a Tensor."""
    loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")
    step = nn.TrainOneStepCell(nn.WithLossCell(net, loss), make_optimizer(name, net))
    return step.set_train()
