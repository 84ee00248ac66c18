"""Weights from PyTorch and back: nets of all kinds of layers give its recorded outputs; what does not fit is said.

``data/torch_nets.npz`` was written by PyTorch 2.13, see `torch_nets.py`.
"""
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

import graphcore as gc
from graphcore import nn, ops
from graphcore.errors import FormatError
from graphcore.files.safetensors_file import read_safetensors
from graphcore.train import CheckpointMismatchError

HERE = Path(__file__).parent
RECORDED = np.load(HERE / "data" / "torch_nets.npz")


class Norms1d(nn.Cell):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(2, 4, 3, pad_mode="pad", padding=1, has_bias=True)
        self.bn = nn.BatchNorm1d(4)
        self.up = nn.Conv1dTranspose(4, 3, 2, stride=2, has_bias=True)
        self.instance = nn.InstanceNorm1d(3)

    def construct(self, x):
        return self.instance(self.up(self.bn(self.conv(x))))


class Text(nn.Cell):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(7, 4)
        self.lstm = nn.LSTM(4, 3, num_layers=2, bidirectional=True, batch_first=True)
        self.gru = nn.GRU(6, 3, batch_first=True)
        self.rnn = nn.RNN(3, 2, batch_first=True)

    def construct(self, ids):
        return self.rnn(self.gru(self.lstm(self.embedding(ids))[0])[0])[0]


class Cells(nn.Cell):
    def __init__(self):
        super().__init__()
        self.lstm, self.gru, self.rnn = nn.LSTMCell(2, 3), nn.GRUCell(3, 3), nn.RNNCell(3, 2)

    def construct(self, x, h, c):
        return self.rnn(self.gru(self.lstm(x, (h, c))[0], h), x)


class Attention(nn.Cell):
    def __init__(self):
        super().__init__()
        self.same = nn.MultiheadAttention(4, 2, batch_first=True)
        self.other = nn.MultiheadAttention(4, 2, kdim=3, vdim=2, add_bias_kv=True, batch_first=True)

    def construct(self, q, k, v):
        return self.other(self.same(q, q, q)[0], k, v)[0]


class Heads(nn.Cell):
    def __init__(self):
        super().__init__()
        self.layers = nn.CellList([nn.Dense(3, 3), nn.Dense(3, 3, has_bias=False)])
        self.heads = nn.CellDict({"a": nn.Dense(3, 2), "b": nn.Linear(3, 2)})
        self.first = nn.Dense(3, 3)
        self.again = self.first
        self.both = nn.BiDense(2, 2, 2)

    def construct(self, x):
        for layer in self.layers:
            x = ops.relu(layer(x))
        x = self.again(self.first(x))
        return self.both(self.heads["a"](x), self.heads["b"](x))


def image(data_format="NCHW"):
    conv = (nn.Conv2d(2, 4, 3, group=2, has_bias=True) if data_format == "NCHW" else
            nn.Conv2d(2, 4, 3, group=2, has_bias=True, data_format="NHWC"))
    return nn.SequentialCell(conv, nn.BatchNorm2d(4), nn.PReLU(4), nn.GroupNorm(2, 4), nn.InstanceNorm2d(4),
                             nn.Conv2dTranspose(4, 2, 2, stride=2), nn.Flatten(), nn.Dense(72, 3),
                             nn.LayerNorm((3,), epsilon=1e-5))


NETS = {
    "image": image,
    "plain norms": lambda: nn.SequentialCell(nn.BatchNorm2d(2, affine=False), nn.InstanceNorm2d(2, affine=False)),
    "volume": lambda: nn.SequentialCell(nn.Conv3d(1, 2, 2, pad_mode="valid", has_bias=True), nn.BatchNorm3d(2),
                                        nn.Conv3dTranspose(2, 1, 2, pad_mode="valid", has_bias=True)),
    "1d": Norms1d, "text": Text, "cells": Cells, "attention": Attention, "heads": Heads,
    "transformer": lambda: nn.Transformer(4, 2, 1, 1, 6, dropout=0.0, batch_first=True),
}


def state(name) -> dict:
    prefix = f"{name}/state/"
    return {key.removeprefix(prefix): RECORDED[key] for key in RECORDED.files if key.startswith(prefix)}


@pytest.fixture(autouse=True)
def _eagerly():
    """What is tested are the weights: nothing needs to be compiled."""
    gc.set_context(mode=gc.PYNATIVE_MODE)


def output(name, net):
    arrays = [RECORDED[f"{name}/input{i}"] for i in range(3) if f"{name}/input{i}" in RECORDED.files]
    return net.set_train(False)(*map(gc.Tensor, arrays)).asnumpy()


@pytest.mark.parametrize("name", NETS)
def test_nets_give_what_pytorch_gave_and_go_back(name):
    net, given = NETS[name](), state(name)
    result = gc.load_torch_state_dict(net, given)
    assert not result.missing and not result.unused and len(result.loaded) >= len(result.converted)
    np.testing.assert_allclose(output(name, net), RECORDED[f"{name}/output"], rtol=1e-5, atol=1e-5)
    back = gc.to_torch_state_dict(net)
    for key, array in given.items():
        if not key.endswith("num_batches_tracked"):
            np.testing.assert_array_equal(back.pop(key), array)
    assert all(key.endswith(("weight", "bias")) for key in back) if name == "plain norms" else not back


def test_a_file_and_back(tmp_path):
    path = str(tmp_path / "net.safetensors")
    net = NETS["text"]()
    net.to_float(gc.bfloat16)
    given = gc.to_torch_state_dict(net, path)
    again = NETS["text"]()
    assert len(gc.load_torch_state_dict(again, path).loaded) == len(given)
    for a, b in zip(net.get_parameters(), again.get_parameters()):
        np.testing.assert_array_equal(a.asnumpy(), b.asnumpy())


class Torch:
    """A tensor of PyTorch's, as far as it is asked."""

    def __init__(self, array, dtype):
        self.array, self.dtype = array, dtype
        self.detach = self.cpu = lambda: self

    def float(self):
        return Torch(self.array.astype(np.float32), "torch.float32")

    def numpy(self):
        if self.dtype == "torch.bfloat16":
            raise TypeError("Got unsupported ScalarType BFloat16")
        return self.array


def test_half_precision_and_what_is_converted_is_told(tmp_path):
    net = nn.Dense(2, 1)
    half = {"weight": Torch(np.array([[0.5, 0.25]], np.float16), "torch.float16"),
            "bias": Torch(np.array([1.5], np.float32), "torch.bfloat16")}
    result = gc.load_torch_state_dict(net, half)
    assert result.converted == {"weight": "from float16 to float32"}
    np.testing.assert_array_equal(net.weight.asnumpy(), [[0.5, 0.25]])
    low = nn.Dense(2, 1, dtype=gc.bfloat16)
    assert gc.load_torch_state_dict(low, half).converted == {"weight": "from float16 to bfloat16",
                                                             "bias": "from float32 to bfloat16"}
    path = str(tmp_path / "low.safetensors")
    assert gc.to_torch_state_dict(low, path)["weight"].dtype == np.float32
    assert read_safetensors(path)["weight"].dtype is gc.bfloat16


def test_layouts_are_told():
    given = state("1d")
    result = gc.load_torch_state_dict(Norms1d(), given)
    assert set(result.converted) == {"conv.weight", "up.weight"} and "axis of size 1" in result.converted["conv.weight"]
    assert result.ignored["bn.num_batches_tracked"] and "do not take part" in result.ignored["instance.moving_mean"]
    assert "conv.weight: an axis" in str(result)
    net = nn.Conv2d(3, 2, 2, data_format="NHWC")
    weight = np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2)
    assert "transposed" in gc.load_torch_state_dict(net, {"weight": weight}).converted["weight"]
    np.testing.assert_array_equal(net.weight.asnumpy(), weight.transpose(0, 2, 3, 1))
    np.testing.assert_array_equal(gc.to_torch_state_dict(net)["weight"], weight)


WEIGHT, BIAS = np.ones((2, 3), np.float32), np.ones(2, np.float32)


@pytest.mark.parametrize("source, options, error, message", [
    ({"weight": WEIGHT.T, "bias": BIAS}, {}, CheckpointMismatchError, r"PyTorch has the shape \(3, 2\).*\(2, 3\)"),
    ({"weight": WEIGHT}, {}, CheckpointMismatchError, "missing: bias"),
    ({"weight": WEIGHT, "bias": BIAS, "x": BIAS}, {}, CheckpointMismatchError, "unused: x"),
    ({"weight": WEIGHT, "biass": BIAS}, {}, CheckpointMismatchError, "there is biass"),
    ({"module.weight": WEIGHT, "module.bias": BIAS}, {}, CheckpointMismatchError, "give prefix='module.'"),
    ({"weight": WEIGHT.astype(int), "bias": BIAS}, {}, CheckpointMismatchError, "PyTorch has the dtype int64"),
    ({"weight": WEIGHT.astype(complex), "bias": BIAS}, {}, CheckpointMismatchError, "complex128"),
    ({"state_dict": {"weight": WEIGHT}}, {}, TypeError, r"give source\['state_dict'\]"),
    ({"weight": object(), "bias": BIAS}, {}, TypeError, "'weight', a object, is no dense tensor"),
    ({3: WEIGHT}, {}, TypeError, "names of a state dict are strings"),
    (3, {}, TypeError, "takes the path"),
    ({"weight": WEIGHT, "bias": BIAS}, {"rename": lambda name: "same"}, CheckpointMismatchError, "two entries"),
])
def test_what_does_not_fit_is_said_and_changes_nothing(source, options, error, message):
    net = nn.Dense(3, 2)
    before = [p.asnumpy().copy() for p in net.get_parameters()]
    with pytest.raises(error, match=message):
        gc.load_torch_state_dict(net, source, **options)
    for p, array in zip(net.get_parameters(), before):
        np.testing.assert_array_equal(p.asnumpy(), array)


def test_statistics_that_have_no_effect_here_are_refused():
    """InstanceNorm with track_running_stats=True, which in evaluation is a BatchNorm, also by its entries' names."""
    given = {"weight": BIAS, "bias": BIAS, "running_mean": BIAS, "running_var": BIAS + 1}
    with pytest.raises(CheckpointMismatchError, match="running_mean: .* Put a BatchNorm"):
        gc.load_torch_state_dict(nn.InstanceNorm2d(2), given)
    assert len(gc.load_torch_state_dict(nn.InstanceNorm2d(2), given, strict=False).loaded) == 4
    assert len(gc.load_torch_state_dict(nn.BatchNorm2d(2), given).loaded) == 4


def test_what_is_not_strict_tells():
    net = nn.Dense(3, 2)
    result = gc.load_torch_state_dict(net, {"a.weight": WEIGHT, "a.extra": BIAS, "b": BIAS}, strict=False, prefix="a.")
    assert result.missing == ("bias",) and result.unused == ("extra", "b") and result.loaded == {"weight": "weight"}
    result = gc.load_torch_state_dict(net, {"w": WEIGHT, "b": BIAS}, rename={"w": "weight", "b": "bias"}.get)
    assert set(result.loaded) == {"weight", "bias"}


def test_shared_parameters_must_agree():
    given = state("heads")
    assert gc.load_torch_state_dict(Heads(), given).loaded["again.weight"] == "again.weight"
    del given["again.weight"]
    assert not gc.load_torch_state_dict(Heads(), given).missing
    given["again.weight"] = given["first.weight"] + 1
    with pytest.raises(CheckpointMismatchError, match="again.weight differ"):
        gc.load_torch_state_dict(Heads(), given)


@pytest.mark.parametrize("name, content", [("net.pt", b"PK\x03\x04...."), ("net.bin", b""), ("net", b"\x80\x02}q\x00."),
                                           ("last.ckpt", b"text")])
def test_pickles_are_refused_with_the_way_out(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FormatError, match="safetensors.torch"):
        gc.load_torch_state_dict(nn.Dense(3, 2), tmp_path / name)


@pytest.mark.parity
@pytest.mark.skipif("GRAPHCORE_TORCH_PYTHON" not in os.environ, reason="needs PyTorch's interpreter in "
                                                                       "GRAPHCORE_TORCH_PYTHON")
def test_pytorch_gives_what_our_nets_give(tmp_path):
    found = {}
    for name, make in NETS.items():
        if name == "plain norms":       # PyTorch's has no weights, ours has
            found |= {f"{name}/state/{k}": v for k, v in state(name).items()} | {
                f"{name}/output": RECORDED[f"{name}/output"]}
            continue
        net = make()
        found |= {f"{name}/state/{k}": v for k, v in gc.to_torch_state_dict(net).items()}
        found[f"{name}/output"] = output(name, net)
    np.savez(tmp_path / "ours.npz", **found)
    subprocess.run([os.environ["GRAPHCORE_TORCH_PYTHON"], HERE / "torch_nets.py", "check", tmp_path / "ours.npz"],
                   check=True)
