"""The initial weights of the workloads: their layers in order, drawn one after another from one stream.

The order of the draws and the float64 arithmetic before the rounding to float32 decide the numbers: neither may change.
Names are PyTorch's.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


class Draws:
    """Weights by name, drawn one after another from one stream."""

    def __init__(self, seed: int):
        self.stream = np.random.RandomState(seed)
        self.values: dict[str, np.ndarray] = {}

    def normal(self, name: str, shape: tuple, deviation: float) -> None:
        """float32 `shape`, normal around 0."""
        self.values[name] = (self.stream.standard_normal(shape) * deviation).astype(np.float32)

    def uniform(self, name: str, size: int) -> None:
        """float32 (size,), uniform between 0.5 and 1.5."""
        self.values[name] = self.stream.uniform(0.5, 1.5, size).astype(np.float32)

    def dense(self, name: str, outputs: int, inputs: int, deviation: float | None = None) -> None:
        """A Dense layer with bias; without `deviation`, that of He."""
        self.normal(f"{name}.weight", (outputs, inputs), deviation or np.sqrt(2 / inputs))
        self.normal(f"{name}.bias", (outputs,), 0.01)

    def conv(self, name: str, outputs: int, inputs: int, kernel: int, bias: bool = False) -> None:
        """A convolution of square kernels; `inputs` is per group."""
        self.normal(f"{name}.weight", (outputs, inputs, kernel, kernel), np.sqrt(2 / (inputs * kernel * kernel)))
        if bias:
            self.normal(f"{name}.bias", (outputs,), 0.01)

    def batch_norm(self, name: str, channels: int) -> None:
        """A BatchNorm with statistics that are not the trivial ones."""
        self.uniform(f"{name}.weight", channels)
        self.normal(f"{name}.bias", (channels,), 0.1)
        self.normal(f"{name}.running_mean", (channels,), 0.1)
        self.uniform(f"{name}.running_var", channels)

    def layer_norm(self, name: str, features: int) -> None:
        """A LayerNorm as it starts; nothing is drawn."""
        self.values[f"{name}.weight"] = np.ones(features, np.float32)
        self.values[f"{name}.bias"] = np.zeros(features, np.float32)


def nothing(draw: Draws) -> None:
    """For what learns nothing."""


def mlp(draw: Draws) -> None:
    draw.dense("fc1", 512, 784)
    draw.dense("fc2", 512, 512)
    draw.dense("fc3", 10, 512)


def lenet5(draw: Draws) -> None:
    draw.conv("conv1", 6, 1, 5, bias=True)
    draw.conv("conv2", 16, 6, 5, bias=True)
    draw.dense("fc1", 120, 400)
    draw.dense("fc2", 84, 120)
    draw.dense("fc3", 10, 84)


def tiny(draw: Draws) -> None:
    draw.dense("fc1", 32, 16)
    draw.dense("fc2", 1, 32)


def branching_rnn(draw: Draws) -> None:
    draw.normal("inputs.weight", (32, 32), 0.2)
    draw.normal("inputs.bias", (32,), 0.1)
    draw.normal("state.weight", (32, 32), 0.2)


# -- residual networks ----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Block:
    """A residual block of ResNet-18: `projected` says whether the shortcut has a convolution (dconv, dbn)."""

    name: str
    inputs: int
    outputs: int
    stride: int

    @property
    def projected(self) -> bool:
        return self.stride != 1 or self.inputs != self.outputs


def resnet18_blocks() -> list[Block]:
    """The eight blocks in order: two in each of layer1 to layer4."""
    blocks, inputs = [], 64
    for layer, outputs in enumerate((64, 128, 256, 512), start=1):
        for index in range(2):
            stride = 2 if layer > 1 and index == 0 else 1
            blocks.append(Block(f"layer{layer}.{index}", inputs, outputs, stride))
            inputs = outputs
    return blocks


def resnet18(stem_kernel: int, classes: int) -> Callable[[Draws], None]:
    def draw_all(draw: Draws) -> None:
        draw.conv("conv1", 64, 3, stem_kernel)
        draw.batch_norm("bn1", 64)
        for block in resnet18_blocks():
            draw.conv(f"{block.name}.conv1", block.outputs, block.inputs, 3)
            draw.batch_norm(f"{block.name}.bn1", block.outputs)
            draw.conv(f"{block.name}.conv2", block.outputs, block.outputs, 3)
            draw.batch_norm(f"{block.name}.bn2", block.outputs)
            if block.projected:
                draw.conv(f"{block.name}.dconv", block.outputs, block.inputs, 1)
                draw.batch_norm(f"{block.name}.dbn", block.outputs)
        draw.dense("fc", classes, 512, 0.01)
    return draw_all


# -- MobileNetV2 ----------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Bottleneck:
    """An inverted residual of MobileNetV2: a 1x1 convolution to `hidden` channels (econv, ebn; only if `expands`), a
    3x3 one on each channel by itself (dconv, dbn), a 1x1 one to `outputs` (pconv, pbn).

    residual: whether the input is added.
    """

    name: str
    inputs: int
    hidden: int
    outputs: int
    stride: int

    @property
    def expands(self) -> bool:
        return self.hidden != self.inputs

    @property
    def residual(self) -> bool:
        return self.stride == 1 and self.inputs == self.outputs


def mobilenetv2_blocks() -> list[Bottleneck]:
    """The seventeen blocks in order."""
    blocks, inputs = [], 32
    for factor, outputs, repeats, stride in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
                                             (6, 160, 3, 2), (6, 320, 1, 1)):
        for index in range(repeats):
            blocks.append(Bottleneck(f"b{len(blocks)}", inputs, inputs * factor, outputs, stride if index == 0 else 1))
            inputs = outputs
    return blocks


def mobilenetv2(draw: Draws) -> None:
    draw.conv("conv1", 32, 3, 3)
    draw.batch_norm("bn1", 32)
    for block in mobilenetv2_blocks():
        if block.expands:
            draw.conv(f"{block.name}.econv", block.hidden, block.inputs, 1)
            draw.batch_norm(f"{block.name}.ebn", block.hidden)
        draw.conv(f"{block.name}.dconv", block.hidden, 1, 3)
        draw.batch_norm(f"{block.name}.dbn", block.hidden)
        draw.conv(f"{block.name}.pconv", block.outputs, block.hidden, 1)
        draw.batch_norm(f"{block.name}.pbn", block.outputs)
    draw.conv("conv2", 1280, 320, 1)
    draw.batch_norm("bn2", 1280)
    draw.dense("fc", 1000, 1280, 0.01)


# -- sequences ------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class GptSizes:
    """The sizes of the workload gpt."""

    vocabulary: int = 1000
    length: int = 128
    width: int = 256
    heads: int = 4
    layers: int = 4


GPT = GptSizes()
LSTM_INPUTS, LSTM_HIDDEN = 64, 128


def gpt(draw: Draws) -> None:
    width = GPT.width
    draw.normal("wte.weight", (GPT.vocabulary, width), 0.02)
    draw.normal("wpe.weight", (GPT.length, width), 0.02)
    for layer in range(GPT.layers):
        at = f"h.{layer}"
        draw.layer_norm(f"{at}.ln1", width)
        draw.dense(f"{at}.qkv", 3 * width, width, 0.02)
        draw.dense(f"{at}.proj", width, width, 0.02)
        draw.layer_norm(f"{at}.ln2", width)
        draw.dense(f"{at}.fc", 4 * width, width, 0.02)
        draw.dense(f"{at}.out", width, 4 * width, 0.02)
    draw.layer_norm("lnf", width)
    draw.normal("head.weight", (GPT.vocabulary, width), 0.02)


def lstm(draw: Draws) -> None:
    rows = 4 * LSTM_HIDDEN      # of the gates input, forget, cell, output
    draw.normal("lstm.weight_ih_l0", (rows, LSTM_INPUTS), 0.08)
    draw.normal("lstm.weight_hh_l0", (rows, LSTM_HIDDEN), 0.08)
    draw.normal("lstm.bias_ih_l0", (rows,), 0.08)
    draw.normal("lstm.bias_hh_l0", (rows,), 0.08)
    draw.dense("fc", 10, LSTM_HIDDEN)
