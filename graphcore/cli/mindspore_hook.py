"""``import mindspore`` as graphcore.

After `install()`, ``mindspore.X`` is the module ``graphcore.X`` itself, so classes and functions are the same objects
under either name.  MindSpore modules whose names live elsewhere here are found through `module_map`.  A module or name
that graphcore lacks is an ImportError that lists the nearest ones.
"""
from __future__ import annotations

import importlib
import importlib.util
import re
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

from graphcore.cli.errors import nearest
from graphcore.cli.module_map import MODULES, PACKAGES, target_of
from graphcore.version import __version__  # the release whose interface graphcore follows: scripts compare versions

_ROOT = "mindspore"
_NO_NAME = re.compile(r"cannot import name '([^']+)' from '(graphcore[^']*)'")


def install() -> None:
    """Make ``import mindspore`` give graphcore, also where MindSpore itself is installed."""
    if any(isinstance(finder, _MindSporeFinder) for finder in sys.meta_path):
        return
    for name in [n for n in sys.modules if n == _ROOT or n.startswith(_ROOT + ".")]:
        del sys.modules[name]
    sys.meta_path.insert(0, _MindSporeFinder())
    sys.meta_path.append(_UnknownNameFinder())


def uninstall() -> None:
    """Undo `install`; modules imported meanwhile keep working."""
    sys.meta_path[:] = [f for f in sys.meta_path if not isinstance(f, (_MindSporeFinder, _UnknownNameFinder))]
    for name in [n for n in sys.modules if n == _ROOT or n.startswith(_ROOT + ".")]:
        del sys.modules[name]


def explain(error: BaseException) -> None:
    """Give an ImportError of a script MindSpore's module names and the nearest names, where it lacks them."""
    found = _NO_NAME.match(error.msg or "") if isinstance(error, ImportError) else None
    module = sys.modules.get(found[2]) if found else None
    if module is not None:
        error.msg = _no_name(module, found[1])
        error.args = (error.msg,)
        if hasattr(error, "name_from"):
            error.name_from = None      # or the interpreter appends a suggestion of its own


class _MindSporeFinder:
    """Finds ``mindspore`` and everything below it."""

    def find_spec(self, fullname: str, path=None, target=None) -> ModuleSpec | None:
        if fullname == _ROOT:
            return ModuleSpec(fullname, _RootLoader(), is_package=True)
        if not fullname.startswith(_ROOT + "."):
            return None
        wanted = fullname[len(_ROOT) + 1:]
        home = target_of(wanted, _exists)
        if home is None:
            raise _no_module(wanted)
        return ModuleSpec(fullname, _AliasLoader(fullname, home, wanted in PACKAGES))


class _KeepsNames(ModuleType):
    """A module with a function of the name of one of its modules (``parallel.shard``), as MindSpore has some.

    After importing a module, the import system would put it in the function's place.
    """

    def __setattr__(self, name: str, value) -> None:
        if not isinstance(value, ModuleType) or isinstance(self.__dict__.get(name, value), ModuleType):
            super().__setattr__(name, value)


class _AliasLoader:
    """Gives an existing graphcore module under its MindSpore name."""

    def __init__(self, name: str, home: str, is_package: bool):
        self.name, self.home, self.is_package = name, home, is_package

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(self.home)
        self.spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self.spec     # the import system has put the alias's spec in its place
        if self.is_package and not hasattr(module, "__path__"):
            module.__path__ = []        # MindSpore has modules below it, which only packages may have
        parent_name, _, word = self.name.rpartition(".")
        parent = sys.modules.get(parent_name)
        hidden = parent is not None and not isinstance(getattr(parent, word, module), ModuleType)
        if hidden and not isinstance(parent, _KeepsNames):
            parent.__class__ = _KeepsNames


class _RootLoader:
    """Gives ``mindspore`` itself: graphcore's names and MindSpore's version.

    It is a module of its own, since a few names differ: ``mindspore.tensor`` is a function, ``graphcore.tensor`` a
    module.
    """

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Root(spec.name, "graphcore under MindSpore's name.")

    def exec_module(self, module: ModuleType) -> None:
        import graphcore
        from graphcore.common.tensor import tensor
        module.__all__ = sorted({*graphcore.__all__, "tensor"})
        module.__version__ = __version__
        module.tensor = tensor


class _Root(_KeepsNames):
    """The module ``mindspore``: what it does not hold itself is graphcore's."""

    def __getattr__(self, name: str):
        import graphcore
        try:
            value = getattr(graphcore, name)
        except AttributeError:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}", name=name, obj=self) from None
        self.__dict__[name] = value
        return value

    def __dir__(self) -> list[str]:
        import graphcore
        return sorted({*super().__dir__(), *dir(graphcore)})


class _UnknownNameFinder:
    """Comes last: finds ``from mindspore.dataset import engine`` and explains ``from mindspore.nn import Densee``.

    Where a package lacks a name, the import system looks for a submodule called so, below the module's own name, and
    ends here.
    """

    def find_spec(self, fullname: str, path=None, target=None) -> ModuleSpec | None:
        package, _, name = fullname.rpartition(".")
        module = sys.modules.get(package)
        if module is not None and package.partition(".")[0] == "graphcore" and _for_a_name():
            for wanted in _modules_called(name, package):
                return ModuleSpec(fullname, _AliasLoader(fullname, target_of(wanted, _exists), wanted in PACKAGES))
            raise ImportError(_no_name(module, name), name=package, path=getattr(module, "__file__", None))
        return None


def _modules_called(name: str, package: str) -> list[str]:
    """MindSpore's modules of this name below those that `package` stands for: ``nn.layer.conv`` for conv in nn."""
    return [m for m in MODULES if m.rpartition(".")[2] == name and target_of(m, _exists)
            and _real_name(m.rpartition(".")[0]) == package]


def _real_name(wanted: str) -> str | None:
    """The name of the module that stands for ``mindspore.<wanted>``: its home may itself be an alias by now."""
    home = target_of(wanted, _exists)
    return getattr(sys.modules.get(home), "__name__", home)


def _for_a_name() -> bool:
    """Whether the import under way looks for a name in a package, rather than for a module."""
    frame = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename.startswith("<frozen importlib"):
        if frame.f_code.co_name == "_handle_fromlist":
            return True
        frame = frame.f_back
    return False


def _no_name(module: ModuleType, name: str) -> str:
    path = module.__name__[len("graphcore."):]
    children = [m.rpartition(".")[2] for m in MODULES if m.rpartition(".")[0] == path and target_of(m, _exists)]
    hint = nearest(name, [n for n in dir(module) if not n.startswith("_")] + children)
    alias = f"{_ROOT}.{path}".rstrip(".")
    shown = alias if alias in sys.modules else module.__name__      # as the script calls it
    return f"cannot import name {name!r} from {shown!r}{hint or '; graphcore does not have it (yet)'}"


def _no_module(wanted: str) -> ImportError:
    # For `from package import name` an error that bears exactly this name would be swallowed, so it bears the root's.
    parent, _, name = wanted.rpartition(".")
    home = target_of(parent, _exists) if parent else "graphcore"
    if home is None:
        hint = nearest(wanted, MODULES) or "; graphcore does not have it (yet)"
        return ModuleNotFoundError(f"No module named '{_ROOT}.{wanted}'{hint}", name=_ROOT)
    module = importlib.import_module(home)
    if name in dir(module):
        return ModuleNotFoundError(f"{_ROOT}.{wanted} is not a module", name=_ROOT)
    return ModuleNotFoundError(_no_name(module, name), name=_ROOT)


def _exists(module: str) -> bool:
    if module in sys.modules:
        return True
    try:
        return importlib.util.find_spec(module) is not None
    except ImportError:
        return False
