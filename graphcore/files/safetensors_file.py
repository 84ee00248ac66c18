"""safetensors files, by the `safetensors` library; its metadata says ``format: ms`` as MindSpore's files do.

Strings of a checkpoint, which the format has no place for, stand in the metadata under ``graphcore.text.<name>``.
"""
from __future__ import annotations

import json
import os

import numpy as np

from graphcore import dtype as dt
from graphcore.errors import FormatError, MissingPackageError
from graphcore.files.atomic import atomic_path
from graphcore.files.stored import Entries, StoredTensor

_CODES = {"F16": dt.float16, "BF16": dt.bfloat16, "F32": dt.float32, "F64": dt.float64, "I8": dt.int8,
          "I16": dt.int16, "I32": dt.int32, "I64": dt.int64, "U8": dt.uint8, "U16": dt.uint16, "U32": dt.uint32,
          "U64": dt.uint64, "BOOL": dt.bool_}
_TEXT = "graphcore.text."
_MOST_QUOTES = 280_000      # in a header: 28,000 tensors, or 70,000 strings; each costs memory far beyond its bytes


def _library():
    try:
        import safetensors
    except ImportError:
        raise MissingPackageError("safetensors files need the safetensors package: pip install safetensors "
                                  "(or save with format='ckpt')") from None
    return safetensors


def write_safetensors(path: str | os.PathLike, entries: Entries) -> None:
    """Write a safetensors file that replaces `path` only when it is complete, tensors sorted by name.

    Raises MissingPackageError without the safetensors package, OSError as writing to `path` would.
    """
    library = _library()
    metadata = {"format": "ms"}
    tensors, arrays = {}, []
    for name in sorted(entries):
        entry = entries[name]
        if isinstance(entry, str):
            metadata[_TEXT + name] = entry
        else:
            arrays.append(np.ascontiguousarray(entry.array))
            tensors[name] = _specification(library, entry, arrays[-1])
    with atomic_path(path) as temporary:
        library.serialize_file(tensors, os.fspath(temporary), metadata)


def _specification(library, entry: StoredTensor, array: np.ndarray):
    """What the library wants to know of a tensor: since 0.8 where its memory is, before that its bytes."""
    dtype, shape = entry.dtype.name.rstrip("_"), list(entry.shape)
    if hasattr(library, "TensorSpec"):
        return library.TensorSpec(dtype=dtype, shape=shape, data_ptr=array.ctypes.data, data_len=array.nbytes)
    return {"dtype": dtype, "shape": shape, "data": array.tobytes()}


def parse_safetensors(data: bytes, wanted=None) -> tuple:
    """(entries, metadata) of a safetensors file's bytes.

    wanted: a function of the name that says whether to keep an entry.
    Raises FormatError for damaged files and dtypes that graphcore has not.
    """
    library = _library()
    if data.count(b'"', 0, 8 + int.from_bytes(data[:8], "little")) > _MOST_QUOTES:
        raise FormatError("its header has more than 28,000 tensors or 70,000 strings; save them in several files")
    try:
        tensors = library.deserialize(data)
    except library.SafetensorError as error:
        raise FormatError(f"this is no intact safetensors file: {error}") from None
    entries: dict = {}
    for name, tensor in sorted(tensors, key=lambda item: item[0]):
        if wanted is not None and not wanted(name):
            continue
        dtype = _CODES.get(tensor["dtype"])
        if dtype is None:
            raise FormatError(f"{name!r} has the dtype {tensor['dtype']!r}; graphcore reads {', '.join(_CODES)}")
        array = np.frombuffer(tensor["data"], np.uint8)
        if dtype is dt.bool_:
            array = (array != 0).view(np.uint8)
        try:
            entries[name] = StoredTensor(dtype, array.view(dtype.storage).reshape(tensor["shape"]))
        except ValueError as error:
            raise FormatError(f"{name!r}: {error}") from None
    header = json.loads(data[8:8 + int.from_bytes(data[:8], "little")])
    metadata = header.get("__metadata__") or {}
    for key, value in metadata.items():
        name = key.removeprefix(_TEXT)
        if key.startswith(_TEXT) and (wanted is None or wanted(name)):
            entries[name] = value
    return entries, metadata


def read_safetensors(path: str | os.PathLike, wanted=None) -> dict:
    """The entries of a safetensors file: {name: StoredTensor or str}; see `parse_safetensors`."""
    with open(path, "rb") as file:
        data = file.read()
    try:
        return parse_safetensors(data, wanted)[0]
    except FormatError as error:
        raise FormatError(f"Failed to read the checkpoint file {os.fspath(path)}: {error}") from None
