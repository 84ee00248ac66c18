"""The measurements: all competitors by turns, in one run."""
from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable
from statistics import median

from benchmarks.process import Entrant, RunnerFailed, RunnerProcess
from benchmarks.protocol import Request
from benchmarks.ratios import Row
from benchmarks.workloads import Workload

PAUSE = 0.1             # seconds between turns: worker threads go on spinning for a moment after their last task
FIRST_STEP_ROUNDS = 3   # each is two new processes per competitor

Say = Callable[[str], None]


class Refused(Exception):
    """A runner's answer that is no result, with its reason."""


class NotOffered(Refused):
    """The framework, or its runner here, does not do this workload at all: nothing to report."""


def ask(process: RunnerProcess, request: Request) -> dict:
    """The answer to a request.  Raises Refused where the runner cannot, for whatever reason."""
    try:
        answer = process.ask(request)
    except RunnerFailed as failure:
        raise Refused(str(failure)) from failure
    if "unsupported" in answer:
        raise NotOffered(answer["unsupported"])
    if "error" in answer:
        raise Refused(answer["error"])
    return answer


def start_all(entrants: list[Entrant], threads: int, stack: contextlib.ExitStack, say: Say) -> tuple[dict, dict]:
    """(processes by name, versions by name) of those whose framework could be imported; `stack` ends them."""
    processes, versions = {}, {}
    for entrant in entrants:
        process = stack.enter_context(RunnerProcess(entrant, threads))
        try:
            versions[entrant.name] = ask(process, Request("about"))["version"]
            processes[entrant.name] = process
        except Refused as reason:
            say(f"{entrant.name}: skipped: {reason}")
    return processes, versions


def measure(processes: dict, selected: list[tuple[Workload, str]], rounds: int, say: Say,
            limits: dict | None = None) -> list[Row]:
    """Step times of the (workload, mode) pairs: each round gives every competitor one turn, in turning order.

    limits: the machine's, in seconds, by (name of the workload, mode).
    """
    limits = limits or {}
    return [_measure_one(processes, workload, mode, rounds, say, limits.get((workload.name, mode)))
            for workload, mode in selected]


def _measure_one(processes, workload, mode, rounds, say, limit) -> Row:
    row, running = Row(f"{workload.name} {mode}", limit=limit), []
    say(row.label)
    for name, process in processes.items():
        try:
            ask(process, Request("check", workload.name, mode))
            running.append(name)
        except Refused as reason:
            _leave_out((row,), name, reason, say)
    run = Request("run", workload.name, mode, workload.modes[mode].samples)
    for turn in range(rounds):
        first = turn % max(1, len(running))
        for name in running[first:] + running[:first]:
            time.sleep(PAUSE)
            try:
                row.times.setdefault(name, []).append(median(ask(processes[name], run)["times"]))
            except Refused as reason:
                _leave_out((row,), name, reason, say)
        running = [name for name in running if name not in row.left_out]
    return row


def _leave_out(rows: tuple, name: str, reason: Refused, say: Say) -> None:
    """Note why a competitor is missing.  Rounds are paired, so those that it did finish go, too."""
    for row in rows:
        row.left_out[name] = str(reason)
        row.times.pop(name, None)
    if not isinstance(reason, NotOffered):
        say(f"{rows[0].label}: without {name}: {reason}")


def measure_first_steps(entrants: list[Entrant], selected: list[tuple[Workload, str]], threads: int, rounds: int,
                        say: Say) -> list[Row]:
    """Times from building a net to its first result in new processes, with an empty folder for compiled code and then
    with what the first process left in it; and the times of the import before."""
    rows = []
    imports = Row("import")
    for workload, mode in selected:
        cold, warm = (Row(f"{workload.name} {mode}, first result, {state}") for state in ("cold", "warm"))
        say(f"{workload.name} {mode}, first result")
        for _ in range(min(rounds, FIRST_STEP_ROUNDS)):
            for entrant in entrants:
                if entrant.name in cold.left_out:
                    continue
                with tempfile.TemporaryDirectory() as folder:
                    for row in (cold, warm):
                        try:
                            imported, seconds = _first_step(entrant, workload, mode, threads, folder)
                        except Refused as reason:
                            _leave_out((cold, warm), entrant.name, reason, say)
                            break
                        row.times.setdefault(entrant.name, []).append(seconds)
                        imports.times.setdefault(entrant.name, []).append(imported)
        rows += [cold, warm]
    return [imports, *rows]


def _first_step(entrant, workload, mode, threads, folder) -> tuple[float, float]:
    """(seconds of the import, seconds from building the net to the first result)."""
    with RunnerProcess(entrant, threads, folder) as process:
        about = ask(process, Request("about"))
        return about["import_seconds"], ask(process, Request("first", workload.name, mode))["seconds"]
