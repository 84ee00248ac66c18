"""Parameter: a named Tensor that a Cell owns and an optimiser updates.

A Parameter keeps its memory for life where it can: compiled programs hold the address.  Writes go into that memory and
move `epoch.data`; what replaces the memory, the name or `requires_grad` moves `epoch.structure`.
"""
from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from graphcore import dtype as dt
from graphcore.capture import epoch
from graphcore.errors import CaptureError, DTypeError, ShapeError
from graphcore.lazy import MetaTensor, Recipe, materialize
from graphcore.parameter_tuple import ParameterTuple
from graphcore.tensor import Tensor, storage_of, store

__all__ = ["Parameter", "ParameterTuple"]

AUTOMATIC_NAME = "Parameter"
_LONGEST_NAME = 1024
# A value may be set into a Parameter whose dtype comes later in this order: nothing of it is lost but low bits.
_WIDENING = {d: i for i, d in enumerate((
    dt.bool_, dt.int8, dt.uint8, dt.int16, dt.uint16, dt.int32, dt.uint32, dt.int64, dt.uint64, dt.bfloat16, dt.float16,
    dt.float32, dt.float64))}


class Parameter(Tensor):
    """``Parameter(default_input, name=None, requires_grad=True, layerwise_parallel=False, parallel_optimizer=True)``.

    default_input: Tensor, NumPy array, int (gives int32), float (float32), list of numbers, or an `initializer(...)`,
    which is evaluated at the first use of the values or by `init_data`; data is copied.
    name: without one it is called "Parameter" until a Cell binds it.  requires_grad: whether it is trained.
    Raises TypeError or ValueError for anything else.
    """

    layerwise_parallel = False
    parallel_optimizer = True
    parallel_optimizer_comm_recompute = False
    comm_fusion = 1
    sliced = False              # whether it is a part of what other processes have the rest of, then
    part_of = None              # which part, if it is one that can be gathered: see `graphcore.parts`
    is_init = False             # of interest to other devices in MindSpore; scripts read it
    is_in_parallel = False
    is_param_ps = False
    init_in_server = False
    unique = False
    key = -1
    cache_enable = False
    cache_shape = ()
    gradient_hooks = ()         # see `capture.points`
    _made_by_initializer = False
    in_cell = False             # whether a Cell has registered it

    def __init__(self, default_input, name=None, requires_grad=True, layerwise_parallel=False, parallel_optimizer=True,
                 storage_format="", device=None):
        self._escaped = False                   # whether a writable NumPy view was handed out
        self._recipe: Recipe | None = None      # how to make the values, as long as there are none
        self._take(default_input)
        self._name, self.has_given_name = _checked_name(name)
        self._requires_grad = _checked_flag("requires_grad", requires_grad)
        if _checked_flag("layerwise_parallel", layerwise_parallel):
            self.layerwise_parallel = True
        if not _checked_flag("parallel_optimizer", parallel_optimizer):
            self.parallel_optimizer = False

    def _take(self, data) -> None:
        if isinstance(data, bool):
            raise ValueError("the data of a Parameter cannot be a bool; give a number, or Tensor(value, bool_)")
        if _is_lazy(data):
            self._recipe, self._dtype = data._recipe, data._dtype
            self._made_by_initializer = True
        elif isinstance(data, (Tensor, np.ndarray, np.generic, int, float, list)):
            self._array, self._dtype = storage_of(data, dt.int32 if type(data) is int else None)
        else:
            raise TypeError("a Parameter is made of a Tensor, an initializer, a NumPy array, a number or a list, got "
                            + type(data).__name__)

    def __getattr__(self, name):
        # Tensor keeps its memory in the slot `_array`; reading the slot while it is empty ends here.
        if name != "_array":
            return super().__getattr__(name)
        epoch.structure_changed()
        return materialize(self)

    # -- what it is ----------------------------------------------------------------------------------
    @property
    def name(self) -> str:
        """The name, which checkpoints and graphs use.  Setting None or "" makes it automatic again.

        Raises ValueError for anything but a str of at most 1024 characters.
        """
        return self._name

    @name.setter
    def name(self, value):
        self._name, self.has_given_name = _checked_name(value)
        epoch.structure_changed()

    @property
    def requires_grad(self) -> bool:
        """Whether `trainable_params` lists it and optimisers update it."""
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, value):
        self._requires_grad = _checked_flag("requires_grad", value)
        epoch.structure_changed()

    @property
    def shape(self) -> tuple:
        """The sizes of the axes; known without the values."""
        recipe = self._recipe
        return self._array.shape if recipe is None else recipe.shape

    @property
    def has_init(self) -> bool:
        """Whether the values are still to be made by an initialiser."""
        return self._recipe is not None

    @property
    def init_mode(self):
        """The lazy Tensor that describes the values to come, or None once there are values."""
        return None if self._recipe is None else MetaTensor(self._recipe)

    @property
    def inited_param(self):
        """This Parameter, if it was made by an initialiser and has its values; otherwise None."""
        return self if self._made_by_initializer and self._recipe is None else None

    @property
    def param_info(self):
        """The facts about this Parameter in one object, as MindSpore's `ParamInfo`: a copy, for reading."""
        return SimpleNamespace(name=self.name, requires_grad=self.requires_grad, parameter_shape=self.shape,
                               layerwise_parallel=self.layerwise_parallel, parallel_optimizer=self.parallel_optimizer,
                               comm_fusion=self.comm_fusion, key=self.key, unique=self.unique,
                               cache_enable=self.cache_enable, cache_shape=list(self.cache_shape),
                               init_in_server=self.init_in_server, is_param_ps=self.is_param_ps)

    # -- the values ----------------------------------------------------------------------------------
    def value(self) -> Tensor:
        """The values as a Tensor of their own: later changes of the Parameter do not show in it."""
        trace = _current_trace()
        if trace is not None:
            return trace.record(trace.value_now(self))
        return Tensor._wrap(self._array.copy(), self._dtype)

    @property
    def data(self) -> Tensor:
        """The values as a Tensor that shares the Parameter's memory.  Setting it is `set_data`."""
        trace = _current_trace()
        if trace is not None:
            return trace.record(trace.value_now(self))
        return _SharedData(self)

    @data.setter
    def data(self, value):
        self.set_data(value)

    def asnumpy(self) -> np.ndarray:
        """The values as a writable NumPy array over the same memory (bfloat16: a float32 copy).

        Writes through it are seen by the next call of a compiled program.  Raises CaptureError inside a capture.
        """
        trace = _current_trace()
        if trace is not None:
            return trace.value_of(trace.value_now(self))
        if not self._escaped and self._dtype is not dt.bfloat16:
            self.materialized()         # the view must be of memory that stays
            self._escaped = True
            epoch.structure_changed()
        return super().asnumpy()

    def peek(self) -> np.ndarray:
        """The values as a read-only NumPy array over the same memory: unlike `asnumpy`, no view to write through.

        (bfloat16: a float32 copy.)  Raises CaptureError inside a capture.
        """
        view = self._detached().asnumpy().view()
        view.flags.writeable = False
        return view

    def item(self, *index):
        """The Python number of a one-element Parameter, or of the element at `index`."""
        return self._detached().item(*index)

    def tolist(self):
        """The values as nested Python lists."""
        return self._detached().tolist()

    def __bool__(self):
        return bool(self._detached())

    def __int__(self):
        return int(self._detached())

    def __float__(self):
        return float(self._detached())

    def __index__(self):
        return self._detached().__index__()

    def _detached(self) -> Tensor:
        """The values for reading only: they do not leave as a writable view."""
        return self.value() if _current_trace() is not None else Tensor._wrap(self._array, self._dtype)

    def materialized(self) -> Parameter:
        """This Parameter, with its values made if it was lazy."""
        if self._recipe is not None:
            materialize(self)
            epoch.structure_changed()
        return self

    def init_data(self, layout=None, set_sliced=False) -> Parameter:
        """Make the values, if they are still to be made; returns the Parameter.

        layout: which slice of them this process keeps (see `graphcore.parts.cut_by_layout`); it is what the slice of
        the whole would be.  set_sliced: what `sliced` says afterwards, if there is a layout.
        """
        if layout is None or self._recipe is None:
            return self.materialized()
        from graphcore.parts import cut_by_layout
        own = cut_by_layout(self._recipe.make(), layout).copy()
        self._array, self._recipe, self.sliced = own, None, bool(set_sliced)
        epoch.structure_changed()
        return self

    def set_data(self, data, slice_shape=False) -> Parameter:
        """Replace the values; returns the Parameter.

        data: Tensor, Parameter, initializer, int or float, of the Parameter's shape unless `slice_shape` is True.
        It is converted to the Parameter's dtype.  Raises TypeError for another kind of data, ShapeError for another
        shape, DTypeError where the conversion would lose information (float into int, float64 into float32).  In a
        capture it is `ops.assign`.
        """
        if _current_trace() is not None:
            from graphcore.ops.state import assign
            return assign(self, data)
        if isinstance(data, bool) or not isinstance(data, (Tensor, int, float)):
            raise TypeError(f"Parameter data must be a Tensor, an int or a float, got {type(data).__name__}; "
                            "wrap arrays in Tensor(...)")
        if not isinstance(data, Tensor):
            data = Tensor(data, dt.float32 if isinstance(data, float) else dt.int32)
        self._check_conversion(data.dtype)
        if data.shape != self.shape and not slice_shape:
            raise ShapeError(f"Parameter {self.name} has shape {self.shape}; data of shape {data.shape} cannot be set "
                             "into it (slice_shape=True would change its shape)")
        if self._recipe is None and data.shape == self.shape:
            np.copyto(self._array, self._converted(data))
        else:
            self._replace(data)
        epoch.data_changed()
        return self

    def assign_value(self, value) -> Parameter:
        """`set_data` under MindSpore's other name."""
        return self.set_data(value)

    def copy_(self, src, non_blocking=False) -> Parameter:
        """Write the values of Tensor `src` into the Parameter's memory, converted and broadcast; returns it."""
        from graphcore.ops.state import assign
        if isinstance(src, Tensor) and src.shape != self.shape:
            src = Tensor(np.ascontiguousarray(np.broadcast_to(src.asnumpy(), self.shape)), src.dtype)
        return assign(self, src)

    def _check_conversion(self, dtype) -> None:
        if _WIDENING[dtype] > _WIDENING[self._dtype]:
            raise DTypeError(f"Parameter {self.name} is {self._dtype.name}: setting {dtype.name} data into it would "
                             f"lose information; convert the data first: data.astype({self._dtype.name})")

    def _converted(self, data: Tensor) -> np.ndarray:
        if data._dtype is self._dtype:
            return data._array
        return store(Tensor._wrap(data._array, data._dtype).asnumpy(), self._dtype)

    def _replace(self, data: Tensor) -> None:
        """Take other memory, or while there is none another recipe."""
        if self._recipe is not None and _is_lazy(data):
            self._recipe = Recipe(data._recipe.init, data._recipe.shape, self._dtype, data._recipe.seed)
        else:
            self._array, self._recipe = self._converted(data).copy(), None
            self._escaped = False       # the views that were handed out show the old memory
        epoch.structure_changed()

    # -- copies --------------------------------------------------------------------------------------
    def clone(self, init="same") -> Parameter:
        """A new Parameter of this name, shape, dtype and flags.

        init: "same" copies the values; a Tensor, number, initializer or its name gives others.
        Within a function that is captured or differentiated the copy is a Tensor of the values at that point.
        Raises CaptureError there for other values.
        """
        if _current_trace() is not None:
            if isinstance(init, str) and init == "same":
                return self.value()
            from graphcore.capture.location import locate
            raise locate(CaptureError(f"Parameter.clone({init!r}) inside construct: Parameters are made in __init__, "
                                      "or they would be new in every call; ops.full_like makes Tensors"))
        if isinstance(init, str) and init == "same":
            return self._like(self if self._recipe is not None else Tensor._wrap(self._array, self._dtype))
        from graphcore.initializer import initializer
        data = initializer(init, self.shape, self._dtype)
        return self._like(data if data.dtype is self._dtype else Tensor(data, self._dtype))

    def copy(self) -> Parameter:
        """The same as ``clone(init="same")``."""
        return self.clone()

    def _like(self, data) -> Parameter:
        result = Parameter(data)
        own = ("_recipe", "_escaped", "_made_by_initializer", "in_cell")
        result.__dict__.update((k, v) for k, v in self.__dict__.items() if k not in own)
        return result

    def __copy__(self):
        return self.clone()

    def __deepcopy__(self, memo):
        result = memo[id(self)] = self.clone()
        return result

    def __reduce__(self):
        return _restore, (self._array, self._dtype, {k: v for k, v in self.__dict__.items() if k != "_recipe"})

    # -- accepted for other devices and parallel training ----------------------------------------------
    def set_param_ps(self, init_in_server=False) -> None:
        """Note that a parameter server should hold it (stored; there are no parameter servers here)."""
        self.is_param_ps, self.init_in_server = True, bool(init_in_server)

    def add_pipeline_stage(self, stage) -> None:
        """Accepted without effect: there are no pipeline stages on one CPU.  Raises TypeError for no int >= 0."""
        if isinstance(stage, bool) or not isinstance(stage, int) or stage < 0:
            raise TypeError(f"add_pipeline_stage takes an int >= 0, got {stage!r}")

    def register_hook(self, hook_fn):
        """Call ``hook_fn(gradient)`` wherever this Parameter is differentiated by; returns a handle with `remove()`.

        See `graphcore.capture.points.register_hook`.
        """
        from graphcore.capture.points import register_hook
        return register_hook(self, hook_fn)

    def __str__(self):
        return (f"Parameter (name={self.name}, shape={self.shape}, dtype={self.dtype}, "
                f"requires_grad={self.requires_grad})")

    __repr__ = __str__

    def __format__(self, spec):
        return format(self.item(), spec) if spec else str(self)

    def __parameter__(self):
        """For duck typing, as MindSpore's."""


class _SharedData(Tensor):
    """The memory of a Parameter as a plain Tensor; a NumPy view of it counts as one of the Parameter."""

    def __init__(self, parameter: Parameter):
        self._parameter = parameter
        self._array, self._dtype = parameter._array, parameter._dtype

    def asnumpy(self) -> np.ndarray:
        self._parameter.asnumpy()       # marks the escape
        return super().asnumpy()

    def set_data(self, data, slice_shape=False):
        """`Parameter.set_data`."""
        return self._parameter.set_data(data, slice_shape)

    def __str__(self):
        return str(Tensor._wrap(self._array, self._dtype))


def _is_lazy(data) -> bool:
    return isinstance(data, (MetaTensor, Parameter)) and data._recipe is not None


def _current_trace():
    from graphcore.capture.trace import current_trace
    return current_trace()


def _checked_name(name) -> tuple:
    """(name, whether the user gave it)."""
    if name is None or name == "":
        return AUTOMATIC_NAME, False
    if not isinstance(name, str):
        raise ValueError(f"the name of a Parameter must be a str or None, got {type(name).__name__}")
    if len(name) > _LONGEST_NAME:
        raise ValueError(f"the name of a Parameter may have {_LONGEST_NAME} characters; {name[:20]!r}... has more")
    return name, True


def _checked_flag(what: str, value) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{what} must be a bool, got {type(value).__name__}")
    return value


def _restore(array, dtype, state):
    result = Parameter(Tensor._wrap(array, dtype))
    result.__dict__.update(state, _escaped=False)
    return result
