"""Attention and recurrent layers: forward, and their gradients."""
from __future__ import annotations

import numpy as np

import graphcore as gc
from graphcore import Tensor, nn, ops
from tests.accuracy.measure import Family, Result, numbers, roles
from tests.accuracy.sizes import SIZES


def attention_formula(q, k, v, g, causal: bool) -> tuple:
    """The result, the gradients of ``sum(result * g)``, and the sums of the magnitudes of their terms, in float64.

    The error of a score is relative to the magnitudes of its products, and is one of the weight by as much.
    """
    q, k, v, g = (x.astype(np.float64) for x in (q, k, v, g))
    scale = q.shape[-1] ** -0.5
    scores = q @ k.swapaxes(-1, -2) * scale
    if causal:
        scores = np.where(np.tri(*scores.shape[-2:], dtype=bool), scores, -np.inf)
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    weights = powers / powers.sum(-1, keepdims=True)
    wide = weights * (1 + np.abs(q) @ np.abs(k).swapaxes(-1, -2) * scale)

    def slopes_of(weights, g, q, k, v, sign: int) -> list:
        inner = g @ v.swapaxes(-1, -2)
        slopes = weights * (inner - sign * (inner * weights).sum(-1, keepdims=True)) * scale
        return [slopes @ k, slopes.swapaxes(-1, -2) @ q, weights.swapaxes(-1, -2) @ g]

    values = [weights @ v, *slopes_of(weights, g, q, k, v, 1)]
    magnitudes = [wide @ np.abs(v), *slopes_of(wide, *map(np.abs, (g, q, k, v)), -1)]
    return values, magnitudes


def _attention(causal: bool, slopes: bool):
    def attend(q, k, v):
        return ops.scaled_dot_product_attention(q, k, v, is_causal=causal)

    def loss(q, k, v, g):
        return (attend(q, k, v) * g).sum()

    def run(heads, queries, keys, depth, values) -> Result:
        shapes = (queries, depth), (keys, depth), (keys, values), (queries, values)
        operands = [numbers(1, heads, *shape, seed=i) for i, shape in enumerate(shapes)]
        want, terms = attention_formula(*operands, causal)
        tensors = [Tensor(x) for x in operands]
        if slopes:
            got = [x.asnumpy() for x in gc.jit(gc.grad(loss, (0, 1, 2)))(*tensors)]
            return Result(got, want[1:], terms[1:])
        return Result([gc.jit(attend)(*tensors[:3]).asnumpy()], want[:1], terms[:1])
    return run


def _work(heads, queries, keys, depth, values) -> int:
    return 2 * heads * queries * keys * (depth + values)


ATTENTION = [Family(f"attention{', causal' * causal}{', gradients' * slopes}", _attention(causal, slopes), bound,
                    roles("heads queries keys depth values"), "", _work)
             for causal in (False, True) for slopes, bound in ((False, 8), (True, 24))]


def _net(kind, inputs: int, hidden: int, dtype):
    """A recurrent layer with the same weights in both dtypes, too small for chaos."""
    net = kind(inputs, hidden, dtype=dtype)
    for i, p in enumerate(net.get_parameters()):
        p.set_data(Tensor(numbers(*p.shape, seed=i) * np.float32(0.5 * p.shape[-1] ** -0.5), dtype))
    return net


def _recurrent(kind, slopes: bool):
    def run(steps, batch, inputs, hidden) -> Result:
        x, g = numbers(steps, batch, inputs), numbers(steps, batch, hidden, seed=1)
        results = []
        for dtype, mode in ((gc.float32, gc.GRAPH_MODE), (gc.float64, gc.PYNATIVE_MODE)):
            gc.set_context(mode=mode)
            try:
                results.append(_results(_net(kind, inputs, hidden, dtype), Tensor(x, dtype), Tensor(g, dtype), slopes))
            finally:
                gc.set_context(mode=gc.GRAPH_MODE)
        got, want = results
        terms = np.sqrt(steps * batch) if slopes else 1.0           # what so many normal ones add up to, for weights
        return Result(got, want, [max(terms, np.abs(w).max(initial=0.0)) for w in want])
    return run


def _results(net, x, g, slopes: bool) -> list:
    """What the layer gives for all steps; slopes: the gradients by x and all weights of its sum times g."""
    if not slopes:
        return [net(x)[0].asnumpy()]
    for_x, for_weights = gc.grad(lambda x: (net(x)[0] * g).sum(), 0, net.trainable_params())(x)
    return [r.asnumpy() for r in (for_x, *for_weights)]


RECURRENT = [Family(f"{kind.__name__}{', gradients' * slopes}", _recurrent(kind, slopes), bound,
                    roles("steps batch inputs hidden", steps=SIZES[:8]), "",
                    lambda steps, batch, inputs, hidden: 4 * steps * (batch * (inputs + hidden) * hidden + 20000))
             for kind in (nn.LSTM, nn.GRU, nn.RNN) for slopes, bound in ((False, 24), (True, 48))]
