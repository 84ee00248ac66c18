"""Record what real MindSpore gives: python -m tests.parity.record [--python PATH] [--again] [SUITE | SUITE/TOPIC ...]

The suites are `language` (programs) and `compat` (calls); without any, both are recorded.  PATH is the interpreter of
the environment that tests/parity/setup.sh made; GRAPHCORE_MINDSPORE_PYTHON names it otherwise.  Writes
tests/SUITE/recorded/TOPIC.json; a crash or an endless program is recorded as such.  Of `compat`, whose texts are their
own names, what is recorded stays, unless --again is given.
"""
from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

TESTS = Path(__file__).parents[1]
PYTHON_VARIABLE = "GRAPHCORE_MINDSPORE_PYTHON"
SUITES = ("language", "compat")
_KEEPS_WHAT_IS_THERE = "compat"
_SECONDS_FOR_AN_ENTRY = 60


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", default=os.environ.get(PYTHON_VARIABLE))
    parser.add_argument("--again", action="store_true", help="record what is there already once more")
    parser.add_argument("topics", nargs="*", metavar="SUITE[/TOPIC]", default=SUITES)
    options = parser.parse_args(arguments)
    if not options.python:
        parser.error(f"name MindSpore's interpreter with --python or {PYTHON_VARIABLE}")
    for wanted in options.topics:
        suite, _, topic = wanted.partition("/")
        if suite not in SUITES:
            parser.error(f"{suite} is not one of {', '.join(SUITES)}")
        for name in [topic] if topic else runner_of(suite).topics():
            known = recorded(suite, name) if suite == _KEEPS_WHAT_IS_THERE and not options.again else {}
            results = record(options.python, suite, name, known)
            path_of(suite, name).parent.mkdir(exist_ok=True)
            write(path_of(suite, name), results)
            print(f"{suite}/{name}: {len(results)} recorded", file=sys.stderr)
            _report_refusals(suite, name, {k: v for k, v in results.items() if k not in known})
    return 0


def runner_of(suite: str):
    """The module that knows the topics of a suite, loads their entries and runs one."""
    return importlib.import_module(f"tests.{suite}.runner")


def path_of(suite: str, topic: str) -> Path:
    return TESTS / suite / "recorded" / f"{topic}.json"


def recorded(suite: str, topic: str) -> dict:
    """Name -> what MindSpore gave, for all entries of a topic; empty if it was never recorded."""
    path = path_of(suite, topic)
    return json.loads(path.read_text()) if path.exists() else {}


def record(python: str, suite: str, topic: str, known: dict | None = None) -> dict:
    """Name -> what MindSpore gives, for all entries of a topic; goes on behind one that crashes.

    known: results of earlier, which are not asked for again; those of entries that are gone are left out.
    """
    results, names = dict(known or {}), _names_in_order(suite, topic)
    while True:
        started, finished = _run_worker(python, suite, topic, results)
        if finished:
            order = names or sorted(results)
            return {name: results[name] for name in order if name in results}
        if started is None:
            raise RuntimeError(f"nothing of {suite}/{topic} could be run with {python}")
        results[started] = {"crash": True}


def write(path: Path, results: dict) -> None:
    """One line an entry, so that a change shows as a line."""
    lines = [f"{json.dumps(name)}: {json.dumps(result, sort_keys=True)}" for name, result in results.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def _names_in_order(suite: str, topic: str) -> list:
    """The entries in the order of their table, where it can be loaded without MindSpore."""
    return [e.name for e in runner_of(suite).load(topic)] if suite == "compat" else []


def _report_refusals(suite: str, topic: str, results: dict) -> None:
    """Say which calls MindSpore refused though their case does not expect it: mostly slips of the pen."""
    if suite != "compat":
        return
    cases = {e.name: e for e in runner_of(suite).load(topic)}
    for name, result in results.items():
        value = result.get("value")
        if result.get("crash"):
            print(f"  CRASHED  {name}", file=sys.stderr)
        elif isinstance(value, dict) and "error" in value and not cases[name].fails:
            print(f"  REFUSED  {name}\n           {value['error'][0]}: {value['message']}", file=sys.stderr)


def _run_worker(python: str, suite: str, topic: str, results: dict) -> tuple[str | None, bool]:
    """Run a worker and take up its results; returns the entry it was in last and whether it came to its end."""
    started = None
    environment = {**os.environ, "PYTHONPATH": str(TESTS.parent)}
    with tempfile.TemporaryDirectory() as folder:       # where MindSpore may leave its files
        skipped = Path(folder) / "skipped.json"
        skipped.write_text(json.dumps(list(results)))
        command = [python, "-m", "tests.parity.worker", suite, topic, str(skipped)]
        with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=True) as worker:
            while line := _line_within(worker, _SECONDS_FOR_AN_ENTRY):
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
