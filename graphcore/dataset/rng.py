"""Random numbers of dataset pipelines: repeatable after a seed was set, whatever the number of workers.

Every random decision draws from a generator made for it from (seed, node of the pipeline, epoch, row), never from one
shared stream, so neither threads nor the order of evaluation change a result.
"""
from __future__ import annotations

import threading

import numpy as np

_own_seed: int | None = None
_global_when_set: int | None = None
_local = threading.local()
_eager: tuple = (None, np.random.default_rng())


def set_base_seed(seed: int) -> None:
    """Set the seed from which all generators are made; transforms called outside a pipeline restart from it."""
    global _own_seed, _global_when_set, _eager
    _own_seed, _global_when_set = seed, _global_seed()
    _eager = (seed, np.random.default_rng(seed))


def _global_seed() -> int | None:
    from graphcore.random import get_seed
    return get_seed()


def base_seed() -> int | None:
    """The seed that was set last, here or by ``graphcore.set_seed``; None if none was."""
    everywhere = _global_seed()
    return everywhere if _own_seed is None or everywhere != _global_when_set else _own_seed


def fresh_seed() -> int:
    """The seed of a new iterator: the one that was set, else entropy of the system."""
    seed = base_seed()
    return seed if seed is not None else int(np.random.SeedSequence().generate_state(1, np.uint64)[0])


def node_generator(seed: int, node: int, epoch: int) -> np.random.Generator:
    """The generator of one node of a pipeline in one epoch."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, node, epoch])))


class RowGenerators:
    """The generators of the rows of one node in one epoch.

    Row i draws from a Philox stream of its own; making its generator costs a few microseconds, because each thread
    moves one generator from row to row.
    """

    def __init__(self, seed: int, node: int, epoch: int):
        self._key = ((seed & 0xFFFFFFFFFFFFFFFF) << 64) | ((node & 0xFFFFFFFF) << 32) | (epoch & 0xFFFFFFFF)
        self._threads = threading.local()

    def run(self, row: int, function, *arguments):
        """``function(*arguments)``, while `current()` is the generator of `row` (in this thread)."""
        before = getattr(_local, "generator", None)
        _local.generator = self._at(row)
        try:
            return function(*arguments)
        finally:
            _local.generator = before

    def _at(self, row: int) -> np.random.Generator:
        held = self._threads.__dict__
        if not held:
            held["generator"] = np.random.Generator(np.random.Philox(key=self._key))
            held["start"] = held["generator"].bit_generator.state
        start = held["start"]
        start["state"]["counter"][2] = row
        held["generator"].bit_generator.state = start
        return held["generator"]


def current() -> np.random.Generator:
    """The generator that a random transform draws from: the row's within a pipeline, else a global one."""
    global _eager
    generator = getattr(_local, "generator", None)
    if generator is not None:
        return generator
    seed = base_seed()
    if _eager[0] != seed:
        _eager = (seed, np.random.default_rng(seed))
    return _eager[1]
