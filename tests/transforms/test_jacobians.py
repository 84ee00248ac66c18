"""``jacfwd`` and ``jacrev``: MindSpore's results and forms, Hessians, errors."""
import numpy as np
import pytest

import graphcore as gc
from graphcore import Tensor, jacfwd, jacrev, nn, ops, vmap

A = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
ONES = np.ones((2, 2), np.float32)
both = pytest.mark.parametrize("jacobian", [jacfwd, jacrev], ids=["jacfwd", "jacrev"])


def same(found, expected, tolerance=1e-5):
    np.testing.assert_allclose(found.asnumpy(), expected, rtol=tolerance, atol=tolerance)


def diagonal(values):
    """The Jacobian of a pointwise function."""
    return np.diag(np.ravel(values)).reshape(np.shape(values) * 2)


class ThreeToTwo(nn.Cell):
    def construct(self, x, y, z):
        return x ** 2 + y ** 2 + z ** 2, x * y * z


@both
def test_the_example_of_the_documentation(way, jacobian):
    found, aux = jacobian(ThreeToTwo(), grad_position=0, has_aux=True)(Tensor(A), Tensor(A), Tensor(ONES))
    same(found, diagonal(2 * A))
    same(aux, A * A)


@both
def test_forms(way, jacobian):
    args = Tensor(A), Tensor(A), Tensor(ONES)
    by_output = jacobian(ThreeToTwo())(*args)
    assert len(by_output) == 2
    same(by_output[1], diagonal(A))
    (xx, xz), (yx, yz) = jacobian(ThreeToTwo(), grad_position=(0, 2))(*args)
    same(xx, diagonal(2 * A))
    same(xz, diagonal(2 * ONES))
    same(yx, diagonal(A))
    same(yz, diagonal(A * A))
    first, second = jacobian(lambda x, y: x @ y, (0, 1))(Tensor(A), Tensor(ONES))
    same(first, np.einsum("ik,lj->ijkl", np.eye(2), ONES))
    same(second, np.einsum("ik,jl->ijkl", A, np.eye(2)))
    same(jacobian(lambda x: (x ** 2).sum(), (0,))(Tensor(A)), 2 * A)


@both
def test_another_number_of_outputs(way, jacobian):
    def f(x):
        return ops.concat((x, x * 2, x.sum().reshape(1)))
    same(jacobian(f)(Tensor([1.0, 2.0])), [[1, 0], [0, 1], [2, 0], [0, 2], [1, 1]])


def test_hessians(way):
    def f(x):
        return (ops.sin(x) * x.sum()).sum()
    x = np.array([0.5, 2.0], np.float32)
    expected = np.add.outer(np.cos(x), np.cos(x)) - np.diag(np.sin(x) * x.sum())
    for found in (jacrev(gc.grad(f)), jacfwd(gc.grad(f)), jacfwd(jacrev(f)), jacrev(jacfwd(f)), jacrev(jacrev(f))):
        same(found(Tensor(x)), expected, 1e-4)
    same(vmap(jacfwd(lambda v: v ** 2))(Tensor(A)), np.stack([np.diag(2 * row) for row in A]))
    same(gc.jit(lambda v: jacrev(lambda u: u ** 2)(v))(Tensor(x)), np.diag(2 * x))


WRONG = {
    "position": (lambda j: j(lambda x: x, 1)(Tensor(1.0)), IndexError, "out of range"),
    "kind": (lambda j: j(lambda x: x, "0"), TypeError, "grad_position"),
    "flag": (lambda j: j(lambda x: x, 0, 1), TypeError, "has_aux"),
    "integer": (lambda j: j(lambda x: x)(Tensor(1)), gc.errors.GradientError, "only floats"),
    "number": (lambda j: j(lambda x: x)(1.0), gc.errors.GradientError, "float Tensor"),
    "one output": (lambda j: j(lambda x: x, has_aux=True)(Tensor(1.0)), ValueError, "more than one output"),
}


@both
@pytest.mark.parametrize("name", WRONG)
def test_errors(name, jacobian):
    call, kind, message = WRONG[name]
    with pytest.raises(kind, match=message):
        call(jacobian)
