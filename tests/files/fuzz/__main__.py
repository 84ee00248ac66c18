"""The command line of campaigns; see the package."""
from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from tests.files.fuzz import FORMATS
from tests.files.fuzz.campaign import campaign


def main() -> int:
    """Run campaigns; the exit code is 1 if anything was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.files.fuzz", description="Read mutants of files.",
                                     formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--format", choices=[*FORMATS, "all"], default="all")
    parser.add_argument("--count", type=int, default=1000, help="how many mutants of each format")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2, help="worker processes")
    parser.add_argument("--use-every", type=int, default=1, help="use every N-th mutant that is accepted")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="of a format, then nothing more is begun")
    parser.add_argument("--keep", type=Path, default=Path("findings"), help="where the files of findings go")
    options = parser.parse_args()
    found = 0
    with tempfile.TemporaryDirectory() as cache:
        os.environ["GRAPHCORE_CACHE_DIR"] = cache
        for name in FORMATS if options.format == "all" else [options.format]:
            result = campaign(name, options.count, options.seed, options.jobs, options.keep, options.use_every,
                              seconds=60 * options.minutes)
            print(result, flush=True)
            for number, what in sorted(result.findings.items())[:20]:
                print(f"  {number}: {what.strip().splitlines()[-1][:200]}", flush=True)
            found += len(result.findings)
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main())
