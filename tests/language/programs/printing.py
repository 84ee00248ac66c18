"""print, assert and raise in a graph.  What is printed is compared as words and numbers, in order."""
import mindspore as ms
from mindspore import Tensor, nn, ops

from tests.language.table import Fails, f32, i64, program, script


@program([f32([1, 2])], gradients=False)
class print_of_all_kinds(nn.Cell):
    def construct(self, x):
        print("x is", x, x.shape, 3, (1, x))
        y = x + 1
        print("y:", y)
        return y


@program([f32(2)], [f32(3)], gradients=False)
def print_at_every_call(x):
    print("called with", x)
    return x


@program([f32(2)], [f32(-2)], gradients=False)
def print_in_a_branch(x):
    if x > 0:
        print("positive", x)
    else:
        print("negative", x)
    return x * 2


@program([f32(2), i64(3)], [f32(2), i64(0)], gradients=False, printed="0 4\n1 8\n2 16\n",
         why="MindSpore prints the first i after it is increased [defect]")
def print_in_a_while(x, n):
    i = Tensor(0)
    while i < n:
        x = x * 2
        print(i, x)
        i += 1
    return x


@program([f32(2)], gradients=False)
def print_in_an_unrolled_loop(x):
    for i in range(3):
        print("step", i, x + i)
    return x


@program([f32(2)], gradients=False)
def print_primitive(x):
    ops.Print()("value", x)
    return x


@program([f32(2)], gradients=False)
def print_function_of_ops(x):
    ops.print_("value", x * 2)
    return x


@program([f32(2)], gradients=False)
def print_of_constants(x):
    print("only text")
    print(1, 2.5, True)
    return x


@program([f32([1, 2])], gradients=False)
class print_between_writes(nn.Cell):
    def __init__(self):
        super().__init__()
        self.w = ms.Parameter(Tensor([1.0, 1.0]), name="w")

    def construct(self, x):
        print("before", self.w.value())
        self.w = self.w + x
        print("after", self.w.value())
        return x * 1


@program([f32([1])], [f32(1)], expected=[f32([1]), Fails(AssertionError, "need 1d")], gradients=False)
def assert_on_a_shape(x):
    assert x.ndim == 1, "need 1d"
    return x


@program([f32(1)], [f32(9)], expected=[f32(1), Fails(ValueError, "too big")],
         expected_gradients=[f32(1), Fails(ValueError)])
def raise_under_a_tensor_condition(x):
    if x > 5:
        raise ValueError("too big:", x)
    return x


@program([f32(1)], [f32(9)], expected=[f32(1), Fails(AssertionError, "too big")], gradients=False)
def assert_on_a_tensor(x):
    assert x < 5, "too big"
    return x


@program([f32(1), 3], [f32(1), -3], expected=[f32(3), Fails(ValueError, "n is -3")], gradients=False)
def raise_on_a_number(x, n):
    if n < 0:
        raise ValueError(f"n is {n}")
    return x * n


@program([f32(1)], expected=[Fails(NotImplementedError)], expected_gradients=[Fails(NotImplementedError)],
         why="raised while the graph is made")
def raise_unconditionally(x):
    raise NotImplementedError("not yet")


@program([f32(1), i64(3)], [f32(1), i64(9)], expected=[f32(8), Fails(RuntimeError, "overflow")],
         gradients=False)
def raise_in_a_while(x, n):
    i = Tensor(0)
    while i < n:
        x = x * 2
        if x > 100:
            raise RuntimeError("overflow")
        i += 1
    return x


@program([f32(3)], [f32(-3)], [f32(0)], expected=[f32(6), f32(3), Fails(ZeroDivisionError)], gradients=False,
         why="an exception in the last of three branches")
def raise_in_an_else(x):
    if x > 0:
        return x * 2
    elif x < 0:
        return -x
    else:
        raise ZeroDivisionError("zero")


@program([f32(3), "sum"], [f32(3), "max"], expected=[f32(3), Fails(ValueError, "max")], gradients=False)
def raise_in_a_helper(x, reduction):
    def check(name):
        if name not in ("sum", "mean"):
            raise ValueError("unknown reduction " + name)
    check(reduction)
    return x.sum()


class OwnError(Exception):
    pass


@program([f32(3)], [f32(-3)], expected=[f32(3), Fails(Exception, "own")], gradients=False,
         why="MindSpore knows the exceptions of Python only [limit]")
def raise_an_exception_of_ones_own(x):
    if x < 0:
        raise OwnError("own")
    return x


@script(expected=(f32(2), "negative", f32(4)), why="a raised exception leaves the program usable")
def program_goes_on_after_a_raise():
    @ms.jit
    def f(x):
        if x < 0:
            raise ValueError("negative")
        return x * 2
    first = f(Tensor(1.0))
    try:
        f(Tensor(-1.0))
        text = "nothing raised"
    except ValueError as error:
        text = str(error).split("\n")[0].strip("(')")
    return first, text, f(Tensor(2.0))
