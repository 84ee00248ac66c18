"""``graphcore env``: versions, CPU, caches and threads, for reports of defects."""
from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from importlib import metadata

from graphcore import __version__
from graphcore.cli.text import size

HELP = "print versions, CPU, threads and caches, for a report of a defect"
EXAMPLES = """\
examples:
  graphcore env
  graphcore env --json"""

#: Packages that graphcore needs, and those that it uses where they are.
_NEEDED = ("numpy", "numba", "llvmlite")
_OPTIONAL = ("safetensors", "rich", "onnx", "mpi4py", "matplotlib", "mindcv", "pillow")


def add_parser(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def run(options: argparse.Namespace) -> int:
    """Print the facts."""
    found = facts()
    if options.json:
        json.dump(found, sys.stdout, indent=1)
        print()
        return 0
    width = max(map(len, found))
    for key, value in found.items():
        print(f"{key.ljust(width)}  {_text(value)}")
    return 0


def facts() -> dict:
    """What a report of a defect should tell."""
    from graphcore.inspect import host_facts
    packages = {name: _version(name) for name in (*_NEEDED, *_OPTIONAL)}
    return {
        "graphcore": __version__, "python": platform.python_version(), "system": platform.platform(),
        "packages": {name: version for name, version in packages.items() if version or name in _NEEDED},
        **host_facts(),
        "environment": {name: value for name, value in sorted(os.environ.items())
                        if name.startswith(("GRAPHCORE_", "MS_DEV_")) or name == "NO_COLOR"},
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _text(value) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {_size(k, v)}" for k, v in value.items()) or "-"
    return str(value)


def _size(key: str, value) -> str:
    return size(value) if key in ("l1", "l2", "l3", "bytes") else "missing" if value is None else str(value)
