"""``vmap`` of functions, Cells and other transforms: results, axes, state, errors."""
import numpy as np
import pytest

import graphcore as gc
from graphcore import Parameter, Tensor, nn, ops, vmap

X = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)


def same(found, expected, tolerance=1e-5):
    np.testing.assert_allclose(found.asnumpy(), expected, rtol=tolerance, atol=tolerance)


def dot(x, y):
    return (x * y).sum()


class Scale(nn.Cell):
    def __init__(self):
        super().__init__()
        self.w = Parameter(Tensor([2.0, 3.0]), name="w")

    def construct(self, x):
        return (x * self.w).sum()


# -- what MindSpore gives ---------------------------------------------------------------------------------------------

def test_results_of_mindspore(way):
    same(vmap(dot, in_axes=(0, None))(Tensor(X), Tensor([1.0, 1.0])), [3, 7])
    same(vmap(gc.grad(dot), in_axes=(0, None))(Tensor(X), Tensor([1.0, 2.0])), [[1, 2], [1, 2]])
    same(vmap(Scale())(Tensor(X)), [8, 18])
    same(vmap(lambda x: x * 2, in_axes=1, out_axes=1)(Tensor(X)), 2 * X)


def test_the_example_of_the_documentation(way):
    x, y, z = Tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), Tensor([[-3.0, -2.0, -1.0], [3.0, 2.0, 1.0]]), [0.0, 3.0]
    found = vmap(lambda a, b, c: a + b + c, in_axes=(0, 1, None), out_axes=1)(x, y, Tensor(z))
    same(found, [[-2, 1, 4], [8, 9, 10]])


# -- composition ------------------------------------------------------------------------------------------------------

def test_it_composes(way):
    x, y = Tensor(X), Tensor([[1.0, 1.0], [2.0, 0.0]])
    same(vmap(vmap(dot, (0, None)), (None, 0))(x, y), (X @ y.asnumpy().T).T)
    same(gc.jit(lambda a: vmap(dot)(a, a))(x), (X * X).sum(1))
    same(gc.grad(lambda a: vmap(lambda r: (r ** 3).sum())(a))(x), 3 * X ** 2)
    same(vmap(gc.grad(gc.grad(lambda v: v ** 3)))(Tensor([1.0, 2.0])), [6, 12])


def test_gradients_by_weights_for_each_example(way):
    net = Scale()
    of_weights = gc.grad(net, grad_position=None, weights=net.trainable_params())
    same(vmap(of_weights)(Tensor(X))[0], X)


def test_values_of_the_surroundings_are_shared(way):
    def outer(x, y):
        doubled = y * 2
        return vmap(lambda row: row * doubled)(x)
    y = np.array([1.0, 10.0], np.float32)
    same(gc.jit(outer)(Tensor(X), Tensor(y)), X * y * 2)
    same(gc.grad(outer, 1)(Tensor(X), Tensor(y)), 2 * X.sum(0))


# -- axes and nests ---------------------------------------------------------------------------------------------------

def test_nested_axes_and_outputs(way):
    def f(pair, scale):
        a, b = pair
        return (a * scale, {"sum": a.sum() + b}), 3
    x, b = Tensor(X), Tensor([10.0, 20.0])
    (scaled, sums), constant = vmap(f, in_axes=([1, 0], None), out_axes=((-1, 0), 0))((x, b), 2.0)
    same(scaled, 2 * X)
    same(sums["sum"], X.sum(0) + [10, 20])
    same(constant, [3, 3])


def test_outputs_that_are_the_same_for_all(way):
    shared, spread = vmap(lambda x, y: (y * 2, y), in_axes=(0, None), out_axes=(None, 1))(Tensor(X), Tensor([1.0, 5.0]))
    same(shared, [2, 10])
    same(spread, [[1, 1], [5, 5]])


def test_a_list_of_cells_is_an_ensemble(way):
    cells = nn.CellList([nn.Dense(2, 3, weight_init="one", bias_init=str(name)) for name in ("zeros", "ones")])
    found = vmap(cells)(Tensor(X))
    same(found, np.stack([np.full(3, 3.0), np.full(3, 8.0)]))


# -- state, random numbers, side effects ------------------------------------------------------------------------------

def test_each_example_draws_its_own_numbers(way):
    gc.set_seed(1)
    drawn = gc.jit(lambda x: vmap(lambda r: r * 0 + ops.rand(2))(x))(Tensor(X)).asnumpy()
    assert len(np.unique(drawn)) == 4


class Counting(nn.Cell):
    def __init__(self):
        super().__init__()
        self.calls = Parameter(Tensor(0.0), name="calls")

    def construct(self, x):
        self.calls = self.calls + 1
        return x * self.calls


def test_a_parameter_may_be_written_with_a_shared_value(way):
    net = Counting()
    same(vmap(net)(Tensor(X)), X)
    same(vmap(net)(Tensor(X)), 2 * X)
    same(net.calls, 2)


class Remembering(nn.Cell):
    def __init__(self):
        super().__init__()
        self.last = Parameter(Tensor(0.0), name="last")
        self.seen = []

    def construct(self, x, how):
        if how == "parameter":
            self.last = x.sum()
        else:
            self.seen.append(x)
        return x


def test_what_differs_between_examples_is_kept_nowhere():
    net = Remembering()
    with pytest.raises(gc.errors.CaptureError, match="Parameter .*last.* differs from example"):
        vmap(net)(Tensor(X), "parameter")
    with pytest.raises(gc.errors.CaptureError, match="return the values instead"):
        vmap(net)(Tensor(X), "list")
    assert net.seen == []


def test_printing_happens_for_each_example(way, capsys):
    def show(x):
        if x > 1:
            print("big", x)
        return x + 1
    vmap(show)(Tensor([1.0, 4.0, 9.0]))
    assert capsys.readouterr().out.split() == ["big", "4.0", "big", "9.0"]


# -- layers -----------------------------------------------------------------------------------------------------------

class Small(nn.Cell):
    def __init__(self):
        super().__init__()
        self.body = nn.SequentialCell(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2, 2), nn.Flatten(),
                                      nn.Dense(8, 3))

    def construct(self, x):
        return self.body(x)


def test_gradients_of_a_convolutional_net_for_each_example(way):
    net, loss = Small(), nn.CrossEntropyLoss()

    def of_one(image, label):
        return loss(net(image.expand_dims(0)), label.expand_dims(0))
    gradients = gc.grad(of_one, None, net.trainable_params())
    images = Tensor(np.random.default_rng(0).standard_normal((3, 1, 4, 4)).astype(np.float32))
    labels = Tensor(np.array([0, 2, 1], np.int32))
    together = vmap(gradients)(images, labels)
    alone = [gradients(images[i], labels[i]) for i in range(3)]
    for k, found in enumerate(together):
        same(found, np.stack([g[k].asnumpy() for g in alone]))


class WithGradientOfItsOwn(nn.Cell):
    def construct(self, x):
        return x * 2

    def bprop(self, x, out, dout):
        return (dout * x * 5,)


def test_custom_gradients(way):
    cell, x = WithGradientOfItsOwn(), np.array([1.0, 3.0], np.float32)
    same(vmap(cell)(Tensor(x)), 2 * x)
    same(vmap(gc.grad(cell))(Tensor(x)), 5 * x)
    same(gc.grad(vmap(cell))(Tensor(x)), 5 * x)


def test_local_lists(way):
    def f(x):
        parts = []
        for i in range(3):
            parts.append(x * i)
        return ops.stack(parts)
    same(vmap(f, out_axes=1)(Tensor([1.0, 2.0])), np.outer(np.arange(3), [1, 2]))


def test_in_a_loop_of_the_program(way):
    def f(x):
        while x.sum() < 100:
            x = vmap(lambda row: row * 2 + row.sum())(x)
        return x
    x = X
    while x.sum() < 100:
        x = x * 2 + x.sum(1, keepdims=True)
    same(gc.jit(f)(Tensor(X)), x)


# -- control flow on tensors ------------------------------------------------------------------------------------------

def choose(x):
    if x.sum() > 0:
        y = x * 2
    else:
        y = x - 1
    return y


def root(a):
    x = a * 0 + 1.0
    while ops.abs(x * x - a) > 1e-4:
        x = x - (x * x - a) / (2 * x)
    return x


def power(x, n):
    y, i = x, n * 0
    while i < n:
        y = y * x
        i = i + 1
    return y


def many_steps(x):
    s = x * 0
    for i in range(300):
        s = s * 0.5 + x * i
    return s


def test_branches(way):
    x = Tensor([[1.0, 2.0], [-3.0, 1.0]])
    same(vmap(choose)(x), [[2, 4], [-4, 0]])
    same(vmap(gc.grad(choose))(x), [[2, 2], [1, 1]])
    same(gc.grad(vmap(choose))(x), [[2, 2], [1, 1]])
    same(vmap(lambda row, flag: choose(row * 0 + flag), (0, None))(x, Tensor([1.0, 1.0])), [[2, 2], [2, 2]])


def test_loops_that_end_at_different_times(way):
    a = np.array([1.5, 4.0, 9.0, 2.0], np.float32)
    same(vmap(root)(Tensor(a)), np.sqrt(a), 1e-3)
    same(vmap(gc.grad(root))(Tensor(a)), 0.5 / np.sqrt(a), 1e-3)
    same(gc.grad(vmap(root))(Tensor(a)), 0.5 / np.sqrt(a), 1e-3)
    x, n = np.array([1.0, 4.0, 9.0, 2.0], np.float32), np.array([0, 1, 2, 3], np.int32)
    same(vmap(power)(Tensor(x), Tensor(n)), x ** (n + 1))
    same(vmap(gc.grad(power))(Tensor(x), Tensor(n)), (n + 1) * x ** n)


def test_loops_that_all_examples_share(way):
    x = np.array([1.0, 4.0, 2.0], np.float32)
    same(vmap(power, (0, None))(Tensor(x), Tensor(2)), x ** 3)
    same(vmap(gc.grad(power), (0, None))(Tensor(x), Tensor(2)), 3 * x ** 2)
    same(vmap(gc.grad(many_steps))(Tensor(x)), np.full(3, 596.0))


def guarded(x, w):
    if x > 0:
        y = ops.sqrt(x) * w + ops.sqrt(x * w)
    else:
        y = -x * w
    return y


def logarithms(x):
    y = x
    while x > 0:
        y = y + ops.log(x)
        x = x - 1.5
    return y


def test_what_is_computed_in_vain_harms_no_gradient(way):
    x, w = Tensor([4.0, -1.0, 9.0]), Tensor(1.0)
    of_x, of_w = gc.grad(vmap(guarded, (0, None)), (0, 1))(x, w)
    same(of_x, [0.5, -1, 1 / 3])
    same(of_w, 8.5)
    slopes = np.array([1 + 1 / 4 + 1 / 2.5 + 1, 1, 1 + sum(1 / (9 - 1.5 * k) for k in range(6))])
    same(gc.grad(vmap(logarithms))(x), slopes)
    same(vmap(gc.grad(logarithms))(x), slopes)


def test_random_numbers_that_some_examples_do_without_are_refused():
    def f(x):
        if x > 0:
            x = x + ops.rand(1).sum()
        return x
    with pytest.raises(gc.errors.CaptureError, match="draw them before it"):
        vmap(f)(Tensor([1.0, -1.0]))


def test_any_number_of_examples():
    class Net(nn.Cell):
        def __init__(self):
            super().__init__()
            self.dense = nn.Dense(3, 4, weight_init="one", bias_init="zeros")

        def construct(self, x):
            return vmap(lambda row: choose(ops.relu(self.dense(row.reshape(1, 3)))).sum())(x)
    net = Net()
    net.set_inputs(Tensor(shape=[None, 3], dtype=gc.float32))
    for count in (2, 5):
        same(net(Tensor(np.ones((count, 3), np.float32))), np.full(count, 24.0))


# -- errors -----------------------------------------------------------------------------------------------------------

WRONG = {
    "differ": (lambda: vmap(dot)(Tensor(X), Tensor([1.0, 2.0, 3.0])), "different numbers of examples"),
    "range": (lambda: vmap(dot, in_axes=(2, 0))(Tensor(X), Tensor(X)), "out of range for an argument"),
    "scalar": (lambda: vmap(dot)(Tensor(1.0), Tensor(X)), "out of range"),
    "none": (lambda: vmap(dot, in_axes=(None, None)), "None throughout"),
    "no output axes": (lambda: vmap(dot, out_axes=None), "None throughout"),
    "kind": (lambda: vmap(dot, in_axes="0"), "ints and None"),
    "count": (lambda: vmap(dot, in_axes=(0,))(Tensor(X), Tensor(X)), "1 entries for 2 arguments"),
    "outputs": (lambda: vmap(dot, out_axes=(0, 0))(Tensor(X), Tensor(X)), "2 entries for 1 outputs"),
    "output range": (lambda: vmap(dot, out_axes=1)(Tensor(X), Tensor(X)), "out of range for an output of 1"),
    "not shared": (lambda: vmap(lambda x: (x, x), out_axes=(0, None))(Tensor(X)), "differs from example to example"),
    "no tensors": (lambda: vmap(lambda x: x)(3), "no Tensor with an axis"),
    "value": (lambda: vmap(lambda x: x * x.sum().asnumpy())(Tensor(X)), "value of a tensor"),
}


@pytest.mark.parametrize("name", WRONG)
def test_errors(name):
    call, message = WRONG[name]
    with pytest.raises(RuntimeError, match=message):
        call()
