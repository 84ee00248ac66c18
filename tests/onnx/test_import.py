"""Imported models as Cells: values, training, shapes that are computed, control flow, functions, refusals."""
import sys

import numpy as np
import pytest

pytest.importorskip("onnx.helper")

from onnx import TensorProto, helper  # noqa: E402

import graphcore as gc  # noqa: E402
from graphcore import Tensor, nn, ops  # noqa: E402
from graphcore.errors import FormatError, ShapeError  # noqa: E402
from graphcore.onnx import UnsupportedOnnxError  # noqa: E402
from tests.onnx.models import graph_of, model, node  # noqa: E402

RANDOM = np.random.default_rng(3)
W, B = RANDOM.standard_normal((4, 3)).astype("f4"), RANDOM.standard_normal(4).astype("f4")
BOOL, INT64 = TensorProto.BOOL, TensorProto.INT64


def values(*shape):
    return RANDOM.standard_normal(shape).astype("f4")


def dense():
    return gc.import_onnx(model([node("Gemm", ["x", "layer/w:0", "b"], ["h"], transB=1), node("Relu", ["h"], ["y"])],
                                {"x": ["batch", 3]}, {"y": ["batch", 4]}, {"layer/w:0": W, "b": B}))


@pytest.mark.parametrize("mode", [gc.GRAPH_MODE, gc.PYNATIVE_MODE])
def test_a_model_is_a_cell_that_can_be_trained(mode):
    gc.set_context(mode=mode)
    net, x = dense(), values(5, 3)
    assert [p.name for p in net.trainable_params()] == ["layer_w_0", "b"]
    np.testing.assert_allclose(net(Tensor(x)).asnumpy(), np.maximum(x @ W.T + B, 0), rtol=1e-5, atol=1e-6)
    loss = gc.value_and_grad(lambda x: ops.sum(net(x) ** 2), None, net.trainable_params())
    before, gradients = loss(Tensor(x))
    h = x @ W.T + B
    np.testing.assert_allclose(gradients[1].asnumpy(), (2 * np.maximum(h, 0)).sum(0), rtol=1e-4)
    step = nn.TrainOneStepCell(nn.WithLossCell(net, nn.MSELoss()), nn.SGD(net.trainable_params(), 0.01))
    first = float(step(Tensor(x), Tensor(np.zeros((5, 4), "f4"))))
    assert float(step(Tensor(x), Tensor(np.zeros((5, 4), "f4")))) < first and float(before) > 0


def test_an_imported_cell_is_part_of_other_cells():
    class Net(nn.Cell):
        def __init__(self):
            super().__init__()
            self.inner = dense()

        def construct(self, x):
            return self.inner(x) + 1

    x = values(2, 3)
    net = Net()
    assert [p.name for p in net.get_parameters()] == ["inner.layer_w_0", "inner.b"]
    np.testing.assert_allclose(net(Tensor(x)).asnumpy(), np.maximum(x @ W.T + B, 0) + 1, rtol=1e-5)


def flattening():
    """Reshape to [batch, -1] as exporters write it: the batch is taken out of the shape."""
    nodes = [node("Shape", ["x"], ["s"]), node("Gather", ["s", "zero"], ["n"]),
             node("Unsqueeze", ["n", "axis"], ["n1"]), node("Concat", ["n1", "rest"], ["wanted"], axis=0),
             node("Reshape", ["x", "wanted"], ["y"])]
    return gc.import_onnx(model(nodes, {"x": ["batch", 2, 3]}, {"y": ["batch", 6]}, {
        "zero": np.int64(0), "axis": np.array([0]), "rest": np.array([-1])}))


def test_shapes_that_are_computed_are_numbers():
    net = flattening()
    x = values(4, 2, 3)
    np.testing.assert_array_equal(net(Tensor(x)).asnumpy(), x.reshape(4, 6))
    graph = gc.ir_text(net)
    assert "reshape" in graph and "gather" not in graph


def test_symbolic_sizes_stay_symbolic():
    net = flattening()
    net.set_inputs(Tensor(shape=[None, 2, 3], dtype=gc.float32))
    for n in (2, 5, 7):
        assert net(Tensor(values(n, 2, 3))).shape == (n, 6)
    assert net._compiled.programs == 1


def test_shapes_are_computed_from_symbolic_sizes_in_the_ways_of_exporters():
    """Through int32, the larger of a size and 1, a choice between a size and -1, slices to a far end."""
    nodes = [node("Shape", ["x"], ["s"]), node("Cast", ["s"], ["s32"], to=TensorProto.INT32),
             node("Slice", ["s32", "zero", "one"], ["n"]), node("Concat", ["n", "three"], ["w"], axis=0),
             node("Cast", ["w"], ["w64"], to=TensorProto.INT64), node("Max", ["w64", "ones"], ["m"]),
             node("Equal", ["m", "minus"], ["e"]), node("Where", ["e", "ones", "m"], ["wanted"]),
             node("Expand", ["x", "wanted"], ["a"]), node("Slice", ["a", "zero", "far"], ["y"])]
    net = gc.import_onnx(model(nodes, {"x": ["batch", 1]}, {"y": ["batch", 3]}, {
        "zero": np.array([0]), "one": np.array([1]), "three": np.array([3], np.int32), "ones": np.array([1, 1]),
        "minus": np.array([-1, -1]), "far": np.array([10 ** 9])}))
    net.set_inputs(Tensor(shape=[None, 1], dtype=gc.float32))
    for n in (2, 5):
        x = values(n, 1)
        np.testing.assert_array_equal(net(Tensor(x)).asnumpy(), x.repeat(3, 1))
    assert net._compiled.programs == 1


def test_inputs_that_decide_shapes_are_constants():
    net = gc.import_onnx(model([node("Reshape", ["x", "s"], ["y"])], {"x": [6], "s": (INT64, ["k"])}, {"y": None}))
    x = values(6)
    for shape in ([2, 3], [3, -1], [2, 3]):
        np.testing.assert_array_equal(net(Tensor(x), Tensor(np.array(shape))).asnumpy(), x.reshape(shape))
    assert net._compiled.programs == 2


# -- control flow -----------------------------------------------------------------------------------------------

def conditional():
    branch = [graph_of([node(op, ["x", "w"], ["z"])], {}, {"z": None}) for op in ("Mul", "Add")]
    return gc.import_onnx(model([node("ReduceSum", ["x"], ["t"], keepdims=0), node("Greater", ["t", "zero"], ["c"]),
                                 node("If", ["c"], ["y"], then_branch=branch[0], else_branch=branch[1])],
                                {"x": [3]}, {"y": [3]}, {"w": values(3), "zero": np.float32(0)}))


def test_an_if_on_data_is_one_program():
    net = conditional()
    w = net.weights[0].asnumpy()
    for x in (np.ones(3, "f4"), -np.ones(3, "f4")):
        np.testing.assert_allclose(net(Tensor(x)).asnumpy(), x * w if x.sum() > 0 else x + w, rtol=1e-6)
    assert net._compiled.programs == 1


def test_a_branch_that_needs_a_value_is_decided_by_asking():
    """One branch takes the shape that a sum says, the other makes no sense for vectors."""
    then = graph_of([node("Reshape", ["x", "n"], ["z"])], {}, {"z": None})
    other = graph_of([node("MatMul", ["m", "x"], ["z"])], {}, {"z": None}, {"m": np.ones((2, 5), "f4")})
    net = gc.import_onnx(model([node("ReduceSum", ["x"], ["t"], keepdims=0), node("Cast", ["t"], ["i"], to=7),
                                node("Unsqueeze", ["i", "axis"], ["n0"]), node("Concat", ["n0", "rest"], ["n"], axis=0),
                                node("Greater", ["t", "zero"], ["c"]),
                                node("If", ["c"], ["y"], then_branch=then, else_branch=other)],
                               {"x": [6]}, {"y": None},
                               {"zero": np.float32(0), "axis": np.array([0]), "rest": np.array([-1])}))
    for total, shape in ((2, (2, 3)), (3, (3, 2)), (2, (2, 3))):
        assert net(Tensor(np.array([total, 0, 0, 0, 0, 0], "f4"))).shape == shape
    with pytest.raises(FormatError, match="MatMul"):
        net(Tensor(-np.ones(6, "f4")))


def counting(trips, condition, step, stacked=True):
    """x doubled at each iteration; the body's condition is `step`; what x was is stacked."""
    body = graph_of([node("Mul", ["x_in", "two"], ["x_out"]), *step, node("Identity", ["x_in"], ["row"])],
                    {"i": (INT64, []), "c_in": (BOOL, []), "x_in": [2]},
                    {"c_out": (BOOL, []), "x_out": [2]} | ({"row": [2]} if stacked else {}), {"two": np.float32(2)})
    outputs = ["y", "rows"] if stacked else ["y"]
    return gc.import_onnx(model([node("Loop", [trips, condition, "x"], outputs, body=body)],
                                {"x": [2], "n": (INT64, [])}, {k: None for k in outputs}, {"k": np.int64(40)}))


PASS_ON = [node("Identity", ["c_in"], ["c_out"])]
WHILE_SMALL = [node("ReduceMax", ["x_out"], ["m"], keepdims=0), node("Less", ["m", "two"], ["c_out"])]


@pytest.mark.parametrize("mode", [gc.GRAPH_MODE, gc.PYNATIVE_MODE])
@pytest.mark.parametrize("trips, step, stacked, wanted", [
    ("k", PASS_ON, True, 40), ("n", PASS_ON, True, 5), ("n", PASS_ON, False, 5), ("n", WHILE_SMALL, False, 2)])
def test_loops(mode, trips, step, stacked, wanted):
    gc.set_context(mode=mode)
    net, x = counting(trips, "", step, stacked), np.array([0.5, 0.25], "f4")
    results = net(Tensor(x), Tensor(np.int64(5)))
    y, rows = results if stacked else (results, None)
    np.testing.assert_allclose(y.asnumpy(), x * 2.0 ** wanted)
    if stacked:
        np.testing.assert_allclose(rows.asnumpy(), x * 2.0 ** np.arange(wanted)[:, None])


def test_a_scan():
    body = graph_of([node("Add", ["s", "e"], ["t"]), node("Identity", ["t"], ["row"])], {"s": [2], "e": [2]},
                    {"t": [2], "row": [2]})
    net = gc.import_onnx(model([node("Scan", ["s0", "x"], ["last", "rows"], body=body, num_scan_inputs=1)],
                               {"s0": [2], "x": [5, 2]}, {"last": [2], "rows": [5, 2]}))
    x = values(5, 2)
    last, rows = net(Tensor(np.zeros(2, "f4")), Tensor(x))
    np.testing.assert_allclose(rows.asnumpy(), x.cumsum(0), rtol=1e-5)
    np.testing.assert_allclose(last.asnumpy(), x.sum(0), rtol=1e-5)


def test_a_recurrence_of_open_length_is_one_program():
    w, r = values(1, 8, 3), values(1, 8, 2)
    net = gc.import_onnx(model([node("LSTM", ["x", "w", "r"], ["y", "h"], hidden_size=2)], {"x": ["time", "n", 3]},
                               {"y": None, "h": None}, {"w": w, "r": r}))
    net.set_inputs(Tensor(shape=[None, None, 3], dtype=gc.float32))
    for length in (4, 7):
        x = Tensor(values(length, 2, 3))
        found = [t.asnumpy() for t in net(x)]
        gc.set_context(mode=gc.PYNATIVE_MODE)
        for a, b in zip(found, net(x), strict=True):
            np.testing.assert_allclose(a, b.asnumpy(), rtol=1e-5, atol=1e-6)
        gc.set_context(mode=gc.GRAPH_MODE)
    assert net._compiled.programs == 1


def test_functions_of_the_model():
    scaled = helper.make_function("mine", "Scaled", ["a"], ["b"], [helper.make_node("LeakyRelu", ["a"], ["b"])],
                                  [helper.make_opsetid("", 17)], ["alpha"])
    attribute = scaled.node[0].attribute.add()
    attribute.name, attribute.ref_attr_name, attribute.type = "alpha", "alpha", 1
    net = gc.import_onnx(model([node("Scaled", ["x"], ["y"], domain="mine", alpha=0.5)], {"x": [2]}, {"y": [2]},
                               functions=[scaled], domains=["mine"]))
    np.testing.assert_allclose(net(Tensor(np.array([1, -1], "f4"))).asnumpy(), [1, -0.5])


@pytest.mark.parametrize("mode", [gc.GRAPH_MODE, gc.PYNATIVE_MODE])
def test_random_numbers_are_new_in_every_call(mode):
    gc.set_context(mode=mode)
    net = gc.import_onnx(model([node("RandomNormal", [], ["n"], shape=[1000], mean=2.0, scale=3.0),
                                node("Dropout", ["x", "r", "t"], ["d", "m"]), node("RandomUniformLike", ["x"], ["u"])],
                               {"x": [1000]}, {"n": None, "d": None, "m": (BOOL, None), "u": None},
                               {"r": np.float32(0.25), "t": np.bool_(True)}))
    first, second = ([t.asnumpy() for t in net(Tensor(np.ones(1000, "f4")))] for _ in range(2))
    assert not any(np.array_equal(a, b) for a, b in zip(first, second))
    normal, dropped, mask, uniform = first
    assert abs(normal.mean() - 2) < 0.5 and abs(normal.std() - 3) < 0.5
    np.testing.assert_allclose(dropped, mask / 0.75, rtol=1e-6)
    assert abs(mask.mean() - 0.75) < 0.1 and 0 <= uniform.min() < 0.05 and 0.95 < uniform.max() < 1


# -- refusals ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("nodes, error, words", [
    ([node("Unheard", ["x"], ["y"], name="n1")], UnsupportedOnnxError, ["Unheard", "n1"]),
    ([node("Relu", ["x"], ["y"], slope=1.0, name="n2")], UnsupportedOnnxError, ["Relu", "slope", "n2"]),
    ([node("Concat", ["x"], ["y"], name="n3")], FormatError, ["Concat", "axis", "n3"]),
    ([node("Relu", ["gone"], ["y"], name="n4")], FormatError, ["gone", "n4"]),
    ([node("Relu", ["b"], ["a"]), node("Relu", ["a"], ["b"]), node("Add", ["a", "x"], ["y"])], FormatError, ["circle"]),
    ([node("Relu", ["x"], ["y"]), node("Abs", ["x"], ["y"])], FormatError, ["'y'", "already"]),
    ([node("Relu", ["x"], ["z"])], FormatError, ["outputs", "y"]),
    ([node("Add", ["x"], ["y"])], FormatError, ["1 inputs"])])
def test_what_makes_no_sense_is_refused_at_import(nodes, error, words):
    with pytest.raises(error) as caught:
        gc.import_onnx(model(nodes, {"x": [2]}, {"y": [2]}))
    assert all(word in str(caught.value) for word in words)


def test_sizes_that_exporters_do_not_know_are_open():
    net = gc.import_onnx(model([node("Relu", ["x"], ["y"])], {"x": [-1, "?", 2]}, {"y": None}))
    assert net.model.inputs[0].sizes == (None, None, 2) and str(net.model.inputs[0]) == "f32[?,?,2]"
    assert net(Tensor(values(3, 4, 2))).shape == (3, 4, 2)


def test_inputs_are_checked():
    with pytest.raises(ShapeError, match="batch, 3"):
        dense()(Tensor(values(2, 4)))


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"graphcore\[onnx\]"):
        gc.import_onnx(b"")


def test_sequences_within_a_model():
    nodes = [node("SplitToSequence", ["x", "two"], ["s"], axis=0), node("SequenceErase", ["s", "zero"], ["t"]),
             node("SequenceInsert", ["t", "x"], ["u"]), node("SequenceLength", ["u"], ["n"]),
             node("ConcatFromSequence", ["u"], ["y"], axis=0), node("SequenceAt", ["u", "last"], ["z"])]
    net = gc.import_onnx(model(nodes, {"x": [5]}, {"y": None, "n": (INT64, []), "z": None}, {
        "two": np.int64(2), "zero": np.int64(0), "last": np.int64(-1)}))
    x = np.arange(5, dtype="f4")
    y, n, z = (t.asnumpy() for t in net(Tensor(x)))
    np.testing.assert_array_equal(y, np.concatenate([x[2:], x]))
    assert n == 3 and np.array_equal(z, x)


def test_broadcasting_by_attributes_as_before_opset_7():
    net = gc.import_onnx(model([node("Add", ["x", "b"], ["y"], axis=1, broadcast=1)], {"x": [2, 3, 4]}, {"y": None},
                               {"b": np.arange(3, dtype="f4")}, opset=6))
    x = values(2, 3, 4)
    np.testing.assert_allclose(net(Tensor(x)).asnumpy(), x + np.arange(3, dtype="f4")[:, None], rtol=1e-6)


def test_scales_of_blocks():
    """Five elements in blocks of two: the last block has one. Scales for other blocks are refused."""
    x, scale = np.arange(10, dtype=np.int8).reshape(5, 2), np.array([[1, 2], [3, 4], [5, 6]], np.float32)
    blocks = [node("DequantizeLinear", ["x", "s"], ["y"], axis=0, block_size=2)]
    found = gc.import_onnx(model(blocks, {"x": (3, [5, 2])}, {"y": None}, {"s": scale}, opset=21))(Tensor(x))
    np.testing.assert_array_equal(found.asnumpy(), x * scale[[0, 0, 1, 1, 2]])
    other = gc.import_onnx(model(blocks, {"x": (3, [5, 2])}, {"y": None}, {"s": scale[:2]}, opset=21))
    with pytest.raises(FormatError, match=r"scales for blocks of 2 along axis 0 of \(5, 2\) have the shape \(3, 2\)"):
        other(Tensor(x))
