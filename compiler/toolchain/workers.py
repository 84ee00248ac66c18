"""The worker processes of this process: started when first needed, reused, ended with it."""
from __future__ import annotations

import atexit
import base64
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

from graphcore.compiler.toolchain.cpu import CpuTarget, default_threads
from graphcore.errors import CompileError


class Worker:
    """One compiling process.  Used by one thread at a time."""

    def __init__(self):
        environment = dict(os.environ, PYTHONPATH=os.pathsep.join(path for path in sys.path if path))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "graphcore.compiler.toolchain.worker"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8", env=environment,
            cwd=Path(__file__).parent)

    def assemble(self, text: str, exported: tuple, cpu: CpuTarget) -> bytes:
        """What `assemble.assemble` gives; also raises ConnectionError if the process is gone."""
        job = {"text": text, "exported": exported, "cpu": cpu.to_json()}
        try:
            self.process.stdin.write(json.dumps(job) + "\n")
            self.process.stdin.flush()
            answer = json.loads(self.process.stdout.readline())
        except (OSError, ValueError):
            raise ConnectionError("the worker does not answer") from None
        if "error" in answer:
            raise CompileError(answer["error"])
        return base64.b64decode(answer["object"])

    def end(self) -> None:
        """Close the process's input, which ends it."""
        for stream in (self.process.stdin, self.process.stdout):
            try:
                stream.close()
            except OSError:
                pass
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def forget(self) -> None:
        """Let go of a parent's worker in a forked child."""
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.returncode = 0


_lock = threading.Lock()
_workers: list[Worker] = []


def borrow(count: int) -> list[Worker]:
    """Up to `count` workers for the caller alone; give them back with `give_back`.  May be fewer, or none."""
    borrowed: list[Worker] = []
    with _lock:
        while _workers and len(borrowed) < count:
            borrowed.append(_workers.pop())
    while len(borrowed) < count:
        try:
            borrowed.append(Worker())
        except OSError:
            break
    return borrowed


def prepare(count: int) -> None:
    """Start up to `count` workers now, so that they are ready when kernels are."""
    give_back(borrow(min(count, most_workers())))


def give_back(workers) -> None:
    """Keep workers for the next caller; lost ones are ended."""
    with _lock:
        for worker in workers:
            if worker.process.poll() is None and len(_workers) < most_workers():
                _workers.append(worker)
            else:
                worker.end()


def most_workers() -> int:
    """Workers that may run beside this process: GRAPHCORE_COMPILE_WORKERS, else one for each further core.

    None in a program frozen into one file, whose executable is no Python.
    """
    if getattr(sys, "frozen", False) or not sys.executable:
        return 0
    wanted = os.environ.get("GRAPHCORE_COMPILE_WORKERS", "")
    return int(wanted) if wanted.isdigit() else min(default_threads() - 1, 7)


@atexit.register
def end_workers() -> None:
    """End all idle workers."""
    with _lock:
        while _workers:
            _workers.pop().end()


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()
    while _workers:
        _workers.pop().forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
