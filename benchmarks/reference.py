"""The inferences in float64 NumPy, written for being obviously right: what the frameworks' outputs are held against."""
from __future__ import annotations

import functools

import numpy as np

from benchmarks.weights import GPT, mobilenetv2_blocks, resnet18_blocks
from benchmarks.workloads import FUSED_SCALE, inference_inputs, params, workload

EPSILON = 1e-5      # of BatchNorm and LayerNorm


@functools.cache
def outputs(name: str, mode: str) -> np.ndarray:
    """The output, float64, of an inference: what of it is compared (`Workload.compared_every`), several are stacked.

    Raises KeyError for a workload that has no reference.
    """
    weights = {k: v.astype(np.float64) for k, v in params(name).items()}
    every = workload(name).compared_every
    inputs = [x[::every] if x.dtype.kind == "i" else x[::every].astype(np.float64)
              for x in inference_inputs(name, mode)]
    net = NETS[f"{name}/{mode}" if name == "fused" else name]
    return net(*inputs, weights)


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


def mobilenetv2(x, weights):
    """MobileNetV2 with the BatchNorms' running statistics."""
    def layer(x, at, kind, stride=1, pad=0, convolve=conv):
        return batch_norm(convolve(x, weights[f"{at}conv{kind}.weight"], stride, pad), weights, f"{at}bn{kind}")
    x = relu6(layer(x, "", "1", 2, 1))
    for block in mobilenetv2_blocks():
        y = relu6(layer(x, f"{block.name}.e", "")) if block.expands else x
        y = relu6(layer(y, f"{block.name}.d", "", block.stride, 1, depthwise))
        y = layer(y, f"{block.name}.p", "")
        x = x + y if block.residual else y
    return dense(relu6(layer(x, "", "2")).mean((2, 3)), weights, "fc")


def gpt(tokens, weights):
    """The logits of every position."""
    length = tokens.shape[1]
    x = weights["wte.weight"][tokens] + weights["wpe.weight"][:length]
    future = np.triu(np.ones((length, length), bool), 1)
    for layer in range(GPT.layers):
        at = f"h.{layer}"
        qkv = dense(layer_norm(x, weights, f"{at}.ln1"), weights, f"{at}.qkv")
        q, k, v = (part.reshape(-1, length, GPT.heads, GPT.width // GPT.heads).transpose(0, 2, 1, 3)
                   for part in np.split(qkv, 3, -1))
        scores = q @ k.transpose(0, 1, 3, 2) / np.sqrt(q.shape[-1])
        powers = np.exp(np.where(future, -np.inf, scores))
        mixed = (powers / powers.sum(-1, keepdims=True) @ v).transpose(0, 2, 1, 3).reshape(x.shape)
        x = x + dense(mixed, weights, f"{at}.proj")
        hidden = dense(layer_norm(x, weights, f"{at}.ln2"), weights, f"{at}.fc")
        x = x + dense(gelu_tanh(hidden)[0], weights, f"{at}.out")
    return layer_norm(x, weights, "lnf") @ weights["head.weight"].T


def fused(x, b, c, d, weights):
    """gelu_tanh(x * 1.5 + b) * sigmoid(c) + tanh(d)."""
    return gelu_tanh(x * FUSED_SCALE + b)[0] / (1 + np.exp(-c)) + np.tanh(d)


def fused_gradients(x, b, c, d, weights):
    """The gradients of the sum of `fused` by x, b, c and d."""
    gelu, slope = gelu_tanh(x * FUSED_SCALE + b)
    share = 1 / (1 + np.exp(-c))
    by_b = slope * share
    return np.stack([by_b * FUSED_SCALE, by_b, gelu * share * (1 - share), 1 - np.tanh(d)**2])


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


NETS = {"mlp": mlp, "tiny": tiny, "resnet18_224": resnet18, "mobilenetv2_224": mobilenetv2, "gpt": gpt,
        "fused/fwd": fused, "fused/fwdbwd": fused_gradients, "newton": newton, "branching_rnn": branching_rnn}


def dense(x, weights, layer):
    return x @ weights[f"{layer}.weight"].T + weights[f"{layer}.bias"]


def windows(x, kernel: int, stride: int):
    """(N, C, H', W', kernel, kernel): what each output pixel of a window operation sees."""
    return np.lib.stride_tricks.sliding_window_view(x, (kernel, kernel), (2, 3))[:, :, ::stride, ::stride]


def conv(x, weight, stride: int, pad: int):
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    y = np.tensordot(windows(x, weight.shape[2], stride), weight, ((1, 4, 5), (1, 2, 3)))
    return y.transpose(0, 3, 1, 2)


def depthwise(x, weight, stride: int, pad: int):
    """Each channel with a kernel of its own."""
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    return np.einsum("nchwij,cij->nchw", windows(x, weight.shape[2], stride), weight[:, 0])


def relu6(x):
    return np.clip(x, 0, 6)


def gelu_tanh(x):
    """(gelu by its tanh approximation, its derivative)."""
    factor = np.sqrt(2 / np.pi)
    t = np.tanh(factor * (x + 0.044715 * x**3))
    return x / 2 * (1 + t), (1 + t) / 2 + x / 2 * (1 - t**2) * factor * (1 + 3 * 0.044715 * x**2)


def batch_norm(x, weights, layer):
    mean, variance, scale, shift = (weights[f"{layer}.{own}"][:, None, None]
                                    for own in ("running_mean", "running_var", "weight", "bias"))
    return (x - mean) / np.sqrt(variance + EPSILON) * scale + shift


def layer_norm(x, weights, layer):
    centred = x - x.mean(-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + EPSILON)
    return scaled * weights[f"{layer}.weight"] + weights[f"{layer}.bias"]
