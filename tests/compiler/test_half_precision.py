"""16-bit floats: computed in float32, stored in 16 bits, and rounded where a script casts to them."""
from __future__ import annotations

import numpy as np
import pytest

import graphcore as gc
from graphcore import Tensor
from graphcore import dtype as dt


@pytest.mark.parametrize("dtype", [dt.float16, dt.bfloat16], ids=str)
def test_a_cast_rounds_also_inside_a_fused_kernel(dtype):
    @gc.jit
    def through(x):
        return x.astype(dtype).astype(dt.float32)

    x = np.random.RandomState(0).randn(100).astype(np.float32)
    if dtype is dt.float16:
        expected = x.astype(np.float16).astype(np.float32)
    else:
        expected = dt.bfloat16_to_float32(dt.float32_to_bfloat16(x))
    np.testing.assert_array_equal(through(Tensor(x)).asnumpy(), expected)
