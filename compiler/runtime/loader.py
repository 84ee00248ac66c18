"""Relocatable objects → addresses of functions in this process, by LLVM's ORC linker.

What is loaded stays loaded: a symbol names its content, so it is loaded once and every program shares it.
"""
from __future__ import annotations

import ctypes
import itertools
import sys
import threading
from collections.abc import Mapping

from llvmlite import binding

from graphcore.errors import CompileError

_lock = threading.Lock()
_addresses: dict[str, int] = {}
_numbers = itertools.count()
_jit: list = []


def load(objects: Mapping[str, bytes]) -> dict[str, int]:
    """Addresses of the given symbols; `objects` gives, for each, the object that defines it.

    Raises CompileError if an object cannot be linked or does not define its symbol.
    """
    with _lock:
        missing = {symbol: image for symbol, image in objects.items() if symbol not in _addresses}
        if missing:
            _link(missing)
        return {symbol: _addresses[symbol] for symbol in objects}


def loaded(symbol: str) -> int | None:
    """The address of a symbol if it is loaded already, else None."""
    return _addresses.get(symbol)


def _link(objects: Mapping[str, bytes]) -> None:
    builder = binding.JITLibraryBuilder().add_current_process()
    for image in dict.fromkeys(objects.values()):
        builder.add_object_img(image)
    for symbol in objects:
        builder.export_symbol(symbol)
    try:
        library = builder.link(_engine(), f"graphcore.{next(_numbers)}")
    except RuntimeError as error:
        raise CompileError(f"objects cannot be linked ({', '.join(objects)}): {error}; "
                           f"emptying the cache folder may cure it") from None
    _keep_for_ever(library)
    _addresses.update((symbol, library[symbol]) for symbol in objects)


def _engine():
    if not _jit:
        binding.initialize_native_target()
        binding.initialize_native_asmprinter()
        _offer_math_library()
        _jit.append(binding.create_lljit_compiler())
        _keep_for_ever(_jit[0])
    return _jit[0]


def _keep_for_ever(thing) -> None:
    """Never free it, not even when Python ends: threads may still run in its code."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


def _offer_math_library() -> None:
    """Make sure that `expf` and its like are found: a Python built without libm brings none into the process."""
    if not sys.platform.startswith("linux") or hasattr(ctypes.CDLL(None), "expf"):
        return
    binding.load_library_permanently("libm.so.6")
