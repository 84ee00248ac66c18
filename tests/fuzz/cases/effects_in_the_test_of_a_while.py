"""The test of a while gives a variable a value and writes state: in every iteration, and once more at the end."""
import graphcore as gc
from graphcore import Parameter, Tensor, nn

FLOAT, HALF, DOUBLE, INT = gc.float32, gc.float16, gc.float64, gc.int32


class Net(nn.Cell):
    def __init__(self):
        super().__init__()
        self.s = Parameter(Tensor(0.0, FLOAT), name="s", requires_grad=False)

    def tested(self, x):
        self.s = self.s + 1
        return x.sum() + self.s

    def construct(self, x):
        total = x * 0
        while (y := x.mean() * 2) < 5.125 and self.tested(x) < 40.125:
            total = total + y
            x = x + 0.75
        return total, y, x


def inputs():
    return [[Tensor([0.5, -1.5], FLOAT)], [Tensor([0.5, 8.25], FLOAT)]]
