"""Kernels → objects: out of the cache, or compiled by this process and its workers together."""
from __future__ import annotations

import collections
import logging
import threading
from collections.abc import Iterable, Mapping

from graphcore.compiler import cache
from graphcore.compiler.launch import KernelSource
from graphcore.compiler.toolchain.cpu import CpuTarget, host
from graphcore.compiler.toolchain.naming import symbol
from graphcore.errors import CompileError

log = logging.getLogger("graphcore.cache")

#: Below this many kernels a worker would not be ready before the work is done.
FEWEST_FOR_WORKERS = 4


def objects(sources: Iterable[KernelSource], cpu: CpuTarget | None = None) -> dict[str, bytes]:
    """The objects of kernels, by symbol.  Raises CompileError for a text that is no kernel; the others are kept."""
    cpu = cpu or host()
    wanted = {symbol(source): source for source in sources}
    found, missing = {}, []
    for name, source in wanted.items():
        image = cache.load_object(cache.object_key(source, cpu))
        if image is None:
            missing.append(source)
        else:
            found[name] = image
    log.info("%d of %d kernels found in the cache", len(found), len(wanted))
    found.update(_compile_all(missing, cpu))
    return {name: found[name] for name in wanted}


def object_keys(sources: Iterable[KernelSource], cpu: CpuTarget | None = None) -> dict[str, str]:
    """Cache keys of kernels, by symbol: what a stored program keeps to find its kernels without their texts."""
    cpu = cpu or host()
    return {symbol(source): cache.object_key(source, cpu) for source in sources}


def cached_objects(keys: Mapping[str, str]) -> dict[str, bytes] | None:
    """The objects with these cache keys, by symbol; None if the cache lacks any of them."""
    found = {}
    for name, key in keys.items():
        image = cache.load_object(key)
        if image is None:
            return None
        found[name] = image
    return found


def _compile_all(sources: list, cpu: CpuTarget) -> dict[str, bytes]:
    if not sources:
        return {}
    from graphcore.compiler.toolchain import workers
    jobs = _Jobs(sources, cpu)
    helpers = []
    if len(sources) >= FEWEST_FOR_WORKERS:
        helpers = workers.borrow(min(workers.most_workers(), len(sources) // 2))
    threads = [threading.Thread(target=jobs.run_on, args=(helper,), daemon=True) for helper in helpers]
    try:
        for thread in threads:
            thread.start()
        jobs.run_here()
    finally:
        jobs.stop()
        for thread in threads:
            thread.join()
        workers.give_back(helpers)
    jobs.run_here()             # what a lost worker left behind
    jobs.raise_error()
    return jobs.results


class _Jobs:
    """Kernels still to compile, shared by the threads that feed workers and the one that compiles here.

    Longest text first, so that no big kernel is left for the end.
    """

    def __init__(self, sources: list, cpu: CpuTarget):
        self.cpu = cpu
        self.waiting = collections.deque(sorted(sources, key=lambda source: -len(source.source)))
        self.results: dict[str, bytes] = {}
        self.errors: list[CompileError] = []

    def run_here(self) -> None:
        """Compile until nothing waits."""
        from graphcore.compiler.toolchain.build import build_object
        self._run(build_object)

    def run_on(self, worker) -> None:
        """Have `worker` compile until nothing waits; a job that it is lost with waits again."""
        try:
            self._run(worker.build)
        except ConnectionError:
            log.warning("a compile worker ended before its work was done")

    def stop(self) -> None:
        """Let nobody begin another job after an error."""
        if self.errors:
            self.waiting.clear()

    def raise_error(self) -> None:
        if self.errors:
            raise self.errors[0]

    def _run(self, build) -> None:
        while True:
            try:
                source = self.waiting.popleft()
            except IndexError:
                return
            try:
                image = build(source, self.cpu)
            except CompileError as error:
                self.errors.append(error)
                continue
            except ConnectionError:
                self.waiting.append(source)
                raise
            cache.store_object(cache.object_key(source, self.cpu), image)
            self.results[symbol(source)] = image
