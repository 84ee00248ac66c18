"""Tensors in ONNX files: dtypes, values, and external data, none of which is trusted."""
from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from graphcore import dtype as dt
from graphcore.dtype import DType
from graphcore.errors import FormatError
from graphcore.onnx.package import UnsupportedOnnxError
from graphcore.tensor import Tensor

# TensorProto.DataType -> (dtype, the field that holds it where there is no raw_data)
_TYPES = {1: (dt.float32, "float_data"), 2: (dt.uint8, "int32_data"), 3: (dt.int8, "int32_data"),
          4: (dt.uint16, "int32_data"), 5: (dt.int16, "int32_data"), 6: (dt.int32, "int32_data"),
          7: (dt.int64, "int64_data"), 9: (dt.bool_, "int32_data"), 10: (dt.float16, "int32_data"),
          11: (dt.float64, "double_data"), 12: (dt.uint32, "uint64_data"), 13: (dt.uint64, "uint64_data"),
          16: (dt.bfloat16, "int32_data")}
_NAMES = {8: "string", 14: "complex64", 15: "complex128", 17: "float8e4m3fn", 18: "float8e4m3fnuz", 19: "float8e5m2",
          20: "float8e5m2fnuz", 21: "uint4", 22: "int4", 23: "float4e2m1", 24: "float8e8m0", 25: "uint2", 26: "int2"}
CODES = {dtype: code for code, (dtype, _) in _TYPES.items()}
MOST_AXES = 32


def dtype_of(code: int) -> DType:
    """The dtype of a TensorProto.DataType.  Raises UnsupportedOnnxError for those that graphcore has not."""
    if code not in _TYPES:
        raise UnsupportedOnnxError(f"tensors of the type {_NAMES.get(code, code)} are not supported")
    return _TYPES[code][0]


def tensor_of(proto, folder: Path | None, most: int) -> Tensor:
    """The value of a TensorProto.

    folder: where external data may lie, None: nowhere.  most: the most elements.
    Raises FormatError if sizes and data do not fit together, before any memory of that size is touched.
    """
    dtype, shape = dtype_of(proto.data_type), tuple(proto.dims)
    what = f"the tensor {proto.name!r}"
    if len(shape) > MOST_AXES or any(n < 0 for n in shape):
        raise FormatError(f"{what} has the shape {shape[:MOST_AXES]}: up to {MOST_AXES} axes, none negative")
    size = 1
    for n in shape:
        size *= n
    if size > most:
        raise FormatError(f"{what} has {size} elements, more than the limit of {most}")
    if proto.data_location == 1:
        data = _external(proto, what, folder, size * dtype.itemsize)
    elif proto.HasField("raw_data"):
        data = proto.raw_data
    else:
        return _of_field(proto, what, dtype, shape, size)
    if len(data) != size * dtype.itemsize:
        raise FormatError(f"{what} of {size} elements {dtype.name} has {len(data)} bytes of data, not "
                          f"{size * dtype.itemsize}")
    array = np.frombuffer(data, dtype.storage.newbyteorder("<")).astype(dtype.storage)
    return Tensor._wrap(_as_bools(array, dtype).reshape(shape), dtype)


def _as_bools(array: np.ndarray, dtype: DType) -> np.ndarray:
    """Bytes other than 0 and 1 are no bools to machine code."""
    return array.view(np.uint8) != 0 if dtype.is_bool else array


def _of_field(proto, what: str, dtype: DType, shape: tuple, size: int) -> Tensor:
    values = getattr(proto, _TYPES[proto.data_type][1])
    if len(values) != size:
        raise FormatError(f"{what} of shape {shape} holds {len(values)} values, not {size}")
    array = np.array(values)
    if dtype.is_float and dtype.itemsize == 2:          # as 16-bit words
        array = array.astype(np.uint16).view(dtype.storage)
    return Tensor._wrap(np.ascontiguousarray(array.astype(dtype.storage)).reshape(shape), dtype)


def _external(proto, what: str, folder: Path | None, size: int) -> bytes:
    """The bytes of external data: a file in the model's own folder, named without ways out of it."""
    if folder is None:
        raise FormatError(f"{what} lies in another file; import the model by its path, in whose folder that file is")
    entries = {e.key: e.value for e in proto.external_data}
    location = entries.get("location", "")
    parts = Path(location).parts
    if not location or "\0" in location or "\\" in location or os.path.isabs(location) or ".." in parts:
        raise FormatError(f"{what} lies in {location!r}; only files in the model's own folder are read")
    base = Path(os.path.realpath(folder))
    path = base / location
    if Path(os.path.realpath(path)) != path or not path.is_file():
        raise FormatError(f"{what} lies in {location!r}, which is not a file in the model's folder, or is reached "
                          "through a link")
    try:
        offset = int(entries.get("offset", 0))
        length = int(entries.get("length", size))
    except ValueError as error:
        raise FormatError(f"{what}: offset and length of external data must be numbers") from error
    if offset < 0 or length != size or offset + length > path.stat().st_size:
        raise FormatError(f"{what} needs {size} bytes; {location!r} does not hold them at {offset}, length {length}")
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(length)
