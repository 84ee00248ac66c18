"""vmap, jvp, vjp, jacfwd, jacrev, and their compositions."""
import mindspore as ms
import numpy as np
from mindspore import Parameter, Tensor, nn, ops

from tests.language.table import Fails, f32, script

PAIR = Tensor([1.0, 2.0])
ROWS = Tensor(np.array([[1, 2], [3, 4]], np.float32))
CUBES = "MindSpore 2.10 fails inside its own jacfwd and jacrev in graph mode [defect]"


def cube(x):
    return x * x * x


def dot(x, y):
    return (x * y).sum()


def two_outputs(x, y):
    return x * y, x + y


@script()
def vjp_of_one_input():
    out, pull = ms.vjp(cube, PAIR)
    return out, pull(Tensor([1.0, 1.0]))


@script()
def vjp_of_two_inputs():
    out, pull = ms.vjp(dot, PAIR, Tensor([3.0, 5.0]))
    return out, pull(Tensor(2.0))


@script()
def vjp_of_two_outputs():
    out, pull = ms.vjp(two_outputs, PAIR, Tensor([3.0, 5.0]))
    return out, pull((Tensor([1.0, 1.0]), Tensor([10.0, 100.0])))


@script()
def vjp_with_aux():
    def f(x):
        return x * x, x + 1
    out, pull, aux = ms.vjp(f, PAIR, has_aux=True)
    return out, aux, pull(Tensor([1.0, 2.0]))


@script()
def vjp_with_weights():
    n = Weighted()
    out, pull = ms.vjp(n, PAIR, weights=n.trainable_params())
    return out, pull(Tensor(1.0))


@script()
def jvp_of_one_input():
    return ms.jvp(cube, PAIR, Tensor([1.0, 1.0]))


@script()
def jvp_of_two_inputs():
    return ms.jvp(dot, (PAIR, Tensor([3.0, 5.0])), (Tensor([1.0, 0.0]), Tensor([0.0, 1.0])))


@script()
def jvp_of_two_outputs():
    return ms.jvp(two_outputs, (PAIR, PAIR), (Tensor([1.0, 0.0]), Tensor([0.0, 1.0])))


@script(expected=((f32([1, 4]), f32([2, 4]), f32([2, 3]))), why="MindSpore's has_aux of jvp may differ")
def jvp_with_aux():
    def f(x):
        return x * x, x + 1
    return ms.jvp(f, PAIR, Tensor([1.0, 1.0]), has_aux=True)


@script(expected=f32([[3, 0], [0, 12]]), why=CUBES)
def jacrev_of_a_vector():
    return ms.jacrev(cube)(PAIR)


@script(expected=f32([[3, 0], [0, 12]]), why=CUBES)
def jacfwd_of_a_vector():
    return ms.jacfwd(cube)(PAIR)


@script(expected=(f32([3, 5]), f32([1, 2])), why=CUBES)
def jacrev_of_two_inputs():
    return ms.jacrev(dot, grad_position=(0, 1))(PAIR, Tensor([3.0, 5.0]))


@script(expected=(f32([3, 5]), f32([1, 2])), why=CUBES)
def jacfwd_of_two_inputs():
    return ms.jacfwd(dot, grad_position=(0, 1))(PAIR, Tensor([3.0, 5.0]))


@script(expected=f32([[2, 0], [0, 2]]), why=CUBES)
def hessian():
    def f(x):
        return (x * x).sum()
    return ms.jacfwd(ms.grad(f))(PAIR)


@script(expected=f32([[0, 1], [1, 0]]), why=CUBES)
def hessian_backwards():
    def f(x):
        return x[0] * x[1]
    return ms.jacrev(ms.jacrev(f))(PAIR)


@script(expected=f32([[[2, 0], [0, 0]], [[0, 0], [0, 4]]]), why=CUBES)
def jacobian_of_a_jacobian_diagonal():
    def f(x):
        return x * x * x / 3
    return ms.jacfwd(ms.jacrev(f))(PAIR)


class Weighted(nn.Cell):
    def __init__(self):
        super().__init__()
        self.w = Parameter(Tensor([2.0, 3.0]), name="w")

    def construct(self, x):
        return (x * self.w).sum()


@script()
def vmap_with_a_fixed_input():
    return ms.vmap(dot, in_axes=(0, None))(ROWS, Tensor([1.0, 1.0]))


@script()
def vmap_over_two_inputs():
    return ms.vmap(dot)(ROWS, ROWS)


@script()
def vmap_over_columns():
    return ms.vmap(dot, in_axes=(1, 0))(ROWS, ROWS)


@script()
def vmap_of_a_gradient():
    return ms.vmap(ms.grad(dot), in_axes=(0, None))(ROWS, PAIR)


@script()
def vmap_of_a_cell():
    return ms.vmap(Weighted())(ROWS)


def double(x):
    return x * 2


@script()
def vmap_with_out_axes():
    return ms.vmap(double, in_axes=1, out_axes=1)(ROWS), ms.vmap(double, in_axes=0, out_axes=1)(ROWS)


@script()
def vmap_of_two_outputs():
    return ms.vmap(two_outputs)(ROWS, ROWS)


@script()
def vmap_of_a_vmap():
    def scale(x, y):
        return x * y
    return ms.vmap(ms.vmap(scale, in_axes=(None, 0)), in_axes=(0, None))(PAIR, Tensor([3.0, 4.0, 5.0]))


@script(expected=f32([5.965143, 23.866852]), why="MindSpore takes the maximum over the examples too [defect]")
def vmap_of_matmul_and_reductions():
    def f(x, w):
        y = ops.matmul(w, x)
        return ops.tanh(y).sum() + y.max() * x.mean()
    return ms.vmap(f, in_axes=(0, None))(ROWS, ROWS * 0.25)


@script()
def vmap_of_softmax_and_indexing():
    def f(x):
        p = ops.softmax(x, -1)
        return p[0] * x[1] + p.sum()
    return ms.vmap(f)(ROWS)


@script()
def vmap_inside_a_jit_function():
    @ms.jit
    def f(x, y):
        return ms.vmap(dot)(x, y)
    return f(ROWS, ROWS)


@script()
def gradient_of_a_vmap():
    def f(x):
        return ms.vmap(dot)(x, x * 2).sum()
    return ms.grad(f)(ROWS)


def branching(x):
    if x.sum() > 4:
        return x * 10
    return x


@script(expected=f32([[1, 2], [30, 40]]), why="each row takes its own branch; MindSpore refuses it [limit]")
def vmap_of_a_branch():
    return ms.vmap(branching)(ROWS)


def doubled_until_ten(x):
    while x < 10:
        x = x * 2
    return x


@script(expected=f32([16, 12, 20]), why="each element makes its own number of steps; MindSpore refuses it [limit]")
def vmap_of_a_while():
    return ms.vmap(doubled_until_ten)(Tensor([1.0, 3.0, 20.0]))


@script(expected=(f32([10, 20]), f32([10, 0])), why="forward through a branch")
def jvp_through_a_branch():
    return ms.jvp(branching, Tensor([1.0, 2.0]) * Tensor(1.0) + Tensor([0.0, 0.0]), Tensor([1.0, 0.0]))[0] * 10, \
        ms.jvp(branching, Tensor([3.0, 2.0]), Tensor([1.0, 0.0]))[1]


@script(expected=(f32(16), f32(16)), why="forward through a while")
def jvp_through_a_while():
    return ms.jvp(doubled_until_ten, Tensor(1.0), Tensor(1.0))


@script(expected=Fails(RuntimeError), why="the mapped axes differ in size")
def vmap_of_different_sizes():
    return ms.vmap(dot)(ROWS, Tensor(np.ones((3, 2), np.float32)))
