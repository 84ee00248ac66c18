"""A cheap value that two kernels of a backward pass compute for themselves: neither waits for the other."""
from graphcore import Tensor, nn, ops


class Net(nn.Cell):
    def construct(self, x, y, n):
        for _ in range(n):
            x = ops.minimum(x < 0.625, y)
            x = ops.softmax(x)
        return x


def inputs():
    x = Tensor([[0.413, 0.851, 0.939, 0.596], [0.357, 1.157, 1.236, 0.884]])
    return [[x, Tensor(0.793), Tensor(3)], [x, Tensor(0.25), Tensor(0)]]
