"""Writing elements of Tensors; x = arange(24).reshape(2, 3, 4) mostly.  The local name is bound anew."""
from functools import partial

import mindspore as ms
from mindspore import Parameter, Tensor, nn, ops

from tests.language.table import Fails, b1, count, f32, i32, i64, program, script

CUBE = count(2, 3, 4)
probe = partial(program, [CUBE])


@probe()
def one_row(x):
    x[0] = 0
    return x.sum()


@probe()
def a_slice_by_a_tensor(x):
    x[:, 1] = Tensor([9.0] * 4)
    return x


@probe()
def by_a_mask(x):
    x[x > 5.5] = 0
    return x


@probe()
def by_a_mask_times(x):
    y = x * x
    y[x > 5.5] = -1.0
    return y * x


@probe()
def by_an_index_tensor(x):
    x[Tensor([0, 1]), 0] = 7.0
    return x[:, 0]


@probe()
def augmented(x):
    x[..., -1] += 100
    return x[0]


@probe()
def augmented_column_by_a_tensor(x):
    x[:, 1] += x[:, 0]
    x[0] *= 2
    return x


@probe()
def one_element(x):
    x[0, 0, 0] = 5
    y = x
    return y[0, 0]


@probe()
def through_a_read(x):
    x[0][1] = 5
    return x[0, 1]


@probe(graph_only=True, why="in a graph the name that is written to is bound anew; eagerly x changes too")
def alias(x):
    y = x
    y[0] = 0
    return x.sum()


@probe()
def whole_by_none(x):
    x[None] = 0
    return x.sum()


@probe()
def row_and_list(x):
    x[0, [0, 1]] = 3
    return x[0]


@probe()
def list_of_numbers(x):
    x[0:2, 1:2] = [1, 2, 3, 4]
    return x[0, 1]


@script(graph_only=True, why="eagerly the caller's Tensor is written to")
def argument_of_the_caller():
    class Net(nn.Cell):
        def construct(self, x):
            x[0] = 100.0
            return x * 1
    a = Tensor([1.0, 2.0])
    return Net()(a), a


@program([count(4), f32(7)])
def element_by_an_input(x, v):
    x[2] = v
    return x * x


@program([count(4) + 1, f32(7), i64(1)], [count(4) + 1, f32(7), i64(-1)])
def place_and_value_by_inputs(x, v, i):
    y = x * 2
    y[i] = v * x[0]
    return y


@program([count(4), f32([5, 6])])
def slice_by_an_input(x, v):
    x[1:3] = v
    return x * x


@program([count(4), f32([5, 6])])
def strided_slice(x, v):
    x[::2] = v
    x[3] = v[0] * v[1]
    return x


@program([count(3, 2), f32([5, 6])])
def broadcast_to_a_block(x, v):
    x[1:] = v
    return x * x


@program([count(4), i64([3, 0]), f32([5, 6])])
def scatter_by_an_index_input(x, i, v):
    x[i] = v
    return x * 3


@program([count(4), b1([True, False, True, False]), f32(9)])
def mask_input_and_scalar(x, mask, v):
    x[mask] = v
    return x * x


@program([i32([1, 2, 3])])
def ints_take_numbers(x):
    x[1] = 10
    x[2] += 5
    return x


@program([count(4)])
def swap_elements(x):
    y = x * 1
    a = y[0]
    y[0] = y[3]
    y[3] = a
    return y * x


@program([count(2, 3)])
def rows_from_other_rows(x):
    y = ops.zeros((3, 3), ms.float32)
    y[0] = x[1]
    y[1:] = x * 2
    return y


@probe(expected=[Fails(IndexError)], expected_gradients=[Fails(IndexError)])
def beyond_the_end(x):
    x[7] = 0
    return x


@program([count(4), f32([1, 2, 3])], expected=[Fails(ValueError)], expected_gradients=[Fails(ValueError)],
         why="three values do not fit two places")
def wrong_number_of_values(x, v):
    x[:2] = v
    return x


@program([f32([1, 2])], expected_gradients=[f32([2, 5])],
         why="MindSpore's gradient stops at a written Parameter [defect]")
class parameter_elements(nn.Cell):
    def __init__(self):
        super().__init__()
        self.w = Parameter(Tensor([3.0, 4.0]), name="w", requires_grad=False)

    def construct(self, x):
        self.w[0] = x[1]
        return self.w * x


@probe()
def ellipsis_and_negative(x):
    x[..., 0] = -1
    x[-1, -1] = 50
    return x


@program([f32(3)])
def zero_dimensional(x):
    y = x * 2
    y[...] = 7 * x
    return y * x


@program([count(5)])
def prefix_sum_in_place(x):
    y = x * 1
    for i in range(1, 5):
        y[i] += y[i - 1]
    return y * y
