"""``python -m benchmarks``: graphcore beside the peers that can be found."""
from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
from pathlib import Path

from benchmarks import chart
from benchmarks.competitors import COMPETITORS, OURS
from benchmarks.driver import measure, measure_first_steps, start_all
from benchmarks.machine import facts, limit_of, rates, usable_cores
from benchmarks.process import entrants
from benchmarks.report import as_json, table
from benchmarks.workloads import WORKLOADS, select


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    result.add_argument("--only", metavar="NAMES", help="workloads, or workload/mode, separated by commas; all of them")
    result.add_argument("--peer", action="append", default=[], metavar="NAME=PYTHON",
                        help="the interpreter that has a peer: torch, jax, mindspore or onnxruntime; repeat it. Peers "
                             "that are not named are looked for beside this interpreter")
    result.add_argument("--rounds", type=_positive, default=7, help="turns of every competitor (7)")
    result.add_argument("--threads", type=_positive, default=usable_cores(), help="threads (the usable cores)")
    result.add_argument("--first-step", action="store_true",
                        help="measure the time to the first result, in new processes, instead of step times")
    result.add_argument("--json", metavar="FILE", type=Path, help="also write everything measured")
    result.add_argument("--chart", metavar="FILE.png", type=Path, help="also draw the ratios (needs matplotlib)")
    result.add_argument("--list", action="store_true", help="list workloads and peers, and end")
    return result


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not positive")
    return value


def peer_paths(given: list[str]) -> dict[str, str]:
    """Interpreters by peer.  Raises ValueError for an unknown peer or a path where nothing can be run."""
    known = sorted({c.peer for c in COMPETITORS.values()})
    result = {}
    for item in given:
        name, equals, path = item.partition("=")
        if not equals or name not in known:
            raise ValueError(f"--peer {item}: write NAME=PYTHON, where NAME is one of {', '.join(known)}")
        interpreter = shutil.which(os.path.expanduser(path))
        if interpreter is None:
            raise ValueError(f"--peer {item}: there is no program {path}")
        result[name] = os.path.abspath(interpreter)
    return result


def listing(found, missing) -> str:
    """Workloads and competitors, a line each."""
    lines = ["workloads:"]
    lines += [f"  {w.name:16} {', '.join(w.modes):28} {w.about}" for w in WORKLOADS.values()]
    lines += ["competitors:"]
    lines += [f"  {entrant.name:20} {entrant.interpreter}" for entrant in found]
    lines += [f"  {name:20} {reason}" for name, reason in missing.items()]
    return "\n".join(lines)


def say(text: str) -> None:
    """Progress and what is left out, beside the table."""
    print(text, file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Run; the exit status is 1 if graphcore itself could not be measured, 2 for a wrong command line."""
    options = parser().parse_args(arguments)
    try:
        selected, peers = select(options.only), peer_paths(options.peer)
        if options.chart:
            chart.require_matplotlib()
    except (KeyError, ValueError, chart.NoMatplotlib) as error:
        say(f"python -m benchmarks: {error.args[0]}")
        return 2
    found, missing = entrants(peers)
    if options.list:
        print(listing(found, missing))
        return 0
    for name, reason in missing.items():
        say(f"{name}: skipped: {reason}")
    limits = {}
    if not options.first_step:
        say("the machine's limits")
        limits = {(w.name, mode): limit_of(w.name, mode, options.threads) for w, mode in selected}
    with contextlib.ExitStack() as stack:
        processes, versions = start_all(found, options.threads, stack, say)
        if options.first_step:
            stack.close()
            taking_part = [entrant for entrant in found if entrant.name in processes]
            rows = measure_first_steps(taking_part, selected, options.threads, options.rounds, say)
        else:
            rows = measure(processes, selected, options.rounds, say, limits)
    print(table(rows, list(processes)))
    if options.json:
        settings = {"threads": options.threads, "rounds": options.rounds, "versions": versions}
        machine = {**facts(), **({} if options.first_step else rates(options.threads))}
        options.json.write_text(as_json(rows, {"machine": machine, **settings}), encoding="utf-8")
    if options.chart:
        chart.draw(rows, list(processes), options.chart)
    return 0 if all(OURS in row.times for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
