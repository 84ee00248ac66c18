"""What a step or an inference has to do at least: float32 operations and bytes, counted from the shapes.

flops: a multiply-add is two.  Matrix products and convolutions alone, where there are any: forward once; in training
       once more for the gradient of the weights, and once more for that of the input, which the first layer is spared.
       All else (norms, activations, softmax, optimiser) is left out.
bytes: what has to come from memory or go there, once each: the weights, the batch and the results; in training weights
       and the optimiser's state are read and written.  Activations are left out: they may stay in caches.

A limit made of these can be missed by good programs, but not beaten, except by fewer operations (Winograd, FFT).
"""
from __future__ import annotations

from dataclasses import dataclass

from benchmarks.weights import GPT, LSTM_HIDDEN, LSTM_INPUTS, mobilenetv2_blocks, resnet18_blocks
from benchmarks.workloads import BATCHES, FUSED_SIZE, TRAIN, batches, inference_inputs, params

FLOAT = 4       # bytes
STATES = {"mlp": 2, "gpt": 2, "lstm": 2, "lenet5": 1, "resnet18_cifar": 1}     # arrays of an optimiser per weight


@dataclass(frozen=True)
class Cost:
    """Operations and bytes of one step or call."""

    flops: int
    bytes: int


def cost(name: str, mode: str) -> Cost:
    """The cost of a (workload, mode)."""
    if name in POINTWISE:
        return POINTWISE[name](mode)
    flops = LAYERS[name](_batch(name, mode))
    total = 3 * sum(flops) - (flops[0] if name not in LEARNS_INPUTS else 0) if mode == TRAIN else sum(flops)
    return Cost(total, _bytes(name, mode))


def _batch(name: str, mode: str) -> int:
    return batches(name)[0].shape[1] if mode == TRAIN else inference_inputs(name, mode)[0].shape[0]


def _bytes(name: str, mode: str) -> int:
    weights = params(name)
    held = sum(w.nbytes for w in weights.values())
    if mode == TRAIN:
        return 2 * (1 + STATES[name]) * held + sum(array.nbytes // BATCHES for array in batches(name))
    x, = inference_inputs(name, mode)
    if name == "gpt":   # rows of the tokens alone, not the whole table; logits of every position
        rows = x.size * GPT.width * FLOAT
        return held - weights["wte.weight"].nbytes + rows + x.nbytes + x.size * GPT.vocabulary * FLOAT
    return held + x.nbytes + x.shape[0] * OUTPUTS[name] * FLOAT


# -- forward operations of each layer, in order ---------------------------------------------------------------
def product(rows: int, inner: int, columns: int) -> int:
    """A matrix product (rows, inner) by (inner, columns)."""
    return 2 * rows * inner * columns


def convolution(images: int, side: int, inputs: int, outputs: int, kernel: int) -> int:
    """A convolution with square results of `side`; `inputs` is per group."""
    return product(images * side * side, inputs * kernel * kernel, outputs)


def _mlp(n: int) -> list[int]:
    return [product(n, *sizes) for sizes in ((784, 512), (512, 512), (512, 10))]


def _lenet5(n: int) -> list[int]:
    return [convolution(n, 28, 1, 6, 5), convolution(n, 10, 6, 16, 5),
            *(product(n, *sizes) for sizes in ((400, 120), (120, 84), (84, 10)))]


def _tiny(n: int) -> list[int]:
    return [product(n, 16, 32), product(n, 32, 1)]


def _resnet18(side: int, stem_kernel: int, stem_side: int, classes: int):
    """side: of the images that the blocks take."""
    def layers(n: int) -> list[int]:
        flops, now = [convolution(n, stem_side, 3, 64, stem_kernel)], side
        for block in resnet18_blocks():
            now //= block.stride
            flops += [convolution(n, now, block.inputs, block.outputs, 3),
                      convolution(n, now, block.outputs, block.outputs, 3)]
            if block.projected:
                flops.append(convolution(n, now, block.inputs, block.outputs, 1))
        return [*flops, product(n, 512, classes)]
    return layers


def _mobilenetv2(n: int) -> list[int]:
    flops, now = [convolution(n, 112, 3, 32, 3)], 112
    for block in mobilenetv2_blocks():
        if block.expands:
            flops.append(convolution(n, now, block.inputs, block.hidden, 1))
        now //= block.stride
        flops += [convolution(n, now, 1, block.hidden, 3), convolution(n, now, block.hidden, block.outputs, 1)]
    return [*flops, convolution(n, now, 320, 1280, 1), product(n, 1280, 1000)]


def _gpt(n: int) -> list[int]:
    """Of attention the part up to the diagonal: the rest is known to be 0."""
    tokens, width = n * GPT.length, GPT.width
    pairs = n * GPT.length * (GPT.length + 1) // 2
    layer = [product(tokens, width, 3 * width), 2 * pairs * width, 2 * pairs * width, product(tokens, width, width),
             product(tokens, width, 4 * width), product(tokens, 4 * width, width)]
    return [*layer * GPT.layers, product(tokens, width, GPT.vocabulary)]


def _lstm(n: int, steps: int = 50) -> list[int]:
    rows = 4 * LSTM_HIDDEN
    return [product(n * steps, LSTM_INPUTS, rows), product(n * steps, LSTM_HIDDEN, rows), product(n, LSTM_HIDDEN, 10)]


def _branching_rnn(steps: int) -> list[int]:
    """Inputs are rows of the first axis."""
    return [product(steps, 32, 32), product(steps, 32, 32)]


LAYERS = {"mlp": _mlp, "lenet5": _lenet5, "tiny": _tiny, "mobilenetv2_224": _mobilenetv2, "gpt": _gpt, "lstm": _lstm,
          "resnet18_cifar": _resnet18(side=32, stem_kernel=3, stem_side=32, classes=10),
          "resnet18_224": _resnet18(side=56, stem_kernel=7, stem_side=112, classes=1000),
          "branching_rnn": _branching_rnn}
LEARNS_INPUTS = ("gpt",)        # below its first product there is an embedding that is trained
OUTPUTS = {"mlp": 10, "tiny": 1, "resnet18_224": 1000, "mobilenetv2_224": 1000, "branching_rnn": 0}   # of each row


# -- element by element: a function (exp, tanh, division) counts as one operation, which is far too few ----------
def _fused(mode: str) -> Cost:
    """Forward: 2 for x * 1.5 + b, 9 for gelu_tanh, 3 for sigmoid, then tanh and a multiply-add.  The gradients need all
    of these but the last, and some 20 more; they read four arrays and write four, forward writes one."""
    operations, arrays = (17, 5) if mode == "fwd" else (35, 8)
    return Cost(operations * FUSED_SIZE, arrays * FUSED_SIZE * FLOAT)


def _newton(mode: str) -> Cost:
    """abs, two additions and log, then 9 operations in each of the 5 steps that these inputs take."""
    return Cost(1000 * (4 + 9 * 5), 2 * 1000 * FLOAT)


POINTWISE = {"fused": _fused, "newton": _newton}
