"""``graphcore compile``: nets from Python files, from exported graphs and from ONNX models become libraries."""
from __future__ import annotations

import numpy as np
import pytest

import graphcore as gc
from graphcore import Tensor, nn

NET = """
from graphcore import nn
class Net(nn.Cell):
    def __init__(self):
        super().__init__()
        self.dense = nn.Dense(4, 3)
    def construct(self, x):
        return self.dense(x)
"""


class Net(nn.Cell):
    def __init__(self):
        super().__init__()
        self.dense = nn.Dense(4, 3)

    def construct(self, x):
        return self.dense(x)


def test_a_net_with_trained_weights_for_any_batch(command, file, tmp_path):
    net = Net()
    gc.save_checkpoint(net, str(tmp_path / "trained.ckpt"))
    path = file("net.py", NET)
    code, out, err = command("compile", f"{path}:Net", "--input", "f32[N,4]", "--ckpt", tmp_path / "trained.ckpt",
                             "--name", "net", "--level", "2", "--no-threads", "-o", "build")
    assert code == 0, err
    assert "build/net.so" in out and "v2: " in out and "of size 1" in out
    model = gc.load("build")
    for n in (2, 5):
        x = Tensor(np.random.default_rng(n).standard_normal((n, 4)).astype(np.float32))
        np.testing.assert_allclose(model(x).asnumpy(), net(x).asnumpy(), 1e-6, 1e-6)


def test_an_exported_graph(command, tmp_path):
    net, x = Net(), Tensor(np.ones((2, 4), np.float32))
    gc.export(net, x, file_name=str(tmp_path / "net"), file_format="GIR")
    assert command("compile", tmp_path / "net.gir", "--level", "2", "-o", "build")[0] == 0
    np.testing.assert_allclose(gc.load("build")(x).asnumpy(), net(x).asnumpy(), 1e-6, 1e-6)


def test_an_onnx_model(command, tmp_path):
    pytest.importorskip("onnx.helper")
    net, x = Net(), Tensor(np.ones((2, 4), np.float32))
    gc.export(net, x, file_name=str(tmp_path / "net"), file_format="ONNX")
    assert command("compile", tmp_path / "net.onnx", "--level", "2", "-o", "build")[0] == 0
    np.testing.assert_allclose(gc.load("build")(x).asnumpy(), net(x).asnumpy(), 1e-6, 1e-6)


def test_arguments_are_called_what_an_onnx_model_calls_them(command, tmp_path):
    pytest.importorskip("onnx.helper")
    from tests.onnx.models import model, node
    nodes = [node("Add", ["in put:0", "int"], ["sum.1"]), node("Neg", ["int"], ["y"])]
    sizes = ["n", 2]
    (tmp_path / "net.onnx").write_bytes(model(nodes, {"in put:0": sizes, "int": sizes}, {"y": sizes, "sum.1": sizes}))
    assert command("compile", tmp_path / "net.onnx", "--level", "2", "-o", "build")[0] == 0
    compiled = gc.load("build")
    assert [a.name for a in compiled.inputs] == ["in_put_0", "int_2"]
    assert [a.name for a in compiled.outputs] == ["y", "sum_1"]


def test_an_onnx_model_whose_input_is_a_shape_is_refused(command, tmp_path):
    pytest.importorskip("onnx.helper")
    from tests.onnx.models import model, node
    (tmp_path / "net.onnx").write_bytes(model([node("Reshape", ["x", "shape"], ["y"])], {"x": [4], "shape": (7, [2])},
                                              {"y": ["a", "b"]}))
    code, _, err = command("compile", tmp_path / "net.onnx", "-o", "build")
    assert code == 2 and "asks Python for the value of a tensor of type i64[]" in err and err.count("\n") == 1


@pytest.mark.parametrize("arguments, words", [
    (("none.gir",), "there is no file 'none.gir'"), (("none.onnx",), "there is no file 'none.onnx'"),
    (("none.py:Net",), "there is no file 'none.py'"), (("net.py:Net",), "0 inputs are given"),
    (("net.py:Net", "--input", "f32[2,4]", "--name", "int"), "cannot be the name of C functions"),
    (("net.py:Net", "--input", "f32[2,4]", "--output", "net.py"), "the folder net.py cannot be written: File exists"),
])
def test_what_is_not_right_is_one_line(command, file, arguments, words):
    file("net.py", NET)
    code, out, err = command("compile", "-o", "build", *arguments)
    assert code == 2 and out == "" and words in err and err.count("\n") == 1
