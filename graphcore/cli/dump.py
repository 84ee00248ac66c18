"""``graphcore dump TARGET``: the IR of a net or function at any stage of its compilation, and its kernels."""
from __future__ import annotations

import argparse
import json
import os
import sys

from graphcore.cli import selection, subject
from graphcore.cli.errors import UsageError
from graphcore.cli.text import colours, listed, table, times
from graphcore.ir.printer import print_graph

HELP = "print the IR graph of a net or function"
EXAMPLES = subject.TARGETS + """

examples:
  graphcore dump net.py:Net --input 'f32[64,1,8,8]'
  graphcore dump net.py:Net --input 'f32[64,1,8,8]' --grad --stage all
  graphcore dump net.py:Net --input 'f32[64,1,8,8]' --input 'i32[64]' --train --stage final --only 'conv*'
  graphcore dump net.py:Net --input 'f32[64,1,8,8]' --kernels --asm --only relu
  graphcore dump net.py:make_net --input 'f32[64,1,8,8]' --stage all --kernels -o dumps"""


def add_parser(parser: argparse.ArgumentParser) -> None:
    subject.add_arguments(parser)
    parser.add_argument("--stage", metavar="NAME", help="the graph after this pass, 'capture', 'final', or 'all' that "
                                                        "changed something; `graphcore passes` lists them")
    parser.add_argument("--only", metavar="WHAT", action="append", default=[],
                        help=f"only these lines: {selection.HELP}")
    parser.add_argument("--kernels", action="store_true",
                        help="also print the source of the kernels, and what holds the memory")
    parser.add_argument("--llvm", action="store_true", help="the LLVM IR of the kernels, optimised")
    parser.add_argument("--asm", action="store_true", help="the assembly of the kernels")
    parser.add_argument("--json", action="store_true", help="print all there is as JSON instead of text")
    parser.add_argument("-o", "--output", metavar="DIR", help="write one file per stage and kernel into this folder")
    parser.add_argument("--no-data", action="store_true", help="leave out the contents of large constants")


def run(options: argparse.Namespace) -> int:
    """Print what was asked for.  Raises UsageError, and whatever the user's file raises."""
    compilation = subject.open_subject(options).compilation()
    stages = _chosen(compilation, options)
    kernels = _kernels(compilation, options)
    if options.output:
        _write(options.output, compilation, stages, kernels, options)
    elif options.json:
        _print_json(compilation, options)
    else:
        _print_text(compilation, stages, kernels, options)
    if options.kernels and not options.json:
        print("\n# memory: " + memory_summary(compilation).replace("\n", "\n# "))
    return 0


def _chosen(compilation, options: argparse.Namespace) -> list:
    """The stages to show: all, the one named, or the captured graph (of training: with the gradients written out)."""
    if options.stage == "all":
        return list(compilation.stages)
    return [selection.stage_named(compilation, options.stage or usual_stage(options))]


def usual_stage(options: argparse.Namespace) -> str:
    """The stage that commands show unless told otherwise."""
    return "simplify" if options.grad or options.train else "capture"


def _kernels(compilation, options: argparse.Namespace) -> list:
    if not (options.kernels or options.llvm or options.asm):
        return []
    if not options.only:
        return list(compilation.kernels)
    chosen = []
    for pattern in options.only:
        if not pattern.startswith("%") or options.stage in ("final", None):
            try:
                chosen += selection.matching(compilation, "final", pattern)
            except UsageError:
                continue                        # a number of another stage's
    return selection.matching_kernels(compilation, options.only, chosen)


# -- text ------------------------------------------------------------------------------------------------------

def _print_text(compilation, stages: list, kernels: list, options: argparse.Namespace) -> None:
    colour, several = colours(), len(stages) > 1
    head = parameter_table(compilation, stages[0].name)
    if head and not options.only:
        print(colour("\n".join(head)))
    for stage in stages:
        if several:
            print(colour(f"# stage {stage.title}"))
        if options.only:
            print(colour(selected_lines(compilation, stage, options.only)))
        else:
            print(colour(print_graph(stage.graph, data=not options.no_data)), end="\n" if several else "")
    for kernel in kernels:
        print("\n" + kernel_text(kernel, options.kernels, options.llvm, options.asm))


def parameter_table(compilation, stage: str) -> list[str]:
    """The Parameters of a stage, as lines of comments; none if there are no Parameters."""
    rows = [(p.name, str(p.type), p.bytes, p.requires_grad, listed(p.readers), listed(p.writers))
            for p in compilation.parameters(stage)]
    return table(("Parameter", "type", "bytes", "requires_grad", "read by", "written by"), rows, "# ") if rows else []


def selected_lines(compilation, stage, patterns: list) -> str:
    """The lines of a stage's text that the patterns mean."""
    wanted = {}
    for pattern in patterns:
        wanted |= {v.label: v for v in selection.matching(compilation, stage.name, pattern)}
    lines = [value_line(v) for v in compilation.values(stage.name) if v.label in wanted]
    return "\n".join(lines) or f"# nothing in {stage.title} is {' or '.join(patterns)}"


def value_line(value) -> str:
    """The line that defines a value, with the place that it comes from."""
    from graphcore.ir.printer import defining_line
    line = defining_line(value.graph, value.node)
    own = value.label.rpartition(".%")[0]
    return f"  {own}.{line}" if own and value.depth else f"  {line}"


def kernel_text(kernel, source: bool, llvm: bool, asm: bool) -> str:
    """What was asked for of a kernel, below a line that names it."""
    uses = (f"launched {times(len(kernel.launches))}" if kernel.launches else "called by other kernels")
    parts = [f"# kernel {kernel.name} {kernel.digest}: {uses}"]
    if source:
        parts.append(kernel.source.source.rstrip())
    if llvm:
        parts.append(f"; LLVM IR of {kernel.title}\n{kernel.llvm.rstrip()}")
    if asm:
        parts.append(f"# assembly of {kernel.title}: {kernel.code}\n{kernel.assembly.rstrip()}")
    return "\n".join(parts)


def memory_summary(compilation) -> str:
    """The size of the arena, and what holds the most of it."""
    from graphcore.inspect import memory_report
    return str(memory_report(compilation))


# -- JSON and files --------------------------------------------------------------------------------------------

def _print_json(compilation, options: argparse.Namespace) -> None:
    from graphcore.inspect import as_json
    json.dump(as_json(compilation, times=False, code=options.llvm or options.asm), sys.stdout, indent=1)
    print()


def _write(folder: str, compilation, stages: list, kernels: list, options: argparse.Namespace) -> None:
    """One file per stage that changed something and per kernel; their names, which sort in order, are printed."""
    if options.json:
        from graphcore.inspect import as_json
        data = as_json(compilation, times=False, code=options.llvm or options.asm)
        _write_file(os.path.join(folder, "compilation.json"), json.dumps(data, indent=1) + "\n")
    for stage in stages:
        head = "".join(line + "\n" for line in parameter_table(compilation, stage.name))
        _write_file(os.path.join(folder, stage.title + ".gir"),
                    head + print_graph(stage.graph, data=not options.no_data))
    for kernel in kernels:
        path = os.path.join(folder, "kernels", kernel.title)
        _write_file(path + ".py", kernel.source.source)
        if options.llvm:
            _write_file(path + ".ll", kernel.llvm)
        if options.asm:
            _write_file(path + ".s", kernel.assembly)


def _write_file(path: str, text: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    print(path)
