"""Pooling over three axes, compiled, against windows that are walked through one by one."""
import itertools

import numpy as np
import pytest

import graphcore as gc
from graphcore import Tensor, nn, ops
from graphcore.errors import ShapeError

X = np.random.RandomState(0).randn(2, 3, 5, 6, 4).astype(np.float32)


class Net(nn.Cell):
    def __init__(self, function, **settings):
        super().__init__()
        self.function, self.settings = function, settings

    def construct(self, x):
        return self.function(x, **self.settings)


def windows(x, shape, kernel, stride, padding, dilation):
    """(place of the result, the elements in its window, their places in the volume) for one channel [D, H, W]."""
    for place in itertools.product(*map(range, shape)):
        axes = [[p * s - before + i * d for i in range(k) if 0 <= p * s - before + i * d < n]
                for p, s, before, k, d, n in zip(place, stride, padding, kernel, dilation, x.shape)]
        indices = np.ravel_multi_index(np.meshgrid(*axes, indexing="ij"), x.shape).ravel()
        yield place, x.ravel()[indices], indices


@pytest.mark.parametrize("kernel, stride, padding, dilation, ceil", [
    ((2, 2, 2), (2, 2, 2), (0, 0, 0), (1, 1, 1), False),
    ((3, 2, 2), (2, 1, 2), (1, 1, 0), (1, 2, 1), False),
    ((2, 3, 2), (2, 2, 3), (1, 1, 1), (1, 1, 1), True),
])
def test_maxima_and_their_places(kernel, stride, padding, dilation, ceil):
    net = Net(ops.max_pool3d, kernel_size=kernel, stride=stride, padding=padding, dilation=dilation, ceil_mode=ceil,
              return_indices=True)
    maxima, places = (v.asnumpy() for v in net(Tensor(X)))
    assert places.dtype == np.int64
    for n, c in np.ndindex(X.shape[:2]):
        for place, values, indices in windows(X[n, c], maxima.shape[2:], kernel, stride, padding, dilation):
            assert maxima[(n, c, *place)] == values.max() and places[(n, c, *place)] == indices[values.argmax()]


@pytest.mark.parametrize("settings", [{"count_include_pad": False}, {"divisor_override": 5}])
def test_means(settings):
    kernel, stride, padding = (3, 2, 2), (2, 2, 1), (1, 1, 0)
    net = Net(ops.avg_pool3d, kernel_size=kernel, stride=stride, padding=padding, ceil_mode=True, **settings)
    means = net(Tensor(X)).asnumpy()
    for n, c in np.ndindex(X.shape[:2]):
        for place, values, _ in windows(X[n, c], means.shape[2:], kernel, stride, padding, (1, 1, 1)):
            expected = values.sum() / settings.get("divisor_override", len(values))
            np.testing.assert_allclose(means[(n, c, *place)], expected, rtol=1e-5, atol=1e-6)


def test_the_gradient_goes_to_the_places():
    net = Net(ops.max_pool3d, kernel_size=3, stride=2, padding=1)
    gradient = gc.grad(net)(Tensor(X)).asnumpy()
    _, places = ops.max_pool3d(Tensor(X), 3, 2, 1, return_indices=True)
    counts = np.zeros((*X.shape[:2], X[0, 0].size), np.float32)
    for n, c in np.ndindex(X.shape[:2]):
        np.add.at(counts[n, c], places.asnumpy()[n, c].ravel(), 1)
    np.testing.assert_array_equal(gradient, counts.reshape(X.shape))


def test_places_of_uneven_windows():
    maxima, places = Net(ops.adaptive_max_pool3d, output_size=(2, 4, 3), return_indices=True)(Tensor(X))
    np.testing.assert_array_equal(np.take_along_axis(X.reshape(2, 3, -1), places.asnumpy().reshape(2, 3, -1), 2),
                                  maxima.asnumpy().reshape(2, 3, -1))
    np.testing.assert_array_equal(maxima.asnumpy(), ops.adaptive_max_pool3d(Tensor(X), (2, 4, 3)).asnumpy())


@pytest.mark.parametrize("settings, message", [({"padding": 2}, "at most half"), ({"kernel_size": (2, 2)}, "three"),
                                               ({"kernel_size": 9}, "does not fit")])
def test_refused(settings, message):
    with pytest.raises(ShapeError, match=message):
        ops.max_pool3d(Tensor(X), **{"kernel_size": 2, **settings})
