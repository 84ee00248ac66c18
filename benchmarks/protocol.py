"""What the driver and the runners say to each other: a line of text for a request, a line of JSON for its answer.

    about                            {"version": "2.13.0", "import_seconds": 1.2}
    check WORKLOAD MODE              {"deviation": 3e-7}          builds, compiles, and compares with what is known
    run WORKLOAD MODE SAMPLES        {"times": [0.0013, ...]}     back to the initial weights, then timed steps
    first WORKLOAD MODE              {"seconds": 0.4}             from building the net to the first result
    quit

Any answer may be ``{"unsupported": reason}`` or ``{"error": reason}`` instead.
"""
from __future__ import annotations

import json
from dataclasses import dataclass

_ARGUMENTS = {"about": 0, "check": 2, "run": 3, "first": 2, "quit": 0}


class ProtocolError(ValueError):
    """A line that is no request or no answer."""


@dataclass(frozen=True)
class Request:
    """One request; fields that the command has no use for are empty."""

    command: str
    workload: str = ""
    mode: str = ""
    samples: int = 0

    def line(self) -> str:
        """The request as a line."""
        words = (self.command, self.workload, self.mode, str(self.samples))
        return " ".join(words[:1 + _ARGUMENTS[self.command]]) + "\n"


def parse_request(line: str) -> Request:
    """The request in a line.  Raises ProtocolError for anything else."""
    words = line.split()
    if not words or words[0] not in _ARGUMENTS:
        raise ProtocolError(f"{line.strip()!r} is no request; requests are {', '.join(_ARGUMENTS)}")
    command, *arguments = words
    if len(arguments) != _ARGUMENTS[command]:
        raise ProtocolError(f"{command} takes {_ARGUMENTS[command]} arguments, got {len(arguments)}: {line.strip()!r}")
    if command != "run":
        return Request(command, *arguments)
    if not arguments[2].isdigit() or int(arguments[2]) < 1:
        raise ProtocolError(f"run takes a positive number of samples, got {arguments[2]!r}")
    return Request(command, arguments[0], arguments[1], int(arguments[2]))


def answer_line(answer: dict) -> str:
    """An answer as a line."""
    return json.dumps(answer) + "\n"


def parse_answer(line: str) -> dict:
    """The answer in a line.  Raises ProtocolError for anything else."""
    try:
        answer = json.loads(line)
    except json.JSONDecodeError:
        answer = None
    if not isinstance(answer, dict):
        raise ProtocolError(f"{line.strip()[:200]!r} is no answer")
    return answer
