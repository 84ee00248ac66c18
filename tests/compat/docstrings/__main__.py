"""How many of MindSpore's documentation examples graphcore reproduces:

    python -m tests.compat.docstrings [--mindspore PATH] [--only ops.] [--failures] [--update] [--record]

PATH is an interpreter that has MindSpore, or a folder of packages; GRAPHCORE_MINDSPORE_PYTHON names it otherwise.
`--update` adds what passes to docstrings_pass.txt.  `--record` runs the examples with real MindSpore and lists those
that it does not reproduce itself in docstrings_stale.txt.
"""
from __future__ import annotations

import argparse
import sys
from collections import Counter

from tests.compat.docstrings import lists, run
from tests.compat.docstrings.sources import read_examples


def main(arguments=None) -> int:
    """Run and report; the exit code is 1 where an example of the pass list does not pass."""
    parser = argparse.ArgumentParser(prog="python -m tests.compat.docstrings", description=__doc__.splitlines()[0])
    parser.add_argument("--mindspore", help="an interpreter that has MindSpore, or the folder of its packages")
    parser.add_argument("--only", default="", help="examples whose names begin so")
    parser.add_argument("--failures", action="store_true", help="show what failed and why")
    parser.add_argument("--compiled", action="store_true", help="compile the graphs of Cells instead of interpreting")
    parser.add_argument("--jobs", type=int, default=2, help="worker processes")
    parser.add_argument("--update", action="store_true", help="add what passes to the pass list")
    parser.add_argument("--record", action="store_true", help="find out what MindSpore itself does not reproduce")
    options = parser.parse_args(arguments)
    package = lists.find_mindspore(options.mindspore)
    if package is None:
        parser.error("no MindSpore found; name its interpreter or folder of packages with --mindspore")
    examples = [e for e in read_examples(package) if e.name.startswith(options.only)]
    if options.record:
        verdicts = run.run(examples, options.mindspore or lists.interpreter(), "mindspore", options.jobs)
        lists.write(lists.STALE, {v.example.name for v in verdicts if not v.passed}, lists.STALE_HEADING)
    else:
        verdicts = run.run(examples, jobs=options.jobs, compiled=options.compiled)
    return _report(verdicts, options)


def _report(verdicts: list, options) -> int:
    passed = {v.example.name for v in verdicts if v.passed}
    known, stale = lists.read(lists.PASS), lists.read(lists.STALE)
    for v in verdicts:
        if options.failures and not v.passed:
            print(f"== {v.example.name}{' (MindSpore neither)' if v.example.name in stale else ''}\n{v.reason}\n")
    groups = Counter(v.example.name.split(".")[0] if "." in v.example.name else "mindspore" for v in verdicts)
    good = Counter(name.split(".")[0] if "." in name else "mindspore" for name in passed)
    for group, number in groups.most_common():
        print(f"{group:15s} {good[group]:5d} of {number}")
    names = {v.example.name for v in verdicts}
    print(f"{len(passed)} of {len(verdicts)} examples print what is documented; "
          f"{len(names & stale)} of them MindSpore does not reproduce itself, {len(passed & stale)} of those pass here")
    if options.record:
        return 0
    lost = sorted((known & names) - passed)
    if options.update:
        lists.write(lists.PASS, known | passed, lists.PASS_HEADING)
    for name in lost:
        print(f"in the pass list, but does not pass: {name}", file=sys.stderr)
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
