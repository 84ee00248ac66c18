"""Runs examples: JSON lines [name, [source, ...]] on standard input, JSON lines of what they printed on its output.

Started as a script by `run.py`, by the Python that is to be tried: ``worker.py graphcore`` imports mindspore as
graphcore, ``worker.py mindspore`` the real one.  Each example runs in a fork, with limits on its time and memory, in an
empty folder.  The result of a statement is the text that it prints; one that raises is the last, with its traceback.
"""
import contextlib
import io
import json
import os
import resource
import select
import signal
import sys
import tempfile
import time
import traceback

_SECONDS, _BYTES = 40, 8 << 30
_PREPARED = """
import numpy as np
import mindspore
import mindspore as ms
import mindspore.nn as nn
import mindspore.ops as ops
import mindspore.numpy as mnp
import mindspore.dataset as ds
import mindspore.common.dtype as mstype
from mindspore import Tensor, Parameter, context
from mindspore import mint
"""


def main() -> None:
    """Argument: `graphcore` or `mindspore`."""
    report = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    if sys.argv[1] == "graphcore":
        from graphcore.cli import mindspore_hook
        mindspore_hook.install()
    scope = _prepared()
    for line in sys.stdin:
        name, sources = json.loads(line)
        print(json.dumps({"name": name, **_in_a_fork(sources, scope)}), file=report, flush=True)


def _prepared() -> dict:
    """The names that every example finds; everything is imported once, before the forks."""
    scope = {"__name__": "__main__", "__builtins__": __builtins__}
    for line in _PREPARED.strip().splitlines():
        with contextlib.suppress(ImportError):      # what one example needs another may do without
            exec(line, scope)
    if sys.argv[1] == "graphcore":
        for module in (scope["nn"], scope["ops"]):
            for name in module.__all__:
                getattr(module, name)
        scope["Tensor"]([1.0]).sum()
    return scope


def _in_a_fork(sources: list, scope: dict) -> dict:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _child(sources, scope, writer)
    os.close(writer)
    text, deadline = b"", time.monotonic() + _SECONDS
    while True:
        ready, _, _ = select.select([reader], [], [], max(0, deadline - time.monotonic()))
        part = os.read(reader, 1 << 16) if ready else b""
        if not part:
            break
        text += part
    os.close(reader)
    if not ready:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if text.endswith(b"\n"):
        return json.loads(text)
    return {"outputs": [], "error": f"longer than {_SECONDS} s" if not ready else f"died with status {status}"}


def _child(sources: list, scope: dict, writer: int) -> None:
    try:
        os.setpgid(0, 0)
        resource.setrlimit(resource.RLIMIT_AS, (_BYTES, _BYTES))
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            result = _run(sources, scope)
        os.write(writer, json.dumps(result).encode() + b"\n")
    finally:
        os._exit(0)


def _run(sources: list, scope: dict) -> dict:
    outputs = []
    for index, source in enumerate(sources):
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                exec(_compiled(source, index), scope)
        except BaseException:
            return {"outputs": outputs, "error": traceback.format_exc(limit=-3), "at": source}
        outputs.append(printed.getvalue())
    return {"outputs": outputs, "error": None}


def _compiled(source: str, index: int):
    """The code of one statement; its lines are known to `inspect`, which reads the source of Cells and functions."""
    import linecache
    name = f"<example[{index}]>"
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    return compile(source, name, "single")


if __name__ == "__main__":
    main()
