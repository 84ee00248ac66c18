"""save_checkpoint, load_checkpoint and load_param_into_net.

A file is replaced only by a complete one; a net is changed only after everything that would go into it was checked.
"""
from __future__ import annotations

import difflib
import io
import logging
import os

import numpy as np

from graphcore.context import ParallelMode
from graphcore.errors import FormatError, GraphcoreError, NameClashError
from graphcore.files.ckpt import read_ckpt, write_ckpt
from graphcore.files.safetensors_file import parse_safetensors, read_safetensors, write_safetensors
from graphcore.files.stored import StoredTensor
from graphcore.ops.transport import group_rank
from graphcore.parallel import get_auto_parallel_context
from graphcore.parameter import Parameter
from graphcore.tensor import Tensor
from graphcore.train.background import Background

log = logging.getLogger("graphcore.train")
_FORMATS = ("ckpt", "safetensors")
_saves = Background("save_checkpoint")


class CheckpointMismatchError(GraphcoreError, RuntimeError):
    """A checkpoint whose shapes or dtypes do not fit the net; the net was not changed."""


def _is_cell(value) -> bool:
    from graphcore.nn.cell import Cell
    return isinstance(value, Cell)


# Saving.

def save_checkpoint(save_obj, ckpt_file_name, integrated_save=True, async_save=False, append_dict=None, enc_key=None,
                    enc_mode="AES-GCM", choice_func=None, crc_check=False, format="ckpt", **kwargs):
    """Save Parameters to a file; an older file of that name is replaced in one step, only by a complete new one.

    save_obj: a Cell, a list of Parameters or of ``{"name": str, "data": Tensor}``, or a dict from name to Parameter,
    Tensor, array or str.
    ckpt_file_name: the suffix of `format` is appended if it lacks; ``.safetensors`` chooses that format by itself.
    async_save: True, "thread" or "process" write in a thread of their own, from a copy of the values.
    append_dict: more entries: int, float, bool, str, Tensor or Parameter.  choice_func: which names are saved.
    crc_check: end a ``.ckpt`` with a check sum.
    Trained data parallel, all processes call this, and rank 0 writes; state that they share is gathered.
    Raises TypeError and ValueError for unusable arguments, NameClashError if two Parameters of a Cell share a name,
    OSError if the file cannot be written.
    """
    path, format = _checked_target(save_obj, ckpt_file_name, format)
    if enc_key is not None:
        raise ValueError("For 'save_checkpoint', encryption is not supported; leave enc_key at None and encrypt the "
                         "file with a tool made for it")
    if not isinstance(async_save, (bool, str)) or isinstance(async_save, str) and async_save not in (
            "process", "thread"):
        raise ValueError("For 'save_checkpoint', the argument 'async_save' can only be a bool, 'process' or 'thread', "
                         f"but got {async_save!r}.")
    entries = _collect(save_obj, choice_func)
    if not writes_checkpoints():
        return
    for key, value in (append_dict or {}).items():
        entries[key] = _appended(key, value)
    if async_save:
        entries = {name: entry if isinstance(entry, str) else StoredTensor(entry.dtype, entry.array.copy())
                   for name, entry in entries.items()}
        _saves.start(_write, path, entries, format, crc_check)
    else:
        _saves.wait()
        _write(path, entries, format, crc_check)


def wait_for_saves() -> None:
    """Wait for a save that was started with async_save.  Raises the error it met, if any."""
    _saves.wait()


def _write(path, entries, format, crc_check) -> None:
    if format == "safetensors":
        write_safetensors(path, entries)
    else:
        write_ckpt(path, entries, crc_check)


def _checked_target(save_obj, name, format) -> tuple:
    if format not in _FORMATS:
        raise ValueError(f"For 'save_checkpoint', the format must be 'safetensors' or 'ckpt', but got {format}.")
    if not isinstance(save_obj, (list, dict)) and not _is_cell(save_obj):
        raise TypeError("For 'save_checkpoint', the parameter 'save_obj' must be nn.Cell, list or dict, "
                        f"but got {type(save_obj)}.")
    if not isinstance(name, (str, os.PathLike)):
        raise TypeError(f"For 'save_checkpoint', the parameter {name} for checkpoint file name is invalid,"
                        f"'ckpt_file_name' must be string, but got {type(name)}.")
    path = os.path.realpath(os.fspath(name))
    if os.path.isdir(path):
        raise IsADirectoryError(f"For 'save_checkpoint', the parameter `ckpt_file_name`: {path} is a directory, "
                                "it must be a file name.")
    if format == "ckpt" and path.endswith(".safetensors"):
        format = "safetensors"
    return (path if path.endswith(f".{format}") else f"{path}.{format}"), format


def _collect(save_obj, choice_func) -> dict:
    """{name: StoredTensor or str} of what is to be saved."""
    if _is_cell(save_obj):
        pairs = _named_parameters(save_obj).items()
    elif isinstance(save_obj, dict):
        pairs = save_obj.items()
    else:
        pairs = [_list_entry(item) for item in save_obj]
    entries: dict = {}
    for name, value in pairs:
        if not isinstance(name, str):
            raise TypeError("For save_checkpoint, when save_obj is made up by dict, the key should be str and value "
                            f"should be Parameter, but got the type of key is {type(name)} and the type of value is "
                            f"{type(value)}")
        if choice_func is not None and not choice_func(name):
            continue
        if name in entries:
            raise NameClashError(f"save_checkpoint: two entries are called {name!r}; a file holds each name once")
        entries[name] = _stored(name, value)
    return entries


def writes_checkpoints() -> bool:
    """Whether this process writes checkpoints: trained data parallel, rank 0 does for all."""
    return get_auto_parallel_context("parallel_mode") != ParallelMode.DATA_PARALLEL or group_rank() == 0


def _named_parameters(cell) -> dict:
    """{name: Parameter} of a Cell.  Raises NameClashError if two share a name: one of them would be lost."""
    found: dict = {}
    for place, parameter in cell.parameters_and_names():
        if found.get(parameter.name, parameter) is not parameter:
            raise NameClashError(f"The value of {place} is {parameter}, its name '{parameter.name}' already exists. "
                                 "Please set a unique name for the parameter.")
        if parameter.part_of is None or not parameter.part_of.stands_in:
            found[parameter.name] = parameter
    return found


def _list_entry(item) -> tuple:
    if isinstance(item, Parameter):
        return item.name, item
    if not isinstance(item, dict) or not {"name", "data"} <= item.keys():
        raise TypeError("For save_checkpoint, save_obj should be a list of dict items, and the dict should have key "
                        f"values 'name' and 'data' (or a list of Parameters), but got {type(item)} and {item}.")
    return item["name"], item["data"]


def _stored(name: str, value):
    if isinstance(value, str):
        return value
    if isinstance(value, np.ndarray):
        value = Tensor(value)
    if not isinstance(value, Tensor):
        raise TypeError(f"For save_checkpoint, the value of {name!r} must be a Parameter, a Tensor, an array or a str, "
                        f"but got {type(value)}")
    if getattr(value, "part_of", None) is not None:
        value = Tensor._wrap(value.part_of.gather(value.materialized()._array), value.dtype)
    return StoredTensor.of(value)


def _appended(key, value):
    if not isinstance(key, str) or not isinstance(value, (bool, int, float, str, Tensor)):
        raise TypeError("For 'save_checkpoint', the type of dict 'append_info' must be key: string, value: int, float, "
                        f"bool, str, Parameter or Tensor, but got key: {type(key)}, value: {type(value)}")
    return _stored(key, value if isinstance(value, (str, Tensor)) else Tensor(value))


# Loading.

def load_checkpoint(ckpt_file_name, net=None, strict_load=False, filter_prefix=None, dec_key=None, dec_mode="AES-GCM",
                    specify_prefix=None, choice_func=None, crc_check=False, remove_redundancy=False, format="ckpt"):
    """Read a checkpoint file to a dict from name to Parameter (or str), and into `net` if one is given.

    ckpt_file_name: a path ending in ``.ckpt`` or ``.safetensors`` (which chooses the format), or a BytesIO of a
    safetensors file.  choice_func: which names are wanted; specify_prefix, filter_prefix: names that begin with one of
    these, or with none of these (they take the place of choice_func).
    crc_check: refuse a ``.ckpt`` without check sum (one that is there is always checked).
    Raises ValueError if the file does not exist or nothing is left, FormatError (a ValueError) if the file is damaged,
    and what `load_param_into_net` raises; then `net` is as it was.
    """
    if dec_key is not None:
        raise ValueError("For 'load_checkpoint', encrypted files are not supported; decrypt the file first and leave "
                         "dec_key at None")
    if remove_redundancy:
        raise ValueError("For 'load_checkpoint', remove_redundancy needs several devices; leave it at False")
    wanted = _name_filter(_prefixes(specify_prefix), _prefixes(filter_prefix), choice_func)
    _saves.wait()
    entries = _read(ckpt_file_name, format, wanted, crc_check)
    if not entries:
        raise ValueError("The loaded parameter dict is empty after filter or specify, please check whether "
                         "'filter_prefix' or 'specify_prefix' are set correctly.")
    parameters = {}
    for name, entry in entries.items():
        try:
            parameters[name] = entry if isinstance(entry, str) else Parameter(entry.to_tensor(), name=name)
        except ValueError as error:
            raise FormatError(f"{ckpt_file_name}: the name {name[:80]!r} cannot be a Parameter's: {error}") from None
    if net is not None:
        load_param_into_net(net, parameters, strict_load)
    return parameters


def _read(source, format, wanted, crc_check) -> dict:
    if format not in _FORMATS:
        raise ValueError("For 'load_checkpoint', the checkpoint file should end with '.ckpt' or '.safetensors', please "
                         "input the correct 'format'.")
    if isinstance(source, io.BytesIO):
        if format == "ckpt":
            raise TypeError("ckpt don't support BytesIO as input type, please change to safetensors.")
        return parse_safetensors(source.getvalue(), wanted)[0]
    if not isinstance(source, (str, os.PathLike)):
        raise TypeError("For 'load_checkpoint', the argument 'ckpt_file_name' must be string, "
                        f"but got {type(source)}.")
    path = os.path.realpath(os.fspath(source))
    suffix = path.rpartition(".")[2]
    if suffix in _FORMATS and format == "ckpt":
        format = suffix
    if suffix != format:
        raise ValueError("For 'load_checkpoint', the checkpoint file format must same with 'format', but got "
                         f"file_name:'{source}', format:'{format}'{_of_pytorch(suffix)}")
    if not os.path.exists(path):
        raise ValueError(f"For 'load_checkpoint', the checkpoint file: {path} does not exist, please check whether the "
                         f"'ckpt_file_name' is correct.{_similar_files(path)}")
    if format == "safetensors":
        return read_safetensors(path, wanted)
    return read_ckpt(path, wanted, crc_check)


def _of_pytorch(suffix: str) -> str:
    return ("; PyTorch's pickles are not read, as reading them runs code: save the weights with safetensors, and load "
            "them with load_torch_state_dict") if suffix in ("pth", "pt", "bin") else ""


def _similar_files(path: str) -> str:
    directory, name = os.path.split(path)
    try:
        close = difflib.get_close_matches(name, [f for f in os.listdir(directory) if f.endswith(_FORMATS)], 1)
    except OSError:
        return f" There is no directory {directory}."
    return f" Did you mean {close[0]}?" if close else ""


def _prefixes(prefix):
    if prefix is None:
        return None
    if not isinstance(prefix, (str, list, tuple)):
        raise TypeError("For 'load_checkpoint', the type of 'specify_prefix' or 'filter_prefix' must be string, "
                        f"list[string] or tuple[string], but got {type(prefix)}.")
    prefix = (prefix,) if isinstance(prefix, str) else tuple(prefix)
    if not prefix or not all(isinstance(p, str) and p for p in prefix):
        raise ValueError("For 'load_checkpoint', 'specify_prefix' and 'filter_prefix' must be non-empty strings or "
                         f"lists of them, but got {prefix}.")
    return prefix


def _name_filter(specified, filtered, choice_func):
    if specified is None and filtered is None:
        return choice_func
    return lambda name: (specified is None or name.startswith(specified)) and not (
        filtered is not None and name.startswith(filtered))


def load_param_into_net(net, parameter_dict, strict_load=False, remove_redundancy=False):
    """Put the values of `parameter_dict` into the Parameters of `net` that have those names.

    parameter_dict: {name: Parameter}; strings are left out.  Unless strict_load, values are converted between float
    types and between int types, and names that differ by a prefix in front of a dot are matched.
    Returns (param_not_load, ckpt_not_load): names of the net that got no value, names of the dict that found no place.
    Raises TypeError for other arguments, CheckpointMismatchError (a RuntimeError) where a shape or dtype does not fit,
    NameClashError if two Parameters of the net share a name.  After an error the net is as it was.
    """
    _check_load_arguments(net, parameter_dict, remove_redundancy)
    parameters = _named_parameters(net)
    plan: dict = {}
    for name, parameter in parameters.items():
        if isinstance(parameter_dict.get(name), Parameter):
            plan[name] = (name, _converted(parameter, parameter_dict[name], strict_load))
    missing = [name for name in parameters if name not in plan]
    used = {source for source, _ in plan.values()}
    if missing and not strict_load:
        for name, source in _match_by_prefix(missing, [n for n in parameter_dict if n not in used], parameters,
                                             parameter_dict).items():
            plan[name] = (source, _converted(parameters[name], parameter_dict[source], strict_load))
            used.add(source)
    for name, (_, value) in plan.items():
        parameters[name].set_data(value)
    missing = [name for name in parameters if name not in plan]
    unused = [name for name in parameter_dict if name not in used]
    if missing:
        log.warning("For 'load_param_into_net', %d parameters in the 'net' are not loaded, because they are not in the "
                    "'parameter_dict': %s", len(missing), ", ".join(_with_hint(name, unused) for name in missing))
    return missing, unused


def _check_load_arguments(net, parameter_dict, remove_redundancy) -> None:
    if not _is_cell(net):
        raise TypeError(f"For 'load_param_into_net', the argument 'net' should be a Cell, but got {type(net)}.")
    if not isinstance(parameter_dict, dict):
        raise TypeError("For 'load_param_into_net', the argument 'parameter_dict' should be a dict, "
                        f"but got {type(parameter_dict)}.")
    if remove_redundancy:
        raise ValueError("For 'load_param_into_net', remove_redundancy needs several devices; leave it at False")
    for key, value in parameter_dict.items():
        if not isinstance(key, str) or not isinstance(value, (Parameter, str)):
            raise TypeError("For 'parameter_dict', the element in the argument 'parameter_dict' should be a 'str' and "
                            f"'Parameter' , but got {type(key)} and {type(value)} (key {key!r}).")


def _with_hint(name: str, candidates: list) -> str:
    close = difflib.get_close_matches(name, candidates, 1)
    return f"{name} (the checkpoint has {close[0]})" if close else name


def _converted(parameter: Parameter, source: Parameter, strict: bool) -> Tensor:
    """The values of `source` in the shape and dtype of `parameter`.  Raises CheckpointMismatchError."""
    name, shape, given = parameter.name, tuple(parameter.shape), tuple(source.shape)
    array = source._array
    if parameter.part_of is not None and given == (shape[0] * parameter.part_of.size, *shape[1:]):
        array, given = parameter.part_of.cut(array), shape
    if given != shape:
        # Weights of some devices carry trailing axes of size 1.
        if given[:len(shape)] != shape or any(size != 1 for size in given[len(shape):]):
            raise CheckpointMismatchError(
                f"For 'load_param_into_net', {name} in the argument 'net' should have the same shape as {source.name} "
                f"in the argument 'parameter_dict'. But got its shape {shape} in the argument 'net' and shape {given} "
                "in the argument 'parameter_dict'. Check whether the checkpoint belongs to this net. "
                "Nothing was loaded.")
        array = array.reshape(shape)
    wanted, found = parameter.dtype, source.dtype
    if wanted is not found:
        alike = wanted.is_float and found.is_float or wanted.kind == found.kind == "i"
        if strict or not alike:
            raise CheckpointMismatchError(
                f"For 'load_param_into_net', {name} in the argument 'net' should have the same type as {source.name} "
                f"in the argument 'parameter_dict'. but got its type {wanted} in the argument 'net' and type {found} "
                "in the argument 'parameter_dict'. Check whether the checkpoint belongs to this net. "
                "Nothing was loaded.")
        log.warning("The type of %s:%s in 'parameter_dict' is different from the type of it in 'net':%s, then the type "
                    "convert from %s to %s in the network.", name, found, wanted, found, wanted)
        return Tensor(Tensor._wrap(array, found), wanted)
    return Tensor._wrap(array, found)


def _update_param(param: Parameter, new_param: Parameter, strict_load: bool = False) -> None:
    """Put the values of one Parameter into another, as `load_param_into_net` does (MindSpore's helper)."""
    param.set_data(_converted(param, new_param, strict_load))


def _load_dismatch_prefix_params(net, parameter_dict: dict, param_not_load: list, strict_load: bool = False) -> None:
    """Load Parameters whose names differ by a prefix, and take them from the list (MindSpore's helper)."""
    parameters = {name: p for name, p in _named_parameters(net).items() if name in param_not_load}
    found = _match_by_prefix(list(param_not_load), list(parameter_dict), parameters, parameter_dict)
    for name, source in found.items():
        _update_param(parameters[name], parameter_dict[source], strict_load)
        param_not_load.remove(name)


def _match_by_prefix(missing: list, candidates: list, parameters: dict, parameter_dict: dict) -> dict:
    """{name of the net: name of the dict} for names that differ by one prefix that ends with a dot.

    The prefix that serves most names is taken; if another serves as many, none is: either would be a guess.
    """
    matched: dict = {}
    while missing:
        served: dict = {}
        for name in missing:
            for source in candidates:
                if source.endswith("." + name) and isinstance(parameter_dict[source], Parameter):
                    served.setdefault(source[:-len(name)], {})[name] = source
        counts = sorted((len(pairs) for pairs in served.values()), reverse=True)
        if not counts or counts[1:2] == counts[:1]:
            return matched
        prefix, pairs = max(served.items(), key=lambda item: len(item[1]))
        log.warning("For 'load_param_into_net', remove parameter prefix name: %s, continue to load.", prefix)
        matched.update(pairs)
        missing = [name for name in missing if name not in matched]
        candidates = [source for source in candidates if source not in matched.values()]
    return matched


def __getattr__(name: str):
    from graphcore.parallel import strategies
    if name == "export":
        from graphcore.train.exporting import export
        return export
    if name == "load":
        from graphcore.files.loading import load
        return load
    if name in strategies.__all__:      # MindSpore has them here
        return getattr(strategies, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
