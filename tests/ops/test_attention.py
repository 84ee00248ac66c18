"""`ops.scaled_dot_product_attention` against its formula in float64, and against PyTorch where it says so."""
import numpy as np
import pytest

import graphcore as gc
from graphcore import Tensor, nn, ops
from graphcore.capture.compiled import CompiledFunction
from graphcore.compiler.pipeline import optimize
from graphcore.compiler.plan import compile_plan
from graphcore.compiler.runtime import native
from graphcore.compiler.toolchain.cpu import host
from graphcore.errors import DTypeError, ShapeError
from graphcore.ops.functional.attention import attention_weights

RNG = np.random.default_rng(7)
QUERY, KEY, VALUE = (RNG.normal(size=s).astype(np.float32) for s in ((2, 2, 3, 4), (2, 2, 5, 4), (2, 2, 5, 6)))
SEEN = RNG.random((2, 1, 3, 5)) < 0.6
SEEN[..., 0] = True
ADDED = RNG.normal(size=(3, 5)).astype(np.float32)
UPSTREAM = RNG.normal(size=(2, 2, 3, 6)).astype(np.float32)
# PyTorch 2.13
PYTORCH = [[0.8912073373794556, 0.8084964156150818, -0.15774568915367126],
           [0.4481392502784729, 0.4444754123687744, -0.044914647936820984]]
CASES = {
    "plain": {},
    "scale": dict(scale=0.3),
    "bool mask": dict(attn_mask=SEEN),
    "float mask": dict(attn_mask=ADDED),
    "causal": dict(is_causal=True),
}


@pytest.fixture(params=["eager", "compiled"])
def mode(request):
    """PYNATIVE_MODE and GRAPH_MODE in turn."""
    gc.set_context(mode=gc.GRAPH_MODE if request.param == "compiled" else gc.PYNATIVE_MODE)
    return request.param


def formula(query, key, value, upstream, attn_mask=None, is_causal=False, scale=None):
    """The result and the gradients of ``sum(result * upstream)``, in float64."""
    query, key, value, upstream = (np.asarray(x, np.float64) for x in (query, key, value, upstream))
    scale = query.shape[-1] ** -0.5 if scale is None else scale
    products = query @ key.swapaxes(-1, -2) * scale
    if is_causal:
        attn_mask = np.tri(*products.shape[-2:], dtype=bool)
    if attn_mask is not None:
        products = np.where(attn_mask, products, -np.inf) if attn_mask.dtype == bool else products + attn_mask
    powers = np.exp(products - products.max(-1, keepdims=True))
    weights = powers / powers.sum(-1, keepdims=True)
    inner = upstream @ value.swapaxes(-1, -2)
    slopes = weights * (inner - (inner * weights).sum(-1, keepdims=True)) * scale
    return weights @ value, slopes @ key, slopes.swapaxes(-1, -2) @ query, weights.swapaxes(-1, -2) @ upstream


class AllCases(nn.Cell):
    """The results of all cases, and the sum over them, as one program."""

    def construct(self, query, key, value):
        results = [ops.scaled_dot_product_attention(query[i], key[i], value[i], **{
            name: Tensor(option) if isinstance(option, np.ndarray) else option for name, option in case.items()})
            for i, case in enumerate(CASES.values())]
        return sum((r * Tensor(UPSTREAM)).sum() for r in results), tuple(results)


def test_results_and_gradients(mode):
    inputs = [Tensor(np.stack([x] * len(CASES))) for x in (QUERY, KEY, VALUE)]
    (_, results), gradients = gc.value_and_grad(AllCases(), (0, 1, 2), None, has_aux=True)(*inputs)
    for i, (name, case) in enumerate(CASES.items()):
        expected = formula(QUERY, KEY, VALUE, UPSTREAM, **case)
        for found, wanted in zip((results[i], *(g[i] for g in gradients)), expected):
            np.testing.assert_allclose(found.asnumpy(), wanted, rtol=1e-4, atol=1e-5, err_msg=name)


def test_values_of_pytorch():
    gc.set_context(mode=gc.PYNATIVE_MODE)
    query, key, value = (Tensor(np.sin(step * np.arange(1, 7)).reshape(shape).astype(np.float32))
                         for step, shape in ((0.5, (2, 3)), (0.8, (2, 3)), (1.1, (2, 3))))
    result = ops.scaled_dot_product_attention(query, key, value, is_causal=True)
    np.testing.assert_allclose(result.asnumpy(), PYTORCH, rtol=1e-5)


def test_a_query_that_may_see_nothing_gives_zeros(mode):
    # as in PyTorch since 2.5
    seen = SEEN.copy()
    seen[0, :, 1] = False

    def total(query, key, value):
        result = ops.scaled_dot_product_attention(query, key, value, Tensor(seen))
        return result.sum(), result

    step = gc.value_and_grad(total, (0, 1, 2), None, has_aux=True)
    (_, result), gradients = step(Tensor(QUERY), Tensor(KEY), Tensor(VALUE))
    assert not result.asnumpy()[0, :, 1].any() and result.asnumpy()[1].all()
    assert not gradients[0].asnumpy()[0, :, 1].any()
    assert all(np.isfinite(g.asnumpy()).all() for g in gradients)


def test_leading_axes_broadcast_and_dtypes_are_kept():
    gc.set_context(mode=gc.PYNATIVE_MODE)
    shared = ops.scaled_dot_product_attention(Tensor(QUERY), Tensor(KEY[:, :1]), Tensor(VALUE[:, :1]))
    np.testing.assert_allclose(shared.asnumpy(), formula(QUERY, KEY[:, :1], VALUE[:, :1], UPSTREAM)[0], rtol=1e-4,
                               atol=1e-6)
    half = ops.scaled_dot_product_attention(*(Tensor(x, gc.float16) for x in (QUERY, KEY, VALUE)), Tensor(SEEN))
    assert half.dtype == gc.float16
    np.testing.assert_allclose(half.asnumpy(), formula(QUERY, KEY, VALUE, UPSTREAM, SEEN)[0], rtol=2e-2, atol=2e-3)


def test_dropout(mode):
    gc.set_seed(1)
    rows = Tensor(np.zeros((1, 400, 4), np.float32))
    result = ops.scaled_dot_product_attention(rows, rows, Tensor(np.ones((1, 400, 4), np.float32)), dropout_p=0.25)
    assert result.asnumpy().std() > 0 and result.asnumpy().mean() == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("arguments, named, error, text", [
    ((QUERY, KEY[..., :3], VALUE), {}, ShapeError, "queries"),
    ((QUERY[0, 0, 0], KEY, VALUE), {}, ShapeError, "queries"),
    ((QUERY, KEY, VALUE[..., :3, :]), {}, ShapeError, "a value for each key"),
    ((QUERY, KEY, VALUE), dict(attn_mask=SEEN, is_causal=True), ShapeError, "leave out attn_mask"),
    ((QUERY, KEY, VALUE), dict(attn_mask=SEEN[..., :4]), ShapeError, None),
    ((QUERY, KEY, VALUE), dict(attn_mask=np.ones((7, 2, 2, 3, 5), bool)), ShapeError, "broadcast to"),
    ((QUERY, KEY, VALUE), dict(attn_mask=SEEN.astype(np.int32)), DTypeError, "mask != 0"),
    ((QUERY, KEY, VALUE), dict(dropout_p=1.5), ShapeError, "between 0 and 1"),
    ((QUERY, KEY, VALUE), dict(scale="big"), DTypeError, "scale must be a number"),
])
def test_inputs_that_do_not_fit(arguments, named, error, text):
    gc.set_context(mode=gc.PYNATIVE_MODE)
    with pytest.raises(error, match=text):
        ops.scaled_dot_product_attention(*map(Tensor, arguments), **{
            k: Tensor(v) if isinstance(v, np.ndarray) else v for k, v in named.items()})


# -- the operator ----------------------------------------------------------------------------------------------------

def composed(query, key, value, mask=None, is_causal=False):
    """The same of products and a softmax, with the weights in memory."""
    return ops.matmul(attention_weights(query, key, mask, is_causal), value)


def operands(*lead, length=20, keys=24, dtype=np.float32):
    rng = np.random.default_rng(11)
    return [rng.normal(size=(*lead, *own)).astype(dtype) for own in ((length, 8), (keys, 8), (keys, 6))]


def test_it_is_one_operator_and_the_heads_are_not_copied():
    def attend(x):
        q, k, v = (ops.transpose(t, (0, 2, 1, 3)) for t in ops.split(x, 2, 2))
        return ops.scaled_dot_product_attention(q, k, v, is_causal=True)

    graph = captured(attend, ops.zeros((3, 9, 6, 8), gc.float32))
    assert [n.op for n in graph.nodes if n.op in ("attention", "matmul", "exp")] == ["attention"]
    compiled = compile_plan(optimize(graph), host(), {})
    assert [launch.kernel.name for launch in compiled.launches][0] == "attention_f32" and len(compiled.launches) <= 2


@pytest.mark.parametrize("heads", [1, 8], ids=["few heads", "many heads"])
def test_memory_does_not_hold_the_weights(heads):
    length, size = 4096, 16

    def total(q, k, v):
        return ops.scaled_dot_product_attention(q, k, v, is_causal=True).sum()

    gc.set_context(mode=gc.GRAPH_MODE)
    arguments = [ops.zeros((heads, length, size), gc.float32)] * 3
    for function in (total, gc.value_and_grad(total, (0, 1, 2)).traced):
        plan = compile_plan(optimize(captured(function, *arguments)), host(), {}).plan
        assert plan.arena_bytes < (8 + 10 * heads) * length * size * 4 < heads * length * length * 4 // 2
        assert max(life.bytes for life in plan.lifetimes.values()) < (8 + 4 * heads) * length * size * 4


def test_results_do_not_depend_on_threads():
    gc.set_context(mode=gc.GRAPH_MODE)
    before, found = native.threads(), []
    step = gc.value_and_grad(lambda q, k, v: (ops.scaled_dot_product_attention(q, k, v, is_causal=True) ** 2).sum(),
                             (0, 1, 2))
    try:
        for threads in (1, 2, 4):
            native.set_threads(threads)
            for heads in (2, 16):
                loss, gradients = step(*map(Tensor, operands(heads, length=300, keys=200)))
                found.append([loss.asnumpy().tobytes(), *(g.asnumpy().tobytes() for g in gradients)])
    finally:
        native.set_threads(before)
    assert found[:2] == found[2:4] == found[4:]


@pytest.mark.parametrize("case", [{}, {"is_causal": True}, {"mask": "added"}, {"mask": "bool"}], ids=str)
def test_second_derivatives(mode, case):
    gc.set_context(mode=gc.GRAPH_MODE)
    inputs = [Tensor(x) for x in operands(2, length=5, keys=7, dtype=np.float64)]
    directions = [Tensor(np.cos(x.asnumpy() * 3)) for x in inputs]
    rng, case = np.random.default_rng(3), dict(case)
    if "mask" in case:
        mask = rng.normal(size=(5, 7))
        mask = mask < 0.6 if case.pop("mask") == "bool" else mask
        inputs.append(Tensor(mask))

    def second(attend):
        def first(*arguments):
            gradients = gc.grad(lambda *a: (attend(*a, **case) ** 2).sum(), (0, 1, 2))(*arguments)
            return sum((g * d).sum() for g, d in zip(gradients, directions))
        floats = tuple(i for i, x in enumerate(inputs) if x.dtype.is_float)
        return gc.grad(first, floats)(*inputs)

    for found, wanted in zip(second(ops.scaled_dot_product_attention), second(composed)):
        np.testing.assert_allclose(found.asnumpy(), wanted.asnumpy(), rtol=1e-9, atol=1e-10)


def test_gradient_of_the_mask(mode):
    inputs = [Tensor(x) for x in (*operands(2, 3), np.random.default_rng(3).normal(size=(3, 1, 24)).astype("f4"))]

    def loss(attend):
        return gc.grad(lambda *a: (attend(*a) ** 2).sum(), (0, 1, 2, 3))(*inputs)

    for found, wanted in zip(loss(ops.scaled_dot_product_attention), loss(composed)):
        assert found.shape == wanted.shape
        np.testing.assert_allclose(found.asnumpy(), wanted.asnumpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("axes", [(0, 0, 0), (0, None, None), (None, 1, 1), (None, None, 0)], ids=str)
def test_vmap(mode, axes):
    arrays = [x if axis is not None else x[0] for x, axis in zip(operands(4, 2), axes)]
    arrays = [np.swapaxes(x, 0, 1) if axis == 1 else x for x, axis in zip(arrays, axes)]

    def gradients(query, key, value):
        def loss(query, key, value):
            return (ops.scaled_dot_product_attention(query, key, value, is_causal=True) ** 2).sum()
        return gc.grad(loss, (0, 1, 2))(query, key, value)

    together = gc.vmap(gradients, in_axes=axes)(*map(Tensor, arrays))
    for i in range(4):
        alone = gradients(*(Tensor(x if axis is None else np.take(x, i, axis)) for x, axis in zip(arrays, axes)))
        for found, wanted in zip(together, alone):
            np.testing.assert_allclose(found.asnumpy()[i], wanted.asnumpy(), rtol=1e-5, atol=1e-5)


def test_a_scale_that_is_a_tensor(mode):
    query, key, value = map(Tensor, operands(2))
    scale = Tensor(0.3, gc.float32)
    found = gc.grad(lambda s: ops.scaled_dot_product_attention(query, key, value, scale=s).sum())(scale)
    step = 1e-2
    ends = [formula(query.asnumpy(), key.asnumpy(), value.asnumpy(), np.ones((2, 20, 6)), scale=0.3 + s)[0].sum()
            for s in (step, -step)]
    np.testing.assert_allclose(found.asnumpy(), (ends[0] - ends[1]) / (2 * step), rtol=2e-3)


def captured(function, *arguments):
    gc.set_context(mode=gc.GRAPH_MODE)
    return CompiledFunction(function, "attend").capture(arguments, {}).graph
