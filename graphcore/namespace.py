"""Packages whose names are imported when they are first used (PEP 562), so that a script pays for what it names.

A package says in a table which of its modules holds which name.  The table is what a reader looks names up in;
``tests/test_namespaces.py`` compares it with the ``__all__`` of the modules.
"""
from __future__ import annotations

import importlib
import sys
from collections.abc import Callable


def namespace(package: str, table: dict, modules: str = "", otherwise: Callable | None = None) -> tuple:
    """(``__getattr__``, ``__dir__``, ``__all__``) of `package`.

    table: module → its public names, in one text.  Modules are named relative to `package`, or in full with
        ``graphcore.`` before; ``name=attribute`` gives an attribute another name.  Of two modules that have a name,
        the first counts.
    modules: those that are attributes too, besides the ones in `table`.
    otherwise: is asked for names that are in neither; raises AttributeError for those that it does not know.
    """
    homes = {}
    for module, names in table.items():
        home = module if module.startswith("graphcore.") else f"{package}.{module}"
        for name in names.split():
            public, _, attribute = name.partition("=")
            homes.setdefault(public, (home, attribute or public))
    inner = frozenset((*modules.split(), *(m for m in table if "." not in m)))

    def find(name: str):
        if name in homes:
            home, attribute = homes[name]
            value = getattr(importlib.import_module(home), attribute)
        elif name in inner:
            value = importlib.import_module(f"{package}.{name}")
        elif otherwise is not None:
            value = otherwise(name)
        else:
            from graphcore.hints import instead
            raise AttributeError(f"module {package!r} has no attribute {name!r}{instead(package, name, homes)}")
        setattr(sys.modules[package], name, value)
        return value

    def listed() -> list:
        return sorted({*vars(sys.modules[package]), *homes, *inner})

    return find, listed, sorted(name for name in homes if name[0] != "_")
