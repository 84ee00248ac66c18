"""The workloads: what is computed, on which numbers, and how it is timed; the same for every framework.

Everything is synthetic, drawn from NumPy's legacy ``RandomState``, whose streams never change: weights from the stream
of the workload's seed (see `weights`), data from the stream of 1000 + seed.  The order of the draws decides the
numbers.

``params(name)``      initial weights, by PyTorch's names and in PyTorch's layouts: Dense (outputs, inputs), convolution
                      (outputs, inputs, rows, columns); these are the layouts of graphcore and MindSpore too
``cell_names(names)`` what the same weights are called in a Cell: a norm's are gamma, beta, moving_mean, ...
``batches(name)``     five batches (x, y) with a leading axis of 5; step s uses batch s % 5
``inference_inputs(name, mode)``   the inputs of an inference

One step of training is forward (mean softmax cross-entropy), backward and the optimiser's update, with the loss read as
a Python float.
"""
from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from benchmarks import weights
from benchmarks.weights import GPT, LSTM_INPUTS, Draws

BATCHES = 5
TRAIN = "train"


@dataclass(frozen=True)
class Mode:
    """How a workload is timed: `samples` times per round, each the mean of `calls` calls one after another."""

    samples: int
    calls: int = 1


@dataclass(frozen=True)
class Workload:
    """A network with its data.

    draw: makes the weights.  data: takes the stream and gives (x, y), five batches of each, or an inference's inputs.
    modes: by name.  compared_every: above 1, only each so many'th element of an inference's flat results is compared
    with the reference.
    """

    name: str
    seed: int
    about: str
    draw: Callable
    data: Callable
    modes: dict
    compared_every: int = 1


def _normal(stream: np.random.RandomState, shape: tuple) -> np.ndarray:
    return stream.standard_normal(shape).astype(np.float32)


def _inputs(*shapes: tuple) -> Callable:
    """Data for inference: one float32 array of each shape."""
    return lambda stream: tuple(_normal(stream, shape) for shape in shapes)


def _classified(*shape: int) -> Callable:
    """Data for training: x float32 (5, *shape), y int32 (5, batch), ten classes."""
    def draw(stream):
        x = _normal(stream, (BATCHES, *shape))
        return x, stream.randint(0, 10, (BATCHES, shape[0])).astype(np.int32)
    return draw


def _texts(batch: int) -> Callable:
    """Data for a language model: x int32 (5, batch, length) tokens, y the token after each."""
    def draw(stream):
        tokens = stream.randint(0, GPT.vocabulary, (BATCHES, batch, GPT.length + 1)).astype(np.int32)
        return tokens[:, :, :-1].copy(), tokens[:, :, 1:].copy()
    return draw


FUSED_SCALE = 1.5       # of x in the workload fused
FUSED_SIZE = 4 << 20


WORKLOADS = {w.name: w for w in (
    Workload("mlp", 1, "784-512-512-10 relu, batch 128, Adam lr 1e-3", weights.mlp, _classified(128, 784),
             {TRAIN: Mode(100), "infer_b1": Mode(50, calls=20), "infer_b128": Mode(100)}),
    Workload("lenet5", 2, "LeNet-5 on 1x32x32, batch 64, Momentum lr 0.01", weights.lenet5, _classified(64, 1, 32, 32),
             {TRAIN: Mode(100)}),
    Workload("resnet18_cifar", 3, "ResNet-18 on 3x32x32, batch 32, Momentum lr 0.01, L2 5e-4",
             weights.resnet18(stem_kernel=3, classes=10), _classified(32, 3, 32, 32), {TRAIN: Mode(4)}),
    Workload("resnet18_224", 4, "ResNet-18 on 3x224x224, batch 1", weights.resnet18(stem_kernel=7, classes=1000),
             _inputs((1, 3, 224, 224)), {"infer": Mode(20)}),
    Workload("mobilenetv2_224", 5, "MobileNetV2, width 1.0, on 3x224x224, batch 1", weights.mobilenetv2,
             _inputs((1, 3, 224, 224)), {"infer": Mode(20)}),
    Workload("gpt", 6, "4 pre-LN layers of width 256, 4 heads, 128 of 1000 tokens, batch 8, AdamW lr 3e-4", weights.gpt,
             _texts(batch=8), {TRAIN: Mode(5), "infer_b1": Mode(30)}),
    Workload("lstm", 7, "LSTM 64-128 over 50 steps, last state to 10 classes, batch 32, Adam lr 1e-3", weights.lstm,
             _classified(32, 50, LSTM_INPUTS), {TRAIN: Mode(30)}),
    Workload("tiny", 8, "16-32-1 tanh, batch 1, tensor in and tensor out", weights.tiny, _inputs((1, 16)),
             {"infer": Mode(50, calls=200)}),
    # compared: elements of every part that a thread may have computed; four whole float64 arrays would take 128 MiB
    Workload("fused", 9, "gelu_tanh(x * 1.5 + b) * sigmoid(c) + tanh(d) on 4,194,304 floats each", weights.nothing,
             _inputs(*[(FUSED_SIZE,)] * 4), {"fwd": Mode(10), "fwdbwd": Mode(10)}, compared_every=1021),
    Workload("newton", 9, "x exp(x) = a for 1,000 values, Newton's method until no step exceeds 1e-6", weights.nothing,
             _inputs((1000,)), {"infer": Mode(50, calls=50)}),
    Workload("branching_rnn", 10, "200 steps of a 32-unit tanh cell with a branch in each, batch 1",
             weights.branching_rnn, _inputs((200, 1, 32)), {"infer": Mode(50, calls=20)}),
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


# What PyTorch's norms call their Parameters, and what a Cell does.
NORM_NAMES = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}


def cell_names(torch_names: Iterable[str]) -> dict[str, str]:
    """The name in a Cell of each of a net's weights, by PyTorch's name: ``cell_names(params("mlp"))``.

    BatchNorms are known by their statistics, LayerNorms are called ln..., tables of embeddings w?e; MobileNetV2's
    blocks b0, b1, ... are those of one sequence b.
    """
    torch_names = list(torch_names)
    norms = {n.rsplit(".", 1)[0] for n in torch_names if n.endswith(".running_mean")}

    def translated(torch_name: str) -> str:
        layer, own = torch_name.rsplit(".", 1)
        last = layer.rsplit(".", 1)[-1]
        if layer in norms or last.startswith("ln"):
            own = NORM_NAMES[own]
        elif last in ("wte", "wpe"):
            own = "embedding_table"
        return re.sub(r"^b(\d)", r"b.\1", layer) + f".{own}"
    return {torch_name: translated(torch_name) for torch_name in torch_names}


def batches(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Five batches of a workload that trains: x (5, batch, ...), y int32 (5, batch, ...) class indices.

    Raises ValueError for a workload that has inference only.
    """
    described = workload(name)
    if TRAIN not in described.modes:
        raise ValueError(f"{name} is for inference only; see inference_inputs")
    return described.data(_data_stream(described))


def inference_inputs(name: str, mode: str) -> tuple[np.ndarray, ...]:
    """The inputs of an inference: of a workload that also trains, the first batch (`infer_b1`: one row)."""
    described = workload(name)
    if TRAIN in described.modes:
        first = batches(name)[0][0]
        return (first[:1].copy() if mode == "infer_b1" else first,)
    return described.data(_data_stream(described))


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
    """The numbers of a (workload, mode): arguments are (x, y) for each of the five batches, or once the inputs."""
    arguments = list(zip(*batches(name))) if mode == TRAIN else [inference_inputs(name, mode)]
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
