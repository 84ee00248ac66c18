"""Many models, each in a process of its own with limits, so that one that crashes does not end the run.

Results are lines of JSON in a file, one per model and mode, sorted; a run passes over models that have one.
"""
from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

RESULTS = Path(__file__).with_name("results.jsonl")      # those of the report
ROOT = Path(__file__).resolve().parents[3]


def results_in(path: Path) -> dict:
    """The results kept in the file, by (model, mode)."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else ()
    return {(result["model"], result["mode"]): result for result in map(json.loads, lines)}


def run_all(names: list[str], mode: str, path: Path, again: bool, seconds: int, gigabytes: int,
            say: Callable[[dict], None]) -> None:
    """Run the models that have no result in `path` (with `again`, all), and put theirs in it.

    seconds, gigabytes: what one model may take of CPU time and address space; beyond, it has failed.
    """
    done = {} if again else results_in(path)
    for name in names:
        if (name, mode) in done:
            continue
        result = run_one(name, mode, seconds, gigabytes)
        _keep(result, path)
        say(result)


def _keep(result: dict, path: Path) -> None:
    """Put a result in the file, in place of an earlier one of that model and mode; the file is never half-written."""
    results = results_in(path) | {(result["model"], result["mode"]): result}
    beside = path.with_suffix(".new")
    beside.write_text("".join(json.dumps(results[key]) + "\n" for key in sorted(results)), encoding="utf-8")
    beside.replace(path)


def run_one(name: str, mode: str, seconds: int, gigabytes: int) -> dict:
    """The result of one model, run by ``tests.compat.mindcv.one``; a process that ends badly is a failure."""
    command = [sys.executable, "-m", "tests.compat.mindcv.one", name, "--mode", mode]
    failed = {"model": name, "mode": mode}
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20 * seconds,
                              preexec_fn=lambda: _limit(seconds, gigabytes))
    except subprocess.TimeoutExpired:
        return {**failed, "failed": f"took more than {20 * seconds} seconds"}
    if done.returncode == -signal.SIGXCPU:
        return {**failed, "failed": f"took more than {seconds} seconds of CPU time"}
    if done.returncode or not done.stdout.strip():
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return {**failed, "failed": f"the process ended with code {done.returncode}: {last}"}
    return json.loads(done.stdout.strip().splitlines()[-1])


def _limit(seconds: int, gigabytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    resource.setrlimit(resource.RLIMIT_AS, (gigabytes << 30, gigabytes << 30))
