"""grad, value_and_grad, GradOperation: what they take, what they give; gradients through the language."""
from functools import partial as partial_function

import mindspore as ms
import numpy as np
from mindspore import Parameter, ParameterTuple, Tensor, nn, ops

from tests.language.table import Fails, f32, i32, i64, program, script


class Linear(nn.Cell):
    """The net of the evidence: x @ w + b."""

    def __init__(self, fixed=False):
        super().__init__()
        self.w = Parameter(Tensor(np.array([[2], [3]], np.float32)), name="w")
        self.b = Parameter(Tensor([1.0]), name="b", requires_grad=not fixed)

    def construct(self, x):
        return ops.matmul(x, self.w) + self.b


def batch():
    return Tensor(np.array([[1, 2], [3, 4]], np.float32))


def square(x):
    return x * x


def product(x, y):
    return x * y


@script()
def result_structures():
    n, x = Linear(), batch()
    weights = n.trainable_params()
    return (ms.grad(n)(x), ms.grad(n, 0, weights)(x), ms.grad(n, None, weights)(x), ms.grad(n, None, n.w)(x),
            ms.grad(n, None, [n.w])(x), ms.grad(n, None, ParameterTuple(weights))(x), ms.grad(n, (0,), (n.w,))(x),
            ms.grad(n, None, [])(x))


@script()
def positions():
    x, y = Tensor(3.0), Tensor(5.0)
    return ms.grad(product, 0)(x, y), ms.grad(product, 1)(x, y), ms.grad(product, (0, 1))(x, y)


@script(expected=["ValueError", "IndexError", "ValueError", "TypeError"])
def wrong_positions():
    n, x = Linear(), batch()
    found = []
    for position in (None, 1, -1, [0]):
        try:
            ms.grad(n, position, None)(x)
            found.append("no error")
        except Exception as error:
            found.append([c.__name__ for c in type(error).__mro__ if c.__module__ == "builtins"][0])
    return found


@program([f32([1, 2, 3])])
def output_that_is_no_scalar(x):
    return x * x


@program([f32([1, 2])])
def several_outputs_are_summed(x):
    return x * x, x * 10


@program([f32([1, 2])])
def dict_outputs_are_summed(x):
    return {"loss": x * x, "o": x}


@script()
def has_aux():
    def g(x):
        return x * x, x * 10
    x = Tensor([1.0, 2.0])
    return ms.grad(g, has_aux=True)(x), ms.value_and_grad(g, has_aux=True)(x), ms.value_and_grad(g)(x)


@script()
def has_aux_of_all_kinds():
    def k(x):
        return (x * x).sum(), 3, "a", None
    return ms.value_and_grad(k, has_aux=True)(Tensor([1.0, 2.0]))


@script()
def functional_training_step():
    n = Linear()
    loss_fn, optimizer = nn.MSELoss(), nn.SGD(n.trainable_params(), 0.01)
    def forward(x, y):
        p = n(x)
        return loss_fn(p, y), p
    gradients = ms.value_and_grad(forward, None, optimizer.parameters, has_aux=True)
    @ms.jit
    def step(x, y):
        (loss, _), grads = gradients(x, y)
        optimizer(grads)
        return loss
    x, y = batch(), Tensor(np.array([[1], [2]], np.float32))
    return [step(x, y) for _ in range(3)], n.w.value(), n.b.value()


@script()
def return_ids_and_get_grad():
    n = Linear()
    r = ms.grad(n, 0, n.trainable_params(), return_ids=True)(batch())
    return r, ms.get_grad(r, 0), ms.get_grad(r, n.b)


@script()
def grad_operation_variants():
    n, x = Linear(), batch()
    weights = ParameterTuple(n.trainable_params())
    sens = Tensor(np.full((2, 1), 10.0, np.float32))
    return (ops.GradOperation()(n)(x), ops.GradOperation(get_all=True)(n)(x),
            ops.GradOperation(get_by_list=True)(n, weights)(x),
            ops.GradOperation(get_all=True, get_by_list=True)(n, weights)(x),
            ops.GradOperation(sens_param=True)(n)(x, sens),
            ops.GradOperation(get_all=True, get_by_list=True, sens_param=True)(n, weights)(x, sens))


@script(expected=Fails(ValueError))
def sensitivity_of_another_shape():
    return ops.GradOperation(sens_param=True)(Linear())(batch(), Tensor([1.0]))


@script()
def grad_operation_inside_a_cell():
    class GradNet(nn.Cell):
        def __init__(self, net):
            super().__init__()
            self.net = net
            self.params = ParameterTuple(net.trainable_params())
            self.grad_op = ops.GradOperation(get_by_list=True)

        def construct(self, x):
            return self.grad_op(self.net, self.params)(x)
    return GradNet(Linear())(batch())


@script()
def fixed_parameters_as_weights():
    n = Linear(fixed=True)
    return [p.name for p in n.trainable_params()], ms.grad(n, None, [n.w, n.b])(batch())


@script()
def unused_and_foreign_weights():
    class Net(nn.Cell):
        def __init__(self):
            super().__init__()
            self.a = Parameter(Tensor([2.0]), name="a")
            self.u = Parameter(Tensor([5.0, 6.0]), name="u")

        def construct(self, x):
            return x * self.a
    n = Net()
    other = Parameter(Tensor([1.0, 1.0, 1.0]), name="other")
    return ms.grad(n, None, n.trainable_params())(Tensor([3.0])), ms.grad(n, None, [n.a, other])(Tensor([3.0]))


@program([f32([2]), f32([5])], finite=False)
def stop_gradient(x, y):
    return (ops.stop_gradient(x) * y + x).sum()


@program([f32([2])], finite=False)
def stop_gradient_of_a_power(x):
    return x * ops.stop_gradient(x * x) + ops.stop_gradient(x)


@script(expected=Fails(Exception, "int32"), why="MindSpore truncates 2.5 to 2 [defect]")
def gradient_of_an_int_input():
    def g(x):
        return (x * 2.5).sum()
    return ms.grad(g)(Tensor([1, 2], ms.int32))


@program([f32([1, 2])], finite=False)
def comparison_has_no_gradient(x):
    return (x > 1).astype(ms.float32).sum()


@script()
def numbers_beside_tensors():
    return ms.grad(product)(Tensor([1.0]), 3), ms.grad(product, 1)(Tensor([1.0]), 3)


@program([f32([1, 2])])
def independent_of_the_input(x):
    return ops.ones((2,), ms.float32).sum()


@program([f32(3)], [f32(-3)])
def through_an_if(x):
    if x > 0:
        return x * x
    return -x


@program([f32(2), i64(3)], [f32(2), i64(0)])
def through_a_while(x, n):
    i = Tensor(0)
    y = x
    while i < n:
        y = y * x
        i += 1
    return y


@program([f32([1, 2])])
def through_an_item_assignment(x):
    y = x * 1
    y[0] = y[1] * 3
    return (y * y).sum()


@program([f32([1, 2, 3])])
def through_a_list(x):
    values = [x[i] * i for i in range(3)]
    return sum(values)


@program([f32([1, 2, 3])])
def through_a_dict_and_closure(x):
    d = {"a": x * 2, "b": x[0]}
    def f(k):
        return d[k] * d[k]
    return f("a").sum() + f("b")


@program([f32(0.5), f32(2)])
def through_recursion(x, y):
    def power(v, n):
        if n == 0:
            return y
        return v * power(v, n - 1)
    return power(x, 3)


@script()
def assignment_inside_a_differentiated_function():
    class Net(nn.Cell):
        def __init__(self):
            super().__init__()
            self.c = Parameter(Tensor(0.0), name="c", requires_grad=False)
            self.w = Parameter(Tensor(2.0), name="w")

        def construct(self, x):
            ops.assign_add(self.c, Tensor(1.0))
            return x * self.w + ops.stop_gradient(self.c)
    n = Net()
    g = ms.value_and_grad(n, None, n.trainable_params())
    return g(Tensor(3.0)), n.c.value() * 1, g(Tensor(3.0)), n.c.value() * 1


@script()
def of_methods_and_lambdas():
    n = Linear()
    f = lambda x: x * x  # noqa: E731
    return ms.grad(n.construct)(batch()), ms.grad(f)(Tensor(3.0))


@script(expected=(f32(6), f32(6)), why="MindSpore cannot parse a lambda inside a call [defect]")
def of_inline_lambdas():
    return ms.grad(lambda x: x * x)(Tensor(3.0)), ms.value_and_grad(lambda x: x * x)(Tensor(3.0))[1]


@script(expected=(f32(3), f32(2)), why="MindSpore refuses partial objects [limit]")
def of_partials():
    p = partial_function(product, y=3)
    q = ops.partial(product, Tensor(2.0))
    return ms.grad(p)(Tensor(3.0)), ms.grad(q)(Tensor(3.0))


@script(expected=(f32(2), f32(5), f32(8), f32(8)), why="MindSpore refuses keyword arguments [defect]")
def keyword_and_default_arguments():
    def f(x, y=2.0, mask=None):
        if mask is not None:
            x = x * mask
        return x * y
    x = Tensor(3.0)
    return (ms.grad(f)(x), ms.grad(f)(x, y=5.0), ms.grad(f)(x, mask=Tensor(4.0)), ms.grad(f)(x, 2.0, Tensor(4.0)))


@script()
def scaled_and_clipped():
    scale = ops.MultitypeFuncGraph("scale")
    @scale.register("Number", "Tensor")
    def _scale(k, g):
        return g * k
    class Net(nn.Cell):
        def __init__(self):
            super().__init__()
            self.map, self.grad, self.net = ops.HyperMap(), ops.GradOperation(get_by_list=True), Linear()
            self.weights = ParameterTuple(self.net.trainable_params())

        def construct(self, x):
            grads = self.grad(self.net, self.weights)(x)
            grads = self.map(ops.partial(scale, 0.5), grads)
            return ops.clip_by_global_norm(grads, 1.0)
    return Net()(batch())


@script()
def accumulation_over_two_batches():
    n = Linear()
    g = ms.grad(n, None, n.trainable_params())
    first, second = g(batch()), g(batch() * 2)
    return tuple(a + b for a, b in zip(first, second))


@script()
def second_order():
    def f(x):
        return x * x * x
    first = ms.grad(f)
    second = ms.grad(first)
    def inside(x):
        return ms.grad(ms.grad(f))(x)
    return first(Tensor(3.0)), second(Tensor(3.0)), ms.jit(inside)(Tensor(3.0))


@script()
def third_order_of_a_tanh():
    def f(x):
        return ops.tanh(x)
    return ms.grad(ms.grad(ms.grad(f)))(Tensor([0.5, -0.25]))


@script(expected=(f32([6, 0]), f32([0, 6])), why="second derivatives of a branch; MindSpore may refuse them")
def second_order_through_a_branch():
    def f(x):
        if x.sum() > 0:
            return x[0] * x[0] * x[0]
        return x[1] * x[1] * x[1]
    g = ms.grad(f)
    def total(x):
        return g(x).sum()
    h = ms.grad(total)
    return h(Tensor([1.0, -0.5])), h(Tensor([-2.0, 1.0]))


@script(expected=f32(48), why="second derivative of x^4; MindSpore may refuse a while")
def second_order_through_a_while():
    def f(x, n):
        i, y = Tensor(0), x
        while i < n:
            y = y * x
            i += 1
        return y
    return ms.grad(ms.grad(f))(Tensor(2.0), Tensor(3))


@script()
def of_a_gradient_penalty():
    n = Linear()
    def penalty(x):
        g = ms.grad(n)(x)
        return (g * g).sum()
    return penalty(batch()), ms.grad(penalty, None, n.trainable_params())(batch())


@program([f32([3])], [f32([-3])])
class weight_used_twice(nn.Cell):
    def __init__(self):
        super().__init__()
        self.w = Parameter(Tensor([2.0]), name="w")

    def construct(self, x):
        if x.sum() > 0:
            return x * self.w * self.w
        return x + self.w


@program([f32([0.5, 2]), i32([1, 0])])
def int_inputs_beside_floats(x, i):
    return x[i] * i + x
