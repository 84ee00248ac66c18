"""``graphcore profile TARGET``: where the time of a run goes: by kernel, by Cell, by line."""
from __future__ import annotations

import argparse
import json
import linecache
import os
import sys

from graphcore.cli import subject
from graphcore.cli.errors import UsageError
from graphcore.cli.text import listed, table

HELP = "measure where the time of a net goes: by kernel, by Cell, by line"
EXAMPLES = subject.TARGETS + """

Inputs that are given by their type are small random numbers, whole ones zeros.  Parameters have their values back at
the end.  Each launch is timed by itself; what the machine can do at most is measured afterwards.

examples:
  graphcore profile net.py:Net --input 'f32[64,1,8,8]'
  graphcore profile net.py:Net --input 'f32[64,1,8,8]' --input 'i32[64]' --train --steps 20 --trace trace.json"""

_MOST_ROWS = 20
_VIEWS = ("kernel", "launch", "cell", "line")


def add_parser(parser: argparse.ArgumentParser) -> None:
    subject.add_arguments(parser)
    parser.add_argument("--steps", type=int, default=50, metavar="N", help="runs that are measured (50)")
    parser.add_argument("--by", choices=_VIEWS, action="append", help="only this table; repeat it for several")
    parser.add_argument("--all", action="store_true", help=f"all rows of the tables, not only the {_MOST_ROWS} first")
    parser.add_argument("--trace", metavar="FILE", help="write all runs as a trace for Perfetto or chrome://tracing")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def run(options: argparse.Namespace) -> int:
    """Measure and print.  Raises UsageError, and whatever the user's file raises."""
    if options.steps < 1:
        raise UsageError("--steps: at least one")
    found = measured(subject.open_subject(options), options.steps)
    if options.trace:
        with open(options.trace, "w", encoding="utf-8") as file:
            json.dump(found.trace(), file)
    if options.json:
        json.dump(_as_json(found), sys.stdout, indent=1)
        print()
        return 0
    _print_head(found)
    for view in options.by or ("kernel", "cell", "line"):
        rows = list(_ROWS[view](found))
        hidden = 0 if options.all else len(rows) - _MOST_ROWS
        print("\n" + "\n".join(table(_HEADINGS[view], rows[:None if options.all else _MOST_ROWS])))
        if hidden > 0:
            print(f"and {hidden} more (--all)")
    if options.trace:
        print(f"\n{options.trace}: open it in https://ui.perfetto.dev or chrome://tracing")
    return 0


def measured(what: subject.Subject, steps: int):
    """The `compiler.inspection.measure.Profile` of a subject.  Raises UsageError."""
    from graphcore.inspect import profile_program
    return profile_program(what.compilation(), subject.program_to_measure(what), subject.data(what), steps)


def _print_head(found) -> None:
    from graphcore.inspect import machine_peaks
    flops, moved = (sum(getattr(p, name) for p in found.parts) for name in ("flops", "bytes"))
    best_flops, best_bytes = machine_peaks(found.threads)
    print(f"{found.steps} runs on {found.threads} threads: {_us(found.whole)} µs in one go, {_us(found.total)} in "
          f"{len(found.parts)} parts")
    print(f"{flops / found.whole / 1e9:,.1f} GFLOP/s of {best_flops / 1e9:,.0f} that the machine can do, "
          f"{moved / found.whole / 1e9:,.1f} GB/s moved where memory gives {best_bytes / 1e9:,.0f}")


def _kernel_rows(found):
    total, times = found.total or 1.0, found.by_kernel()
    kernels = {k.title: k for k in found.compilation.kernels}
    for title, seconds in times.most_common():
        k = kernels[title]
        runs = [entry for entry in k.launches if not entry.in_prologue]
        flops, moved = (sum(getattr(entry, name) for entry in runs) for name in ("flops", "bytes"))
        yield (title, len(runs), _us(seconds), f"{seconds / total:.1%}", *_rates(flops, moved, seconds),
               listed(k.operators))


def _launch_rows(found):
    total, times = found.total or 1.0, found.by_launch()
    for entry in found.compilation.launches:
        if entry.number in times:
            seconds = times[entry.number]
            yield (entry.number, entry.kernel.name, _us(seconds), f"{seconds / total:.1%}",
                   *_rates(entry.flops, entry.bytes, seconds), listed(dict.fromkeys(n.op for n in entry.nodes)))


def _cell_rows(found):
    """Each Cell with those inside it, the outer ones first."""
    total, own = found.total or 1.0, found.by_cell()
    inclusive: dict = {}
    for path, seconds in own.items():
        parts = path.split(".") if path else []
        for i in range(1, len(parts) + 1) if parts else [0]:
            key = ".".join(parts[:i])
            inclusive[key] = inclusive.get(key, 0.0) + seconds
    for path, seconds in sorted(inclusive.items(), key=lambda item: -item[1]):
        yield path or "(outside of Cells)", _us(seconds), f"{seconds / total:.1%}", _us(own.get(path, 0.0))


def _line_rows(found):
    total = found.total or 1.0
    for place, seconds in found.by_line().most_common():
        name, text = "(no line of yours)", ""
        if place:
            name, text = f"{os.path.basename(place[0])}:{place[1]}", linecache.getline(*place).strip()
        yield name, _us(seconds), f"{seconds / total:.1%}", text


_ROWS = dict(zip(_VIEWS, (_kernel_rows, _launch_rows, _cell_rows, _line_rows)))
_HEADINGS = {"kernel": ("kernel", "launches", "µs", "share", "GFLOP/s", "GB/s", "computes"),
             "launch": ("launch", "kernel", "µs", "share", "GFLOP/s", "GB/s", "computes"),
             "cell": ("Cell", "µs with those inside", "share", "µs itself"), "line": ("line", "µs", "share", "")}


def _us(seconds: float) -> str:
    return f"{1e6 * seconds:,.1f}"


def _rates(flops: int, moved: int, seconds: float) -> tuple[str, str]:
    """GFLOP/s and GB/s; - where nothing was counted."""
    return tuple(f"{count / seconds / 1e9:,.1f}" if count and seconds else "-" for count in (flops, moved))


def _as_json(found) -> dict:
    from graphcore.inspect import machine_peaks
    best_flops, best_bytes = machine_peaks(found.threads)
    return {
        "steps": found.steps, "threads": found.threads, "whole": found.whole, "total": found.total,
        "peak_flops": best_flops, "peak_bytes": best_bytes,
        "parts": [{"title": p.title, "launches": [entry.number for entry in p.launches], "seconds": p.seconds,
                   "flops": p.flops, "bytes": p.bytes} for p in found.parts],
        "kernels": dict(found.by_kernel()), "launches": {str(k): v for k, v in found.by_launch().items()},
        "cells": dict(found.by_cell()),
        "lines": [{"file": p[0] if p else "", "line": p[1] if p else 0, "seconds": s}
                  for p, s in found.by_line().most_common()],
    }
