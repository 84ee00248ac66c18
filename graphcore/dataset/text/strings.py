"""What the transforms of text share: strings of arrays, and tokens with their places."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np

from graphcore.dataset.core import as_array
from graphcore.dataset.errors import DatasetError
from graphcore.dataset.transforms.compose import Transform


def strings_of(value, name: str) -> np.ndarray:
    """An array of str from one, from bytes (UTF-8), or from lists.  Raises DatasetError for anything else."""
    array = as_array(value, name)
    if array.dtype.kind == "S":
        array = np.char.decode(array, "utf-8")
    if array.dtype.kind == "O":
        array = array.astype(str)
    if array.dtype.kind != "U":
        raise DatasetError(f"{name} takes strings, got {array.dtype}")
    return array


def one_string(value, name: str) -> str:
    """The string of a 0-d array.  Raises DatasetError for an array with axes."""
    array = strings_of(value, name)
    if array.ndim:
        raise DatasetError(f"{name} takes one string, got an array of shape {array.shape}")
    return str(array)


def mapped(function: Callable, value, name: str) -> np.ndarray:
    """``function(string)`` for each string of an array."""
    array = strings_of(value, name)
    return np.array([function(s) for s in array.ravel().tolist()] or np.zeros(0, str), str).reshape(array.shape)


def check_type(value, kind, argument: str, owner: str) -> None:
    """Raise TypeError unless `value` is of a type; a bool is no int here."""
    if not isinstance(value, kind) or isinstance(value, bool) and kind is int:
        name = kind.__name__ if isinstance(kind, type) else " or ".join(k.__name__ for k in kind)
        raise TypeError(f"{owner}: {argument} must be of type {name}, got {type(value).__name__}")


class Tokenizer(Transform):
    """Base of tokenizers: subclasses give the spans of tokens, (begin, end) in characters.

    with_offsets: the result is (tokens, where each begins, where it ends), in bytes of UTF-8, uint32.
    A string without tokens gives one empty token.
    """

    def __init__(self, with_offsets: bool = False):
        check_type(with_offsets, bool, "with_offsets", type(self).__name__)
        self.with_offsets = with_offsets

    def spans(self, text: str) -> list:
        """[(begin, end)] of the tokens of a string."""
        raise NotImplementedError(f"{type(self).__name__} must define spans(self, text)")

    def __call__(self, value):
        text = one_string(value, type(self).__name__)
        spans = self.spans(text) or [(0, 0)]
        return self._result([text[a:b] for a, b in spans], [(byte_length(text[:a]), byte_length(text[:b]))
                                                            for a, b in spans])

    def _result(self, tokens: list, places: list):
        array = np.array(tokens, str)
        if not self.with_offsets:
            return array
        begins, ends = np.array(places, np.uint32).reshape(-1, 2).T
        return array, np.ascontiguousarray(begins), np.ascontiguousarray(ends)


def byte_length(text: str) -> int:
    """The bytes of a string in UTF-8."""
    return len(text.encode("utf-8"))


def runs(text: str, kind: Callable) -> list:
    """(begin, end, kind) of the longest stretches of characters of one kind."""
    found: list = []
    for i, character in enumerate(text):
        of = kind(character)
        if found and found[-1][2] == of:
            found[-1][1] = i + 1
        else:
            found.append([i, i + 1, of])
    return found
