"""and, or, not, comparisons and membership; on Tensors and on Python values."""
from mindspore import ops

from tests.language.table import b1, f32, i32, program


@program([f32(1), f32(2)], [f32(-1), f32(2)])
def expressions_of_the_evidence(x, y):
    a = x if x > y else y
    b = (x > 0) and (y > 0)
    c = not (x > 0)
    d = 0 < x < 5
    return a, b, c, d


@program([f32(1), f32(2)], [f32(-1), f32(2)], [f32(-1), f32(-2)])
def or_in_a_condition(x, y):
    if x > 0 or y > 0:
        return x * y
    return x - y


@program([f32(1), f32(2)], [f32(-1), f32(2)], [f32(1), f32(9)])
def and_with_a_chain(x, y):
    if 0 < x and 1 <= y < 5:
        return x * y
    return x - y


@program([f32(1)], [f32(-1)])
def not_in_a_condition(x):
    if not x > 0:
        return -x
    return x * 3


@program([b1(True), b1(False)], [b1(False), b1(False)])
def not_and_or_of_bools(a, b):
    return not a, a and b, a or b, not (a or b), (a and not b) or b


@program([f32(1), f32(2)], [f32(3), f32(3)], gradients=False)
def all_comparisons(x, y):
    return x < y, x <= y, x == y, x != y, x > y, x >= y


@program([f32(1), f32(2), f32(3)], [f32(1), f32(3), f32(2)], [f32(2), f32(1), f32(3)])
def chain_of_three(a, b, c):
    if a < b < c:
        return a + b + c
    return a * b * c


@program([f32([1, 5, 3]), f32([2, 4, 3])], gradients=False)
def elementwise_comparisons(x, y):
    return x > y, (x > 2) & (y > 2), (x > 4) | (y < 3), ~(x > y), (x > 2) ^ (y > 3)


@program([f32(2)], [f32(-2)])
def python_and_tensor_conditions(x, flag=True, other=None):
    if flag and x > 0:
        x = x * 10
    if other is None or x > 100:
        x = x + 1
    if other is not None and x > 0:
        x = x * 1000
    return x


@program([f32(2), 3], [f32(2), 0], [f32(2), None])
def truth_of_python_values(x, n):
    if n:
        x = x * n
    if not n:
        x = x + 1
    if n is None:
        x = x + 10
    return x


@program([f32(2), ()], [f32(2), (1, 2)], [f32(2), "abc"], [f32(2), ""])
def truth_of_sequences(x, sequence):
    if sequence:
        return x * len(sequence)
    return -x


@program([f32(2), "relu"], [f32(2), "tanh"], [f32(2), "none"])
def strings_choose(x, name):
    if name == "relu":
        return ops.relu(x)
    if name in ("tanh", "sigmoid"):
        return ops.tanh(x)
    return x if name != "identity" else x * 100


@program([f32(2)], gradients=False)
def membership(x):
    return 2 in [1, 2], 5 not in (1, 2), "a" in {"a": 1}, "b" in "abc", 3 in range(4)


@program([f32(2)], gradients=False)
def short_circuits_of_python_values(x):
    return 0 or 5, 3 and 0, None or "s", [] or (1,), not [], 1 and 2 and 3


@program([i32(6)], [i32(9)], [i32(5)])
def ints_and_remainders(n):
    if n % 2 == 0 and n % 3 == 0:
        return n // 6
    if n % 3 == 0 or n % 7 == 0:
        return n * 10
    return -n


@program([f32(2)], [f32(0)], gradients=False)
def short_circuit_guards_a_division(x):
    return bool(x != 0 and 1 / x > 0.25)


@program([f32(1)], [f32(-1)])
def flag_as_a_value(x):
    positive = x > 0
    big = x > 100
    if positive and not big:
        return x * 2
    return x * positive + 7 * x


@program([f32(2), f32(2)], [f32(2), f32(3)], expected=[f32(20), f32(30)],
         why="two names of one Tensor are it; MindSpore says they are not [defect]")
def is_of_two_names(x, y):
    z = x
    if z is x:
        y = y * 10
    return y if z is not y else x


@program([f32([1, 2])], [f32([-1, 2])])
def any_and_all_of_tensors(x):
    if (x > 0).all():
        x = x * 2
    if (x < 0).any():
        x = x * 3
    return x


@program([f32(0.5)], [f32(4)])
def condition_computed_by_a_function(x):
    def small(v):
        return v < 1
    if small(x):
        return x + 100
    return x
