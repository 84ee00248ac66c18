"""What the tests of layers share: small inputs, comparison, and many Cells compiled as one program."""
import math

import numpy as np

from graphcore import Tensor, nn

IMAGES = (np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5) % 11).astype(np.float32)


def ramp(*shape):
    """A small tensor of whole numbers from -3 to 3."""
    return Tensor(((np.arange(math.prod(shape)).reshape(shape) % 7) - 3).astype(np.float32))


def count(*shape):
    """0, 1, 2, ... in that shape."""
    return np.arange(math.prod(shape), dtype=np.float32).reshape(shape)


VOLUME = IMAGES.reshape(1, 2, 3, 4, 5)


def close(result, expected, rtol=1e-5, atol=1e-5):
    np.testing.assert_allclose(result.asnumpy(), expected, rtol=rtol, atol=atol)


def check_together(cases):
    """Compile all of {name: (make, input, expected)} at once and compare."""
    results = results_of([make() for make, _, _ in cases.values()], [(x,) for _, x, _ in cases.values()])
    for result, (_, _, expected) in zip(results, cases.values()):
        assert result.shape == np.shape(expected)
        close(result, expected, atol=1e-4)


class Together(nn.Cell):
    """Calls each of `cells` with as many inputs as `counts` says, and returns all results."""

    def __init__(self, cells, counts):
        super().__init__()
        self.cells_in_turn, self.counts = nn.CellList(cells), tuple(counts)

    def construct(self, *inputs):
        results, start = (), 0
        for cell, count in zip(self.cells_in_turn, self.counts):
            results += (cell(*inputs[start:start + count]),)
            start += count
        return results


def results_of(cells, inputs):
    """The result of each Cell for its tuple of arrays, from one compiled program."""
    return Together(cells, map(len, inputs))(*[Tensor(array) for arrays in inputs for array in arrays])
