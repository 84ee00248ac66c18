"""Early and multiple returns, and what may be returned."""
from mindspore import Tensor, nn

from tests.language.table import f32, program


@program([f32(-3)], [f32(2)], [f32(12)])
def early_return(x):
    if x < 0:
        return x * 0
    y = x + 1
    if y > 10:
        return y - 10
    return y


@program([f32(-3)], [f32(2)], [f32(12)])
def return_in_every_branch(x):
    if x < 0:
        return x * 2
    elif x < 10:
        return x * 3
    else:
        return x * 4


@program([f32(3)], [f32(-3)])
def return_of_tuples(x):
    if x > 0:
        return x, x * 2
    return x * 3, x * 4


@program([f32(3)], [f32(-3)])
def return_of_nested_values(x):
    if x > 0:
        return {"a": x, "b": (x * 2, x * 3)}
    return {"a": x * 4, "b": (x, x)}


@program([f32(3)], [f32(-3)])
def returns_nested_two_deep(x):
    if x > 0:
        if x > 2:
            return x
        x = x * 5
    else:
        if x > -2:
            return x * 7
    return x * 2


@program([f32(2)], gradients=False)
def nothing(x):
    x + 1


@program([f32(2)], gradients=False)
def bare_return(x):
    return


@program([f32(2)])
def mixed_nest(x):
    return (x, None, 1.5, "s", (x, [x]))


@program([f32(2)], gradients=False)
def empty_containers(x):
    return (), [], {}


@program([f32(2)])
def same_tensor_twice(x):
    y = x * 3
    return y, y, x


@program([f32(2)])
def code_behind_a_return(x):
    return x * 2
    x = x * 100
    return x


@program([f32(2)], [f32(-2)])
class return_from_a_called_method(nn.Cell):
    def pick(self, x):
        if x > 0:
            return x * 2
        return x * 3

    def construct(self, x):
        y = self.pick(x)
        return y + self.pick(-x)


@program([f32(3)], [f32(-3)], expected=[f32(6), None], gradients=False,
         why="Python returns None behind the last statement")
def none_where_nothing_is_returned(x):
    if x > 0:
        return x * 2


@program([f32(3)], [f32(-3)], expected=[f32(6), f32(0)], gradients=False, graph_only=True,
         why="MindSpore cannot join a Tensor and a number [limit]; in a graph the number becomes a Tensor")
def tensor_or_python_number(x):
    if x > 0:
        return x * 2
    return 0


@program([f32(3)], [f32(-3)], expected=[(f32(3), f32(3)), f32(-3)], gradients=False,
         why="MindSpore cannot join a tuple and a Tensor [limit]")
def tuple_or_tensor(x):
    if x > 0:
        return x, x
    return x


@program([f32(3)])
def constant_tensor(x):
    return Tensor([1.0, 2.0]), x


@program([f32([1, 2])])
def shapes_and_dtypes(x):
    return x * 2, x.shape, x.ndim, x.dtype, x.size


@program([f32(2)], [f32(-2)], expected=["positive", "negative"], gradients=False,
         why="a string cannot be a value of MindSpore's graph [limit]")
def string_by_a_tensor_condition(x):
    if x > 0:
        return "positive"
    return "negative"
