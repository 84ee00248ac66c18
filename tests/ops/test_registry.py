"""What holds for every operator: it is documented, its type rule agrees with its reference, its gradient with finite
differences, and bad input gives its documented error."""
import numpy as np
import pytest

from graphcore import dtype as dt
from graphcore.compiler.autodiff import Sweep
from graphcore.errors import DTypeError, ShapeError
from graphcore.ir import graph as ir
from graphcore.ir.graph import Origins
from graphcore.ir.types import TensorType
from graphcore.ops.evaluate import evaluate, evaluate_node
from graphcore.ops.record import REGISTRY
from tests.ops.cases import ALL, RECORDS

# Gone before anything runs: they have no values of their own.
#: Operators of the graph itself and regions, which have tests of their own in tests/ir and tests/compiler.
STRUCTURAL = {"grad", "item", "barrier", "stop_gradient", "hook", "fence", *(r.name for r in RECORDS
                                                                            if r.kind in ("region", "collective"))}


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: r.name)
def test_record_is_complete(record):
    assert record.__doc__ and record.__doc__.strip()
    assert record.kind in ("pointwise", "reduction", "view", "assembled", "scheduled", "structural", "region",
                           "collective")
    assert record.kind != "pointwise" or record.scalar
    assert record.name in STRUCTURAL or any(case.record is record for case in ALL), "no samples"


@pytest.mark.parametrize("case", ALL, ids=lambda c: c.label)
def test_type_rule_agrees_with_reference(case):
    result = case.record.infer(*case.types, **case.attrs)
    stored = evaluate(case.record, case.arrays, case.types, case.attrs, result)
    assert stored.shape == result.shape
    assert stored.dtype == result.dtype.storage
    if all(t.dtype.itemsize != 2 for t in case.types):
        with np.errstate(all="ignore"):
            raw = np.asarray(case.record.reference(*case.arrays, **case.attrs))
        assert raw.shape == result.shape
        assert raw.dtype.kind == result.dtype.storage.kind


# -- gradients --------------------------------------------------------------------------------------------

def _differentiable(case) -> bool:
    floats = [t for t in case.types if t.dtype.is_float]
    if case.record.vjp is None or case.record.random or any(t.dtype is not dt.float32 for t in floats) or not floats:
        return False
    if "dtype" in case.attrs and not (case.record.name == "cast" and case.attrs["dtype"] is dt.float64):
        return False
    return case.record.infer(*case.types, **case.attrs).dtype.is_float


@pytest.mark.parametrize("case", [c for c in ALL if _differentiable(c)], ids=lambda c: c.label)
def test_gradient_against_finite_differences(case):
    rng = np.random.default_rng(5)
    leaves, values, wrt = [], {}, []
    for i, (array, type_) in enumerate(zip(case.arrays, case.types)):
        if type_.dtype.is_float:
            array, type_ = array.astype(np.float64), TensorType(dt.float64, type_.shape)
        leaf = ir.input_(f"x{i}", type_)
        leaves.append(leaf)
        values[leaf] = array
        if type_.dtype.is_float:
            wrt.append(leaf)
    y = case.record(*leaves, **case.attrs)
    sens = ir.input_("sens", y.type)
    values[sens] = rng.standard_normal(y.shape)
    found = Sweep(wrt, Origins()).gradients(y, sens)
    for leaf, gradient in zip(wrt, found):
        direction = rng.standard_normal(leaf.shape)
        computed = np.sum(_value(gradient, values) * direction)
        step = 1e-6
        ends = [np.sum(_value(y, {**values, leaf: values[leaf] + sign * step * direction}) * values[sens])
                for sign in (1, -1)]
        expected = (ends[0] - ends[1]) / (2 * step)
        assert gradient.type == leaf.type
        np.testing.assert_allclose(computed, expected, rtol=2e-4, atol=2e-6)


def _value(node, leaves) -> np.ndarray:
    values = dict(leaves)
    for n in ir.walk((node,)):
        if n not in values:
            values[n] = evaluate_node(n, values.__getitem__)
    return values[node]


@pytest.mark.parametrize("name", ["max", "min", "prod", "maximum", "minimum", "relu", "abs", "cumprod"])
def test_gradient_is_finite_at_kinks_and_zeros(name):
    record = REGISTRY[name]
    x = ir.input_("x", TensorType(dt.float64, (2, 3)))
    attrs = {"max": {"axes": (1,), "keepdims": False}, "cumprod": {"axis": 1, "exclusive": False, "reverse": False}}
    attrs = attrs.get(name, attrs["max"] if record.kind == "reduction" else {})
    y = record(*(x,) * (record.arity or 1), **attrs)
    (gradient,) = Sweep((x,), Origins()).gradients(y)
    assert np.isfinite(_value(gradient, {x: np.array([[0.0, 0.0, 2.0], [1.0, 1.0, -1.0]])})).all()


# -- errors -----------------------------------------------------------------------------------------------

def _t(shape, dtype=dt.float32):
    return TensorType(dtype, shape)


I32 = dt.int32
POOL = {"kernel": (9, 9), "stride": (1, 1), "pad": (0, 0, 0, 0)}
AVERAGE = {**POOL, "count_include_pad": True, "divisor_override": None}
PLAIN_WINDOW = {"stride": (1, 1), "pad": (0, 0, 0, 0), "dilation": (1, 1)}
CONV_INPUT, CONV_WEIGHT = _t((1, 3, 5, 5)), _t((4, 2, 3, 3))
SCAN = {"axis": 3, "exclusive": False, "reverse": False}
# operator: (input types, attributes, error)
BAD = {
    "reshape": ((_t((2, 3)),), {"shape": (4,)}, ShapeError),
    "transpose": ((_t((2, 3)),), {"perm": (0, 0)}, ShapeError),
    "broadcast_to": ((_t((2, 3)),), {"shape": (2, 4)}, ShapeError),
    "slice": ((_t((4,)),), {"begin": (3,), "size": (2,), "stride": (1,)}, ShapeError),
    "concat": ((_t((2, 3)), _t((2, 4))), {"axis": 0}, ShapeError),
    "place": ((_t((3,)),), {"shape": (4,), "begin": (2,), "stride": (1,), "fill": 0.0}, ShapeError),
    "update_slice": ((_t((3,)), _t((2,), I32)), {"begin": (0,), "stride": (1,)}, DTypeError),
    "select": ((_t((2,)), _t((2,)), _t((2,))), {}, DTypeError),
    "random_uniform": ((_t((3,)),), {"shape": (2,), "site": 0}, DTypeError),
    "matmul": ((_t((2, 3)), _t((2, 3))), {}, ShapeError),
    "matmul_parts": ((_t((2, 3)), _t((2, 3))), {"parts": 2}, ShapeError),
    "attention": ((_t((2, 3)), _t((4, 3)), _t((5, 3))), {"scale": 1.0, "causal": False}, ShapeError),
    "attention_grad": ((_t((2, 3), dt.float16),) * 6, {"scale": 1.0, "causal": False}, DTypeError),
    "conv2d": ((CONV_INPUT, CONV_WEIGHT), {}, ShapeError),
    "conv2d_grad_input": ((CONV_INPUT, CONV_WEIGHT), {"shape": (1, 2, 5, 5)}, ShapeError),
    "conv2d_grad_weight": ((CONV_INPUT, CONV_INPUT), {"shape": (4, 2, 3, 3)}, ShapeError),
    "depthwise_channels_last": ((_t((1, 5, 5, 3)), _t((3, 3, 4))), PLAIN_WINDOW, ShapeError),
    "pixel_patches": ((_t((1, 3, 2, 2)),), {"kernel": (3, 3), **PLAIN_WINDOW}, ShapeError),
    "conv2d_grad_weight_parts": ((CONV_INPUT, CONV_INPUT), {"shape": (4, 2, 3, 3), "parts": 1}, ShapeError),
    "max_pool2d": ((CONV_INPUT,), {**POOL, "dilation": (1, 1)}, ShapeError),
    "max_pool2d_grad": ((_t((1, 3, 5, 5), I32),) * 3, {**POOL, "dilation": (1, 1)}, DTypeError),
    "max_pool2d_grad_grad": ((_t((1, 3, 5, 5), I32),) * 3, {**POOL, "dilation": (1, 1)}, DTypeError),
    "avg_pool2d": ((CONV_INPUT,), AVERAGE, ShapeError),
    "avg_pool2d_grad": ((CONV_INPUT,), {**AVERAGE, "shape": (1, 3, 5, 5)}, ShapeError),
    "gather": ((_t((3,)), _t((2,))), {"axis": 0}, DTypeError),
    "scatter_add": ((_t((2,), I32), _t((3,))), {"axis": 0, "shape": (4,)}, ShapeError),
    "gather_elements": ((_t((3, 2)), _t((3,), I32)), {"axis": 0}, ShapeError),
    "scatter_elements_add": ((_t((2,), I32), _t((3,))), {"axis": 0, "shape": (4,)}, ShapeError),
    "gather_nd": ((_t((3,)), _t((2, 2), I32)), {}, ShapeError),
    "scatter_nd_add": ((_t((2, 1), I32), _t((3,))), {"shape": (4,)}, ShapeError),
    "scatter_nd_update": ((_t((4,)), _t((2, 1), I32), _t((3,))), {}, ShapeError),
    "cumsum": ((_t((2, 3)),), SCAN, ShapeError),
    "cumprod": ((_t((2, 3), dt.bool_),), {**SCAN, "axis": 0}, DTypeError),
    "sort_values": ((_t((2, 3)),), {"axis": 2, "descending": False}, ShapeError),
    "sort_indices": ((_t((2, 3)),), {"axis": 2, "descending": False}, ShapeError),
    "topk_values": ((_t((2, 3)),), {"k": 4, "axis": 1, "largest": True}, ShapeError),
    "topk_indices": ((_t((2, 3)),), {"k": 4, "axis": 1, "largest": True}, ShapeError),
    "argmax": ((_t((2, 3)),), {"axis": 2, "keepdims": False, "dtype": I32}, ShapeError),
    "argmin": ((_t((2, 0)),), {"axis": 1, "keepdims": False, "dtype": I32}, ShapeError),
}
WITHOUT_BAD_INPUT = STRUCTURAL | {"cast", "iota", "copy"}
_REFUSED = {"float": I32, "number": dt.bool_, "integer": dt.float32, "integer or bool": dt.float32, "bool": I32}


@pytest.mark.parametrize("record", [r for r in RECORDS if r.name not in WITHOUT_BAD_INPUT], ids=lambda r: r.name)
def test_bad_input_gives_its_error(record):
    if record.name in BAD:
        types, attrs, error = BAD[record.name]
        with pytest.raises(error) as caught:
            record.infer(*types, **attrs)
        assert len(str(caught.value)) > 15
        return
    if record.accepts in _REFUSED:
        attrs = {"axes": (0,), "keepdims": False} if record.kind == "reduction" else {}
        with pytest.raises(DTypeError, match=record.name):
            record.infer(*(_t((2,), _REFUSED[record.accepts]),) * record.arity, **attrs)
    if record.kind == "pointwise" and record.arity == 2:
        good = {"float": dt.float32, "number": dt.float32, "any": dt.float32}.get(record.accepts, I32)
        with pytest.raises(ShapeError, match="broadcast"):
            record.infer(_t((2, 3), good), _t((4,), good))
        with pytest.raises(DTypeError, match="differ"):
            record.infer(_t((2,), good), _t((2,), dt.int64))


def test_a_wrong_number_of_inputs_is_a_type_error():
    x = ir.input_("x", _t((2,)))
    with pytest.raises(TypeError, match="2 inputs"):
        REGISTRY["add"](x)
