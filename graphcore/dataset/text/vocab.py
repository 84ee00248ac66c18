"""Vocab: words and their numbers."""
from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from graphcore.dataset.errors import DatasetError
from graphcore.dataset.text.strings import check_type

__all__ = ["Vocab"]


def _words(value, argument: str) -> list:
    if not isinstance(value, (list, tuple)) or not all(isinstance(w, str) for w in value):
        raise TypeError(f"{argument} must be a list of str, got {value!r}")
    twice = [word for word, count in Counter(value).items() if count > 1]
    if twice:
        raise ValueError(f"{argument} contains duplicate word: {twice[0]}.")
    return list(value)


class Vocab:
    """A two-way table of words and numbers; made by `from_list`, `from_dict`, `from_file` or `from_dataset`.

    special_tokens: words beside the others, numbered before them with `special_first`, else after them.
    """

    def __init__(self):
        self._ids: dict[str, int] = {}
        self._words: dict[int, str] = {}

    @classmethod
    def _of(cls, ids: dict) -> Vocab:
        vocab = cls()
        vocab._ids = dict(ids)
        vocab._words = {number: word for word, number in ids.items()}
        return vocab

    @classmethod
    def from_list(cls, word_list, special_tokens=None, special_first=True) -> Vocab:
        """A vocabulary that numbers the words of a list.  Raises TypeError unless they are str, ValueError if one
        comes twice."""
        words, special = _words(word_list, "word_list"), _words(special_tokens or [], "special_tokens")
        check_type(special_first, bool, "special_first", "Vocab")
        both = set(words) & set(special)
        if both:
            raise ValueError(f"special_tokens and word_list contain duplicate word: {min(both)}.")
        return cls._of({word: i for i, word in enumerate(special + words if special_first else words + special)})

    @classmethod
    def from_dict(cls, word_dict) -> Vocab:
        """A vocabulary from {word: number}.  Raises TypeError for other types, ValueError for negative numbers."""
        check_type(word_dict, dict, "word_dict", "Vocab")
        for word, number in word_dict.items():
            check_type(word, str, "a word of word_dict", "Vocab")
            check_type(number, int, "a number of word_dict", "Vocab")
            if number < 0:
                raise ValueError(f"the numbers in word_dict must not be negative, got {word!r}: {number}")
        return cls._of(word_dict)

    @classmethod
    def from_file(cls, file_path, delimiter="", vocab_size=None, special_tokens=None, special_first=True) -> Vocab:
        """A vocabulary from a file with a word in each line, up to `delimiter`; the first `vocab_size` of them.

        Raises ValueError for a word that comes twice and a vocab_size that is not positive, DatasetError for no file.
        """
        check_type(file_path, str, "file_path", "Vocab")
        check_type(delimiter, str, "delimiter", "Vocab")
        if vocab_size is not None:
            check_type(vocab_size, int, "vocab_size", "Vocab")
            if vocab_size < 1:
                raise ValueError(f"vocab_size must be positive, got {vocab_size}")
        path = Path(file_path)
        if not path.is_file():
            raise DatasetError(f"Vocab: {file_path} does not exist or is no file")
        lines = path.read_text(encoding="utf-8").splitlines()
        words = [line.split(delimiter, 1)[0] if delimiter else line for line in lines]
        return cls.from_list([w for w in words if w][:vocab_size], special_tokens, special_first)

    @classmethod
    def from_dataset(cls, dataset, columns=None, freq_range=None, top_k=None, special_tokens=None,
                     special_first=True) -> Vocab:
        """A vocabulary of the strings in columns of a dataset (None: all), the most frequent first.

        freq_range: (least, most) how often a word may come, None for no limit; top_k: how many words are kept.
        """
        wanted = [columns] if isinstance(columns, str) else columns
        least, most = freq_range or (None, None)
        counts: Counter = Counter()
        for row in dataset.create_dict_iterator(num_epochs=1, output_numpy=True):
            for name in wanted if wanted is not None else row:
                counts.update(np.asarray(row[name]).ravel().tolist())
        words = [word for word, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
                 if (least is None or count >= least) and (most is None or count <= most)]
        return cls.from_list(words[:top_k], special_tokens, special_first)

    def vocab(self) -> dict:
        """{word: number}."""
        return dict(self._ids)

    def tokens_to_ids(self, tokens):
        """The number of a word, or the list of those of several; -1 for unknown words."""
        if isinstance(tokens, np.ndarray):
            tokens = tokens.tolist()
        if isinstance(tokens, str):
            return self._ids.get(tokens, -1)
        if not isinstance(tokens, list) or not all(isinstance(t, str) for t in tokens):
            raise TypeError(f"tokens must be a str, a list of str or an array of them, got {type(tokens).__name__}")
        return [self._ids.get(token, -1) for token in tokens]

    def ids_to_tokens(self, ids):
        """The word of a number, or the list of those of several; "" for unknown numbers.  Raises ValueError for
        negative ones."""
        if isinstance(ids, (np.ndarray, np.integer)):
            ids = ids.tolist()
        several = ids if isinstance(ids, list) else [ids]
        for number in several:
            check_type(number, int, "ids", "Vocab")
            if number < 0:
                raise ValueError(f"ids must not be negative, got {number}")
        words = [self._words.get(number, "") for number in several]
        return words if isinstance(ids, list) else words[0]
