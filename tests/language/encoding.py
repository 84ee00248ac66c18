"""Results as JSON: nests of Tensors and Python values, exactly, and how two of them are compared."""
from __future__ import annotations

import re

import numpy as np

TOLERANCE = {"Float16": 2e-3, "BFloat16": 1e-2, "Float32": 2e-5, "Float64": 1e-9, "Complex64": 2e-5, "Complex128": 1e-9}
_WRAPPED = re.compile(r"Tensor\(shape=\[[^\]]*\], dtype=\w+, value=\s*")
_BOOLS = {"True": "1", "False": "0"}      # MindSpore's kernels print them as numbers
_PUNCTUATION = re.compile(r"[\[\]()',]")


def encode(value):
    """A JSON value that tells Tensors, tuples, lists and numbers apart."""
    if value is None or isinstance(value, (bool, str, int, float)):
        return value
    if isinstance(value, tuple):
        return [encode(v) for v in value]
    if isinstance(value, list):
        return {"list": [encode(v) for v in value]}
    if isinstance(value, dict):
        return {"dict": [[encode(k), encode(v)] for k, v in value.items()]}
    if isinstance(value, np.generic):
        return {"array": str(value.dtype), "shape": [], "values": _numbers(np.asarray(value))}
    if isinstance(value, np.ndarray):
        return {"array": str(value.dtype), "shape": list(value.shape), "values": _numbers(value)}
    if hasattr(value, "asnumpy"):
        return _encode_tensor(str(value.dtype), value)
    if type(value).__module__.rpartition(".")[2] in ("typing", "dtype"):
        return {"dtype": str(value)}
    return {"object": type(value).__name__}


def encode_expected(value):
    """The same for an expectation, where arrays stand for Tensors."""
    if isinstance(value, np.ndarray):
        return {"tensor": _dtype_name(value.dtype), "shape": list(value.shape), "values": _numbers(value)}
    if isinstance(value, tuple):
        return [encode_expected(v) for v in value]
    if isinstance(value, list):
        return {"list": [encode_expected(v) for v in value]}
    if isinstance(value, dict):
        return {"dict": [[k, encode_expected(v)] for k, v in value.items()]}
    return encode(value)


def encode_error(error: BaseException) -> dict:
    """The built-in classes of an error and the beginning of its message, without places in files."""
    text = str(error).split("\n\n---")[0].split("In file ")[0].strip()
    classes = [c.__name__ for c in type(error).__mro__ if c.__module__ == "builtins"]
    return {"error": classes, "message": re.sub(r"0x[0-9a-f]+", "0x", " ".join(text.split()))[:160]}


def differences(found, wanted, scale: float = 1.0, path: str = "result"):
    """Yield a line for each place where two encoded values differ."""
    if isinstance(wanted, dict) and "tensor" in wanted:
        yield from _tensor_differences(found, wanted, scale, path)
    elif isinstance(wanted, float) and isinstance(found, float):
        if not np.isclose(found, wanted, rtol=1e-5, atol=1e-6, equal_nan=True):
            yield f"{path}: {found}, not {wanted}"
    elif isinstance(wanted, list) and isinstance(found, list) and len(found) == len(wanted):
        for i, (f, w) in enumerate(zip(found, wanted)):
            yield from differences(f, w, scale, f"{path}[{i}]")
    elif isinstance(wanted, dict) and isinstance(found, dict) and list(found) == list(wanted):
        for key in wanted:
            yield from differences(found[key], wanted[key], scale, f"{path}.{key}")
    elif type(found) is not type(wanted) or found != wanted:
        yield f"{path}: {found}, not {wanted}"


def words(printed: str) -> list:
    """What was printed, without the decoration of Tensors and nests: numbers as floats, other words as they are."""
    text = _PUNCTUATION.sub(" ", _WRAPPED.sub(" ", printed))
    return [_number(word) for word in text.split()]


def _number(word: str):
    try:
        return float(_BOOLS.get(word, word))
    except ValueError:
        return word


def _encode_tensor(dtype: str, tensor) -> dict:
    if dtype == "BFloat16":
        tensor = tensor.float()
    array = tensor.asnumpy()
    return {"tensor": dtype, "shape": list(array.shape), "values": _numbers(array)}


def _numbers(array: np.ndarray):
    """Nested lists of numbers that read back to the same values, written as briefly as their dtype allows.

    A complex number is a list of two.
    """
    if array.dtype.kind == "c":
        return _numbers(np.stack([array.real, array.imag], -1))
    if array.dtype.kind != "f":
        return array.tolist()
    return [_numbers(row) for row in array] if array.ndim else float(str(array))


def _dtype_name(dtype: np.dtype) -> str:
    return dtype.name.capitalize().replace("Uint", "UInt")


def _tensor_differences(found, wanted: dict, scale: float, path: str):
    if isinstance(found, bool) and wanted["tensor"] == "Bool" and wanted["shape"] == []:
        found = {**wanted, "values": found}     # `not x` is Python's own in PYNATIVE_MODE
    if not isinstance(found, dict) or "tensor" not in found:
        yield f"{path}: {found}, not {wanted}"
        return
    for part in ("tensor", "shape"):
        if found[part] != wanted[part]:
            yield f"{path}: {part} {found[part]}, not {wanted[part]}"
            return
    a, b = np.array(found["values"], np.float64), np.array(wanted["values"], np.float64)
    tolerance = scale * TOLERANCE.get(wanted["tensor"], 0)
    if not np.allclose(a, b, rtol=tolerance, atol=tolerance, equal_nan=True):
        yield f"{path}: {found['values']}, not {wanted['values']}"
