"""A process that compiles kernels: one JSON job a line on standard input, one JSON answer a line on standard output.

job: {"name", "source", "cpu"}; answer: {"object": base64} or {"error": message}.  Ends when its input ends.
"""
from __future__ import annotations

import base64
import json
import os
import signal
import sys


def main() -> None:
    """Serve jobs until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)            # the parent decides when to stop
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)                                           # what a library prints must not look like an answer
    sys.modules.setdefault("scipy", None)                   # Numba would import it, and kernels never need it
    from graphcore.compiler.toolchain import walk  # noqa: F401 - imported while the first job is on its way
    for line in sys.stdin:
        answers.write(json.dumps(_answer(json.loads(line))) + "\n")
        answers.flush()


def _answer(job: dict) -> dict:
    from graphcore.compiler.launch import KernelSource
    from graphcore.compiler.toolchain.build import build_object
    from graphcore.compiler.toolchain.cpu import CpuTarget
    from graphcore.errors import CompileError
    try:
        image = build_object(KernelSource(job["name"], job["source"]), CpuTarget.from_json(job["cpu"]))
    except CompileError as error:
        return {"error": str(error)}
    return {"object": base64.b64encode(image).decode()}


if __name__ == "__main__":
    main()
