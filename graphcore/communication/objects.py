"""Python objects of all processes: they travel as bytes, made and read by pickle, between processes of one job."""
from __future__ import annotations

import pickle

import numpy as np

from graphcore.ops.transport import Collective, exchange, group_size


def objects_of_all(own, group: str) -> list:
    """The objects that the processes of a group give, in their order; all of them call this.

    group: its key, see `management.group_key`.
    """
    size = group_size(group)
    if size == 1:
        return [own]
    data = np.frombuffer(pickle.dumps(own), np.uint8)
    sizes = exchange(Collective("all_gather", group), np.array([data.size], np.int64), np.empty(size, np.int64))
    padded = np.zeros(int(sizes.max()), np.uint8)
    padded[:data.size] = data
    rows = exchange(Collective("all_gather", group), padded, np.empty((size, padded.size), np.uint8))
    return [pickle.loads(row[:count].tobytes()) for row, count in zip(rows, sizes)]
