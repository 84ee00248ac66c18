"""Kernels → objects: out of the cache, or compiled by this process and its workers together."""
from __future__ import annotations

import collections
import contextlib
import gc
import logging
import queue
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from graphcore.compiler import cache
from graphcore.compiler.launch import KernelSource
from graphcore.compiler.toolchain.cpu import CpuTarget, host
from graphcore.compiler.toolchain.naming import symbol
from graphcore.errors import CompileError

log = logging.getLogger("graphcore.cache")

#: Below this many kernels a worker would not be ready before the work is done.
FEWEST_FOR_WORKERS = 4


@dataclass(frozen=True)
class Module:
    """LLVM IR to assemble: the cache key of its object, the text, the names of the functions that stay visible."""

    key: str
    text: str
    exported: tuple


def objects(sources: Iterable[KernelSource], cpu: CpuTarget | None = None, also: Iterable[Module] = ()
            ) -> dict[str, bytes]:
    """The objects of kernels, by symbol.  Raises CompileError for a text that is no kernel; the others are kept.

    If there is something to compile, the modules `also` are assembled on the same occasion and put into the cache.
    """
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
    if missing:
        found.update(_compile_all(missing, cpu, also))
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


def _compile_all(sources: list, cpu: CpuTarget, also: Iterable[Module]) -> dict[str, bytes]:
    from graphcore.compiler.toolchain import workers
    jobs = _Jobs(sources, cpu, also)
    helpers = []
    if len(sources) >= FEWEST_FOR_WORKERS:
        helpers = workers.borrow(min(workers.most_workers(), len(sources) // 2))
    threads = [threading.Thread(target=jobs.run_on, args=(helper,), daemon=True) for helper in helpers]
    keeper = threading.Thread(target=jobs.keep_all)
    keeper.start()
    try:
        try:
            for thread in threads:
                thread.start()
            jobs.lower_all()
            jobs.run_here()
        finally:
            jobs.close()
            for thread in threads:
                thread.join()
            workers.give_back(helpers)
        jobs.run_here()         # what a lost worker left behind
    finally:
        jobs.made.put(None)
        keeper.join()
    jobs.raise_error()
    return jobs.results


@contextlib.contextmanager
def only_new_garbage():
    """Have the garbage collector leave alone what exists: building LLVM IR makes it run often, over all there is."""
    frozen_by_others = gc.get_freeze_count() > 0
    if not frozen_by_others:
        gc.freeze()
    try:
        yield
    finally:
        if not frozen_by_others:
            gc.unfreeze()


class _Jobs:
    """Kernels on their way to objects.

    The thread that owns them lowers texts to LLVM IR, longest first, so that no big kernel is left for the end; what
    is lowered is assembled by whoever is free: workers, and the owner when it has no text left.  A further thread
    puts objects into the cache, which waits for the disk.
    """

    def __init__(self, sources: list, cpu: CpuTarget, also: Iterable[Module]):
        self.cpu = cpu
        self.sources = sorted(sources, key=lambda source: -len(source.source))
        self.results: dict[str, bytes] = {}
        self.errors: list[CompileError] = []
        self.made: queue.SimpleQueue = queue.SimpleQueue()      # (key, object), and None at the end
        self._waiting: collections.deque = collections.deque((module, None) for module in also)
        self._closed = False
        self._change = threading.Condition()

    def lower_all(self) -> None:
        """Lower every kernel, and let nobody wait for more."""
        from graphcore.compiler.toolchain import walk  # noqa: F401 - imports Numba, whose objects are many
        from graphcore.compiler.toolchain.build import kernel_ir
        with only_new_garbage():
            for source in self.sources:
                try:
                    text = kernel_ir(source, self.cpu)
                except CompileError as error:
                    self.errors.append(error)
                    continue
                self._add((Module(cache.object_key(source, self.cpu), text, (symbol(source),)), source))
        self.close()

    def close(self) -> None:
        """Nothing more will be lowered."""
        with self._change:
            self._closed = True
            self._change.notify_all()

    def run_here(self) -> None:
        """Assemble until nothing is left."""
        from graphcore.compiler.toolchain.assemble import assemble
        self._run(assemble)

    def run_on(self, worker) -> None:
        """Have `worker` assemble until nothing is left; a job that it is lost with waits again."""
        try:
            self._run(worker.assemble)
        except ConnectionError:
            log.warning("a compile worker ended before its work was done")

    def keep_all(self) -> None:
        """Put objects into the cache, until there is None in their place."""
        while (made := self.made.get()) is not None:
            cache.store_object(*made)

    def raise_error(self) -> None:
        if self.errors:
            raise self.errors[0]

    def _run(self, assemble) -> None:
        from graphcore.compiler.toolchain.build import checked
        while (job := self._next()) is not None:
            module, source = job
            try:
                image = assemble(module.text, module.exported, self.cpu)
                if source is not None:
                    self.results[symbol(source)] = checked(source, image)
                self.made.put((module.key, image))
            except CompileError as error:
                self.errors.append(error)
            except ConnectionError:
                self._add(job)
                raise

    def _add(self, job: tuple) -> None:
        with self._change:
            self._waiting.append(job)
            self._change.notify()

    def _next(self) -> tuple | None:
        """A module and its kernel (None: another module), as soon as there is one; None if there will be none."""
        with self._change:
            while not self._waiting and not self._closed:
                self._change.wait()
            return self._waiting.popleft() if self._waiting else None
