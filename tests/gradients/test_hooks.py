"""Hooks on gradients: of Cells, tensors and Parameters, and as operators."""
import pytest

import graphcore as gc
from graphcore import Parameter, Tensor, nn, ops
from graphcore.errors import GradientError
from tests.gradients.support import plain

X, Y = Tensor([1.0, 2.0]), Tensor([3.0, 4.0])


class Both(nn.Cell):
    def construct(self, x, y):
        return x * y, x + y


def run(net):
    def f(x, y):
        product, total = net(x, y)
        return product + 3 * total
    return f


def test_a_backward_hook_sees_and_changes_gradients(mode):
    net, seen = Both(), []

    def look(cell, of_inputs, of_outputs):
        seen.append((cell is net, plain(of_inputs), plain(of_outputs)))

    def change(cell, of_inputs, of_outputs):
        return of_inputs[0] * 10, of_inputs[1] + of_outputs[0]

    def double_first(cell, of_outputs):
        return of_outputs[0] * 2, of_outputs[1]

    gradient = gc.grad(run(net), (0, 1))
    assert plain(gradient(X, Y)) == ([6, 7], [4, 5])
    handle = net.register_backward_hook(look)
    for n in (1, 2):
        assert plain(gradient(X, Y)) == ([6, 7], [4, 5])
        assert seen == [(True, ([6, 7], [4, 5]), ([1, 1], [3, 3]))] * n, "once in each call"
    pre = net.register_backward_pre_hook(double_first)
    assert plain(gradient(X, Y)) == ([9, 11], [5, 7])
    assert seen[2] == (True, ([9, 11], [5, 7]), ([2, 2], [3, 3]))
    handle.remove()
    changing = net.register_backward_hook(change)
    assert plain(gradient(X, Y)) == ([90, 110], [7, 9]) and len(seen) == 3
    pre.remove()
    changing.remove()
    assert plain(gradient(X, Y)) == ([6, 7], [4, 5])


def test_hooks_of_one_input_may_give_a_tensor(mode):
    net = nn.Dense(2, 2, weight_init="ones", bias_init="zeros")
    net.register_backward_hook(lambda cell, of_inputs, of_outputs: of_inputs[0] * of_outputs[0].sum())
    by_x, (by_w, by_b) = gc.grad(net, 0, net.trainable_params())(Tensor([[1.0, 2.0]]))
    assert plain(by_x) == [[4, 4]] and plain(by_w) == [[1, 2], [1, 2]] and plain(by_b) == [1, 1]
    net.register_backward_hook(lambda cell, of_inputs, of_outputs: (of_inputs[0], of_inputs[0]))
    with pytest.raises(GradientError, match="a backward hook of Dense gave 2 gradients where 1 are wanted"):
        gc.grad(net)(Tensor([[1.0, 2.0]]))


def test_hooks_of_inputs_that_are_no_float_tensors(mode):
    class Pick(nn.Cell):
        def construct(self, x, index, factor):
            return x[index] * factor, index
    net, seen = Pick(), []
    net.register_backward_hook(lambda cell, of_inputs, of_outputs: seen.append((of_inputs, of_outputs)))
    gc.grad(lambda x: net(x, Tensor([1, 1]), 3)[0])(X)
    (of_inputs, of_outputs), = seen
    assert plain(of_inputs) == ([0, 6], None, None) and plain(of_outputs) == ([1, 1], None)


def test_a_hook_in_a_net_that_is_trained(mode):
    seen = []

    class Net(nn.Cell):
        def __init__(self):
            super().__init__()
            self.first = nn.Dense(2, 2, weight_init="ones")
            self.last = nn.Dense(2, 1, weight_init="ones")
            self.last.register_backward_hook(self.note)

        def note(self, cell, of_inputs, of_outputs):
            seen.append(plain(of_outputs))

        def construct(self, x):
            return self.last(ops.relu(self.first(x))).sum()
    net = Net()
    step = nn.TrainOneStepCell(net, nn.SGD(net.trainable_params(), 0.1))
    for _ in range(3):
        step(Tensor([[1.0, 2.0]]))
    assert seen == [([[1.0]],)] * 3


def test_hook_backward_and_insert_gradient_of(mode, capsys):
    def show(gradients):
        print("gradients", plain(gradients))

    def clip(gradient):
        if gradient.max() > 3:
            return gradient * 0 + 3
        return gradient
    look, limit = ops.HookBackward(show), ops.InsertGradientOf(clip)
    pair = ops.HookBackward(lambda gradients: (gradients[1], gradients[0]))
    assert plain(look(X)) == [1, 2]
    assert plain(gc.grad(lambda x: look(x * 3) * 5)(X)) == [15, 15]
    assert capsys.readouterr().out == "gradients ([5.0, 5.0],)\n"
    assert plain(gc.grad(lambda x: limit(x * 3) * x)(X)) == [3 + 3, 6 + 6]
    assert plain(gc.grad(lambda x: limit(x * 3) * x)(X * 2)) == [15, 21]

    def swapped(x, y):
        x, y = pair(x, y)
        return x * 2 + y * 5
    assert plain(gc.grad(swapped, (0, 1))(X, Y)) == ([5, 5], [2, 2])
    with pytest.raises(TypeError):
        ops.HookBackward(3)
    with pytest.raises(TypeError):
        look(3)


def test_hooks_of_tensors(mode):
    seen = []

    def f(x):
        y = x * 3
        y.register_hook(lambda g: g * 2)
        handle = y.register_hook(lambda g: g * 1000)
        handle.remove()
        z = y * 5
        z.register_hook(seen.append)
        return z
    assert plain(gc.grad(f)(X)) == [30, 30]
    assert plain(seen) == ([1, 1],)


def test_hooks_of_arguments(mode):
    x = Tensor([1.0, 2.0])
    gradient = gc.grad(lambda v: v * 7)
    assert plain(gradient(x)) == [7, 7]
    handle = x.register_hook(lambda g: g * 2)
    assert plain(gradient(x)) == [14, 14] and plain(gradient(X)) == [7, 7]
    handle.remove()
    handle.remove()
    assert plain(gradient(x)) == [7, 7]
    with pytest.raises(GradientError, match="has no gradient"):
        Tensor([1]).register_hook(print)


def test_hooks_of_parameters(mode):
    net = nn.Dense(2, 1, weight_init="ones")
    seen = []
    gradient = gc.grad(net, None, net.trainable_params())
    x = Tensor([[1.0, 2.0]])
    assert plain(gradient(x)) == ([[1, 2]], [1])
    handle = net.weight.register_hook(lambda g: g * 10)
    net.bias.register_hook(lambda g: seen.append(float(g)))
    assert plain(gradient(x)) == ([[10, 20]], [1]) and seen == [1]
    handle.remove()
    assert plain(gradient(x)) == ([[1, 2]], [1]) and seen == [1, 1]


def test_a_hook_may_write_a_parameter(mode):
    norm = Parameter(Tensor(0.0), name="norm", requires_grad=False)

    def keep(gradient):
        ops.assign(norm, gradient.square().sum())
        return gradient
    watch = ops.InsertGradientOf(keep)
    assert plain(gc.grad(lambda x: watch(x) * 3)(X)) == [3, 3] and float(norm) == 18


def test_a_hook_in_a_loop_runs_in_each_iteration(mode):
    seen = []

    def f(x, n):
        i = Tensor(0)
        while i < n:
            x = ops.InsertGradientOf(lambda g: (seen.append(float(g)), g * 2)[1])(x) * 3
            i += 1
        return x
    assert float(gc.grad(f)(Tensor(1.0), Tensor(3))) == 216 and seen == [3, 18, 108]


def test_hooks_are_called_in_their_order(mode):
    net, seen, x = Both(), [], Tensor([1.0, 2.0])
    for name in "ab":
        net.register_backward_hook(lambda cell, of_inputs, of_outputs, name=name: seen.append(name))
        net.register_backward_pre_hook(lambda cell, of_outputs, name=name: seen.append("pre " + name))
    gc.grad(run(net))(X, Y)
    assert seen == ["pre a", "pre b", "a", "b"]
    for hook in (lambda g: g * 2, lambda g: g + 1):
        x.register_hook(hook)
    assert plain(gc.grad(lambda v: v * 7)(x)) == [15, 15]

    def f(v):
        y = v * 1
        handles = [y.register_hook(hook) for hook in (lambda g: g * 2, lambda g: g * 100, lambda g: g + 1)]
        handles[1].remove()
        return y * 7
    assert plain(gc.grad(f)(X)) == [15, 15]


def test_a_hook_is_called_where_only_weights_are_wanted(mode):
    net, seen = nn.Dense(2, 1, weight_init="ones"), []
    net.register_backward_hook(lambda cell, of_inputs, of_outputs: seen.append(plain(of_outputs)))
    gradient = gc.grad(net, None, net.trainable_params())
    for _ in range(2):
        assert plain(gradient(Tensor([[1.0, 2.0]])))[0] == [[1, 2]]
    assert seen == [([[1]],)] * 2


def test_what_a_hook_raises_is_the_users(mode):
    def bad(gradient):
        raise KeyError("mine", float(gradient.sum()))
    with pytest.raises(KeyError, match="mine"):
        gc.grad(lambda x: ops.InsertGradientOf(bad)(x) * 2)(X)
