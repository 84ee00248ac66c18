"""Many models, each in a process of its own with limits, so that one that crashes does not end the run.

Results are lines of JSON in a file, the last one for a model counts; a run passes over models that have one.
"""
from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def results_in(path: Path) -> dict:
    """The results kept in the file, by (model, mode); a line that was cut off counts as none."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            result = json.loads(line)
        except ValueError:
            continue
        found[result["model"], result["mode"]] = result
    return found


def run_all(names: list[str], mode: str, path: Path, again: bool, seconds: int, gigabytes: int,
            say: Callable[[dict], None]) -> None:
    """Run the models that have no result in `path` (with `again`, all), and add theirs to it.

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
    """Add a result to the file, on a line of its own also where an earlier run was cut off within one."""
    cut_off = path.exists() and path.read_bytes()[-1:] not in (b"\n", b"")
    with path.open("a", encoding="utf-8") as file:
        file.write("\n" * cut_off + json.dumps(result) + "\n")


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
