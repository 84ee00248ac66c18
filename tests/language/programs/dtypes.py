"""dtypes of results: promotion, constants, reductions, casts."""
from functools import partial

import mindspore as ms
import numpy as np
from mindspore import Tensor, ops

from tests.language.table import Fails, b1, f16, f32, f64, i32, i64, program

quiet = partial(program, gradients=False)


@quiet([i32([1, 2]), i64([3, 4]), f16([1, 2]), f32([5, 6])])
def promotion_of_pairs(i, l, h, f):
    return i + l, i + h, l + h, i + f, h + f, l * f


@quiet([i32([1, 2]), f32([1, 2]), f16([1, 2])])
def python_numbers_on_the_right(i, f, h):
    return i + 1, i + 1.5, f + 1, f * 2.5, h + 1, h * 2.5, i * True


@quiet([i32([1, 2]), f32([1, 2])])
def python_numbers_on_the_left(i, f):
    return 1 + i, 1.5 - i, 2 / f, 3 - f, 2 ** f


@quiet([i32([7, -7]), i32([2, 2])])
def int_division(a, b):
    return a / b, a // b, a % b


@quiet([f32([7, -7]), f32([2, 2])])
def float_division(a, b):
    return a / b, a // b, a % b


@quiet([f64([1, 2]), f32([3, 4])])
def float64_wins(a, b):
    return a + b, b * 2


@quiet([f32([1, 2])])
def default_dtypes_of_constants(x):
    return Tensor(1), Tensor(1.5), Tensor([1, 2]), Tensor([1.5]), Tensor(True), Tensor([[1, 2], [3, 4]])


@quiet([i32([1, 2, 3]), i64([1, 2, 3]), f16([1, 2, 3])])
def sums(i, l, h):
    return i.sum(), l.sum(), h.sum(), i.max(), h.mean()


@quiet([f32([0, 1.5, -2])])
def casts(x):
    return x.astype(ms.int32), x.astype(ms.bool_), x.astype(ms.float16), x.to(ms.float64), x.int(), x.float()


@quiet([b1([True, False]), i32([1, 2])])
def bools_in_arithmetic(b, i):
    return b * i, b & True, ~b, b == i, b.astype(ms.int32) + 1


@quiet([f32([1, 2]), i32([2, 1])])
def comparisons_across_dtypes(f, i):
    return f > i, f == i, i <= 1, f != 2


@quiet([i32([1, 2]), f32([1.5, 2.5]), b1([True, False])])
def select_across_dtypes(i, f, b):
    return ops.where(b, f, f * 2), ops.where(b, i, 0), ops.select(b, f, 0.0)


@quiet([f32([1, 2]), f32([3, 4])])
def concatenation_keeps(a, b):
    return ops.concat((a, b)), ops.stack([a, b]), ops.cat([a, b], 0)


@quiet([i32([1, 2, 3])])
def arguments_of_extremes(i):
    return i.argmax(), ops.argmax(i), ops.argsort(i), ops.cumsum(i, 0)


@quiet([f32([1, 2])])
def ranges_and_fills(x):
    return (ops.arange(3), ops.arange(0.0, 1.0, 0.5), ops.zeros(2, ms.int32), ops.ones_like(x), ops.zeros_like(x))


@quiet([f32([1, 2])], expected=[f32([7, 7])], why="MindSpore gives int64 in a graph [defect]")
def full_of_a_float(x):
    return ops.full((2,), 7.0)


@quiet([f32([4, 9])], expected=[(f32([2, 3]), f32([1, 1]), f32([2, 3]))], why="MindSpore has no exp of int32 [limit]")
def float_functions_of_ints(x):
    i = x.astype(ms.int32)
    return ops.sqrt(i), ops.exp(i * 0), ops.sqrt(x)


@quiet([i64([1, 2])])
def dtype_of_a_loop_variable(l):
    total = l * 0
    for i in range(3):
        total = total + i
    return total, total / 2


@program([f32([1, 2])], [f32([-3, 2])], finite=False, expected=[f32([1.5, 3]), f32([-6, 4])],
         why="MindSpore cannot join a Tensor and a bool in an `and` [limit]")
def dtype_in_a_branch(x):
    if x.sum() > 0 and x.dtype == ms.float32:
        return x * 1.5
    return x * 2


@quiet([f32([np.nan, np.inf, -np.inf, 0])])
def special_values(x):
    return ops.isnan(x), ops.isfinite(x), x > 0, x * 0


@quiet([f32([-1, 0])])
def logarithm_out_of_range(x):
    return ops.log(x), 1 / x


@quiet([i32([100])], expected=[i32([100])], why="a cast there and back")
def cast_there_and_back(i):
    return i.astype(ms.int64).astype(ms.int32)


@quiet([b1([True]), b1([False])], expected=[Fails(TypeError)], why="MindSpore's addition of two bools is refused")
def sum_of_two_bools(a, b):
    return a + b
