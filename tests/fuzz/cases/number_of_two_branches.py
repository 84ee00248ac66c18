"""A Python float that two branches give becomes a float32 tensor, not NumPy's float64."""
from graphcore import Tensor, nn


class Net(nn.Cell):
    def construct(self, x):
        k = 0.0625
        if x.sum() < 2:
            k = 0.4375
        return x * k


def inputs():
    return [[Tensor([1.5, -0.25])], [Tensor([3.5, 0.75])]]
