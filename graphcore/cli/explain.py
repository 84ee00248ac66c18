"""``graphcore explain TARGET WHAT``: the whole story of one value, line, Parameter or kernel."""
from __future__ import annotations

import argparse
import json
import sys

from graphcore.cli import selection, subject
from graphcore.cli.dump import usual_stage
from graphcore.cli.errors import UsageError, nearest
from graphcore.cli.profile import measured
from graphcore.cli.text import colours

HELP = "tell the whole story of a value, a line, a Parameter or a kernel"
EXAMPLES = subject.TARGETS + """

WHAT is %12 (a number of `graphcore dump TARGET`, of the stage that --stage names), a Parameter's name, FILE.py:LINE, a
kernel of `graphcore kernels TARGET`, or b12 (a buffer of `graphcore memory TARGET`).

examples:
  graphcore explain net.py:Net %4 --input 'f32[64,1,8,8]'
  graphcore explain net.py:Net --line net.py:15 --input 'f32[64,1,8,8]'
  graphcore explain net.py:Net --param fc1.weight --input 'f32[64,1,8,8]' --input 'i32[64]' --train
  graphcore explain net.py:Net --kernel 'fused_add_relu*' --input 'f32[64,1,8,8]'"""


def add_parser(parser: argparse.ArgumentParser) -> None:
    subject.add_arguments(parser)
    parser.add_argument("what", metavar="WHAT", nargs="*", help="what to explain; or one of these:")
    parser.add_argument("--line", metavar="FILE.py:LINE", help="a line of yours")
    parser.add_argument("--param", metavar="NAME", help="a Parameter")
    parser.add_argument("--kernel", metavar="NAME", help="a kernel; * and ? stand for letters")
    parser.add_argument("--stage", metavar="NAME", help="the stage whose numbers are meant")
    parser.add_argument("--steps", type=int, default=0, metavar="N",
                        help="measure so many runs, and tell what takes which part of the time")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def run(options: argparse.Namespace) -> int:
    """Print the stories.  Raises UsageError, and whatever the user's file raises."""
    asked = [("any", text) for text in options.what]
    asked += [(kind, text) for kind in ("line", "param", "kernel") if (text := getattr(options, kind))]
    if not asked:
        raise UsageError("say what to explain: %12, --line FILE.py:LINE, --param NAME or --kernel NAME")
    found = subject.open_subject(options)
    times = measured(found, options.steps) if options.steps > 0 else None
    compilation = times.compilation if times else found.compilation()
    stage = selection.stage_named(compilation, options.stage or usual_stage(options)).name
    stories = [story for kind, text in asked for story in stories_of(compilation, stage, kind, text, times)]
    if options.json:
        json.dump([{"title": s.title, "sections": {part.title: list(part.lines) for part in s.sections}}
                   for s in stories], sys.stdout, indent=1)
        print()
    else:
        print(colours()("\n".join(map(str, stories))), end="")
    return 0


def stories_of(compilation, stage: str, kind: str, text: str, times=None) -> list:
    """The stories of what a text means: "any" of a value, Parameter, line, kernel or buffer, or the kind given.

    Raises UsageError.
    """
    from graphcore.inspect import teller
    tell = teller(compilation, times)
    names = {p.name for p in compilation.parameters()}
    if kind == "param" or kind == "any" and text in names:
        if text not in names:
            raise UsageError(f"there is no Parameter {text!r}{nearest(text, names)}")
        return [tell.parameter(text)]
    if kind == "any" and text.startswith("%"):
        return [tell.value(v, stage) for v in selection.matching(compilation, stage, text)]
    if kind == "line" or kind == "any" and selection.line_of(text):
        if not selection.line_of(text):
            raise UsageError(f"--line: write FILE.py:LINE, not {text!r}")
        found = selection.matching(compilation, stage, text)
        if not found:
            raise UsageError(f"no value of stage {compilation.stage(stage).title} comes from {text}"
                             + selection.nearest_lines(compilation, stage, text))
        return [tell.line(found, stage, text)]
    if kind == "any" and text[:1] == "b" and text[1:].isdigit():
        found = [b for b in compilation.memory.buffers if b.number == int(text[1:])]
        if not found:
            raise UsageError(f"there is no buffer {text}; `graphcore memory TARGET --buffers` lists them")
        return [tell.buffer_story(found[0])]
    return [tell.kernel(k) for k in selection.kernels_named(compilation, text)]
