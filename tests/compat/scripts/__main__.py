"""python -m tests.compat.scripts [--record --python PYTHON] [NAME ...]: compare the programs, or record them."""
from __future__ import annotations

import argparse
import os
import sys
import time

from tests.compat.scripts import printed, printed_by_graphcore, programs, record_of
from tests.compat.scripts.comparison import first_difference


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", action="store_true", help="write down what MindSpore prints")
    parser.add_argument("--python", default=os.environ.get("GRAPHCORE_MINDSPORE_PYTHON"),
                        help="the interpreter that has MindSpore")
    parser.add_argument("names", nargs="*", metavar="NAME", help="default: all programs")
    options = parser.parse_args(arguments)
    unknown = set(options.names) - set(programs())
    if unknown:
        parser.error(f"there is no program {', '.join(sorted(unknown))}; there are {', '.join(programs())}")
    if options.record and not options.python:
        parser.error("name MindSpore's interpreter with --python or GRAPHCORE_MINDSPORE_PYTHON")
    differing = 0
    for name in options.names or programs():
        started = time.perf_counter()
        if options.record:
            record_of(name).write_text(printed([options.python], name))
            outcome = "recorded"
        else:
            difference = first_difference(printed_by_graphcore(name), record_of(name).read_text())
            differing += difference is not None
            outcome = difference or "same"
        print(f"{name} ({time.perf_counter() - started:.1f} s): {outcome}")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
