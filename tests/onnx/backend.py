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


class Prepared(BackendRep):
    """An imported model that takes and gives NumPy arrays."""

    def __init__(self, cell):
        self.cell = cell

    def run(self, inputs, **kwargs):
        results = self.cell(*(Tensor(as_array(x)) for x in inputs))
        results = results if isinstance(results, tuple) else (results,)
        return [r.asnumpy() for r in results]


class GraphcoreBackend(Backend):
    """Runs models in the mode that is set."""

    @classmethod
    def prepare(cls, model, device="CPU", **kwargs):
        return Prepared(gc.import_onnx(model.SerializeToString()))

    @classmethod
    def supports_device(cls, device):
        return device == "CPU"
