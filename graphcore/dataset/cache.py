"""DatasetCache: MindSpore's handle of a cache server."""
from __future__ import annotations

from graphcore import log

__all__ = ["DatasetCache"]


class DatasetCache:
    """What `cache` arguments take: a server that keeps rows between epochs and scripts.

    There is no such server: sources in memory stay there, files are read again.  Results are the same, which the log
    says at debug level.  Raises TypeError for a session_id or size that is no int.
    """

    def __init__(self, session_id: int, size: int = 0, spilling: bool = False, hostname=None, port=None,
                 num_connections=None, prefetch_size=None):
        for name, value in (("session_id", session_id), ("size", size)):
            if not isinstance(value, int) or isinstance(value, bool):
                raise TypeError(f"{name} must be an int, got {type(value).__name__}")
        self.session_id, self.size, self.spilling = session_id, size, spilling
        log.debug("DatasetCache: graphcore has no cache server; rows are made anew each epoch")
