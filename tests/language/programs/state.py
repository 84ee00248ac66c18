"""Parameters and attributes written inside the graph, in the order that the program says."""
import mindspore as ms
import numpy as np
from mindspore import Parameter, Tensor, nn, ops

from tests.language.table import Fails, f32, i32, i64, program, script

STOPS = "MindSpore's gradient stops at a written Parameter [defect]"


class Scalar(nn.Cell):
    def __init__(self, value=1.0):
        super().__init__()
        self.w = Parameter(Tensor(value), name="w", requires_grad=False)


@program([f32(2)], [f32(2)], expected_gradients=[f32(10), f32(10)], why=STOPS)
class assignment_statement(Scalar):
    def construct(self, x):
        self.w = self.w + x
        return self.w * 10


@program([f32(2)], [f32(3)], expected_gradients=[f32(3), f32(3)], why=STOPS)
class reads_and_writes_in_order(Scalar):
    def construct(self, x):
        a = self.w * 1
        ops.assign(self.w, x)
        b = self.w * 1
        ops.assign_add(self.w, Tensor(5.0))
        c = self.w * 1
        self.w += 1
        return a, b, c, self.w * 1


@program([f32([2, 3])], [i32([1, 2])], gradients=False)
class assign_gives_the_new_value(nn.Cell):
    def __init__(self):
        super().__init__()
        self.w = Parameter(Tensor([1.0, 1.0]), name="w", requires_grad=False)

    def construct(self, x):
        return ops.assign(self.w, x) * 1


@program([f32([1])], [f32([[1, 2]])], expected=[Fails(ValueError), Fails(ValueError)], gradients=False,
         why="the shapes differ")
class assign_of_another_shape(nn.Cell):
    def __init__(self):
        super().__init__()
        self.w = Parameter(Tensor([1.0, 1.0]), name="w")

    def construct(self, x):
        return ops.assign(self.w, x)


@program([f32(5), i64(3)], [f32(-5), i64(0)], [f32(-5), i64(2)], expected=[f32(9), f32(9), f32(11)],
         why="MindSpore's i += 1 writes into the constant Tensor(0) [defect]")
class writes_in_a_branch_and_a_loop(Scalar):
    def construct(self, x, n):
        if x > 0:
            ops.assign_add(self.w, x)
        i = Tensor(0)
        while i < n:
            self.w += 1
            i += 1
        return self.w * 1


@program([f32(5)], [f32(-5)], expected_gradients=[f32(2), f32(1)], why=STOPS)
class write_in_both_branches(Scalar):
    def construct(self, x):
        if x > 0:
            self.w = x
        else:
            self.w = self.w * 10
        return self.w + x


@program([f32(2)], expected_gradients=[f32(15)], why=STOPS)
class primitives_that_write(Scalar):
    def __init__(self):
        super().__init__()
        self.assign, self.add, self.sub = ops.Assign(), ops.AssignAdd(), ops.AssignSub()

    def construct(self, x):
        self.assign(self.w, x)
        self.add(self.w, x * 3)
        self.sub(self.w, Tensor(1.0))
        return self.w * x


@program([f32(2)], [f32(7)])
class write_behind_the_last_read(Scalar):
    def construct(self, x):
        y = self.w * x
        self.w = x
        return y


@script()
def python_attributes():
    class Net(nn.Cell):
        def __init__(self):
            super().__init__()
            self.k = 1
            self.t = Tensor(0.0)

        def construct(self, x):
            self.k = 5
            self.t = x
            return x * self.k
    n = Net()
    return n(Tensor(2.0)), n.k, n.t


@script()
def new_attribute():
    class Net(nn.Cell):
        def construct(self, x):
            self.z = x + 1
            return self.z
    n = Net()
    return n(Tensor(2.0)), getattr(n, "z", "no attribute")


@script(expected=([f32(2), f32(3), f32(4)], 4), why="an attribute is written at every call, as in Python")
def counter_attribute():
    class Net(nn.Cell):
        def __init__(self):
            super().__init__()
            self.calls = 1

        def construct(self, x):
            self.calls = self.calls + 1
            return x * self.calls
    n = Net()
    return [n(Tensor(1.0)) for _ in range(3)], n.calls


@script(expected=(f32(9), f32(3)), why="MindSpore fails on a sub-cell's attribute [defect]")
def parameter_of_a_sub_cell():
    class Sub(nn.Cell):
        def __init__(self):
            super().__init__()
            self.w = Parameter(Tensor(1.0), name="w")

        def construct(self, x):
            return x * self.w

    class Net(nn.Cell):
        def __init__(self):
            super().__init__()
            self.sub = Sub()

        def construct(self, x):
            self.sub.w = x
            return self.sub(x)
    n = Net()
    return n(Tensor(3.0)), n.sub.w.value()


@script()
def cells_and_primitives_made_in_construct():
    class Relu(nn.Cell):
        def construct(self, x):
            return nn.ReLU()(x)

    class Primitive(nn.Cell):
        def construct(self, x):
            return ops.ReLU()(x)
    x = Tensor([-1.0, 1.0])
    return Relu()(x), Primitive()(x)


@script(expected=Fails(Exception, "Parameter"), graph_only=True,
        why="a Parameter made at every call would never be trained")
def parameter_made_in_construct():
    class Net(nn.Cell):
        def construct(self, x):
            w = Parameter(Tensor(2.0), name="inner")
            return x * w
    return Net()(Tensor(1.0))


@script()
def parameter_as_an_argument():
    p = Parameter(Tensor(3.0), name="p")
    class Net(nn.Cell):
        def construct(self, x, w):
            return x * w
    n = Net()
    first = n(Tensor(2.0), p)
    p.set_data(Tensor(5.0))
    return first, n(Tensor(2.0), p)


@script()
def parameter_written_by_a_jit_function():
    p = Parameter(Tensor(3.0), name="p")
    @ms.jit
    def g(x):
        ops.assign(p, x)
        return p * 2
    return g(Tensor(7.0)), p.value(), g(Tensor(8.0)), p.value()


@script()
def parameter_as_a_result():
    class Net(nn.Cell):
        def __init__(self):
            super().__init__()
            self.w = Parameter(Tensor([1.0]), name="w")

        def construct(self):
            return self.w
    n = Net()
    r = n()
    n.w.set_data(Tensor([5.0]))
    return isinstance(r, Parameter), r.asnumpy()


@program([f32([1, 2])], [f32([3, 4])], expected_gradients=[f32([-0.25, -0.25])] * 2, why=STOPS)
class momentum_by_hand(nn.Cell):
    def __init__(self):
        super().__init__()
        self.m = Parameter(Tensor([0.0, 0.0]), name="m", requires_grad=False)
        self.w = Parameter(Tensor([1.0, 1.0]), name="w", requires_grad=False)

    def construct(self, g):
        self.m = self.m * 0.5 + g
        self.w = self.w - 0.25 * self.m
        return self.w.sum()


@program([f32(2)], [f32(5)], expected=[f32(6), f32(15)], why="MindSpore refuses set_data in a graph [limit]")
class set_data_in_construct(Scalar):
    def construct(self, x):
        self.w.set_data(x)
        return self.w * 3


@program([f32([1, 2])], [f32([1, 2])])
class loop_over_a_parameter_tuple(nn.Cell):
    def __init__(self):
        super().__init__()
        self.ws = ms.ParameterTuple([Parameter(Tensor([float(i), 1.0]), name=f"w{i}") for i in range(3)])

    def construct(self, x):
        for w in self.ws:
            x = x * w + 1
        return x


@program([f32(1)], [f32(1)], expected_gradients=[f32(12), f32(12)], why=STOPS)
class writes_through_a_helper(Scalar):
    def step(self, value):
        self.w = self.w * 2 + value

    def construct(self, x):
        self.step(x)
        self.step(x * 10)
        return self.w * 1


@program([f32(1)], [f32(2)], expected_gradients=[f32(1), f32(1)], why=STOPS)
class swap_of_two_parameters(nn.Cell):
    def __init__(self):
        super().__init__()
        self.a = Parameter(Tensor(1.0), name="a", requires_grad=False)
        self.b = Parameter(Tensor(10.0), name="b", requires_grad=False)

    def construct(self, x):
        kept = self.a * 1
        self.a = self.b + x
        self.b = kept
        return self.a - self.b


@program([f32(3), f32(100)])
class names_in_namespaces_of_their_own(nn.Cell):
    def __init__(self):
        super().__init__()
        self.a = Parameter(Tensor(1.0), name="x")
        self.b = Parameter(Tensor(5.0), name="pb")

    def construct(self, x, b):
        pb = x * 10
        return self.a + x, self.b + b, pb


@script()
def training_steps_by_hand():
    class Net(nn.Cell):
        def __init__(self):
            super().__init__()
            self.w = Parameter(Tensor([2.0]), name="w")

        def construct(self, x):
            return ((x * self.w - 1) ** 2).sum()
    net = Net()
    optimizer = nn.SGD(net.trainable_params(), 0.1)
    step = ms.value_and_grad(net, None, net.trainable_params())
    losses = []
    for _ in range(3):
        loss, grads = step(Tensor([0.5]))
        optimizer(grads)
        losses.append(loss)
    return losses, net.w.value()


@script()
def batch_norm_statistics():
    net = nn.SequentialCell(nn.BatchNorm1d(2))
    net.set_train()
    x = Tensor(np.array([[1, 2], [3, 6]], np.float32))
    first = net(x)
    net.set_train(False)
    return first, net(x), net[0].moving_mean.value(), net[0].moving_variance.value()
