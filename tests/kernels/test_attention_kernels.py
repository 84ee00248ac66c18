"""The kernels of attention against the formula in float64: odd sizes, masks, strides, CPUs, empty rows.

Every launch is run in two splits over threads, whose results must be equal bit by bit.
"""
import numpy as np
import pytest

from graphcore import dtype as dt
from graphcore.compiler.kernels.attention import LOWERINGS
from graphcore.compiler.launch import View
from graphcore.compiler.toolchain.cpu import host, x86_level
from graphcore.ir import graph as ir
from graphcore.ir.dims import Dim
from graphcore.ir.types import TensorType
from graphcore.ops.attention import attention, attention_grad
from graphcore.ops.record import REGISTRY
from tests.kernels.runner import Build, window
from tests.thinning import thinned

LENGTHS = (1, 2, 3, 7, 15, 17, 31, 33, 63, 65, 127, 129)
DEPTHS = (1, 8, 17, 64, 80)
LEADS = ((), (2,), (3, 3))
TOLERANCE = {"f32": 3e-6, "f64": 2e-14}


def run(name, arrays, attrs, orders=None, cpu=None, symbols=()) -> np.ndarray:
    """What the kernels compute.  orders: of each operand's axes in memory; symbols: axes whose sizes are not known."""
    results = []
    for cuts in ((0.0, 0.3, 0.8, 1.0), (0.0, 1.0)):
        build = Build({}, cuts)
        build.cpu = cpu or build.cpu
        leaves, views = [], []
        for i, array in enumerate(arrays):
            dtype, shape = dt.from_numpy(array.dtype), list(array.shape)
            for axis in symbols:
                build.binding[f"n{axis}"], shape[axis] = shape[axis], Dim.symbol(f"n{axis}")
            leaves.append(ir.input_(f"x{i}", TensorType(dtype, tuple(shape))))
            if orders is None or orders[i] is None:
                views.append(View.whole(build.hold("x", dtype, np.ascontiguousarray(array)), tuple(shape)))
            else:
                views.append(window(build, array, dtype, orders[i]))
        node = REGISTRY[name](*leaves, **attrs)
        output = View.whole(build.temp("out", node.dtype, node.type.size), node.shape)
        LOWERINGS[name](build, node, views, output, None)
        results.append(build.read(output))
    assert results[0].tobytes() == results[1].tobytes(), "the split over threads changes the result"
    return results[0]


def operands(lead, lq, lk, d, dv, dtype=np.float32, seed=0):
    """Queries, keys, values and a gradient of the output."""
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((*lead, *own)).astype(dtype) for own in ((lq, d), (lk, d), (lk, dv), (lq, dv))]


def close(found, wanted, bound):
    """Equal up to `bound` times the largest magnitude, infinities included."""
    scale = np.abs(wanted[np.isfinite(wanted)]).max(initial=1.0)
    np.testing.assert_allclose(found, wanted, rtol=bound, atol=bound * scale)


def check(q, k, v, g, *masks, scale=None, causal=False, bound=None, orders=None, **how):
    """Both operators against their references in float64, the gradient with rounded statistics of the rows."""
    attrs = {"scale": float(q.shape[-1] ** -0.5 if scale is None else scale), "causal": causal}
    bound = bound or TOLERANCE["f64" if q.dtype == np.float64 else "f32"]
    exact = [x.astype(np.float64) for x in (q, k, v, g)]
    wide = [m if m.dtype == bool else m.astype(np.float64) for m in masks]
    with np.errstate(all="ignore"):
        wanted = attention.reference(*exact[:3], *wide, **attrs)
    at = wanted.shape[-1] - q.shape[-2]
    found = run("attention", [q, k, v, *masks], attrs, orders and [*orders[:3], *orders[4:]], **how)
    close(found, wanted, bound)
    delta = (wanted[..., :at].reshape(g.shape) * exact[3]).sum(-1)
    statistics = [wanted[..., at:], delta]
    with np.errstate(all="ignore"):
        slopes = attention_grad.reference(*exact, *statistics, *wide, **attrs)
    orders = orders and [*orders[:4], None, None, *orders[4:]]
    got = run("attention_grad", [q, k, v, g, *(s.astype(q.dtype) for s in statistics), *masks], attrs, orders, **how)
    close(got, slopes, 8 * bound)
    return found, got


SIZES = [(LEADS[(i + j) % 3], lq, lk, DEPTHS[(i + 2 * j) % 5], DEPTHS[(2 * i + j) % 5])
         for i, lq in enumerate(LENGTHS) for j, lk in enumerate(LENGTHS)]


@pytest.mark.parametrize("lead, lq, lk, d, dv", thinned(SIZES, 24))
@pytest.mark.parametrize("causal", [False, True], ids=["all", "causal"])
def test_odd_sizes(lead, lq, lk, d, dv, causal):
    check(*operands(lead, lq, lk, d, dv), causal=causal)


@pytest.mark.parametrize("lead, lq, lk, d, dv", [
    ((2,), 300, 700, 64, 64),           # several blocks of keys, several items
    ((9,), 40, 300, 16, 16),            # whole heads as items, several blocks of keys
    ((1,), 700, 300, 40, 24),
    ((2,), 20, 30, 400, 350),           # a depth beyond the tile's
    ((12,), 129, 129, 64, 64),
])
@pytest.mark.parametrize("causal", [False, True], ids=["all", "causal"])
def test_several_blocks(lead, lq, lk, d, dv, causal):
    check(*operands(lead, lq, lk, d, dv), causal=causal)


MASKS = [(33, 50), (50,), (33, 1), (1, 50), (1, 1), (), (2, 1, 33, 50), (2, 3, 1, 50), (3, 33, 1)]


@pytest.mark.parametrize("shape", MASKS, ids=str)
@pytest.mark.parametrize("kind", ["bool", "float", "infinite"])
def test_masks_broadcast(shape, kind):
    rng = np.random.default_rng(1)
    mask = rng.standard_normal(shape).astype(np.float32)
    if kind == "bool":
        mask = np.asarray(mask < 0.5)
    elif kind == "infinite":
        mask = np.where(mask < 0.5, mask, -np.inf).astype(np.float32)
    check(*operands((2, 3), 33, 50, 8, 12), np.asarray(mask))


def test_mask_and_causal_and_a_mask_in_another_order():
    mask = np.random.default_rng(1).standard_normal((2, 33, 50)).astype(np.float32)
    check(*operands((2,), 33, 50, 8, 12), mask, causal=True, orders=[None] * 4 + [(2, 1, 0)])
    check(*operands((2,), 33, 50, 8, 12), mask < 0.3, orders=[None] * 4 + [(2, 0, 1)])


@pytest.mark.parametrize("count", [1, 12], ids=["few heads", "many heads"])
def test_a_query_that_sees_nothing(count):
    """Zeros, -inf as logsumexp, gradients of zero; also where all but the last block of keys is hidden."""
    q, k, v, g = operands((count,), 20, 600, 16, 16)
    seen = np.random.default_rng(2).random((20, 600)) < 0.5
    seen[3] = seen[19] = False
    seen[5, :599] = False
    for mask in (seen, np.where(seen, 0, -np.inf).astype(np.float32)):
        found, slopes = check(q, k, v, g, mask)
        output, lse = found[..., :320].reshape(count, 20, 16), found[..., 320:]
        assert not output[:, [3, 19]].any() and np.isneginf(lse[:, [3, 19]]).all() and np.isfinite(lse[:, 5]).all()
        assert not slopes[..., :320].reshape(count, 20, 16)[:, [3, 19]].any() and np.isfinite(slopes).all()
    nothing, slopes = check(q, k, v, g, np.zeros((1, 1), bool))
    assert not nothing[..., :320].any() and not slopes.any()


@pytest.mark.parametrize("causal", [False, True], ids=["all", "causal"])
@pytest.mark.parametrize("count", [2, 5], ids=["few heads", "many heads"])
def test_heads_are_read_in_place(count, causal):
    """(B, L, H, D) under the view (B, H, L, D): no launch but those of the kernels."""
    between = (0, 2, 1, 3)
    check(*operands((count, 3), 33, 40, 16, 8), causal=causal, orders=[between] * 4)


@pytest.mark.parametrize("order", [(0, 2, 1), (2, 0, 1)], ids=str)
def test_other_strides(order):
    check(*operands((3,), 33, 40, 17, 9), orders=[order] * 4)


def test_repeated_operands():
    """Keys and values that heads share, and one gradient for all elements."""
    q, _, _, _ = operands((2, 3), 20, 30, 8, 8)
    _, k, v, _ = operands((2, 1), 20, 30, 8, 8, seed=1)
    g = np.broadcast_to(np.float32(0.5), (2, 3, 20, 8))
    check(q, k, v, g)


@pytest.mark.parametrize("causal", [False, True], ids=["all", "causal"])
def test_large_products(causal):
    """Products up to 1e4: nothing overflows, and what remains is their own rounding."""
    q, k, v, g = operands((2,), 40, 300, 16, 8)
    factor = np.float32(1e4 / np.abs(np.matmul(q, k.swapaxes(-1, -2))).max())
    found, slopes = check(q * factor, k, v, g, scale=1.0, causal=causal, bound=4e-3)
    assert np.isfinite(found).all() and np.isfinite(slopes).all()


def test_not_a_number_passes():
    q, k, v, _ = operands((2,), 20, 30, 8, 8)
    q[0, 3, 2] = np.nan
    found = run("attention", [q, k, v], {"scale": 0.3, "causal": False})[..., :160].reshape(2, 20, 8)
    assert np.isnan(found[0, 3]).all() and np.isfinite(np.delete(found[0], 3, 0)).all() and np.isfinite(found[1]).all()


@pytest.mark.parametrize("scale", [0.0, -0.7, 1e60])
def test_scales(scale):
    q, k, v, g = operands((2,), 20, 30, 8, 8)
    if scale > 1e38:                    # infinite in float32
        assert np.isnan(run("attention", [q, k, v], {"scale": scale, "causal": False})).any()
    else:
        check(q, k, v, g, scale=scale)


def test_double_precision():
    check(*operands((3,), 33, 70, 17, 9, np.float64), causal=True)


@pytest.mark.parametrize("symbols", [(0,), (0, 1)], ids=["heads", "heads and lengths"])
def test_sizes_that_are_not_known(symbols):
    q, k, v, g = operands((9,), 40, 40, 16, 8)
    for causal in (False, True):
        found, slopes = check(q, k, v, g, causal=causal, symbols=symbols)
        plain, plain_slopes = check(q, k, v, g, causal=causal)
        close(found, plain, 1e-5)
        close(slopes, plain_slopes, 1e-5)


@pytest.mark.parametrize("lead, lq, lk", [((0,), 3, 4), ((2,), 0, 4), ((2,), 3, 0), ((9,), 0, 4), ((9,), 3, 0)])
def test_nothing(lead, lq, lk):
    check(*operands(lead, lq, lk, 4, 5), causal=True)
    check(*operands(lead, lq, lk, 4, 5))


@pytest.mark.parametrize("d, dv", [(0, 3), (3, 0)])
def test_no_features(d, dv):
    check(*operands((2,), 20, 30, d, dv), scale=1.0)


@pytest.mark.parametrize("level", ["x86-64-v2", "x86-64-v3"])
@pytest.mark.parametrize("causal", [False, True], ids=["all", "causal"])
def test_other_cpus(level, causal):
    cpu = x86_level(level)
    if not cpu.is_x86 or not all(host().has(feature) for feature in ("sse4.2", "avx2")):
        pytest.skip("needs a CPU that can run these")
    check(*operands((9,), 65, 130, 17, 9), causal=causal, cpu=cpu)
    check(*operands((2,), 65, 130, 17, 9), causal=causal, cpu=cpu)
