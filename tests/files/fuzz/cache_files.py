"""Entries of the cache of compiled programs and objects: what was changed in any way must count as missing."""
from __future__ import annotations

import os
from pathlib import Path
from random import Random

from graphcore.compiler import cache
from tests.files.fuzz import Finding, mutations

NAME = "entry.json"
_KIND = "programs"


def seeds() -> list[dict]:
    """Two descriptions as the cache stores them."""
    from tempfile import TemporaryDirectory
    found = []
    for data in ({"program": {"rows": [[1, 2, [3]]], "symbols": ["a"]}}, {"constants": [0.5] * 30, "params": ["w"]}):
        with TemporaryDirectory() as folder, _cache_in(folder):
            cache.store_json(_KIND, "entry", data)
            found.append({NAME: Path(folder, _KIND, NAME).read_bytes()})
    return found


class _cache_in:
    """Within it, the cache is the given folder."""

    def __init__(self, folder):
        self._folder = str(folder)

    def __enter__(self):
        self._before = os.environ.get("GRAPHCORE_CACHE_DIR")
        os.environ["GRAPHCORE_CACHE_DIR"] = self._folder

    def __exit__(self, *_):
        if self._before is None:
            del os.environ["GRAPHCORE_CACHE_DIR"]
        else:
            os.environ["GRAPHCORE_CACHE_DIR"] = self._before


def mutant(random: Random, seeds: list) -> dict:
    files = [seed[NAME] for seed in seeds]
    return {NAME: mutations.blind(random, random.choice(files), files)}


_originals: list = []


def load(path: Path):
    """What the cache gives for the entry: nothing, or what was stored in it once."""
    from graphcore.errors import FormatError
    if not _originals:
        _originals.extend(cache.json.loads(seed[NAME].partition(b"\n")[2]) for seed in seeds())
    folder = path.parent / _KIND
    folder.mkdir(mode=0o700, exist_ok=True)
    os.replace(path, folder / NAME)
    with _cache_in(path.parent):
        found = cache.load_json(_KIND, "entry")
    if found is None:
        raise FormatError("damaged")
    return found


def use(found) -> str:
    """It is one of those that were stored."""
    if found not in _originals:
        raise Finding(f"a changed entry was taken: {found}")
    return "unchanged"
