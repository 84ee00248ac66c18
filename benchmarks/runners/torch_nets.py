"""The networks of the workloads as PyTorch's modules, with the optimisers that train them."""
from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.weights import GPT, LSTM_HIDDEN, LSTM_INPUTS, mobilenetv2_blocks, resnet18_blocks
from benchmarks.workloads import FUSED_SCALE


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


class InvertedResidual(nn.Module):
    """MobileNetV2's block: more channels, a 3x3 convolution on each by itself, fewer channels."""

    def __init__(self, block):
        super().__init__()
        self.expands, self.residual, hidden = block.expands, block.residual, block.hidden
        if block.expands:
            self.econv, self.ebn = nn.Conv2d(block.inputs, hidden, 1, bias=False), nn.BatchNorm2d(hidden)
        self.dconv = nn.Conv2d(hidden, hidden, 3, block.stride, 1, groups=hidden, bias=False)
        self.dbn = nn.BatchNorm2d(hidden)
        self.pconv, self.pbn = nn.Conv2d(hidden, block.outputs, 1, bias=False), nn.BatchNorm2d(block.outputs)

    def forward(self, x):
        y = F.relu6(self.ebn(self.econv(x))) if self.expands else x
        y = self.pbn(self.pconv(F.relu6(self.dbn(self.dconv(y)))))
        return x + y if self.residual else y


class MobileNetV2(nn.Module):
    """MobileNetV2, width 1.0, for ImageNet's images."""

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32)
        for block in mobilenetv2_blocks():
            self.add_module(block.name, InvertedResidual(block))
        self.names = [block.name for block in mobilenetv2_blocks()]
        self.conv2, self.bn2 = nn.Conv2d(320, 1280, 1, bias=False), nn.BatchNorm2d(1280)
        self.fc = nn.Linear(1280, 1000)

    def forward(self, x):
        x = F.relu6(self.bn1(self.conv1(x)))
        for name in self.names:
            x = getattr(self, name)(x)
        return self.fc(F.relu6(self.bn2(self.conv2(x))).mean((2, 3)))


class TransformerBlock(nn.Module):
    """Pre-LN: causal self-attention, then two dense layers with gelu between them, each added to its input."""

    def __init__(self):
        super().__init__()
        width = GPT.width
        self.ln1, self.ln2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.fc, self.out = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        batch, length, width = x.shape
        q, k, v = (part.view(batch, length, GPT.heads, width // GPT.heads).transpose(1, 2)
                   for part in self.qkv(self.ln1(x)).split(width, -1))
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(batch, length, width)
        x = x + self.proj(mixed)
        return x + self.out(F.gelu(self.fc(self.ln2(x)), approximate="tanh"))


class Gpt(nn.Module):
    """A small GPT: tokens (N, T) to logits (N, T, vocabulary)."""

    def __init__(self):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(GPT.vocabulary, GPT.width), nn.Embedding(GPT.length, GPT.width)
        self.h = nn.Sequential(*(TransformerBlock() for _ in range(GPT.layers)))
        self.lnf = nn.LayerNorm(GPT.width)
        self.head = nn.Linear(GPT.width, GPT.vocabulary, bias=False)
        self.register_buffer("positions", torch.arange(GPT.length), persistent=False)

    def forward(self, tokens):
        return self.head(self.lnf(self.h(self.wte(tokens) + self.wpe(self.positions))))


class Lstm(nn.Module):
    """An LSTM, and a dense layer on its last state."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(LSTM_INPUTS, LSTM_HIDDEN, batch_first=True)
        self.fc = nn.Linear(LSTM_HIDDEN, 10)

    def forward(self, x):
        return self.fc(self.lstm(x)[1][0][0])


class Fused(nn.Module):
    """gelu_tanh(x * 1.5 + b) * sigmoid(c) + tanh(d), element by element."""

    def forward(self, x, b, c, d):
        return F.gelu(x * FUSED_SCALE + b, approximate="tanh") * torch.sigmoid(c) + torch.tanh(d)


NETS = {"mlp": Mlp, "lenet5": LeNet5, "resnet18_cifar": lambda: ResNet18(large=False),
        "resnet18_224": lambda: ResNet18(large=True), "mobilenetv2_224": MobileNetV2, "gpt": Gpt, "lstm": Lstm,
        "tiny": Tiny, "fused": Fused, "newton": Newton, "branching_rnn": BranchingRnn}


def make_optimizer(name: str, net):
    """The optimiser of a workload, in PyTorch's fused form: the fastest that it has."""
    parameters = list(net.parameters())
    if name in ("mlp", "lstm"):
        return torch.optim.Adam(parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, fused=True)
    if name == "gpt":
        return torch.optim.AdamW(_decayed(parameters, 0.1), lr=3e-4, betas=(0.9, 0.95), eps=1e-8, fused=True)
    if name == "lenet5":
        return torch.optim.SGD(parameters, lr=0.01, momentum=0.9, fused=True)
    norms = [p for module in net.modules() if isinstance(module, nn.BatchNorm2d) for p in module.parameters()]
    others = [p for module in net.modules() if isinstance(module, (nn.Conv2d, nn.Linear)) for p in module.parameters()]
    groups = [{"params": others, "weight_decay": 5e-4}, {"params": norms, "weight_decay": 0.0}]
    return torch.optim.SGD(groups, lr=0.01, momentum=0.9, fused=True)


def _decayed(parameters: list, decay: float) -> list[dict]:
    """Two groups: matrices, with weight decay, and vectors."""
    return [{"params": [p for p in parameters if p.dim() >= 2], "weight_decay": decay},
            {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0}]


def loss_of(net, x, y):
    """The mean cross-entropy of the net's logits, (N, classes) or (N, T, classes), and y."""
    logits = net(x)
    return F.cross_entropy(logits.view(-1, logits.shape[-1]), y.reshape(-1))


def load(net, weights) -> None:
    """Put the generated weights into a module."""
    missing, unexpected = net.load_state_dict({k: torch.tensor(v) for k, v in weights.items()}, strict=False)
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise ValueError(f"the weights do not fit the net: missing {missing}, unexpected {unexpected}")
