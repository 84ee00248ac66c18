"""Conditions on Tensors: if, elif, else, conditional expressions."""
from mindspore import nn

from tests.language.table import f32, program


@program([f32(3), f32(1)], [f32(1), f32(5)])
class if_merges_values(nn.Cell):
    def construct(self, x, y):
        if x.sum() > y.sum():
            out = x - y
        else:
            out = y - x
        return out


@program([f32(-3)], [f32(2)], [f32(12)])
def early_return(x):
    if x < 0:
        return x * 0
    y = x + 1
    if y > 10:
        return y - 10
    return y
