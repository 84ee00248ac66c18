"""Whether a program printed the lines that MindSpore printed."""
from __future__ import annotations

import re

RELATIVE = 1e-3
_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|\.\d+(?:e[-+]?\d+)?)(?![\w])")
_TIME = re.compile(r"\d+\.\d+ ms\b")
_OBJECT = re.compile(r"<[\w.]*?(\w+) object at 0x[0-9a-f]+>")


def first_difference(printed: str, expected: str) -> str | None:
    """The first lines that differ, in words; None if there are none.

    Numbers with a point are equal to 1e-3 of the larger one, or to a unit of the last place that both show; whole
    numbers are equal.  Times (``12.3 ms``), addresses of objects and the modules of their classes, and the width of
    columns do not count.
    """
    got, want = _lines(printed), _lines(expected)
    for number, (ours, theirs) in enumerate(zip(got, want), start=1):
        if not _same(ours, theirs):
            return f"line {number}: printed  {ours}\n         expected {theirs}"
    if len(got) != len(want):
        more = got[len(want):] or want[len(got):]
        return f"printed {len(got)} lines, expected {len(want)}; the first without a partner: {more[0]}"
    return None


def _lines(text: str) -> list:
    text = _OBJECT.sub(r"<\1 object>", _TIME.sub("# ms", text))
    return [re.sub(r"([\[(]) | (?=[\])])", r"\1", " ".join(line.split())) for line in text.rstrip().splitlines()]


def _same(ours: str, theirs: str) -> bool:
    if ours == theirs:
        return True
    if _NUMBER.sub("#", ours) != _NUMBER.sub("#", theirs):
        return False
    return all(map(_close, _NUMBER.findall(ours), _NUMBER.findall(theirs)))


def _close(ours: str, theirs: str) -> bool:
    if not ({".", "e"} & set(ours) and {".", "e"} & set(theirs)):
        return float(ours) == float(theirs)
    a, b = float(ours), float(theirs)
    return abs(a - b) <= RELATIVE * max(abs(a), abs(b)) + 1.01 * max(_last_place(ours), _last_place(theirs))


def _last_place(number: str) -> float:
    """What a unit of the last digit is worth; 0 for whole floats (``3.``), which would else be equal to the next."""
    digits, _, exponent = number.partition("e")
    places = len(digits.partition(".")[2])
    return 10.0 ** (int(exponent or 0) - places) if places else 0.0
