"""Fused maps and reductions: chains, broadcasts, sums over rows and columns, softmax, losses and norms."""
from __future__ import annotations

from math import prod

import numpy as np

import graphcore as gc
from graphcore import ops
from tests.accuracy.measure import Family, Result, equal, function, linear, numbers, roles

LONG = 1 << 16              # a reduction of more elements to few results is made in two stages


def _spread(*shape: int, axes: tuple = (-1,)) -> np.ndarray:
    """Values whose variance along these axes is well above zero, so that dividing by it does not magnify errors."""
    x = numbers(*shape)
    signs = sum(np.indices(shape)[axis % len(shape)] for axis in axes) % 2 * 2 - 1
    return x + 3 * signs.astype(np.float32)


def _chain(x, b, c, d):
    return ops.gelu(x * 1.5 + b, approximate="tanh") * ops.sigmoid(c) + ops.tanh(d)


def _operands_of_chain(rows, columns) -> list:
    return [numbers(rows, columns), numbers(columns, seed=1), numbers(rows, 1, seed=2), numbers(rows, columns, seed=3)]


def _turned(x, y):
    return ops.exp(-ops.abs(ops.transpose(x, (1, 0)) - y)) * ops.sin(y)


MAPS = [
    Family("map, a chain with broadcast operands",
           lambda **s: function(_chain, _operands_of_chain(**s)), 8, roles("rows columns")),
    Family("map, its gradients",
           lambda rows, columns: function(_chain, [*_operands_of_chain(rows, columns), numbers(rows, columns, seed=4)],
                                          slopes=True), 16, roles("rows columns")),
    Family("map, one operand transposed",
           lambda rows, columns: function(_turned, [numbers(columns, rows), numbers(rows, columns)]), 8,
           roles("rows columns")),
]


def _sum(axes: tuple, *shape: int) -> Result:
    return linear("sum", [numbers(*shape)], axes=axes, keepdims=False)


def _greatest(axes: tuple, *shape: int) -> Result:
    return equal("max", [numbers(*shape)], axes=axes, keepdims=False)


def _product(rows, columns) -> Result:
    x = (1 + 0.02 * numbers(rows, columns)).astype(np.float32)
    return linear("prod", [x], axes=(1,), keepdims=False)


def _mean_of_map(x):
    return ops.mean(ops.square(x), 1), ops.sum(ops.exp(x), 0), ops.sum(ops.sigmoid(x))


def _statistics(x):
    return ops.var(x, 0), ops.std(x, 1), ops.logsumexp(x, 1)


REDUCTIONS = [
    Family("sum of rows", lambda rows, columns: _sum((1,), rows, columns), 4, roles("rows columns")),
    Family("sum of columns", lambda rows, columns: _sum((0,), rows, columns), 4, roles("rows columns")),
    Family("sum over the middle axis", lambda a, b, c: _sum((1,), a, b, c), 8, roles("a b c")),
    Family("sum over the outer axes", lambda a, b, c: _sum((0, 2), a, b, c), 8, roles("a b c")),
    Family("sum of everything", lambda rows, columns: _sum((0, 1), rows, columns), 4, roles("rows columns")),
    Family("sum in two stages", lambda rows, columns: _sum((1,), min(rows, 3), columns + LONG), 4,
           roles("rows columns", rows=(1, 2, 3))),
    Family("largest of rows", lambda rows, columns: _greatest((1,), rows, columns), 0, roles("rows columns")),
    Family("largest of columns", lambda rows, columns: _greatest((0,), rows, columns), 0, roles("rows columns")),
    Family("product of rows", _product, 32, roles("rows columns")),
    Family("reductions of maps", lambda rows, columns: function(_mean_of_map, [numbers(rows, columns)]), 16,
           roles("rows columns")),
    Family("variance, deviation, logsumexp",
           lambda rows, columns: function(_statistics, [_spread(rows, columns, axes=(0, 1))]), 24,
           roles("rows columns")),
]


def _softmax(axis: int):
    return lambda x: ops.softmax(x, axis)


def _loss(logits, labels, weight):
    return (ops.cross_entropy(logits, labels, reduction="none") * weight).sum()


def _classified(rows, columns) -> list:
    labels = np.random.default_rng(rows).integers(0, columns, rows).astype(np.int32)
    return [numbers(rows, columns), labels, np.abs(numbers(rows, seed=1))]


def _loss_and_slopes(rows, columns) -> Result:
    return function(gc.grad(_loss), _classified(rows, columns))


def _layer_norm(x, gamma, beta):
    return ops.layer_norm(x, gamma.shape, gamma, beta)


def _rms_norm(x, gamma):
    return ops.rms_norm(x, gamma)[0]


def _batch_norm(x, gamma, beta):
    axes = (0, 2, 3)
    mean = ops.mean(x, axes, keep_dims=True)
    variance = ops.mean(ops.square(x - mean), axes, keep_dims=True)
    shape = (1, -1, 1, 1)
    return (x - mean) * ops.rsqrt(variance + 1e-5) * ops.reshape(gamma, shape) + ops.reshape(beta, shape)


def _group_norm(x):
    return ops.group_norm(x, 3)


def _normed(f, *shape: int, slopes: bool, axes: tuple = (-1,), own: tuple = (), count: int = 2) -> Result:
    """f of x and `count` operands of shape `own`; slopes: its gradients."""
    operands = [_spread(*shape, axes=axes), *(numbers(*own, seed=i + 1) for i in range(count))]
    return function(f, [*operands, numbers(*shape, seed=9)] if slopes else operands, slopes)


def _both(name: str, names: str, bounds: tuple, run) -> list[Family]:
    """A function and its gradients."""
    return [Family(f"{name}{', gradients' * slopes}", lambda slopes=slopes, **sizes: run(**sizes, slopes=slopes), bound,
                   roles(names), "", lambda **sizes: 8 * prod(sizes.values()))
            for slopes, bound in zip((False, True), bounds)]


NORMS = [
    *_both("softmax of rows", "rows columns", (8, 16), lambda rows, columns, slopes: _normed(
        _softmax(-1), rows, columns, slopes=slopes, count=0)),
    *_both("softmax of columns", "rows columns", (8, 16), lambda rows, columns, slopes: _normed(
        _softmax(0), rows, columns, slopes=slopes, count=0)),
    *_both("log_softmax", "rows columns", (8, 8), lambda rows, columns, slopes: _normed(
        lambda x: ops.log_softmax(x, -1), rows, columns, slopes=slopes, count=0)),
    Family("cross entropy", lambda rows, columns: function(_loss, _classified(rows, columns)), 8,
           roles("rows columns")),
    Family("cross entropy, gradients", _loss_and_slopes, 8, roles("rows columns")),
    *_both("layer norm", "rows columns", (8, 24), lambda rows, columns, slopes: _normed(
        _layer_norm, rows, columns, slopes=slopes, own=(columns,))),
    *_both("RMS norm", "rows columns", (8, 24), lambda rows, columns, slopes: _normed(
        _rms_norm, rows, columns, slopes=slopes, own=(columns,), count=1)),
    *_both("batch norm in training", "images channels height width", (24, 96),
           lambda images, channels, height, width, slopes: _normed(
               _batch_norm, images, channels, height, width, slopes=slopes, axes=(0, 2, 3), own=(channels,))),
    *_both("group norm", "images channels height width", (24, 24),
           lambda images, channels, height, width, slopes: _normed(
               _group_norm, images, 3 * channels, height, width, slopes=slopes, axes=(1, 2, 3), count=0)),
]
