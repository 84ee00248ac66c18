"""Special functions: values against tables, gradients against differences, at once, on a tape and in a graph."""
import numpy as np
import pytest

import graphcore as gc
from graphcore import Tensor, nn, ops

POINTS = np.array([0.5, 1, 2, 4, 30])
# Values at POINTS of an independent library in double precision.
TABLE = {
    "bessel_i0": [1.0634833707413236, 1.2660658777520082, 2.279585302336067, 11.30192195213633, 781672297823.9775],
    "bessel_i0e": [0.6450352704491501, 0.46575960759364043, 0.308508322553671, 0.20700192122398672, 0.0731459464822373],
    "bessel_i1": [0.25789430539089636, 0.5651591039924851, 1.5906368546373295, 9.759465153704449, 768532038938.9569],
    "bessel_i1e": [0.15642080318487173, 0.2079104153497085, 0.2152692892489377, 0.1787508395024353,
                   0.07191633059864755],
    "bessel_j0": [0.938469807240813, 0.7651976865579665, 0.22389077914124, -0.39714980986385, -0.08636798358104],
    "bessel_j1": [0.24226845767487387, 0.44005058574493355, 0.57672480775688, -0.06604332802355, -0.11875106261662],
    "bessel_k0": [0.924419071227666, 0.4210244382407082, 0.1138938727495334, 0.011159676085853023,
                  2.1324774964630563e-14],
    "bessel_k0e": [1.5241093857739099, 1.1444630798068944, 0.8415682150707712, 0.6092976692566953,
                   0.22788666561625373],
    "bessel_k1": [1.6564411200033007, 0.6019072301972346, 0.13986588181652246, 0.012483498887268428,
                  2.1677320018915495e-14],
    "bessel_k1e": [2.7310097082117855, 1.636153486263258, 1.0334768470686888, 0.6815759451856709, 0.2316541293777118],
    "bessel_y0": [-0.4445187335067066, 0.08825696421567697, 0.51037567264975, -0.01694073932506, -0.11729573168666],
    "bessel_y1": [-1.4714723926702433, -0.7812128213002888, -0.10703243154094, 0.3979257105571, 0.08442557066174],
    "lgamma": [0.5723649429247001, 0.0, 0.0, 1.791759469228055, 71.25703896716801],
    "digamma": [-1.9635100260214229, -0.5772156649015328, 0.422784335098467, 1.2561176684318003, 3.384438132685525],
}


@pytest.mark.parametrize("name", TABLE)
def test_values(name):
    found = getattr(ops, name)(Tensor(POINTS, gc.float64)).asnumpy()
    np.testing.assert_allclose(found, TABLE[name], rtol=1e-12, atol=1e-14)


def test_the_edges():
    x = Tensor(np.array([0.0, -1.0, -0.5, -2.5, np.inf]), gc.float64)
    logarithms = [np.inf, np.inf, 1.2655121234846454, -0.056243716497674, np.inf]
    np.testing.assert_allclose(ops.lgamma(x).asnumpy(), logarithms, rtol=1e-12)
    np.testing.assert_allclose(ops.digamma(x).asnumpy()[:4], [-np.inf, np.nan, 0.03648997397857652, 1.103156640645243],
                               rtol=1e-12)
    np.testing.assert_allclose(ops.bessel_k0(x).asnumpy()[:2], [np.inf, np.nan])
    np.testing.assert_allclose(ops.bessel_y0(x).asnumpy()[:2], [-np.inf, np.nan])
    one, x = Tensor([1.0]), Tensor([0.0])
    assert ops.igamma(one, x).asnumpy() == 0 and ops.igammac(one, x).asnumpy() == 1
    assert np.isnan(ops.igamma(one, Tensor([-1.0])).asnumpy())
    assert ops.zeta(Tensor([1.0]), one).asnumpy() == np.inf and np.isnan(ops.zeta(Tensor([0.5]), one).asnumpy())
    assert ops.xdivy(Tensor([0.0, 3.0]), Tensor([0.0, 2.0])).asnumpy().tolist() == [0, 1.5]


def test_incomplete_gamma_and_zeta():
    a, x = Tensor(POINTS, gc.float64), Tensor(np.array([1.0, 1, 3, 2, 40]), gc.float64)
    below = ops.igamma(a, x).asnumpy()
    np.testing.assert_allclose(below, [0.84270079294971, 0.63212055882856, 0.80085172652854, 0.14287653950145,
                                       0.95677132], rtol=1e-8)
    np.testing.assert_allclose(below + ops.igammac(a, x).asnumpy(), 1, rtol=1e-12)
    one = Tensor(np.array([1.0]))
    np.testing.assert_allclose(ops.zeta(Tensor(np.array(2.0)), one).asnumpy(), np.pi**2 / 6, rtol=1e-12)
    np.testing.assert_allclose(ops.polygamma(1, one).asnumpy(), np.pi**2 / 6, rtol=1e-12)


def _slope(function, x, step=1e-4):
    return (function(Tensor(x + step)).asnumpy() - function(Tensor(x - step)).asnumpy()) / (2 * step)


@pytest.mark.parametrize("name", TABLE)
def test_gradients(name):
    function = getattr(ops, name)
    x = np.array([0.5, 1.3, 3.0])
    found = gc.grad(lambda v: function(v).sum())(Tensor(x))
    np.testing.assert_allclose(found.asnumpy(), _slope(function, x), rtol=1e-6)


def test_gradients_of_gradients():
    x = Tensor(np.array([0.5, 1.3, 3.0]))
    found = gc.grad(lambda v: gc.grad(lambda w: ops.lgamma(w).sum())(v).sum())(x)
    np.testing.assert_allclose(found.asnumpy(), ops.polygamma(1, x).asnumpy(), rtol=1e-10)


def test_gradients_of_second_arguments():
    a, x = Tensor(np.array([0.7, 2.0])), np.array([0.5, 3.0])
    for function in (lambda v: ops.igamma(a, v), lambda v: ops.igammac(a, v), lambda v: ops.zeta(a + 1.5, v)):
        found = gc.grad(lambda v, f=function: f(v).sum())(Tensor(x))
        np.testing.assert_allclose(found.asnumpy(), _slope(function, x), rtol=1e-6)


def test_in_a_graph_with_gradients():
    class Net(nn.Cell):
        def construct(self, x):
            return ops.lgamma(x * 2).sum() + ops.gcd(Tensor([12, 18]), 8).sum()

    x = Tensor([0.7, 1.5])
    value, gradient = gc.value_and_grad(Net())(x)
    np.testing.assert_allclose(value.asnumpy(), ops.lgamma(x * 2).asnumpy().sum() + 6, rtol=1e-6)
    np.testing.assert_allclose(gradient.asnumpy(), 2 * ops.digamma(x * 2).asnumpy(), rtol=1e-5)


def test_refusals_say_the_way_out():
    with pytest.raises(TypeError, match="gcd takes integers.*astype"):
        ops.gcd(Tensor([1.5]), Tensor([2.0]))
    with pytest.raises(TypeError, match="int16 or uint16"):
        ops.population_count(Tensor([1]))
    with pytest.raises(ValueError, match="p is an int of 1 or more"):
        ops.mvlgamma(Tensor([3.0]), 0)
