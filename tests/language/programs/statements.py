"""Statements, expressions, strings and builtins, probed one by one on x = Tensor(2.0)."""
from functools import partial

import mindspore as ms
from mindspore import Tensor, nn, ops

from tests.language.table import Fails, count, f32, i32, program, script

probe = partial(program, [f32(2)], gradients=False)
COUNTER = 1


@probe(expected=[2], why="MindSpore refuses del [limit]")
def delete_a_name(x):
    y = 2
    z = y
    del y
    return z


@program([f32(2)], [f32(-5)], expected=[f32(3), f32(-5)], why="MindSpore refuses the walrus [limit]")
def walrus(x):
    if (y := x + 1) > 0:
        return y
    return x


@program([f32(2), 1], [f32(2), 2], [f32(2), 3], expected=[f32(4), f32(6), f32(2)],
         why="MindSpore refuses match [limit]")
def match_on_a_number(x, mode):
    match mode:
        case 1:
            return x * 2
        case 2:
            return x * 3
    return x


@probe()
def f_string(x):
    s = f"{1}a"
    return x, s


@probe(expected=["3.14 's' ()"], why="MindSpore ignores formats in f-strings [defect]")
def f_string_with_format(x):
    k = 3.14159
    return f"{k:.2f} {'s'!r} {x.shape}"


@probe(expected=[f32(7)], why="MindSpore refuses import in a body [limit]")
def import_inside(x):
    import math
    return x + math.floor(5.5)


@probe()
def starred_assignment(x):
    a, *b = (1, 2, 3)
    *c, d = [4, 5, 6]
    return a, b, c, d


@program([f32(2)])
def annotated_assignment(x):
    y: int = 3
    return x + y


@program([f32(2)], finite=False)
def augmented_assignments(x):
    x += 1
    x **= 2
    x //= 2
    return x


@program([f32(2)], expected=[(f32(2), f32(-1.5))], why="MindSpore writes into x, which y was bound to [defect]")
def more_augmented_assignments(x):
    y = x
    y -= 5
    y *= x
    y /= 4
    return x, y


@program([i32(11)])
def int_augmented_assignments(n):
    n %= 7
    n *= 3
    n -= 1
    n //= 2
    return n


@probe()
def ellipsis_as_a_value(x):
    return x[...]


@probe()
def joined_strings(x):
    return "a" "b"


@probe()
def only_pass(x):
    pass


@probe()
def inverted_comparison(x):
    return ~(x > 0)


@probe()
def bitwise_and_of_comparisons(x):
    return (x > 1) & (x < 3)


@program([f32(2)])
def chained_assignment(x):
    a = b = x
    return a + b


@probe()
def name_that_looks_like_a_keyword(x):
    nonlocal_ = 1
    return nonlocal_


@probe()
def list_of_everything(x):
    return [x, 1, "s", None, True, (2.5,)]


@probe()
def dtype_as_a_result(x):
    return ms.float32, x.dtype


@probe()
def python_numbers_of_tensors(x):
    return int(x), float(x), bool(x)


@program([f32(2)], [f32(5)], gradients=False)
def python_number_of_a_tensor_used(x):
    n = int(x)
    return x * n + len([0] * n)


@probe()
def builtins_of_numbers(x):
    return max(1, 2), min((3, 4)), abs(-1), pow(2, 3), round(2.6), sum((1, 2)), divmod(7, 2)


@probe()
def all_and_any(x):
    return all((True, False)), any((True, False))


@program([f32(2), f32(3)])
def builtins_of_tensors(x, y):
    return abs(-x), max(x, y), min(x, y), sum((x, y)), x ** 2, pow(x, y)


@probe()
def isinstance_checks(x):
    return isinstance(x, Tensor), isinstance(x, (Tensor, int)), isinstance(3, int), isinstance((1,), (list, tuple))


@probe()
def hasattr_and_getattr(x):
    return hasattr(x, "shape"), getattr(x, "ndim"), getattr(x, "nothing", 5)  # noqa: B009


@probe()
def string_methods(x):
    return "abc".upper(), "a,b".split(","), "%d" % 3, "{}".format(2), "-".join(["a", "b"]), "abc".startswith("a")  # noqa: UP031, UP032


@probe()
def class_name(x):
    return int.__name__


@probe()
def numbers_by_item(x):
    return x.item(), x.tolist()


@probe()
def shape_of_a_random_tensor(x):
    return ops.randn(2).shape


@probe(expected=[2], why="a constant expression")
def eval_of_a_constant(x):
    return eval("1+1")


@probe(expected=[(1, 2)], why="MindSpore returns (1, (2,)) [defect]")
def next_of_an_iterator(x):
    it = iter((1, 2))
    return next(it), next(it)


@program([f32([1, 2])])
def range_and_enumerate_of_builtins(x):
    total = 0
    for i, k in enumerate(range(2, 8, 3), 1):
        total = total + i * k
    return x * total


@program([f32(2)], expected=[f32(8)], why="MindSpore refuses classes in a body [limit]")
def class_inside(x):
    class A:
        factor = 4
    return x * A.factor


@program([f32(2)], expected=[f32(3)], why="MindSpore refuses try [limit]")
def try_without_an_error(x):
    try:
        y = x + 1
    except ValueError:
        y = x
    return y


@program([f32(2)], expected=[f32(20)], why="MindSpore refuses try [limit]")
def try_with_an_error_of_python(x):
    try:
        d = {"a": 1}
        y = x + d["missing"]
    except KeyError:
        y = x * 10
    finally:
        z = y
    return z


@program([f32(2)], expected=[f32(3)], why="MindSpore refuses with [limit]")
def with_statement(x):
    with open("/dev/null") as f:
        y = x + 1 + len(f.read())
    return y


@script(expected=(f32(2), 2, f32(3), 3), why="as Python; MindSpore ignores the write [defect]")
def write_of_a_global():
    class Net(nn.Cell):
        def construct(self, x):
            global COUNTER
            COUNTER = COUNTER + 1
            return x * COUNTER
    global COUNTER
    COUNTER = 1
    net = Net()
    first = net(Tensor(1.0))
    seen = COUNTER
    second = net(Tensor(1.0))
    return first, seen, second, COUNTER


@script(expected=[1.0, 2.0], why="once per call, as in Python")
def append_to_an_outer_list():
    log = []
    class Net(nn.Cell):
        def construct(self, x):
            log.append(len(log) + 1.0)
            return x
    net = Net()
    net(Tensor(1.0))
    net(Tensor(1.0))
    return log


@probe(expected=[Fails(NameError)], why="as in Python")
def unknown_name(x):
    return x + nowhere_defined  # noqa: F821


@script(expected=Fails(AttributeError, "nope"), why="as in Python")
def unknown_attribute():
    class Net(nn.Cell):
        def construct(self, x):
            return x + self.nope
    return Net()(Tensor(1.0))


@script(expected=Fails(AttributeError, "construct"), why="a Cell needs a construct")
def missing_construct():
    class Net(nn.Cell):
        pass
    return Net()(Tensor(1.0))


@probe()
def slice_objects(x):
    return slice(1, 2)


@program([count(4)])
def slice_object_as_an_index(x):
    s = slice(1, 3)
    return x[s]


@program([f32(2)])
def numbers_of_all_kinds(x):
    return x * 1e1 + 0x10 + 1_000 - True


@program([f32([[1, 2], [3, 4]]), f32([1, -1])])
def matmul_operator(x, y):
    return x @ y, x @ x


@program([i32(6)])
def shifts_and_bit_operators(n):
    return n & 3, n | 8, n ^ 5


@probe(expected=[Fails(TypeError)], why="floats have no shifts")
def shift_of_a_float(x):
    return x << 1


@probe(expected=[Fails(ValueError)], why="a matrix product needs axes")
def matmul_of_scalars(x):
    return x @ x


@program([f32(2)])
def unary_operators(x):
    return -x, +x, -(-x)  # noqa: B002


@program([f32(7), f32(2)], expected_gradients=[(f32(1.3571428), f32(-8.75))],
         why="MindSpore has no gradient of a number % a Tensor [defect]")
def division_operators(x, y):
    return x / y, x // y, x % y, 7 / x, 9 // y, 9 % y
