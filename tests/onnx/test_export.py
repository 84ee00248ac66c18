"""Exported nets: each operator against onnx.reference, nets against their import, symbolic sizes, refusals."""
import numpy as np
import pytest

pytest.importorskip("onnx.helper")

from onnx import ModelProto, TensorProto  # noqa: E402
from onnx.reference import ReferenceEvaluator  # noqa: E402

import graphcore as gc  # noqa: E402
from graphcore import Tensor, nn, ops  # noqa: E402
from graphcore.files.gir import GraphFile  # noqa: E402
from graphcore.ir import graph as ir  # noqa: E402
from graphcore.ir.dims import Dim  # noqa: E402
from graphcore.ir.types import TensorType  # noqa: E402
from graphcore.onnx.exporting import onnx_model  # noqa: E402
from graphcore.onnx.writer import DEFERRED, RULES, OnnxExportError  # noqa: E402
from graphcore.ops.evaluate import evaluate  # noqa: E402
from tests.ops.cases import ALL, RECORDS  # noqa: E402

# what training and the compiler make, random numbers, and what has no operator in opset 18
WITHOUT_A_FORM = {"random_uniform", "cumprod", "matmul_parts", "conv2d_grad_weight", "conv2d_grad_weight_parts",
                  "attention_grad", "depthwise_channels_last", "pixel_patches", "max_pool2d_grad",
                  "max_pool2d_grad_grad", "avg_pool2d_grad", "grad", "host_call", "hook"}
WITH_OTHER_TESTS = {"if", "while", "loop", "call", "item", "barrier", "fence", "stop_gradient", "attention"}
# places out of range: nothing to graphcore, an error in ONNX
OUT_OF_RANGE = {"gather", "gather_elements", "gather_nd", "scatter_add", "scatter_elements_add", "scatter_nd_add",
                "scatter_nd_update"}


def test_every_operator_has_a_form_or_is_known_to_have_none():
    names = {r.name for r in RECORDS if r.kind != "collective"}
    assert names - set(RULES) - DEFERRED == WITHOUT_A_FORM & names


SHIFTS = {"left_shift", "right_shift"}      # of unsigned integers only


def exportable():
    seen = {}
    for case in ALL:
        name = case.record.name
        wanted = ("uint32",) if name in SHIFTS else ("float32", "float64", "int32", "int64", "bool_")
        plain = all(t.dtype.name in wanted for t in case.types)
        if name == "conv2d_grad_input" and case.attrs.get("groups", 1) > 1:     # the reference of onnx has no groups
            continue
        if name in RULES and name not in WITH_OTHER_TESTS and plain and seen.setdefault(name, 0) < 3:
            seen[name] += 1
            yield case


def reference_of(model, arrays):
    evaluator = ReferenceEvaluator(model)
    with np.errstate(all="ignore"):
        return evaluator.run(None, dict(zip(evaluator.input_names, arrays)))


@pytest.mark.parametrize("case", list(exportable()), ids=lambda c: c.label)
def test_operators_against_the_reference_of_onnx(case):
    leaves = [ir.input_(f"x{i}", t) for i, t in enumerate(case.types)]
    node = case.record(*leaves, **case.attrs)
    model = onnx_model(GraphFile(ir.Graph("one", tuple(leaves), (node,)), {}, 0))
    wanted = evaluate(case.record, case.arrays, case.types, case.attrs, node.type)
    try:
        (found,) = reference_of(model, case.arrays)
    except (IndexError, ValueError):
        assert case.record.name in OUT_OF_RANGE
        return
    assert found.dtype == wanted.dtype
    if case.record.name in OUT_OF_RANGE and not np.allclose(found, wanted, rtol=1e-5, atol=1e-6):
        return
    np.testing.assert_allclose(found, wanted, rtol=2e-5, atol=2e-6)


# -- nets -------------------------------------------------------------------------------------------------------

class Convolutional(nn.Cell):
    """Convolutions, normalisation, pooling, a dense layer."""

    def __init__(self):
        super().__init__()
        self.conv, self.bn = nn.Conv2d(2, 4, 3, 2, has_bias=True), nn.BatchNorm2d(4)
        self.up = nn.Conv2dTranspose(4, 3, 3, 2)
        self.fc = nn.Dense(3, 5)

    def construct(self, x):
        x = ops.relu6(self.bn(self.conv(x)))
        return self.fc(ops.mean(self.up(ops.max_pool2d(x, 2)), (2, 3)))


class Attending(nn.Cell):
    def construct(self, x):
        mask = ops.tril(ops.ones((4, 4), gc.bool_))
        return ops.scaled_dot_product_attention(x, x, x, mask) + ops.scaled_dot_product_attention(x, x, x,
                                                                                                  is_causal=True)


class Recurrent(nn.Cell):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 4, batch_first=True, bidirectional=True)

    def construct(self, x):
        y, (h, _) = self.lstm(x)
        return y, h


class Deciding(nn.Cell):
    """A branch, a loop until a condition, and one over many rows."""

    def construct(self, x):
        x = ops.exp(x) if x.sum() > 0 else x * 2
        while ops.abs(x).max() > 1.0:
            x = x * 0.5
        total = x[0]
        for row in x:
            total = ops.tanh(total + row)
        return total


NETS = [(Convolutional, [(2, 2, 9, 9)]), (Attending, [(2, 3, 4, 8)]), (Recurrent, [(2, 40, 3)]), (Deciding, [(40, 3)])]


@pytest.mark.parametrize("make, shapes", NETS, ids=lambda v: getattr(v, "__name__", ""))
def test_nets_against_the_reference_of_onnx_and_their_import(make, shapes, tmp_path):
    net = make().set_train(False)
    inputs = [np.random.default_rng(1).standard_normal(s).astype("f4") for s in shapes]
    gc.export(net, *map(Tensor, inputs), file_name=str(tmp_path / "net"), file_format="ONNX")
    model = ModelProto.FromString((tmp_path / "net.onnx").read_bytes())
    gc.set_context(mode=gc.PYNATIVE_MODE)
    wanted = net(*map(Tensor, inputs))
    again = gc.import_onnx(tmp_path / "net.onnx")(*map(Tensor, inputs))
    wanted, again = ([t.asnumpy() for t in (v if isinstance(v, tuple) else (v,))] for v in (wanted, again))
    # the reference of onnx joins what a loop stacks in another way than the standard says
    others = [again] if make is Recurrent else [again, reference_of(model, inputs)]
    for other in others:
        for a, b in zip(wanted, other, strict=True):
            np.testing.assert_allclose(b, a, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("argument", [TensorType(gc.float32, (Dim.symbol("batch"), 2, 9, 9)),
                                      Tensor(shape=[None, 2, 9, 9], dtype=gc.float32)], ids=["type", "tensor"])
def test_parameters_keep_their_names_and_sizes_theirs(tmp_path, argument):
    net = Convolutional().set_train(False)
    gc.export(net, argument, file_name=str(tmp_path / "net.onnx"), file_format="ONNX")
    graph = ModelProto.FromString((tmp_path / "net.onnx").read_bytes()).graph
    assert {p.name for p in net.get_parameters()} <= {t.name for t in graph.initializer}
    assert graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    assert graph.output[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    again = gc.import_onnx(tmp_path / "net.onnx")
    gc.set_context(mode=gc.PYNATIVE_MODE)
    for n in (1, 3):
        x = Tensor(np.random.default_rng(n).standard_normal((n, 2, 9, 9)).astype("f4"))
        np.testing.assert_allclose(again(x).asnumpy(), net(x).asnumpy(), rtol=1e-5, atol=1e-6)


def test_symbolic_sizes_in_shapes_are_computed():
    n, m = Dim.symbol("n"), Dim.symbol("m")

    class Net(nn.Cell):
        def construct(self, x):
            a, b = x.shape
            return ops.concat([ops.reshape(x, (a * b,)), ops.zeros((2 * a,), gc.float32)]), ops.arange(b)

    from graphcore.train.exporting import exported_graph
    model = onnx_model(exported_graph(Net(), [TensorType(gc.float32, (n, m))]))
    x = np.arange(6, dtype="f4").reshape(2, 3)
    flat, places = reference_of(model, [x])
    np.testing.assert_array_equal(flat, np.concatenate([x.reshape(-1), np.zeros(4)]))
    np.testing.assert_array_equal(places, np.arange(3))


def test_causal_attention_over_an_open_length():
    from graphcore.train.exporting import exported_graph
    def attend(x):
        return ops.scaled_dot_product_attention(x, x, x, is_causal=True)
    model = onnx_model(exported_graph(attend, [Tensor(shape=[2, None, 4], dtype=gc.float32)]))
    for length in (3, 5):
        x = np.random.default_rng(length).standard_normal((2, length, 4)).astype("f4")
        np.testing.assert_allclose(reference_of(model, [x])[0], attend(Tensor(x)).asnumpy(), rtol=1e-5, atol=1e-6)


def test_a_recurrence_of_open_length_stays_open(tmp_path):
    net = Recurrent().set_train(False)
    gc.export(net, Tensor(shape=[None, None, 3], dtype=gc.float32), file_name=str(tmp_path / "net"), file_format="ONNX")
    again = gc.import_onnx(tmp_path / "net.onnx")
    assert again.model.inputs[0].sizes == ("batch", "size_0_1", 3)
    gc.set_context(mode=gc.PYNATIVE_MODE)
    for length in (4, 6):
        x = Tensor(np.random.default_rng(length).standard_normal((2, length, 3)).astype("f4"))
        for a, b in zip(again(x), net(x), strict=True):
            np.testing.assert_allclose(a.asnumpy(), b.asnumpy(), rtol=1e-5, atol=1e-6)


def test_what_has_no_form_is_refused_by_name(tmp_path):
    with pytest.raises(OnnxExportError, match=r"cumprod \(test_export.py:\d+\) has no form"):
        gc.export(lambda x: ops.cumprod(x, 0), Tensor(np.ones(3, "f4")), file_name=str(tmp_path / "f"),
                  file_format="ONNX")
    with pytest.raises(TypeError, match="the file format ONNX has no option 'opset'"):
        gc.export(nn.ReLU(), Tensor(np.ones(3, "f4")), file_name=str(tmp_path / "f"), file_format="ONNX", opset=11)
    assert not list(tmp_path.iterdir())


def test_an_imported_model_is_exported_again(tmp_path):
    from tests.onnx.models import model, node
    w = np.ones((4, 3), "f4")
    net = gc.import_onnx(model([node("Gemm", ["x", "w"], ["y"], transB=1)], {"x": ["b", 3]}, {"y": ["b", 4]}, {"w": w}))
    gc.export(net, Tensor(np.ones((2, 3), "f4")), file_name=str(tmp_path / "net"), file_format="ONNX")
    proto = ModelProto.FromString((tmp_path / "net.onnx").read_bytes())
    assert [t.name for t in proto.graph.initializer] == ["w"] and proto.graph.input[0].type.tensor_type.elem_type == (
        TensorProto.FLOAT)
    np.testing.assert_array_equal(reference_of(proto, [np.ones((2, 3), "f4")])[0], np.full((2, 4), 3))
