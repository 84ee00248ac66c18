"""Loops with results of their own kind: ints, tuples, many iterations, loops in loops."""
import mindspore as ms
from mindspore import Tensor

from tests.language.table import f32, i32, i64, program

IN_PLACE = "MindSpore's i += 1 writes into the constant Tensor(0), which the next call then starts from [defect]"


@program([i32(27)], [i32(1)], [i32(6)], expected=[i32(111), i32(0), i32(8)], why=IN_PLACE)
def collatz(n):
    steps = Tensor(0, ms.int32)
    while n > 1:
        if n % 2 == 0:
            n = n // 2
        else:
            n = 3 * n + 1
        steps += 1
    return steps


@program([i32(48), i32(18)], [i32(7), i32(0)])
def greatest_common_divisor(a, b):
    while b != 0:
        a, b = b, a % b
    return a


@program([i64(10)], [i64(0)])
def fibonacci(n):
    a, b, i = Tensor(0), Tensor(1), Tensor(0)
    while i < n:
        a, b = b, a + b
        i += 1
    return a


@program([f32(1.5)])
def many_iterations_of_a_range(x):
    for _ in range(300):
        x = x * 0.99 + 0.02
    return x


@program([f32(0.5)])
def index_used_as_a_number_many_times(x):
    for i in range(200):
        x = x * 0.5 + i
    return x


@program([f32(2), i64(3)])
def while_with_two_conditions(x, n):
    i = Tensor(0)
    while i < n and x < 10:
        x = x * x
        i += 1
    return x, i


@program([f32(1), i64(3)], [f32(1), i64(6)], expected=[(f32(5), f32(8)), (f32(21), f32(34))], why=IN_PLACE)
def while_over_a_tuple_state(x, n):
    state = (x, x * 2)
    i = Tensor(0)
    while i < n:
        state = (state[1], state[0] + state[1])
        i += 1
    return state


@program([f32(3)], expected=[f32(21)], why="MindSpore keeps loop variables inside their loop [limit]")
def last_value_of_a_loop_variable(x):
    for i in range(4):  # noqa: B007 (the last index is read below)
        x = x + 1
    return x * i


@program([f32([1, 2, 3])])
def nested_ranges(x):
    s = x[0] * 0
    for i in range(3):
        for j in range(i + 1):
            s = s + x[i] * x[j]
    return s


@program([f32(1)])
def break_of_the_inner_loop_only(x):
    for i in range(3):
        for j in range(5):
            if j > i:
                break
            x = x + 1
    return x


@program([f32([3, 1, 2]), f32(2.5)])
def while_over_elements(x, limit):
    i = Tensor(0)
    total = x[0] * 0
    while i < 3:
        if x[i] > limit:
            total = total + x[i] * 10
        else:
            total = total + x[i]
        i += 1
    return total


@program([f32([[1, 2], [3, 4]])])
def range_backwards(x):
    s = x[0] * 0
    for i in range(1, -1, -1):
        s = s * 2 + x[i]
    return s


@program([f32(1)])
def range_of_nothing(x):
    for _ in range(0):
        x = x * 100
    for _ in range(3, 1):
        x = x * 100
    return x
