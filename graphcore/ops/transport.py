"""What carries data between processes: installed by `communication.init`, asked by operators and running programs.

Operators and the compiler know this interface alone; `graphcore.communication.mpi` implements it.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from graphcore.errors import GraphcoreError

WORLD = "world"         # the group of all processes, by whichever of MindSpore's names a script calls it


class CommunicationError(GraphcoreError, RuntimeError):
    """A collective that no group of processes can carry out."""


@dataclass(frozen=True)
class Collective:
    """One exchange among the processes of `group`, which all of them make in the same order.

    what: "all_reduce", "all_gather", "reduce_scatter", "broadcast", "all_to_all" or "neighbor_exchange" (see
    `ops.collectives`); reduce: "sum", "max", "min" or "prod" where it combines, else ""; root: the rank whose data
    `broadcast` gives.  sends, receives: of a "neighbor_exchange", which need not be made by all processes, rank,
    elements, rank, elements ... of the vectors that go out and come in; tag: what they must have in common.
    """

    what: str
    group: str
    reduce: str = ""
    root: int = 0
    sends: tuple = ()
    receives: tuple = ()
    tag: int = 0


class Transport(Protocol):
    """The processes that a script was started with."""

    def rank(self, group: str) -> int:
        """This process's number in a group."""

    def size(self, group: str) -> int:
        """The number of processes in a group."""

    def agree(self, group: str, plan: str) -> None:
        """Raise CommunicationError unless all processes of a group are about to make the exchanges that `plan` tells.

        It is asked before a program runs for the first time; what was agreed once is not asked again.
        """

    def begin(self, collective: Collective, source: np.ndarray, target: np.ndarray):
        """Start an exchange; gives a handle with ``finish()``, which returns once `target` holds the result.

        Both arrays are contiguous and stay where they are until then; for "all_reduce" they may be one array, for
        "all_gather" `source` may lie at its place in `target`, and only there and in "broadcast" it may change in
        between.
        """


_transport: Transport | None = None


def install(transport: Transport | None) -> None:
    """From now on this carries data; None: nothing does, as at the start."""
    global _transport
    _transport = transport


def transport() -> Transport:
    """What carries data.  Raises CommunicationError before `communication.init`."""
    if _transport is None:
        raise CommunicationError("this program exchanges data with other processes; call communication.init() first, "
                                 "in a script started with `graphcore launch -n N script.py`")
    return _transport


def group_size(group: str = WORLD) -> int:
    """The number of processes in a group: 1 before `communication.init`."""
    return 1 if _transport is None else _transport.size(group)


def group_rank(group: str = WORLD) -> int:
    """This process's number in a group: 0 before `communication.init`."""
    return 0 if _transport is None else _transport.rank(group)


def exchange(collective: Collective, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Carry out a collective at once; gives `target`."""
    transport().begin(collective, np.ascontiguousarray(source), target).finish()
    return target
