"""Custom bprop on a Cell, hooks, and recompute."""
import mindspore as ms
from mindspore import Parameter, Tensor, nn, ops

from tests.language.table import Fails, f32, i64, program, script


@program([f32([1]), f32([2])], finite=False)
class bprop_of_a_cell(nn.Cell):
    def construct(self, x, y):
        return x * y

    def bprop(self, x, y, out, dout):
        return dout * 100, dout * 200


class Doubled(nn.Cell):
    """Gives x * x; its gradient is said to be 7 times the incoming one."""

    def construct(self, x):
        return x * x

    def bprop(self, x, out, dout):
        return (dout * 7,)


@program([f32([3, 4])], finite=False)
class bprop_inside_a_net(nn.Cell):
    def __init__(self):
        super().__init__()
        self.inner = Doubled()

    def construct(self, x):
        return self.inner(x * 2) * x


@program([f32([3, 4])], [f32([-3, -4])], finite=False)
class bprop_inside_a_branch(nn.Cell):
    def __init__(self):
        super().__init__()
        self.inner = Doubled()

    def construct(self, x):
        if x.sum() > 0:
            return self.inner(x)
        return x * 5


@program([f32(0.5), i64(3)], finite=False)
class bprop_inside_a_while(nn.Cell):
    def __init__(self):
        super().__init__()
        self.inner = Doubled()

    def construct(self, x, n):
        i = Tensor(0)
        while i < n:
            x = self.inner(x) + 1
            i += 1
        return x


@program([f32([3, 4])], finite=False)
class bprop_that_uses_the_output(nn.Cell):
    def construct(self, x):
        return ops.exp(x * 0.25)

    def bprop(self, x, out, dout):
        return (out * dout * x,)


@program([f32([3, -4])], [f32([-3, -4])], finite=False)
class bprop_with_a_branch(nn.Cell):
    def construct(self, x):
        return x * 3

    def bprop(self, x, out, dout):
        if x.sum() > -2:
            return (dout * 10,)
        return (dout * 20,)


@program([f32([3, 4])], finite=False)
class bprop_of_several_outputs(nn.Cell):
    def construct(self, x):
        return x * 2, x * 3

    def bprop(self, x, out, dout):
        return (dout[0] * 10 + dout[1] * 100,)


@script(expected=Fails(RuntimeError, "bprop"))
def bprop_of_too_few_gradients():
    class Wrong(nn.Cell):
        def construct(self, x, y):
            return x * y

        def bprop(self, x, y, out, dout):
            return (dout,)
    n = Wrong()
    def f(x, y):
        return n(x, y)
    return ms.grad(f, (0, 1))(Tensor([1.0]), Tensor([2.0]))


@script()
def bprop_does_not_change_the_forward():
    n = Doubled()
    return n(Tensor([3.0])), ms.value_and_grad(n)(Tensor([3.0]))


class Ones(nn.Cell):
    """Dense of two by two with weights of one."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Dense(2, 2, weight_init="ones", bias_init="zeros")

    def construct(self, x):
        return self.fc(x)


@script()
def forward_hooks():
    n = nn.Dense(2, 2, weight_init="ones", bias_init="zeros")
    def before(cell, inputs):
        return inputs[0] * 10
    def after(cell, inputs, output):
        return output + 1
    n.register_forward_pre_hook(before)
    n.register_forward_hook(after)
    x = Tensor([[1.0, 1.0]])
    return n(x), ms.grad(n)(x)


@script(expected=(f32([30]), 1),
        why="MindSpore ignores HookBackward in a graph [defect]; it doubles 5 on the way to 3; "
        "a hook of HookBackward gets a tuple, as in PYNATIVE_MODE")
def hook_backward():
    seen = []
    def hook(g):
        seen.append(1)
        return g[0] * 2
    hb = ops.HookBackward(hook)
    class Net(nn.Cell):
        def construct(self, x):
            return hb(x * 3) * 5
    return ms.grad(Net())(Tensor([1.0])), len(seen)


@script(expected=(f32([[2, 2]]), [(1, 2), (1, 2)]), why="MindSpore ignores backward hooks in a graph [defect]")
def backward_hook_that_looks():
    n = Ones()
    seen = []
    def hook(cell, grad_input, grad_output):
        seen.extend([grad_input[0].shape, grad_output[0].shape])
    n.fc.register_backward_hook(hook)
    return ms.grad(n)(Tensor([[1.0, 1.0]])), seen


@script(expected=f32([[20, 20]]), why="MindSpore ignores backward hooks in a graph [defect]")
def backward_hook_that_changes():
    n = Ones()
    def hook(cell, grad_input, grad_output):
        return (grad_input[0] * 10,)
    n.fc.register_backward_hook(hook)
    return ms.grad(n)(Tensor([[1.0, 1.0]]))


@script(expected=f32([30]), why="a hook of a Tensor of the graph, as in PYNATIVE_MODE")
def hook_of_a_tensor():
    def hook(g):
        return g * 2
    class Net(nn.Cell):
        def construct(self, x):
            y = x * 3
            y.register_hook(hook)
            return y * 5
    return ms.grad(Net())(Tensor([1.0]))


@program([f32([[1, -2]])])
class recomputed_block(nn.Cell):
    def __init__(self):
        super().__init__()
        self.block = nn.SequentialCell(nn.Dense(2, 2, weight_init="ones", bias_init="ones"), nn.Tanh())
        self.block.recompute()

    def construct(self, x):
        return self.block(x * 0.25).sum()


@script()
def what_setters_return():
    n = nn.Dense(2, 2)
    return n.set_grad() is n, n.set_train() is n, n.recompute(), n.requires_grad, n.training, n.phase


@script(expected=(f32([1, 0.5]), f32([1, 0.5])), why="the norm of (2, 1) is clipped to that of its half")
def gradient_clipped_by_value_and_norm():
    def f(x, y):
        return (x * 2 + y * 1).sum()
    g = ms.grad(f, (0, 1))(Tensor(1.0), Tensor(1.0))
    by_value = ops.clip_by_value(ops.stack(g) / 2, 0.0, 1.0)
    return by_value, ops.stack(ops.clip_by_global_norm(g, 1.118033988749895))


@script(expected=(f32(6), f32(12)), why="a function with a gradient of its own, by a Cell's bprop")
def bprop_under_second_order():
    class Cube(nn.Cell):
        def construct(self, x):
            return x * x * x

        def bprop(self, x, out, dout):
            return (dout * 6 * x,)
    n = Cube()
    def f(x):
        return n(x)
    def g(x):
        return ms.grad(f)(x) * 2
    return ms.grad(f)(Tensor(1.0)), ms.grad(g)(Tensor(1.0))


class WithWeight(nn.Cell):
    def __init__(self):
        super().__init__()
        self.w = Parameter(Tensor([2.0]), name="w")

    def construct(self, x):
        return x * self.w


@script()
def hook_of_a_parameter_gradient_by_hand():
    n = WithWeight()
    value, grads = ms.value_and_grad(n, None, n.trainable_params())(Tensor([3.0]))
    return value, tuple(g * 0.5 for g in grads)
