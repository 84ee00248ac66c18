"""Adaptive pooling takes one size for both axes, or one each, also where windows differ in size."""
import numpy as np
import pytest

from graphcore import Tensor, ops


@pytest.mark.parametrize("size, shape", [(1, (1, 1)), (2, (2, 2)), ((1, 1), (1, 1)), ((3, 2), (3, 2))])
def test_means_of_uneven_windows(size, shape):
    x = np.random.RandomState(0).randn(1, 2, 7, 5).astype(np.float32)
    result = ops.adaptive_avg_pool2d(Tensor(x), size).asnumpy()
    rows, columns = ([(i * n // parts, -(-(i + 1) * n // parts)) for i in range(parts)]
                     for n, parts in zip(x.shape[2:], shape))
    expected = np.array([[x[0, :, a:b, c:d].mean((1, 2)) for c, d in columns] for a, b in rows]).transpose(2, 0, 1)
    np.testing.assert_allclose(result[0], expected, rtol=1e-5, atol=1e-6)
