"""A list that an earlier branch made anew is changed in a later one, all in a branch of the program."""
from graphcore import Tensor, nn


class Net(nn.Cell):
    def construct(self, x):
        c = [x, x * 0.5]
        if x > 0.25:
            for _ in range(3):
                if c[0] > 1.75:
                    continue
                c[1] = c[1] + 1
                c = [c[0] * 1.5, c[1]]
        return c[0] * c[1]


def inputs():
    return [[Tensor(0.125)], [Tensor(0.5)], [Tensor(1.5)]]
