"""Cells: containers, inheritance, super, shared and nested Cells, names of Parameters."""
import copy
from collections import OrderedDict

import mindspore as ms
import numpy as np
from mindspore import Parameter, ParameterTuple, Tensor, nn, ops

from tests.language.table import Fails, f32, i32, i64, program, script


class Scale(nn.Cell):
    def __init__(self, value):
        super().__init__()
        self.w = Parameter(Tensor([value]), name="w")

    def construct(self, x):
        return x * self.w


@program([f32([1, -2])])
class containers_in_construct(nn.Cell):
    def __init__(self):
        super().__init__()
        self.l = nn.CellList([nn.ReLU(), nn.Tanh(), nn.Sigmoid()])
        self.d = nn.CellDict({"a": nn.ReLU(), "b": nn.Tanh()})
        self.s = nn.SequentialCell(nn.ReLU(), nn.Tanh())

    def construct(self, x):
        y = self.l[0](x) + self.l[-1](x)
        for i in range(len(self.l)):
            y = self.l[i](y)
        for c in self.l[1:]:
            y = c(y)
        for k in self.d:
            y = self.d[k](y)
        for i, c in enumerate(self.s):
            y = c(y) + i
        return self.s(y)


@program([f32([-1]), 0], [f32([-1]), 1])
class cell_by_a_number(nn.Cell):
    def __init__(self):
        super().__init__()
        self.l = nn.CellList([nn.ReLU(), nn.Tanh()])

    def construct(self, x, i):
        return self.l[i](x)


@program([f32([-1]), i32(1)], [f32([-1]), i32(0)])
class cell_by_an_int32_tensor(nn.Cell):
    def __init__(self):
        super().__init__()
        self.l = nn.CellList([nn.ReLU(), nn.Tanh()])

    def construct(self, x, i):
        return self.l[i](x)


@program([f32([-1]), i64(1)], [f32([-1]), i64(0)], expected=[f32([-0.7615942]), f32([0])],
         why="MindSpore takes int32 only [limit]")
class cell_by_an_int64_tensor(nn.Cell):
    def __init__(self):
        super().__init__()
        self.l = nn.CellList([nn.ReLU(), nn.Tanh()])

    def construct(self, x, i):
        return self.l[i](x)


class Base(nn.Cell):
    def __init__(self, k):
        super().__init__()
        self.k = k
        self.w = Parameter(Tensor([2.0]), name="w")

    def activate(self, x):
        return x * self.k

    def construct(self, x):
        return self.activate(x) * self.w


@program([f32([3])])
class inherited_construct(Base):
    def __init__(self):
        super().__init__(5)

    def activate(self, x):
        return x + self.k


@program([f32([3])])
class super_in_construct(Base):
    def __init__(self):
        super().__init__(5)

    def construct(self, x):
        return super().construct(x) + 1


@program([f32([3])])
class super_of_a_method(Base):
    def __init__(self):
        super(super_of_a_method, self).__init__(5)  # noqa: UP008 (this form is what is tested)

    def activate(self, x):
        return super(super_of_a_method, self).activate(x) * 10  # noqa: UP008


class Mixin:
    def shift(self, x):
        return x + 100


@program([f32([3])])
class method_of_a_mixin(Base, Mixin):
    def __init__(self):
        super().__init__(5)

    def construct(self, x):
        return self.shift(self.activate(x)) * self.w


@program([f32([3])])
class subclass_of_a_layer(nn.SequentialCell):
    def __init__(self):
        super().__init__(Scale(2.0), nn.ReLU())

    def construct(self, x):
        return super().construct(x) + 1


@program([f32([3])])
class shared_cell(nn.Cell):
    def __init__(self):
        super().__init__()
        self.first = Scale(2.0)
        self.second = self.first

    def construct(self, x):
        return self.second(self.first(x))


@program([i32([1, 0])])
class tied_weights(nn.Cell):
    def __init__(self):
        super().__init__()
        table = Tensor(np.arange(6).reshape(3, 2).astype(np.float32) / 4)
        self.embedding = nn.Embedding(3, 2, embedding_table=table)
        self.head = nn.Dense(2, 3, has_bias=False)
        self.head.weight = self.embedding.embedding_table

    def construct(self, i):
        return self.head(self.embedding(i))


@program([f32([3])])
class parameters_in_list_and_dict(nn.Cell):
    def __init__(self):
        super().__init__()
        self.ws = ParameterTuple([Parameter(Tensor([float(i)]), name=f"w{i}") for i in range(1, 4)])

    def construct(self, x):
        for w in self.ws:
            x = x * w
        return x + self.ws[0] + len(self.ws)


@program([f32([3])])
class deep_nesting(nn.Cell):
    def __init__(self):
        super().__init__()
        inner = nn.SequentialCell(Scale(2.0), nn.SequentialCell(Scale(3.0), nn.ReLU()))
        self.block = nn.CellList([inner, Scale(0.5)])

    def construct(self, x):
        for cell in self.block:
            x = cell(x) + 1
        return x


@program([f32([3]), True], [f32([3]), False])
class flag_argument(nn.Cell):
    def __init__(self):
        super().__init__()
        self.a, self.b = Scale(2.0), Scale(5.0)

    def construct(self, x, flag):
        cell = self.a if flag else self.b
        return cell(x)


@program([f32([3])])
class cell_passed_as_an_argument(nn.Cell):
    def __init__(self):
        super().__init__()
        self.a = Scale(2.0)

    def twice(self, cell, x):
        return cell(cell(x))

    def construct(self, x):
        return self.twice(self.a, x)


@program([f32([3])])
class construct_called_directly(nn.Cell):
    def __init__(self):
        super().__init__()
        self.a = Scale(2.0)

    def construct(self, x):
        return self.a.construct(x)


@program([f32([3])])
class private_names(nn.Cell):
    def __init__(self):
        super().__init__()
        self.__hidden = 4.0

    def __scaled(self, x):
        return x * self.__hidden

    def construct(self, x):
        return self.__scaled(x)


@script()
def parameter_names():
    class Sub(nn.Cell):
        def __init__(self):
            super().__init__()
            self.w = Parameter(Tensor([1.0]))
            self.v = Parameter(Tensor([1.0]), name="vv")
            self.fc = nn.Dense(2, 2)

    class Net(nn.Cell):
        def __init__(self):
            super().__init__()
            self.sub = Sub()
            self.lst = nn.CellList([nn.Dense(1, 1), Sub()])
            self.seq = nn.SequentialCell(nn.Dense(1, 1), nn.ReLU(), nn.Dense(1, 1))
            self.d = nn.CellDict({"k": nn.Dense(1, 1)})
            self.p = Parameter(Tensor([1.0]))
    return [(n, p.name) for n, p in Net().parameters_and_names()]


@script()
def duplicate_names_in_one_cell():
    class Net(nn.Cell):
        def __init__(self):
            super().__init__()
            self.a = Parameter(Tensor([1.0]), name="w")
            self.b = Parameter(Tensor([2.0]), name="w")

        def construct(self, x):
            return x * self.a * self.b
    n = Net()
    return n(Tensor([1.0])), sorted(p.name for p in n.get_parameters())


@script(expected=f32([8]), why="MindSpore wants two names [limit]; a graph can tell its Parameters apart")
def equal_names_in_two_nets():
    a, b = Scale(2.0), Scale(6.0)
    def forward(x):
        return a(x) + b(x)
    return ms.jit(forward)(Tensor([1.0]))


@script()
def renamed_before_the_first_call():
    class Net(nn.Cell):
        def __init__(self):
            super().__init__()
            self.a, self.b = Parameter(Tensor(1.0)), Parameter(Tensor(2.0))

        def construct(self, x):
            return x * self.a + self.b
    n = Net()
    n.a.name = "same"
    n.b.name = "same"
    return n(Tensor(10.0)), [p.name for p in n.get_parameters()]


@script()
def cell_taken_up_by_two_nets():
    d = nn.Dense(1, 1)
    class A(nn.Cell):
        def __init__(self, inner):
            super().__init__()
            self.first = inner
    class B(nn.Cell):
        def __init__(self, inner):
            super().__init__()
            self.second = inner
    a = A(d)
    names = [p.name for p in d.get_parameters()]
    B(d)
    return names, [p.name for p in a.get_parameters()]


@script()
def deep_copies_are_independent():
    n = nn.SequentialCell(Scale(2.0), nn.ReLU())
    x = Tensor([3.0])
    first = n(x)
    m = copy.deepcopy(n)
    m[0].w.set_data(Tensor([10.0]))
    return first, m(x), n(x), [p.name for p in m.get_parameters()]


@script()
def apply_to_all_cells():
    n = nn.SequentialCell(nn.Dense(2, 2), nn.ReLU())
    n(Tensor([[1.0, 2.0]]))
    def clear(cell):
        if isinstance(cell, nn.Dense):
            cell.weight.set_data(ms.common.initializer.initializer("zeros", cell.weight.shape))
            cell.bias.set_data(ms.common.initializer.initializer("ones", cell.bias.shape))
    n.apply(clear)
    return n(Tensor([[1.0, 2.0]]))


@script()
def buffers_and_state():
    class Net(nn.Cell):
        def __init__(self):
            super().__init__()
            self.register_buffer("buf", Tensor([5.0]))
            self.w = Parameter(Tensor([1.0]))

        def construct(self, x):
            return x * self.w + self.buf
    n = Net()
    first = n(Tensor([1.0]))
    n.load_state_dict({"w": Tensor([2.0])}, strict=False)
    return first, list(n.state_dict()), [p.name for p in n.get_parameters()], n(Tensor([1.0]))


@script()
def sequential_from_an_ordered_dict():
    s = nn.SequentialCell(OrderedDict([("x", Scale(2.0)), ("y", nn.ReLU())]))
    return s(Tensor([3.0])), [p.name for p in s.get_parameters()], len(s), s[0](Tensor([5.0]))


@script()
def changed_cell_lists():
    cells = nn.CellList([Scale(2.0), Scale(3.0)])
    cells.append(Scale(5.0))
    cells.insert(0, Scale(7.0))
    del cells[1]
    x = Tensor([1.0])
    for cell in cells:
        x = cell(x)
    return x, len(cells), [p.name for p in cells.get_parameters()]


@script(expected=Fails(AttributeError), why="super().__init__() was not called")
def missing_super_init():
    class Net(nn.Cell):
        def __init__(self):
            self.w = Parameter(Tensor([1.0]))
    return Net()


@script(expected=Fails(TypeError), why="a Parameter's attribute takes no number")
def number_for_a_parameter():
    n = Scale(2.0)
    n.w = 3
    return n


@script()
def jit_config_levels():
    n = nn.ReLU()
    n.set_jit_config(ms.JitConfig(jit_level="O1"))
    return n(Tensor([-1.0, 2.0]))


@script()
def operators_outside_a_graph():
    x = Tensor([1.0, 2.0])
    return ops.add(x, 1), x.mean(), (x * 2).asnumpy()
