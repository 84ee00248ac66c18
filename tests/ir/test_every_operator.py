"""Every operator of the registry can be written, read back and verified."""
import numpy as np
import pytest

import graphcore.ops.records  # noqa: F401  registers all operators
from graphcore import dtype as dt
from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph
from graphcore.ir.parser import parse_graph
from graphcore.ir.printer import print_graph
from graphcore.ir.types import TensorType
from graphcore.ir.verifier import verify
from graphcore.ops.record import REGISTRY


def graphs(record):
    for number, (arrays, attrs) in enumerate(record.samples()):
        arrays = [np.asarray(a) for a in arrays]
        leaves = [ir.input_(f"x{i}", TensorType(dt.from_numpy(a.dtype), a.shape)) for i, a in enumerate(arrays)]
        yield Graph(f"{record.name}{number}", tuple(leaves), (record(*leaves, **attrs),))


@pytest.mark.parametrize("name", sorted(n for n, r in REGISTRY.items() if r.samples is not None))
def test_it_reads_back(name):
    for graph in graphs(REGISTRY[name]):
        text = print_graph(graph)
        again = parse_graph(text)
        assert again == graph and again.outputs[0] is graph.outputs[0]
        verify(again)
