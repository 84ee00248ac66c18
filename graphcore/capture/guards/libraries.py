"""Whose a module is: what libraries define is taken for fixed, so that calling them costs no guards."""
from __future__ import annotations

import functools
import os
import sys
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType

_PACKAGES = frozenset({"graphcore", "numpy", "numba", "llvmlite", "scipy"})
_STANDARD = os.path.dirname(os.path.abspath(os.__file__)) + os.sep


@functools.lru_cache(maxsize=1024)
def is_library(module: str | None) -> bool:
    """Whether the module of this name is graphcore's, Python's or one of the libraries below them.

    A user's file may bear the name of a module of Python's (``test.py``), so its place is looked at too.
    """
    root = (module or "").partition(".")[0]
    if root in _PACKAGES:
        return True
    if root not in sys.stdlib_module_names or root == "__main__":
        return False
    file = getattr(sys.modules.get(root), "__file__", None)
    return file is None or os.path.abspath(file).startswith(_STANDARD)


def is_fixed(value) -> bool:
    """Whether a value is a module, a builtin, or a function, method or class of a library."""
    if isinstance(value, (ModuleType, BuiltinFunctionType)):
        return True
    return isinstance(value, (type, FunctionType, MethodType)) and is_library(value.__module__)
