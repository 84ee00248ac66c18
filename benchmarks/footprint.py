"""``python -m benchmarks.footprint``: how long importing graphcore takes, and what it and its dependencies weigh.

The times are those of new processes with compiled bytecode at hand, the start of Python itself left out, each the best
of several, since others only add to it: of NumPy alone, of ``import graphcore`` with a first Tensor, of what stands at
the head of a script, and with the layers and functions of a net, which come when they are first used.  The weight is
that of the installed files, as pip recorded them, of graphcore and all that it needs without extras; of an editable
install it is the packages of the checkout.
"""
from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

RUNS = 15
_TIMED = "import time; start = time.perf_counter(); {}; print(time.perf_counter() - start)"
_HEAD = "from graphcore import nn, ops, Tensor, Parameter"
_IMPORTS = {"numpy": "import numpy", "graphcore, with a Tensor": "import graphcore; graphcore.Tensor(1.0)",
            "graphcore, as at the head of a script": _HEAD,
            "graphcore, with the layers of LeNet": f"{_HEAD}; nn.Cell, nn.Dense, nn.Conv2d, nn.MaxPool2d, ops.relu"}
_PACKAGES = ("graphcore", "nn", "compiler")


def import_seconds(text: str, runs: int = RUNS) -> float:
    """Seconds that the statements `text` take, the best of `runs` new processes."""
    command = [sys.executable, "-c", _TIMED.format(text)]
    with tempfile.TemporaryDirectory() as bytecode:       # kept there even where Python is told not to write any
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = bytecode
        return min(float(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)
                   for _ in range(1 + runs))


def installed_bytes() -> dict:
    """Distribution → bytes of its installed files, for graphcore and what it depends on.

    Raises PackageNotFoundError where graphcore is not installed.
    """
    sizes: dict = {}
    waiting = ["graphcore"]
    while waiting:
        name = waiting.pop()
        if name in sizes:
            continue
        found = distribution(name)
        files = (Path(found.locate_file(path)) for path in found.files or ())
        sizes[name] = sum(file.stat().st_size for file in files if file.is_file())
        waiting += [re.match(r"[\w.-]+", need)[0] for need in found.requires or () if "extra ==" not in need]
    if distribution("graphcore").read_text("direct_url.json") and sizes["graphcore"] < 100_000:
        root = Path(__file__).resolve().parents[1]
        sizes["graphcore"] = sum(f.stat().st_size for part in _PACKAGES for f in (root / part).rglob("*.py"))
    return sizes


def main() -> int:
    for name, text in _IMPORTS.items():
        print(f"import of {name}: {import_seconds(text):.3f} s, the best of {RUNS}")
    try:
        sizes = installed_bytes()
    except PackageNotFoundError as error:
        print(f"{error.name} is not installed, so its files are not known; pip install it", file=sys.stderr)
        return 1
    for name, size in sorted(sizes.items(), key=lambda item: -item[1]):
        print(f"{name:12} {size / 2**20:8.1f} MiB")
    print(f"{'together':12} {sum(sizes.values()) / 2**20:8.1f} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
