"""Word vectors from files."""
from __future__ import annotations

from pathlib import Path

import numpy as np

from graphcore.dataset.errors import DatasetError
from graphcore.dataset.text.strings import check_type, strings_of
from graphcore.dataset.transforms.compose import Transform
from graphcore.errors import FormatError

__all__ = ["CharNGram", "FastText", "GloVe", "ToVectors", "Vectors"]


class Vectors:
    """Words and their vectors, from a text file: a word and its numbers in each line; `from_file` makes it.

    A first line of two numbers (how many words, how long the vectors) is passed over.
    """

    def __init__(self, table: dict):
        self.table = table

    @classmethod
    def from_file(cls, file_path, max_vectors=None):
        """The vectors of a file, the first `max_vectors` of them.

        Raises DatasetError for a file that is not there, FormatError for lines of several lengths.
        """
        check_type(file_path, str, "file_path", cls.__name__)
        if max_vectors is not None:
            check_type(max_vectors, int, "max_vectors", cls.__name__)
            if max_vectors < 0:
                raise ValueError(f"max_vectors must not be negative, got {max_vectors}")
        path = Path(file_path)
        if not path.is_file():
            raise DatasetError(f"{cls.__name__}: {file_path} does not exist or is no file")
        cls._check_name(path.name)
        table: dict = {}
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                word, *values = line.rstrip("\n").split(" ")
                values = [v for v in values if v]
                if number == 1 and len(values) == 1 and word.isdecimal():
                    continue
                if max_vectors and len(table) == max_vectors:
                    break
                try:
                    table.setdefault(word, np.array(values, np.float32))
                except ValueError:
                    raise FormatError(f"{path}, line {number}: {line[:40]!r} is no word with a vector") from None
        sizes = {len(vector) for vector in table.values()}
        if len(sizes) != 1:
            raise FormatError(f"{path}: all vectors must have one length, they have {sorted(sizes)}")
        return cls(table)

    @classmethod
    def _check_name(cls, name: str) -> None:
        """Raise DatasetError for a file that is not called as files of this kind are."""

    @property
    def size(self) -> int:
        """The length of the vectors."""
        return len(next(iter(self.table.values())))

    def vector(self, word: str):
        """The vector of a word, or None."""
        return self.table.get(word)


class GloVe(Vectors):
    """Vectors of GloVe, in files called ``glove.6B.*.txt`` and the like."""

    @classmethod
    def _check_name(cls, name):
        if not name.startswith("glove.") or not name.endswith(".txt"):
            raise DatasetError(f"GloVe: the file must be called glove.*.txt, got {name}")


class FastText(Vectors):
    """Vectors of fastText, in files called ``*.vec``."""

    @classmethod
    def _check_name(cls, name):
        if not name.endswith(".vec"):
            raise DatasetError(f"FastText: the file must be called *.vec, got {name}")


class CharNGram(Vectors):
    """Vectors of groups of characters, ``2gram-ab``: that of a word is the mean of those of its groups of 2 to 4."""

    def vector(self, word):
        letters = ["#BEGIN#", *word, "#END#"]
        found = []
        for n in (2, 3, 4):
            for i in range(len(letters) - n + 1):
                found.append(self.table.get(f"{n}gram-{''.join(letters[i:i + n])}"))
        found = [vector for vector in found if vector is not None]
        return np.mean(found, 0).astype(np.float32) if found else None


class ToVectors(Transform):
    """The vectors of words, float32 [..., size]; of unknown ones `unk_init`, by default zeros.

    lower_case_backup: an unknown word is looked up in small letters too.
    """

    def __init__(self, vectors, unk_init=None, lower_case_backup=False):
        check_type(vectors, Vectors, "vectors", "ToVectors")
        check_type(lower_case_backup, bool, "lower_case_backup", "ToVectors")
        if unk_init is not None:
            check_type(unk_init, (list, tuple), "unk_init", "ToVectors")
            if len(unk_init) != vectors.size:
                raise ValueError(f"unk_init has {len(unk_init)} numbers, but the vectors have {vectors.size}")
        self.vectors, self.lower_case_backup = vectors, lower_case_backup
        self.unknown = np.array(unk_init if unk_init is not None else np.zeros(vectors.size), np.float32)

    def __call__(self, value):
        words = strings_of(value, "ToVectors")
        return np.array([self._of(w) for w in words.ravel().tolist()]).reshape(*words.shape, self.vectors.size)

    def _of(self, word: str) -> np.ndarray:
        found = self.vectors.vector(word)
        if found is None and self.lower_case_backup:
            found = self.vectors.vector(word.lower())
        return self.unknown if found is None else found
