"""``graphcore tune FILE.py:NAME``: measure what the compiler could do otherwise, and keep what is faster."""
from __future__ import annotations

import argparse

import numpy as np

from graphcore.cli import dump, mindspore_hook, targets
from graphcore.cli.errors import UsageError

HELP = "measure alternatives for a net and keep the faster ones in the cache"
EXAMPLES = """\
NAME is as for `graphcore dump`.  What is kept serves every later process that runs the same net on this machine.  For
a training step as it is in a script, call graphcore.tune(step, x, y) there once.

examples:
  graphcore tune net.py:Net --input 'f32[1,3,224,224]'
  graphcore tune net.py:Net --input 'f32[64,1,8,8]' --grad --seconds 300"""


def add_parser(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", metavar="FILE.py:NAME", help="what to tune")
    parser.add_argument("--input", dest="inputs", metavar="TYPE", action="append", default=[],
                        help="the type of an argument of construct; repeat it for each, in order")
    parser.add_argument("--grad", action="store_true",
                        help="in training mode, with the gradients of the sum of outputs by the trainable Parameters")
    parser.add_argument("--seconds", type=float, default=60.0, metavar="S",
                        help="after which no new alternative is tried (60)")
    parser.add_argument("--traceback", action="store_true", help="show the whole traceback of an error")


def run(options: argparse.Namespace) -> int:
    """Tune, with a line for each trial.  Raises UsageError, and whatever the user's file raises."""
    types = [targets.parse_input(text) for text in options.inputs]
    if any(not t.is_static for t in types):
        raise UsageError("--input: measuring takes sizes; write numbers in place of names")
    mindspore_hook.install()
    name = options.target.rpartition(":")[2]
    target, is_cell = targets.make_callable(targets.load_target(options.target), name)
    targets.check_inputs(target.construct if is_cell else target, types, f"{name}.construct" if is_cell else name)
    captured = dump.capture(target, is_cell, types, options.grad)
    if captured.callbacks:
        raise UsageError(f"{name} calls Python while it runs (a print or a hook), which measuring would do many times "
                         "over; tune it without")
    from graphcore import compiler
    from graphcore.compiler.tune import tune
    program = compiler.compile(captured.graph, captured.parameters)
    trials = tune(program, [_numbers(t) for t in types], options.seconds, _tell)
    kept = [t for t in trials if t.kept]
    faster = np.prod([t.ratio for t in kept]) if kept else 1.0
    print(f"{len(trials)} alternatives tried, {len(kept)} kept" + f": {1 / faster:.2f} times as fast" * bool(kept))
    return 0


def _numbers(type_) -> np.ndarray:
    """Data for an input: small normal numbers; zeros where integers may be indices."""
    shape, dtype = type_.shape, type_.dtype.storage
    if type_.dtype.is_float and type_.dtype.code != "bf16":
        return np.random.default_rng(0).standard_normal(shape).astype(dtype)
    return np.zeros(shape, dtype)


def _tell(trial) -> None:
    verdict = "  kept" if trial.kept else ""
    told = f"{trial.option} takes {trial.ratio:.2f} of the time of {trial.instead_of}"
    print(f"{trial.point}: {told}{verdict}", flush=True)
