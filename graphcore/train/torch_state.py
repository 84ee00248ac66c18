"""Weights from PyTorch and for it: state dicts at hand, and safetensors files.  PyTorch itself is not needed."""
from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from graphcore import dtype as dt
from graphcore.errors import FormatError
from graphcore.files.safetensors_file import read_safetensors, write_safetensors
from graphcore.files.stored import StoredTensor
from graphcore.parameter import Parameter
from graphcore.tensor import Tensor
from graphcore.train.serialization import CheckpointMismatchError
from graphcore.train.torch_names import Place, places

_COUNTER = "num_batches_tracked"
_PICKLES = (".pt", ".pth", ".bin", ".pkl", ".pickle", ".tar")
_WRAPPERS = ("module.", "_orig_mod.", "model.")


@dataclass(frozen=True)
class TorchState:
    """What `load_torch_state_dict` did.

    loaded: our name -> PyTorch's.  missing: names of the net for which PyTorch had nothing.  unused: names of
    PyTorch's that found no place.  converted: our name -> what was done with the array beside copying it.
    ignored: name -> why it does not matter that it was not loaded (BatchNorm's counters, affine=False).
    """

    loaded: dict = field(default_factory=dict)
    missing: tuple = ()
    unused: tuple = ()
    converted: dict = field(default_factory=dict)
    ignored: dict = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [f"{len(self.loaded)} Parameters loaded"]
        for title, entries in (("missing", self.missing), ("unused", self.unused), ("ignored", self.ignored)):
            if entries:
                lines.append(f"{title}: {', '.join(entries)}")
        lines += [f"{name}: {what}" for name, what in self.converted.items()]
        return "\n".join(lines)


def load_torch_state_dict(net, source, strict: bool = True, prefix: str = "",
                          rename: Callable[[str], str] | None = None) -> TorchState:
    """Put weights of PyTorch's into the Parameters of `net`, by their paths and the kinds of their layers.

    net: a Cell built like the module: ``conv1.weight`` there is ``conv1.weight`` here, BatchNorm's ``bn.running_mean``
    ``bn.moving_mean``, an ``nn.Sequential`` an ``nn.SequentialCell``.
    source: the path of a safetensors file (or a list of them), or a dict from names to tensors: PyTorch's, arrays, or
    Tensors.  prefix: what all names in it begin with ("module."); other names are unused.  rename: a function from
    PyTorch's name to the one in a module built like the net.
    strict: whether missing and unused names are an error, as in PyTorch.
    Floats are converted to the net's float dtype, ints to its int dtype; what else is done with an array is listed in
    the result's `converted`.

    Raises CheckpointMismatchError (a RuntimeError) for names, shapes or dtypes that do not fit, FormatError (a
    ValueError) for files that are damaged or pickles, TypeError for other sources; then the net is as it was.
    """
    entries, others = _renamed(_entries(source), prefix, rename)
    found, plan = list(places(net)), {}
    loaded, converted, ignored, missing = {}, {}, {}, []
    for place in found:
        if place.torch_name not in entries:
            if place.optional:
                ignored[place.name] = f"PyTorch has none: {place.optional}"
            else:
                missing.append(place)
            continue
        if strict and not place.written:
            raise CheckpointMismatchError(
                f"{place.torch_name}: in evaluation PyTorch's InstanceNorm normalises by these statistics "
                "(track_running_stats=True); the one here always by those of its input. Put a BatchNorm of as many "
                "features in its place, which computes that in evaluation, or give strict=False, which also loads what "
                "has no effect. Nothing was loaded.")
        value, what = _fitted(place, entries[place.torch_name])
        known = plan.setdefault(id(place.parameter), (place, value))
        if known[0] is not place and not np.array_equal(known[1].array, value.array):
            raise CheckpointMismatchError(
                f"{known[0].name} and {place.name} are one Parameter of the net, but {known[0].torch_name} and "
                f"{place.torch_name} differ. Nothing was loaded.")
        loaded[place.name] = place.torch_name
        if what:
            converted[place.name] = what
    taken = {place.torch_name for place in found}
    for name in entries:
        if name not in taken and name.rpartition(".")[2] == _COUNTER:
            ignored[name] = "a counter that nothing here depends on"
    unused = (*(name for name in entries if name not in taken and name not in ignored), *others)
    missing = [place for place in missing if id(place.parameter) not in plan]
    if strict and (missing or unused):
        raise CheckpointMismatchError(_mismatch(missing, unused, prefix))
    for place, value in plan.values():
        place.parameter.set_data(value.to_tensor())
    return TorchState(loaded, tuple(place.name for place in missing), unused, converted, ignored)


def to_torch_state_dict(net, path: str | os.PathLike | None = None) -> dict[str, np.ndarray]:
    """The Parameters of a net under PyTorch's names and in its layouts: {name: array}.

    path: where to write them too, as a safetensors file.  In PyTorch: ``module.load_state_dict({k: torch.from_numpy(v)
    for k, v in state.items()})``, or ``safetensors.torch.load_file(path)``.  bfloat16 leaves as float32 in the dict, as
    bfloat16 in the file; BatchNorm's counters, which PyTorch adds by itself, are left out.
    """
    stored = {}
    for place in places(net):
        if place.written:
            tensor = StoredTensor.of(place.parameter.materialized())
            array = tensor.array if place.layout is None else place.layout.to_torch(tensor.array)
            stored[place.torch_name] = StoredTensor(tensor.dtype, np.array(array))
    if path is not None:
        write_safetensors(path, stored)
    return {name: dt.bfloat16_to_float32(s.array) if s.dtype is dt.bfloat16 else s.array for name, s in stored.items()}


# -- what is given -----------------------------------------------------------------------------------------------

def _entries(source) -> dict:
    if isinstance(source, Mapping):
        return dict(source)
    if isinstance(source, (list, tuple)):
        merged: dict = {}
        for part in source:
            merged.update(_entries(part))
        return merged
    if not isinstance(source, (str, os.PathLike)):
        raise TypeError(f"load_torch_state_dict takes the path of a safetensors file or a dict of tensors, got a "
                        f"{type(source).__name__}; of a module take its state_dict()")
    path = os.fspath(source)
    with open(path, "rb") as file:
        start = file.read(4)
    if path.endswith(_PICKLES) or start.startswith((b"PK\x03\x04", b"\x80\x02", b"\x80\x04")):
        raise FormatError(f"{path} is a pickle: reading it would run code that is in it. Where PyTorch is, write its "
                          "tensors as safetensors: from safetensors.torch import save_file; "
                          "save_file(torch.load('FILE', weights_only=True), 'FILE.safetensors')")
    if path.endswith(".ckpt"):
        raise FormatError(f"{path} is no safetensors file; MindSpore's checkpoints are read by load_checkpoint, "
                          "PyTorch Lightning's are pickles: save their state_dict with safetensors.torch.save_file")
    return {name: entry for name, entry in read_safetensors(path).items() if not isinstance(entry, str)}


def _renamed(entries: dict, prefix: str, rename) -> tuple[dict, list]:
    """(entries by their names in a module built like the net, names without the prefix)."""
    result, others = {}, []
    for name, value in entries.items():
        if not isinstance(name, str):
            raise TypeError(f"the names of a state dict are strings, got {name!r}")
        if not name.startswith(prefix):
            others.append(name)
            continue
        if isinstance(value, Mapping):
            raise TypeError(f"{name!r} holds a dict; a state dict holds tensors: give source[{name!r}] alone")
        new = name.removeprefix(prefix)
        new = new if rename is None else rename(new)
        if new in result:
            raise CheckpointMismatchError(f"two entries are called {new!r} after prefix and rename")
        result[new] = value
    return result, others


def _stored(name: str, value) -> StoredTensor:
    """The elements of what stands for a tensor.  Raises TypeError."""
    if isinstance(value, StoredTensor):
        return value
    if isinstance(value, Tensor):
        return StoredTensor.of(value.materialized() if isinstance(value, Parameter) else value)
    try:
        if hasattr(value, "detach"):                    # PyTorch's
            value = value.detach().cpu()
            value = value.float() if "bfloat16" in str(value.dtype) else value
            value = value.numpy()
        array = np.asarray(value)
        if array.dtype.name == "bfloat16":              # NumPy's, by the package ml_dtypes
            return StoredTensor(dt.bfloat16, array.view(np.uint16))
        return StoredTensor(dt.from_numpy(array.dtype), array)
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"the entry {name!r}, a {type(value).__name__}, is no dense tensor: {error}") from None


# -- what fits ---------------------------------------------------------------------------------------------------

def _fitted(place: Place, given) -> tuple[StoredTensor, str]:
    """(the array for a Parameter, what was done with it beside copying).  Raises CheckpointMismatchError."""
    stored, parameter, done = _stored(place.torch_name, given), place.parameter, []
    array = stored.array
    if place.layout is not None and array.ndim == len(parameter.shape) + place.layout.axes:
        array = place.layout.to_ours(array)
        done.append(place.layout.text)
    if array.shape != tuple(parameter.shape):
        raise CheckpointMismatchError(
            f"{place.torch_name} of PyTorch has the shape {tuple(stored.array.shape)}, which does not fit the "
            f"Parameter {place.name} of shape {tuple(parameter.shape)}. Build the net with the sizes of the module. "
            "Nothing was loaded.")
    wanted, found = parameter.dtype, stored.dtype
    if wanted is found:
        return StoredTensor(found, np.array(array)), "; ".join(done)
    if not (wanted.is_float and found.is_float or wanted.is_integer and found.is_integer):
        raise CheckpointMismatchError(
            f"{place.torch_name} of PyTorch has the dtype {found.name}, the Parameter {place.name} {wanted.name}. "
            "Nothing was loaded.")
    done.append(f"from {found.name} to {wanted.name}")
    return StoredTensor.of(Tensor(Tensor._wrap(array, found), wanted)), "; ".join(done)


def _mismatch(missing: list, unused: tuple, prefix: str) -> str:
    lines = ["the state dict does not fit the net. Nothing was loaded."]
    for place in missing:
        close = difflib.get_close_matches(place.torch_name, unused, 1)
        hint = f"; there is {close[0]}" if close else ""
        lines.append(f"  missing: {place.torch_name}, for the Parameter {place.name}{hint}")
    if unused:
        lines.append(f"  unused: {', '.join(unused)}")
    for wrapper in _WRAPPERS:
        if not prefix and unused and all(name.startswith(wrapper) for name in unused):
            lines.append(f"All names that are left begin with {wrapper!r}: give prefix={wrapper!r}.")
            break
    lines.append("strict=False loads what fits and tells the rest in its result.")
    return "\n".join(lines)
