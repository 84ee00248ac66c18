"""Collectives over MPI, by mpi4py (the extra ``distributed``).

All are started in MPI's non-blocking form, on memory in place.  MPI makes progress only inside its calls, so each start
also looks after those that are under way.  The order in which MPICH adds up depends on the number of ranks and of
elements alone: two runs of one program give the same bits.
"""
from __future__ import annotations

import sys
import time

import numpy as np

from graphcore.communication.launched import MPI_SIZES, number_in
from graphcore.ops.transport import WORLD, Collective, CommunicationError


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

    seconds_waiting: how long this process has stood still in `finish`; exchanges, bytes: what it has exchanged.
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
        self.seconds_waiting, self.exchanges, self.bytes = 0.0, 0, 0

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
        self._communicator(group).Barrier()

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
        self.progress()
        communicator = self._communicator(collective.group)
        request = _STARTS[collective.what](self, communicator, collective, source, target)
        self.exchanges += 1
        self.bytes += target.nbytes
        started = _Exchange(self, request, (source, target))
        self._pending.append(started)
        return started

    def progress(self) -> None:
        """Let MPI see to what is under way."""
        if self._pending:
            self._pending[0].request.Test()

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

    def Test(self) -> None:
        self._ask(self.mpi.Request.Testall)

    def Wait(self) -> None:
        """Raises CommunicationError where a message is of another size than the one that is waited for."""
        self._ask(self.mpi.Request.Waitall)
        for (rank, piece), status in zip(self.arriving, self.statuses):
            count, longer = status.Get_count(self.mpi.BYTE), status.Get_error() != self.mpi.SUCCESS
            if longer or count != piece.nbytes:
                raise CommunicationError(f"rank {rank} of the group sent {'more' if longer else count} bytes (tag "
                                         f"{self.tag}), but {piece.nbytes} are waited for; both must give tensors of "
                                         "the same shape and dtype")

    def _ask(self, call) -> None:
        """Test or wait for all; MPI forgets those that are done, so once all are it is not asked again."""
        if not self.done:
            try:
                self.done = call(self.requests, self.statuses)
            except self.mpi.Exception:          # of which the statuses tell more
                self.done = True


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

    def __init__(self, transport: MpiTransport, request, arrays: tuple):
        self.transport, self.request, self.arrays = transport, request, arrays

    def finish(self) -> None:
        """Wait for the result."""
        begun = time.perf_counter()
        try:
            self.request.Wait()
        finally:
            self.transport.seconds_waiting += time.perf_counter() - begun
            self.transport._pending.remove(self)


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
