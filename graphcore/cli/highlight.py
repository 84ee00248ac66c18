"""Colours for IR text and kernel sources on a terminal."""
from __future__ import annotations

import os
import re
import sys

_RESET = "\x1b[0m"
_STYLES = {"comment": "\x1b[2m", "keyword": "\x1b[1;35m", "value": "\x1b[36m", "operator": "\x1b[1;34m",
           "type": "\x1b[32m", "attributes": "\x1b[33m"}
_TOKEN = re.compile(
    r"(?P<comment>#.*$)"
    r"|(?P<keyword>^\s*(?:graph|param|const|update|effect|return|data)\b|\bgraph(?= ))"
    r"|(?P<operator>(?<== )[a-z_][a-z0-9_]*(?=\())"
    r"|(?P<value>%(?:[A-Za-z0-9_.]+|`(?:[^`\\]|\\.)*`))"
    r"|(?P<type>\b(?:bool|b?f\d+|[iu]\d+)(?:\[[^\]\n]*\])?)"
    r"|(?P<attributes>\b[a-z_]+(?==))", re.M)


def wanted(stream=None) -> bool:
    """Whether `stream` (standard output) is a terminal whose user has not asked for plain text with NO_COLOR."""
    stream = stream or sys.stdout
    return (not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
            and bool(getattr(stream, "isatty", None)) and stream.isatty())


def graph(text: str) -> str:
    """IR text with terminal colours."""
    return _TOKEN.sub(lambda m: f"{_STYLES[m.lastgroup]}{m[0]}{_RESET}", text)
