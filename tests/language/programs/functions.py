"""Functions: nested ones, closures, lambdas, recursion, default and keyword arguments, helpers and methods."""
import functools
import math

import mindspore as ms
from mindspore import Tensor, nn, ops

from tests.language.table import f32, i64, program, script

FACTOR = 4.0


def helper(x):
    return x + 1


def keyword_helper(a, b=2.0, *rest, c=3.0, **others):
    total = a * b + c
    for value in rest:
        total = total + value
    for name in others:
        total = total * others[name]
    return total


def make_multiplier(k):
    def multiply(x):
        return x * k
    return multiply


TRIPLE = make_multiplier(3)


@ms.jit_class
class Marked:
    def __init__(self, k):
        self.k = k

    def mul(self, x):
        return x * self.k

    def __call__(self, x):
        return x + self.k


class Plain:
    scale = 7

    def __init__(self, k):
        self.k = k

    def mul(self, x):
        return x * self.k

    @property
    def double(self):
        return self.k * 2


@program([f32(1)])
def nested_function_and_lambda(x):
    k = 3

    def inner(y):
        return y * k + x
    g = lambda f, v: f(f(v))  # noqa: E731
    return g(inner, x)


@program([f32(2)])
def closure_factory(x):
    return TRIPLE(x) + make_multiplier(5)(x)


@program([f32(2)])
class helpers_of_all_kinds(nn.Cell):
    def __init__(self):
        super().__init__()
        self.o = Marked(3)
        self.p = Plain(5)

    @staticmethod
    def static(x):
        return x - 1

    def method(self, x):
        return x * 2

    def construct(self, x):
        return (helper(x), self.static(x), self.method(x), self.o.mul(x), self.o(x), self.p.mul(x), self.p.k)


@program([f32(2)], expected=[f32(16)], why="MindSpore does not bind class methods [limit]")
class class_method_and_property(nn.Cell):
    factor = 3

    @classmethod
    def scaled(cls, x):
        return x * cls.factor

    @property
    def offset(self):
        return 10

    def construct(self, x):
        return self.scaled(x) + self.offset


@program([f32(2)])
class plain_object_attributes(nn.Cell):
    def __init__(self):
        super().__init__()
        self.p = Plain(5)

    def construct(self, x):
        return x * self.p.double + self.p.scale


@program([f32(1)])
def star_arguments(x):
    def f(a, b, c=0):
        return a * 100 + b * 10 + c
    t = (x, x + 1)
    d = {"c": x + 2}
    return f(*t, **d)


@program([f32(2)])
def keyword_arguments_of_a_helper(x):
    return (keyword_helper(x), keyword_helper(x, 5.0), keyword_helper(b=x, a=x), keyword_helper(x, 1.0, 2.0, 3.0),
            keyword_helper(x, c=x), keyword_helper(x, c=1.0, z=10.0))


class StarArguments(nn.Cell):
    def construct(self, x, *args, k=2):
        for a in args:
            x = x + a * x
        return x * k


@program([f32(1), f32(2), f32(3)])
class star_args_of_construct(StarArguments):
    pass


@program([f32(1)])
class no_star_args_of_construct(StarArguments):
    pass


@script()
def keyword_arguments_of_construct():
    class Net(nn.Cell):
        def construct(self, x, *args, k=2, **kw):
            for a in args:
                x = x + a
            return x * k + kw.get("z", 100)
    n = Net()
    return n(Tensor(1.0), Tensor(2.0), Tensor(3.0), k=10, z=7), n(Tensor(1.0))


@script()
def defaults_and_keyword_only():
    class Net(nn.Cell):
        def construct(self, x, y=1.0, *, scale=2.0):
            return (x + y) * scale
    n = Net()
    return n(Tensor(1.0)), n(x=Tensor(1.0), y=Tensor(3.0)), n(Tensor(1.0), scale=5.0)


@script()
def defaults_of_a_jit_function():
    @ms.jit
    def f(x, k=2):
        return x * k + 1
    return f(Tensor([1.0, 2.0])), f(Tensor([1.0]), 3), f(Tensor([1.0]), k=4), f(2, 3), f(2.5)


@program([f32(1), 5])
def recursion_on_a_number(x, n):
    def factorial(v, k):
        if k <= 1:
            return v
        return factorial(v, k - 1) * k
    return factorial(x, n)


def _double_until(x, n):
    if n < 1:
        return x
    return _double_until(x * 2, n - 1)


@program([f32(1), i64(3)], [f32(1), i64(0)])
def recursion_on_a_tensor(x, n):
    return _double_until(x, n)


@program([f32(2)])
def function_as_a_value(x):
    functions = [ops.relu, ops.tanh, helper]
    for f in functions:
        x = f(x)
    return x


@program([f32(2)])
def function_in_a_dict(x):
    table = {"up": lambda v: v * 10, "down": lambda v: v / 10}
    return table["up"](x) + table["down"](x)


@program([f32(2)], [f32(-2)])
def function_chosen_by_a_condition(x):
    f = ops.tanh if x.ndim == 0 else ops.relu
    return f(x)


@program([f32(2)], expected=[f32(106)], why="MindSpore fails in such a default [defect]")
def default_bound_when_defined(x):
    k = 3

    def f(v, k=k):
        return v * k
    k = 100
    return f(x) + k


@program([f32(2)], expected=[f32(200)], why="the value when it is called; MindSpore takes the first one [defect]")
def late_binding_of_a_closure(x):
    k = 3
    f = lambda v: v * k  # noqa: E731
    k = 100
    return f(x)


@program([f32(2)], expected=[f32(24)], why="Python's nonlocal; MindSpore refuses the statement [limit]")
def nonlocal_counter(x):
    total = x

    def add(v):
        nonlocal total
        total = total + v
        return total
    add(x)
    return add(x) * 4


@program([f32(2)])
def global_constant_and_module(x):
    return x * FACTOR + math.pi + math.sqrt(4.0)


@program([f32(2)])
def numpy_free_math(x):
    return x * math.floor(2.5) + math.ceil(0.5) - math.log(1.0)


@program([f32(2)], expected=[f32(10)], why="MindSpore cannot call functools.partial [limit]")
def partial_of_functools(x):
    f = functools.partial(keyword_helper, b=4.0, c=2.0)
    return f(x)


@program([f32(2)])
def partial_of_ops(x):
    f = ops.partial(keyword_helper, x)
    return f(3.0)


@program([f32(2)])
def lambda_called_at_once(x):
    return (lambda a: a + 1)(x)


@program([f32(2)])
def lambda_with_defaults(x):
    f = lambda a, b=3: a * b  # noqa: E731
    return f(x) + f(x, 4)


@program([f32([1, 2])])
def map_filter_and_zip(x):
    doubled = list(map(lambda a: a * 2, (x, x + 1)))
    kept = list(filter(lambda a: a > 1, (1, 2, 3)))
    return doubled[0] + doubled[1] * kept[0], kept, list(zip((1, 2), (3, 4)))


@program([f32(2)], [f32(-2)])
def branch_in_a_helper_called_twice(x):
    def clip(v):
        if v > 1:
            return v * 0 + 1
        return v
    return clip(x) + clip(x * 0.25) * 10


@program([f32(1), f32(2)], [f32(1), f32(-2)])
def loop_in_a_helper(x, y):
    def power(v, n):
        result = v * 0 + 1
        for _ in range(n):
            result = result * v
        return result
    return power(x, 3) + power(y, 2)


@program([f32(3)])
def functions_that_return_functions(x):
    def outer(a):
        def middle(b):
            def inner(c):
                return a * b + c
            return inner
        return middle
    return outer(x)(2)(x)


@program([f32(3)])
def tuple_of_results_unpacked(x):
    def pair(v):
        return v + 1, v * 2
    a, b = pair(x)
    c, (d, e) = a, pair(b)
    return a + b + c * d * e


def _decorated(f):
    def wrapped(x):
        return f(x) * 10
    return wrapped


@_decorated
def decorated_helper(x):
    return x + 1


@program([f32(3)])
def helper_with_a_decorator(x):
    return decorated_helper(x)


@program([f32(3)])
def jit_function_inside_a_graph(x):
    return jitted_square(x) + jitted_square(x + 1)


@ms.jit
def jitted_square(x):
    return x * x
