"""A runner's process, as the driver sees it."""
from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from benchmarks.competitors import COMPETITORS, OURS, Competitor, environment
from benchmarks.protocol import ProtocolError, Request, parse_answer

ROOT = str(Path(__file__).resolve().parent.parent)
PATIENCE = 300.0        # seconds for one answer: some frameworks compile for minutes


class RunnerFailed(Exception):
    """A runner's process ended, or did not answer in time."""


@dataclass(frozen=True)
class Entrant:
    """A competitor with the interpreter that has its packages."""

    competitor: Competitor
    interpreter: str

    @property
    def name(self) -> str:
        return self.competitor.name


def entrants(peers: dict[str, str]) -> tuple[list[Entrant], dict[str, str]]:
    """(who can take part, why the others cannot): graphcore first.

    peers: interpreters by name; a peer that is not named is looked for beside this interpreter.
    """
    found, missing = [], {}
    for competitor in COMPETITORS.values():
        interpreter = peers.get(competitor.peer, sys.executable)
        if competitor.peer in peers or competitor.name == OURS or all(map(find_spec, competitor.packages)):
            found.append(Entrant(competitor, interpreter))
        else:
            missing[competitor.name] = (f"{' and '.join(competitor.packages)} not installed here; "
                                        f"name an interpreter by --peer {competitor.peer}=PATH")
    return found, missing


class RunnerProcess:
    """A process that measures one competitor; a context manager that ends it.

    One that failed is ended, and the next request starts another.
    cache: the folder for compiled code, see `competitors.environment`.
    """

    def __init__(self, entrant: Entrant, threads: int, cache: str | None = None):
        self._command = [entrant.interpreter, "-m", "benchmarks.runners", entrant.name, str(threads)]
        self._environment = environment(entrant.competitor, dict(os.environ), ROOT, threads, cache)
        self._process: subprocess.Popen | None = None
        self._unread = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _start(self) -> None:
        self._unread = b""
        self._errors = tempfile.TemporaryFile()
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         stderr=self._errors, cwd=ROOT, env=self._environment, bufsize=0)

    def ask(self, request: Request, patience: float = PATIENCE) -> dict:
        """The answer to a request.  Raises RunnerFailed if there is none within `patience` seconds."""
        if self._process is None:
            self._start()
        try:
            self._process.stdin.write(request.line().encode())
        except BrokenPipeError:
            pass        # it ended; what it had to say is still in the pipe or in its errors
        try:
            return parse_answer(self._line(patience))
        except (RunnerFailed, ProtocolError) as failure:
            self._end(grace=0.0)
            raise RunnerFailed(str(failure)) from failure

    def _line(self, patience: float) -> str:
        deadline = time.monotonic() + patience
        while b"\n" not in self._unread:
            ready, _, _ = select.select([self._process.stdout], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise RunnerFailed(f"no answer within {patience:.0f} s")
            chunk = os.read(self._process.stdout.fileno(), 1 << 16)
            if not chunk:
                raise RunnerFailed(f"its process ended with status {self._process.wait()}: {self._last_words()}")
            self._unread += chunk
        line, _, self._unread = self._unread.partition(b"\n")
        return line.decode()

    def _last_words(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "nothing on standard error")

    def close(self) -> None:
        """Let the process end, by force if it does not."""
        if self._process is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.write(Request("quit").line().encode())
            self._end(grace=5.0)

    def _end(self, grace: float) -> None:
        process, self._process = self._process, None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        try:
            process.wait(grace)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
        self._errors.close()
