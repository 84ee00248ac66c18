"""PyTorch, eager; variant "channels_last" keeps images and convolution weights in that memory format."""
from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.runners.task import Task, Unsupported
from benchmarks.workloads import Given, resnet18_blocks

CONVOLUTIONAL = ("lenet5", "resnet18_cifar", "resnet18_224")


class Mlp(nn.Module):
    """784-512-512-10 with relu."""

    def __init__(self):
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(784, 512), nn.Linear(512, 512), nn.Linear(512, 10)

    def forward(self, x):
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))


class LeNet5(nn.Module):
    """LeNet-5 with relu and max pooling."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5), nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2, self.fc3 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.relu(self.fc1(x.flatten(1)))
        return self.fc3(F.relu(self.fc2(x)))


class Tiny(nn.Module):
    """16-32-1 with tanh."""

    def __init__(self):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(16, 32), nn.Linear(32, 1)

    def forward(self, x):
        return self.fc2(torch.tanh(self.fc1(x)))


class Newton(nn.Module):
    """x exp(x) = |a| + 0.1 by Newton's method until no step exceeds 1e-6."""

    def forward(self, a):
        a = a.abs() + 0.1
        x = torch.log(a + 1.0)
        largest = torch.tensor(1.0)
        while largest > 1e-6:
            e = torch.exp(x)
            step = (x * e - a) / (e * (x + 1.0))
            x = x - step
            largest = step.abs().max()
        return x


class BranchingRnn(nn.Module):
    """A tanh cell with a branch in each step."""

    def __init__(self):
        super().__init__()
        self.inputs, self.state = nn.Linear(32, 32), nn.Linear(32, 32, bias=False)

    def forward(self, x):
        h = torch.zeros(1, 32)
        for row in x:
            h = torch.tanh(self.inputs(row) + self.state(h))
            h = h * 0.5 if h.sum() > 0.0 else h + 0.1
        return h


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with BatchNorm beside a shortcut."""

    def __init__(self, block):
        super().__init__()
        self.conv1 = nn.Conv2d(block.inputs, block.outputs, 3, block.stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(block.outputs)
        self.conv2 = nn.Conv2d(block.outputs, block.outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(block.outputs)
        self.projected = block.projected
        if block.projected:
            self.dconv = nn.Conv2d(block.inputs, block.outputs, 1, block.stride, bias=False)
            self.dbn = nn.BatchNorm2d(block.outputs)

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (self.dbn(self.dconv(x)) if self.projected else x))


class ResNet18(nn.Module):
    """ResNet-18: `large` for ImageNet's images, otherwise for CIFAR's."""

    def __init__(self, large):
        super().__init__()
        self.large = large
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False) if large else nn.Conv2d(3, 64, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        blocks = [ResidualBlock(block) for block in resnet18_blocks()]
        self.layer1, self.layer2 = nn.Sequential(*blocks[0:2]), nn.Sequential(*blocks[2:4])
        self.layer3, self.layer4 = nn.Sequential(*blocks[4:6]), nn.Sequential(*blocks[6:8])
        self.fc = nn.Linear(512, 1000 if large else 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        if self.large:
            x = F.max_pool2d(x, 3, 2, 1)
        return self.fc(self.layer4(self.layer3(self.layer2(self.layer1(x)))).mean((2, 3)))


NETS = {"mlp": Mlp, "lenet5": LeNet5, "tiny": Tiny, "resnet18_cifar": lambda: ResNet18(large=False),
        "resnet18_224": lambda: ResNet18(large=True), "newton": Newton, "branching_rnn": BranchingRnn}


def make_optimizer(name: str, net):
    """The optimiser of a workload, in PyTorch's fused form: the fastest that it has."""
    if name == "mlp":
        return torch.optim.Adam(net.parameters(), lr=1e-3, betas=(0.9, 0.999), eps=1e-8, fused=True)
    if name == "lenet5":
        return torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, fused=True)
    norms = [p for module in net.modules() if isinstance(module, nn.BatchNorm2d) for p in module.parameters()]
    others = [p for module in net.modules() if isinstance(module, (nn.Conv2d, nn.Linear)) for p in module.parameters()]
    groups = [{"params": others, "weight_decay": 5e-4}, {"params": norms, "weight_decay": 0.0}]
    return torch.optim.SGD(groups, lr=0.01, momentum=0.9, fused=True)


class Framework:
    """PyTorch on the CPU."""

    def __init__(self, threads: int, variant: str):
        self.version = torch.__version__
        self.channels_last = variant == "channels_last"
        torch.set_num_threads(threads)

    def prepare(self, given: Given) -> Task:
        """The task of a (workload, mode).  Raises Unsupported for what is not the variant's."""
        if given.name not in (CONVOLUTIONAL if self.channels_last else NETS):
            raise Unsupported(f"{given.name} has no images" if given.name in NETS else f"no net for {given.name}")
        net = NETS[given.name]()
        arguments = [tuple(map(self._tensor, arrays)) for arrays in given.arguments]
        if self.channels_last:
            net = net.to(memory_format=torch.channels_last)
        task = self._training if given.trains else self._inference
        return task(given, net, arguments)

    def _tensor(self, array):
        tensor = torch.tensor(array)
        if not tensor.is_floating_point():
            return tensor.long()
        return tensor.contiguous(memory_format=torch.channels_last) if self.channels_last else tensor

    def _inference(self, given, net, arguments) -> Task:
        load(net, given.weights)
        return Task(net.eval(), arguments, to_numpy=lambda output: output.numpy(), scope=torch.inference_mode)

    def _training(self, given, net, arguments) -> Task:
        optimizer = make_optimizer(given.name, net.train())

        def reset() -> None:
            load(net, given.weights)
            optimizer.state.clear()

        def call(x, y) -> float:
            optimizer.zero_grad(set_to_none=True)
            loss = F.cross_entropy(net(x), y)
            loss.backward()
            optimizer.step()
            return loss.item()

        reset()
        return Task(call, arguments, reset)


def load(net, weights) -> None:
    """Put the generated weights into a module."""
    missing, unexpected = net.load_state_dict({k: torch.tensor(v) for k, v in weights.items()}, strict=False)
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise ValueError(f"the weights do not fit the net: missing {missing}, unexpected {unexpected}")
