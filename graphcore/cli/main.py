"""The command ``graphcore``: one module per subcommand, errors as one line, exit code 2."""
from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from graphcore import __version__
from graphcore.capture.location import treat_as_library
from graphcore.cli.errors import nearest
from graphcore.cli.report import one_line

#: Command → its module in `graphcore.cli`, one on a line.
COMMANDS = {name: import_module(f"graphcore.cli.{module}") for name, module in {
    "run": "run",
    "launch": "launch",
    "compile": "compile",
    "import": "import_model",
    "summary": "summary",
    "dump": "dump",
    "passes": "passes",
    "kernels": "kernels",
    "memory": "memory",
    "explain": "explain",
    "diff": "diff",
    "graph": "graph",
    "run-ir": "run_ir",
    "profile": "profile",
    "view": "view",
    "tune": "tune",
    "env": "env",
    "cache": "cache",
    "completion": "completion",
}.items()}


class _Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line, without the usage before it."""

    def error(self, message: str):
        word = message.split("'")[1] if message.startswith("argument COMMAND: invalid choice: '") else None
        if word is not None:
            message = f"there is no command {word!r}{nearest(word, COMMANDS) or '; there are ' + ', '.join(COMMANDS)}"
        self.exit(2, f"{self.prog}: error: {message}\n")


def make_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = _Parser(prog="graphcore", description="Look into compiled nets, and run MindSpore scripts.",
                     epilog="Exit codes: 0; 1 for differences or damage that was found; 2 for what could not be done.")
    parser.add_argument("--version", action="version", version=f"graphcore {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, module in COMMANDS.items():
        module.add_parser(commands.add_parser(name, help=module.HELP, description=module.HELP, epilog=module.EXAMPLES,
                                              formatter_class=argparse.RawDescriptionHelpFormatter))
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    parser = make_parser()
    arguments, rest = parser.parse_known_args(argv)
    if rest and (any(word.startswith("-") for word in rest) or not isinstance(getattr(arguments, "what", None), list)):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:
        arguments.what += rest          # positional arguments behind options
    launcher = getattr(sys.modules["__main__"], "__file__", None)
    if launcher:
        treat_as_library(launcher)      # bin/graphcore is no caller of the user's code
    try:
        code = COMMANDS[arguments.command].run(arguments)
        sys.stdout.flush()
        return code
    except BrokenPipeError:     # the reader (head, less) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if getattr(arguments, "traceback", False):
            raise
        print(f"graphcore {arguments.command}: error: {one_line(error)}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
