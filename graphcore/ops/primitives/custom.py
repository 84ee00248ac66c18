"""Operators of the user's own: Python functions of arrays, and functions in shared libraries."""
from __future__ import annotations

import ctypes
from collections.abc import Callable

import numpy as np

from graphcore import dtype as dt
from graphcore.dtype import DType
from graphcore.errors import GraphcoreError
from graphcore.ops.functional.arguments import tensor_of
from graphcore.ops.host import on_host
from graphcore.ops.primitives.base import Primitive

__all__ = ["Custom", "PyFunc"]


class Custom(Primitive):
    """``Custom(func, out_shape, out_dtype, func_type="pyfunc", bprop=None)(*tensors)``: an operator of one's own.

    func_type "pyfunc": `func` is a Python function of NumPy arrays.  "aot": `func` is "LIBRARY.so:NAME", a C function
    ``int NAME(int nparam, void **params, int *ndims, int64_t **shapes, const char **dtypes, void *stream, void
    *extra)`` that gets inputs and outputs and returns 0.  The program calls them on the host, nothing is fused with
    them.
    out_shape, out_dtype: the shape and dtype of the result, tuples of them for several results, or functions that give
    them for the shapes and dtypes of the inputs.  bprop: ``bprop(*inputs, output, gradient)`` gives the gradients of
    the inputs, made of operators; without it nothing is passed on.
    Raises NotImplementedError for the func_types that other devices compile ("tbe", "akg", "aicpu", "hybrid").
    """

    def __init__(self, func, out_shape=None, out_dtype=None, func_type="pyfunc", bprop=None, reg_info=None):
        super().__init__("Custom")
        if func_type in ("tbe", "akg", "aicpu", "hybrid", "julia"):
            raise NotImplementedError(f"Custom: func_type={func_type!r} is compiled for other devices; use 'pyfunc' "
                                      "with a Python function, 'aot' with a C function, or functions of ops")
        if func_type not in ("pyfunc", "aot"):
            raise ValueError(f"Custom: func_type must be 'pyfunc' or 'aot', got {func_type!r}")
        if func_type == "pyfunc" and not callable(func):
            raise TypeError(f"Custom: a function is needed for func_type='pyfunc', got {type(func).__name__}")
        if out_shape is None or out_dtype is None:
            raise TypeError("Custom: out_shape and out_dtype must be given: they are not found out from the function")
        self.func, self.out_shape, self.out_dtype = func, out_shape, out_dtype
        self.func_type, self.bprop = func_type, bprop
        self.attrs = {"func_type": func_type}
        self._run = func if func_type == "pyfunc" else None

    def __call__(self, *inputs):
        inputs = [tensor_of(t, "Custom") for t in inputs]
        shapes = self.out_shape(*(t.shape for t in inputs)) if callable(self.out_shape) else self.out_shape
        dtypes = self.out_dtype(*(t.dtype for t in inputs)) if callable(self.out_dtype) else self.out_dtype
        results = _results(shapes, dtypes)
        run = self._run or _library_function(self.func, results)
        outputs = on_host("Custom", run, inputs, results, self._gradient if self.bprop is not None else None)
        # One result that was asked for as a tuple of one is given as one.
        return (outputs,) if len(results) == 1 and isinstance(dtypes, (tuple, list)) else outputs

    def _gradient(self, inputs, outputs, gradients):
        out, dout = (tuple(outputs), tuple(gradients)) if len(outputs) > 1 else (outputs[0], gradients[0])
        found = self.bprop(*inputs, out, dout)
        return list(found) if isinstance(found, (tuple, list)) else [found]


def _results(shapes, dtypes) -> list:
    """[(dtype, shape)] of each result."""
    if isinstance(dtypes, DType):
        return [(dtypes, tuple(shapes))]
    return [(dtype, tuple(shape)) for dtype, shape in zip(dtypes, shapes, strict=True)]


def _library_function(place: str, results: list) -> Callable:
    """The C function "LIBRARY:NAME" as a function of arrays that gives a tuple of arrays."""
    library, _, name = str(place).rpartition(":")
    try:
        function = getattr(ctypes.CDLL(library), name)
    except (OSError, AttributeError) as error:
        raise GraphcoreError(f"Custom: {place!r} should be LIBRARY.so:FUNCTION; {error}") from None

    def run(*arrays):
        outputs = [np.zeros(shape, dt.dtype_to_nptype(dtype)) for dtype, shape in results]
        every = [np.ascontiguousarray(a) for a in arrays] + outputs
        shapes = [np.array(a.shape, np.int64) for a in every]
        count = len(every)
        status = function(
            count, (ctypes.c_void_p * count)(*(a.ctypes.data for a in every)),
            (ctypes.c_int * count)(*(a.ndim for a in every)),
            (ctypes.c_void_p * count)(*(s.ctypes.data for s in shapes)),
            (ctypes.c_char_p * count)(*(a.dtype.name.encode() for a in every)), None, None)
        if status:
            raise GraphcoreError(f"Custom: {place} returned {status}, not 0")
        return tuple(outputs)
    return run


class PyFunc(Primitive):
    """``PyFunc(fn, in_types, in_shapes, out_types, out_shapes)(*tensors)``: a Python function of NumPy arrays.

    The tensors may stand in one tuple.  Returns a tuple of Tensors of `out_types` and `out_shapes`; gradients are not
    passed on.
    """

    def __init__(self, fn, in_types, in_shapes, out_types, out_shapes, stateful=True):
        super().__init__("PyFunc")
        if not callable(fn):
            raise TypeError(f"PyFunc takes a function, got {type(fn).__name__}")
        self.fn, self.results = fn, [(dtype, tuple(shape)) for dtype, shape in zip(out_types, out_shapes, strict=True)]
        self.attrs = {"stateful": stateful}

    def __call__(self, *inputs):
        if len(inputs) == 1 and isinstance(inputs[0], (tuple, list)):
            (inputs,) = inputs
        outputs = on_host("PyFunc", self.fn, [tensor_of(t, "PyFunc") for t in inputs], self.results)
        return (outputs,) if len(self.results) == 1 else outputs
