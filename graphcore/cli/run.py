"""``graphcore run SCRIPT.py [ARGS...]``: run a script with ``mindspore`` imported as graphcore."""
from __future__ import annotations

import argparse
import io
import os
import sys
from importlib.machinery import SourceFileLoader
from types import CodeType, ModuleType, TracebackType

from graphcore.cli import mindspore_hook
from graphcore.cli.errors import UsageError, nearest

HELP = "run a MindSpore script on graphcore, unchanged"
EXAMPLES = """\
examples:
  graphcore run train.py
  graphcore run train.py --epochs 3 --lr 0.01"""


def add_parser(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("script", metavar="SCRIPT.py", help="the script; its `import mindspore` gives graphcore")
    parser.add_argument("arguments", metavar="ARGS", nargs=argparse.REMAINDER, help="passed on to the script")


def run(options: argparse.Namespace) -> int:
    """Run the script as ``python SCRIPT.py ARGS`` would; returns the exit code.  Raises UsageError if there is none."""
    path = options.script
    if not os.path.isfile(path):
        folder = os.path.dirname(path) or "."
        scripts = [f for f in os.listdir(folder) if f.endswith(".py")] if os.path.isdir(folder) else []
        raise UsageError(f"there is no script {path!r}" + nearest(os.path.basename(path), scripts))
    path = os.path.abspath(path)
    sys.argv = [options.script, *options.arguments]
    _put_on_path(os.path.dirname(path))
    mindspore_hook.install()
    try:
        code = _compile(path)
        module = _main_module(path)
        exec(code, module.__dict__)
    except SystemExit:
        raise
    except BaseException as error:
        mindspore_hook.explain(error)
        error.__traceback__ = _of_the_script(error.__traceback__, path)
        sys.excepthook(type(error), error, error.__traceback__)
        return 130 if isinstance(error, KeyboardInterrupt) else 1
    return 0


def _put_on_path(folder: str) -> None:
    """Put the script's folder where ``python SCRIPT.py`` has it: first, instead of the launcher's own."""
    if getattr(sys.flags, "safe_path", False):
        return
    launcher = os.path.dirname(os.path.abspath(sys.modules["__main__"].__file__)) if getattr(
        sys.modules["__main__"], "__file__", None) else None
    if sys.path and sys.path[0] in ("", launcher, os.getcwd()):
        del sys.path[0]
    sys.path.insert(0, folder)


def _compile(path: str) -> CodeType:
    with io.open_code(path) as file:
        return compile(file.read(), path, "exec", dont_inherit=True)


def _main_module(path: str) -> ModuleType:
    """A fresh ``__main__``, as the interpreter makes it for a script."""
    module = ModuleType("__main__")
    module.__file__ = path
    module.__builtins__ = __builtins__
    module.__loader__ = SourceFileLoader("__main__", path)
    module.__cached__ = None
    sys.modules["__main__"] = module
    return module


def _of_the_script(trace: TracebackType | None, path: str) -> TracebackType | None:
    """The traceback from the script's first frame on, without the frames of the import hook at its end."""
    while trace is not None and trace.tb_frame.f_code.co_filename != path:
        trace = trace.tb_next
    frames = []
    while trace is not None:
        frames.append(trace)
        trace = trace.tb_next
    if frames and frames[-1].tb_frame.f_code.co_filename == mindspore_hook.__file__:
        while _is_import_machinery(frames[-1].tb_frame.f_code.co_filename):
            frames.pop()
    result = None
    for frame in reversed(frames):
        result = TracebackType(result, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    return result


def _is_import_machinery(filename: str) -> bool:
    return filename == mindspore_hook.__file__ or filename.startswith("<frozen importlib")
