"""Cell: the building block of nets.

A Cell holds Parameters, sub-cells and plain attributes and defines ``construct``.  Calling it in GRAPH_MODE compiles
``construct`` and runs the program; in PYNATIVE_MODE, or inside a capture, ``construct`` runs as Python.
"""
from __future__ import annotations

import difflib
import inspect

from graphcore import context
from graphcore.capture import epoch, failures
from graphcore.capture.location import locate
from graphcore.capture.trace import TracedTensor, current_trace
from graphcore.errors import CaptureError
from graphcore.hints import instead
from graphcore.nn import cell_naming
from graphcore.nn.cell_hooks import CellHooks
from graphcore.nn.cell_options import CellOptions
from graphcore.nn.cell_state import CellState
from graphcore.nn.cell_tree import CellTree
from graphcore.nn.cell_walk import children
from graphcore.parameter import Parameter, ParameterTuple
from graphcore.tensor import Tensor

_MISSING = object()
_settings = context.settings            # the dict itself: a call must be quick
_GRAPH_MODE = context.GRAPH_MODE


class Cell(CellTree, CellState, CellHooks, CellOptions):
    """``Cell(auto_prefix=True, flags=None)``: base class of nets and layers.

    Subclass it, create Parameters and sub-cells as attributes in ``__init__`` (after ``super().__init__()``) and
    define ``construct``::

        class Net(nn.Cell):
            def __init__(self):
                super().__init__()
                self.fc = nn.Dense(4, 2)

            def construct(self, x):
                return ops.relu(self.fc(x))

    auto_prefix: whether the Parameters of sub-cells are renamed to their paths (wrappers of nets say False).
    flags: a dict for `add_flags`.
    """

    # Everything that this class itself keeps in an instance's __dict__ begins with an underscore.
    training = False
    phase = "train"
    requires_grad = False
    bprop_debug = False
    _compiled = None
    _has_bprop = False

    def __init__(self, auto_prefix=True, flags=None):
        state = self.__dict__
        if "_params" not in state:      # a second call, from another base class, keeps what there is
            state.update(_params={}, _cells={}, _buffers={}, _path="", _flags={})
        state["_auto_prefix"] = bool(auto_prefix)
        if flags:
            self.add_flags(**flags)

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "bprop" in vars(cls):
            cls._has_bprop = True

    def construct(self, *args, **kwargs):
        """What the Cell computes; defined by subclasses."""
        raise AttributeError(f"{type(self).__name__} does not define construct(self, ...), which says what it computes")

    # -- being called ----------------------------------------------------------------------------------
    def __call__(self, *args, **kwargs):
        trace = current_trace()
        if trace is None:
            try:
                if _settings["mode"] != _GRAPH_MODE:
                    return self._run_eagerly(args, kwargs)
                compiled = self._compiled or self._make_compiled()
                return compiled(*args, **kwargs) if kwargs else compiled(*args)
            except Exception as error:
                failures.shorten(error)
                raise
        state = self.__dict__
        if "_bound" not in state:
            self.bind_names()
        with trace.scope(state["_path"]):
            return self._run_construct(*args, **kwargs)

    def _run_eagerly(self, args, kwargs):
        """The call of a Cell in PYNATIVE_MODE."""
        if "_bound" not in self.__dict__:
            self.bind_names()
        try:
            return self._run_construct(*args, **kwargs)
        except Exception as error:
            failures.replace(error)
            raise

    def _run_construct(self, *args, **kwargs):
        extras = self._extras
        if extras is not None:
            return self._run_wrapped(extras, args, kwargs)
        return self._construct(args, kwargs)

    def _construct(self, args, kwargs):
        """construct itself; in a capture with its control flow converted, and with the gradients of `bprop`."""
        if current_trace() is None:
            return self.construct(*args, **kwargs)
        from graphcore.capture.language import callee
        construct = callee(self.construct)
        if not self._has_bprop:
            return construct(*args, **kwargs)
        from graphcore.capture.custom_gradients import with_bprop
        if kwargs:
            args = inspect.signature(self.construct).bind(*args, **kwargs).args
        return with_bprop(self, construct, args)

    def _make_compiled(self):
        from graphcore.capture.compiled import CompiledFunction
        if "_params" not in self.__dict__:
            raise self._not_initialised()

        def run(*args, **kwargs):
            return self._run_construct(*args, **kwargs)

        run.__wrapped__ = self.construct        # gives the names of the arguments
        self.__dict__["_compiled"] = CompiledFunction(run, name=type(self).__name__, owner=self)
        return self._compiled

    def compile(self, *args, **kwargs):
        """Compile for arguments like these (see `set_inputs`), without running.  In PYNATIVE_MODE nothing is done.

        Gives what there is to know about the compilation: see `graphcore.inspected.Inspection`.
        """
        if _settings["mode"] == _GRAPH_MODE:
            (self._compiled or self._make_compiled()).compile(*args, **kwargs)
            from graphcore.inspected import inspection
            return inspection(self)

    def compile_and_run(self, *args, **kwargs):
        """Compile and call the Cell."""
        return self(*args, **kwargs)

    # -- attributes ------------------------------------------------------------------------------------
    def __setattr__(self, name, value):
        state = self.__dict__
        if state.get("_tuples") and name in state["_params"] and name not in state:
            self._rename_in_tuples(name)
        if isinstance(value, (Tensor, Cell, ParameterTuple)) and self._set_special(state, name, value):
            return
        for registry, kind in (("_params", "a Parameter"), ("_cells", "a sub-cell"), ("_buffers", "a buffer")):
            registered = state.get(registry)
            if registered and name in registered:
                if value is not None:
                    raise TypeError(f"{type(self).__name__}.{name} is {kind}; a {type(value).__name__} cannot be "
                                    f"assigned to it; delete it first: del cell.{name}")
                registered[name] = None
        if state.get("_tuples") and name in state["_tuples"]:
            self._forget(name)
        self._set_plain(state, name, value)

    def _set_plain(self, state, name, value) -> None:
        old = state.get(name, _MISSING)
        object.__setattr__(self, name, value)
        if old is not value and not (type(old) is type(value) in (bool, int, float, str) and old == value):
            epoch.structure_changed()

    def _set_special(self, state, name, value) -> bool:
        """Set a Parameter, Cell, ParameterTuple or Tensor; False for what is to be a plain attribute."""
        if isinstance(getattr(type(self), name, None), property):
            return False
        if isinstance(value, Parameter):
            self._set_parameter(state, name, value)
        elif isinstance(value, Cell):
            self._set_cell(state, name, value)
        elif isinstance(value, ParameterTuple):
            self._set_parameter_tuple(state, name, value)
        elif state.get("_params", {}).get(name) is not None:
            self._write_parameter(state["_params"][name], value)
        elif name in state.get("_buffers", ()):
            self._refuse_traced(name, value)
            state["_buffers"][name] = value
            self._set_plain(state, name, value)
        else:
            self._refuse_traced(name, value)
            return False
        return True

    def _set_parameter(self, state, name, parameter) -> None:
        if "_params" not in state:
            raise self._not_initialised()
        if name in state["_cells"]:
            raise TypeError(f"{type(self).__name__}.{name} is a sub-cell; a Parameter cannot be assigned to it; "
                            f"delete it first: del cell.{name}")
        if name in state.get("_tuples", ()):
            self._forget(name)
        state["_params"][name] = state[name] = parameter
        cell_naming.attach_parameter(self, name, parameter)
        epoch.structure_changed()

    def _set_cell(self, state, name, child) -> None:
        if "_cells" not in state:
            raise self._not_initialised()
        if name in state["_params"]:
            raise KeyError(f"{type(self).__name__}.{name} is a Parameter; a Cell cannot be assigned to it; "
                           f"delete it first: del cell.{name}")
        if "_params" not in child.__dict__:
            raise child._not_initialised()
        state["_cells"][name] = state[name] = child
        cell_naming.attach_cell(self, name, child)
        epoch.structure_changed()

    def _set_parameter_tuple(self, state, name, parameters) -> None:
        if "_params" not in state:
            raise self._not_initialised()
        if name in state.get("_tuples", ()):
            self._forget(name)
        owned, keys = state["_params"], []
        for index, parameter in enumerate(parameters):
            key = parameter.name if parameter.has_given_name else f"{name}.{index}"
            if owned.get(key, parameter) is not parameter:
                key = f"{name}.{index}"
            if key in owned:
                continue
            keys.append(key)
            owned[key] = parameter
            if parameter.in_cell:
                state.setdefault("_borrowed", set()).add(id(parameter))
            else:
                cell_naming.attach_parameter(self, key, parameter)
        state.setdefault("_tuples", {})[name] = keys
        state[name] = parameters
        epoch.structure_changed()

    def _write_parameter(self, parameter, value) -> None:
        if current_trace() is not None:
            from graphcore.ops.state import assign
            assign(parameter, value)
        else:
            parameter.set_data(value)

    def _refuse_traced(self, name, value) -> None:
        if not isinstance(value, TracedTensor):
            return
        if not value.recorder.symbolic:
            value.recorder.keep_attribute(self, name)
        else:
            raise locate(CaptureError(
                f"self.{name} = <tensor> inside construct: a plain attribute cannot keep a tensor that exists only "
                f"when the program runs. Make it a Parameter in __init__ (self.{name} = Parameter(..., "
                "requires_grad=False)), use a local variable, or return it"))

    def __getattr__(self, name):
        # Only called for what is not in __dict__ or the class.
        state = self.__dict__
        if "_params" not in state and name[:2] != "__":
            raise self._not_initialised(name)
        near = difflib.get_close_matches(name, [n for n in state if n[0] != "_"], 1)
        raise AttributeError(f"The '{type(self).__name__}' object has no attribute '{name}'"
                             + (f". Did you mean {near[0]!r}?" if near else instead("Cell", name) or "."))

    def __delattr__(self, name):
        state = self.__dict__
        if name not in state:
            raise AttributeError(f"The '{type(self).__name__}' object has no attribute '{name}' to delete; check its "
                                 "name")
        self._forget(name)
        for registry in ("_params", "_cells", "_buffers"):
            state.get(registry, {}).pop(name, None)
        object.__delattr__(self, name)
        epoch.structure_changed()

    def _forget(self, name) -> None:
        """Take the Parameters of the ParameterTuple `name` out of the registry."""
        for key in self.__dict__.get("_tuples", {}).pop(name, ()):
            self.__dict__["_params"].pop(key, None)

    def _rename_in_tuples(self, name) -> None:
        """Register the Parameter `name` of a ParameterTuple as ``<tuple>.<name>``: it is no attribute, and an attribute
        of this Cell takes its name, as the `eps` of an optimiser of a net with a Parameter "eps" does."""
        state = self.__dict__
        label = next(label for label, keys in state["_tuples"].items() if name in keys)
        renamed = {name: f"{label}.{name}"}
        state["_tuples"][label] = [renamed.get(key, key) for key in state["_tuples"][label]]
        entries = [(renamed.get(key, key), parameter) for key, parameter in state["_params"].items()]
        state["_params"].clear()
        state["_params"].update(entries)

    def _not_initialised(self, name="") -> AttributeError:
        what = f"has no attribute {name!r}: it" if name else "cannot hold Parameters and Cells yet: it"
        return AttributeError(f"The '{type(self).__name__}' object {what} is not initialised; please call "
                              "super().__init__() first in its __init__")

    def insert_param_to_cell(self, param_name, param, check_name_contain_dot=True) -> None:
        """Register a Parameter as attribute `param_name`, replacing a Parameter of that name.

        Raises KeyError for an empty name, one with a dot, or one that another attribute has, TypeError unless `param`
        is a Parameter or None.
        """
        if not param_name or check_name_contain_dot and "." in param_name:
            raise KeyError(f"insert_param_to_cell: a name must not be empty nor contain '.', got {param_name!r}")
        if "_params" not in self.__dict__:
            raise self._not_initialised()
        if hasattr(self, param_name) and param_name not in self.__dict__["_params"]:
            raise KeyError(f"insert_param_to_cell: {type(self).__name__}.{param_name} exists and is no Parameter")
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(f"insert_param_to_cell takes a Parameter, got {type(param).__name__}: use Parameter(...)")
        if param is None:
            self.__dict__["_params"][param_name] = None
            self._set_plain(self.__dict__, param_name, None)
        else:
            self._set_parameter(self.__dict__, param_name, param)

    def insert_child_to_cell(self, child_name, child_cell) -> None:
        """Register a sub-cell as attribute `child_name`.

        Raises KeyError for an empty or taken name, TypeError unless `child_cell` is a Cell or None.
        """
        if not child_name or "." in child_name:
            raise KeyError(f"insert_child_to_cell: a name must not be empty nor contain '.', got {child_name!r}")
        if hasattr(self, child_name) and self.__dict__["_cells"].get(child_name, _MISSING) is not None:
            raise KeyError(f"insert_child_to_cell: {type(self).__name__}.{child_name} exists; choose another name, or "
                           "delete it first")
        if child_cell is not None and not isinstance(child_cell, Cell):
            raise TypeError(f"insert_child_to_cell takes a Cell, got {type(child_cell).__name__}")
        if child_cell is None:
            self.__dict__["_cells"][child_name] = None
            self._set_plain(self.__dict__, child_name, None)
        else:
            self._set_cell(self.__dict__, child_name, child_cell)

    # -- modes -----------------------------------------------------------------------------------------
    def set_train(self, mode=True) -> Cell:
        """Set `training` of this Cell and all below, and `phase` to 'train' or 'predict'; returns this Cell."""
        mode = bool(mode)
        phase = "train" if mode else "predict"
        changed = False
        for _, cell in self.cells_and_names():
            if cell.training is not mode or cell.phase != phase:
                cell.__dict__.update(training=mode, phase=phase)
                cell.__dict__["_flags"]["training"] = mode
                changed = True
        if changed:
            epoch.structure_changed()
        return self

    # -- copies and printing ---------------------------------------------------------------------------
    def __getstate__(self):
        state = dict(self.__dict__)
        for registry in ("_params", "_cells", "_buffers"):      # copy.copy would share them
            if registry in state:
                state[registry] = dict(state[registry])
        for own in ("_compiled", "_bound", "_attached"):        # compiled for this object, known by its parent
            state.pop(own, None)
        return state

    def __setstate__(self, state):
        self.__dict__.update(state)

    @property
    def cls_name(self) -> str:
        """The name of the class."""
        return type(self).__name__

    @property
    def param_prefix(self) -> str:
        """The path of this Cell in the net that it was last inserted into; "" for the net itself."""
        return self.__dict__["_path"]

    def _get_name(self) -> str:
        return type(self).__name__

    def extend_repr(self) -> str:
        """The arguments to show in the printed tree; defined by subclasses."""
        return ""

    def __repr__(self):
        extra = self.extend_repr()
        lines = [f"({name}): {child!r}" for name, child in children(self)]
        if not lines:
            return f"{type(self).__name__}({extra})"
        body = "\n".join([extra] * bool(extra) + lines).replace("\n", "\n  ")
        return f"{type(self).__name__}(\n  {body}\n)"
