"""Buffers of Cells, tensors that belong to a net without being Parameters, and state dicts: all state by path."""
from __future__ import annotations

from collections import OrderedDict, namedtuple
from collections.abc import Iterator

import numpy as np

from graphcore.capture import epoch
from graphcore.nn.cell_walk import join, own_parameters, walk_cells
from graphcore.parameter import Parameter
from graphcore.tensor import Tensor


class IncompatibleKeys(namedtuple("IncompatibleKeys", ("missing_keys", "unexpected_keys"))):
    """What `load_state_dict` did not find, and what it did not know."""

    __slots__ = ()


class CellState:
    """The methods of a Cell about buffers and state dicts."""

    def register_buffer(self, name: str, tensor, persistent: bool = True) -> None:
        """Keep a Tensor (or None) as attribute `name`: no Parameter, but part of `state_dict` if `persistent`.

        Raises TypeError if `name` is no str or `tensor` no Tensor, KeyError for a taken or dotted name.
        """
        if not isinstance(name, str):
            raise TypeError(f"the name of a buffer must be a str, got {type(name).__name__}")
        if not name or "." in name:
            raise KeyError(f"the name of a buffer must not be empty nor contain '.', got {name!r}")
        if hasattr(self, name) and name not in self.__dict__["_buffers"]:
            raise KeyError(f"{type(self).__name__} already has an attribute {name!r}")
        if tensor is not None and (not isinstance(tensor, Tensor) or isinstance(tensor, Parameter)):
            raise TypeError(f"a buffer is a Tensor or None, got {type(tensor).__name__}")
        self.__dict__["_buffers"][name] = tensor
        transient = self.__dict__.setdefault("_transient", set())
        transient.discard(name) if persistent else transient.add(name)
        self.__dict__[name] = tensor
        epoch.structure_changed()

    def named_buffers(self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True) -> Iterator[tuple]:
        """(path, Tensor) of the buffers, with `recurse` those of all Cells below too."""
        seen: set = set()
        for path, cell in walk_cells(self, prefix) if recurse else [(prefix, self)]:
            for name, tensor in cell.__dict__["_buffers"].items():
                if tensor is not None and not (remove_duplicate and id(tensor) in seen):
                    seen.add(id(tensor))
                    yield join(path, name), tensor

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers, with `recurse` those of all Cells below too."""
        for _, tensor in self.named_buffers(recurse=recurse):
            yield tensor

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at the dotted path `target`.  Raises AttributeError if there is none."""
        *path, name = target.split(".")
        cell = self.get_sub_cell(".".join(path))
        if name not in cell.__dict__["_buffers"]:
            raise AttributeError(f"{type(cell).__name__} has no buffer {name!r}")
        return cell.__dict__["_buffers"][name]

    def state_dict(self, *args, destination=None, prefix="", keep_vars=False) -> OrderedDict:
        """Parameters and persistent buffers by structural path: the objects themselves, not copies."""
        self.bind_names()
        found = OrderedDict() if destination is None else destination
        for path, cell in walk_cells(self, prefix.rstrip(".")):
            for name, parameter in own_parameters(cell):
                found[join(path, name)] = parameter
            transient = cell.__dict__.get("_transient", ())
            for name, tensor in cell.__dict__["_buffers"].items():
                if tensor is not None and name not in transient:
                    found[join(path, name)] = tensor
        return found

    def load_state_dict(self, state_dict, strict: bool = True) -> IncompatibleKeys:
        """Copy values into Parameters and buffers, by structural path; returns what did not match.

        Nothing is written if anything is wrong.  Raises TypeError unless `state_dict` is a dict, RuntimeError for
        shapes that differ and, if `strict`, for keys that are missing or not known.
        """
        if not hasattr(state_dict, "keys"):
            raise TypeError(f"state_dict must be a dict, got {type(state_dict).__name__}")
        own = self.state_dict()
        missing = [key for key in own if key not in state_dict]
        unexpected = [key for key in state_dict if key not in own]
        errors = []
        if strict and unexpected:
            errors.append("Unexpected key(s) in state_dict: " + ", ".join(f'"{k}"' for k in unexpected))
        if strict and missing:
            errors.append("Missing key(s) in state_dict: " + ", ".join(f'"{k}"' for k in missing))
        for key in own:
            given = _shape(state_dict[key]) if key in state_dict else own[key].shape
            if given != own[key].shape:
                errors.append(f"size mismatch for {key}: {given} in state_dict, {own[key].shape} here")
        if errors:
            raise RuntimeError(f"Error(s) in loading state_dict for {type(self).__name__}:\n\t" + "\n\t".join(errors))
        for key, target in own.items():
            if key in state_dict:
                _write(target, state_dict[key])
        epoch.data_changed()
        return IncompatibleKeys(missing, unexpected)


def _shape(value) -> tuple:
    return tuple(value.shape) if hasattr(value, "shape") else np.shape(value)


def _write(target: Tensor, value) -> None:
    source = value if isinstance(value, Tensor) and value.dtype is target.dtype else Tensor(value, target.dtype)
    if isinstance(target, Parameter):
        target.set_data(source)
    else:
        np.copyto(target._array, source._array)
