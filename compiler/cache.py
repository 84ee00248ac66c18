"""The store of compiled objects and program descriptions on disk.

Entries are found by the hash of everything that decides their content, so there is no index and nothing is ever
updated.  Each carries a checksum; a damaged one counts as missing.  Files appear by an atomic rename, so processes may
race.  Where the folder cannot be written, everything works and nothing is kept.  Nothing in an entry is executed by
reading it: objects are bytes, descriptions are JSON.

GRAPHCORE_CACHE_DIR names the folder (default ``~/.cache/graphcore``), GRAPHCORE_CACHE_SIZE its size in MiB (1024).
"""
from __future__ import annotations

import functools
import hashlib
import json
import logging
import os
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from graphcore.compiler.codegen import language
from graphcore.compiler.launch import KernelSource
from graphcore.compiler.toolchain.cpu import CpuTarget

log = logging.getLogger("graphcore.cache")

_MAGIC = b"graphcore-cache-1 "
_DAY = 86400.0
_STORES_BETWEEN_PRUNES = 512


@functools.cache
def versions() -> str:
    """Versions of all that decides what a kernel's text compiles to; part of every key.  Imports none of it.

    Of this package's own part it is the text that counts.
    """
    found = [f"python-{sys.version_info.major}.{sys.version_info.minor}"]
    for package in ("numba", "llvmlite"):
        spec = find_spec(package)
        folder = Path(spec.origin).parent if spec and spec.origin else Path()
        found.append(f"{package}-{text_digest([folder / '_version.py', folder / '__init__.py'])}")
    toolchain = text_digest((Path(__file__).parent / "toolchain").glob("*.py"))
    return " ".join((*found, f"toolchain-{toolchain}", f"language-{language.digest()}"))


def text_digest(paths: Iterable[Path]) -> str:
    """A hash of the files' names and contents; missing ones count as empty."""
    texts = hashlib.sha256()
    for path in sorted(paths):
        content = path.read_bytes() if path.exists() else b""
        texts.update(f"{path.name} {len(content)} ".encode() + content)
    return texts.hexdigest()[:24]


def digest(*parts: str) -> str:
    """A key made of texts; the boundaries between them count."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def object_key(source: KernelSource, cpu: CpuTarget) -> str:
    """The key of a kernel's object for `cpu`."""
    return digest("object", source.name, source.source, cpu.identity, versions())


def load_object(key: str) -> bytes | None:
    """The object stored under `key`, or None."""
    return _load("objects", f"{key}.o")


def store_object(key: str, image: bytes) -> None:
    """Keep an object; failing to is no error."""
    _store("objects", f"{key}.o", image)


def load_json(kind: str, key: str):
    """The data stored under `kind` and `key`, or None."""
    payload = _load(kind, f"{key}.json")
    return None if payload is None else json.loads(payload)


def store_json(kind: str, key: str, data) -> None:
    """Keep JSON-able data; failing to is no error.  Raises TypeError for other data."""
    _store(kind, f"{key}.json", json.dumps(data, separators=(",", ":")).encode())


@dataclass(frozen=True)
class Entry:
    """A file of the store; used: when it was last, in seconds since 1970, to the day."""

    kind: str
    path: Path
    bytes: int
    used: float


def entries() -> list[Entry]:
    """All entries, by kind and name."""
    found = []
    for path in sorted(directory().glob("*/*")):
        try:
            status = path.stat()
        except OSError:
            continue
        if path.is_file() and not path.name.startswith("."):
            found.append(Entry(path.parent.name, path, status.st_size, status.st_mtime))
    return found


def is_sound(entry: Entry) -> bool:
    """Whether an entry is what was written."""
    try:
        return _payload(entry.path.read_bytes()) is not None
    except OSError:
        return False


def delete(entry: Entry) -> bool:
    """Delete an entry; whether it is gone."""
    _forget(str(entry.path))
    return not entry.path.exists()


def directory() -> Path:
    """The folder of the store; it need not exist."""
    return Path(os.environ.get("GRAPHCORE_CACHE_DIR") or Path.home() / ".cache" / "graphcore")


def prune(limit: int | None = None) -> None:
    """Delete the entries longest unused until the store is below `limit` bytes (default: GRAPHCORE_CACHE_SIZE).

    Some room is made beyond that, so that pruning is rare.
    """
    limit = _size_limit() if limit is None else limit
    files = []
    for path in directory().glob("*/*"):
        try:
            status = path.stat()
        except OSError:
            continue
        files.append((status.st_mtime, status.st_size, path))
    total = sum(size for _, size, _ in files)
    if total <= limit:
        return
    for _, size, path in sorted(files):
        if total <= limit * 0.8:
            break
        try:
            path.unlink()
        except OSError:
            continue
        total -= size
    log.info("pruned %s to %d bytes", directory(), total)


def _size_limit() -> int:
    text = os.environ.get("GRAPHCORE_CACHE_SIZE", "")
    return (int(text) if text.isdigit() else 1024) << 20


def _load(kind: str, name: str) -> bytes | None:
    path = directory() / kind / name
    try:
        if not _is_private(path.parent.parent):
            return None
        content = path.read_bytes()
        if path.stat().st_mtime < time.time() - _DAY:
            os.utime(path)          # the age that `prune` goes by is the time of last use, to the day
    except OSError:
        return None
    payload = _payload(content)
    if payload is None:
        log.warning("%s is damaged and will be made anew", path)
    return payload


def _payload(content: bytes) -> bytes | None:
    """What a file holds behind its header; None if it is damaged."""
    header, _, payload = content.partition(b"\n")
    return payload if header == _MAGIC + hashlib.sha256(payload).hexdigest().encode() else None


def _store(kind: str, name: str, payload: bytes) -> None:
    import tempfile  # needed by processes that compile, and slow to import
    folder = directory() / kind
    temporary = None
    try:
        folder.parent.parent.mkdir(parents=True, exist_ok=True)
        for level in (folder.parent, folder):       # `parents` would not give the mode to all of them
            level.mkdir(mode=0o700, exist_ok=True)
        if not _is_private(folder.parent):
            return
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=".writing-")
        with os.fdopen(handle, "wb") as file:
            file.write(_MAGIC + hashlib.sha256(payload).hexdigest().encode() + b"\n" + payload)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, folder / name)
        temporary = None
        if int.from_bytes(os.urandom(4), "big") % _STORES_BETWEEN_PRUNES == 0:      # by chance: processes are short
            prune()
    except OSError as error:
        log.info("cannot keep %s: %s", folder / name, error)
    finally:
        if temporary is not None:
            _forget(temporary)


def _forget(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass


def _is_private(folder: Path) -> bool:
    """Whether nobody but this user and the system's owner can put files there: objects are run as code."""
    if not hasattr(os, "getuid"):
        return True
    status = folder.stat()
    if status.st_uid in (0, os.getuid()) and not status.st_mode & 0o022:
        return True
    log.warning("%s can be written by others and is not used as a cache; give it to this user with mode 700", folder)
    return False
