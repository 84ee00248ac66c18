"""Automatic differentiation: of functions, of nets, by parts, twice, forward, backward, and by rules of one's own."""
import mindspore as ms
import mindspore.nn as nn
import mindspore.ops as ops
import numpy as np
from mindspore import Parameter, ParameterTuple, Tensor

ms.set_context(mode=ms.GRAPH_MODE)

# A linear function and its gradients.
x = ops.ones(5, ms.float32)
y = ops.zeros(3, ms.float32)
w = Parameter(Tensor(np.random.RandomState(0).randn(5, 3), ms.float32), name="w")
b = Parameter(Tensor(np.random.RandomState(1).randn(3), ms.float32), name="b")


def function(x, y, w, b):
    z = ops.matmul(x, w) + b
    return ops.binary_cross_entropy_with_logits(z, y, ops.ones_like(z), ops.ones_like(z))


def function_with_logits(x, y, w, b):
    z = ops.matmul(x, w) + b
    loss = ops.binary_cross_entropy_with_logits(z, y, ops.ones_like(z), ops.ones_like(z))
    return loss, z


def function_stop_gradient(x, y, w, b):
    z = ops.matmul(x, w) + b
    loss = ops.binary_cross_entropy_with_logits(z, y, ops.ones_like(z), ops.ones_like(z))
    return loss, ops.stop_gradient(z)


print("loss:", function(x, y, w, b))
print("gradients:", ms.grad(function, (2, 3))(x, y, w, b))
print("of loss and logits:", ms.grad(function_with_logits, (2, 3))(x, y, w, b))
print("logits held back:", ms.grad(function_stop_gradient, (2, 3))(x, y, w, b))
gradients, (logits,) = ms.grad(function_with_logits, (2, 3), has_aux=True)(x, y, w, b)
print("with the logits aside:", gradients, logits, logits.shape)


# The same as a net.
class Network(nn.Cell):
    def __init__(self):
        super().__init__()
        self.w, self.b = w, b

    def construct(self, x):
        return ops.matmul(x, self.w) + self.b


model = Network()
loss_fn = nn.BCEWithLogitsLoss()


def forward_fn(x, y):
    z = model(x)
    return loss_fn(z, y)


grad_fn = ms.value_and_grad(forward_fn, None, weights=model.trainable_params())
loss, grads = grad_fn(x, y)
print("loss of the net:", loss)
for parameter, gradient in zip(model.trainable_params(), grads):
    print(parameter.name, parameter.shape, gradient)
(by_x, by_weights) = ms.grad(forward_fn, 0, weights=ParameterTuple(model.trainable_params()))(x, y)
print("by input:", by_x, "number of weights:", len(by_weights))


# The older way, with a Cell and GradOperation.
class GradNet(nn.Cell):
    def __init__(self, net):
        super().__init__()
        self.net = net
        self.params = ParameterTuple(net.trainable_params())
        self.grad_op = ops.GradOperation(get_by_list=True, sens_param=True)

    def construct(self, x, sens):
        return self.grad_op(self.net, self.params)(x, sens)


print("by GradOperation:", GradNet(model)(x, Tensor([1.0, 0.5, 0.0], ms.float32)))


# Higher orders.
def cube(x):
    return x ** 3 + 2 * x


point = Tensor([1.0, 2.0, 3.0], ms.float32)
print("first:", ms.grad(cube)(point), "second:", ms.grad(ms.grad(cube))(point))


class Sine(nn.Cell):
    def construct(self, x):
        return ops.sin(x)


second = ms.grad(ms.grad(Sine()))
print("sin'':", second(Tensor([0.5, 1.0], ms.float32)))


# Jacobians and products with them.
def two_outputs(x, y):
    return ops.sin(x) * y, x.sum() * y


a, c = Tensor([0.1, 0.2, 0.3], ms.float32), Tensor([1.0, -1.0, 2.0], ms.float32)
print("jvp:", ms.jvp(two_outputs, (a, c), (ops.ones_like(a), ops.zeros_like(c))))
outputs, vjp_fn = ms.vjp(two_outputs, a, c)
print("vjp:", vjp_fn(ops.ones_like(a), ops.ones_like(c)))


def squares_by_sum(v):
    return v ** 2 * v.sum()


def sum_of_squares(v):
    return (v ** 2).sum()


print("jacrev:", ms.jacrev(squares_by_sum)(a))
print("jacfwd:", ms.jacfwd(squares_by_sum)(a))
print("vmap of a gradient:", ms.vmap(ms.grad(sum_of_squares))(Tensor(np.arange(6).reshape(2, 3), ms.float32)))


# A gradient of one's own.
class StraightThrough(nn.Cell):
    """Rounds; the gradient passes as if it did not."""

    def construct(self, x):
        return ops.round(x)

    def bprop(self, x, out, dout):
        return (dout * 2,)


rounding = StraightThrough()


def rounded_sum(v):
    return rounding(v * 1.5).sum()


print("rounded:", rounding(point + 0.4), "gradient:", ms.grad(rounded_sum)(point))


# A step of training in one function, and what it does to a weight.
optimizer = nn.SGD(model.trainable_params(), learning_rate=0.5)


@ms.jit
def train_step(x, y):
    loss, grads = grad_fn(x, y)
    optimizer(grads)
    return loss


for step in range(5):
    print(f"step {step}: loss {train_step(x, y).asnumpy():.6f}")
print("w:", model.w.value())
frozen = Parameter(Tensor([1.0], ms.float32), name="frozen", requires_grad=False)
print("needs gradients:", [p.requires_grad for p in (w, b, frozen)])
