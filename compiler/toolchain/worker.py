"""A process that turns LLVM IR into objects: JSON jobs on standard input, JSON answers on standard output, one a line.

job: {"text", "exported", "cpu"}, the arguments of `assemble`; answer: {"object": base64} or {"error": message}.
Ends when its input ends.  It imports neither Numba nor NumPy, so it is ready within a tenth of a second.
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
    from graphcore.compiler.toolchain import assemble  # noqa: F401 - imported while the first job is on its way
    for line in sys.stdin:
        answers.write(json.dumps(_answer(json.loads(line))) + "\n")
        answers.flush()


def _answer(job: dict) -> dict:
    from graphcore.compiler.toolchain.assemble import assemble
    from graphcore.compiler.toolchain.cpu import CpuTarget
    from graphcore.errors import CompileError
    try:
        image = assemble(job["text"], tuple(job["exported"]), CpuTarget.from_json(job["cpu"]))
    except (CompileError, RuntimeError) as error:
        return {"error": str(error)}
    return {"object": base64.b64encode(image).decode()}


if __name__ == "__main__":
    main()
