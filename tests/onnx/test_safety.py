"""Files of strangers: external data stays in the model's folder, sizes are checked before memory is touched."""
import os
import re

import numpy as np
import pytest

pytest.importorskip("onnx.helper")

from onnx import ModelProto, TensorProto, helper  # noqa: E402

import graphcore as gc  # noqa: E402
from graphcore import Tensor  # noqa: E402
from graphcore.capture.compiled import capture_call  # noqa: E402
from graphcore.errors import FormatError  # noqa: E402
from graphcore.onnx import UnsupportedOnnxError  # noqa: E402
from tests.onnx.models import graph_of, model, node  # noqa: E402

W = np.arange(3, dtype="f4")


def beside(folder, location="data/w.bin", **entries):
    """A model whose weight lies in another file, which is there."""
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / "w.bin").write_bytes(b"1234" + W.tobytes())
    proto = ModelProto.FromString(model([node("Add", ["x", "w"], ["y"])], {"x": [3]}, {"y": [3]}, {"w": W}))
    tensor = proto.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in ({"location": location, "offset": 4, "length": 12} | entries).items():
        tensor.external_data.add(key=key, value=str(value))
    path = folder / "model.onnx"
    path.write_bytes(proto.SerializeToString())
    return path


def test_external_data_beside_the_model_is_read(tmp_path):
    net = gc.import_onnx(beside(tmp_path))
    np.testing.assert_array_equal(net.weights[0].asnumpy(), W)


@pytest.mark.parametrize("location, entries", [
    ("/etc/passwd", {}), ("../w.bin", {}), ("data/../../w.bin", {}), ("", {}), ("nothing.bin", {}), ("data", {}),
    ("data/w.bin", {"offset": -4}), ("data/w.bin", {"offset": 8}), ("data/w.bin", {"length": 16}),
    ("data/w.bin", {"offset": "x"})])
def test_external_data_elsewhere_is_refused(tmp_path, location, entries):
    (tmp_path / "w.bin").write_bytes(b"1234" + W.tobytes())
    (tmp_path / "inner").mkdir()
    with pytest.raises(FormatError, match="'w'"):
        gc.import_onnx(beside(tmp_path / "inner", location, **entries))


@pytest.mark.parametrize("linked", ["file", "folder"])
def test_external_data_behind_links_is_refused(tmp_path, linked):
    path = beside(tmp_path, "link.bin" if linked == "file" else "link/w.bin")
    if linked == "file":
        os.symlink(tmp_path / "data" / "w.bin", tmp_path / "link.bin")
    else:
        os.symlink(tmp_path / "data", tmp_path / "link")
    with pytest.raises(FormatError, match="link"):
        gc.import_onnx(path)


def test_what_is_no_model_is_named(tmp_path):
    (tmp_path / "text.onnx").write_text("no model")
    sound = model([node("Relu", ["x"], ["y"])], {"x": ["n", 2]}, {"y": None})
    assert repr(gc.import_onnx(sound)) == "OnnxCell(x: f32[n,2] -> y: f32[...])"
    for source, words in ((tmp_path / "text.onnx", "text.onnx is no ONNX model"), (b"", "this is no ONNX model"),
                          (ModelProto.FromString(sound), "not a ModelProto; give its SerializeToString()")):
        with pytest.raises(FormatError, match=re.escape(words)):
            gc.import_onnx(source)


def test_names_are_text():
    """Protobuf gives bytes for a name that is no UTF-8."""
    sound = model([node("Add", ["name", "weight"], ["result"])], {"name": [3]}, {"result": None}, {"weight": W})
    for name in (b"name", b"weight", b"result"):
        with pytest.raises(FormatError, match="name"):
            gc.import_onnx(sound.replace(name, b"\xff" * len(name)))


def test_bytes_have_no_external_data(tmp_path):
    with pytest.raises(FormatError, match="by its path"):
        gc.import_onnx(beside(tmp_path).read_bytes())


HUGE = np.array([2 ** 26, 2 ** 26])
GROWING = [
    ([node("ConstantOfShape", ["s"], ["y"])], {"s": HUGE}),
    ([node("Expand", ["x", "s"], ["y"])], {"s": np.array([2 ** 50, 2, 2])}),
    ([node("Tile", ["x", "s"], ["y"])], {"s": HUGE}),
    ([node("Range", ["a", "b", "c"], ["y"])], {"a": np.int64(0), "b": np.int64(2 ** 60), "c": np.int64(1)}),
    ([node("Pad", ["x", "s"], ["y"])], {"s": np.array([0, 2 ** 50, 0, 0])}),
    ([node("Pad", ["x", "s"], ["y"], mode="reflect")], {"s": np.array([0, 2 ** 40, 0, 0])}),
    ([node("Resize", ["x", "", "", "s"], ["y"])], {"s": HUGE}),
    ([node("Resize", ["x", "", "f"], ["y"], mode="cubic")], {"f": np.array([1e8, 1e8], "f4")}),
    ([node("OneHot", ["i", "d", "v"], ["y"])], {"i": np.array([0]), "d": np.int64(2 ** 60), "v": np.array([0, 1])}),
    ([node("Unsqueeze", ["x", "ax"], ["u"]), node("Conv", ["u", "w"], ["y"], pads=[2 ** 40, 0, 0, 0])],
     {"ax": np.array([0, 1]), "w": np.ones((1, 1, 1, 1), "f4")}),
    ([node("Concat", ["x"] + ["x"] * 1023, ["a"], axis=0), node("Transpose", ["a"], ["b"]),
      node("MatMul", ["a", "b"], ["c"]), node("Concat", ["c"] * 1024, ["y"], axis=1)], {})]


@pytest.mark.parametrize("nodes, constants", GROWING, ids=lambda v: v[0].op_type if isinstance(v, list) else "")
@pytest.mark.parametrize("capture", [False, True])
def test_results_are_limited_before_memory_is_touched(nodes, constants, capture):
    gc.set_context(mode=gc.PYNATIVE_MODE)
    net = gc.import_onnx(model(nodes, {"x": [2, 2]}, {"y": None}, constants), max_elements=1 << 20)
    x = Tensor(np.ones((2, 2), "f4"))
    with pytest.raises(FormatError, match="limit"):
        capture_call(net.construct, (x,), {}, "net", net) if capture else net(x)


def test_initialisers_are_limited_too():
    proto = ModelProto.FromString(model([node("Relu", ["x"], ["y"])], {"x": [1]}, {"y": [1]}, {"w": W}))
    proto.graph.initializer[0].dims[:] = [2 ** 31, 2 ** 31]
    with pytest.raises(FormatError, match="limit"):
        gc.import_onnx(proto.SerializeToString())
    proto.graph.initializer[0].dims[:] = [1] * 33
    with pytest.raises(FormatError, match="32 axes"):
        gc.import_onnx(proto.SerializeToString())


def test_subgraphs_and_functions_are_limited_in_depth():
    chain = graph_of([node("Relu", ["x"], ["z"])], {}, {"z": None})
    flat = graph_of([node("Relu", ["x"], ["z"])], {}, {"z": None})
    for _ in range(20):
        chain = graph_of([node("If", ["c"], ["z"], then_branch=chain, else_branch=flat)], {}, {"z": None})
    with pytest.raises(FormatError, match="deeper"):
        gc.import_onnx(model([node("If", ["c"], ["y"], then_branch=chain, else_branch=flat)],
                             {"x": [1], "c": (TensorProto.BOOL, [])}, {"y": None}))
    call = helper.make_node("Again", ["a"], ["b"], domain="mine")
    again = helper.make_function("mine", "Again", ["a"], ["b"], [call], [helper.make_opsetid("mine", 1)], [])
    with pytest.raises(FormatError, match="deeper"):
        gc.import_onnx(model([node("Again", ["x"], ["y"], domain="mine")], {"x": [1]}, {"y": None}, functions=[again],
                             domains=["mine"]))


def test_a_loop_that_python_runs_ends():
    gc.set_context(mode=gc.PYNATIVE_MODE)
    body = graph_of([node("Identity", ["c"], ["d"]), node("Identity", ["s"], ["t"])],
                    {"i": (7, []), "c": (9, []), "s": [1]}, {"d": (9, []), "t": [1]})
    net = gc.import_onnx(model([node("Loop", ["", "", "x"], ["y"], body=body)], {"x": [1]}, {"y": [1]}))
    with pytest.raises(FormatError, match="GRAPH_MODE"):
        net(Tensor(np.ones(1, "f4")))


def test_future_opsets_are_refused():
    with pytest.raises(UnsupportedOnnxError, match="newer"):
        gc.import_onnx(model([node("Relu", ["x"], ["y"])], {"x": [1]}, {"y": [1]}, opset=99))
