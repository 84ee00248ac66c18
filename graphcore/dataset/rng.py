"""Random numbers of dataset pipelines: repeatable after a seed was set, whatever the number of workers.

The order of rows is MindSpore's under the same seed (see `mersenne`).  Every other random decision draws from a
generator made for it from (seed, node of the pipeline, epoch, row), never from one shared stream, so neither threads
nor the order of evaluation change a result.
"""
from __future__ import annotations

import threading
from dataclasses import dataclass, field

import numpy as np

from graphcore.dataset import mersenne

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


@dataclass(frozen=True)
class Draws:
    """What one node of a pipeline decides by in one epoch: a generator, and orders as MindSpore draws them.

    kept: what the node keeps from epoch to epoch of the same iterator.
    """

    seed: int
    node: int = 0
    epoch: int = 0
    kept: dict = field(default_factory=dict)

    @property
    def generator(self) -> np.random.Generator:
        """A generator at its start."""
        return node_generator(self.seed, self.node, self.epoch)

    @property
    def own_seed(self) -> int:
        """The seed that was set, as in MindSpore for all nodes; if none was, one for this node."""
        return self.seed if self.seed < 2**32 else self.seed + self.node * 0x9E3779B1

    def order(self, rows: int, who: object = None, one_seed: bool = False, later: int = 0) -> np.ndarray:
        """The numbers below `rows` in another random order each epoch; each order is made from the one before.

        who: whose order it is, where a node has several.  one_seed: the seed is that of the first epoch in all.
        later: added to the seed.
        """
        at, order = self.kept.get((who, rows), (-1, list(range(rows))))
        if at > self.epoch:
            at, order = -1, list(range(rows))
        for epoch in range(at + 1, self.epoch + 1):
            order = mersenne.shuffled(order, self.own_seed + later + (0 if one_seed else epoch))
        self.kept[who, rows] = self.epoch, order
        return np.array(order, np.int64)

    def words(self, rows: int) -> mersenne.Twister64:
        """An endless stream of words of 64 bits, which goes on where the epoch before ended; an epoch takes `rows`."""
        at, stream = self.kept.get("words", (-1, None))
        if stream is None or at >= self.epoch:
            at, stream = -1, mersenne.Twister64(self.own_seed)
        for _ in range((self.epoch - at - 1) * rows):
            next(stream)
        self.kept["words"] = self.epoch, stream
        return stream


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
