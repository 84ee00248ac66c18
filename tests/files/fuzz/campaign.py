"""A campaign: worker processes over the numbers of mutants, started again when they die or hang."""
from __future__ import annotations

import multiprocessing
import os
import shutil
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.files.fuzz import work

HANG = 20.0             # seconds without progress after which a process is stopped, if it worked for a quarter of them
PATIENCE = 20           # so many times that if it did not: the machine is busy, or it waits for something
PORTION = 5000          # mutants of one process, unless the format's module says otherwise

_processes = multiprocessing.get_context("spawn")


@dataclass
class Result:
    """Counts of what happened to the mutants of a format, and the findings by number."""

    name: str
    seed: int
    count: int
    words: Counter = field(default_factory=Counter)
    findings: dict = field(default_factory=dict)
    seconds: float = 0.0

    def __str__(self) -> str:
        words = ", ".join(f"{word} {n}" for word, n in self.words.most_common())
        return f"{self.name}: {self.count} mutants in {self.seconds:.0f} s, {len(self.findings)} findings; {words}"


def campaign(name: str, count: int, seed: int, jobs: int = 1, keep: Path | None = None, use_every: int = 1,
             hang: float = HANG, seconds: float = float("inf")) -> Result:
    """Check `count` mutants of a format and use every `use_every`-th; the files of findings go to folders in `keep`.

    After so many `seconds` no process begins a further portion: `count` of the result says how many were checked.
    """
    result, began = Result(name, seed, count), time.monotonic()
    module = work.format_module(name)
    seeds = module.seeds()
    with tempfile.TemporaryDirectory(prefix="graphcore-fuzz-") as place:
        for i, files in enumerate(seeds):
            folder = Path(place, "seeds", str(i))
            folder.mkdir(parents=True)
            for k, (file, data) in enumerate(files.items()):
                (folder / f"{k}-{file}").write_bytes(data)
        portion = getattr(module, "PORTION", PORTION)
        todo = [range(start, min(start + portion, count)) for start in range(0, count, portion)][::-1]
        workers = [_Worker(result, Path(place, f"worker{j}"), use_every, hang, began + seconds) for j in range(jobs)]
        threads = [threading.Thread(target=worker.drain, args=(todo,)) for worker in workers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        result.count -= sum(map(len, todo))
    result.seconds = time.monotonic() - began
    for number, what in sorted(result.findings.items()) if keep else ():
        folder = keep / f"{name}-{seed}-{number}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        work.write(folder, work.mutant_of(module, seeds, name, seed, number))
        (folder / "finding.txt").write_text(what, errors="replace")
    return result


_lock = threading.Lock()


@dataclass
class _Worker:
    """Runs processes over portions of the numbers."""

    result: Result
    place: Path
    use_every: int
    hang: float
    deadline: float

    def drain(self, todo: list) -> None:
        """Take portions until none is left, or it is too late for another."""
        while True:
            with _lock:
                if not todo or time.monotonic() > self.deadline:
                    return
                numbers = todo.pop()
            shutil.rmtree(self.place, ignore_errors=True)
            self.place.mkdir()
            rest = self._one_process(numbers)
            if rest:
                with _lock:
                    todo.append(rest)

    def _one_process(self, numbers: range) -> range:
        """Run one process over `numbers`; those that it did not come to."""
        current = _processes.RawArray("q", [numbers.start, -1])
        ours, theirs = _processes.Pipe(duplex=False)
        process = _processes.Process(target=work.run, args=(
            self.result.name, self.result.seed, numbers, self.use_every, str(self.place), current, theirs))
        process.start()
        theirs.close()
        seen, since, worked, fate = None, time.monotonic(), 0.0, None
        while fate is None:
            now = tuple(current)
            if now != seen:
                seen, since, worked = now, time.monotonic(), _worked(process.pid)
            try:
                if ours.poll(0.5):
                    kind, what, text = ours.recv()
                    if kind == "done":
                        with _lock:
                            self.result.words.update(what)
                        process.join()
                        return range(0)
                    self.result.findings[what] = text
                elif time.monotonic() - since > self.hang and (
                        current[1] >= 0 and _worked(process.pid) - worked > self.hang / 4
                        or time.monotonic() - since > self.hang * PATIENCE):
                    process.kill()
                    fate = f"no end after {self.hang:.0f} s of {'using' if current[1] == 1 else 'reading'}"
            except EOFError:
                process.join()
                fate = f"the process ended with {process.exitcode}"
        process.join()
        number, log = current[0], Path(self.place, "stderr")
        text = log.read_text(errors="replace")[-4000:] if log.exists() else ""
        with _lock:
            self.result.words["finding"] += 1
            self.result.words["before a process ended"] += number - numbers.start
        self.result.findings[number] = f"{text}\n{fate}"
        return range(number + 1, numbers.stop)


def _worked(pid: int) -> float:
    """Seconds of processor time that a process has taken."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:         # it has ended
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
