"""PyTorch's side of the tests of `load_torch_state_dict`; runs where PyTorch is, without graphcore.

    python tests/train/torch_nets.py record tests/train/data/torch_nets.npz     state dicts, inputs and outputs
    python tests/train/torch_nets.py check STATES.npz                           of graphcore: do they give its outputs?

Recorded with PyTorch 2.13 (CPU).  An archive holds ``<net>/state/<name>``, ``<net>/input<i>`` and ``<net>/output<i>``.
"""
import sys

import numpy as np
import torch
from torch import nn


class Norms1d(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(2, 4, 3, padding=1)
        self.bn = nn.BatchNorm1d(4)
        self.up = nn.ConvTranspose1d(4, 3, 2, stride=2)
        self.instance = nn.InstanceNorm1d(3, affine=True)

    def forward(self, x):
        return self.instance(self.up(self.bn(self.conv(x))))


class Text(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(7, 4)
        self.lstm = nn.LSTM(4, 3, num_layers=2, bidirectional=True, batch_first=True)
        self.gru = nn.GRU(6, 3, batch_first=True)
        self.rnn = nn.RNN(3, 2, batch_first=True)

    def forward(self, ids):
        return self.rnn(self.gru(self.lstm(self.embedding(ids))[0])[0])[0]


class Cells(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.gru, self.rnn = nn.LSTMCell(2, 3), nn.GRUCell(3, 3), nn.RNNCell(3, 2)

    def forward(self, x, h, c):
        return self.rnn(self.gru(self.lstm(x, (h, c))[0], h), x)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.same = nn.MultiheadAttention(4, 2, batch_first=True)
        self.other = nn.MultiheadAttention(4, 2, kdim=3, vdim=2, add_bias_kv=True, batch_first=True)

    def forward(self, q, k, v):
        return self.other(self.same(q, q, q)[0], k, v)[0]


class Heads(nn.Module):
    """A list, a dict, layers that stand at two places, a bilinear one."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(3, 3), nn.Linear(3, 3, bias=False)])
        self.heads = nn.ModuleDict({"a": nn.Linear(3, 2), "b": nn.Linear(3, 2)})
        self.first = nn.Linear(3, 3)
        self.again = self.first
        self.both = nn.Bilinear(2, 2, 2)

    def forward(self, x):
        for layer in self.layers:
            x = torch.relu(layer(x))
        x = self.again(self.first(x))
        return self.both(self.heads["a"](x), self.heads["b"](x))


NETS = {
    "image": lambda: nn.Sequential(nn.Conv2d(2, 4, 3, padding=1, groups=2), nn.BatchNorm2d(4), nn.PReLU(4),
                                   nn.GroupNorm(2, 4), nn.InstanceNorm2d(4, affine=True),
                                   nn.ConvTranspose2d(4, 2, 2, stride=2, bias=False), nn.Flatten(), nn.Linear(72, 3),
                                   nn.LayerNorm(3)),
    "plain norms": lambda: nn.Sequential(nn.BatchNorm2d(2, affine=False), nn.InstanceNorm2d(2)),
    "volume": lambda: nn.Sequential(nn.Conv3d(1, 2, 2), nn.BatchNorm3d(2), nn.ConvTranspose3d(2, 1, 2)),
    "1d": Norms1d, "text": Text, "cells": Cells, "attention": Attention, "heads": Heads,
    "transformer": lambda: nn.Transformer(4, 2, 1, 1, 6, dropout=0.0, batch_first=True),
}
SHAPES = {"image": [(2, 2, 3, 3)], "plain norms": [(2, 2, 3, 3)], "volume": [(1, 1, 3, 3, 3)], "1d": [(2, 2, 5)],
          "text": [(2, 5)], "cells": [(2, 2), (2, 3), (2, 3)], "attention": [(2, 3, 4), (2, 5, 3), (2, 5, 2)],
          "heads": [(2, 3)], "transformer": [(2, 3, 4), (2, 2, 4)]}


def inputs(name):
    random = np.random.RandomState(len(name))
    return [random.randint(0, 7, shape) if name == "text" else random.randn(*shape).astype(np.float32)
            for shape in SHAPES[name]]


def outputs(net, arrays):
    with torch.no_grad():
        return net(*map(torch.from_numpy, arrays)).numpy()


def record(path):
    torch.manual_seed(0)
    found = {}
    for name, make in NETS.items():
        net = make()
        for p in [*net.parameters(), *net.buffers()]:          # none at its initial value
            if p.is_floating_point():
                p.data.copy_(torch.rand(p.shape) - 0.3)
        for key, value in net.state_dict().items():
            if key.endswith("running_var"):
                value.abs_().add_(0.1)
            found[f"{name}/state/{key}"] = value.numpy().copy()
        net.eval()
        found.update({f"{name}/input{i}": array for i, array in enumerate(inputs(name))})
        found[f"{name}/output"] = outputs(net, inputs(name))
    np.savez_compressed(path, **found)


def check(path):
    states = np.load(path)
    for name, make in NETS.items():
        net = make()
        prefix = f"{name}/state/"
        state = {k.removeprefix(prefix): torch.from_numpy(states[k]) for k in states.files if k.startswith(prefix)}
        net.load_state_dict(state)
        net.eval()
        np.testing.assert_allclose(outputs(net, inputs(name)), states[f"{name}/output"], rtol=1e-5, atol=1e-5)
        print(name, "agrees")


if __name__ == "__main__":
    {"record": record, "check": check}[sys.argv[1]](sys.argv[2])
