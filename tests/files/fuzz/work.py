"""What a worker process does: makes mutants by number, reads them within limits, and tells what happened."""
from __future__ import annotations

import faulthandler
import importlib
import os
import resource
import time
import traceback
from collections import Counter
from pathlib import Path
from random import Random

from graphcore.errors import FormatError
from tests.files.fuzz import FORMATS

SECONDS = 1.0                   # of processor time, to read a mutant
MEMORY = 64 << 20               # beside four times the files


def format_module(name: str):
    """The module of a format, by its name among the formats or by its own."""
    return importlib.import_module(FORMATS.get(name, name))


def mutant_of(module, seeds: list, name: str, seed: int, number: int) -> dict:
    """The files of mutant `number` of a campaign."""
    return module.mutant(Random(f"{name} {seed} {number}"), seeds)


def write(folder: Path, files: dict) -> Path:
    """Write files to a folder; the path of the first."""
    for path in folder.iterdir():
        if path.is_file():
            path.unlink()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder / next(iter(files))


def check(module, path: Path, stage, use: bool = True) -> tuple[str, str | None]:
    """(word for the statistics, finding or None) of the files at `path`; `stage`: called with True before using."""
    size = sum(other.stat().st_size for other in path.parent.iterdir())
    limits = resource.getrlimit(resource.RLIMIT_AS)
    began = time.thread_time()
    try:
        resource.setrlimit(resource.RLIMIT_AS, (_address_space() + 4 * size + MEMORY, limits[1]))
        loaded = module.load(path)
    except FormatError as error:
        str(error)
        loaded = None
    except Exception:
        return "finding", "reading: " + traceback.format_exc(limit=-4)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)
    seconds = time.thread_time() - began
    if seconds > SECONDS:
        return "finding", f"reading took {seconds:.1f} s"
    if loaded is None or not use:
        return "refused" if loaded is None else "accepted", None
    stage(True)
    try:
        return f"accepted, {module.use(loaded)}", None
    except Exception:
        return "finding", "using: " + traceback.format_exc(limit=-6)
    finally:
        stage(False)


def _address_space() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def run(name: str, seed: int, numbers: range, use_every: int, place: str, current, pipe) -> None:
    """Check mutants; the pipe tells what was found.

    current: two shared numbers: which mutant, and -1 at the start, 0 while it is read, 1 while it is used.
    """
    log = open(os.path.join(place, "stderr"), "w")
    os.dup2(log.fileno(), 2)
    faulthandler.enable(log)
    module, words = format_module(name), Counter()
    seeds = [{p.name.partition("-")[2]: p.read_bytes() for p in sorted(folder.iterdir())}
             for folder in sorted(Path(place).parent.glob("seeds/*"), key=lambda f: int(f.name))]
    folder = Path(place, "files")
    folder.mkdir(exist_ok=True)

    def stage(used: bool) -> None:
        current[1] = used

    for number in numbers:
        current[:] = [number, 0]
        word, finding = check(module, write(folder, mutant_of(module, seeds, name, seed, number)), stage,
                              number % use_every == 0)
        words[word] += 1
        if finding is not None:
            pipe.send(("finding", number, finding))
    pipe.send(("done", words, None))
