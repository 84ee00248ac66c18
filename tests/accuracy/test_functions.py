"""Vectorised functions as compiled programs: within 2 ulp of float64 over all exponents and right at special values."""
import numpy as np
import pytest

import graphcore as gc
from graphcore import Tensor, ops
from tests.kernels.test_mathfun import REFERENCES, SPECIAL, every

MOST = 2.0
ONE = {**REFERENCES, "sqrt": np.sqrt, "reciprocal": lambda x: 1 / x, "square": np.square}
TWO = {"pow": np.power, "atan2": np.arctan2, "div": np.divide}


def assert_within(got: np.ndarray, want: np.ndarray, arguments: tuple) -> None:
    """At most `MOST` units in the last place of float32 (so many denormal steps); the same NaN, limits and zeros."""
    with np.errstate(all="ignore"):
        rounded = want.astype(np.float32)
        assert np.array_equal(np.isnan(got), np.isnan(want))
        limits = np.isinf(rounded) | np.isinf(got)
        near = np.abs(want) >= np.float64(np.finfo(np.float32).max) * (1 - 2.0 ** -22)     # either side of overflow
        assert np.array_equal(got[limits & ~near], rounded[limits & ~near])
        zero = want == 0
        assert np.array_equal(got[zero], rounded[zero])
        assert np.array_equal(np.signbit(got[zero]), np.signbit(want[zero]))
        ulps = np.where(limits | np.isnan(want), 0, np.abs(got - want) / np.spacing(np.abs(rounded)).astype(np.float64))
    worst = int(np.argmax(ulps))
    assert ulps[worst] <= MOST, (ulps[worst], [a[worst] for a in arguments], got[worst], want[worst])


def reference(name: str, x: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        want = ONE[name](x.astype(np.float64))
        return np.where(x < 1, np.nan, want) if name == "acosh" else want


@pytest.mark.parametrize("step", [90001, pytest.param(101, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", ONE)
def test_one_argument(name, step):
    """Every step'th pattern of bits."""
    x = every(step)
    for part in np.array_split(x, -(-x.size // (1 << 22))):
        assert_within(gc.jit(getattr(ops, name))(Tensor(part)).asnumpy(), reference(name, part), (part,))


@pytest.mark.parametrize("count", [100_000, pytest.param(10_000_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", TWO)
def test_two_arguments(name, count):
    """All pairs of special values, and pairs of random bits, of which most powers are 0 or infinite; and usual ones."""
    r = np.random.default_rng(0)
    corners = np.concatenate([SPECIAL, np.array([3, -3, 1e10, 16777215, -16777215, 0.1, -2.5], np.float32)])
    pairs = [v.ravel() for v in np.meshgrid(corners, corners)]
    bits = [r.integers(0, 2 ** 32, count, dtype=np.uint64).astype(np.uint32).view(np.float32) for _ in range(2)]
    base = np.exp(20 * r.standard_normal(count)).astype(np.float32)
    power = (r.standard_normal(count) * 80 / np.maximum(1, np.abs(np.log(base)))).astype(np.float32)
    whole = [-base, np.round(power)]
    x, y = (np.concatenate(each) for each in zip(pairs, bits, (base, power), whole))
    with np.errstate(all="ignore"):
        want = TWO[name](x.astype(np.float64), y.astype(np.float64))
    assert_within(gc.jit(getattr(ops, name))(Tensor(x), Tensor(y)).asnumpy(), want, (x, y))
