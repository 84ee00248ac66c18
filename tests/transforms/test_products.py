"""``jvp`` and ``vjp``: MindSpore's results, forms of results, composition, errors, and every operator's jvp."""
import numpy as np
import pytest

import graphcore as gc
from graphcore import Parameter, Tensor, jvp, nn, ops, vjp, vmap
from graphcore import dtype as dt
from graphcore.capture.tape import ConcreteTrace
from graphcore.capture.transforms.products import push_forward
from graphcore.ops.dispatch import apply
from tests.ops.cases import RECORDS, cases

A = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
ONES = np.ones((2, 2), np.float32)


def same(found, expected, tolerance=1e-5):
    np.testing.assert_allclose(found.asnumpy(), expected, rtol=tolerance, atol=tolerance)


class Cubed(nn.Cell):
    def construct(self, x, y):
        return x ** 3 + y


def two(x, y):
    return 2 * x + y, y ** 3


def test_results_of_mindspore(way):
    out, pullback = vjp(lambda x: x ** 3, Tensor([1.0, 2.0]))
    found = pullback(Tensor([1.0, 1.0]))
    same(out, [1, 8])
    assert isinstance(found, tuple)
    same(found[0], [3, 12])
    out, along = jvp(lambda x: x ** 3, Tensor([1.0, 2.0]), Tensor([1.0, 1.0]))
    same(out, [1, 8])
    same(along, [3, 12])


def test_jvp_of_the_documentation(way):
    out, along = jvp(Cubed(), (Tensor(A), Tensor(A)), (Tensor(ONES), Tensor(ONES)))
    same(out, A ** 3 + A)
    same(along, 3 * A ** 2 + 1)
    out, along, aux = jvp(lambda x, y: (x ** 3 + y, y), [Tensor(A), Tensor(A)], (Tensor(ONES), Tensor(ONES)), True)
    same(along, 3 * A ** 2 + 1)
    same(aux, A)


def test_vjp_of_the_documentation(way):
    out, pullback = vjp(Cubed(), Tensor(A), Tensor(A))
    first, second = pullback(Tensor(ONES))
    same(first, 3 * A ** 2)
    same(second, ONES)
    out, pullback, aux = vjp(two, Tensor(A), Tensor(A), has_aux=True)
    first, second = pullback(Tensor(ONES))
    same(out, 3 * A)
    same(aux, A ** 3)
    same(first, 2 * ONES)
    same(second, ONES)


def test_several_outputs(way):
    (first, second), (along, along_second) = jvp(two, (Tensor(A), Tensor(A)), (Tensor(ONES), Tensor(2 * ONES)))
    same(along, 4 * ONES)
    same(along_second, 6 * A ** 2)
    outputs, pullback = vjp(two, Tensor(A), Tensor(A))
    of_x, of_y = pullback(Tensor(ONES), Tensor(A))
    same(of_x, 2 * ONES)
    same(of_y, 1 + 3 * A ** 3)


class Scale(nn.Cell):
    def __init__(self):
        super().__init__()
        self.w = Parameter(Tensor([2.0, 3.0]), name="w")

    def construct(self, x):
        return x * self.w


def test_weights(way):
    net = Scale()
    out, pullback = vjp(net, Tensor(A), weights=net.trainable_params())
    of_inputs, of_weights = pullback(Tensor(ONES))
    same(of_inputs[0], np.broadcast_to([2, 3], (2, 2)))
    same(of_weights[0], A.sum(0))


def test_they_compose(way):
    def f(x):
        return ops.sin(x) * x
    x, v = np.array([0.5, 2.0], np.float32), np.array([1.0, -1.0], np.float32)
    second = 2 * np.cos(x) - x * np.sin(x)
    same(jvp(gc.grad(f), Tensor(x), Tensor(v))[1], second * v)
    same(gc.grad(lambda a: jvp(f, a, Tensor(v))[1])(Tensor(x)), second * v)
    same(gc.jit(lambda a, t: jvp(f, a, t)[1])(Tensor(x), Tensor(v)), (np.sin(x) + x * np.cos(x)) * v)
    same(vmap(lambda a, t: jvp(f, a, t)[1])(Tensor(x), Tensor(v)), (np.sin(x) + x * np.cos(x)) * v)


def test_a_pullback_under_vmap_gives_the_jacobian(way):
    def jacobian(x):
        _, pullback = vjp(lambda a: a ** 2, x)
        return vmap(pullback)(Tensor(np.eye(2, dtype=np.float32)))[0]
    same(jacobian(Tensor([1.0, 3.0])), [[2, 0], [0, 6]])
    same(gc.jit(jacobian)(Tensor([1.0, 3.0])), [[2, 0], [0, 6]])


def test_one_tensor_for_two_arguments(way):
    def twice(x):
        return jvp(lambda a, b: a * b, (x, x), (x * 0 + 1, x * 0))[1]
    same(gc.jit(twice)(Tensor([2.0, 5.0])), [2, 5])


def test_through_a_loop(way):
    def root(a):
        x = a * 0 + 1.0
        while ops.abs(x * x - a) > 1e-5:
            x = x - (x * x - a) / (2 * x)
        return x
    same(jvp(root, Tensor(2.0), Tensor(1.0))[1], 0.5 / np.sqrt(2), 1e-3)


# -- errors -----------------------------------------------------------------------------------------------------------

WRONG = {
    "number": (lambda: jvp(lambda x: x, 1.0, Tensor(1.0)), TypeError, "inputs must be a Tensor"),
    "length": (lambda: jvp(lambda x: x, Tensor(1.0), (Tensor(1.0), Tensor(1.0))), ValueError, "invalid length"),
    "shape": (lambda: jvp(lambda x: x, Tensor(1.0), Tensor([1.0])), ValueError, "must agree"),
    "integer": (lambda: jvp(lambda x: x, Tensor(1), Tensor(1)), gc.errors.GradientError, "only floats"),
    "flag": (lambda: vjp(lambda x: x, Tensor(1.0), has_aux=1), TypeError, "has_aux"),
    "one output": (lambda: vjp(lambda x: x, Tensor(1.0), has_aux=True), ValueError, "more than one output"),
    "cotangent": (lambda: vjp(lambda x: x, Tensor(1.0))[1](Tensor([1.0])), ValueError, "must agree"),
    "too many": (lambda: vjp(lambda x: x, Tensor(1.0))[1](Tensor(1.0), Tensor(1.0)), ValueError, "takes 1 tensors"),
    "no float": (lambda: jvp(lambda x: x > 0, Tensor(1.0), Tensor(1.0)), gc.errors.GradientError, "no float Tensor"),
}


@pytest.mark.parametrize("name", WRONG)
def test_errors(name):
    call, kind, message = WRONG[name]
    with pytest.raises(kind, match=message):
        call()


# -- every operator ---------------------------------------------------------------------------------------------------

# Made by the compiler, after gradients are taken: they have none.
WITHOUT_GRADIENT = {"matmul_parts", "conv2d_grad_weight_parts", "depthwise_channels_last", "pixel_patches"}
# They compare their first two inputs for equality, so only the third can be moved.
ONLY_BY_THIRD = {"max_pool2d_grad", "max_pool2d_grad_grad"}


def _is_differentiable(case) -> bool:
    floats = [t for t in case.types if t.dtype.is_float]
    if case.record.vjp is None or case.record.random or any(t.dtype not in (dt.float32, dt.float64) for t in floats):
        return False
    return bool(floats) and case.record.infer(*case.types, **case.attrs).dtype.is_float and "dtype" not in case.attrs


def _cases():
    for record in RECORDS:
        if record.kind in ("structural", "region") or record.name in WITHOUT_GRADIENT:
            continue
        yield from [c for c in cases(record) if _is_differentiable(c)][:3]


@pytest.mark.parametrize("case", list(_cases()), ids=lambda c: c.label)
def test_jvp_against_finite_differences(case):
    generator = np.random.default_rng(3)
    floats = [2] if case.record.name in ONLY_BY_THIRD else [i for i, t in enumerate(case.types) if t.dtype.is_float]
    values = [case.arrays[i].astype(np.float64) for i in floats]
    directions = [generator.standard_normal(v.shape) for v in values]
    trace = ConcreteTrace("jvp")
    others = [Tensor(a.astype(np.float64) if t.dtype.is_float else a) for a, t in zip(case.arrays, case.types)]

    def function(*tensors):
        given = dict(zip(floats, tensors))
        return apply(case.record, *(given.get(i, a) for i, a in enumerate(others)), **case.attrs)

    with trace.active():
        inputs = [trace.add_concrete_input(f"x{i}", Tensor(v)) for i, v in enumerate(values)]
        tangents = [trace.add_concrete_input(f"t{i}", Tensor(d)) for i, d in enumerate(directions)]
        found = push_forward(function, inputs, tangents, False)[1].asnumpy()
    step = 1e-6
    ends = [function(*(Tensor(v + sign * step * d) for v, d in zip(values, directions))).asnumpy() for sign in (1, -1)]
    np.testing.assert_allclose(found, (ends[0] - ends[1]) / (2 * step), rtol=2e-4, atol=2e-6)
