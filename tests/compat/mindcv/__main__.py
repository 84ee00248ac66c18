"""``python -m tests.compat.mindcv``: see the package."""
from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.compat.mindcv.campaign import RESULTS, results_in, run_all
from tests.compat.mindcv.families import cost_of, smallest_of_each
from tests.compat.mindcv.one import MODES, recorded, recorded_images, recorded_steps
from tests.compat.mindcv.report import PAGE, page


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.compat.mindcv", description="Run MindCV's models.")
    parser.add_argument("names", nargs="*", metavar="NAMES", help="models")
    parser.add_argument("--all", action="store_true", help="all 275, the cheapest first")
    parser.add_argument("--small", action="store_true", help="one small variant of each family")
    parser.add_argument("--mode", choices=MODES, default="graph",
                        help="compiled, by NumPy, without rounding, or a training step (default: %(default)s)")
    parser.add_argument("--results", type=Path, default=RESULTS,
                        help="lines of JSON to keep results in, and to resume from (default: those of the report)")
    parser.add_argument("--again", action="store_true", help="run also what has a result; named models always are")
    parser.add_argument("--seconds", type=int, default=600, help="of CPU time for one model (default: %(default)s)")
    parser.add_argument("--gigabytes", type=int, default=16, help="of memory for one model (default: %(default)s)")
    parser.add_argument("--report", type=Path, nargs="?", const=PAGE, help="write the table of all results to a file")
    options = parser.parse_args()
    records = recorded()
    unknown = [name for name in options.names if name not in records]
    if unknown:
        parser.error(f"no such model: {', '.join(unknown)}")
    names = options.names
    if options.small:
        names = smallest_of_each(records, records)
    elif options.all:
        names = sorted(records, key=lambda name: cost_of(records[name]))
    if options.mode in ("train", "exact"):
        has_record = recorded_steps() if options.mode == "train" else recorded_images()
        names = [name for name in names if name in has_record]
    run_all(names, options.mode, options.results, options.again or bool(options.names), options.seconds,
            options.gigabytes, _say)
    if options.report:
        options.report.write_text(page(records, results_in(options.results), recorded_steps()), encoding="utf-8")
    return 0


def _say(result: dict) -> None:
    state = result.get("failed") or (f"error {result['error']:.2g}" if "error" in result else
                                       f"{result['ratio']} times as far" if "ratio" in result else "runs")
    mark = "ok  " if result.get("matches") or ("failed" not in result and "error" not in result) else "FAIL"
    names = {True: "as recorded", False: "DIFFER", None: "of its own"}[result.get("names")]
    print(f"{mark} {result['model']:34s} {state[:150]}  names {names}  "
          f"compile {result.get('compile_s', 0):.1f} s  run {1000 * result.get('run_s', 0):.1f} ms", flush=True)


if __name__ == "__main__":
    sys.exit(main())
