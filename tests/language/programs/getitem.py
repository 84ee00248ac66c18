"""Reading elements of Tensors; x = arange(24).reshape(2, 3, 4) mostly."""
from functools import partial

from mindspore import Tensor, ops

from tests.language.table import Fails, b1, count, i32, i64, program

CUBE = count(2, 3, 4)
probe = partial(program, [CUBE])


@probe()
def first(x):
    return x[0]


@probe()
def mixed_slices(x):
    return x[-1, 1:3, ::2]


@probe()
def ellipsis(x):
    return x[..., 0], x[0, ..., 1], x[...]


@probe()
def new_axes(x):
    return x[None], x[:, None, 0], x[..., None]


@probe()
def by_an_index_tensor(x):
    return x[Tensor([0, 1, 1])]


@probe()
def by_a_list(x):
    return x[[0, 1]], x[0, [0, 2]]


@probe()
def by_a_tuple(x):
    return x[(0, 1)]


@probe(gradients=False)
def by_a_mask(x):
    return x[x > 20]


@probe()
def sum_of_a_masked_read(x):
    return x[x > 20.5].sum() * 2


@probe()
def by_true(x):
    return x[True]


@probe()
def by_zero_dimensional_tensors(x):
    return x[Tensor(1), Tensor(2), Tensor(3)]


@probe()
def index_tensors_around_a_slice(x):
    return x[Tensor([0, 1]), :, Tensor([1, 2])]


@probe()
def index_tensors_that_broadcast(x):
    return x[Tensor([[0], [1]]), Tensor([0, 2])]


@probe()
def negative_steps(x):
    return x[::-1], x[0, ::-1, ::-2], x[:, 2:0:-1]


@probe(expected=[Fails(IndexError)], expected_gradients=[Fails(IndexError)])
def beyond_the_end(x):
    return x[5]


@probe()
def slice_beyond_the_end(x):
    return x[0:100], x[1:, 5:], x[:, -100:2]


@probe(expected=[Fails(IndexError)], expected_gradients=[Fails(IndexError)], why="a float is no index")
def by_a_float(x):
    return x[1.0]


@probe(expected=[Fails(IndexError)], expected_gradients=[Fails(IndexError)], why="a string is no index")
def by_a_string(x):
    return x["a"]


@probe(expected=[Fails(IndexError)], expected_gradients=[Fails(IndexError)], why="more indices than axes")
def too_many_indices(x):
    return x[0, 0, 0, 0]


@program([CUBE, i32(1)], [CUBE, i32(0)])
def by_an_input(x, i):
    return x[i]


@program([CUBE, i64(1)], [CUBE, i64(-1)])
def by_inputs_in_a_tuple(x, i):
    return x[0, i], x[:, i, 2]


@program([CUBE, 1], [CUBE, 0])
def by_a_python_number(x, i):
    return x[i], x[:, i:i + 1]


@probe()
def one_after_the_other(x):
    return x[0][1][2], x[:, 1][0], x[0:1][0][1:]


@probe()
def unpacking(x):
    a, b = x
    return b[0] - a[0]


@probe()
def element_of_a_result(x):
    return (x * 2)[1, 2], ops.sum(x, 0)[1]


@program([count(4), i64([2, 0, 2])])
def repeated_elements(x, i):
    return x[i] * 2


@program([count(4), b1([True, False, True, True])], gradients=False)
def by_a_bool_input(x, keep):
    return x[keep]


@program([count(2, 3), b1([True, False])], gradients=False)
def rows_by_a_bool_input(x, keep):
    return x[keep]


@program([count(2, 3)], gradients=False)
def nonzero_and_masked_select(x):
    return ops.nonzero(x), ops.masked_select(x, x > 2)


@program([count(6)])
def sizes_in_slices(x):
    n = x.shape[0] // 2
    return x[:n] * x[n:]


@probe()
def reading_in_loops(x):
    total = x[0, 0, 0] * 0
    for i in range(2):
        for j in range(3):
            total = total + x[i, j, i + j] * (j + 1)
    return total


@program([count(3, 3)])
def diagonal_by_indices(x):
    i = Tensor([0, 1, 2])
    return x[i, i]


@program([count(4), i64(1), i64(3)])
def slice_by_inputs(x, begin, end):
    return x[begin:end].sum()
