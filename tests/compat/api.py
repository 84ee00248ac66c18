"""docs/api.md, made from the names that there are: python -m tests.compat.api [--missing SECTION] [--check]

Each public name of a section has a status: it *matches MindSpore* (a case says so), *extends* it (MindSpore 2.10 lacks
the name), or is *refused*; the others are *without a case*, and their number is held down by the tests.

What MindSpore has is in ``mindspore_names.txt``, which its own interpreter writes:
    MS_JIT_IGNORE_MODULES=numpy,scipy MINDSPORE'S_PYTHON -m tests.compat.api --record-names
"""
from __future__ import annotations

import argparse
import importlib
import inspect
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

from tests.compat import table

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
NAMES_OF_MINDSPORE = Path(__file__).with_name("mindspore_names.txt")
SECTIONS = """ms ms.Tensor ms.Parameter nn nn.Cell nn.probability.distribution ops P C mnp mint mint.nn
    mint.nn.functional mint.linalg mint.special mint.optim mint.distributed train amp context initializer dataset
    dataset.config vision transforms text audio experimental_optim experimental_optim.lr_scheduler ms.communication
    ms.communication.management ms.communication.comm_func ms.parallel ms.mindrecord ms.profiler ms.runtime
    ms.log""".split()
_SHOWN_BEFORE = {"P": "ops", "C": "ops", "ms.Parameter": "ms.Tensor"}     # names of these are not shown once more
MATCHES, EXTENDS, REFUSED, WITHOUT = "matches MindSpore", "extends", "refused", "without a case"


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--missing", metavar="SECTION", help="list what MindSpore has there and graphcore lacks")
    parser.add_argument("--check", action="store_true", help="say whether the page is up to date, write nothing")
    parser.add_argument("--record-names", action="store_true", help="write what this interpreter's MindSpore has")
    options = parser.parse_args(arguments)
    if options.record_names:
        NAMES_OF_MINDSPORE.write_text("".join(f"{section}: {' '.join(public_names(section))}\n"
                                              for section in SECTIONS))
        return 0
    from graphcore.cli import mindspore_hook
    mindspore_hook.install()
    if options.missing:
        print(*sorted(names_of_mindspore()[options.missing] - set(public_names(options.missing))), sep="\n")
        return 0
    text = page()
    if options.check:
        return 0 if text == PAGE.read_text() else 1
    PAGE.write_text(text)
    return 0


def public_names(section: str) -> list[str]:
    """What `mindspore` makes public in a module, or as attributes of a class; empty where it has no such section."""
    try:
        holder = _holder(section)
    except (ImportError, AttributeError):
        return []
    listed = getattr(holder, "__all__", None) or [n for n in dir(holder) if not n.startswith("_")]
    if inspect.isclass(holder):
        return sorted(listed)
    return sorted({n for n in listed if not n.startswith("_") and _belongs(holder, n)})


def _holder(section: str):
    root, *rest = section.split(".")
    holder = importlib.import_module(".".join(filter(None, ["mindspore", table.ROOTS[root]])))
    for word in rest:
        try:
            holder = getattr(holder, word)
        except AttributeError:
            holder = importlib.import_module(f"{holder.__name__}.{word}")
    return holder


def _belongs(holder: ModuleType, name: str) -> bool:
    """Whether a name is more than something that its module imports for itself."""
    value = getattr(holder, name, None)
    home = getattr(value, "__module__", None)
    return value is not None and not isinstance(value, ModuleType) and (
        not isinstance(home, str) or home.partition(".")[0] in ("mindspore", "graphcore"))


def names_of_mindspore() -> dict[str, set]:
    """Section -> what MindSpore 2.10 makes public there."""
    lines = (line.split(": ", 1) for line in NAMES_OF_MINDSPORE.read_text().splitlines())
    return {section: set(names.split()) for section, names in lines}


def statuses() -> dict[str, dict[str, str]]:
    """Section -> name -> status, names of `_SHOWN_BEFORE` left out.  The hook must be installed."""
    from tests.compat import coverage
    cases = table.every_case()
    covered = coverage.Covered([c for c in cases if c.source != "refused"])
    refused = {name for entry in cases if entry.source == "refused" for name in entry.names}
    theirs, found = names_of_mindspore(), {}
    for section in SECTIONS:
        found[section] = of_section = {}
        for name in public_names(section):
            if name in found.get(_SHOWN_BEFORE.get(section), ()):
                continue
            full = f"{section}.{name}"
            if full in covered and (name in theirs[section] or not _is_own(full, cases)):
                of_section[name] = MATCHES
            elif full in refused:
                of_section[name] = REFUSED
            else:
                of_section[name] = EXTENDS if name not in theirs[section] else WITHOUT
    return found


def _is_own(name: str, cases) -> bool:
    """Whether the name is graphcore's own: not one that MindSpore documented once."""
    return not any(name in entry.names for entry in cases if entry.source in ("documented", "mindspore"))


def page() -> str:
    """The text of docs/api.md; the hook must be installed."""
    found, theirs = statuses(), names_of_mindspore()
    lines = ["# The public names", "",
             "Made by `python -m tests.compat.api`.  *matches MindSpore*: a case in `tests/compat/cases` compares it",
             "with MindSpore 2.10, or with the documentation of an earlier release where 2.10 dropped the name.",
             "*extends*: MindSpore 2.10 does not have it.  *refused*: it cannot be on one CPU, and says so.", "",
             f"| section | {MATCHES} | {EXTENDS} | {REFUSED} | {WITHOUT} | MindSpore 2.10 has beside |",
             "|---|---|---|---|---|---|"]
    for section, names in found.items():
        count = Counter(names.values())
        beside = theirs[section] - set(names) - set(found.get(_SHOWN_BEFORE.get(section), ()))
        lines.append(f"| `{section}` | {count[MATCHES]} | {count[EXTENDS]} | {count[REFUSED]} | {count[WITHOUT]} | "
                     f"{len(beside)} |")
    for section, names in found.items():
        if names:
            lines += ["", f"## {section}", ""] + [f"- `{section}.{name}` {status}" for name, status in names.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
