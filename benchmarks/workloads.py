"""The workloads: initial weights and batches, the same numbers for every framework.

Everything is synthetic float32, drawn from NumPy's legacy ``RandomState``, whose streams never change: weights from the
stream of the workload's seed, data from the stream of 1000 + seed.  What decides the numbers is the order of the draws
and the float64 arithmetic before the rounding to float32, so neither may be changed.

``params(name)``      initial weights, by PyTorch's names and in PyTorch's layouts: Dense (outputs, inputs), convolution
                      (outputs, inputs, rows, columns); these are the layouts of graphcore and MindSpore too
``cell_names(names)`` what the same weights are called in a Cell: a norm's are gamma, beta, moving_mean, ...
``batches(name)``     five batches (x, y) with a leading axis of 5; step s uses batch s % 5
``inference_input(name, mode)``   the input of an inference

One step of training is forward (mean softmax cross-entropy), backward and the optimiser's update, with the loss read as
a Python float.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

BATCHES = 5
TRAIN = "train"


@dataclass(frozen=True)
class Mode:
    """How a workload is timed: `samples` times per round, each the mean of `calls` calls one after another."""

    samples: int
    calls: int = 1


@dataclass(frozen=True)
class Workload:
    """A network with its data; `draw` makes the weights, `input_shape` is one batch's, `modes` by name."""

    name: str
    seed: int
    about: str
    input_shape: tuple
    draw: Callable
    modes: dict


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


def _mlp(draw: Draws) -> None:
    draw.dense("fc1", 512, 784)
    draw.dense("fc2", 512, 512)
    draw.dense("fc3", 10, 512)


def _lenet5(draw: Draws) -> None:
    draw.conv("conv1", 6, 1, 5, bias=True)
    draw.conv("conv2", 16, 6, 5, bias=True)
    draw.dense("fc1", 120, 400)
    draw.dense("fc2", 84, 120)
    draw.dense("fc3", 10, 84)


def _tiny(draw: Draws) -> None:
    draw.dense("fc1", 32, 16)
    draw.dense("fc2", 1, 32)


def _newton(draw: Draws) -> None:
    """Nothing is learned."""


def _branching_rnn(draw: Draws) -> None:
    draw.normal("inputs.weight", (32, 32), 0.2)
    draw.normal("inputs.bias", (32,), 0.1)
    draw.normal("state.weight", (32, 32), 0.2)


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


def _resnet18(stem_kernel: int, classes: int) -> Callable[[Draws], None]:
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


WORKLOADS = {w.name: w for w in (
    Workload("mlp", 1, "784-512-512-10 relu, batch 128, Adam lr 1e-3", (128, 784), _mlp,
             {TRAIN: Mode(100), "infer_b1": Mode(50, calls=20), "infer_b128": Mode(100)}),
    Workload("lenet5", 2, "LeNet-5 on 1x32x32, batch 64, Momentum lr 0.01", (64, 1, 32, 32), _lenet5,
             {TRAIN: Mode(100)}),
    Workload("resnet18_cifar", 3, "ResNet-18 on 3x32x32, batch 32, Momentum lr 0.01, L2 5e-4", (32, 3, 32, 32),
             _resnet18(stem_kernel=3, classes=10), {TRAIN: Mode(4)}),
    Workload("resnet18_224", 4, "ResNet-18 on 3x224x224, batch 1", (1, 3, 224, 224),
             _resnet18(stem_kernel=7, classes=1000), {"infer": Mode(20)}),
    Workload("tiny", 8, "16-32-1 tanh, batch 1, tensor in and tensor out", (1, 16), _tiny,
             {"infer": Mode(50, calls=200)}),
    Workload("newton", 9, "x exp(x) = a for 1,000 values, Newton's method until no step exceeds 1e-6", (1000,),
             _newton, {"infer": Mode(50, calls=50)}),
    Workload("branching_rnn", 10, "200 steps of a 32-unit tanh cell with a branch in each, batch 1", (200, 1, 32),
             _branching_rnn, {"infer": Mode(50, calls=20)}),
)}


def workload(name: str) -> Workload:
    """The workload called `name`.  Raises KeyError with the names that there are."""
    if name not in WORKLOADS:
        raise KeyError(f"there is no workload {name!r}; there are {', '.join(WORKLOADS)}")
    return WORKLOADS[name]


def params(name: str) -> dict[str, np.ndarray]:
    """Initial weights of a workload, float32, by PyTorch's names, in the order of the draws."""
    described = workload(name)
    draw = Draws(described.seed)
    described.draw(draw)
    return draw.values


# What PyTorch's BatchNorm calls its Parameters, and what a Cell does.
NORM_NAMES = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}


def cell_names(torch_names: Iterable[str]) -> dict[str, str]:
    """The name in a Cell of each of a net's weights, by PyTorch's name: ``cell_names(params("mlp"))``."""
    torch_names = list(torch_names)
    norms = {n.rsplit(".", 1)[0] for n in torch_names if n.endswith(".running_mean")}

    def translated(torch_name: str) -> str:
        layer, own = torch_name.rsplit(".", 1)
        return f"{layer}.{NORM_NAMES[own]}" if layer in norms else torch_name
    return {torch_name: translated(torch_name) for torch_name in torch_names}


def batches(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Five batches of a workload that trains: x float32 (5, batch, ...), y int32 (5, batch) class indices.

    Raises ValueError for a workload that has inference only.
    """
    described = workload(name)
    if TRAIN not in described.modes:
        raise ValueError(f"{name} is for inference only; see inference_input")
    stream = _data_stream(described)
    x = stream.standard_normal((BATCHES, *described.input_shape)).astype(np.float32)
    return x, stream.randint(0, 10, (BATCHES, described.input_shape[0])).astype(np.int32)


def inference_input(name: str, mode: str) -> np.ndarray:
    """The input, float32, of an inference: of a workload that also trains, the first batch (`infer_b1`: one row)."""
    described = workload(name)
    if TRAIN in described.modes:
        first = batches(name)[0][0]
        return first[:1].copy() if mode == "infer_b1" else first
    return _data_stream(described).standard_normal(described.input_shape).astype(np.float32)


def _data_stream(described: Workload) -> np.random.RandomState:
    return np.random.RandomState(1000 + described.seed)


@dataclass(frozen=True)
class Given:
    """All numbers of one (workload, mode): the weights, and the arguments of one step or call after another."""

    name: str
    mode: str
    weights: dict
    arguments: list[tuple]

    @property
    def trains(self) -> bool:
        return self.mode == TRAIN


def given(name: str, mode: str) -> Given:
    """The numbers of a (workload, mode): arguments are (x, y) for each of the five batches, or once (x,)."""
    arguments = list(zip(*batches(name))) if mode == TRAIN else [(inference_input(name, mode),)]
    return Given(name, mode, params(name), arguments)


def select(only: str | None) -> list[tuple[Workload, str]]:
    """The (workload, mode) pairs that a comma-separated list names, each as ``name`` or ``name/mode``; None: all.

    Raises KeyError for what there is not.
    """
    if only is None:
        return [(w, mode) for w in WORKLOADS.values() for mode in w.modes]
    chosen = set()
    for item in filter(None, (part.strip() for part in only.split(","))):
        name, _, mode = item.partition("/")
        modes = workload(name).modes
        if mode and mode not in modes:
            raise KeyError(f"{name} has no mode {mode!r}; it has {', '.join(modes)}")
        chosen |= {(name, m) for m in modes if mode in ("", m)}
    return [(w, m) for w in WORKLOADS.values() for m in w.modes if (w.name, m) in chosen]
