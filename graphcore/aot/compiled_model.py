"""CompiledModel: a model compiled ahead of time, called from Python through ctypes.

Neither Numba nor LLVM is imported.
"""
from __future__ import annotations

import ctypes
import hashlib
import os
import sys
import threading
import weakref
from collections.abc import Mapping
from operator import index, le
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy import empty

from graphcore.aot.manifest import DTYPES, ArrayInfo, FileInfo, Manifest, read_manifest
from graphcore.errors import DTypeError, FormatError, GraphcoreError, ShapeError
from graphcore.ir.dims import Dim, evaluate
from graphcore.tensor import Tensor

_MOST_CALLS = 1024          # different shapes of inputs that are remembered
_MOST_THREADS = (1 << 31) - 1
_LARGEST_SIZE = (1 << 63) - 1


class CompiledModelError(GraphcoreError, RuntimeError):
    """A library that could not create or run its model; the text is the library's own."""


class CompiledModel:
    """Runs the model in a folder that ``graphcore compile`` or ``export(..., file_format="SO")`` made.

    Called with Tensors or NumPy arrays of the shapes and dtypes in `inputs`; gives what the net gave, as Tensors.  Any
    number of threads may call it: each call under way has a handle of its own.

    folder: of the bundle; threads: that a call may use; cpu_level: 2, 3 or 4 (0: the best of this CPU); weights: path
    of other weights than those beside the library, with the same names, shapes and dtypes; largest: name of a symbolic
    size -> the largest value that memory is allocated for (by default what calls bring).
    Raises FormatError for a folder that holds no intact model, TypeError or ValueError for an option that makes no
    sense, CompiledModelError where the library says no.
    """

    def __init__(self, folder: str | os.PathLike, threads: int = 1, cpu_level: int = 0,
                 weights: str | os.PathLike | None = None, largest: Mapping[str, int] | None = None):
        folder = Path(folder)
        _check_number("threads", threads, 0, _MOST_THREADS)
        _check_number("cpu_level", cpu_level, 0, 4)
        self.manifest = read_manifest(folder)
        self._library = _open_library(folder, self.manifest)
        self._threads, self._cpu_level = threads, cpu_level
        self._weights = _weights_path(folder, self.manifest, weights)
        self._largest = _checked_sizes(self.manifest, largest or {})
        self._inputs = [_Declared(a) for a in self.manifest.inputs]
        self._outputs = [_Declared(a) for a in self.manifest.outputs]
        self._run, self._gives_one = self._library.run, self.manifest.result == 0
        self._calls: dict[tuple, tuple] = {}        # by the inputs' shapes: what `_new_call` gives
        self._idle: list[_Handle] = []              # taken and given back in one step each, so threads need no lock
        if len(self._largest) == len(self.manifest.symbols):
            self._idle.append(_Handle(self, tuple(self._largest[s] for s in self.manifest.symbols)))

    @property
    def name(self) -> str:
        """What the library's functions begin with."""
        return self.manifest.name

    @property
    def inputs(self) -> tuple[ArrayInfo, ...]:
        """Name, dtype and shape of each input."""
        return self.manifest.inputs

    @property
    def outputs(self) -> tuple[ArrayInfo, ...]:
        """Name, dtype and shape of each output."""
        return self.manifest.outputs

    def __repr__(self) -> str:
        def words(arrays):
            return ", ".join(f"{a.name}: {a.dtype}{list(a.shape)}".replace("'", "") for a in arrays)
        return f"CompiledModel({self.name}: ({words(self.inputs)}) -> ({words(self.outputs)}))"

    def __call__(self, *inputs):
        """Run the model.

        Raises TypeError for another number of inputs, ShapeError or DTypeError for one that does not fit.
        """
        if len(inputs) != len(self._inputs):
            raise TypeError(f"{self.name} takes {len(self._inputs)} inputs, got {len(inputs)}: {self!r}")
        arrays = [value._array if type(value) is Tensor and value._dtype is declared.dtype else declared.array(value)
                  for value, declared in zip(inputs, self._inputs)]
        shapes = tuple([array.shape for array in arrays])
        sizes, shapes_of_outputs = self._calls.get(shapes) or self._new_call(shapes)
        outputs = [empty(shape, dtype) for shape, dtype in shapes_of_outputs]
        addresses = [address_of(array) for array in arrays + outputs]
        handle = self._acquire(sizes)
        try:
            status = self._run(handle.pointer, *sizes, *addresses)
        finally:
            self._idle.append(handle)
        if status:
            self._library.check(status)
        if self._gives_one:
            return Tensor._wrap(outputs[0], self._outputs[0].dtype)
        tensors = [Tensor._wrap(array, declared.dtype) for array, declared in zip(outputs, self._outputs)]
        return _arranged(self.manifest.result, tensors)

    predict = __call__

    def _new_call(self, shapes: tuple) -> tuple:
        """(values of the symbolic sizes, (shape, NumPy dtype) of each output) of calls with inputs of these shapes.

        Raises ShapeError for shapes that do not fit.
        """
        sizes: dict[str, int] = {}
        for declared, shape in zip(self._inputs, shapes):
            declared.bind(shape, sizes)
        for declared, shape in zip(self._inputs, shapes):
            declared.check(shape, sizes)
        if any(size < 1 for size in sizes.values()):
            raise ShapeError(f"{self.name} takes no empty arrays: {_words(sizes)}")
        outputs = tuple((declared.shape(sizes), np.dtype(declared.dtype.storage)) for declared in self._outputs)
        call = tuple(sizes[symbol] for symbol in self.manifest.symbols), outputs
        if len(self._calls) >= _MOST_CALLS:
            self._calls.clear()
        self._calls[shapes] = call
        return call

    def _acquire(self, sizes: tuple) -> _Handle:
        """A handle for one call of these sizes; those that turn out too small make room for larger ones."""
        while True:
            try:
                handle = self._idle.pop()
            except IndexError:
                break
            if not sizes or all(map(le, sizes, handle.largest)):
                return handle
            self._largest = dict(zip(self.manifest.symbols, map(max, handle.largest, sizes)))
        known = (self._largest.get(symbol, 1) for symbol in self.manifest.symbols)
        return _Handle(self, tuple(map(max, known, sizes)))


class _Handle:
    """A model that the library created; used by one thread at a time, destroyed when it is forgotten."""

    def __init__(self, model: CompiledModel, largest: tuple):
        self.largest, self._library = largest, model._library
        options = _options_type(model.manifest.symbols)(*largest, model._threads, model._cpu_level, model._weights)
        pointer = ctypes.c_void_p()
        self._library.check(self._library.create(ctypes.byref(pointer), ctypes.byref(options)))
        self.pointer = pointer.value
        weakref.finalize(self, self._library.destroy, pointer).atexit = False


class _Library:
    """The functions of a loaded library."""

    def __init__(self, path: Path, manifest: Manifest):
        try:
            library = ctypes.CDLL(_fresh_path(path))
            self.create, self.run, self.destroy, self.error, interface = (
                getattr(library, f"{manifest.name}_{function}")
                for function in ("create", "run", "destroy", "error", "interface"))
        except (OSError, AttributeError) as error:
            raise FormatError(f"{path} cannot be loaded: {error}") from None
        interface.restype = ctypes.c_uint64
        if interface() != manifest.interface:
            raise FormatError(f"{path} and its manifest do not belong together: they differ in inputs or outputs")
        arrays = len(manifest.inputs) + len(manifest.outputs)
        self.run.argtypes = [ctypes.c_void_p, *[ctypes.c_int64] * len(manifest.symbols), *[ctypes.c_void_p] * arrays]
        self.create.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        self.destroy.argtypes, self.destroy.restype = [ctypes.c_void_p], None
        self.error.restype = ctypes.c_char_p

    def check(self, status: int) -> None:
        """Raise CompiledModelError for another status than 0."""
        if status:
            raise CompiledModelError(self.error(status).decode())


_loaded: dict[Path, list] = {}
_loading = threading.Lock()


def _fresh_path(path: Path) -> str:
    """The path, written so that the system's loader does not take a file for another that was loaded from there before.

    It compares names first and files only then, and a library that was loaded stays.
    """
    found = path.stat()
    with _loading:
        known = _loaded.setdefault(path, [])
        if (found.st_dev, found.st_ino) not in known:
            known.append((found.st_dev, found.st_ino))
        number = known.index((found.st_dev, found.st_ino))
    detour = "".join("/." if digit == "1" else "/" for digit in f"{number:b}") if number else ""
    return f"{path.parent}{detour}/{path.name}"


def _open_library(folder: Path, manifest: Manifest) -> _Library:
    return _Library(intact_file(folder, manifest.library), manifest)


def intact_file(folder: Path, info: FileInfo) -> Path:
    """The absolute path of a file of a bundle, after comparing its size and checksum.

    Raises FormatError for another content, and for a link that leads out of the folder.
    """
    path = (folder / info.file).resolve()
    if path.parent != folder.resolve():
        raise FormatError(f"{folder / info.file} leads out of the model's folder")
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            found = _sha256(file) if size == info.bytes else ""
    except OSError as error:
        raise FormatError(f"{path} cannot be read ({error.strerror})") from None
    if found != info.sha256:
        raise FormatError(f"{path} is damaged: its content is not what the manifest says")
    return path


def _sha256(file) -> str:
    found = hashlib.sha256()
    while part := file.read(1 << 20):
        found.update(part)
    return found.hexdigest()


def _weights_path(folder: Path, manifest: Manifest, other) -> bytes | None:
    if manifest.weights is None:
        if other is not None:
            raise ValueError(f"{manifest.name} has its weights in the library; compile it with weights beside it")
        return None
    path = intact_file(folder, manifest.weights) if other is None else Path(other).resolve()
    if not path.is_file():
        raise CompiledModelError(f"the file of weights cannot be read: there is no file {path}")
    return os.fsencode(path)


def _checked_sizes(manifest: Manifest, largest: Mapping[str, int]) -> dict:
    unknown = [s for s in largest if s not in manifest.symbols]
    if unknown:
        known = f"they are {', '.join(manifest.symbols)}" if manifest.symbols else "it has none"
        raise ValueError(f"{manifest.name} has no symbolic size {unknown[0]!r}; {known}")
    for symbol, value in largest.items():
        _check_number(f"the largest {symbol}", value, 1, _LARGEST_SIZE)
    return {symbol: index(value) for symbol, value in largest.items()}


def _check_number(what: str, value, least: int, most: int) -> None:
    try:
        number = index(value)
    except TypeError:
        raise TypeError(f"{what} is a whole number, got {value!r}") from None
    if not least <= number <= most:
        raise ValueError(f"{what} is a number from {least} to {most}, got {number}")


def _words(sizes: Mapping[str, int]) -> str:
    return ", ".join(f"{symbol} = {value}" for symbol, value in sizes.items())


class _Declared:
    """An input or output as the manifest declares it."""

    def __init__(self, info: ArrayInfo):
        self.info, self.dtype, self.sizes = info, DTYPES[info.dtype], info.sizes

    def array(self, value) -> np.ndarray:
        """The contiguous array of an input.  Raises DTypeError for another dtype."""
        if isinstance(value, Tensor):
            dtype, array = value._dtype, value._array
        else:
            array = np.asarray(value)
            dtype = self.dtype if array.dtype == self.dtype.storage else array.dtype
            if not array.flags.c_contiguous:
                array = np.ascontiguousarray(array)
        if dtype is not self.dtype:
            found = dtype if isinstance(dtype, np.dtype) else dtype.name
            raise DTypeError(f"{self.info.name} takes {self.info.dtype}, got {found}: convert it first")
        return array

    def bind(self, shape: tuple, sizes: dict) -> None:
        """Let symbols that stand alone in the declared shape take the sizes of `shape`."""
        if len(shape) != len(self.sizes):
            raise self._misfit(shape)
        for size, actual in zip(self.info.shape, shape):
            if isinstance(size, str) and size.isidentifier():
                sizes.setdefault(size, actual)

    def check(self, shape: tuple, sizes: dict) -> None:
        """Raise ShapeError unless this is the declared shape for these values of the symbols."""
        if shape != tuple(evaluate(size, sizes) for size in self.sizes):
            raise self._misfit(shape, sizes)

    def shape(self, sizes: dict) -> tuple:
        """The shape of an output.  Raises ShapeError where the sizes are too small for the net."""
        shape = tuple(evaluate(size, sizes) for size in self.sizes)
        if any(size < 0 for size in shape):
            raise ShapeError(f"{_words(sizes)} is too small: {self.info.name} would get the shape {shape}")
        return shape

    def _misfit(self, shape: tuple, sizes: Mapping[str, int] = MappingProxyType({})) -> ShapeError:
        declared = f"{list(self.info.shape)}".replace("'", "")
        known = _words({symbol: value for symbol, value in sizes.items() if any(
            isinstance(size, Dim) and symbol in size.symbols() for size in self.sizes)})
        return ShapeError(f"{self.info.name} takes the shape {declared}{f' with {known}' * bool(known)}, got "
                          f"{list(shape)}")


def _data_at() -> int | None:
    """Where in an array's memory the address of its data stands, tried on samples; None if that is unknown."""
    at = object.__basicsize__
    samples = (np.zeros(3), np.zeros((2, 2), np.float32)[1:])
    is_known = sys.implementation.name == "cpython" and all(
        ctypes.c_void_p.from_address(id(sample) + at).value == sample.ctypes.data for sample in samples)
    return at if is_known else None


def _address_function():
    """The function that gives the address of an array's data; reading it takes a seventh of the time of asking."""
    at, word_at = _data_at(), ctypes.c_void_p.from_address
    if at is None:
        return lambda array: array.ctypes.data
    return lambda array: word_at(id(array) + at).value


address_of = _address_function()


def _options_type(symbols: tuple) -> type:
    fields = [(f"max_{s}", ctypes.c_int64) for s in symbols]
    fields += [("threads", ctypes.c_int32), ("cpu_level", ctypes.c_int32), ("weights", ctypes.c_char_p)]
    return type("Options", (ctypes.Structure,), {"_fields_": fields})


def _arranged(result, tensors: list):
    return tuple(_arranged(part, tensors) for part in result) if isinstance(result, list) else tensors[result]
