"""`ops.scaled_dot_product_attention` against its formula in float64, and against PyTorch where it says so."""
import numpy as np
import pytest

import graphcore as gc
from graphcore import Tensor, nn, ops
from graphcore.errors import DTypeError, ShapeError

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
