"""Accuracy, special values and vectorisation of the elementary functions that kernels call."""
import math
import re

import numba
import numpy as np
import pytest

from graphcore.compiler.codegen import mathfun
from graphcore.ops import philox

FUNCTIONS = mathfun.namespace()

_WIDE_ERF = np.vectorize(math.erf, otypes="d")
_WIDE_ERFC = np.vectorize(math.erfc, otypes="d")


def _sigmoid(x):
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, e) / (1 + e)


REFERENCES = {
    "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1, "log": np.log, "log1p": np.log1p, "log2": np.log2,
    "log10": np.log10, "tanh": np.tanh, "sigmoid": _sigmoid, "erf": _WIDE_ERF, "erfc": _WIDE_ERFC, "sin": np.sin,
    "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "sinh": np.sinh,
    "cosh": np.cosh, "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh, "rsqrt": lambda x: 1 / np.sqrt(x),
    "sign": np.sign, "round": np.round,
}
SPECIAL = np.array([0, -0.0, 1, -1, np.inf, -np.inf, np.nan, 1e-45, -1e-45, 1.1754944e-38, 3.4028235e38, -3.4028235e38,
                    0.5, -0.5, 2, 0.625, 0.92, 88.72284, 88.73, -87.4, -103.97, -104, 128, -149, -151, 1e4, 16777216],
                   np.float32)
TINY = float(np.finfo(np.float32).tiny)
TOLERANCE = 2e-7


def every(step: int) -> np.ndarray:
    """Float32 values of all magnitudes: every `step`-th bit pattern, and dense ones where functions bend."""
    patterns = np.arange(0, 2 ** 32, step, dtype=np.uint64).astype(np.uint32).view(np.float32)
    dense = [np.linspace(-edge, edge, 20001) for edge in (1, 20, 110)]
    return np.concatenate([SPECIAL, patterns, *(part.astype(np.float32) for part in dense)])


def jitted(name: str, arity: int = 1):
    function = FUNCTIONS[name]
    options = {"error_model": "numpy", "fastmath": {"contract"}}
    if arity == 1:
        @numba.njit(**options)
        def loop(out, x):
            for i in range(out.size):
                out[i] = function(x[i])
    else:
        @numba.njit(**options)
        def loop(out, x, y):
            for i in range(out.size):
                out[i] = function(x[i], y[i])
    return loop


def assert_accurate(got, want, tolerance):
    """Relative error below `tolerance`, half a denormal step more; the same infinities, NaN and signs of zero."""
    with np.errstate(all="ignore"):
        rounded = want.astype(got.dtype)
    assert np.array_equal(np.isnan(got), np.isnan(want))
    overflow = np.isinf(rounded)
    assert np.array_equal(got[overflow], rounded[overflow])
    zero = want == 0
    assert np.array_equal(got[zero], rounded[zero]) and np.array_equal(np.signbit(got[zero]), np.signbit(rounded[zero]))
    finite = np.isfinite(got) & np.isfinite(rounded)
    error = np.abs(got[finite].astype(np.float64) - want[finite])
    assert np.all(error <= tolerance * np.abs(want[finite]) + (1.1e-45 if got.dtype == np.float32 else 0))


@pytest.mark.parametrize("name", REFERENCES)
def test_float32_accuracy(name):
    x = every(90001)
    out = np.empty_like(x)
    jitted(name)(out, x)
    with np.errstate(all="ignore"):
        want = REFERENCES[name](x.astype(np.float64))
        if name == "acosh":
            want = np.where(x < 1, np.nan, want)
    assert_accurate(out, want, TOLERANCE)


@pytest.mark.parametrize("name", REFERENCES)
def test_read_by_numpy_as_by_llvm(name):
    x = every(9000011)
    out = np.empty_like(x)
    jitted(name)(out, x)
    plain = FUNCTIONS[name](x)
    assert plain.dtype == np.float32
    usual = (np.abs(out) >= TINY) & np.isfinite(out)
    np.testing.assert_allclose(plain[usual], out[usual], rtol=3e-7)


@pytest.mark.parametrize("name", REFERENCES)
def test_float32_loops_vectorise_without_calls(name):
    loop = jitted(name)
    loop(np.empty(4, np.float32), np.ones(4, np.float32))
    (text,) = loop.inspect_llvm().values()
    body = text[text.index("define"):]
    body = body[:body.index("\n}")]
    calls = re.findall(r"call [^@\n]*@\"?([\w.]+)", body)
    assert all(c.startswith("llvm.") or c.startswith(("NRT_", "numba_")) for c in calls), calls
    assert not any(re.match(rf"llvm\.{name}\.", c) for c in calls if name not in ("round",))
    assert re.search(r"<(2|4|8|16) x float>", body)


@pytest.mark.parametrize("name", [n for n in REFERENCES if n not in ("round", "sign")])
def test_float64_and_integers(name):
    x = np.array([-3.5, -1, -0.7, -0.0, 0, 1e-9, 0.3, 0.9, 1, 1.7, 30, np.inf, -np.inf, np.nan])
    loop, out = jitted(name), np.empty_like(x)
    loop(out, x)
    with np.errstate(all="ignore"):
        want = REFERENCES[name](x)
        assert_accurate(out, want, 1e-14)
        assert_accurate(FUNCTIONS[name](x), want, 1e-14)
    whole = np.array([1, 2, 3], np.int32)
    with np.errstate(all="ignore"):
        loop(out[:3], whole)
        np.testing.assert_allclose(out[:3], REFERENCES[name](whole.astype(np.float64)), rtol=1e-14)


@pytest.mark.parametrize("name, reference", [("pow", np.power), ("atan2", np.arctan2)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_two_arguments(name, reference, dtype):
    r = np.random.RandomState(0)
    corners = np.concatenate([SPECIAL, np.array([3, -3, 1e10, 16777215, -16777215, 0.1, -2.5], np.float32)])
    x, y = (v.ravel() for v in np.meshgrid(corners, corners))
    x = np.concatenate([x, np.exp(r.randn(20000) * 20), r.randn(20000)]).astype(np.float32).astype(dtype)
    y = np.concatenate([y, r.randn(20000), np.round(r.randn(20000) * 5)]).astype(np.float32).astype(dtype)
    out = np.empty_like(x)
    jitted(name, 2)(out, x, y)
    with np.errstate(all="ignore"):
        want = reference(x.astype(np.float64), y.astype(np.float64))
    assert_accurate(out, want, TOLERANCE if dtype is np.float32 else 1e-15)


def test_integer_functions_keep_integers():
    power, sign, round_ = FUNCTIONS["pow"], FUNCTIONS["sign"], FUNCTIONS["round"]

    @numba.njit
    def calculate(x, y):
        return power(x, y), sign(x), round_(x)

    for x, y in ((3, 4), (-2, 5), (7, 0), (2, -1), (-1, -3), (-1, -2), (0, 3)):
        want = x ** y if y >= 0 else x ** -y if abs(x) == 1 else 0
        assert calculate(np.int32(x), np.int32(y)) == (want, np.sign(x), x)
    assert calculate(np.uint32(2 ** 32 - 1), np.uint32(1)) == (2 ** 32 - 1, 1, 2 ** 32 - 1)


def test_flags_of_the_caller_do_not_break_two_part_constants():
    function = FUNCTIONS["exp"]

    @numba.njit(fastmath={"reassoc", "contract"})
    def loop(out, x):
        for i in range(out.size):
            out[i] = function(x[i])

    x = np.linspace(-80, 80, 5001).astype(np.float32)
    out = np.empty_like(x)
    loop(out, x)
    assert_accurate(out, np.exp(x.astype(np.float64)), TOLERANCE)


# -- random numbers -------------------------------------------------------------------------------------------------

def u64(*words):
    return [np.uint64(word) for word in words]


def test_philox_known_answers():
    """The vectors that come with the Random123 library."""
    ones = 0xFFFFFFFF
    pi = (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344, 0xA4093822, 0x299F31D0)
    assert philox.philox4x32(u64(0, 0, 0, 0), u64(0, 0)) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    assert philox.philox4x32(u64(*[ones] * 4), u64(ones, ones)) == [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]
    assert philox.philox4x32(u64(*pi[:4]), u64(*pi[4:])) == [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1]
    assert philox.philox2x32(u64(0, 0), np.uint64(0)) == [0xFF1DAE59, 0x6CD10DF2]
    assert philox.philox2x32(u64(ones, ones), np.uint64(ones)) == [0x2C3F628B, 0xAB4FD7AD]
    assert philox.philox2x32(u64(*pi[:2]), np.uint64(pi[2])) == [0xDD7CE038, 0xF62A4C12]


@pytest.mark.parametrize("name, dtype", [("bits", np.uint32), ("uniform", np.float32), ("normal", np.float32)])
def test_random_numbers_of_kernels_equal_the_reference(name, dtype):
    function = FUNCTIONS[f"philox_{name}"]

    @numba.njit(error_model="numpy", fastmath={"contract"})
    def loop(out, key0, key1, site):
        for i in range(out.size):
            out[i] = function(key0, key1, site, i)

    for key in ((0, 0), (7, 3), ((1 << 40) + 5, -9)):
        out = np.empty(10007, dtype)
        loop(out, *key, 3)
        want = getattr(philox, name)(*key, 3, (10007,))
        if name == "normal":
            np.testing.assert_allclose(out, want, atol=2e-6)
        else:
            assert np.array_equal(out, want)


def test_streams_differ_by_key_and_site_and_look_random():
    streams = [philox.uniform(*key, (20000,)) for key in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1 << 32, 0, 0))]
    correlation = np.corrcoef(streams)
    assert np.abs(correlation - np.eye(len(streams))).max() < 0.03
    for stream in streams:
        assert stream.min() >= 0 and stream.max() < 1 and abs(stream.mean() - 0.5) < 0.01
        assert abs(np.corrcoef(stream[:-1], stream[1:])[0, 1]) < 0.03
    assert abs(philox.normal(5, 0, 0, (100, 200)).std() - 1) < 0.02
