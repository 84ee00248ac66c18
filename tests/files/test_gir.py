"""Exported nets: what is damaged or cannot be exported is said."""
import numpy as np
import pytest

import graphcore as gc
from graphcore import nn, ops
from graphcore.errors import FormatError
from graphcore.train.exporting import ExportError


def exported(folder):
    name = str(folder / "net")
    gc.export(nn.Dense(3, 2), gc.Tensor(np.ones((1, 3), np.float32)), file_name=name, file_format="GIR")
    return folder / "net.gir"


def test_a_compiled_graph_cell_gives_what_the_net_gave(tmp_path):
    net = nn.SequentialCell(nn.Dense(3, 4), nn.LayerNorm((4,)), nn.Dense(4, 2))
    x = gc.Tensor(np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3))
    gc.export(net, x, file_name=str(tmp_path / "net"), file_format="GIR")
    cell = nn.GraphCell(gc.load(str(tmp_path / "net.gir")))
    np.testing.assert_array_equal(cell(x).asnumpy(), net(x).asnumpy())
    step = nn.TrainOneStepCell(nn.WithLossCell(cell, nn.MSELoss()), nn.SGD(cell.trainable_params(), 0.1))
    target = gc.Tensor(np.ones((2, 2), np.float32))
    losses = [float(step(x, target).asnumpy()) for _ in range(4)]
    assert losses == sorted(losses, reverse=True)


def test_damaged_files(tmp_path):
    path = exported(tmp_path)
    text = path.read_text()
    path.write_text("something else\n" + text)
    with pytest.raises(FormatError, match="first line"):
        gc.load(str(path))
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FormatError, match="not text"):
        gc.load(str(path))
    path.write_text(text.replace("weight", "other"))
    with pytest.raises(FormatError, match="lacks the Parameters"):
        gc.load(str(path))


def test_inputs_of_other_types_are_refused(tmp_path):
    cell = nn.GraphCell(gc.load(str(exported(tmp_path))))
    with pytest.raises(ValueError, match="was exported as"):
        cell(gc.Tensor(np.ones((2, 3), np.float32)))
    with pytest.raises(ValueError, match="no Parameters"):
        nn.GraphCell(gc.load(str(tmp_path / "net.gir")), params_init={"nothing": gc.Tensor([1.0])})
    with pytest.raises(TypeError, match="load"):
        nn.GraphCell("net.gir")


class Counts(nn.Cell):
    def __init__(self):
        super().__init__()
        self.count = gc.Parameter(gc.Tensor(0.0), name="count")

    def construct(self, x):
        ops.assign_add(self.count, gc.Tensor(1.0))
        return x * self.count


def test_a_net_with_effects_cannot_be_exported(tmp_path):
    with pytest.raises(ExportError, match="changes Parameters"):
        gc.export(Counts(), gc.Tensor([1.0]), file_name=str(tmp_path / "c"), file_format="GIR")
