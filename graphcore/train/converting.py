"""Checkpoints from one format to the other, and read in the background."""
from __future__ import annotations

import re
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from graphcore.errors import FormatError
from graphcore.train.serialization import load_checkpoint, save_checkpoint

__all__ = ["ckpt_to_safetensors", "load_checkpoint_async", "safetensors_to_ckpt"]


def ckpt_to_safetensors(file_path, save_path=None, name_map=None, file_name_regex=None, processes_num=1) -> None:
    """Write a checkpoint, or all those below a folder, as safetensors files.

    save_path: the folder for them, by default that of each file; name_map: {old name: new name} of Parameters;
    file_name_regex: of the files in a folder that are wanted.
    Raises ValueError where there is no such file, FormatError for one of another format.
    """
    _convert(file_path, save_path, name_map, file_name_regex, ".ckpt", "safetensors")


def safetensors_to_ckpt(file_path, save_path=None, name_map=None, file_name_regex=None, processes_num=1) -> None:
    """Write safetensors files as checkpoints; see `ckpt_to_safetensors`."""
    _convert(file_path, save_path, name_map, file_name_regex, ".safetensors", "ckpt")


def _convert(file_path, save_path, name_map, pattern, suffix, kind) -> None:
    path = Path(file_path)
    if not path.exists():
        raise ValueError(f"{file_path} does not exist")
    files = [path] if path.is_file() else sorted(path.rglob(f"*{suffix}"))
    if path.is_file() and path.suffix != suffix:
        raise FormatError(f"{path} should be a {suffix} file")
    for file in files:
        if pattern is not None and not re.search(pattern, file.name):
            continue
        folder = file.parent if save_path is None else Path(save_path) / file.parent.relative_to(
            path.parent if path.is_file() else path)
        folder.mkdir(parents=True, exist_ok=True)
        entries = [{"name": (name_map or {}).get(name, name), "data": value}
                   for name, value in load_checkpoint(str(file), format=suffix[1:]).items()]
        save_checkpoint(entries, str(folder / f"{file.stem}.{kind}"), format=kind)


_readers = ThreadPoolExecutor(1, "checkpoints")


def load_checkpoint_async(ckpt_file_name, net=None, strict_load=False, filter_prefix=None, dec_key=None,
                          dec_mode="AES-GCM", specify_prefix=None, choice_func=None) -> Future:
    """`load_checkpoint` in the background: ``load_checkpoint_async(path).result()`` is what it gives."""
    return _readers.submit(load_checkpoint, ckpt_file_name, net, strict_load, filter_prefix, dec_key, dec_mode,
                           specify_prefix, choice_func)
