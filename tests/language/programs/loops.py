"""while and for, break and continue."""
import mindspore as ms
from mindspore import Parameter, Tensor, nn, ops

from tests.language.table import count, f32, i64, program

IN_PLACE = "MindSpore's i += 1 writes into the constant Tensor(0), which the next call then starts from [defect]"


@program([f32(1), i64(5)], [f32(1), i64(0)], [f32(1), i64(1)],
         expected=[(f32(32), i64(5)), (f32(1), i64(0)), (f32(2), i64(1))], why=IN_PLACE)
class while_on_a_tensor(nn.Cell):
    def construct(self, x, n):
        i = Tensor(0)
        while i < n:
            x = x * 2
            i += 1
        return x, i


@program([f32(0)])
class while_on_python_numbers(nn.Cell):
    def construct(self, x):
        i = 0
        while i < 10:
            i += 1
            if i == 2:
                continue
            if i == 5:
                break
            x = x + i
        return x


@program([f32(0), i64(100)], [f32(0), i64(3)], [f32(0), i64(0)], expected=[f32(8), f32(4), f32(0)], why=IN_PLACE)
class break_and_continue_on_tensors(nn.Cell):
    def construct(self, x, n):
        i = Tensor(0)
        while i < n:
            i += 1
            if i == 2:
                continue
            if i > 4:
                break
            x = x + i
        return x


@program([f32(0)], expected=[f32(300)], why="MindSpore refuses for ... else [limit]")
def for_else(x):
    for _i in range(3):
        x = x + 1
    else:
        x = x * 100
    return x


@program([f32(-0.25)], [f32(2.5)], expected=[f32(275), f32(3.5)], why="MindSpore refuses for ... else [limit]")
def for_else_with_a_break(x):
    for _i in range(3):
        x = x + 1
        if x > 3:
            break
    else:
        x = x * 100
    return x


@program([f32(1)], [f32(20)], expected=[f32(-16), f32(-20)], why="MindSpore refuses while ... else [limit]")
def while_else(x):
    while x < 10:
        x = x * 2
    else:
        x = -x
    return x


@program([f32(0), (f32(1), f32(2))])
class for_over_python_sequences(nn.Cell):
    def construct(self, x, ys):
        s = x
        for i in range(1, 7, 2):
            s = s + i
        for y in ys:
            s = s + y
        for i, y in enumerate(ys):
            s = s + i * y
        for a, b in zip(ys, ys):
            s = s + a * b
        for a in reversed((1, 2)):
            s = s + a
        return s


@program([f32([[1, 2], [3, 4], [5, 6]])])
class for_over_a_tensor(nn.Cell):
    def construct(self, x):
        s = Tensor([0.0, 0.0])
        for row in x:
            s = s * 2 + row
        return s


@program([f32([[1, 2], [3, 4], [5, 6]])])
def enumerate_a_tensor(x):
    s = x[0] * 0
    for i, row in enumerate(x):
        s = s + i * row * row
    return s


@program([f32([[1, 2], [3, 4]]), f32([5, 6])])
def zip_of_tensors(x, y):
    s = x[0] * 0
    for a, b in zip(x, y):
        s = s + a * b
    return s


@program([f32(1), i64(4)], [f32(1), i64(0)], expected=[f32(7), f32(1)],
         why="MindSpore refuses range of a Tensor [limit]")
def range_of_a_tensor(x, n):
    for i in range(n):
        x = x + i
    return x


@program([f32(1), i64(4)], [f32(1), i64(0)], expected=[f32(16), f32(1)],
         why="MindSpore refuses range of a Tensor [limit]")
def range_of_a_tensor_without_its_index(x, n):
    for _ in range(n):
        x = x * 2
    return x


@program([count(3, 2)])
class range_of_a_size(nn.Cell):
    def construct(self, x):
        s = 0.0
        for i in range(x.shape[0]):
            s = s + x[i].sum()
        for i in range(len(x)):
            s = s + x[i].mean()
        return s


@program([f32([-1, 1])])
class for_over_a_dict_and_cells(nn.Cell):
    def __init__(self):
        super().__init__()
        self.layers = nn.CellList([nn.ReLU(), nn.Tanh()])

    def construct(self, x):
        d = {"a": 1, "b": 2}
        for k, v in d.items():
            if k == "b":
                x = x * v
        for layer in self.layers:
            x = layer(x)
        return x


@program([f32(1.25)], [f32(0.25)], [f32(-9)])
class break_on_a_tensor_in_a_range(nn.Cell):
    def construct(self, x):
        for _i in range(5):
            if x > 3:
                break
            x = x + 1
        return x


@program([f32(0.5)], [f32(5)])
def continue_on_a_tensor_in_a_range(x):
    y = x
    for i in range(4):
        y = y * x
        if y > 2:
            continue
        y = y + i
    return y


@program([f32(1), i64(3), i64(2)], [f32(1), i64(2), i64(0)], expected=[f32(15.640625), f32(2)], why=IN_PLACE)
def nested_whiles(x, n, m):
    i = Tensor(0)
    while i < n:
        j = Tensor(0)
        while j < m:
            x = x * 1.5
            j += 1
        x = x + i
        i += 1
    return x


@program([f32(3), i64(4)], [f32(-3.25), i64(4)], expected=[f32(1.375), f32(1.375)], why=IN_PLACE)
def branch_in_a_while(x, n):
    i = Tensor(0)
    while i < n:
        if x > 1:
            x = x * 0.5
        else:
            x = x + 2
        i += 1
    return x


@program([f32(2), i64(3)], [f32(2), i64(0)])
def while_reads_its_input_again(x, n):
    y = x
    i = Tensor(0)
    while i < n:
        y = y * x
        i += 1
    return y


@program([f32(100)], [f32(0.1)])
def while_on_a_value(x):
    while x > 1:
        x = x / 3
    return x


@program([f32([0.5, 1.5, 3])])
def newton_iteration(a):
    x = ops.ones_like(a)
    step = x
    while ops.abs(step).max() > 1e-5:
        step = (x * ops.exp(x) - a) / (ops.exp(x) * (x + 1))
        x = x - step
    return x


@program([f32(1.25)], [f32(-0.75)])
def while_true_with_a_break(x):
    while True:
        x = x + 1
        if x > 4:
            break
    return x


@program([f32(1)], [f32(7)])
def return_from_a_while(x):
    i = Tensor(0)
    while i < 5:
        x = x * 2
        if x > 10:
            return x - i
        i += 1
    return x


@program([f32(1)], [f32(3)], [f32(-1)])
def return_from_a_for(x):
    for i in range(4):
        if x > 5:
            return x * i
        x = x * 2
    return -x


@program([f32([1, 2, 3, 4])])
def item_assignment_in_a_for(x):
    y = x * 1
    for i in range(3):
        y[i + 1] = y[i] * 2 + x[i + 1]
    return y


@program([f32([1, 2, 3, 4]), i64(2)])
def item_assignment_in_a_while(x, n):
    y = x * 1
    i = Tensor(0)
    while i < n:
        y[i] = x[i + 1] * x[i]
        i += 1
    return y


@program([f32([1, 2, 3])])
def collect_in_a_list(x):
    found = []
    for i in range(3):
        found.append(x[i] * i)
    return ops.stack(found)


@program([f32([0.5, -0.5])])
class rnn_over_time(nn.Cell):
    def __init__(self):
        super().__init__()
        self.w = Parameter(Tensor([[0.5, -0.25], [0.125, 0.75]]), name="w")

    def construct(self, x):
        h = x.reshape(1, 2)
        for i in range(6):
            h = ops.tanh(ops.matmul(h, self.w) + i * 0.1)
        return h


@program([count(4, 2) / 8], [count(4, 2) / -8])
class rnn_with_a_branch_each_step(nn.Cell):
    def __init__(self):
        super().__init__()
        self.w = Parameter(Tensor([[0.5, -0.25], [0.125, 0.75]]), name="w")

    def construct(self, xs):
        h = ops.zeros((1, 2), ms.float32)
        for x in xs:
            h = ops.matmul(h, self.w) + x
            if h.sum() > 0:
                h = ops.tanh(h)
            else:
                h = h * 0.5
        return h


@program([f32([0.5, -0.25]), i64(3)])
class while_over_a_weight(nn.Cell):
    def __init__(self):
        super().__init__()
        self.w = Parameter(Tensor([0.5, 1.5]), name="w")

    def construct(self, x, n):
        i = Tensor(0)
        while i < n:
            x = x * self.w + 1
            i += 1
        return x
