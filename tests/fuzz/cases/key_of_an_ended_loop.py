"""A loop over a dict that a tensor ends, in a branch: its key is a string that only the iteration knows."""
from graphcore import Tensor, nn


class Net(nn.Cell):
    def construct(self, x):
        y = x * 0.5
        if x.sum() > 1:
            for key, v in {"a": x + 1, "b": x - 1, "c": x * 2}.items():
                if y.sum() > 3:
                    break
                y = y + v if key != "b" else y * v
        return y


def inputs():
    return [[Tensor([0.5, 0.25])], [Tensor([1.5, 0.25])], [Tensor([0.75, 0.375])]]
