"""Exported nets: what is damaged or cannot be exported is said."""
import numpy as np
import pytest

import graphcore as gc
from graphcore import nn, ops
from graphcore.errors import FormatError
from graphcore.files import ckpt, safetensors_file
from graphcore.ir import parser, printer
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
    with pytest.raises(ExportError, match="changes the Parameter"):
        gc.export(Counts(), gc.Tensor([1.0]), file_name=str(tmp_path / "c"), file_format="GIR")


def hostile(folder, graph, first="# result: 0"):
    path = folder / "net.gir"
    path.write_text(f"{first}\n{graph}")
    return str(path)


X = "graph g(%x: f32[4], %y: f32[2]) -> f32[4] {"


@pytest.mark.parametrize("lines, message", [
    (f"{X}\n%1 = update_slice(%x, %y) {{begin=(3,), stride=(1,)}} : f32[4]\nreturn %1\n}}", "leave an axis of size 4"),
    (f"{X}\n%1 = slice(%x) {{begin=(0,), size=(-1,), stride=(9,)}} : f32[-1]\nreturn %x\n}}", "negative size"),
    (f"{X}\n%1 = relu(%y) : f32[4]\nreturn %1\n}}", r"its type should be f32\[2\]"),
    (f"{X}\n%1 = hook(%x) {{callback=0, label=\"\"}} : f32[4]\nreturn %1\n}}", "Python function"),
    (f"{X}\n%1 = all_to_all(%x) {{group=\"world\", size=1}} : f32[4]\nreturn %1\n}}", "other processes"),
    (f"{X}\n%1 = host_call(%x) {{callback=0, label=\"\", returns=False}} : ()\neffect %1\nreturn %x\n}}", "effects"),
    (f"{X}\n%1 = broadcast_to(%x) {{shape=(99999999999999,4)}} : f32[99999999999999,4]\nreturn %x\n}}\n", None),
    ("graph g(%x: u8[2]) -> u8[4] {\n%1 = place(%x) {begin=(0,), fill=inf, shape=(4,), stride=(1,)} : u8[4]\n"
     "return %1\n}",
     "uint8 does not hold inf"),
    ("graph g(%x: f32[N]) -> f32[N] {\nreturn %x\n}", "known sizes"),
    ("graph g(%x: f32[" + ",".join(["A+B+C+D+E+F+G+H"] * 32) + "]) -> f32[1] {\n%1 = reshape(%x) {shape=(1,)} : "
     "f32[1]\nreturn %1\n}", "256 terms"),
], ids=lambda v: "" if v is None else v[:40].replace("\n", " "))
def test_what_would_leave_its_arrays_is_refused(tmp_path, lines, message):
    path = hostile(tmp_path, lines)
    if message is None:         # nothing needs the value: it is not even there
        assert len(gc.load(path).graph.nodes) == 1
    else:
        with pytest.raises(FormatError, match=message):
            gc.load(path)


@pytest.mark.parametrize("first", ["[" * 40 + "0" + "]" * 40, "-1", "9", "[0, 9]", '{"a": 0}', "[0", "[0," * 40000])
def test_a_first_line_that_is_no_nest_of_results_is_refused(tmp_path, first):
    with pytest.raises(FormatError, match="first line"):
        gc.load(hostile(tmp_path, f"{X}\nreturn %x\n}}", f"# result: {first}"))


def test_weights_of_another_type_are_refused(tmp_path):
    path = exported(tmp_path)
    gc.save_checkpoint({"weight": gc.Tensor(np.ones((1, 1), np.float32)), "bias": gc.Tensor(np.ones(2, np.float32))},
                       str(tmp_path / "net.ckpt"))
    with pytest.raises(FormatError, match=r"f32\[1,1\] for the Parameter weight, but net.gir says f32\[2,3\]"):
        gc.load(str(path))
    cell = nn.GraphCell(gc.load(str(exported(tmp_path))), {"bias": gc.Tensor(np.ones(1, np.float32))})
    with pytest.raises(ValueError, match=r"bias was exported as f32\[2\]"):
        cell(gc.Tensor(np.ones((1, 3), np.float32)))


def test_small_texts_do_not_become_large_arrays(tmp_path, monkeypatch):
    """Compressed constants have a budget; the writer keeps to it, so what it writes can be read."""
    for module in (parser, printer):
        monkeypatch.setattr(module, "COMPRESSED_BYTES", 8192)
    small, large = (gc.Tensor(np.ones(n, np.float32)) for n in (1024, 2048))

    class Net(nn.Cell):
        def construct(self, x):
            return (x + small).sum() + (large * x).sum()

    x = gc.Tensor([1.0])
    gc.export(Net(), x, file_name=str(tmp_path / "net"), file_format="GIR")
    path = tmp_path / "net.gir"
    assert path.read_text().count(" zlib {") == path.read_text().count(" raw {") == 1
    assert nn.GraphCell(gc.load(str(path)))(x).asnumpy() == 4096
    monkeypatch.setattr(parser, "COMPRESSED_BYTES", 4095)
    with pytest.raises(FormatError, match="compressed constants"):
        gc.load(str(path))


def test_a_node_remembers_few_places(tmp_path):
    """What a hostile text says of one node's origins costs no more than reading it."""
    lines = [f"%{i} = relu(%x) : f32[4]  # a{i}:1" for i in range(1, 3000)]
    lines.append("%3000 = neg(%x) : f32[4]  # " + "  a" * 20000)
    graph = gc.load(hostile(tmp_path, "\n".join([X, *lines, "return %1", "}"]))).graph
    assert len(graph.origins.of(graph.outputs[0])) <= 16


def test_texts_and_files_have_a_budget_of_entries(tmp_path, monkeypatch):
    """Each value, tensor and parameter costs memory far beyond its bytes in the file."""
    monkeypatch.setattr(parser, "MAX_VALUES", 9)
    lines = [f"%{i} = relu(%x) : f32[4]" for i in range(1, 9)]
    assert gc.load(hostile(tmp_path, "\n".join([X, *lines[:7], "return %1", "}"])))
    with pytest.raises(FormatError, match="more than 9 values"):
        gc.load(hostile(tmp_path, "\n".join([X, *lines, "return %1", "}"])))
    net = nn.Dense(2, 1)
    for module, name, kind, limit in ((ckpt, "MAX_ENTRIES", "ckpt", 1),
                                      (safetensors_file, "_MOST_QUOTES", "safetensors", 9)):
        path = str(tmp_path / f"net.{kind}")
        gc.save_checkpoint(net, path)
        assert len(gc.load_checkpoint(path)) == 2
        monkeypatch.setattr(module, name, limit)
        with pytest.raises(FormatError, match="in several files"):
            gc.load_checkpoint(path)
