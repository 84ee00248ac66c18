"""Matrix products by every algorithm."""
from __future__ import annotations

import numpy as np

from tests.accuracy.measure import Family, Result, equal, linear, numbers, roles
from tests.accuracy.sizes import SIZES

FEW = (1, 2, 3)                     # rows that are worked on without tiles
LONG = 1 << 14                      # with so many columns a matrix is not small


def _product(m, k, n, transpose_a=False, transpose_b=False, before=(), **attrs) -> Result:
    a, b = (k, m) if transpose_a else (m, k), (n, k) if transpose_b else (k, n)
    return linear("matmul", [numbers(*before, *a), numbers(*before, *b, seed=1)], transpose_a=transpose_a,
                  transpose_b=transpose_b, **attrs)


def _shared(batch, m, k, n) -> Result:
    """One right operand for a stack of left ones, and the other way round."""
    left = linear("matmul", [numbers(batch, m, k), numbers(k, n, seed=1)])
    right = linear("matmul", [numbers(m, k), numbers(batch, k, n, seed=1)])
    return Result(left.got + right.got, left.want + right.want, left.magnitude + right.magnitude, right.kernels)


def _integers(m, k, n) -> Result:
    a, b = (np.random.default_rng(0).integers(-99, 99, s).astype(np.int32) for s in ((m, k), (k, n)))
    return equal("matmul", [a, b])


PRODUCTS = [
    Family("matmul, panels", _product, 12, roles("m k n", m=SIZES[3:]), "matmul_f32"),
    Family("matmul, panels, left transposed", lambda **s: _product(**s, transpose_a=True), 12,
           roles("m k n", m=SIZES[3:]), "matmul_f32"),
    Family("matmul, panels, right transposed", lambda **s: _product(**s, transpose_b=True), 12,
           roles("m k n", m=SIZES[4:]), "matmul_f32"),
    Family("matmul, panels, both transposed", lambda **s: _product(**s, transpose_a=True, transpose_b=True), 12,
           roles("m k n", m=SIZES[4:]), "matmul_f32"),
    Family("matmul, dots", lambda **s: _product(**s, transpose_b=True), 12, roles("m k n", m=FEW + (7,)),
           "matmul_dots"),
    Family("matmul, strips", _product, 12, roles("m k n", m=FEW, n=SIZES[:-1]), "matmul_strips"),
    Family("matmul, columns", lambda m, k, n: _product(m, k, n + LONG), 12, roles("m k n", m=FEW), "matmul_columns"),
    Family("matmul, deep", lambda m, k, n: _product(m, k + LONG, n), 12, roles("m k n", m=FEW)),
    Family("matmul, plain (integers)", _integers, 0, roles("m k n"), "matmul_plain"),
    Family("matmul, batched", lambda batch, **s: _product(**s, before=(batch,)), 12, roles("batch m k n"),
           "matmul_f32", lambda batch, m, k, n: batch * m * k * n),
    Family("matmul, batched, transposed", lambda batch, **s: _product(**s, before=(batch,), transpose_b=True), 12,
           roles("batch m k n"), "matmul_f32", lambda batch, m, k, n: batch * m * k * n),
    Family("matmul, one operand for a stack", _shared, 12, roles("batch m k n"), "matmul_f32",
           lambda batch, m, k, n: batch * m * k * n),
    Family("matmul, parts", lambda m, k, n, parts: linear("matmul_parts", [numbers(m, k), numbers(k, n, seed=1)],
                                                          parts=parts), 12,
           roles("m k n parts"), "matmul_f32", lambda m, k, n, parts: m * n * (k + parts)),
]
