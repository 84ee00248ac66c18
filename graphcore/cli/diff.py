"""``graphcore diff A B``: two dumps, or two versions of a net, compared by structure."""
from __future__ import annotations

import argparse
import os

from graphcore.cli import selection, subject
from graphcore.cli.dump import usual_stage
from graphcore.cli.errors import UsageError
from graphcore.cli.text import colours
from graphcore.ir.compare import Comparison, compare
from graphcore.ir.printer import defining_line, labels

HELP = "compare two dumps, or two versions of a net, by structure"
EXAMPLES = subject.TARGETS + """

A and B are targets; of two folders of dumps all stages are compared.  Where one is a file with a graph, its types are
used for the other if there is no --input.  Exit code 0: they compute the same, 1: they differ.

examples:
  graphcore diff net.py:Net net.py:Wider --input 'f32[64,1,8,8]'
  graphcore diff net.py:Net net.py:Net --input 'f32[64,1,8,8]' --with-input 'f32[8,1,8,8]' --stage final
  graphcore diff dumps net.py:Net"""


def add_parser(parser: argparse.ArgumentParser) -> None:
    subject.add_arguments(parser)
    parser.add_argument("other", metavar="B", help="what to compare it with")
    parser.add_argument("--with-input", dest="other_inputs", metavar="TYPE", action="append", default=[],
                        help="an input of B, where it is not that of --input")
    parser.add_argument("--stage", metavar="NAME", help="the stage to compare, or 'all'")


def run(options: argparse.Namespace) -> int:
    """Print the differences; 1 if there are any.  Raises UsageError, and whatever the user's files raise."""
    pairs = _stages_of_folders(options) or _stages_of_targets(options)
    differ = False
    for title, first, second in pairs:
        found = compare(first, second)
        differ |= not found.equal
        if len(pairs) > 1 and not found.equal:
            print(f"# stage {title}")
        if not found.equal:
            _print(found)
    if not differ:
        print("they compute the same")
    return int(differ)


def _stages_of_folders(options: argparse.Namespace) -> list:
    """(title, graph, graph) of two folders of dumps; [] unless both are."""
    if not (os.path.isdir(options.target) and os.path.isdir(options.other)) or options.stage not in (None, "all"):
        return []
    ours, theirs = ({name: os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name.endswith(".gir")}
                    for folder in (options.target, options.other))
    common = [name for name in ours if name in theirs]
    if not common:
        raise UsageError(f"{options.target} and {options.other} have no stage in common")
    for name in sorted(set(ours) ^ set(theirs)):
        print(f"# only in {options.target if name in ours else options.other}: {name}")
    return [(name[:-4], subject.graph_in_file(ours[name]), subject.graph_in_file(theirs[name])) for name in common]


def _stages_of_targets(options: argparse.Namespace) -> list:
    """(title, graph, graph) of the stages that are to be compared."""
    first = _opened(options, options.target, options.inputs or _types(options.other))
    second = _opened(options, options.other, options.other_inputs or options.inputs or _types(options.target))
    ours, theirs = first.compilation(), second.compilation()
    stage = options.stage or usual_stage(options)
    if stage != "all":
        return [(stage, selection.stage_named(ours, stage).graph, selection.stage_named(theirs, stage).graph)]
    return [(name, ours.stage(name).graph, theirs.stage(name).graph) for name in ours.stage_names()]


def _types(target: str) -> list[str]:
    """The types of the inputs of a graph in a file; [] for another kind of target."""
    graph = subject.graph_in_file(target)
    return [str(leaf.type) for leaf in graph.inputs] if graph is not None else []


def _opened(options: argparse.Namespace, target: str, inputs: list):
    """The subject of one of the two; --grad and --train are for nets."""
    is_file = os.path.isdir(target) or target.endswith(".gir")
    changed = {"target": target, "inputs": [] if is_file else inputs}
    if is_file:
        changed |= {"grad": False, "train": False, "loss": None, "optimizer": None}
    return subject.open_subject(argparse.Namespace(**{**vars(options), **changed}))


def _print(found: Comparison, way: str = "") -> None:
    """The differences of a comparison, then of the regions in it."""
    colour = colours()
    names = labels(found.first), labels(found.second)
    for line in found.signature:
        print(colour(f"{line[0]} {way}{line[2:]}"))
    for pair in found.changed:
        print(colour(f"~ {way}{names[0][pair.old]} -> {names[1][pair.new]} {pair.new.op}: {'; '.join(pair.facts)}"))
    for graph, nodes, sign in ((found.first, found.removed, "-"), (found.second, found.added, "+")):
        for n in nodes:
            print(colour(f"{sign} {way}{defining_line(graph, n)}"))
    print(f"# {way}{found.same} nodes are the same, {len(found.changed)} changed, {len(found.removed)} only in the "
          f"first, {len(found.added)} only in the second")
    for name, inner in found.inner:
        _print(inner, f"{way}{name}.")
