"""Lists and dicts changed in branches and loops of the program: the same objects under all their names."""
from graphcore import Tensor, nn


class Net(nn.Cell):
    def construct(self, x):
        if x < 1:
            return x, x
        c = {"a": x + 1, "b": x}
        d = c
        if x > 1.5:
            c["a"] = x * 2
        n = Tensor(0)
        while n < 3 and x < 5:
            n += 1
            c["a"] = c["a"] * 2
            x = x + 1
            if x > 2.3:
                c["b"] = c["a"]
        e = [x]
        for _ in range(40):
            e[0] = e[0] * 0.5
            e = [e[0] + 1]
        return c["a"] + d["b"], d["a"] + e[0]


def inputs():
    return [[Tensor(0.5)], [Tensor(1.2)], [Tensor(1.7)]]
