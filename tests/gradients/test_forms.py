"""What `grad`, `value_and_grad` and `GradOperation` take and give; expected values are what MindSpore 2.10 gave."""
import functools

import numpy as np
import pytest

import graphcore as gc
from graphcore import Parameter, ParameterTuple, Tensor, nn, ops
from graphcore.errors import DTypeError, GradientError, ShapeError
from tests.gradients.support import plain, slopes

X, Y = Tensor([1.0, 2.0]), Tensor([3.0, 4.0])


def cubic(x, y):
    return x * x * y


def times(x, n):
    return x * n


def two(x):
    return x * 2, x * 3


class Linear(nn.Cell):
    def __init__(self):
        super().__init__()
        self.w = Parameter(Tensor([2.0, 5.0]), name="w")
        self.b = Parameter(Tensor([1.0, 1.0]), name="b")

    def construct(self, x):
        return x * self.w + self.b


def test_positions(mode):
    assert plain(gc.grad(cubic)(X, Y)) == [6, 16]
    assert plain(gc.grad(cubic, (0,))(X, Y)) == [6, 16]
    assert plain(gc.grad(cubic, (0, 1))(X, Y)) == ([6, 16], [1, 4])
    assert plain(gc.grad(cubic, (1, 0))(X, Y)) == ([1, 4], [6, 16])
    assert plain(gc.value_and_grad(cubic, 1)(X, Y)) == ([3, 16], [1, 4])


def test_python_numbers_have_no_gradient(mode):
    assert gc.grad(times, 1)(X, 3) == ()
    assert plain(gc.grad(times, (0, 1))(X, 3)) == [3, 3]
    assert plain(ops.GradOperation(get_all=True)(times)(X, 3)) == ([3, 3],)


def test_nests_have_gradients_of_their_form(mode):
    assert plain(gc.grad(lambda pair: pair[0] * pair[1])((X, Y))) == ([3, 4], [1, 2])
    found = gc.grad(lambda d, z: d["a"] * d["b"][0] * z, (0, 1))({"a": X, "b": [Y]}, X)
    assert plain(found[0]["a"]) == [3, 8] and plain(found[0]["b"]) == ([1, 4],) and plain(found[1]) == [3, 8]


def test_weights(mode):
    net = Linear()
    other = Parameter(Tensor([1.0, 1.0, 1.0]), name="other")
    w, b = [1, 2], [1, 1]
    assert plain(gc.grad(net, None, net.trainable_params())(X)) == (w, b)
    assert plain(gc.grad(net, None, ParameterTuple(net.trainable_params()))(X)) == (w, b)
    assert plain(gc.grad(net, None, net.w)(X)) == w
    assert plain(gc.grad(net, None, [net.w, other, net.w])(X)) == (w, [0, 0, 0], w)
    assert plain(gc.grad(net, 0, [net.b])(X)) == ([2, 5], (b,))
    assert plain(gc.grad(net, (0,), (net.w,))(X)) == ([2, 5], (w,))
    assert gc.grad(net, None, [])(X) == () and plain(gc.grad(net, 0, [])(X)) == ([2, 5], ())


def test_several_outputs_are_added(mode):
    assert plain(gc.grad(two)(X)) == [5, 5]
    assert plain(gc.grad(lambda x: {"a": x * x, "b": (x, x.astype(gc.int32), 3)})(X)) == [3, 5]


def test_aux(mode):
    def loss(x):
        return x * x, x * 3, "text"
    assert plain(gc.grad(loss, has_aux=True)(X)) == ([2, 4], ([3, 6], "text"))
    assert plain(gc.value_and_grad(loss, has_aux=True)(X)) == (([1, 4], [3, 6], "text"), [2, 4])
    with pytest.raises(GradientError, match="has_aux"):
        gc.grad(times, has_aux=True)(X, 2)


def test_ids(mode):
    net = Linear()
    assert plain(gc.grad(cubic, 0, return_ids=True)(X, Y)) == (0, [6, 16])
    assert plain(gc.grad(cubic, (0, 1), return_ids=True)(X, Y)) == ((0, [6, 16]), (1, [1, 4]))
    assert plain(gc.grad(net, None, net.w, return_ids=True)(X)) == ("w", [1, 2])
    found = gc.grad(net, 0, [net.w, net.b], return_ids=True)(X)
    assert plain(found) == ((0, [2, 5]), (("w", [1, 2]), ("b", [1, 1])))
    assert plain((gc.get_grad(found, 0), ops.get_grad(found, net.b))) == ([2, 5], [1, 1])
    with pytest.raises(GradientError, match="no gradient for 5"):
        gc.get_grad(found, 5)


def test_sens(mode):
    weigh = ops.GradOperation(sens_param=True)
    assert plain(weigh(cubic)(X, Y, Tensor([10.0, 100.0]))) == [60, 1600]
    assert plain(weigh(two)(X, (Tensor([1.0, 10.0]), Tensor([100.0, 1000.0])))) == [302, 3020]
    assert plain(weigh(cubic)(X, Y, 2.0)) == [12, 32]
    with pytest.raises(ShapeError, match="sens has shape"):
        weigh(cubic)(X, Y, Tensor([1.0, 2.0, 3.0]))
    with pytest.raises(GradientError, match="1 values for 2 outputs"):
        weigh(two)(X, (X,))


def test_grad_operation(mode):
    net = Linear()
    weights = ParameterTuple(net.trainable_params())
    assert plain(ops.GradOperation()(cubic)(X, Y)) == [6, 16]
    assert plain(ops.GradOperation(get_all=True)(cubic)(X, Y)) == ([6, 16], [1, 4])
    assert plain(ops.GradOperation(get_by_list=True)(net, weights)(X)) == ([1, 2], [1, 1])
    assert plain(ops.GradOperation(True, True)(net, weights)(X)) == (([2, 5],), ([1, 2], [1, 1]))
    assert ops.GradOperation(get_by_list=True)(net)(X) == ()
    labelled = ops.GradOperation(get_all=True)(lambda x, i: x * i)(X, Tensor([2, 3], gc.int32))
    assert plain(labelled) == ([2, 3], [0, 0]) and labelled[1].dtype is gc.int32
    operation = ops.GradOperation()
    assert operation(cubic) is operation(cubic), "compiled once"


def test_callables(mode):
    net = Linear()
    assert plain(gc.grad(net.construct)(X)) == [2, 5]
    assert plain(gc.grad(functools.partial(times, n=3))(X)) == [3, 3]
    assert plain(gc.grad(ops.partial(times, X))(Y)) == [1, 2]
    assert plain(gc.grad(lambda x: x * x)(X)) == [2, 4]
    assert plain(gc.jit(gc.grad(cubic))(X, Y)) == [6, 16]


def test_keywords_and_defaults(mode):
    def f(x, y=2.0, mask=None):
        return x * y if mask is None else x * mask * y
    assert plain(gc.grad(f)(X)) == [2, 2]
    assert plain(gc.grad(f)(X, y=5.0)) == [5, 5]
    assert plain(gc.grad(f)(X, mask=Y)) == [6, 8]
    assert plain(gc.grad(f)(X, 2.0, Y)) == [6, 8]


def test_only_floats_have_gradients(mode):
    for wrong in (Tensor([1, 2]), Tensor([True, False])):
        with pytest.raises(GradientError, match="only floats have gradients: convert it"):
            gc.grad(lambda x: (x * 2.5).sum())(wrong)
    with pytest.raises(GradientError, match="only floats have gradients: leave it out"):
        gc.grad(times, None, Parameter(Tensor([1, 2])))(X, 2)
    with pytest.raises(DTypeError, match="only a float output"):
        gc.grad(lambda x: x > 1)(X)


def test_wrong_arguments(mode):
    for position, error in ((None, ValueError), (1, IndexError), (-1, ValueError), ([0], TypeError), ("x", TypeError),
                            (True, TypeError)):
        with pytest.raises(error):
            gc.grad(lambda x: x, position)(X)


def test_nothing_flows(mode):
    def f(x, y):
        return (ops.stop_gradient(x) * y + x.detach() + x).sum()
    assert plain(gc.grad(f, (0, 1))(X, Y)) == ([1, 1], [1, 2])
    assert plain(gc.grad(lambda x: (x > 1).astype(gc.float32).sum())(X)) == [0, 0]
    assert plain(gc.grad(lambda x: ops.ones((2,), gc.float32).sum())(X)) == [0, 0]


def test_no_grad(mode):
    net = Linear()
    seen = Parameter(Tensor(0.0), name="seen", requires_grad=False)

    @gc.no_grad()
    def tripled(x):
        ops.assign_add(seen, Tensor(1.0))
        return x * 3

    def f(x):
        with gc._no_grad():
            frozen = net(x)
        return frozen * x + tripled(x)

    by_x, (by_w,) = gc.grad(f, 0, [net.w])(X)
    assert plain(by_x) == [3, 11] and plain(by_w) == [0, 0] and float(seen) == 1


def test_a_closure_is_a_constant(mode):
    def outer(x):
        y = x * 2
        return gc.grad(lambda z: z * y * x)(x)
    assert plain(gc.jit(outer)(X)) == [2, 8] == plain(outer(X))

    net = Linear()
    def step(x):
        hidden = net(x)
        return gc.grad(lambda: (hidden * net.w).sum(), None, [net.w])()
    assert plain(gc.jit(step)(X)) == ([3, 11],)


def test_inside_construct_branches_and_loops(mode):
    class Net(nn.Cell):
        def construct(self, x, n):
            total = ops.zeros_like(x)
            i = Tensor(0)
            while i < n:
                total = total + gc.grad(cubic)(x, total + 1)
                i += 1
            if total.sum() > 0:
                return gc.value_and_grad(cubic, (0, 1))(x, total)
            return total, (x, x * 0)
    x = Tensor(0.5)
    assert plain(Net()(x, Tensor(2))) == (0.75, (3.0, 0.25))
    assert plain(Net()(x, Tensor(0))) == (0, (0.5, 0))


def branching(x, y):
    if (x * y).sum() > 0:
        x = x * y
    for row in x:
        if row.sum() > y:
            y = y * row.mean()
    while y > 0.3:
        y = y * 0.5
        x = x * y
    return (x * x * y).sum()


@pytest.mark.parametrize("sign", [1, -1])
def test_against_differences(sign):
    arrays = np.arange(6.0).reshape(3, 2) * 0.3 * sign + 0.1, np.array(0.7)
    found = gc.grad(branching, (0, 1))(*map(Tensor, arrays))
    for gradient, expected in zip(found, slopes(gc.jit(branching), *arrays)):
        np.testing.assert_allclose(gradient.asnumpy(), expected, rtol=1e-6, atol=1e-7)


def test_higher_orders(mode):
    def f(x):
        if x > 0:
            return x ** 4
        return -x ** 3
    first, second, third = gc.grad(f), gc.grad(gc.grad(f)), gc.grad(gc.grad(gc.grad(f)))
    for x, expected in ((3.0, (108, 108, 72)), (-3.0, (-27, 18, -6))):
        assert [float(g(Tensor(x))) for g in (first, second, third)] == pytest.approx(expected)
    assert float(gc.jit(lambda x: gc.grad(gc.grad(f))(x) * 2)(Tensor(3.0))) == pytest.approx(216)


def test_assignments_happen_once(mode):
    class Net(nn.Cell):
        def __init__(self):
            super().__init__()
            self.c = Parameter(Tensor(0.0), name="c", requires_grad=False)
            self.w = Parameter(Tensor(2.0), name="w")

        def construct(self, x):
            ops.assign_add(self.c, Tensor(1.0))
            return x * self.w + ops.stop_gradient(self.c)
    net = Net()
    step = gc.value_and_grad(net, None, net.trainable_params())
    assert plain(step(Tensor(3.0))) == (7, (3,)) and float(net.c) == 1
    assert plain(step(Tensor(3.0))) == (8, (3,)) and float(net.c) == 2
