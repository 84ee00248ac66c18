"""Tensor: an n-dimensional array with a graphcore dtype, over NumPy memory.

Outside a graph its operations run at once on the operators' NumPy references; inside a capture they build the graph.
The memory is always C-contiguous, so compiled programs read it in place.
Arithmetic and the other methods come from `graphcore.ops.tensor_methods`.
"""
from __future__ import annotations

import numpy as np

from graphcore import dtype as dt
from graphcore import tensor_names
from graphcore.capture import epoch
from graphcore.dtype import DType
from graphcore.errors import ShapeError
from graphcore.ir.types import TensorType
from graphcore.symbol import Symbol


class Tensor:
    """``Tensor(input_data=None, dtype=None, shape=None, init=None)``.

    input_data: Tensor, number, bool, (nested) list or tuple, or NumPy array; copied.  Python ints become int64, floats
    float32; arrays keep their dtype.  With `init` (an Initializer), `shape` and `dtype`, the data is made by `init`.
    A `shape` with None entries and no data makes a placeholder for ``Cell.set_inputs``.
    Raises TypeError for data that has no dtype, ShapeError where `shape` contradicts the data.
    """

    __slots__ = ("_array", "_dtype", "__weakref__", "__dict__")
    __array_priority__ = 1000

    def __init__(self, input_data=None, dtype=None, shape=None, init=None, const_arg=False, device=None):
        wanted = None if dtype is None else dt.as_dtype(dtype)
        if input_data is None:
            self._init_without_data(wanted, shape, init)
            return
        array, found = storage_of(input_data, wanted)
        if shape is not None and tuple(shape if isinstance(shape, (tuple, list)) else (shape,)) != array.shape:
            raise ShapeError(f"the data has shape {array.shape}, but shape={shape} is given")
        self._array, self._dtype = array, found

    def _init_without_data(self, dtype, shape, init):
        if shape is None or dtype is None:
            raise TypeError("Tensor needs input_data, or dtype and shape (with init, or None sizes for set_inputs)")
        shape = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
        shape = tuple(None if isinstance(size, Symbol) else size for size in shape)
        self._dtype = dtype
        if init is not None:
            from graphcore.initializer import initializer
            self._array = initializer(init, shape, dtype).init_data()._array
        elif any(s is None for s in shape):
            self._array = _Placeholder(shape)
        else:
            self._array = np.zeros(shape, dtype.storage)

    @classmethod
    def _wrap(cls, array: np.ndarray, dtype: DType) -> Tensor:
        """A Tensor over `array` itself, which holds `dtype.storage` and is C-contiguous."""
        self = Tensor.__new__(Tensor)
        self._array, self._dtype = array, dtype
        return self

    @staticmethod
    def from_numpy(array: np.ndarray) -> Tensor:
        """A Tensor that shares the memory of a C-contiguous array (others are copied)."""
        return Tensor._wrap(np.ascontiguousarray(array).reshape(array.shape), dt.from_numpy(array.dtype))

    # -- what it is ----------------------------------------------------------------------------------
    @property
    def dtype(self) -> DType:
        """The element type."""
        return self._dtype

    @property
    def shape(self) -> tuple:
        """The sizes of the axes."""
        return self._array.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        from graphcore.ir.dims import product
        return product(self.shape)

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return self._dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self.size * self.itemsize

    @property
    def strides(self) -> tuple:
        """Bytes between neighbours along each axis."""
        return self._array.strides

    @property
    def device(self) -> str:
        """Where it is: "CPU"."""
        return "CPU"

    @property
    def data(self) -> Tensor:
        """The Tensor itself."""
        return self

    @property
    def type_(self) -> TensorType:
        """The IR type."""
        return TensorType(self._dtype, self.shape)

    # -- leaving to NumPy ----------------------------------------------------------------------------
    def asnumpy(self) -> np.ndarray:
        """The values as a NumPy array that shares this Tensor's memory (bfloat16: a float32 copy)."""
        values = self._values()
        epoch.values_exposed(values)
        return values

    def _values(self) -> np.ndarray:
        """The values for reading only."""
        return dt.bfloat16_to_float32(self._array) if self._dtype is dt.bfloat16 else self._array

    def numpy(self) -> np.ndarray:
        """The same as `asnumpy`."""
        return self.asnumpy()

    def __array__(self, dtype=None, copy=None):
        array = self.asnumpy()
        if dtype is not None and array.dtype != dtype:
            return array.astype(dtype)
        return array.copy() if copy else array

    def item(self, *index):
        """The Python number of a one-element Tensor, or of the element at `index`."""
        return self._values().item(*index)

    def tolist(self):
        """The values as nested Python lists."""
        return self._values().tolist()

    def __bool__(self):
        if self.size != 1:
            raise ValueError("The truth value of an array with more than one element is ambiguous: only a tensor of "
                             f"one element can be converted to bool, this one has shape {self.shape}; use .all() or "
                             ".any()")
        return bool(self._values().item())

    def __int__(self):
        return int(self._values().item())

    def __float__(self):
        return float(self._values().item())

    def __index__(self):
        if not self._dtype.is_integer:
            raise TypeError(f"only integer tensors can be an index, this one is {self._dtype.name}")
        return int(self._values().item())

    def __len__(self):
        if not self.shape:
            raise TypeError("len() of a 0-d tensor")
        return self.shape[0]

    def __iter__(self):
        if not self.shape:
            raise TypeError("iteration over a 0-d tensor")
        return (self[i] for i in range(self.shape[0]))

    def __hash__(self):
        return id(self)

    def __str__(self):
        return str(self._values())

    def __repr__(self):
        from graphcore.tensor_format import tensor_repr
        return tensor_repr(self)

    def __format__(self, spec):
        return format(self.item() if self.size == 1 and spec else str(self), spec)

    def __getattr__(self, name):
        # Only called for what is neither in __dict__ nor in the class.
        hint = ""
        if name[0] != "_":      # NumPy asks for some of those in every conversion
            from graphcore.hints import instead_of_method
            hint = instead_of_method(name)
        raise AttributeError(f"'Tensor' object has no attribute {name!r}{hint}")

    def __copy__(self):
        return Tensor._wrap(self._array.copy(), self._dtype)

    def __deepcopy__(self, memodict):
        return Tensor._wrap(self._array.copy(), self._dtype)

    def __reduce__(self):
        return (_restore, (self._array, self._dtype))


def _restore(array, dtype):
    return Tensor._wrap(array, dtype)


class _Placeholder:
    """Stands for the memory of a Tensor whose shape has unknown (None) sizes."""

    def __init__(self, shape):
        self.shape = shape


def storage_of(data, dtype: DType | None = None) -> tuple:
    """(C-contiguous copy of `data` as stored, dtype) for anything that a Tensor can be made of.

    Raises TypeError for data that is not numeric.
    """
    if isinstance(data, Tensor):
        source, found = data._array, data._dtype
        if dtype is None or dtype is found:
            return source.copy(), found
        return store(data._values(), dtype), dtype
    if isinstance(data, (list, tuple)) and _holds_tensor(data):
        data = [d._values() if isinstance(d, Tensor) else np.asarray(storage_of(d)[0]) for d in data]
        array = np.array(data)
        found = dt.from_numpy(array.dtype)
    else:
        try:
            array = np.array(data)
            found = dt.from_numpy(array.dtype)
        except (TypeError, ValueError) as error:
            if isinstance(data, int):
                raise TypeError(f"a Tensor cannot be made of {data}, an int of {data.bit_length()} bits; integers have "
                                "up to 64: write a float") from None
            raise TypeError(f"a Tensor cannot be made of {type(data).__name__}: {error}") from None
        if array.size == 0 and not isinstance(data, np.ndarray):
            found = dt.float32
        elif found is dt.float64 and not isinstance(data, (np.ndarray, np.generic)):
            found = dt.float32
    return store(array, dtype or found), dtype or found


def _holds_tensor(data) -> bool:
    return any(isinstance(d, Tensor) or isinstance(d, (list, tuple)) and _holds_tensor(d) for d in data)


def store(array: np.ndarray, dtype: DType) -> np.ndarray:
    """A C-contiguous array of `dtype.storage` with the values of `array` (a copy where one is needed)."""
    shape = np.shape(array)
    if dtype is dt.bfloat16:
        return np.ascontiguousarray(dt.float32_to_bfloat16(np.asarray(array, np.float32))).reshape(shape)
    if np.iscomplexobj(array) and not dtype.is_complex:
        array = np.real(array)
    with np.errstate(invalid="ignore", over="ignore"):
        return np.ascontiguousarray(array, dtype.storage).reshape(shape)


def is_tensor(obj) -> bool:
    """Whether `obj` is a Tensor (Parameters are)."""
    return isinstance(obj, Tensor)


class _Method:
    """Stands for a method or operator until it is first used: importing all takes longer than most scripts' nets."""

    def __init__(self, name: str):
        self.name = name

    def __get__(self, tensor, cls):
        if Tensor.__dict__[self.name] is self:
            from graphcore.ops.tensor_methods import method
            setattr(Tensor, self.name, method(self.name))
        return Tensor.__dict__[self.name].__get__(tensor, cls)


for _name in tensor_names.ALL:
    setattr(Tensor, _name, _Method(_name))
