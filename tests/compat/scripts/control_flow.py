"""Control flow that depends on tensors: branches, loops, break and continue, nested, and gradients through them."""
import mindspore as ms
import mindspore.nn as nn
import mindspore.ops as ops
import numpy as np
from mindspore import Tensor, jit

ms.set_context(mode=ms.GRAPH_MODE)


@jit
def sign_of(x):
    if x > 0:
        result = ops.ones_like(x)
    elif x < 0:
        result = -ops.ones_like(x)
    else:
        result = ops.zeros_like(x)
    return result


for value in (3.5, -2.0, 0.0):
    print("sign of", value, "is", sign_of(Tensor(value, ms.float32)))


@jit
def collatz(n):
    steps = Tensor(0, ms.int32)
    while n != 1:
        if n % 2 == 0:
            n = n // 2
        else:
            n = 3 * n + 1
        steps = steps + 1
    return steps


print("collatz:", [int(collatz(Tensor(n, ms.int32))) for n in (1, 6, 27)])


@jit
def first_above(values, limit):
    found = Tensor(-1, ms.int32)
    for i in range(values.shape[0]):
        if values[i] > limit:
            found = Tensor(i, ms.int32)
            break
    return found


values = Tensor([0.5, 1.5, 2.5, 3.5], ms.float32)
print("first above:", first_above(values, Tensor(2.0, ms.float32)), first_above(values, Tensor(9.0, ms.float32)))


@jit
def odd_sum(n):
    total = Tensor(0, ms.int64)
    i = Tensor(0, ms.int64)
    while i < n:
        i = i + 1
        if i % 2 == 0:
            continue
        total = total + i
    return total


print("sum of odd numbers:", odd_sum(Tensor(10, ms.int64)))


class Newton(nn.Cell):
    """Square roots, to a tolerance."""

    def __init__(self, tolerance):
        super().__init__()
        self.tolerance = tolerance

    def construct(self, x):
        guess = x
        error = ops.abs(guess * guess - x).max()
        while error > self.tolerance:
            guess = 0.5 * (guess + x / guess)
            error = ops.abs(guess * guess - x).max()
        return guess


newton = Newton(1e-4)
roots = Tensor([2.0, 9.0, 100.0], ms.float32)
print("roots:", newton(roots))
print("their gradients:", ms.grad(newton)(roots))


class Gated(nn.Cell):
    """A layer that is applied as often as the data asks for."""

    def __init__(self):
        super().__init__()
        self.dense = nn.Dense(4, 4)
        random = np.random.RandomState(2)
        self.dense.weight.set_data(Tensor(random.randn(4, 4) * 0.4, ms.float32))
        self.dense.bias.set_data(Tensor(random.randn(4) * 0.1, ms.float32))

    def construct(self, x, times):
        i = Tensor(0, ms.int32)
        while i < times:
            if x.sum() > 0:
                x = ops.tanh(self.dense(x))
            else:
                x = ops.relu(self.dense(-x)) - 0.1
            i = i + 1
        return x.sum()


net = Gated()
x = Tensor(np.random.RandomState(3).randn(2, 4), ms.float32)
grad_fn = ms.value_and_grad(net, 0, net.trainable_params())
for times in (1, 2, 5):
    value, (by_x, by_weights) = grad_fn(x, Tensor(times, ms.int32))
    print("times", times, "value:", value)
    print("by x:", by_x)
    print("by weights:", [round(float(g.abs().sum()), 4) for g in by_weights])


# Containers and strings within graphs.
@jit
def statistics(x, names=("mean", "max")):
    result = {}
    for name in names:
        if name == "mean":
            result[name] = x.mean()
        elif name == "max":
            result[name] = x.max()
    parts = [x * k for k in range(3)]
    parts.append(x - 1)
    return result["mean"], result["max"], len(parts), sum([p.sum() for p in parts])


print("statistics:", statistics(values))


@jit
def table(n):
    rows = []
    for i in range(1, 4):
        row = n
        for _ in range(i):
            row = row * n
        rows.append(row)
    return ops.stack(rows)


print("powers:", table(Tensor([2, 3], ms.int32)))


@jit
def clipped(x, low=-1.0, high=1.0):
    return ops.select(x > high, ops.full_like(x, high), ops.where(x < low, ops.full_like(x, low), x))


print("clipped:", clipped(Tensor([-3.0, 0.25, 4.0], ms.float32)), clipped(Tensor([3.0]), high=2.0))


class Recursive(nn.Cell):
    """An attribute decides at compile time, a tensor at run time."""

    def __init__(self, use_bias):
        super().__init__()
        self.use_bias = use_bias
        self.layers = nn.CellList([nn.ReLU(), nn.Tanh(), nn.Sigmoid()])

    def construct(self, x):
        for layer in self.layers:
            x = layer(x)
        if self.use_bias:
            x = x + 1
        return x if x.mean() > 1.2 else -x


print("with bias:", Recursive(True)(values), "without:", Recursive(False)(values))


# Graph and PyNative mode give the same.
ms.set_context(mode=ms.PYNATIVE_MODE)
print("roots:", Newton(1e-4)(roots))
print("a condition in Python:", "big" if (values.sum() > 5) else "small")
