"""A plain attribute set to a tensor while PYNATIVE_MODE computes a gradient: it then is a plain Tensor."""
import graphcore as gc
from graphcore import Parameter, Tensor, nn

FLOAT, HALF, DOUBLE, INT = gc.float32, gc.float16, gc.float64, gc.int32


class Net(nn.Cell):
    def __init__(self):
        super().__init__()
        self.w = Parameter(Tensor([0.5, 2.0], FLOAT), name="w")
        self.last = Tensor([0.0, 0.0], FLOAT)

    def construct(self, x):
        self.last = x * self.w
        return self.last.sum() * x


def inputs():
    return [[Tensor([1.5, 2.5], FLOAT)], [Tensor([-0.5, 0.25], FLOAT)]]
