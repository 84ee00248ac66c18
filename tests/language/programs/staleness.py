"""What is changed after a first call is seen by the next one."""
import mindspore as ms
from mindspore import Parameter, Tensor, nn, ops

from tests.language.table import f32, script

GLOBAL_FACTOR = 2.0
GLOBAL_PARAMETER = Parameter(Tensor([3.0]), name="global_parameter")
X = Tensor([2.0])


class Scale(nn.Cell):
    def __init__(self, k):
        super().__init__()
        self.k = k

    def construct(self, x):
        return x * self.k


class Weighted(nn.Cell):
    def __init__(self, value=1.0):
        super().__init__()
        self.w = Parameter(Tensor([value]), name="w")

    def construct(self, x):
        return x * self.w


@script(expected=(f32([4]), f32([20])), why="MindSpore keeps the first value [defect]")
def attribute_number():
    n = Scale(2.0)
    first = n(X)
    n.k = 10.0
    return first, n(X)


@script(expected=(f32([4]), f32([20])), why="MindSpore keeps the first value [defect]")
def attribute_tensor():
    n = Scale(Tensor(2.0))
    first = n(X)
    n.k = Tensor(10.0)
    return first, n(X)


@script(expected=(f32([4]), f32([200])), why="MindSpore keeps the first value [defect]")
def global_number():
    global GLOBAL_FACTOR
    GLOBAL_FACTOR = 2.0
    class Net(nn.Cell):
        def construct(self, x):
            return x * GLOBAL_FACTOR
    n = Net()
    first = n(X)
    GLOBAL_FACTOR = 100.0
    return first, n(X)


@script(expected=(f32([4]), f32([10])), why="MindSpore keeps the first value [defect]")
def closure_cell():
    k = 2.0
    @ms.jit
    def f(x):
        return x * k
    first = f(X)
    k = 5.0
    return first, f(X)


@script(expected=(f32([4]), f32([14])), why="MindSpore keeps the first value [defect]")
def list_changed_in_place():
    factors = [2.0]
    @ms.jit
    def f(x):
        return x * factors[0]
    first = f(X)
    factors[0] = 7.0
    return first, f(X)


@script(expected=(f32([4]), f32([8]), f32([24])), why="MindSpore keeps the first value [defect]")
def list_that_grows():
    factors = [2.0]
    class Net(nn.Cell):
        def construct(self, x):
            for factor in factors:
                x = x * factor
            return x
    n = Net()
    first = n(X)
    factors.append(2.0)
    second = n(X)
    factors.append(3.0)
    return first, second, n(X)


@script(expected=(f32([4]), f32([6])), why="MindSpore keeps the first value [defect]")
def dict_changed_in_place():
    config = {"scale": 2.0}
    class Net(nn.Cell):
        def __init__(self):
            super().__init__()
            self.config = config

        def construct(self, x):
            return x * self.config["scale"]
    n = Net()
    first = n(X)
    config["scale"] = 3.0
    return first, n(X)


class Config:
    def __init__(self, scale):
        self.scale = scale


@script(expected=(f32([4]), f32([6])), why="MindSpore keeps the first value [defect]")
def field_of_a_plain_object():
    config = Config(2.0)
    n = Scale(1.0)
    n.config = config
    class Net(nn.Cell):
        def __init__(self):
            super().__init__()
            self.config = config

        def construct(self, x):
            return x * self.config.scale
    n = Net()
    first = n(X)
    config.scale = 3.0
    return first, n(X)


@script(expected=(f32([0, 1]), f32([-0.7615942, 0.7615942])), why="MindSpore keeps the first sub-cell [defect]")
def replaced_sub_cell():
    class Net(nn.Cell):
        def __init__(self):
            super().__init__()
            self.act = nn.ReLU()

        def construct(self, x):
            return self.act(x)
    n = Net()
    x = Tensor([-1.0, 1.0])
    first = n(x)
    n.act = nn.Tanh()
    return first, n(x)


@script()
def data_of_a_parameter():
    n = Weighted()
    found = [n(X)]
    n.w.set_data(Tensor([3.0]))
    found.append(n(X))
    n.w.assign_value(Tensor([4.0]))
    found.append(n(X))
    n.w = Tensor([5.0])
    found.append(n(X))
    return found, isinstance(n.w, Parameter), n.w.name


@script(expected=(f32([2]), f32([12])), why="MindSpore silently uses the old object [defect]")
def replaced_parameter():
    n = Weighted()
    first = n(X)
    n.w = Parameter(Tensor([6.0]), name="other")
    return first, n(X)


@script(expected=([f32([6]), f32([14]), f32([16])], [f32([6]), f32([14]), f32([16])]),
        why="MindSpore bakes Parameters of closures and globals in [defect]")
def parameters_of_a_closure_and_of_the_module():
    q = Parameter(Tensor([3.0]), name="q")
    GLOBAL_PARAMETER.set_data(Tensor([3.0]))
    @ms.jit
    def f(x):
        return x * q, x * GLOBAL_PARAMETER
    found = [f(X)]
    for p in (q, GLOBAL_PARAMETER):
        p.set_data(Tensor([7.0]))
    found.append(f(X))
    for p in (q, GLOBAL_PARAMETER):
        ops.assign(p, Tensor([8.0]))
    found.append(f(X))
    return [a for a, _ in found], [b for _, b in found]


@script(expected=(f32([2]), f32([102]), f32([2])), why="MindSpore caches the first call as training [defect]")
def set_train_after_a_first_call():
    class Net(nn.Cell):
        def construct(self, x):
            if self.training:
                return x + 100
            return x
    n = Net()
    first = n(X)
    n.set_train()
    second = n(X)
    n.set_train(False)
    return first, second, n(X)


@script(expected=(True, False, True), why="MindSpore's Dropout stays in evaluation [defect]")
def dropout_after_a_first_call():
    n = nn.Dropout(p=0.5)
    x = ops.ones((64,), ms.float32)
    def unchanged():
        return bool((n(x) == x).all())
    first = unchanged()
    n.set_train()
    second = unchanged()
    n.set_train(False)
    return first, second, unchanged()


@script()
def dropout_told_before_the_first_call():
    n = nn.Dropout(p=0.5)
    n.set_train()
    x = ops.ones((64,), ms.float32)
    def unchanged():
        return bool((n(x) == x).all())
    first = unchanged()
    n.set_train(False)
    second = unchanged()
    n.set_train()
    return first, second, unchanged()


@script(expected=(f32([21]), f32([2])), why="MindSpore goes on calling removed hooks [defect]")
def removed_hooks():
    n = nn.Dense(1, 1, weight_init="ones", bias_init="zeros")
    before = n.register_forward_pre_hook(lambda cell, inputs: inputs[0] * 10)
    after = n.register_forward_hook(lambda cell, inputs, output: output + 1)
    first = n(Tensor([[2.0]]))[0]
    before.remove()
    after.remove()
    return first, n(Tensor([[2.0]]))[0]


@script(expected=(f32([2]), f32([3])), why="MindSpore does not see a hook added after a first call [defect]")
def hook_added_after_a_first_call():
    n = nn.Dense(1, 1, weight_init="ones", bias_init="zeros")
    first = n(Tensor([[2.0]]))[0]
    n.register_forward_hook(lambda cell, inputs, output: output + 1)
    return first, n(Tensor([[2.0]]))[0]


@script(expected=(f32([6]), f32([6]), 2, (f32([6]), f32([4]))),
        why="MindSpore does not register Cells of plain lists, which stay untrained [defect]")
def cells_in_a_plain_list():
    class Net(nn.Cell):
        def __init__(self):
            super().__init__()
            self.layers = [Weighted(1.5), Weighted(1.0)]
            self.layers[1].w.set_data(Tensor([2.0]))

        def construct(self, x):
            for layer in self.layers:
                x = layer(x)
            return x
    n = Net()
    out = n(X)
    weights = n.trainable_params()
    grads = ms.grad(n, None, weights)(X)
    return out, n(X), len(weights), (grads[1] * 2, grads[0])


@script()
def cell_list_appended_to_after_attachment():
    class Net(nn.Cell):
        def __init__(self):
            super().__init__()
            self.layers = nn.CellList()
            self.layers.append(Weighted(2.0))
            self.layers.append(Weighted(3.0))

        def construct(self, x):
            for layer in self.layers:
                x = layer(x)
            return x
    n = Net()
    return n(X), len(n.trainable_params())


@script(expected=(f32([4]), f32([12])), why="MindSpore keeps the first list [defect]")
def cell_list_appended_to_after_a_call():
    class Net(nn.Cell):
        def __init__(self):
            super().__init__()
            self.layers = nn.CellList([Scale(2.0)])

        def construct(self, x):
            for layer in self.layers:
                x = layer(x)
            return x
    n = Net()
    first = n(X)
    n.layers.append(Scale(3.0))
    return first, n(X)


@script()
def shapes_and_dtypes_compile_again():
    n = Scale(2.0)
    return n(X), n(Tensor([1.0, 2.0])), n(Tensor([1, 2])), n(X)


@script()
def python_arguments_compile_again():
    @ms.jit
    def f(x, k, name):
        return x * k if name == "mul" else x + k
    return f(X, 2, "mul"), f(X, 3, "mul"), f(X, 3, "add"), f(X, 2, "mul"), f(X, 2.5, "mul")


@script()
def requires_grad_changed_after_a_call():
    n = Weighted()
    g = ms.grad(n, None, n.trainable_params())
    first = g(X)
    n.w.requires_grad = False
    second = g(X)
    n.w.name = "renamed"
    return first, second, n(X), [p.name for p in n.get_parameters()], len(n.trainable_params())


@script()
def two_instances_of_one_class():
    a, b = Scale(2.0), Scale(3.0)
    return a(X), b(X), a(X)


@script(expected=(f32([4]), f32([10])), why="MindSpore keeps the first function [defect]")
def replaced_function_attribute():
    n = Scale(0.0)
    class Net(nn.Cell):
        def __init__(self):
            super().__init__()
            self.f = lambda v: v * 2

        def construct(self, x):
            return self.f(x)
    n = Net()
    first = n(X)
    n.f = lambda v: v * 5
    return first, n(X)


@script(expected=(f32([4]), f32([6])), why="gradients of a changed attribute; MindSpore keeps the first [defect]")
def attribute_under_a_gradient():
    n = Scale(2.0)
    g = ms.grad(lambda x: n(x) * x * 0.5)
    first = g(X)
    n.k = 3.0
    return first, g(X)
