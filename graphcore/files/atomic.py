"""Files that are either the old ones or complete new ones, whatever interrupts the writer."""
from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def _sync_directory(directory: str) -> None:
    """Make a rename in `directory` durable; systems that cannot open directories do that by themselves."""
    try:
        handle = os.open(directory, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)


@contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[Path]:
    """The path of a new, empty temporary file beside `path`; when the block ends well, it takes the place of `path`.

    The bytes are on the disk before the file gets its name.  If the block raises, `path` stays as it was and the
    temporary file is removed.  A symbolic link is followed.  Raises OSError as opening `path` for writing would.
    """
    target = os.path.realpath(os.fspath(path))
    directory, name = os.path.split(target)
    temporary = Path(directory, f".{name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    if not os.path.isdir(directory):
        raise FileNotFoundError(errno.ENOENT, f"there is no folder {directory!r} for this file; make it first "
                                "(os.makedirs)", os.fspath(path))
    with open(temporary, "xb") as created:
        mode = os.fstat(created.fileno()).st_mode
    try:
        yield temporary
        # Whoever wrote the file may have replaced it; it gets the permissions of a file opened in the usual way.
        os.chmod(temporary, mode & 0o777)
        with open(temporary, "rb+") as written:
            os.fsync(written.fileno())
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_directory(directory)


@contextmanager
def atomic_write(path: str | os.PathLike) -> Iterator[BinaryIO]:
    """Like `atomic_path`, with the temporary file open for writing bytes."""
    with atomic_path(path) as temporary:
        with open(temporary, "wb") as file:
            yield file
