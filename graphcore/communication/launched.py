"""How this process was started: by itself, or by a launcher as one of several."""
from __future__ import annotations

import os

#: Where MPI's launchers leave the number of processes that they start, of all and of those on this machine.
MPI_SIZES = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "PMIX_SIZE")
#: Where other launchers (msrun, MindSpore's own scripts) do.
OTHER_SIZES = ("MS_WORKER_NUM", "RANK_SIZE", "WORLD_SIZE")


def number_in(variables) -> tuple[str, int]:
    """(variable, number) of the first variable that holds a number above 1; ("", 1) if there is none."""
    for variable in variables:
        text = os.environ.get(variable, "").strip()
        if text.isdecimal() and int(text) > 1:
            return variable, int(text)
    return "", 1


def by_mpi() -> bool:
    """Whether an MPI launcher started this process as one of several."""
    return number_in(MPI_SIZES)[1] > 1
