"""``graphcore summary FILE.py:NAME``: the Cells of a net with output types, Parameters, multiply-adds and memory."""
from __future__ import annotations

import argparse
import json

from graphcore.cli import mindspore_hook, subject, targets
from graphcore.cli.errors import UsageError

HELP = "list the Cells of a net: outputs, Parameters, multiply-adds, memory"
EXAMPLES = """\
NAME is as for `graphcore dump`, but a net.  Nothing is computed.

examples:
  graphcore summary net.py:Net --input 'f32[1,3,224,224]'
  graphcore summary net.py:Net --input 'f32[N,3,224,224]' --depth 2
  graphcore summary net.py:make_net --input 'i32[8,128]' --json"""


def add_parser(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", metavar="FILE.py:NAME", help="the net")
    subject.add_inputs(parser)
    parser.add_argument("--depth", type=int, metavar="N", help="leave out Cells that lie in more than N others")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--traceback", action="store_true", help="show the whole traceback of an error")


def run(options: argparse.Namespace) -> int:
    """Print the table.  Raises UsageError, and whatever the user's file raises."""
    from graphcore.net_summary import summary
    types = [subject.read_input(text)[0] for text in options.inputs]
    mindspore_hook.install()
    name = options.target.rpartition(":")[2]
    net, is_cell = targets.make_callable(targets.load_target(options.target), name)
    if not is_cell:
        raise UsageError(f"{name} is a function; a summary is of a net: name a Cell, or a function that makes one")
    targets.check_inputs(net.construct, types, f"{name}.construct")
    found = summary(net, *types)
    print(json.dumps(found.as_dict(), indent=1) if options.json else found.table(options.depth))
    return 0
