"""``graphcore memory TARGET``: the arena over the steps of a program, what holds it at the peak, what is reused."""
from __future__ import annotations

import argparse
import json
import sys

from graphcore.cli import subject
from graphcore.cli.text import listed, size, table

HELP = "show the memory of a net over the steps of its program"
EXAMPLES = subject.TARGETS + """

examples:
  graphcore memory net.py:Net --input 'f32[64,1,8,8]'
  graphcore memory net.py:Net --input 'f32[64,1,8,8]' --input 'i32[64]' --train --buffers"""

_BAR = 40           # characters of the longest bar
_MOST_ROWS = 32     # of the chart: neighbouring steps share a row where there are more


def add_parser(parser: argparse.ArgumentParser) -> None:
    subject.add_arguments(parser)
    parser.add_argument("--buffers", action="store_true", help="list every buffer with its place and its life")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def run(options: argparse.Namespace) -> int:
    """Print the memory.  Raises UsageError, and whatever the user's file raises."""
    compilation = subject.open_subject(options).compilation()
    if options.json:
        from graphcore.inspect import as_json
        json.dump(as_json(compilation)["memory"], sys.stdout, indent=1)
        print()
        return 0
    memory = compilation.memory
    labels = {v.node: v.label for v in reversed(compilation.values("final"))}
    print(_summary(compilation))
    print("\n".join(_chart(memory)))
    print(f"\nheld at step {memory.peak_at}:")
    print("\n".join(_buffer_table(memory.holding(), labels)))
    if options.buffers:
        print("\nall buffers:")
        print("\n".join(_buffer_table(memory.buffers, labels)))
    reused = [b for b in memory.buffers if b.takes_over]
    if reused:
        names = {b.number: b for b in memory.buffers}
        print(f"\nwritten in place of what dies in the same step: {len(reused)} buffers, "
              f"{size(sum(b.bytes for b in reused))}")
        print("\n".join(table(("buffer", "value", "takes over", "value", "bytes"), [
            (f"b{b.number}", _held(b, labels), f"b{b.takes_over}", _held(names[b.takes_over], labels), size(b.bytes))
            for b in reused])))
    return 0


def _summary(compilation) -> str:
    from graphcore.inspect import memory_report
    memory, report = compilation.memory, memory_report(compilation)
    sizes = "".join(f", {name}={value}" for name, value in compilation.binding.items())
    return (f"arena {size(memory.arena)}, most in use {size(memory.peak)} at step {memory.peak_at} of "
            f"{len(memory.steps)}; Parameters {size(report.parameters)}, weights derived from them "
            f"{size(report.derived)}{sizes}")


def _chart(memory) -> list[str]:
    """A bar for each step, or for each few steps the highest one."""
    together = -(-len(memory.steps) // _MOST_ROWS) or 1
    lines = []
    for start in range(0, len(memory.steps), together):
        rows = memory.steps[start:start + together]
        top = max(rows, key=lambda s: s.used)
        bar = "#" * round(_BAR * top.used / memory.peak) if memory.peak else ""
        mark = "  <- most" if any(s.number == memory.peak_at for s in rows) else ""
        lines.append(f"{top.number:5d}  {bar.ljust(_BAR)}  {size(top.used):>10}  {top.title}{mark}")
    return lines


def _buffer_table(buffers, labels: dict) -> list[str]:
    rows = [(f"b{b.number}", b.name, _held(b, labels), b.kind + (f" {b.key}" if b.key else ""), size(b.bytes),
             b.offset, f"{b.first}-{b.last}" if b.first else "-") for b in buffers]
    return table(("buffer", "made by", "value", "where", "bytes", "offset", "steps"), rows)


def _held(buffer, labels: dict) -> str:
    return listed([labels[n] for n in buffer.nodes if n in labels], 2)
