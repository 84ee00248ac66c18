"""Whether what an example printed is what its docstring says."""
from __future__ import annotations

import re

_NUMBER = re.compile(r"(?<![A-Za-z_\d.])[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|inf|nan)"
                     r"(?![A-Za-z_\d])")
_VALUES = re.compile(r"(?<!shape=)\[[^\[\]()=]*\]")      # the innermost brackets of an array
RELATIVE, ABSOLUTE = 1e-4, 1e-4


def same(printed: str, expected: str, is_random: bool = False) -> bool:
    """Texts are compared without white space, commas and quotes, numbers in them to 1e-4.

    Where `is_random`, the elements of arrays may differ, and so may a lone number with a point; how many elements there
    are, and what stands around them, may not.
    """
    if _equal(_parts(printed), _parts(expected)):
        return True
    return is_random and _equal(_parts(_without_values(printed)), _parts(_without_values(expected)))


def _parts(text: str) -> list:
    """Words (str) and numbers (float) of a text in turn."""
    text = text.replace("<BLANKLINE>", " ")
    text = re.sub(r"(?<=[\d.])([-+])(?=[\d.])", r" \1", re.sub(r"(?<=[\d.])j(?!\w)", " j ", text))     # complex numbers
    text = text.replace("\\n", " ").replace("array(", "(").replace("...", " ... ")
    parts, end = [], 0
    for number in _NUMBER.finditer(text):
        parts += _words(text[end:number.start()])
        parts.append(float(number[0]))
        end = number.end()
    return parts + _words(text[end:])


def _words(text: str) -> list:
    found = re.sub(r"[\s,'\"]+", "", text)
    return [found] if found else []


def _without_values(text: str) -> str:
    if re.fullmatch(r"\s*-?\d*\.\d*(e[-+]\d+)?\s*", text):
        return "number"
    return _VALUES.sub(lambda array: f"[{len(_NUMBER.findall(array[0]))}]", text)


def _equal(got: list, want: list) -> bool:
    return len(got) == len(want) and all(_close(a, b) for a, b in zip(got, want, strict=True))


def _close(a, b) -> bool:
    if isinstance(a, str) or isinstance(b, str):
        return a == b
    return a == b or a != a and b != b or abs(a - b) <= ABSOLUTE * min(1.0, max(abs(b), 1e-2)) + RELATIVE * abs(b)
