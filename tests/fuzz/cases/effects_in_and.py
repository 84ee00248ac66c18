"""What stands behind `and` and `or` prints and writes only where Python would come to it."""
import graphcore as gc
from graphcore import Parameter, Tensor, nn

FLOAT, HALF, DOUBLE, INT = gc.float32, gc.float16, gc.float64, gc.int32


class Part(nn.Cell):
    def __init__(self):
        super().__init__()
        self.s = Parameter(Tensor(0.0, FLOAT), name="s", requires_grad=False)

    def construct(self, x):
        print("part", 1)
        self.s = self.s + 1
        return x.mean() + self.s


class Net(nn.Cell):
    def __init__(self):
        super().__init__()
        self.part = Part()

    def construct(self, x):
        if x.sum() > 0.125 and self.part(x) > 1.625:
            x = x * 2
        while x.sum() < 3.125 and not (x.mean() > 5 or self.part(x) > 6.125):
            x = x + 0.75
        return x


def inputs():
    return [[Tensor([0.5, -1.5], FLOAT)], [Tensor([0.5, 1.25], FLOAT)], [Tensor([2.5, 1.5], FLOAT)]]
