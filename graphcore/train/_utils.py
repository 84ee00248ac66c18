"""Helpers of MindSpore's training that scripts import: ``mindspore.train._utils``."""
from __future__ import annotations

import os

__all__ = ["_make_directory"]


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
