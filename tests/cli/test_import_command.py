"""``graphcore import``: what is printed, what is converted, what is refused."""
import numpy as np
import pytest

pytest.importorskip("onnx.helper")

import graphcore as gc  # noqa: E402
from graphcore import Tensor, nn  # noqa: E402
from tests.onnx.models import model, node  # noqa: E402

W = np.arange(12, dtype="f4").reshape(4, 3)


@pytest.fixture
def dense(tmp_path):
    path = tmp_path / "dense.onnx"
    path.write_bytes(model([node("Gemm", ["x", "w"], ["y"], transB=1)], {"x": ["batch", 3]}, {"y": ["batch", 4]},
                           {"w": W}))
    return path


def test_a_model_is_shown(command, dense):
    code, printed, _ = command("import", dense)
    assert code == 0
    assert printed.splitlines() == ["input     x  f32[batch,3]", "output    y  f32[batch,4]", "parameter w  f32[4,3]",
                                    "1 nodes, 1 Parameters of 12 elements"]


def test_a_model_is_converted(command, dense, tmp_path):
    x = np.ones((2, 3), "f4")
    assert command("import", dense, "--size", "batch=2", "-o", tmp_path / "out.gir")[0] == 0
    np.testing.assert_array_equal(nn.GraphCell(gc.load(str(tmp_path / "out.gir")))(Tensor(x)).asnumpy(), x @ W.T)
    assert command("import", dense, "-o", tmp_path / "again.onnx")[0] == 0
    again = gc.import_onnx(tmp_path / "again.onnx")
    assert again.model.inputs[0].sizes == ("batch", 3)
    np.testing.assert_array_equal(again(Tensor(x)).asnumpy(), x @ W.T)


@pytest.mark.parametrize("arguments, words", [
    (["missing.onnx"], "no file"), (["dense.onnx", "-o", "a.gir"], "--size batch=1"),
    (["dense.onnx", "--size", "batch"], "NAME=N")])
def test_what_cannot_be_is_one_line(command, dense, arguments, words):
    code, _, errors = command("import", *arguments)
    assert code == 2 and words in errors and errors.count("\n") == 1
