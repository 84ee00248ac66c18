"""Helpers of MindSpore's training that scripts import: ``mindspore.train._utils``."""
from __future__ import annotations

import os
from collections.abc import Iterable

__all__ = ["_make_directory", "check_value_type"]


def _make_directory(path: str, arg_name: str = "path") -> str:
    """Make a folder, with those above it, and give its real path.

    Raises TypeError unless `path` is a str that is not empty, ValueError where it cannot be made.
    """
    if not isinstance(path, str) or not path.strip():
        raise TypeError(f"{arg_name} must be a str that names a folder, got {path!r}")
    real = os.path.realpath(path)
    try:
        os.makedirs(real, exist_ok=True)
    except OSError as error:
        raise ValueError(f"the folder {real} cannot be made: {error.strerror}") from error
    return real


def check_value_type(arg_name: str, arg_value, valid_types) -> None:
    """Raise TypeError unless a value is of one of these types; a bool counts as an int only if bool is listed too."""
    valid_types = tuple(valid_types) if isinstance(valid_types, Iterable) else (valid_types,)
    if not isinstance(arg_value, valid_types) or isinstance(arg_value, bool) and bool not in valid_types:
        raise TypeError(f"For `{arg_name}` the type should be a valid type of {[t.__name__ for t in valid_types]}, "
                        f"but got {type(arg_value).__name__}.")
