"""A branch prints before Python code asks for a value: the program that finds it out does not print."""
from graphcore import Tensor, nn


class Net(nn.Cell):
    def construct(self, x, n):
        for name, v in {"a": x, "b": x * 2}.items():
            if n > 2:
                break
            print(name, "value", n)
            x = x + v
        return x if name == "a" else x * 0.5


def inputs():
    return [[Tensor([0.5]), Tensor(1)], [Tensor([0.5]), Tensor(3)], [Tensor([1.5]), Tensor(2)]]
