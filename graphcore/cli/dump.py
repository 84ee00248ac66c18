"""``graphcore dump FILE.py:NAME``: the IR of a net or function, at any stage of its compilation, and its kernels."""
from __future__ import annotations

import argparse
import functools
import json
import os
import re
import sys
from collections import Counter
from dataclasses import asdict, dataclass

from graphcore.capture import location
from graphcore.cli import highlight, mindspore_hook, targets
from graphcore.cli.as_json import graph_as_json
from graphcore.cli.errors import UsageError, nearest
from graphcore.inspect import planned
from graphcore.ir.graph import Graph
from graphcore.ir.printer import print_graph

HELP = "print the IR graph of a net or function"
EXAMPLES = """\
NAME is a Cell class (constructed without arguments), a Cell, a function without parameters that makes one, or a
function of tensors (@jit or not). Types are written f32[64,1,8,8]; a size may be a name, as in f32[N,1,8,8].

examples:
  graphcore dump net.py:Net --input 'f32[64,1,8,8]'
  graphcore dump net.py:Net --input 'f32[64,1,8,8]' --grad --stage all
  graphcore dump net.py:make_net --input 'i32[8,128]' --kernels -o dumps"""


def add_parser(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", metavar="FILE.py:NAME", help="what to look at")
    parser.add_argument("--input", dest="inputs", metavar="TYPE", action="append", default=[],
                        help="the type of an argument of construct; repeat it for each, in order")
    parser.add_argument("--stage", metavar="NAME", help="the graph after this step of the compiler, or 'all'")
    parser.add_argument("--grad", action="store_true",
                        help="in training mode, with the gradients of the sum of outputs by the trainable Parameters")
    parser.add_argument("--kernels", action="store_true",
                        help="also print the source of the kernels, and what holds the memory")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.add_argument("-o", "--output", metavar="DIR", help="write one file per stage and kernel into this folder")
    parser.add_argument("--no-data", action="store_true", help="leave out the contents of large constants")
    parser.add_argument("--traceback", action="store_true", help="show the whole traceback of an error")


@dataclass(frozen=True)
class Stage:
    """The graph after one step of the compiler."""

    number: int
    name: str
    graph: Graph
    changed: bool

    @property
    def title(self) -> str:
        return f"{self.number:02d}_{self.name}"


def run(options: argparse.Namespace) -> int:
    """Print what was asked for.  Raises UsageError, and whatever the user's file raises."""
    types = [targets.parse_input(text) for text in options.inputs]
    mindspore_hook.install()
    target = targets.load_target(options.target)
    name = options.target.rpartition(":")[2]
    target, is_cell = targets.make_callable(target, name)
    targets.check_inputs(target.construct if is_cell else target, types, f"{name}.construct" if is_cell else name)
    captured = capture(target, is_cell, types, options.grad)
    shown = _choose(_numbered(captured.graph, options), options)
    kernels, memory = {}, None
    if options.kernels:
        compiled, memory = planned(captured.graph)
        kernels = kernel_launches(compiled)
    if options.output:
        _write(options.output, shown, kernels, options)
    elif options.json:
        _print_json(shown, kernels, memory)
    else:
        _print_text(shown, kernels, options)
    if memory and not options.json:
        print("\n# memory: " + str(memory).replace("\n", "\n# "))
    return 0


# -- what the compiler gives -------------------------------------------------------------------------------

def capture(target, is_cell: bool, types, grad: bool):
    """The captured call of a Cell or function on arguments of these types."""
    from graphcore.capture.compiled import capture_call
    from graphcore.capture.gradients import value_and_grad
    function = target.construct if is_cell else target
    weights = None
    if grad:
        if is_cell:
            target.set_train(True)
            weights = target.trainable_params()
        positions = tuple(i for i, t in enumerate(types) if t.dtype.is_float) if not weights else None
        if positions == ():
            raise UsageError("--grad: nothing to differentiate by: there are no trainable Parameters or float inputs")
        differentiated = value_and_grad(target, positions, weights)
        call = functools.wraps(function)(lambda *args: differentiated(*args))
    else:
        call = functools.wraps(function)(lambda *args: target(*args))
    _hide_callers()
    name = type(target).__name__ if is_cell else getattr(target, "__name__", "function")
    return capture_call(call, types, {}, re.sub(r"[^A-Za-z0-9_.]", "_", name), target if is_cell else None)


def _hide_callers() -> None:
    """Keep the launcher (the installed script, a test) from being taken for the user's code that made a node."""
    frame = sys._getframe()
    while frame is not None:
        location.treat_as_library(frame.f_code.co_filename)
        frame = frame.f_back


def compiler_stages(graph: Graph) -> list[tuple[str, Graph]]:
    """(name, graph) after each step of the compiler, the first being the captured graph itself."""
    from graphcore.compiler.pipeline import run_stages
    return [(report.name, report.graph) for report in run_stages(graph)]


def kernel_launches(compiled) -> dict:
    """KernelSource → how many launches of a run use it, for a planned program; none of them is compiled."""
    counts = Counter(entry.kernel.digest for entry in (*compiled.prologue_launches, *compiled.launches))
    return {kernel: counts[kernel.digest] for kernel in compiled.kernels}


# -- choosing and showing ----------------------------------------------------------------------------------

def _numbered(graph: Graph, options: argparse.Namespace) -> list[Stage]:
    """The stages that exist.  The compiler runs only if a later one than the capture is wanted."""
    pairs = [("capture", graph)]
    if options.grad or options.stage not in (None, "capture"):
        pairs += [(name, g) for name, g in compiler_stages(graph) if name != "capture"]
    stages, previous = [], None
    for number, (name, g) in enumerate(pairs):
        stages.append(Stage(number, name, g, g != previous))
        previous = g
    return stages


def _choose(stages: list[Stage], options: argparse.Namespace) -> list[Stage]:
    """The stages to show: all, the one named, or the captured graph (with --grad: with the gradients written out)."""
    if options.stage == "all":
        return stages
    wanted = options.stage or ("simplify" if options.grad else "capture")
    found = [s for s in stages if wanted in (s.name, s.title)]
    if not found:
        names = [s.name for s in stages]
        raise UsageError(f"there is no stage {wanted!r}{nearest(wanted, names)} (stages: {', '.join(names)})")
    return found[:1]


def _print_text(stages: list[Stage], kernels: dict, options: argparse.Namespace) -> None:
    colour = highlight.graph if highlight.wanted() else str
    several = len(stages) > 1
    for stage in stages:
        if several:
            print(colour(f"# stage {stage.title}" + ("" if stage.changed else ": no change")))
        if stage.changed or not several:
            print(colour(print_graph(stage.graph, data=not options.no_data)), end="\n" if several else "")
    for kernel, launches in kernels.items():
        print(f"\n# kernel {kernel.name} {kernel.digest}: {_times(launches)}\n{kernel.source.rstrip()}")


def _times(launches: int) -> str:
    return "launched once" if launches == 1 else f"launched {launches} times" if launches else "called by other kernels"


def _print_json(stages: list[Stage], kernels: dict, memory) -> None:
    json.dump({"memory": memory and asdict(memory),
               "stages": [{"stage": s.title, "changed": s.changed, "graph": graph_as_json(s.graph)} for s in stages],
               "kernels": [{"name": k.name, "digest": k.digest, "launches": launches, "source": k.source}
                           for k, launches in kernels.items()]},
              sys.stdout, indent=1)
    print()


def _write(folder: str, stages: list[Stage], kernels: dict, options: argparse.Namespace) -> None:
    """One file per stage that changed something and per kernel; their names are printed."""
    for stage in stages:
        if stage.changed:
            text = (json.dumps(graph_as_json(stage.graph), indent=1) + "\n" if options.json
                    else print_graph(stage.graph, data=not options.no_data))
            _write_file(os.path.join(folder, stage.title + (".json" if options.json else ".gir")), text)
        else:
            print(f"{stage.title}: no change")
    for kernel in kernels:
        _write_file(os.path.join(folder, "kernels", f"{kernel.name}_{kernel.digest[:8]}.py"), kernel.source)


def _write_file(path: str, text: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    print(path)
