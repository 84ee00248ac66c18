"""``graphcore view TARGET``: everything about a compilation as one HTML page, to be opened in a browser."""
from __future__ import annotations

import argparse
from pathlib import Path

from graphcore.cli import subject
from graphcore.cli.profile import measured
from graphcore.cli.text import size
from graphcore.files.atomic import atomic_write

HELP = "write a page that shows the graph, every pass, kernels, assembly and memory"
EXAMPLES = subject.TARGETS + """

The page is one file and needs no network: the graph by Cells, folding and unfolding; every pass as a step with what it
changed; source beside IR beside kernel beside assembly, with one selection in all of them; the arena over time.

examples:
  graphcore view net.py:Net --input 'f32[64,1,8,8]' -o net.html
  graphcore view net.py:Net --input 'f32[64,1,8,8]' --grad --no-code --profile 20 -o net.html"""


def add_parser(parser: argparse.ArgumentParser) -> None:
    subject.add_arguments(parser)
    parser.add_argument("--no-code", action="store_true",
                        help="leave out the assembly, which takes most of the time to make")
    parser.add_argument("--profile", metavar="STEPS", type=int,
                        help="also measure so many runs, to show where the time goes")
    parser.add_argument("-o", "--output", metavar="FILE.html", help="the file to write (default: NAME.html)")


def run(options: argparse.Namespace) -> int:
    """Write the page.  Raises UsageError, and whatever the user's file raises."""
    from graphcore.inspect import as_json
    from graphcore.viewer import page
    found = subject.open_subject(options)
    data = as_json(found.compilation(), code=not options.no_code)
    if options.profile:
        data["profile"] = {"launches": measured(found, options.profile).by_launch()}
    for kernel in data["kernels"]:
        kernel.pop("llvm", None)        # between the source and the assembly, and larger than both
    path = Path(options.output or f"{found.name}.html")
    with atomic_write(path) as file:
        file.write(page(data, found.name).encode())
    print(f"{path}  {size(path.stat().st_size)}")
    return 0
