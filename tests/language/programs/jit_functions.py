"""jit: of lambdas, Cells, methods and functions without source; arguments that do not fit; options."""
import mindspore as ms
from mindspore import Tensor, nn

from tests.language.table import Fails, f32, script


def helper(x):
    return x + 1


@script(expected=f32(8), why="MindSpore cannot parse a lambda written inside a call [defect]")
def jit_of_an_inline_lambda():
    h = ms.jit(lambda x: x * 2)
    return h(Tensor(4.0))


@script(expected=(f32(2), f32(3)), why="MindSpore takes the first lambda of a line [limit]")
def two_lambdas_on_one_line():
    f, g = ms.jit(lambda x: x + 1), ms.jit(lambda x: x + 2)
    return f(Tensor(1.0)), g(Tensor(1.0))


@script()
def jit_of_a_cell_and_a_method():
    class Net(nn.Cell):
        def construct(self, x):
            return x + 1
    class Other:
        @ms.jit
        def f(self, x):
            return x * 3
    return ms.jit(Net())(Tensor(1.0)), Other().f(Tensor(2.0))


@script(expected=f32(3), why="MindSpore needs the source of a function [limit]")
def function_made_by_exec():
    space = {}
    exec("def f(x):\n    return x + 1\n", space)
    return ms.jit(space["f"])(Tensor(2.0))


@script(expected=(f32(3), f32(1)), why="without its source MindSpore refuses it [limit]; traced by value it is right")
def branch_in_a_function_made_by_exec():
    space = {}
    exec("def f(x):\n    if x > 0:\n        return x + 1\n    return -x\n", space)
    f = ms.jit(space["f"])
    return f(Tensor(2.0)), f(Tensor(-1.0))


@script(expected=Fails(TypeError))
def too_few_arguments():
    class Net(nn.Cell):
        def construct(self, x, y):
            return x + y
    return Net()(Tensor(1.0))


@script(expected=Fails(TypeError))
def too_many_arguments():
    class Net(nn.Cell):
        def construct(self, x, y):
            return x + y
    return Net()(Tensor(1.0), Tensor(2.0), Tensor(3.0))


@script()
def strings_as_arguments():
    class Net(nn.Cell):
        def construct(self, x, y):
            return x + y
    return Net()("a", "b")


@script(expected=Fails(RuntimeError), why="MindSpore stops at a depth of 1000 with a RuntimeError")
def endless_recursion():
    @ms.jit
    def f(x):
        return endless(x)
    return f(Tensor(1.0))


def endless(x):
    return endless(x + 1)


@script(expected=([f32([4]), f32([4]), f32([4])], f32([2]), f32([2])),
        why="MindSpore's bytecode mode fails on a function defined in a function [defect]")
def capture_modes_and_options():
    found = []
    for mode in ("ast", "bytecode", "trace"):
        @ms.jit(capture_mode=mode)
        def f(x):
            y = x + 1
            return y * 2
        found.append(f(Tensor([1.0])))
    return found, ms.jit(helper, backend="ms_backend")(Tensor([1.0])), ms.jit(helper, fullgraph=True)(Tensor([1.0]))
