"""``graphcore kernels TARGET``: the kernels of a net: how often they run, how much they do, what was fused in them."""
from __future__ import annotations

import argparse
import json
import sys

from graphcore.cli import selection, subject
from graphcore.cli.dump import kernel_text
from graphcore.cli.text import listed, number, size, table

HELP = "list the kernels of a net, with their work and what was fused in them"
EXAMPLES = subject.TARGETS + """

examples:
  graphcore kernels net.py:Net --input 'f32[64,1,8,8]'
  graphcore kernels net.py:Net --input 'f32[64,1,8,8]' --code
  graphcore kernels net.py:Net --input 'f32[64,1,8,8]' --source 'fused_add*'
  graphcore kernels net.py:Net --input 'f32[64,1,8,8]' --asm conv2d_f32"""


def add_parser(parser: argparse.ArgumentParser) -> None:
    subject.add_arguments(parser)
    parser.add_argument("--source", metavar="NAME", help="print the source of these kernels; * and ? stand for letters")
    parser.add_argument("--llvm", metavar="NAME", help="print the LLVM IR of these kernels, optimised")
    parser.add_argument("--asm", metavar="NAME",
                        help="print the assembly of these kernels, with vector width, spilled registers and the share "
                             "of fused multiply-adds")
    parser.add_argument("--code", action="store_true", help="add columns about the machine code")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def run(options: argparse.Namespace) -> int:
    """Print the table, or the kernels named.  Raises UsageError, and whatever the user's file raises."""
    compilation = subject.open_subject(options).compilation()
    asked = [(pattern, kind) for pattern, kind in ((options.source, "source"), (options.llvm, "llvm"),
                                                   (options.asm, "asm")) if pattern]
    if options.json:
        from graphcore.inspect import as_json
        data = as_json(compilation, code=options.code)
        json.dump({key: data[key] for key in ("kernels", "launches")}, sys.stdout, indent=1)
        print()
    elif asked:
        parts = [kernel_text(k, kind == "source", kind == "llvm", kind == "asm")
                 for pattern, kind in asked for k in selection.kernels_named(compilation, pattern)]
        print("\n\n".join(parts))
    else:
        _print_table(compilation, options.code)
    return 0


def _print_table(compilation, code: bool) -> None:
    headings = ["kernel", "launches", "items", "flops", "bytes", "computes"]
    if code:
        headings[5:5] = ["vector bits", "spills", "in loops", "fused multiply-adds"]
    rows = []
    for k in compilation.kernels:
        launches = len(k.launches) if k.launches else f"in {len(k.called_in)}"
        row = [k.title, launches, number(k.items), number(k.flops), size(k.bytes), listed(k.operators, 8)]
        if code:
            row[5:5] = [k.code.vector_bits, k.code.spills, k.code.spills_in_loops, f"{k.code.fused_share:.0%}"]
        rows.append(row)
    print("\n".join(table(headings, rows)))
    every = [entry for entry in compilation.launches if not entry.in_prologue]
    before = len(compilation.launches) - len(every)
    flops, moved = sum(entry.flops for entry in every), sum(entry.bytes for entry in every)
    print(f"{len(every)} launches in every run" + (f", {before} before the first" if before else "")
          + f"; {number(flops)} flops, {size(moved)} moved"
          + "; 'in 3': called by the kernels of 3 launches" * any(not k.launches for k in compilation.kernels))
