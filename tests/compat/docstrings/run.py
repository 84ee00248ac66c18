"""Run examples in worker processes and judge them."""
from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from tests.compat.docstrings.compare import same
from tests.compat.docstrings.sources import Example

_ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Verdict:
    """How an example went: `reason` is None where all is as documented, else what was different or raised."""

    example: Example
    reason: str | None
    outputs: tuple

    @property
    def passed(self) -> bool:
        return self.reason is None


def run(examples: list[Example], python: str = sys.executable, framework: str = "graphcore", jobs: int = 2,
        compiled: bool = False) -> list[Verdict]:
    """The verdicts on `examples`, run by an interpreter with `framework` ("graphcore", "mindspore").

    Unless `compiled`, the graphs of Cells run on NumPy references, which give the same results and need no compiling.
    """
    results: dict = {}
    shares = [examples[i::jobs] for i in range(jobs)]
    threads = [threading.Thread(target=_work, args=(share, python, framework, compiled, results)) for share in shares]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [judge(e, results.get(e.name, {"outputs": [], "error": "the worker died"})) for e in examples]


def judge(example: Example, result: dict) -> Verdict:
    """Compare what the statements printed with what the docstring says."""
    outputs = result["outputs"]
    for (source, want), output in zip(example.statements, outputs, strict=False):
        # A statement for which nothing is said may print: values that do not matter, warnings.
        if want.strip() and not same(output, want, example.is_random):
            return Verdict(example, f"of {source.strip()}\n  expected: {want.strip()}\n  printed:  {output.strip()}",
                           tuple(outputs))
    if result["error"] is not None:
        expected_raise = example.statements[len(outputs)][1] if len(outputs) < len(example.statements) else ""
        if _names_the_error(expected_raise, result["error"]):
            return Verdict(example, None, tuple(outputs))
        return Verdict(example, result["error"].strip() + "\n  at: " + result.get("at", "").strip(), tuple(outputs))
    return Verdict(example, None, tuple(outputs))


def _names_the_error(want: str, traceback: str) -> bool:
    """Whether the docstring expects the statement to raise the class of error that it did."""
    if not want.strip().startswith(("Traceback", "ValueError", "TypeError", "RuntimeError")):
        return False
    raised = (line for line in traceback.strip().splitlines() if ":" in line and not line.startswith(" "))
    return any(line.split(":")[0] in want for line in raised)


def _work(share: list[Example], python: str, framework: str, compiled: bool, results: dict) -> None:
    environment = {**os.environ, "PYTHONPATH": str(_ROOT), "GLOG_v": "4", "MS_JIT_IGNORE_MODULES": "numpy,scipy"}
    if not compiled:
        environment["GRAPHCORE_INTERPRET"] = "1"
    worker = subprocess.Popen([python, str(Path(__file__).with_name("worker.py")), framework], text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)
    with worker:
        for example in share:
            try:
                print(json.dumps([example.name, [source for source, _ in example.statements]]), file=worker.stdin,
                      flush=True)
            except BrokenPipeError:
                return
            line = worker.stdout.readline()
            if not line:
                return
            result = json.loads(line)
            results[result.pop("name")] = result
            if len(results) % 200 == 0:
                print(f"{len(results)} examples run", file=sys.stderr)
