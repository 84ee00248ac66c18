"""Dynamic shapes, sizes that depend on data, constexpr and mutable."""
import mindspore as ms
import numpy as np
from mindspore import Tensor, nn, ops

from tests.language.table import Fails, b1, count, f32, i32, i64, program, script


def ones(*shape):
    return Tensor(np.ones(shape, np.float32))


@ops.constexpr
def padding_of(shape, k):
    return tuple((k - s % k) % k for s in shape)


@program([count(3, 5)], [count(4, 1)], gradients=False)
class constexpr_of_a_shape(nn.Cell):
    def construct(self, x):
        return padding_of(x.shape, 4)


@program([count(3, 5)])
class constexpr_used_in_a_view(nn.Cell):
    def construct(self, x):
        pads = padding_of(x.shape, 4)
        return x.reshape(-1)[pads[0]:pads[1]] * 2


@script()
def mutable_numbers_compile_once():
    class Net(nn.Cell):
        def construct(self, x, n):
            return x * n
    n = Net()
    return [n(Tensor(1.0), ms.mutable(v)) for v in (1, 2, 3)], [n(Tensor(1.0), v) for v in (4, 5)]


@script()
def mutable_tuple_and_list():
    @ms.jit
    def f(x, values):
        return x * values[0] + values[1]
    return f(Tensor(2.0), ms.mutable((3, 4))), f(Tensor(2.0), ms.mutable((5, 6))), f(Tensor(2.0), ms.mutable([7, 8]))


@script(expected=(f32(6), f32(1)), why="a branch on a mutable number; MindSpore may refuse the comparison")
def mutable_number_in_a_condition():
    @ms.jit
    def f(x, n):
        if n > 2:
            return x * n
        return x
    return f(Tensor(1.0), ms.mutable(6)), f(Tensor(1.0), ms.mutable(1))


@script()
def set_inputs_takes_any_size():
    class Net(nn.Cell):
        def construct(self, x):
            return (x * 2).sum(axis=0) + x.shape[0]
    n = Net()
    n.set_inputs(Tensor(shape=[None, 3], dtype=ms.float32))
    return n(ones(2, 3)), n(ones(5, 3)), n(ones(1, 3))


@script(expected=Fails(ValueError), graph_only=True, why="set_inputs speaks of graphs")
def set_inputs_checks_fixed_sizes():
    class Net(nn.Cell):
        def construct(self, x):
            return x + 1
    n = Net()
    n.set_inputs(Tensor(shape=[None, 3], dtype=ms.float32))
    return n(ones(2, 4))


@script(expected=Fails(ValueError), graph_only=True, why="set_inputs speaks of graphs")
def set_inputs_checks_the_rank():
    class Net(nn.Cell):
        def construct(self, x):
            return x + 1
    n = Net()
    n.set_inputs(Tensor(shape=[None, 3], dtype=ms.float32))
    return n(ones(3))


@script(expected=(f32([3, 3]), f32([7, 7, 7]), f32([2, 2, 2, 2])),
        why="MindSpore's i += 1 writes into the constant Tensor(0) [defect]")
def set_inputs_with_a_branch_and_a_loop():
    class Net(nn.Cell):
        def construct(self, x, n):
            i = Tensor(0)
            while i < n:
                x = x * 2
                i += 1
            if x.sum() > 20:
                return x - 1
            return x + 1
    n = Net()
    n.set_inputs(Tensor(shape=[None], dtype=ms.float32), Tensor(shape=[], dtype=ms.int64))
    return n(ones(2), Tensor(1)), n(ones(3), Tensor(3)), n(ones(4), Tensor(0))


@script()
def jit_with_dynamic_shapes():
    @ms.jit(dynamic=1)
    def f(x):
        return x * 2
    return f(ones(2)), f(ones(5)), f(ones(7))


@program([count(5)], [count(2)], gradients=False, expected=[(f32([6, 8]), f32(7)), (f32([]), f32(0))],
         why="MindSpore's sum of nothing is left over from the call before [defect]")
def size_that_depends_on_data(x):
    y = x[x > 2]
    return y * 2, y.sum()


@program([count(5)], [count(5) - 10])
def branches_of_different_lengths(x):
    if x.sum() > 0:
        y = x[:2]
    else:
        y = x[1:]
    return y * 3


@program([i64([0, 3, 0, 4])], gradients=False)
def nonzero_rows(x):
    found = ops.nonzero(x)
    return found, found.shape[1]


@program([i32([3, 1, 3, 2])], gradients=False)
def unique_values(x):
    values, _ = ops.unique(x)
    return ops.sort(values)[0]


@program([count(4), b1([True, False, True, True])])
def masked_mean(x, keep):
    y = ops.masked_select(x, keep)
    return y.sum() / 3


@program([count(2, 3)])
def sizes_as_python_numbers(x):
    rows, columns = x.shape
    return x.reshape(columns, rows) * rows + columns, x.size // 2


@program([count(2, 6)], [count(3, 6)])
def sizes_in_a_loop(x):
    total = x[0, 0] * 0
    for i in range(x.shape[0]):
        total = total + x[i].sum() * (i + 1)
    return total


@program([f32([1, 2]), f32([3, 4])], [f32([[1, 2], [3, 4]]), f32([[5, 6], [7, 8]])])
def rank_chooses(x, y):
    if x.ndim == 1:
        return (x * y).sum()
    return ops.matmul(x, y)


@script()
def list_lengths_compile_again():
    @ms.jit
    def f(values):
        total = values[0]
        for v in values[1:]:
            total = total * 2 + v
        return total
    a, b, c = Tensor(1.0), Tensor(2.0), Tensor(3.0)
    return f([a, b]), f([a, b, c]), f((a,)), f([a, b])


@program([f32([1, 2])], expected=[(f32(3), f32(2))], gradients=False,
         why="as without constexpr; MindSpore hands it a broken value [defect]")
def constexpr_of_a_tensor(x):
    return padding_of(x, 4)


@script()
def numpy_arguments():
    @ms.jit
    def f(x):
        return Tensor(x) + 1
    return f(np.ones(2, np.float32)), f(np.zeros(3, np.float32))
