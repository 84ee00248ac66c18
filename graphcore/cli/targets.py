"""What commands work on: ``FILE.py:NAME`` or ``package.module:NAME``, and input types such as ``f32[64,1,8,8]``."""
from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import os
import re
import sys
from collections.abc import Sequence
from types import ModuleType

from graphcore.cli.errors import UsageError, nearest
from graphcore.errors import FormatError, ShapeError
from graphcore.ir.types import TensorType, parse_type


def parse_input(text: str) -> TensorType:
    """The type of one ``--input``.  Raises UsageError."""
    try:
        return parse_type(text)
    except (FormatError, ShapeError) as error:
        raise UsageError(f"--input: {error}") from None


_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*\Z")


def split_target(text: str) -> tuple[str, str]:
    """(file or module, dotted name) of ``FILE.py:NAME`` or ``package.module:NAME``.  Raises UsageError."""
    before, bracket, arguments = text.partition("(")
    path, colon, name = before.rpartition(":")
    name += bracket + arguments
    if not colon or not path or not name or name.startswith(("/", "\\")):
        raise UsageError(f"{text!r} does not name anything to look at; write FILE.py:NAME, for example net.py:Net")
    if not os.path.isfile(path) and not is_module(path):
        folder = os.path.dirname(path) or "."
        files = [f for f in os.listdir(folder) if f.endswith(".py")] if os.path.isdir(folder) else []
        raise UsageError(f"there is no file {path!r}" + nearest(os.path.basename(path), files))
    return path, name


def load_target(text: str):
    """The object that ``FILE.py:NAME`` or ``package.module:NAME`` names; NAME may be dotted, and called: ``Net(16)``.

    The file is imported as a module: its ``if __name__ == "__main__"`` part does not run, and modules beside it can be
    imported.  Raises UsageError for a file or name that is not there; errors of the file itself pass through.
    """
    path, name = split_target(text)
    name, call = _call(name)
    value = module = import_module(path) if is_module(path) else load_module(path)
    for done, part in enumerate(name.split(".")):
        try:
            value = getattr(value, part)
        except AttributeError:
            if value is module:
                where, candidates = os.path.basename(path), _own_names(module)
            else:
                where = ".".join(name.split(".")[:done])
                candidates = [n for n in [*getattr(value, "name_cells", dict)(), *dir(value)] if not n.startswith("_")]
            hint = nearest(part, candidates)
            if not hint and value is module and candidates:
                hint = f"; it has {', '.join(sorted(candidates)[:8])}"
            raise UsageError(f"{where} has nothing called {part!r}{hint}") from None
    return value if call is None else value(*call[0], **call[1])


def _call(name: str) -> tuple[str, tuple | None]:
    """(name, (positional, named arguments)) of ``Net(16, act="relu")``; None where nothing is called.

    Arguments are numbers, strings, True, False, None, and lists, tuples and dicts of them.  Raises UsageError.
    """
    if not name.endswith(")"):
        return name, None
    try:
        call = ast.parse(name, mode="eval").body
        positional = [ast.literal_eval(a) for a in call.args]
        named = {k.arg: ast.literal_eval(k.value) for k in call.keywords}
    except (SyntaxError, ValueError, AttributeError, TypeError):
        raise UsageError(f"{name!r} is no call with plain arguments; write for example Net(16, bias=False), or name a "
                         "function without parameters that returns the net") from None
    return name[:name.index("(")], (positional, named)


def is_module(text: str) -> bool:
    """Whether a text is the name of a module, and not that of a file."""
    return bool(_MODULE.match(text)) and not text.endswith(".py") and not os.path.isfile(text)


def import_module(name: str) -> ModuleType:
    """Import a module by its name, with the current folder first on `sys.path`, as ``python -m`` has it."""
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not (name + ".").startswith(error.name + "."):
            raise                       # a module that this one imports
        raise UsageError(f"there is no module {name!r}; for a file write FILE.py:NAME") from None


def load_module(path: str) -> ModuleType:
    """Import a file by its path, with its folder first on `sys.path`."""
    path = os.path.abspath(path)
    stem = os.path.splitext(os.path.basename(path))[0]
    name = stem if stem not in sys.modules and stem.isidentifier() else f"graphcore_target_{stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None:
        raise UsageError(f"{path!r} is not a Python file; its name must end in .py")
    folder = os.path.dirname(path)
    if sys.path[:1] != [folder]:
        sys.path.insert(0, folder)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module      # dataclasses, pickle and inspect look a class's module up by name
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def _own_names(module: ModuleType) -> list[str]:
    """The public names that the file itself defines, and nets; so that hints do not offer what it imports."""
    def is_own(name: str, value) -> bool:
        if name.startswith("_") or isinstance(value, ModuleType):
            return False
        is_net = hasattr(value, "construct") and not isinstance(value, type)
        return is_net or getattr(value, "__module__", None) in (None, module.__name__)

    return [name for name, value in vars(module).items() if is_own(name, value)]


def make_callable(target, name: str):
    """What can be captured, from what the user named: (callable, whether it is a Cell).

    A Cell class is constructed without arguments; a function without required parameters is called and must return a
    Cell, a Model or a function; a Model stands for its training step; a Cell, and a function with parameters (``@jit``
    or not), stand for themselves.  Raises UsageError.
    """
    from graphcore.nn import Cell
    if isinstance(target, type):
        if not issubclass(target, Cell):
            raise UsageError(f"{name} is a class, but not an nn.Cell; name a Cell, a function that makes one, or a "
                             "@jit function")
        _refuse_required_parameters(target.__init__, name, skip=1)
        target = target()
    elif not isinstance(target, Cell) and inspect.isroutine(target) and not _required_parameters(target):
        made = target()
        if not _is_model(made) and (not callable(made) or isinstance(made, type)):
            raise UsageError(f"{name}() returned {_a(type(made).__name__)}, not an nn.Cell; a function without "
                             "parameters is called to make the net, or the function of a training step")
        target = made
    if _is_model(target):
        target = target.train_network
        target.set_train()
    if isinstance(target, Cell):
        return target, True
    if not callable(target):
        raise UsageError(f"{name} is {_a(type(target).__name__)}; name an nn.Cell, a function that makes one, or a "
                         "@jit function")
    return target, False


def _is_model(value) -> bool:
    from graphcore.train import Model
    return isinstance(value, Model)


def check_inputs(function, types: Sequence[TensorType], name: str) -> None:
    """Raise UsageError unless the number of ``--input`` types suits the parameters of `function`."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(*types)
    except TypeError:
        expected = ", ".join(str(p) for p in signature.parameters.values())
        raise UsageError(f"{name} takes ({expected}), but {len(types)} inputs are given: repeat --input TYPE for each, "
                         "for example --input 'f32[64,1,8,8]'") from None


def _required_parameters(function, skip: int = 0) -> list[str]:
    try:
        parameters = list(inspect.signature(function).parameters.values())[skip:]
    except (TypeError, ValueError):
        return []
    return [p.name for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]


def _refuse_required_parameters(function, name: str, skip: int) -> None:
    required = _required_parameters(function, skip)
    if required:
        raise UsageError(f"{name} cannot be constructed without arguments (it needs {', '.join(required)}); write them "
                         f"behind it, as in '{name}(16)', or name a function without parameters that returns the net")


def _a(noun: str) -> str:
    return ("an " if noun[:1].lower() in "aeiou" else "a ") + noun
