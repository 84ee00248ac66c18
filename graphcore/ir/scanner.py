"""What reading IR text needs below the grammar: a cursor with readable errors, and the text form of sizes."""
from __future__ import annotations

import re

from graphcore.errors import FormatError, ShapeError
from graphcore.ir.dims import Dim

MAX_DEPTH = 32            # of tuples, types and regions inside each other
_MAX_SIZE = 120           # characters of one symbolic size

_BLANK = re.compile(r"(?:\s+|#[^\n]*)*")
_FACTOR = re.compile(r"[0-9]+|[A-Za-z_][A-Za-z0-9_]*|\(")
_DIVISOR = re.compile(r"\)//([1-9][0-9]{0,17})")


class Cursor:
    """A position in a text; blanks and comments are skipped before everything that is read."""

    def __init__(self, text: str):
        self.text, self.at = text, 0

    def error(self, message: str) -> FormatError:
        return FormatError(f"line {self.text.count(chr(10), 0, self.at) + 1}: {message}")

    def expected(self, what: str) -> FormatError:
        self.skip()
        found = self.text[self.at:self.at + 24].split("\n")[0]
        return self.error(f"expected {what}, found {found!r}" if found else f"expected {what}, found the end")

    def skip(self) -> None:
        self.at = _BLANK.match(self.text, self.at).end()

    def accept(self, token: str) -> bool:
        self.skip()
        if self.text.startswith(token, self.at):
            self.at += len(token)
            return True
        return False

    def expect(self, token: str, where: str = "") -> None:
        if not self.accept(token):
            raise self.expected(f"{token!r}{where}")

    def take(self, pattern: re.Pattern, what: str) -> re.Match:
        match = self.peek(pattern)
        if match is None:
            raise self.expected(what)
        self.at = match.end()
        return match

    def peek(self, pattern: re.Pattern) -> re.Match | None:
        self.skip()
        return pattern.match(self.text, self.at)

    def end(self) -> None:
        self.skip()
        if self.at != len(self.text):
            raise self.expected("the end after the graph's '}'")

    def within(self, depth: int) -> int:
        if depth >= MAX_DEPTH:
            raise self.error(f"more than {MAX_DEPTH} levels inside each other")
        return depth + 1


def parse_size(text: str) -> int | Dim:
    """Read what `str(size)` writes: ``64``, ``N``, ``2*N*M-1``, ``(N+1)//2``.  Raises FormatError."""
    text = text.strip()
    if text.isdecimal() and text.isascii() and len(text) <= 18:
        return int(text)
    if not text or len(text) > _MAX_SIZE:
        raise FormatError(f"{text[:40]!r} is not a size")
    try:
        size, end = _sum(text, 0, 0)
    except ShapeError as error:
        raise FormatError(f"{text!r} is not a size: {error}") from None
    if end != len(text):
        raise FormatError(f"{text!r} is not a size: {text[end:]!r} is left over")
    return size


def _sum(text: str, at: int, depth: int):
    total = 0
    while True:
        sign = -1 if text.startswith("-", at) else 1
        if text.startswith(("+", "-"), at):
            at += 1
        term, at = _factor(text, at, depth)
        while text.startswith("*", at):
            factor, at = _factor(text, at + 1, depth)
            term = term * factor
        total = total + sign * term
        if not text.startswith(("+", "-"), at):
            return total, at


def _factor(text: str, at: int, depth: int):
    match = _FACTOR.match(text, at)
    if match is None or depth > 4:
        raise FormatError(f"{text!r} is not a size")
    if match[0] != "(":
        return (int(match[0]) if match[0].isdecimal() else Dim.symbol(match[0])), match.end()
    inner, at = _sum(text, match.end(), depth + 1)
    divisor = _DIVISOR.match(text, at)
    if divisor is None:
        raise FormatError(f"{text!r} is not a size: a bracket is followed by ')//' and a number")
    return inner // int(divisor[1]), divisor.end()
