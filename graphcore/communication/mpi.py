"""Collectives over MPI, by mpi4py (the extra ``distributed``).

All are started in MPI's non-blocking form, on memory in place.  MPI makes progress only inside its calls, so each start
also looks after those that are under way.  The order in which MPICH adds up depends on the number of ranks and of
elements alone: two runs of one program give the same bits.
"""
from __future__ import annotations

import atexit
import os
import sys
import time

import numpy as np

from graphcore.communication.launched import MPI_SIZES, number_in
from graphcore.ops.transport import WORLD, Collective, CommunicationError

#: Seconds of waiting after which the processor is offered to others, and from which on it is asked, every so often,
#: whether a process that is waited for has ended; and how long what it sent last may still be under way.
SPINNING, ASKING, ON_ITS_WAY = 1e-3, 1.0, 5.0


def load_mpi():
    """mpi4py's MPI, started.  Raises CommunicationError naming the extra if it is not installed."""
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        variable, size = number_in(MPI_SIZES)
        raise CommunicationError(f"{variable}={size}: this script was started as one of {size} processes, which needs "
                                 f"mpi4py with an MPI library ({error}); pip install 'graphcore[distributed]'"
                                 ) from None
    return MPI


class MpiTransport:
    """The processes that mpiexec started; see `ops.transport.Transport`.

    seconds_starting: how long this process has been in `begin`, where MPI also carries on what was started before;
    seconds_waiting: in `finish`; exchanges, bytes: what it has exchanged.
    """

    def __init__(self):
        self.mpi = MPI = load_mpi()
        world = MPI.COMM_WORLD.Dup()
        node = world.Split_type(MPI.COMM_TYPE_SHARED)
        self.nodes = world.allgather(node.bcast(world.rank))    # the first rank on each rank's machine
        self._groups = {WORLD: (world, list(range(world.size)))}
        self._operations = {"sum": MPI.SUM, "max": MPI.MAX, "min": MPI.MIN, "prod": MPI.PROD}
        self._pending: list = []
        self._agreed: set = set()
        self._farewells = world.Dup()
        self._left: dict = {}                                   # rank among all → when it was found to have ended
        atexit.register(self._take_leave)
        self.seconds_starting, self.seconds_waiting, self.exchanges, self.bytes = 0.0, 0.0, 0, 0

    # -- groups ------------------------------------------------------------------------------------------------
    def rank(self, group: str) -> int:
        """This process's number in a group.  Raises CommunicationError if it is not in it."""
        return self._communicator(group).rank

    def size(self, group: str) -> int:
        """The number of processes in a group."""
        return len(self.ranks(group))

    def ranks(self, group: str) -> list:
        """The ranks in a group, in order.  Raises CommunicationError for a group that was not made."""
        self._communicator(group)
        return list(self._groups[group][1])

    def create(self, group: str, ranks: list) -> None:
        """Make a group; all its members call this.  A process outside remembers the ranks alone."""
        world = self._groups[WORLD][0]
        members = world.Get_group().Incl(ranks)
        self._groups[group] = (world.Create_group(members) if world.rank in ranks else None, list(ranks))

    def destroy(self, group: str) -> None:
        """Forget a group; all its members call this."""
        communicator, _ = self._groups.pop(group)
        if communicator is not None:
            communicator.Free()

    def barrier(self, group: str = WORLD) -> None:
        """Wait until all processes of a group have come here."""
        self.wait(self._communicator(group).Ibarrier(), group, "a barrier")

    def _communicator(self, group: str):
        found = self._groups.get(group)
        if found is None:
            raise CommunicationError(f"there is no group {group!r}; make it with create_group")
        if found[0] is None:
            raise CommunicationError(f"rank {self._groups[WORLD][0].rank} is not in the group {group!r}, which has the "
                                     f"ranks {found[1]}")
        return found[0]

    def agree(self, group: str, plan: str) -> None:
        """Raise CommunicationError where processes plan different exchanges; see `Transport.agree`."""
        if (group, plan) in self._agreed:
            return
        self.wait(self._communicator(group).Ibarrier(), group, "a program's first run")
        found = self._communicator(group).allgather(plan)
        if any(other != plan for other in found):
            own = plan.splitlines()
            rank, other = next((r, p.splitlines()) for r, p in enumerate(found) if p != plan)
            k = next((k for k, (a, b) in enumerate(zip(own, other)) if a != b), min(len(own), len(other)))
            here, there = (lines[k] if k < len(lines) else "nothing more" for lines in (own, other))
            raise CommunicationError(f"the ranks would exchange different things: number {k + 1} is {here} on rank "
                                     f"{self.rank(group)}, but {there} on rank {rank}; all must run the same net, with "
                                     "the same Parameters to train")
        self._agreed.add((group, plan))

    # -- exchanges ---------------------------------------------------------------------------------------------
    def begin(self, collective: Collective, source: np.ndarray, target: np.ndarray) -> _Exchange:
        """Start a collective; see `Transport.begin`."""
        begun = time.perf_counter()
        self.progress()
        communicator = self._communicator(collective.group)
        request = _STARTS[collective.what](self, communicator, collective, source, target)
        self.exchanges += 1
        self.bytes += target.nbytes
        started = _Exchange(self, request, collective, (source, target))
        self._pending.append(started)
        self.seconds_starting += time.perf_counter() - begun
        return started

    def progress(self) -> None:
        """Let MPI see to what is under way."""
        if self._pending:
            self._pending[0].request.Test()

    # -- waiting -----------------------------------------------------------------------------------------------
    def wait(self, request, group: str, what: str) -> None:
        """Return once a request is done.  Raises CommunicationError if a process of the group has ended instead."""
        begun = time.perf_counter()
        asked = begun
        while not request.Test():
            now = time.perf_counter()
            if now - begun > SPINNING:
                os.sched_yield()
            if now - asked > ASKING:
                asked = now
                self._expect_present(group, what, now)

    def _expect_present(self, group: str, what: str, now: float) -> None:
        status = self.mpi.Status()
        while self._farewells.Iprobe(self.mpi.ANY_SOURCE, 0, status):
            self._farewells.Recv(np.empty(0, np.uint8), status.source)
            self._left[status.source] = now
        for rank in self._groups[group][1]:
            if now - self._left.get(rank, now) > ON_ITS_WAY:
                raise CommunicationError(f"rank {rank} has come to the end of its script, but rank "
                                         f"{self._groups[WORLD][0].rank} waits for it in {what}; all ranks must make "
                                         "the same steps: give them equally many batches, and stop on all or on none")

    def _take_leave(self) -> None:
        """Tell the others that this process ends, should one of them wait for it."""
        for rank in range(self._farewells.size):
            if rank != self._farewells.rank:
                self._farewells.Isend(np.empty(0, np.uint8), rank, 0)

    # -- how each is started -----------------------------------------------------------------------------------
    def _all_reduce(self, communicator, collective, source, target):
        if source.ctypes.data != target.ctypes.data:
            np.copyto(target, source)
        return communicator.Iallreduce(self.mpi.IN_PLACE, target, self._operations[collective.reduce])

    def _reduce_scatter(self, communicator, collective, source, target):
        return communicator.Ireduce_scatter_block(source, target, self._operations[collective.reduce])

    def _all_gather(self, communicator, collective, source, target):
        own = _bytes(target).reshape(communicator.size, -1)[communicator.rank]
        if source.ctypes.data != own.ctypes.data:
            np.copyto(own, _bytes(source))
        return communicator.Iallgather(self.mpi.IN_PLACE, _bytes(target))

    def _broadcast(self, communicator, collective, source, target):
        if communicator.rank == collective.root and source.ctypes.data != target.ctypes.data:
            np.copyto(target, source)
        return communicator.Ibcast(_bytes(target), collective.root)

    def _all_to_all(self, communicator, collective, source, target):
        return communicator.Ialltoall(_bytes(source), _bytes(target))

    def _neighbor_exchange(self, communicator, collective, source, target):
        return _Messages(self.mpi, communicator, collective, source, target)


_STARTS = {"all_reduce": MpiTransport._all_reduce, "reduce_scatter": MpiTransport._reduce_scatter,
           "all_gather": MpiTransport._all_gather, "broadcast": MpiTransport._broadcast,
           "all_to_all": MpiTransport._all_to_all, "neighbor_exchange": MpiTransport._neighbor_exchange}


class _Messages:
    """The messages of a neighbor exchange, as one request."""

    def __init__(self, mpi, communicator, collective: Collective, source: np.ndarray, target: np.ndarray):
        self.mpi, self.tag = mpi, collective.tag
        self.arriving = _pieces(target, collective.receives)
        begun = [communicator.Irecv(piece, rank, self.tag) for rank, piece in self.arriving]
        self.requests = begun + [communicator.Isend(piece, rank, self.tag)
                                 for rank, piece in _pieces(source, collective.sends)]
        self.statuses = [mpi.Status() for _ in self.requests]
        self.done = False

    def Test(self) -> bool:
        """Whether all are done; MPI forgets those, so it is not asked again."""
        if not self.done:
            try:
                self.done = self.mpi.Request.Testall(self.requests, self.statuses)
            except self.mpi.Exception:          # of which the statuses tell more
                self.done = True
        return self.done

    def check(self) -> None:
        """Raise CommunicationError where a message was of another size than the one that was waited for."""
        for (rank, piece), status in zip(self.arriving, self.statuses):
            count, longer = status.Get_count(self.mpi.BYTE), status.Get_error() != self.mpi.SUCCESS
            if longer or count != piece.nbytes:
                raise CommunicationError(f"rank {rank} of the group sent {'more' if longer else count} bytes (tag "
                                         f"{self.tag}), but {piece.nbytes} are waited for; both must give tensors of "
                                         "the same shape and dtype")


def _pieces(array: np.ndarray, routes: tuple) -> list:
    """(rank, bytes) of the vectors that lie end to end in an array; routes: rank, elements, rank, elements ..."""
    memory, found, start = _bytes(array), [], 0
    for rank, elements in zip(routes[::2], routes[1::2]):
        end = start + elements * array.itemsize
        found.append((rank, memory[start:end]))
        start = end
    return found


class _Exchange:
    """A collective under way, and the arrays that it works on."""

    def __init__(self, transport: MpiTransport, request, collective: Collective, arrays: tuple):
        self.transport, self.request, self.collective, self.arrays = transport, request, collective, arrays

    def finish(self) -> None:
        """Wait for the result."""
        begun = time.perf_counter()
        what = self.collective
        try:
            self.transport.wait(self.request, what.group, f"{what.what} of {self.arrays[1].size} elements")
        finally:
            self.transport.seconds_waiting += time.perf_counter() - begun
            self.transport._pending.remove(self)
        if isinstance(self.request, _Messages):
            self.request.check()


def _bytes(array: np.ndarray) -> np.ndarray:
    """The memory of a contiguous array as bytes: what is only moved needs no type that MPI knows."""
    return array.reshape(-1).view(np.uint8)


def end_all_on_errors(transport: MpiTransport) -> None:
    """From now on an uncaught exception in this process is printed and ends all processes.

    Otherwise the others would wait for it in their next collective.
    """
    show, world = sys.excepthook, transport.mpi.COMM_WORLD

    def hook(kind, error, trace):
        show(kind, error, trace)
        print(f"rank {world.rank} of {world.size} failed with {kind.__name__}; all ranks are ended", file=sys.stderr,
              flush=True)
        sys.stdout.flush()
        world.Abort(130 if issubclass(kind, KeyboardInterrupt) else 1)

    sys.excepthook = hook
