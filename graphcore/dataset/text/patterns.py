"""Regular expressions in ICU's way of writing them, which MindSpore takes: Python's, and ``\\p{Han}`` or ``\\p{P}``."""
from __future__ import annotations

import re
import sys
import unicodedata
from functools import lru_cache

from graphcore.dataset.text.strings import Tokenizer, check_type, mapped
from graphcore.dataset.transforms.compose import Transform

__all__ = ["FilterWikipediaXML", "RegexReplace", "RegexTokenizer", "translated"]

_HAN = ("\u2e80-\u2fd5\u3005\u3007\u3021-\u3029\u3038-\u303b\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
        "\U00020000-\U0002fa1f\U00030000-\U0003134f")
_PROPERTY = re.compile(r"\\p\{(\w+)\}")


@lru_cache(maxsize=256)
def translated(pattern: str) -> re.Pattern:
    """A pattern for `re`.  Raises ValueError for one that is none."""
    try:
        return re.compile(_PROPERTY.sub(lambda m: _members(m[1], _inside_a_set(pattern[:m.start()])), pattern))
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression that graphcore knows: {error}") from None


def _inside_a_set(before: str) -> bool:
    opened = re.sub(r"\\.", "", before)
    return opened.rfind("[") > opened.rfind("]")


@lru_cache(maxsize=64)
def _members(name: str, inside: bool) -> str:
    """The characters of a Unicode category ("P", "Lu" ...) or of the script Han, as ranges of a set."""
    if name == "Han":
        ranges = _HAN
    else:
        codes = [c for c in range(sys.maxunicode + 1) if unicodedata.category(chr(c)).startswith(name)]
        if not codes:
            raise ValueError(f"\\p{{{name}}} is not known; use a category of Unicode, such as L, P or Nd, or Han")
        ranges, begin = "", codes[0]
        for code, following in zip(codes, [*codes[1:], -1]):
            if following != code + 1:
                ranges += f"\\U{begin:08x}-\\U{code:08x}"
                begin = following
    return ranges if inside else f"[{ranges}]"


class RegexReplace(Transform):
    """Strings with what `pattern` matches replaced; ``$1`` in `replace` is the first group.

    replace_all: all matches, otherwise the first.
    """

    def __init__(self, pattern, replace, replace_all=True):
        check_type(pattern, str, "pattern", "RegexReplace")
        check_type(replace, str, "replace", "RegexReplace")
        check_type(replace_all, bool, "replace_all", "RegexReplace")
        self.pattern, self.replace, self.replace_all = pattern, replace, replace_all

    def __call__(self, value):
        pattern = translated(self.pattern)
        replacement = re.sub(r"\$(\d+)", r"\\g<\1>", self.replace.replace("\\", "\\\\"))
        return mapped(lambda text: pattern.sub(replacement, text, 0 if self.replace_all else 1), value, "RegexReplace")


class RegexTokenizer(Tokenizer):
    """The parts of a string between matches of `delim_pattern`, and those matches that `keep_delim_pattern` matches."""

    def __init__(self, delim_pattern, keep_delim_pattern="", with_offsets=False):
        super().__init__(with_offsets)
        check_type(delim_pattern, str, "delim_pattern", "RegexTokenizer")
        check_type(keep_delim_pattern, str, "keep_delim_pattern", "RegexTokenizer")
        self.delim_pattern, self.keep_delim_pattern = delim_pattern, keep_delim_pattern

    def spans(self, text):
        found, begin = [], 0
        for match in translated(self.delim_pattern).finditer(text):
            if match.start() > begin:
                found.append((begin, match.start()))
            if self.keep_delim_pattern and translated(self.keep_delim_pattern).fullmatch(match[0]):
                found.append(match.span())
            begin = match.end()
        return found + [(begin, len(text))] if begin < len(text) else found


_WIKIPEDIA = (
    (r"<.*>", ""), (r"&[a-z]+;|&#\d+;", " "), (r"\[http:[^] ]*", "["), (r"\|(thumb|left|right|\d+px)", ""),
    (r"\[\[image:[^\[\]]*\|", ""), (r"\[\[category:([^|\]]*)[^]]*\]\]", r"[[\1]]"), (r"\[\[[a-z\-]*:[^\]]*\]\]", ""),
    (r"\[\[[^\|\]]*\|", "[["), (r"\{\{[^\}]*\}\}", ""), (r"\{[^\}]*\}", ""), (r"\[|\]", ""),
)
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


class FilterWikipediaXML(Transform):
    """Text of a Wikipedia dump as words of small letters a to z with single spaces between; markup is dropped, digits
    are spelt out.
    """

    def __call__(self, value):
        return mapped(_plain_words, value, "FilterWikipediaXML")


def _plain_words(text: str) -> str:
    text = text.lower()
    for pattern, replacement in _WIKIPEDIA:
        text = re.sub(pattern, replacement, text)
    for digit, name in enumerate(_DIGITS):
        text = text.replace(str(digit), f" {name} ")
    return re.sub(r"[^a-z]+", " ", text).strip()
