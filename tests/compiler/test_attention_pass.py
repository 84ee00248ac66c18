"""Attention that was written out: where the operator takes its place, and that nothing changes by it."""
import numpy as np
import pytest

import graphcore as gc
from graphcore import Tensor, ops
from graphcore.capture.compiled import CompiledFunction
from graphcore.compiler.passes.attention import find_attention
from graphcore.compiler.pipeline import optimize

L, D = 136, 8
RNG = np.random.default_rng(4)
OPERANDS = [RNG.normal(size=(2, 3, L, D)).astype(np.float32) for _ in range(3)]
FUTURE = np.triu(np.ones((L, L), bool), 1)
HIDDEN = RNG.random((L, L)) < 0.4
HIDDEN[:, 5] = False
PADDING = np.where(RNG.random((2, 1, 1, L)) < 0.3, -np.inf, 0).astype(np.float32)
LOWEST = float("-inf")


def products(q, k):
    return ops.matmul(q, ops.transpose(k, (0, 1, 3, 2)))


def plain(q, k, v):
    return ops.matmul(ops.softmax(products(q, k) * 0.3, -1), v)


def divided(q, k, v):
    return ops.matmul(ops.softmax(ops.BatchMatMul(transpose_b=True)(q, k) / 2.7, -1), v)


def unscaled(q, k, v):
    return ops.BatchMatMul(transpose_b=True)(ops.softmax(products(q * 0.3, k)), ops.swapaxes(v, 2, 3))


def causal(q, k, v):
    return ops.matmul(ops.softmax(ops.masked_fill(products(q, k) * 0.3, Tensor(FUTURE), LOWEST), -1), v)


def causal_where(q, k, v):
    return ops.matmul(ops.softmax(ops.where(Tensor(~FUTURE), products(q, k), LOWEST), -1), v)


def causal_added(q, k, v):
    future = Tensor(np.where(FUTURE, -np.inf, 0).astype(np.float32))
    return ops.matmul(ops.softmax(products(q, k) * 0.3 + future + Tensor(PADDING[:1]), -1), v)


def hidden(q, k, v):
    return ops.matmul(ops.softmax(ops.masked_fill(products(q, k) * 0.3, Tensor(HIDDEN), LOWEST), -1), v)


def hidden_by_data(q, k, v):
    return ops.matmul(ops.softmax(ops.where(q[0, 0, 0, 0] < Tensor(np.cumsum(~HIDDEN, 1).astype("f4")), products(q, k),
                                            LOWEST), -1), v)


def padded(q, k, v):
    return ops.matmul(ops.softmax(Tensor(PADDING) + products(q, k) * 0.3, -1), v)


def shared_keys(q, k, v):
    return ops.matmul(ops.softmax(products(q, k[:, :1]) * 0.3, -1), v[:, :1])


FOUND = [plain, divided, unscaled, causal, causal_where, causal_added, hidden, hidden_by_data, padded, shared_keys]


def weights_are_wanted(q, k, v):
    weights = ops.softmax(products(q, k), -1)
    return ops.matmul(weights, v), weights


def weights_are_used(q, k, v):
    weights = ops.softmax(products(q, k), -1)
    return ops.matmul(weights, v) + weights.sum()


def short(q, k, v):
    return plain(q[:, :, :40], k[:, :, :40], v[:, :, :40])


def another_axis(q, k, v):
    return ops.matmul(ops.softmax(products(q, k), 2), v)


def not_quite_hidden(q, k, v):
    return ops.matmul(ops.softmax(ops.masked_fill(products(q, k), Tensor(HIDDEN), -1e9), -1), v)


def bias_with_a_gradient(q, k, v):
    return ops.matmul(ops.softmax(products(q, k) + q[..., :1] * k[:, :, 0, 0, None, None], -1), v)


def narrow(q, k, v):
    return plain(*(ops.cast(x, gc.float16) for x in (q, k, v)))


def not_a_softmax(q, k, v):
    scores = products(q, k)
    powers = ops.exp(scores - ops.amax(scores))
    return ops.matmul(powers / powers.sum(-1, keepdims=True), v)


NOT_FOUND = [weights_are_wanted, weights_are_used, short, another_axis, not_quite_hidden,
             bias_with_a_gradient, narrow, not_a_softmax]


@pytest.fixture(autouse=True)
def graph_mode():
    gc.set_context(mode=gc.GRAPH_MODE)


def captured(function):
    return CompiledFunction(function, "attend").capture(tuple(map(Tensor, OPERANDS)), {}).graph


def operators(graph) -> list:
    return [n.op for n in graph.nodes]


@pytest.mark.parametrize("function", FOUND, ids=lambda f: f.__name__)
def test_found_and_the_same_with_its_gradients(function):
    graph = optimize(captured(function))
    assert operators(graph).count("attention") == 1 and not {"matmul", "exp", "max"} & set(operators(graph))
    step = gc.value_and_grad(lambda *a: (function(*a) ** 2).sum(), (0, 1, 2))
    inputs = tuple(map(Tensor, OPERANDS))
    loss, gradients = step(*inputs)
    gc.set_context(mode=gc.PYNATIVE_MODE)
    wanted_loss, wanted = step(*inputs)
    np.testing.assert_allclose(loss.asnumpy(), wanted_loss.asnumpy(), rtol=1e-5)
    for found, expected in zip(gradients, wanted):
        np.testing.assert_allclose(found.asnumpy(), expected.asnumpy(), rtol=1e-4, atol=1e-4)


def test_a_constant_future_is_the_flag():
    for function in (causal, causal_where, causal_added):
        (node,) = [n for n in optimize(captured(function)).nodes if n.op == "attention"]
        assert node.attrs["causal"] and len(node.inputs) == (4 if function is causal_added else 3)


@pytest.mark.parametrize("function", NOT_FOUND, ids=lambda f: f.__name__)
def test_not_found(function):
    graph = captured(function)
    assert find_attention(graph) is graph or "attention" not in operators(find_attention(graph))


def test_each_of_several_layers_is_found():
    def layers(q, k, v):
        for _ in range(3):
            q = causal(q, k, v)
        return q

    log = []
    graph = find_attention(captured(layers), log)
    assert operators(graph).count("attention") == 3 == len(log) and log[0].rule == "attention_of_products"
    result = gc.jit(layers)(*map(Tensor, OPERANDS)).asnumpy()
    gc.set_context(mode=gc.PYNATIVE_MODE)
    np.testing.assert_allclose(result, layers(*map(Tensor, OPERANDS)).asnumpy(), rtol=1e-4, atol=1e-5)


def test_a_query_that_sees_nothing_stays_not_a_number():
    nothing = HIDDEN.copy()
    nothing[3] = True

    def attend(q, k, v):
        return ops.matmul(ops.softmax(ops.masked_fill(products(q, k), Tensor(nothing), LOWEST), -1), v)

    assert "attention" in operators(optimize(captured(attend)))
    found = gc.jit(attend)(*map(Tensor, OPERANDS)).asnumpy()
    assert np.isnan(found[:, :, 3]).all() and np.isfinite(np.delete(found, 3, 2)).all()
