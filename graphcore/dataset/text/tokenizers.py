"""Tokenizers: strings cut into words, characters, pieces of words; and their normal forms."""
from __future__ import annotations

import enum
import re
import unicodedata

import numpy as np

from graphcore.dataset.text.patterns import translated
from graphcore.dataset.text.strings import Tokenizer, byte_length, check_type, mapped, one_string, runs, strings_of
from graphcore.dataset.text.vocab import Vocab
from graphcore.dataset.transforms.compose import Transform

__all__ = ["BasicTokenizer", "BertTokenizer", "CaseFold", "NormalizeForm", "NormalizeUTF8", "PythonTokenizer",
           "UnicodeCharTokenizer", "UnicodeScriptTokenizer", "WhitespaceTokenizer", "WordpieceTokenizer"]


class NormalizeForm(enum.IntEnum):
    """Unicode's normal forms."""

    NONE = 0
    NFC = 1
    NFKC = 2
    NFD = 3
    NFKD = 4


def _normalized(text: str, form: NormalizeForm) -> str:
    return text if form is NormalizeForm.NONE else unicodedata.normalize(form.name, text)


class CaseFold(Transform):
    """Strings without differences of case."""

    def __call__(self, value):
        return mapped(str.casefold, value, "CaseFold")


class NormalizeUTF8(Transform):
    """Strings in one of Unicode's normal forms."""

    def __init__(self, normalize_form=NormalizeForm.NFKC):
        check_type(normalize_form, NormalizeForm, "normalize_form", "NormalizeUTF8")
        self.normalize_form = normalize_form

    def __call__(self, value):
        return mapped(lambda text: _normalized(text, self.normalize_form), value, "NormalizeUTF8")


class WhitespaceTokenizer(Tokenizer):
    """The words between whitespace."""

    def spans(self, text):
        return [(a, b) for a, b, space in runs(text, str.isspace) if not space]


class UnicodeCharTokenizer(Tokenizer):
    """The characters."""

    def spans(self, text):
        return [(i, i + 1) for i in range(len(text))]


def _script(character: str) -> str:
    """Roughly the script of a character: the first word of a letter's name; all else but accents is common to all."""
    category = unicodedata.category(character)
    if category[0] == "L":
        return unicodedata.name(character, "COMMON").replace("FULLWIDTH ", "").replace("HALFWIDTH ", "").split()[0]
    return "INHERITED" if category[0] == "M" else "COMMON"


class UnicodeScriptTokenizer(Tokenizer):
    """The stretches of characters of one script; those of whitespace are left out unless `keep_whitespace`."""

    def __init__(self, keep_whitespace=False, with_offsets=False):
        super().__init__(with_offsets)
        check_type(keep_whitespace, bool, "keep_whitespace", "UnicodeScriptTokenizer")
        self.keep_whitespace = keep_whitespace

    def spans(self, text):
        return [(a, b) for a, b, kind in runs(text, lambda c: "SPACE" if c.isspace() else _script(c))
                if kind != "SPACE" or self.keep_whitespace]


class PythonTokenizer(Transform):
    """What a function of a str gives, a list of str."""

    def __init__(self, tokenizer):
        if not callable(tokenizer):
            raise TypeError(f"PythonTokenizer: tokenizer must be callable, got {type(tokenizer).__name__}")
        self.tokenizer = tokenizer

    def __call__(self, value):
        if not isinstance(value, np.ndarray):
            raise TypeError(f"PythonTokenizer takes a NumPy array, got {type(value).__name__}")
        return np.array(self.tokenizer(one_string(value, "PythonTokenizer")), str)


_UNUSED = r"\[CLS\]|\[SEP\]|\[UNK\]|\[PAD\]|\[MASK\]|\[unused\d+\]"
_CUTS = (r"\s+|[!-/]|[:-@]|[\[-`]|[{-~]|\p{P}|[\u4E00-\u9FFF]|[\u3400-\u4DBF]|[\U00020000-\U0002A6DF]"
         r"|[\U0002A700-\U0002B73F]|[\U0002B740-\U0002B81F]|[\U0002B820-\U0002CEAF]|[\uF900-\uFAFF]"
         r"|[\U0002F800-\U0002FA1F]")


class BasicTokenizer(Tokenizer):
    """Words, marks of punctuation, and single CJK characters, as BERT cuts text before it looks for pieces of words.

    lower_case: without differences of case and accents; otherwise in `normalization_form`.  keep_whitespace: it makes
    tokens too.  preserve_unused_token: [CLS], [SEP], [UNK], [PAD], [MASK] and [unused1] ... stay whole.
    Places of tokens are those in the normalized string.
    """

    def __init__(self, lower_case=False, keep_whitespace=False, normalization_form=NormalizeForm.NONE,
                 preserve_unused_token=True, with_offsets=False):
        super().__init__(with_offsets)
        name = type(self).__name__
        check_type(lower_case, bool, "lower_case", name)
        check_type(keep_whitespace, bool, "keep_whitespace", name)
        check_type(normalization_form, NormalizeForm, "normalization_form", name)
        check_type(preserve_unused_token, bool, "preserve_unused_token", name)
        self.lower_case, self.keep_whitespace = lower_case, keep_whitespace
        self.normalization_form, self.preserve_unused_token = normalization_form, preserve_unused_token

    def __call__(self, value):
        return super().__call__(self._prepared(one_string(value, type(self).__name__)))

    def _prepared(self, text: str) -> str:
        parts = re.split(f"({_UNUSED})", text) if self.preserve_unused_token else [text]
        return "".join(part if i % 2 else self._plain(part) for i, part in enumerate(parts))

    def _plain(self, text: str) -> str:
        if self.lower_case:
            text = "".join(c for c in unicodedata.normalize("NFD", text.casefold()) if unicodedata.category(c) != "Mn")
        else:
            text = _normalized(text, self.normalization_form)
        text = "".join(" " if c.isspace() else c for c in text)
        return "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cf"))

    def spans(self, text):
        pattern = translated(f"{_UNUSED}|{_CUTS}" if self.preserve_unused_token else _CUTS)
        found, begin = [], 0
        for match in pattern.finditer(text):
            if match.start() > begin:
                found.append((begin, match.start()))
            if self.keep_whitespace or not match[0].isspace():
                found.append(match.span())
            begin = match.end()
        return found + [(begin, len(text))] if begin < len(text) else found


class WordpieceTokenizer(Tokenizer):
    """The longest pieces of words that a vocabulary has, from the left; pieces within a word bear `suffix_indicator`.

    A word that cannot be put together, or has more than `max_bytes_per_token` bytes, gives `unknown_token`, or itself
    where that is empty.  Takes a string or a row of them; places are those within each word.
    """

    def __init__(self, vocab, suffix_indicator="##", max_bytes_per_token=100, unknown_token="[UNK]",
                 with_offsets=False):
        super().__init__(with_offsets)
        check_type(vocab, Vocab, "vocab", "WordpieceTokenizer")
        check_type(suffix_indicator, str, "suffix_indicator", "WordpieceTokenizer")
        check_type(max_bytes_per_token, int, "max_bytes_per_token", "WordpieceTokenizer")
        check_type(unknown_token, str, "unknown_token", "WordpieceTokenizer")
        if max_bytes_per_token < 0:
            raise ValueError(f"max_bytes_per_token must not be negative, got {max_bytes_per_token}")
        self.vocab, self.suffix_indicator = vocab, suffix_indicator
        self.max_bytes_per_token, self.unknown_token = max_bytes_per_token, unknown_token

    def __call__(self, value):
        words = strings_of(value, "WordpieceTokenizer").ravel().tolist()
        tokens, places = [], []
        for word in words:
            for token, begin, end in self.pieces(word):
                tokens.append(token)
                places.append((byte_length(word[:begin]), byte_length(word[:end])))
        return self._result(tokens or [""], places or [(0, 0)])

    def pieces(self, word: str) -> list:
        """[(token, begin, end)] of a word."""
        known, found, begin = self.vocab.vocab(), [], 0
        unknown = [(self.unknown_token or word, 0, len(word))]
        if byte_length(word) > self.max_bytes_per_token:
            return unknown
        while begin < len(word):
            prefix = self.suffix_indicator if begin else ""
            end = next((e for e in range(len(word), begin, -1) if prefix + word[begin:e] in known), None)
            if end is None:
                return unknown
            found.append((prefix + word[begin:end], begin, end))
            begin = end
        return found


class BertTokenizer(Transform):
    """`BasicTokenizer`, and `WordpieceTokenizer` on what it gives."""

    def __init__(self, vocab, suffix_indicator="##", max_bytes_per_token=100, unknown_token="[UNK]", lower_case=False,
                 keep_whitespace=False, normalization_form=NormalizeForm.NONE, preserve_unused_token=True,
                 with_offsets=False):
        self.basic = BasicTokenizer(lower_case, keep_whitespace, normalization_form, preserve_unused_token, True)
        self.wordpiece = WordpieceTokenizer(vocab, suffix_indicator, max_bytes_per_token, unknown_token, with_offsets)

    def __call__(self, value):
        tokens, places = [], []
        for word, start in zip(*(part.tolist() for part in self.basic(value)[:2])):
            for token, begin, end in self.wordpiece.pieces(word):
                tokens.append(token)
                places.append((start + byte_length(word[:begin]), start + byte_length(word[:end])))
        return self.wordpiece._result(tokens or [""], places or [(0, 0)])
