"""Transforms of rows of tokens: lookup, n-grams, windows, truncation, numbers."""
from __future__ import annotations

import numpy as np

from graphcore.dataset.core import as_array
from graphcore.dataset.errors import DatasetError
from graphcore.dataset.text.strings import check_type, strings_of
from graphcore.dataset.text.vocab import Vocab
from graphcore.dataset.transforms.basic import numpy_dtype
from graphcore.dataset.transforms.compose import Transform

__all__ = ["AddToken", "Lookup", "Ngram", "SlidingWindow", "ToNumber", "Truncate", "TruncateSequencePair", "to_bytes",
           "to_str"]


class Lookup(Transform):
    """The numbers that a vocabulary gives words, in `data_type` (int32).

    unknown_token: the word looked up for those that are unknown.  Raises DatasetError for an unknown word without it,
    or where it is unknown itself.
    """

    def __init__(self, vocab, unknown_token=None, data_type=np.int32):
        check_type(vocab, Vocab, "vocab", "Lookup")
        if unknown_token is not None:
            check_type(unknown_token, str, "unknown_token", "Lookup")
        self.vocab, self.unknown_token, self.data_type = vocab, unknown_token, numpy_dtype(data_type)

    def __call__(self, value):
        words = strings_of(value, "Lookup")
        numbers = self.vocab.tokens_to_ids(words.ravel().tolist())
        default = -1 if self.unknown_token is None else self.vocab.tokens_to_ids(self.unknown_token)
        if default >= 0:
            numbers = [default if n < 0 else n for n in numbers]
        elif -1 in numbers:
            word = words.ravel()[numbers.index(-1)]
            raise DatasetError(f"Lookup: word {str(word)!r} is not in the vocabulary; give an unknown_token that is")
        return np.array(numbers, self.data_type).reshape(words.shape)


class Ngram(Transform):
    """All stretches of n words of a row, joined by `separator`; for several n one after the other.

    left_pad, right_pad: (word, how often) put before and after the row, at most n - 1 times.  A row that is too short
    gives an empty string.
    """

    def __init__(self, n, left_pad=("", 0), right_pad=("", 0), separator=" "):
        self.n = [n] if isinstance(n, int) else list(n)
        for size in self.n:
            check_type(size, int, "n", "Ngram")
            if size < 1:
                raise ValueError(f"Ngram: n must be positive, got {size}")
        for name, pad in (("left_pad", left_pad), ("right_pad", right_pad)):
            if not isinstance(pad, tuple) or len(pad) != 2 or [type(part) for part in pad] != [str, int]:
                raise ValueError(f"Ngram: {name} must be a tuple of a str and an int, got {pad!r}")
            if pad[1] < 0:
                raise ValueError(f"Ngram: {name} must not be negative, got {pad[1]}")
        check_type(separator, str, "separator", "Ngram")
        self.left_pad, self.right_pad, self.separator = left_pad, right_pad, separator

    def __call__(self, value):
        words = strings_of(value, "Ngram")
        if words.ndim != 1:
            raise DatasetError(f"Ngram takes a row of words, got shape {words.shape}")
        found = []
        for n in self.n:
            before, after = min(self.left_pad[1], n - 1), min(self.right_pad[1], n - 1)
            row = [self.left_pad[0]] * before + words.tolist() + [self.right_pad[0]] * after
            found += [self.separator.join(row[i:i + n]) for i in range(len(row) - n + 1)] or [""]
        return np.array(found, str)


class SlidingWindow(Transform):
    """[n - width + 1, width]: all windows of a row; none of a row that is shorter."""

    def __init__(self, width, axis=0):
        check_type(width, int, "width", "SlidingWindow")
        check_type(axis, int, "axis", "SlidingWindow")
        if width < 1:
            raise ValueError(f"SlidingWindow: width must be positive, got {width}")
        self.width, self.axis = width, axis

    def __call__(self, value):
        row = as_array(value, "SlidingWindow")
        if row.ndim != 1 or self.axis not in (0, -1):
            raise DatasetError(f"SlidingWindow takes arrays of one axis, got shape {row.shape}, axis {self.axis}")
        if len(row) < self.width:
            return row[:0]
        return np.lib.stride_tricks.sliding_window_view(row, self.width).copy()


class ToNumber(Transform):
    """Numbers of a dtype from strings.  Raises DatasetError for a string that is no number of it."""

    def __init__(self, data_type):
        self.data_type = numpy_dtype(data_type)
        if self.data_type.kind not in "iuf":
            raise TypeError(f"ToNumber makes numbers, not {self.data_type}")

    def __call__(self, value):
        words = strings_of(value, "ToNumber")
        try:
            numbers = [float(w) if self.data_type.kind == "f" else int(w) for w in words.ravel().tolist()]
            limits = None if self.data_type.kind == "f" else np.iinfo(self.data_type)
            if limits is not None and any(not limits.min <= n <= limits.max for n in numbers):
                raise ValueError(f"a number is out of the range of {self.data_type}")
        except ValueError as error:
            raise DatasetError(f"ToNumber({self.data_type}): {error}") from None
        return np.array(numbers, self.data_type).reshape(words.shape)


class Truncate(Transform):
    """The first `max_seq_len` elements of a row."""

    def __init__(self, max_seq_len):
        check_type(max_seq_len, int, "max_seq_len", "Truncate")
        if max_seq_len < 0:
            raise ValueError(f"Truncate: max_seq_len must not be negative, got {max_seq_len}")
        self.max_seq_len = max_seq_len

    def __call__(self, value):
        array = as_array(value, "Truncate")
        return array[..., :self.max_seq_len]


class TruncateSequencePair(Transform):
    """Two rows, cut at their ends, the longer one first, until they have `max_length` elements together."""

    def __init__(self, max_length):
        check_type(max_length, int, "max_length", "TruncateSequencePair")
        self.max_length = max_length

    def __call__(self, first, second):
        a, b = as_array(first, "TruncateSequencePair"), as_array(second, "TruncateSequencePair")
        if a.ndim != 1 or b.ndim != 1:
            raise DatasetError(f"TruncateSequencePair takes two rows, got shapes {a.shape} and {b.shape}")
        left, right = len(a), len(b)
        while left + right > self.max_length:
            if left > right:
                left -= 1
            else:
                right -= 1
        return a[:left], b[:right]


class AddToken(Transform):
    """A row, or rows, of words with one more at the beginning or, without `begin`, at the end."""

    def __init__(self, token, begin=True):
        check_type(token, str, "token", "AddToken")
        check_type(begin, bool, "begin", "AddToken")
        self.token, self.begin = token, begin

    def __call__(self, value):
        words = strings_of(value, "AddToken")
        if words.ndim not in (1, 2):
            raise DatasetError(f"AddToken takes words of one or two axes, got shape {words.shape}")
        token = np.full((*words.shape[:-1], 1), self.token)
        return np.concatenate([token, words] if self.begin else [words, token], -1)


def to_str(array, encoding="utf8") -> np.ndarray:
    """An array of bytes as one of str."""
    return np.char.decode(array, encoding)


def to_bytes(array, encoding="utf8") -> np.ndarray:
    """An array of str as one of bytes."""
    return np.char.encode(array, encoding)
