"""Initialisers: the distributions they draw from, seeds, names, and bad input."""
import numpy as np
import pytest

from graphcore import dtype as dt
from graphcore import initializer as init
from graphcore.errors import ShapeError
from graphcore.initializer import initializer
from graphcore.lazy import MetaTensor
from graphcore.parameter import Parameter
from graphcore.random import set_seed
from graphcore.tensor import Tensor


def values(kind, shape, dtype=dt.float32) -> np.ndarray:
    return initializer(kind, shape, dtype).init_data().asnumpy()


@pytest.mark.parametrize("kind, std, low, high", [
    (init.Normal(), 0.01, -0.06, 0.06), (init.Normal(2.0, 5.0), 2.0, -6, 16),
    (init.TruncatedNormal(1.0), 0.8796, -2.0001, 2.0001),
    (init.TruncatedNormal(1.0, 0.0, -1.0, 1.0), 0.5396, -1.0001, 1.0001),
    (init.Uniform(), 0.07 / 3 ** 0.5, -0.0701, 0.0701),
    (init.XavierUniform(), (2 / 750) ** 0.5, -0.0895, 0.0895), (init.XavierNormal(), (2 / 750) ** 0.5, -0.3, 0.3),
    (init.HeUniform(), (2 / 250) ** 0.5, -0.155, 0.155), (init.HeNormal(), (2 / 250) ** 0.5, -0.5, 0.5),
    (init.HeNormal(mode="fan_out", nonlinearity="relu"), (2 / 500) ** 0.5, -0.4, 0.4),
    (init.HeUniform(negative_slope=5 ** 0.5), (2 / 6 / 250) ** 0.5, -0.07, 0.07),
    (init.VarianceScaling(), (1 / 250) ** 0.5, -0.145, 0.145),
    (init.VarianceScaling(distribution="uniform"), (1 / 250) ** 0.5, -0.11, 0.11),
    (init.VarianceScaling(2.0, "fan_avg", "untruncated_normal"), (2 / 375) ** 0.5, -0.5, 0.5),
])
def test_distributions(kind, std, low, high):
    set_seed(3)
    drawn = values(kind, [500, 250])
    assert drawn.dtype == np.float32 and abs(drawn.std() / std - 1) < 0.02
    assert low < drawn.min() and drawn.max() < high
    assert abs(drawn.mean() - getattr(kind, "mean", 0.0)) < std * 0.02


def test_constants_and_identities():
    assert values("zeros", [2]).tolist() == [0, 0] and values("ones", [2]).tolist() == [1, 1]
    assert values(3, [2]).tolist() == [3, 3] and values(init.Constant(Tensor(2.0)), (1,)).tolist() == [2]
    assert values("identity", [2, 3]).tolist() == [[1, 0, 0], [0, 1, 0]]
    assert values(init.Dirac(2), [4, 2, 3]).tolist() == [[[0, 1, 0], [0, 0, 0]], [[0, 0, 0], [0, 1, 0]]] * 2
    assert values("dirac", [4, 2, 3, 3]).sum() == 2


def test_orthogonal_and_sparse():
    q = values(init.Orthogonal(2.0), [3, 4, 2]).reshape(3, 8)
    np.testing.assert_allclose(q @ q.T, 4 * np.eye(3), atol=1e-5)
    q = values("orthogonal", [8, 3])
    np.testing.assert_allclose(q.T @ q, np.eye(3), atol=1e-5)
    sparse = values(init.Sparse(0.3), [100, 20])
    assert ((sparse == 0).sum(0) == 30).all() and 0.005 < sparse[sparse != 0].std() < 0.015


@pytest.mark.parametrize("dtype", [dt.float16, dt.bfloat16, dt.float64, dt.int32])
def test_dtypes(dtype):
    tensor = initializer(init.Normal(10.0), [50], dtype).init_data()
    assert tensor.dtype is dtype and tensor.shape == (50,) and tensor._array.dtype == dtype.storage
    assert 5 < tensor.asnumpy().astype(np.float64).std() < 15


def test_scalars():
    assert values("normal", ()).shape == () and values("ones", ()) == 1 and values("ones", 3).shape == (3,)


@pytest.mark.parametrize("name", ["zeros", "zero", "ones", "one", "normal", "uniform", "truncatedNormal",
                                  "xavier_normal",
                                  "xavier_uniform", "XavierUniform", "he_uniform", "he_normal", "HeUniform",
                                  "orthogonal", "variancescaling", "identity"])
def test_names(name):
    assert initializer(name, [4, 3]).shape == (4, 3)


def test_lazy_tensor():
    lazy = initializer("normal", [2, 3])
    assert isinstance(lazy, MetaTensor) and lazy.has_init and isinstance(lazy.init, init.Normal)
    assert (lazy.shape, lazy.dtype) == ((2, 3), dt.float32)
    array = lazy.asnumpy()
    assert not lazy.has_init and lazy.init is None and (lazy.init_data().asnumpy() == array).all()
    given = Tensor([1.0, 2.0])
    assert initializer(given, [2]) is given
    assert isinstance(initializer("ones"), init.One)
    assert Tensor(shape=(2,), dtype=dt.float32, init=init.One()).asnumpy().tolist() == [1, 1]


def test_seed_repeats_whatever_the_order_of_use():
    set_seed(7)
    a, b = Parameter(initializer("normal", [3])), Parameter(initializer("normal", [3]))
    first = a.asnumpy().copy(), b.asnumpy().copy()
    set_seed(7)
    a, b = Parameter(initializer("normal", [3])), Parameter(initializer("normal", [3]))
    second = b.asnumpy().copy(), a.asnumpy().copy()
    assert (first[0] == second[1]).all() and (first[1] == second[0]).all() and (first[0] != first[1]).all()
    set_seed(8)
    assert (values("normal", [3]) != first[0]).all()


def test_one_initializer_for_several_tensors_gives_different_values():
    shared = init.Normal()
    assert (values(shared, [4]) != values(shared, [4])).all()
    shared.seed = 5
    assert (values(shared, [4]) == values(shared, [4])).all()


def test_own_initializers():
    class Ramp(init.Initializer):
        def _initialize(self, arr):
            arr[:] = np.random.uniform() + np.arange(arr.size).reshape(arr.shape)

    set_seed(1)
    p = Parameter(initializer(Ramp(), [2, 2]))
    assert not p.has_init, "it draws from NumPy's generator, so it runs at once"
    set_seed(1)
    np.testing.assert_array_equal(Parameter(initializer(Ramp, [2, 2])).asnumpy(), p.asnumpy())
    assert Ramp()(np.zeros((1, 2))).shape == (1, 2)


@pytest.mark.parametrize("kind, shape, error", [
    ("nope", [2], ValueError), ({}, [2], TypeError), ("ones", [2, -1], ShapeError), ("ones", [2, 0], ShapeError),
    ("ones", [1.5], ShapeError), ("xavier_uniform", [2], ShapeError), ("he_normal", [2], ShapeError),
    ("identity", [2], ShapeError), (init.Sparse(0.5), [2, 2, 2], ShapeError), (init.Orthogonal(), [4], ShapeError),
    (init.Dirac(3), [4, 2, 3], ShapeError), ("dirac", [4, 2], ShapeError), (Tensor([1.0]), [2], ShapeError),
])
def test_bad_input_is_refused_at_once(kind, shape, error):
    with pytest.raises(error):
        initializer(kind, shape)


@pytest.mark.parametrize("wrong", [{"scale": -1}, {"mode": "x"}, {"distribution": "x"}])
def test_variance_scaling_arguments(wrong):
    with pytest.raises(ValueError):
        init.VarianceScaling(**wrong)


def test_gains_and_fans():
    assert [init.calculate_gain(n) for n in ("linear", "sigmoid", "conv2d")] == [1, 1, 1]
    assert init.calculate_gain("tanh") == 5 / 3 and init.calculate_gain("relu") == 2 ** 0.5
    assert init.calculate_gain("leaky_relu") == (2 / 1.0001) ** 0.5
    assert init.calculate_gain("leaky_relu", 0.2) == (2 / 1.04) ** 0.5
    assert init._calculate_fan_in_and_fan_out([4, 3, 2, 2]) == (12, 16)
    assert init._calculate_correct_fan([2, 3], "fan_out") == 2
    for wrong in (lambda: init.calculate_gain("selu"), lambda: init._calculate_fan_in_and_fan_out([5]),
                  lambda: init._calculate_correct_fan([2, 3], "fan"), lambda: init.calculate_gain("leaky_relu", True)):
        with pytest.raises(ValueError):
            wrong()
