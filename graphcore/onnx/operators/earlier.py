"""Operators as they were before opset 7: broadcasting by attributes, and the mode of inference as an attribute."""
from __future__ import annotations

from collections.abc import Callable

from graphcore.onnx.operators import elementwise
from graphcore.onnx.operators.matrices import gemm
from graphcore.onnx.operators.normalization import batch_norm_of_inference
from graphcore.onnx.package import UnsupportedOnnxError
from graphcore.onnx.table import operator
from graphcore.ops import functional as F
from graphcore.tensor import Tensor


def _placed(b: Tensor, rank: int, axis) -> Tensor:
    """`b` with its axes at those of a tensor of `rank` axes from `axis` on; None: at the last ones."""
    if axis is None:
        return b
    start = axis % rank
    if start + b.ndim > rank:
        raise ValueError(f"axis {axis} leaves no room for the shape {b.shape} among {rank} axes")
    return F.reshape(b, (*b.shape, *(1,) * (rank - start - b.ndim)))


def _binary(name: str, since: int, function: Callable) -> None:
    def apply(a, b, *, axis=None, broadcast=0):
        if not broadcast and a.shape != b.shape:
            raise ValueError(f"shapes {a.shape} and {b.shape} without broadcast=1")
        return function(a, _placed(b, a.ndim, axis) if broadcast else b)
    operator(name, since)(apply)


for _name, _since, _function in (
        ("Add", 6, F.add), ("Sub", 6, F.sub), ("Mul", 6, F.mul), ("Div", 6, elementwise.div),
        ("Pow", 1, elementwise.power), ("And", 1, F.logical_and), ("Or", 1, F.logical_or), ("Xor", 1, F.logical_xor),
        ("Equal", 1, F.equal), ("Greater", 1, F.greater), ("Less", 1, F.less)):
    _binary(_name, _since, _function)

for _name, _function in (("Max", elementwise.maximum), ("Min", elementwise.minimum), ("Sum", elementwise.total),
                         ("Mean", elementwise.mean)):
    operator(_name, 6)(_function)


@operator("Gemm", 6)
def gemm_with_broadcast(a, b, c, *, alpha=1.0, beta=1.0, broadcast=0, transA=0, transB=0):
    return gemm(a, b, c, alpha=alpha, beta=beta, transA=transA, transB=transB)


@operator("PRelu", 6)
def prelu_by_channel(x, slope):
    """One slope, or one for each channel."""
    return elementwise.prelu(x, _placed(slope, x.ndim, 1) if slope.size > 1 and slope.ndim == 1 else slope)


@operator("Dropout", 6)
def dropout(x, *, ratio=0.5, is_test=0):
    """As in inference, whatever `is_test` says."""
    return elementwise.dropout_of_inference(x, ratio=ratio)


@operator("BatchNormalization", 6)
def batch_norm(x, scale, bias, mean, var, *, epsilon=1e-5, is_test=0, momentum=0.9, spatial=1, outputs):
    """Of inference, over channels."""
    if outputs > 1 or not spatial:
        raise UnsupportedOnnxError("before opset 14 only inference with one mean for each channel is supported")
    return batch_norm_of_inference(x, scale, bias, mean, var, epsilon=epsilon, outputs=1)
