"""Record what real MindSpore gives for every program: python -m tests.parity.record [--python PATH] [TOPIC ...]

PATH is the interpreter of the environment that tests/parity/setup.sh made; GRAPHCORE_MINDSPORE_PYTHON names it
otherwise.  Writes tests/language/recorded/TOPIC.json; a crash or an endless program is recorded as such.
"""
from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from tests.language.runner import topics

RECORDED = Path(__file__).parents[1] / "language" / "recorded"
PYTHON_VARIABLE = "GRAPHCORE_MINDSPORE_PYTHON"
_SECONDS_FOR_A_PROGRAM = 60


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", default=os.environ.get(PYTHON_VARIABLE))
    parser.add_argument("topics", nargs="*")
    options = parser.parse_args(arguments)
    if not options.python:
        parser.error(f"name MindSpore's interpreter with --python or {PYTHON_VARIABLE}")
    RECORDED.mkdir(exist_ok=True)
    for topic in options.topics or topics():
        results = record(options.python, topic)
        write(RECORDED / f"{topic}.json", results)
        print(f"{topic}: {len(results)} programs", file=sys.stderr)
    return 0


def record(python: str, topic: str) -> dict:
    """Name -> what MindSpore gave, for all programs of a topic; goes on behind a program that crashes."""
    results: dict = {}
    while True:
        started, finished = _run_worker(python, topic, results)
        if finished:
            return dict(sorted(results.items()))
        if started is None:
            raise RuntimeError(f"no program of {topic} could be run with {python}")
        results[started] = {"crash": True}


def write(path: Path, results: dict) -> None:
    """One line a program, so that a change shows as a line."""
    lines = [f"{json.dumps(name)}: {json.dumps(result, sort_keys=True)}" for name, result in results.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def _run_worker(python: str, topic: str, results: dict) -> tuple[str | None, bool]:
    """Run a worker and take up its results; returns the program it was in last and whether it came to its end."""
    command = [python, "-m", "tests.parity.worker", topic, *results]
    started = None
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with tempfile.TemporaryDirectory() as folder, subprocess.Popen(     # where MindSpore may leave its files
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True) as worker:
        while line := _line_within(worker, _SECONDS_FOR_A_PROGRAM):
            message = json.loads(line)
            if "started" in message:
                started = message["started"]
            else:
                results.update(message)
                started = None
    return started, worker.returncode == 0


def _line_within(worker: subprocess.Popen, seconds: float) -> str:
    """The next line of a worker, empty at its end; it is killed where it takes longer."""
    timer = threading.Timer(seconds, worker.kill)
    timer.start()
    try:
        return worker.stdout.readline()
    finally:
        timer.cancel()


if __name__ == "__main__":
    sys.exit(main())
