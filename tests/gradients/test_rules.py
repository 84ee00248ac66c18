"""Gradients that the user writes: `bprop` of Cells and ``_Function``."""
import numpy as np
import pytest

import graphcore as gc
from graphcore import Parameter, Tensor, nn, ops
from graphcore.common._grad_function import _Function
from graphcore.errors import GradientError
from tests.gradients.support import plain

X, Y = Tensor([1.0, 2.0]), Tensor([3.0, 4.0])


class Product(nn.Cell):
    def __init__(self):
        super().__init__()
        self.w = Parameter(Tensor([2.0, 2.0]), name="w")

    def construct(self, x, y):
        return x * y * self.w

    def bprop(self, x, y, out, dout):
        return dout * 100, dout * out


def test_the_rule_stands_for_the_derived_gradient(mode):
    net = Product()
    assert plain(net(X, Y)) == [6, 16]
    assert plain(gc.grad(net, (0, 1))(X, Y)) == ([100, 100], [6, 16])
    assert plain(gc.value_and_grad(lambda x: net(x * 2, y=x).sum())(X)) == (20, [204, 216])
    assert plain(gc.grad(net, 0, [net.w])(X, Y)) == ([100, 100], ([0, 0],)), "a rule says nothing of Parameters"


def test_gradients_of_parameters(mode):
    class Scale(nn.Cell):
        def __init__(self):
            super().__init__()
            self.w = Parameter(Tensor([2.0, 3.0]), name="w")
            self.internal_params = [self.w]

        def construct(self, x):
            return x * self.w

        def bprop(self, x, out, dout):
            return (self.w * dout,), {self.w: x * dout * 10}
    net = Scale()
    assert plain(gc.grad(net, 0, net.w)(X)) == ([2, 3], [10, 20])


def test_outputs_and_inputs_of_other_kinds(mode):
    class Several(nn.Cell):
        def construct(self, x, n, pair):
            return x * n, {"sum": pair[0] + pair[1], "name": "several"}

        def bprop(self, x, n, pair, out, dout):
            assert n == 3 and out[1]["name"] == "several"
            return dout[0] * out[0], None, (dout[1]["sum"], None)
    net = Several()

    def f(x, y):
        product, others = net(x, 3, (x, y))
        return product * 2 + others["sum"]
    assert plain(gc.grad(f, (0, 1))(X, Y)) == ([7, 13], [0, 0])


def test_shapes_and_dtypes_are_brought_to_those_of_the_input(mode):
    class Rule(nn.Cell):
        def __init__(self, gradient):
            super().__init__()
            self.gradient = gradient

        def construct(self, x):
            return x * 2

        def bprop(self, x, out, dout):
            return self.gradient
    for given, expected in ((Tensor([[1, 2], [3, 4]]), [4, 6]), (Tensor(5), [5, 5]), (7, [7, 7]), (None, [0, 0])):
        assert plain(gc.grad(Rule(given))(X)) == expected
    with pytest.raises(GradientError, match=r"Rule.bprop gave a gradient of shape \(3,\) for a value of type f32\[2\]"):
        gc.grad(Rule(Tensor([1.0, 2.0, 3.0])))(X)
    with pytest.raises(GradientError, match="gave a str as the gradient"):
        gc.grad(Rule("x"))(X)


def test_wrong_count(mode):
    class Wrong(nn.Cell):
        def construct(self, x, y):
            return x * y

        def bprop(self, x, y, out, dout):
            return (dout,)
    with pytest.raises(RuntimeError, match="Wrong.bprop gave 1 gradients where 2 are wanted"):
        gc.grad(Wrong(), (0, 1))(X, Y)


def test_control_flow_and_inner_gradients_in_the_rule(mode):
    class Cell(nn.Cell):
        def construct(self, x):
            return x * x

        def bprop(self, x, out, dout):
            found = gc.grad(lambda v: v ** 3)(x)
            for _ in range(2):
                found = found + 1
            if dout.sum() > 3:
                return found * 10
            return found
    net = Cell()
    assert plain(gc.grad(net)(X)) == [5, 14]
    assert plain(gc.grad(lambda x: net(x) * 2)(X)) == [50, 140]


def test_a_rule_in_branches_and_loops(mode):
    class Seven(nn.Cell):
        def construct(self, x):
            return x * 2

        def bprop(self, x, out, dout):
            return dout * 7
    seven = Seven()

    def f(x, n):
        if x.sum() > 0:
            x = seven(x)
        i = Tensor(0)
        while i < n:
            x = seven(x)
            i += 1
        return x
    assert plain(gc.grad(f)(X, Tensor(2))) == [343, 343]
    assert plain(gc.grad(f)(-X, Tensor(1))) == [7, 7]


def test_second_order_goes_through_the_rule(mode):
    class Cube(nn.Cell):
        def construct(self, x):
            return x ** 3

        def bprop(self, x, out, dout):
            return dout * 6 * x + out * 0
    net = Cube()
    assert plain(gc.grad(lambda x: net(x))(X)) == [6, 12]
    assert plain(gc.grad(gc.grad(lambda x: net(x)))(X)) == [6, 6]


def test_a_rule_that_does_more_than_compute(mode, capsys):
    class Noted(nn.Cell):
        def __init__(self):
            super().__init__()
            self.calls = []

        def construct(self, x, y):
            return x * y

        def bprop(self, x, y, out, dout):
            self.calls.append(float(dout.asnumpy()[0]))
            print("backward", out)
            return Tensor(np.sign(x.asnumpy()) * 5), dout
    net = Noted()
    gradient = gc.grad(lambda x, y: net(x, y) * 2, (0, 1))
    for run in (1, 2):
        assert plain(gradient(X, -Y)) == ([5, 5], [2, 2])
        assert net.calls == [2.0] * run
    assert capsys.readouterr().out == "backward [-3. -8.]\n" * 2


def test_functions_with_a_backward(mode):
    class Scaled(_Function):
        @staticmethod
        def forward(ctx, x, factor, y):
            ctx.save_for_backward(x, y)
            ctx.factor = factor
            assert ctx.needs_input_grad == (True, False, True)
            return x * factor, x * y

        @staticmethod
        def backward(ctx, first, second):
            x, y = ctx.saved_tensors
            return first * ctx.factor * 100, None, second * x

    def f(x, y):
        a, b = Scaled.apply(x, 3.0, y * 2)
        return a + b
    assert plain(f(X, Y)) == [9, 22]
    assert plain(gc.grad(f, (0, 1))(X, Y)) == ([300, 300], [2, 4])

    class Wrong(Scaled):
        @staticmethod
        def backward(ctx, first, second):
            return first
    with pytest.raises(GradientError, match="Wrong.backward gave 1 gradients where 3 are wanted"):
        gc.grad(lambda x: Wrong.apply(x, 3.0, x)[0])(X)


def test_training_with_a_rule(mode):
    """Straight-through rounding: the weights move although rounding has no slope."""
    class Round(nn.Cell):
        def construct(self, x):
            return ops.round(x)

        def bprop(self, x, out, dout):
            return (dout,)

    class Net(nn.Cell):
        def __init__(self):
            super().__init__()
            self.round, self.w = Round(), Parameter(Tensor([0.2, 0.7]), name="w")

        def construct(self, x):
            return ((self.round(self.w * 4) - x) ** 2).sum()
    net = Net()
    step = nn.TrainOneStepCell(net, nn.SGD(net.trainable_params(), 0.02))
    losses = [float(step(Tensor([5.0, -2.0]))) for _ in range(12)]
    assert losses[0] == 41 and losses[-1] == 0
