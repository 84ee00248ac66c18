"""Conditions on Tensors: if, elif, else, conditional expressions."""
import mindspore as ms
from mindspore import Tensor, nn, ops

from tests.language.table import Fails, b1, count, f32, i32, i64, program


@program([f32(3), f32(1)], [f32(1), f32(5)])
class if_merges_values(nn.Cell):
    def construct(self, x, y):
        if x.sum() > y.sum():
            out = x - y
        else:
            out = y - x
        return out


@program([f32([3, 1])], [f32([-4, 1])])
class if_without_else(nn.Cell):
    def construct(self, x):
        y = x * 2
        if x.sum() > 0:
            y = y + 10
        return y


@program([f32(1)], [f32(-1)], expected=[f32(2), Fails(NameError, "y")], expected_gradients=[f32(2), Fails(NameError)],
         why="Python fails only where the name is read unbound; MindSpore refuses both at compile time [limit]")
def name_bound_in_one_branch(x):
    if x > 0:
        y = x * 2
    return y


@program([f32(1)], [f32(-1)])
def name_bound_in_one_branch_and_read_only_there(x):
    out = x
    if x > 0:
        y = x * 2
        out = y + 1
    return out


@program([f32(1), f32([[1, 2], [3, 4]]), f32([1, 2, 3])], [f32(-1), f32([[1, 2], [3, 4]]), f32([1, 2, 3])])
def branches_of_different_shapes(x, a, b):
    if x > 0:
        y = a
    else:
        y = b
    return y + 1


@program([f32(1), f32([1]), i32([2])], [f32(-1), f32([1]), i32([2])], gradients=False,
         expected=[f32([1]), i32([2])], why="MindSpore cannot join two dtypes [limit]; Python returns either")
def branches_of_different_dtypes(x, a, b):
    if x > 0:
        y = a
    else:
        y = b
    return y


@program([f32(1), f32([1])], [f32(-1), f32([1])], gradients=False)
def tensor_or_none(x, a):
    y = None
    if x > 0:
        y = a
    return y


@program([f32(1), f32([1])], [f32(-1), f32([1])], expected=[f32([2]), f32([1])],
         why="MindSpore cannot join a Tensor and a number [limit]")
def tensor_or_number(x, a):
    y = 0
    if x > 0:
        y = a
    return y + a


@program([f32(-1)], [f32(1)], [f32(3)], [f32(9)])
def elif_chain_with_a_nested_if(x):
    if x < 0:
        r = x - 1
    elif x < 5:
        if x > 2:
            r = x * 10
        else:
            r = x * 100
    else:
        r = x
    return r


@program([f32(1), f32(2)], [f32(5), f32(2)])
def conditional_expression(x, y):
    return x if x > y else y * 3


@program([f32(1)], [f32(7)], [f32(20)])
def nested_conditional_expressions(x):
    return x * 2 if x < 5 else x * 3 if x < 10 else x * 4


@program([f32(1), f32(2)], [f32(3), f32(2)])
def conditional_expression_as_argument(x, y):
    return ops.add(x if x > y else y, (x if x < y else y) * 2)


@program([f32([1])], [f32([-1])], [f32([[2]])], expected=[f32([2]), f32([-2]), f32([[3]])],
         why="MindSpore takes shapes () and (1,) only [limit]")
def condition_of_one_element(x):
    if x > 0:
        return x + 1
    return x - 1


@program([f32([1, -1])], expected=[Fails(ValueError)], expected_gradients=[Fails(ValueError)],
         why="the truth value of several elements is ambiguous")
def condition_of_two_elements(x):
    if x > 0:
        x = x + 1
    return x


@program([f32([0, 0])], [f32([[1, 1], [1, 1]])])
class conditions_known_at_compile_time(nn.Cell):
    def construct(self, x, mask=None):
        if mask is None:
            x = x + 1
        if isinstance(x, Tensor) and x.ndim == 1:
            x = x + 10
        if x.shape[0] in (2, 3):
            x = x + 100
        if x.dtype == ms.float32:
            x = x + 1000
        return x


@program([b1(True), f32(2)], [b1(False), f32(2)])
def bool_input_as_condition(flag, x):
    if flag:
        return x * x
    return x


@program([i32(3), f32(2)], [i32(0), f32(2)])
def int_tensor_as_condition(n, x):
    if n:
        return x * 5
    return x


@program([f32(0), f32(2)], [f32(3), f32(2)], finite=False)
def float_tensor_as_condition(n, x):
    if n:
        return x * 5
    return x + n


@program([f32(3), f32(2)], [f32(-3), f32(2)])
def both_branches_bind_several_names(x, y):
    if x > 0:
        a, b = x, y * 2
    else:
        b, a = x * 3, y
    return a, b, a * b


@program([f32(3)], [f32(-3)], [f32(0.5)])
def branch_with_pass(x):
    if x > 1:
        pass
    else:
        x = x * 2
    if x < 0:
        x = -x
    return x


@program([f32(3)], [f32(-3)])
def branch_that_changes_a_list(x):
    values = [x, x]
    if x > 0:
        values[0] = x * 10
    else:
        values[1] = x * 20
    return values[0] + values[1] * 2


@program([f32(3)], [f32(-3)], expected=[f32(15), f32(-6)],
         why="both branches are recorded, yet only one appends")
def branch_that_appends_to_a_list(x):
    values = [x, x]
    if x > 0:
        values.append(x * 3)
    total = x * 0
    for v in values:
        total = total + v
    return total


@program([f32(3)], [f32(-3)])
def branch_that_sets_a_dict_entry(x):
    d = {"a": x, "b": x * 2}
    if x > 0:
        d["a"] = x * 5
    return d["a"] + d["b"]


@program([f32(4)], [f32(-4)])
def augmented_assignment_in_a_branch(x):
    y = x * x
    if x > 0:
        y += x
    else:
        y -= 2 * x
    return y


@program([f32([1, 5, 2])], [f32([1, -5, 2])])
def item_assignment_in_a_branch(x):
    y = x * 2
    if x.sum() > 0:
        y[1] = x[0]
    return y


@program([f32([1, 5, 2])], [f32([1, -5, 2])])
def condition_on_an_element(x):
    if x[1] > 0:
        return x * x
    return x[1:].sum()


@program([f32(1)], [f32(3)], [f32(-1)])
def conditions_one_after_the_other(x):
    y = x
    if x > 0:
        y = y * 2
    if y > 4:
        y = y * y
    if x < 0:
        y = y - 1
    return y


@program([f32(2), f32(3)], [f32(-2), f32(3)])
class branch_over_weights(nn.Cell):
    def __init__(self):
        super().__init__()
        self.w = ms.Parameter(Tensor([2.0]), name="w")
        self.v = ms.Parameter(Tensor([5.0]), name="v")

    def construct(self, x, y):
        if x > 0:
            return x * self.w * self.w
        return y * self.v + self.w


@program([f32(2)], [f32(-2)])
class branch_over_cells(nn.Cell):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Tanh(), nn.Sigmoid()

    def construct(self, x):
        if x > 0:
            y = self.first(x)
        else:
            y = self.second(x)
        return y


@program([f32([[1, 2], [3, 4]])], [f32([[-1, -2], [3, -4]])])
def condition_on_a_reduction(x):
    if (x > 0).all():
        return x.sum(axis=0)
    if (x > 0).any():
        return x.sum(axis=1)
    return x[0]


@program([f32(2), i64(1)], [f32(2), i64(2)], [f32(2), i64(3)])
def equality_of_ints(x, mode):
    if mode == 1:
        return x
    elif mode == 2:
        return x * x
    return x * x * x


@program([f32(0.5), 1], [f32(0.5), 2], [f32(0.5), 3])
def python_number_chooses(x, mode):
    if mode == 1:
        return x
    elif mode == 2:
        return x * x
    return x * x * x


@program([count(2, 3) + 1], [-count(2, 3)])
def branch_with_reductions_and_views(x):
    if x.mean() > 0:
        y = ops.transpose(x, (1, 0)).reshape(2, 3)
    else:
        y = x * 2
    return y - y.max()
