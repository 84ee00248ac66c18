"""Lists, tuples, dicts and strings in a graph, as arguments and as results.  Mostly bodies on x = Tensor(2.0)."""
from functools import partial

import mindspore as ms
import numpy as np
from mindspore import Tensor, nn, ops

from tests.language.table import Fails, f32, program, script

probe = partial(program, [f32(2)], gradients=False)


@probe()
def list_append(x):
    a = [1, 2]
    a.append(x)
    return a


@probe()
def list_item_assignment(x):
    a = [1, 2]
    a[0] = x
    return a


@probe()
def list_methods(x):
    a = [1, 2, 3]
    a.pop()
    a.insert(0, 9)
    a.extend([7])
    a.reverse()
    return a


@program([f32(2)])
def list_built_in_a_loop(x):
    a = []
    for i in range(3):
        a.append(x + i)
    return ops.stack(a)


@probe()
def tuple_concatenation(x):
    a = (1, 2)
    a = a + (x,)
    return a


@probe(expected=[Fails(TypeError, "item assignment")], why="as in Python")
def tuple_item_assignment(x):
    a = (1, 2)
    a[0] = 3
    return a


@probe()
def dict_item_assignment(x):
    d = {}
    d["k"] = x
    return d


@probe()
def dict_update_get_in_len(x):
    d = {"a": 1}
    d.update({"b": x})
    return d["b"], d.get("z", 5), "a" in d, len(d)


@probe()
def dict_views(x):
    d = {"a": 1, "b": 2}
    return list(d.keys()), list(d.values()), list(d.items())


@probe(expected=[1], why="a Tensor is a key by its identity; MindSpore refuses it [limit]")
def dict_with_a_tensor_as_key(x):
    d = {x: 1}
    return d[x]


@probe()
def dict_with_a_tuple_as_key(x):
    d = {1: 2, (1, 2): 3}
    return d[(1, 2)]


@probe()
def dict_from_keywords(x):
    d = dict(a=1, b=x)
    return d


@probe(expected=[{}], why="MindSpore dies in d.pop [defect]")
def dict_pop(x):
    d = {"a": x}
    d.pop("a")
    return d


@probe(expected=[(f32(2), 7, {"b": 1})], why="MindSpore dies in d.pop [defect]")
def dict_pop_with_default(x):
    d = {"a": x, "b": 1}
    first = d.pop("a")
    return first, d.pop("z", 7), d


@program([f32(2)])
def dict_iteration(x):
    d = {"a": x}
    for k in d:
        x = x + d[k]
    return x


@program([f32(2)])
def nested_unpacking(x):
    a, (b, c) = 1, (2, x)
    return a + b + c


@probe()
def nested_lists(x):
    a = [[1, 2], [3, 4]]
    return a[1][0], a[-1], a[0:1], len(a)


@probe()
def list_repetition(x):
    a = [0] * 3
    return a + [x]


@probe()
def membership(x):
    return 2 in [1, 2], 5 not in (1, 2)


@program([f32(2)])
def sum_of_a_list(x):
    a = [x, x + 1]
    return sum(a)


@probe()
def tensor_of_a_list(x):
    a = [3.0, 1.0]
    return Tensor(a)


@probe()
def tensor_of_tensors(x):
    a = [x, x]
    return ms.tensor(a)


@program([f32(2)])
def tensor_constant(x):
    return Tensor([1, 2], ms.float32) + x


@program([f32(2)])
def tensor_of_an_array(x):
    return Tensor(np.ones((2,), np.float32)) + x


@probe()
def tensor_of_a_tensor(x):
    return ms.Tensor(x)


@probe()
def array_as_a_result(x):
    a = np.array([1, 2])
    return a


@program([f32(2)])
def tensor_of_an_int_array(x):
    a = np.array([1, 2])
    return Tensor(a) * x


@probe()
def string_operations(x):
    s = "a" + "b"
    return s * 2, s[0], len(s), s == "ab"


@probe()
def sequence_comparisons(x):
    return (1, 2) == (1, 2), [1] < [2]


@program([f32(2)])
def is_not_none(x):
    return x if x is not None else 0


@probe()
def shape_concatenation(x):
    return x.shape + (1,)


@probe()
def shape_unpacking(x):
    a, b = x.reshape((1, 1)).shape
    return a * b


@program([f32(2)])
def tuple_of_a_comprehension(x):
    xs = tuple([x for _ in range(3)])
    return xs


@probe(expected=[[11, 21, 12, 22]], why="MindSpore takes one for in a comprehension [limit]")
def comprehension_with_two_fors(x):
    return [i + j for i in (1, 2) for j in (10, 20)]


@program([f32(2)])
def comprehension_over_tensors(x):
    return [x * i for i in range(2)]


@probe()
def dict_of_a_zip(x):
    return dict(zip(("a", "b"), (1, x)))


@probe(expected=[[2, 3]], why="MindSpore refuses del [limit]")
def delete_an_element(x):
    a = [1, 2, 3]
    del a[0]
    return a


@probe()
def list_of_a_range(x):
    return list(range(5))[::2]


@program([f32(0), [1, 2]])
def list_argument(x, values):
    return x + values[0] + values[1]


@script()
def list_argument_changed_inside():
    class Net(nn.Cell):
        def construct(self, x, values):
            return x + values[0] + values[1]
    values = [1, 2]
    net = Net()
    first = net(Tensor(0.0), values)
    values[0] = 10
    return first, net(Tensor(0.0), values)


@script(expected=(f32(7), [5, 2]), why="the caller's list is changed, as in Python; MindSpore changes a copy [defect]")
def list_argument_written_inside():
    class Net(nn.Cell):
        def construct(self, x, values):
            values[0] = 5
            return x + values[0] + values[1]
    values = [1, 2]
    return Net()(Tensor(0.0), values), values


@program([f32(0), (f32(1), [f32(2), f32(3)])])
def nested_argument(x, nest):
    a, (b, c) = nest
    return x + a * b + c


@program([f32(2), {"a": f32(1), "b": (f32(3), 4)}])
def dict_argument(x, d):
    return x * d["a"] + d["b"][0] * d["b"][1]


@program([f32(1), None], [f32(1), f32(5)])
def none_argument(x, y):
    if y is None:
        return x
    return x + y


@program([f32(2)])
def list_of_lists_of_tensors(x):
    rows = [[x * (i + j) for j in range(2)] for i in range(2)]
    return rows


@probe()
def conditional_comprehension(x):
    return [i * i for i in range(6) if i % 2], {k: k + 1 for k in range(3) if k != 1}


@program([f32([1, 2, 3])])
def generator_in_sum(x):
    return sum(v * v for v in x)


@probe()
def starred_in_displays(x):
    a, b = (1, 2), [3]
    return (*a, *b, x), [*b, *a]


@probe()
def merged_dicts(x):
    a = {"p": 1, "q": x}
    return {**a, "q": 5}


@probe()
def slices_of_tuples(x):
    t = (1, 2, 3, 4)
    return t[1:], t[::-1], t[-2:], t[:2]


@probe()
def list_index_count_sort(x):
    a = [3, 1, 2, 1]
    return a.index(2), a.count(1), sorted(a), max(a), min(a)


@probe()
def list_clear_and_copy(x):
    a = [1, x]
    b = a.copy()
    a.clear()
    return a, b


@probe()
def in_place_list_addition(x):
    a = [1]
    a += [x, 2]
    return a


@probe(expected=[[5, 2]], why="two names of one list; MindSpore copies the list on item assignment [defect]")
def alias_of_a_list(x):
    a = [1, 2]
    b = a
    b[0] = 5
    return a


@probe()
def dict_setdefault_and_items(x):
    d = {"a": 1}
    total = 0
    for _k, v in d.items():
        total = total + v
    return total, "a" in d.keys(), 1 in d.values()


@probe(expected=[({1, 2} == {2, 1}, 2)], why="MindSpore refuses sets [limit]")
def sets(x):
    s = {1, 2, 1 + 1}
    return s == {2, 1}, len(s)


@script(expected=(f32(3), [1, 2, 3]), why="an appended element is kept, as in Python; MindSpore loses it [defect]")
def append_to_an_attribute_list():
    class Net(nn.Cell):
        def __init__(self):
            super().__init__()
            self.values = [1, 2]

        def construct(self, x):
            self.values.append(3)
            return x + len(self.values)
    net = Net()
    return net(Tensor(0.0)), net.values
