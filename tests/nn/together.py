"""Many Cells compiled as one program: as thorough as one by one, and much quicker."""
from graphcore import Tensor, nn


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
