"""``graphcore tune FILE.py:NAME``: measure what the compiler could do otherwise, and keep what is faster."""
from __future__ import annotations

import argparse

import numpy as np

from graphcore.cli import subject

HELP = "measure alternatives for a net and keep the faster ones in the cache"
EXAMPLES = subject.TARGETS + """

What is kept serves every later process that runs the same net on this machine.  For a training step as it is in a
script, call graphcore.tune(step, x, y) there once.

examples:
  graphcore tune net.py:Net --input 'f32[1,1,8,8]'
  graphcore tune net.py:Net --input 'f32[64,1,8,8]' --grad --seconds 300"""


def add_parser(parser: argparse.ArgumentParser) -> None:
    subject.add_arguments(parser)
    parser.add_argument("--seconds", type=float, default=60.0, metavar="S",
                        help="after which no new alternative is tried (60)")


def run(options: argparse.Namespace) -> int:
    """Tune, with a line for each trial.  Raises UsageError, and whatever the user's file raises."""
    found = subject.open_subject(options)
    from graphcore.compiler.tune import tune
    trials = tune(subject.program_to_measure(found), subject.data(found), options.seconds, _tell)
    kept = [t for t in trials if t.kept]
    faster = np.prod([t.ratio for t in kept]) if kept else 1.0
    print(f"{len(trials)} alternatives tried, {len(kept)} kept" + f": {1 / faster:.2f} times as fast" * bool(kept))
    return 0


def _tell(trial) -> None:
    verdict = "  kept" if trial.kept else ""
    told = f"{trial.option} takes {trial.ratio:.2f} of the time of {trial.instead_of}"
    print(f"{trial.point}: {told}{verdict}", flush=True)
