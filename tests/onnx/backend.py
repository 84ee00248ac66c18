"""graphcore as a backend of the onnx package's tests (`onnx.backend.base`)."""
from __future__ import annotations

import numpy as np
from onnx import TensorProto, numpy_helper
from onnx.backend.base import Backend, BackendRep

import graphcore as gc
from graphcore.tensor import Tensor


def as_array(value) -> np.ndarray:
    """A value of a test case: an array, a number, or a TensorProto."""
    return numpy_helper.to_array(value) if isinstance(value, TensorProto) else np.asarray(value)


def as_tensor(value) -> Tensor:
    """The Tensor of a value; of bfloat16, which is a type of another package's in NumPy, too."""
    array = as_array(value)
    return Tensor(array.astype(np.float32), gc.bfloat16) if array.dtype.name == "bfloat16" else Tensor(array)


def as_of_numpy(tensor: Tensor) -> np.ndarray:
    """The values of a Tensor in the type that the tests expect."""
    if tensor.dtype is not gc.bfloat16:
        return tensor.asnumpy()
    from ml_dtypes import bfloat16
    return tensor.asnumpy().astype(bfloat16)


class Prepared(BackendRep):
    """An imported model that takes and gives NumPy arrays."""

    def __init__(self, cell):
        self.cell = cell

    def run(self, inputs, **kwargs):
        results = self.cell(*(as_tensor(x) for x in inputs))
        results = results if isinstance(results, tuple) else (results,)
        return [as_of_numpy(r) for r in results]


class GraphcoreBackend(Backend):
    """Runs models in the mode that is set."""

    @classmethod
    def prepare(cls, model, device="CPU", **kwargs):
        return Prepared(gc.import_onnx(model.SerializeToString()))

    @classmethod
    def supports_device(cls, device):
        return device == "CPU"
