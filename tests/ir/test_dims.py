"""Sizes as polynomials: quotients that are exact are found, all others refused."""
import random

import pytest

from graphcore.errors import ShapeError
from graphcore.ir.dims import Dim

A, B = Dim.symbol("A"), Dim.symbol("B")


def polynomial(r):
    total = 0
    for _ in range(r.randint(1, 4)):
        term = r.choice([-3, -1, 1, 2, 5])
        for _ in range(r.randint(0, 3)):
            term = term * r.choice([A, B, A // 2])
        total = total + term
    return total


def test_the_quotient_of_a_product_is_its_factor():
    r = random.Random(0)
    for _ in range(300):
        a, b = polynomial(r), polynomial(r)
        if isinstance(b, Dim):
            assert a * b // b == a


@pytest.mark.parametrize("a, b", [(A * A + 1, A + 1), (A + B, A), (3 * A, 2 * A), (B, A + B), (A, A * A)])
def test_what_is_not_divisible_for_all_values_is_refused(a, b):
    with pytest.raises(ShapeError, match="not known to be divisible"):
        a // b


def test_a_quotient_has_no_more_terms_than_any_size():
    power = A
    for _ in range(400):
        power = power * A
    with pytest.raises(ShapeError, match="not known to be divisible"):
        power // (A + 1)
