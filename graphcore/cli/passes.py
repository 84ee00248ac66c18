"""``graphcore passes TARGET``: what each pass of the compiler did, and with ``--diff`` what one of them changed."""
from __future__ import annotations

import argparse
import json
import sys

from graphcore.cli import subject
from graphcore.cli.errors import UsageError, nearest
from graphcore.cli.text import colours, table
from graphcore.ir.printer import defining_line

HELP = "list the passes of the compiler and what each of them changed"
EXAMPLES = subject.TARGETS + """

examples:
  graphcore passes net.py:Net --input 'f32[64,1,8,8]'
  graphcore passes net.py:Net --input 'f32[64,1,8,8]' --input 'i32[64]' --train
  graphcore passes net.py:Net --input 'f32[64,1,8,8]' --diff fold_affine"""


def add_parser(parser: argparse.ArgumentParser) -> None:
    subject.add_arguments(parser)
    parser.add_argument("--diff", metavar="NAME", help="show what this pass changed, node by node")
    parser.add_argument("--all", action="store_true", help="also the passes that changed nothing")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def run(options: argparse.Namespace) -> int:
    """Print the table, or one pass.  Raises UsageError, and whatever the user's file raises."""
    compilation = subject.open_subject(options).compilation()
    if options.json:
        from graphcore.inspect import as_json
        json.dump(as_json(compilation)["passes"], sys.stdout, indent=1)
        print()
    elif options.diff:
        _print_changes(_named(compilation, options.diff))
    else:
        _print_table(compilation, options.all)
    return 0


def _named(compilation, name: str):
    for p in compilation.passes:
        if name in (p.name, p.title, str(p.number)):
            return p
    names = [p.name for p in compilation.passes]
    raise UsageError(f"there is no pass {name!r}{nearest(name, names)} (passes: {', '.join(names)})")


def _print_table(compilation, everything: bool) -> None:
    rows = [(p.title, len(p.before.nodes), len(p.after.nodes), f"+{len(p.made) - len(p.carried)} -{len(p.replaced)}",
             round(1e3 * p.seconds, 1), _rules(p)) for p in compilation.passes if p.changed or everything]
    print("\n".join(table(("pass", "nodes before", "after", "changed", "ms", "rules that fired"), rows)))
    idle = sum(not p.changed for p in compilation.passes)
    if idle and not everything:
        print(f"{idle} other passes changed nothing (--all lists them)")
    memory = compilation.memory
    print(f"planned: {sum(not entry.in_prologue for entry in compilation.launches)} launches of "
          f"{len(compilation.kernels)} kernels, arena {memory.arena:,} bytes")


def _rules(p) -> str:
    return ", ".join(rule if count == 1 else f"{rule} x{count}" for rule, count in p.rules.most_common())


def _print_changes(p) -> None:
    """What a pass made, and from what; then what is gone without a successor.

    Nodes that stay what they were, over operands that have changed, are left out.
    """
    colour = colours()
    print(f"# {p.title}: {len(p.before.nodes)} nodes before, {len(p.after.nodes)} after"
          + (f"; rules: {_rules(p)}" if p.rewrites else "" if p.changed else "; nothing changed"))
    removed, named = set(p.replaced), set()
    rules = {r.new: r.rule for r in reversed(p.rewrites)}
    for n in p.made:
        if n.is_leaf or n in p.carried:
            continue
        for source in p.came_from.get(n, ()):
            if source in removed and source not in named and not source.is_leaf:
                named.add(source)
                print(colour(f"- {defining_line(p.before, source)}"))
        print(colour(f"+ {defining_line(p.after, n)}") + (f"    [{rules[n]}]" if n in rules else ""))
    for n in p.replaced:
        if n not in named and not n.is_leaf:
            print(colour(f"- {defining_line(p.before, n)}"))
