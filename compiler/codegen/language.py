"""The names that the text of a kernel may use, and a digest of what they mean.

The digest is part of every kernel's cache key.  It is taken from the text of the defining modules, so that a process
that finds all its kernels in the cache never imports them (nor Numba, which they need).
"""
from __future__ import annotations

import hashlib
import importlib.util
import sys
from functools import cache
from pathlib import Path

#: Modules of the compiler that define kernel names, each with `namespace() -> dict`; what they import from this
#: folder belongs to the language as well.
DEFINING_MODULES = ("codegen.pointers", "codegen.intrinsics", "codegen.mathfun", "codegen.arithmetic", "kernels.tile",
                    "kernels.moves")

#: Python's own names that kernels may use; min, max, abs and bool are instructions of `intrinsics`.
BUILTINS = {"range": range}

_COMPILER = Path(__file__).parents[1]


@cache
def digest() -> str:
    """A hash of the implementation of every name; changes whenever the meaning of some kernel text may change."""
    paths = {*Path(__file__).parent.glob("*.py"), *(_path(name) for name in DEFINING_MODULES)}
    texts = hashlib.sha256()
    for path in sorted(path for path in paths if path.exists()):
        texts.update(path.name.encode() + b"\0" + path.read_bytes())
    return texts.hexdigest()[:24]


def namespace() -> dict:
    """A fresh dictionary of the names, for ``exec`` of a kernel's text.  Imports Numba."""
    return {"__builtins__": BUILTINS, **_defined_names()}


@cache
def _defined_names() -> dict:
    names: dict = {}
    for name in DEFINING_MODULES:
        names.update(_module(name).namespace())
    return names


def _module(name: str):
    """Import a defining module but not the package around it, the rest of which no compile worker needs."""
    full_name = f"graphcore.compiler.{name}"
    if full_name not in sys.modules:
        spec = importlib.util.spec_from_file_location(full_name, _path(name))
        module = sys.modules[full_name] = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[full_name]
            raise
    return sys.modules[full_name]


def _path(module: str) -> Path:
    return _COMPILER.joinpath(*module.split(".")).with_suffix(".py")
