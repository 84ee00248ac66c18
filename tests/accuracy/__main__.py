"""``python -m tests.accuracy``: the worst error of every family, as a table of `docs/accuracy.md`.

    --quick           each size in each role, instead of each pair of sizes for each pair of roles
    --only TEXT       families whose name holds it
"""
from __future__ import annotations

import argparse

import graphcore as gc
from tests.accuracy.families import FAMILIES


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.accuracy", description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="each size in each role only")
    parser.add_argument("--only", default="", help="families whose name holds this")
    options = parser.parse_args()
    gc.set_seed(1)
    print("| family | sizes tried | bound | worst error | at |\n|---|---|---|---|---|")
    failed = False
    for family in FAMILIES:
        if options.only not in family.name:
            continue
        errors = [(family.check(row), row) for row in family.rows(every=not options.quick)]
        worst, row = max(errors, key=lambda e: e[0])
        at = ", ".join(f"{role} {size}" for role, size in row.items()) if worst else ""
        print(f"| {family.name} | {len(errors)} | {family.bound:g} | {worst:.2g} | {at} |", flush=True)
        failed |= worst > family.bound
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
