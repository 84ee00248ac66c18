"""Remainders with the sign of the divisor where division alone does not give them: by infinities, in float64."""
import numpy as np
import pytest

import graphcore as gc
from graphcore import Tensor, ops


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_kernels_give_what_numpy_gives(dtype):
    a = np.array([5, -5, 0, np.inf, np.nan, -4.5, 4.5, 7, 3], dtype)
    b = np.array([np.inf, np.inf, -np.inf, 2, 1, 2, -2, 0.25, -np.inf], dtype)
    with np.errstate(invalid="ignore"):
        wanted = np.mod(a, b)
    np.testing.assert_array_equal(gc.jit(ops.floor_mod)(Tensor(a), Tensor(b)).asnumpy(), wanted)


def test_an_empty_tensor_takes_other_shapes():
    reshaped = gc.jit(lambda x: ops.reshape(x, (3, 4, 0)))(Tensor(np.zeros((0, 3, 4), "f4")))
    assert reshaped.shape == (3, 4, 0)
