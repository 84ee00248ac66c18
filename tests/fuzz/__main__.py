"""A campaign: ``python -m tests.fuzz --count 5000 --seed 0 --jobs 2 --native 10 --out campaign.jsonl``.

Checks the programs of `count` seeds in worker processes; a worker that dies or takes too long is a finding of its seed.
Results are appended to `--out`, one line of JSON a seed; seeds that are in it already are not run again.  At the end a
report is printed.  Every `--native`-th program is compiled to native code, the others run on NumPy references of their
graphs, which is many times faster and finds the defects of capture and differentiation.
"""
from __future__ import annotations

import argparse
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path


def main() -> int:
    """Run a campaign; the exit code is 1 if anything was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Check random programs.",
                                     formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--count", type=int, default=300, help="how many programs")
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=2, help="worker processes")
    parser.add_argument("--native", type=int, default=10, help="compile every N-th program (1: all, 0: none)")
    parser.add_argument("--timeout", type=float, default=240, help="seconds for one program")
    parser.add_argument("--out", type=Path, default=Path("campaign.jsonl"),
                        help="results, a line of JSON a seed; seeds that are in it are not run again")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        return _work()
    seeds = range(options.seed, options.seed + options.count)
    done = {r["seed"]: r for r in _read(options.out)}
    todo: queue.Queue = queue.Queue()
    for seed in seeds:
        if seed not in done:
            todo.put((seed, bool(options.native) and seed % options.native == 0))
    with open(options.out, "a") as file:
        threads = [threading.Thread(target=_Worker(options.timeout).drain, args=(todo, done, file))
                   for _ in range(options.jobs)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    results = [done[seed] for seed in seeds]
    print(report(results))
    return int(any(r["findings"] for r in results))


def _read(path: Path) -> list:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


PROGRAMS = 200          # of one process: what it has captured and compiled stays in its memory


class _Worker:
    """A process that checks one program after the other, started again when it has died or was stopped."""

    def __init__(self, timeout: float):
        self._timeout, self._process, self._left = timeout, None, 0

    def drain(self, todo: queue.Queue, done: dict, file) -> None:
        """Check seeds until none is left."""
        while True:
            try:
                seed, native = todo.get_nowait()
            except queue.Empty:
                break
            result = done[seed] = self._check(seed, native)
            file.write(json.dumps(result) + "\n")
            file.flush()
            for kind, detail in result["findings"]:
                print(f"{seed}: {kind}: {detail.splitlines()[0][:150]}", flush=True)
        self._end()

    def _end(self) -> None:
        if self._process is not None:
            self._process.stdin.close()
            self._process.wait()
            self._process = None

    def _check(self, seed: int, native: bool) -> dict:
        if self._left == 0:
            self._end()
        if self._process is None or self._process.poll() is not None:
            self._left = PROGRAMS
            command = [sys.executable, "-W", "ignore", "-m", "tests.fuzz", "--worker"]
            self._process = subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                             stderr=subprocess.PIPE)
            threading.Thread(target=self._process.stderr.read, daemon=True).start()
        self._left -= 1
        timer = threading.Timer(self._timeout, self._process.kill)
        began = time.monotonic()
        timer.start()
        try:
            self._process.stdin.write(f"{seed} {int(native)}\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            timer.cancel()
        seconds = time.monotonic() - began
        if line:
            return {**json.loads(line), "seconds": round(seconds, 2)}
        kind = "timeout" if seconds >= self._timeout else "crash"
        return {"seed": seed, "native": native, "findings": [[kind, f"exit code {self._process.wait()}"]], "notes": [],
                "features": {}, "seconds": round(seconds, 2)}


def _work() -> int:
    from tests.fuzz.check import check
    from tests.fuzz.generator import program
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)                       # what programs print is no answer
    for line in sys.stdin:
        seed, native = map(int, line.split())
        made = program(seed)
        result = check(made.source, f"fuzz_{seed}", native=bool(native))
        answer = {"seed": seed, "native": bool(native), "notes": result.notes, "features": made.features,
                  "findings": [[f.kind, f.detail] for f in result.findings]}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
    return 0


def report(results: list) -> str:
    """Counts of programs by findings (the first of each), notes and features, as Markdown."""
    kinds = Counter(r["findings"][0][0] for r in results if r["findings"])
    notes = Counter(note for r in results for note in set(r["notes"]))
    features = Counter(feature for r in results for feature in r["features"])
    native, seconds = [r for r in results if r["native"]], sum(r["seconds"] for r in results)
    halves = sum("dtype h" in r["features"] for r in native)
    bad = [r["seed"] for r in results if r["findings"]]
    return "\n".join([
        f"{len(results)} programs (seeds {results[0]['seed']} to {results[-1]['seed']}), {len(native)} of them native "
        f"({halves} with float16), {seconds:.0f} s of work: {len(bad)} with findings.", "",
        f"Findings: {_counts(kinds)}.",
        *([f"Seeds: {', '.join(map(str, bad[:50]))}."] if bad else []),
        f"Notes: {_counts(notes)}.", "",
        f"Programs by feature: {_counts(features)}."])


def _counts(counter: Counter) -> str:
    return ", ".join(f"{name} {n}" for name, n in counter.most_common()) or "none"


if __name__ == "__main__":
    sys.exit(main())
