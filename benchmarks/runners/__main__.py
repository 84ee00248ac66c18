"""A runner: imports one framework, then answers the driver's requests from standard input on standard output."""
from __future__ import annotations

import functools
import importlib
import os
import sys
import time

from benchmarks.competitors import COMPETITORS
from benchmarks.protocol import Request, answer_line, parse_request
from benchmarks.runners.task import Unsupported, WrongResult, check, first_result, time_samples
from benchmarks.workloads import given, workload


class Runner:
    """A framework, its tasks as they are asked for, and what is known about both."""

    def __init__(self, name: str, threads: int):
        competitor = COMPETITORS[name]
        started = time.perf_counter()
        module = importlib.import_module(f"benchmarks.runners.{competitor.module}")
        self.framework = module.Framework(threads, competitor.variant)
        self.import_seconds = time.perf_counter() - started
        self.given = functools.cache(given)
        self.task = functools.cache(lambda name, mode: self.framework.prepare(self.given(name, mode)))

    def answer(self, request: Request) -> dict:
        """The answer to a request; what goes wrong is an answer, too."""
        try:
            return getattr(self, f"on_{request.command}")(request)
        except Unsupported as reason:
            return {"unsupported": str(reason)}
        except WrongResult as reason:
            return {"error": str(reason)}
        except Exception as error:      # whatever a framework raises belongs to the driver's report
            return {"error": f"{type(error).__name__}: {' '.join(str(error).split())[:500]}"}

    def on_about(self, _request: Request) -> dict:
        return {"version": self.framework.version, "import_seconds": self.import_seconds}

    def on_check(self, request: Request) -> dict:
        name, mode = request.workload, request.mode
        return {"deviation": check(self.task(name, mode), self.given(name, mode))}

    def on_run(self, request: Request) -> dict:
        name, mode = request.workload, request.mode
        task = self.task(name, mode)
        check(task, self.given(name, mode))     # also what warms the caches after another framework's turn
        return {"times": time_samples(task, workload(name).modes[mode], request.samples)}

    def on_first(self, request: Request) -> dict:
        return {"seconds": first_result(self.framework.prepare, given(request.workload, request.mode))}


def private_stdout():
    """Standard output as a file for the answers alone: what frameworks print goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return answers


def limit_cores(threads: int) -> None:
    """Keep to the first `threads` usable cores: some frameworks take no other hint."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def main(name: str, threads: int) -> None:
    answers = private_stdout()
    limit_cores(threads)
    try:
        runner = Runner(name, threads)
    except ImportError as error:
        print(answer_line({"error": f"{type(error).__name__}: {error}"}), end="", file=answers, flush=True)
        return
    for line in sys.stdin:
        request = parse_request(line)
        if request.command == "quit":
            break
        print(answer_line(runner.answer(request)), end="", file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
