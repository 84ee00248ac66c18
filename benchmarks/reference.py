"""The inferences in float64 NumPy, written for being obviously right: what the frameworks' outputs are held against."""
from __future__ import annotations

import functools

import numpy as np

from benchmarks.workloads import inference_input, params, resnet18_blocks

EPSILON = 1e-5      # of BatchNorm


@functools.cache
def outputs(name: str, mode: str) -> np.ndarray:
    """The output, float64, of an inference.  Raises KeyError for a workload that has no reference."""
    weights = {k: v.astype(np.float64) for k, v in params(name).items()}
    return NETS[name](inference_input(name, mode).astype(np.float64), weights)


def mlp(x, weights):
    """Three dense layers with relu between them."""
    for layer in ("fc1", "fc2"):
        x = np.maximum(dense(x, weights, layer), 0)
    return dense(x, weights, "fc3")


def tiny(x, weights):
    """Two dense layers with tanh between them."""
    return dense(np.tanh(dense(x, weights, "fc1")), weights, "fc2")


def resnet18(x, weights):
    """ResNet-18 for 224x224 images, with the BatchNorms' running statistics."""
    x = np.maximum(batch_norm(conv(x, weights["conv1.weight"], 2, 3), weights, "bn1"), 0)
    x = windows(np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1))), 3, 2).max((4, 5))
    for block in resnet18_blocks():
        def layer(x, conv_name, norm_name, stride, pad, at=block.name):
            y = conv(x, weights[f"{at}.{conv_name}.weight"], stride, pad)
            return batch_norm(y, weights, f"{at}.{norm_name}")
        y = np.maximum(layer(x, "conv1", "bn1", block.stride, 1), 0)
        shortcut = layer(x, "dconv", "dbn", block.stride, 0) if block.projected else x
        x = np.maximum(layer(y, "conv2", "bn2", 1, 1) + shortcut, 0)
    return dense(x.mean((2, 3)), weights, "fc")


def newton(a, weights):
    """x exp(x) = |a| + 0.1, with more steps than it takes."""
    a = np.abs(a) + 0.1
    x = np.log(a + 1)
    for _ in range(50):
        x = x - (x * np.exp(x) - a) / (np.exp(x) * (x + 1))
    return x


def branching_rnn(x, weights):
    """The state after all rows; the branches are clear enough for float32 to take the same ones."""
    h = np.zeros((1, 32))
    for row in x:
        h = np.tanh(dense(row, weights, "inputs") + h @ weights["state.weight"].T)
        h = h * 0.5 if h.sum() > 0 else h + 0.1
    return h


NETS = {"mlp": mlp, "tiny": tiny, "resnet18_224": resnet18, "newton": newton, "branching_rnn": branching_rnn}


def dense(x, weights, layer):
    return x @ weights[f"{layer}.weight"].T + weights[f"{layer}.bias"]


def windows(x, kernel: int, stride: int):
    """(N, C, H', W', kernel, kernel): what each output pixel of a window operation sees."""
    return np.lib.stride_tricks.sliding_window_view(x, (kernel, kernel), (2, 3))[:, :, ::stride, ::stride]


def conv(x, weight, stride: int, pad: int):
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    y = np.tensordot(windows(x, weight.shape[2], stride), weight, ((1, 4, 5), (1, 2, 3)))
    return y.transpose(0, 3, 1, 2)


def batch_norm(x, weights, layer):
    mean, variance, scale, shift = (weights[f"{layer}.{own}"][:, None, None]
                                    for own in ("running_mean", "running_var", "weight", "bias"))
    return (x - mean) / np.sqrt(variance + EPSILON) * scale + shift
