"""Collections of texts, in the files in which they are distributed: reviews, news, tagged words, translations."""
from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np

from graphcore.dataset.errors import DatasetError
from graphcore.dataset.row_files import RowsOfFiles, Shuffle
from graphcore.dataset.samplers import select_sampler
from graphcore.dataset.sources import MappableSource
from graphcore.dataset.standard import open_directory

__all__ = ["AGNewsDataset", "AmazonReviewDataset", "CoNLL2000Dataset", "DBpediaDataset", "IMDBDataset",
           "IWSLT2016Dataset", "IWSLT2017Dataset", "PennTreebankDataset", "SQuADDataset", "SogouNewsDataset",
           "UDPOSDataset", "WikiTextDataset", "YahooAnswersDataset", "YelpReviewDataset"]


class _Corpus(MappableSource):
    """Rows of strings from one file for each part of the collection.

    dataset_dir: the folder; usage: a part, "all" or None, which means all too.  shuffle: see `Shuffle`.  Subclasses
    name the COLUMNS and the FILES of the parts, and read a file with `rows_of`.
    Raises ValueError for another usage or a folder that is not there, DatasetError for a missing file.
    """

    COLUMNS: tuple
    FILES: dict

    def __init__(self, dataset_dir, usage=None, num_samples=None, num_parallel_workers=None, shuffle=Shuffle.GLOBAL,
                 num_shards=None, shard_id=None, cache=None):
        self._read(self._paths(open_directory(dataset_dir), usage), num_samples, shuffle, num_shards, shard_id)

    def _read(self, paths: list, num_samples, shuffle, num_shards, shard_id) -> None:
        parts = [self.rows_of(path) for path in paths]
        self._rows = [row for part in parts for row in part]
        super().__init__(list(self.COLUMNS), RowsOfFiles([len(p) for p in parts], shuffle, num_samples, num_shards,
                                                         shard_id, equal=True))

    def _paths(self, directory: Path, usage) -> list:
        return [_existing(directory / self.FILES[part]) for part in _parts(self, usage, self.FILES)]

    def rows_of(self, path: Path) -> list:
        """The rows of a file, tuples of str, or of lists of them."""
        raise NotImplementedError

    def source_length(self):
        return len(self._rows)

    def row(self, index):
        return tuple(np.array(value) for value in self._rows[index])


class _ShuffleFirst(_Corpus):
    """A `_Corpus` with MindSpore's other order of arguments."""

    def __init__(self, dataset_dir, usage=None, num_samples=None, shuffle=Shuffle.GLOBAL, num_shards=None,
                 shard_id=None, num_parallel_workers=None, cache=None):
        super().__init__(dataset_dir, usage, num_samples, num_parallel_workers, shuffle, num_shards, shard_id, cache)


def _parts(dataset, usage, known) -> list:
    if usage not in (None, "all", *known):
        raise ValueError(f"{type(dataset).__name__}: usage must be 'all' or one of {', '.join(map(repr, known))}, got "
                         f"{usage!r}")
    return list(known) if usage in (None, "all") else [usage]


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise DatasetError(f"{path} does not exist or is no file")
    return path


def _lines(path: Path) -> list:
    return path.read_text(encoding="utf-8").split("\n")


# -- tables of reviews and news ---------------------------------------------------------------------------------

class _Table(_Corpus):
    FILES = {"train": "train.csv", "test": "test.csv"}

    def rows_of(self, path):
        with path.open(encoding="utf-8", newline="") as file:
            rows = [tuple(row) for row in csv.reader(file) if row]
        wrong = next((row for row in rows if len(row) != len(self.COLUMNS)), None)
        if wrong is not None:
            raise DatasetError(f"{path}: a line has {len(wrong)} fields, but the columns are {self.COLUMNS}")
        return rows


class AGNewsDataset(_Table):
    """AG's news in ``train.csv`` and ``test.csv``: columns index, title, description; str."""

    COLUMNS = ("index", "title", "description")


class AmazonReviewDataset(_Table):
    """Amazon's reviews in ``train.csv`` and ``test.csv``: columns label, title, content; str."""

    COLUMNS = ("label", "title", "content")


class DBpediaDataset(_Table):
    """DBpedia in ``train.csv`` and ``test.csv``: columns class, title, content; str."""

    COLUMNS = ("class", "title", "content")


class SogouNewsDataset(_Table, _ShuffleFirst):
    """Sogou's news in ``train.csv`` and ``test.csv``: columns index, title, content; str."""

    COLUMNS = ("index", "title", "content")


class YahooAnswersDataset(_Table):
    """Yahoo's answers in ``train.csv`` and ``test.csv``: columns class, title, content, answer; str."""

    COLUMNS = ("class", "title", "content", "answer")


class YelpReviewDataset(_Table, _ShuffleFirst):
    """Yelp's reviews in ``train.csv`` and ``test.csv``: columns label, text; str."""

    COLUMNS = ("label", "text")


# -- running text, and words with tags --------------------------------------------------------------------------

class _Running(_Corpus):
    COLUMNS = ("text",)

    def rows_of(self, path):
        return [(line,) for line in _lines(path) if line]


class WikiTextDataset(_Running):
    """WikiText in ``wiki.train.tokens``, ``wiki.test.tokens``, ``wiki.valid.tokens``: column text, a str a line."""

    FILES = {part: f"wiki.{part}.tokens" for part in ("train", "test", "valid")}


class PennTreebankDataset(_Running):
    """The Penn Treebank in ``ptb.train.txt``, ``ptb.test.txt``, ``ptb.valid.txt``: column text, a str a line."""

    FILES = {part: f"ptb.{part}.txt" for part in ("train", "test", "valid")}


class _Tagged(_ShuffleFirst):
    SEPARATOR: str

    def rows_of(self, path):
        sentences: list = [[]]
        for line in _lines(path):
            if line.strip():
                sentences[-1].append(line.split(self.SEPARATOR))
            else:
                sentences.append([])
        return [tuple(list(column) for column in zip(*words)) for words in sentences if words]


class UDPOSDataset(_Tagged):
    """Universal Dependencies in ``en-ud-tag.v2.train.txt`` and the like (test, dev): columns word, universal, stanford,
    each a row of str.  usage "valid" is dev."""

    COLUMNS = ("word", "universal", "stanford")
    FILES = {"train": "en-ud-tag.v2.train.txt", "test": "en-ud-tag.v2.test.txt", "valid": "en-ud-tag.v2.dev.txt"}
    SEPARATOR = "\t"


class CoNLL2000Dataset(_Tagged):
    """CoNLL-2000 in ``train.txt`` and ``test.txt``: columns word, pos_tag, chunk_tag, each a row of str."""

    COLUMNS = ("word", "pos_tag", "chunk_tag")
    FILES = {"train": "train.txt", "test": "test.txt"}
    SEPARATOR = " "


# -- translations -----------------------------------------------------------------------------------------------

class _Translations(_Corpus):
    COLUMNS = ("text", "translation")

    def rows_of(self, path):
        """The pairs of two files, of which `path` is a pair."""
        texts, translations = (self._sentences(_existing(one)) for one in path)
        if len(texts) != len(translations):
            raise DatasetError(f"{path[0]} has {len(texts)} sentences, {path[1]} {len(translations)}")
        return list(zip(texts, translations))

    def _sentences(self, path: Path) -> list:
        if path.suffix == ".xml":
            return [s.strip() for s in re.findall(r"<seg[^>]*>(.*?)</seg>", path.read_text(encoding="utf-8"), re.S)]
        return [line for line in _lines(path) if line and not line.startswith("<")]

    @staticmethod
    def _pair(folder: Path, name: str, languages) -> tuple:
        source, target = languages
        return tuple(folder / name.format(pair=f"{source}-{target}", language=one) for one in (source, target))


class IWSLT2016Dataset(_Translations):
    """IWSLT 2016 in ``texts/SOURCE/TARGET/SOURCE-TARGET``: columns text, translation; str.

    usage: "train", "valid", "test" or "all"; language_pair: by default ("de", "en"); valid_set, test_set: such as
    "dev2010" or "tst2013", by default "tst2013" and "tst2014".
    """

    def __init__(self, dataset_dir, usage=None, language_pair=None, valid_set=None, test_set=None, num_samples=None,
                 shuffle=Shuffle.GLOBAL, num_shards=None, shard_id=None, num_parallel_workers=None, cache=None):
        languages = tuple(language_pair or ("de", "en"))
        folder = open_directory(dataset_dir) / "texts" / languages[0] / languages[1] / "-".join(languages)
        names = {"train": "train.tags.{pair}.{language}",
                 "valid": f"IWSLT16.TED.{valid_set or 'tst2013'}.{{pair}}.{{language}}.xml",
                 "test": f"IWSLT16.TED.{test_set or 'tst2014'}.{{pair}}.{{language}}.xml"}
        self._read([self._pair(folder, names[part], languages) for part in _parts(self, usage, names)], num_samples,
                   shuffle, num_shards, shard_id)


class IWSLT2017Dataset(_Translations):
    """IWSLT 2017 in ``texts/DeEnItNlRo/DeEnItNlRo/DeEnItNlRo-DeEnItNlRo``: columns text, translation; str.

    usage: "train", "valid" (dev2010), "test" (tst2010) or "all"; language_pair: by default ("de", "en").
    """

    def __init__(self, dataset_dir, usage=None, language_pair=None, num_samples=None, shuffle=Shuffle.GLOBAL,
                 num_shards=None, shard_id=None, num_parallel_workers=None, cache=None):
        languages, five = tuple(language_pair or ("de", "en")), "DeEnItNlRo"
        folder = open_directory(dataset_dir) / "texts" / five / five / f"{five}-{five}"
        names = {"train": "train.tags.{pair}.{language}", "valid": "IWSLT17.TED.dev2010.{pair}.{language}.xml",
                 "test": "IWSLT17.TED.tst2010.{pair}.{language}.xml"}
        self._read([self._pair(folder, names[part], languages) for part in _parts(self, usage, names)], num_samples,
                   shuffle, num_shards, shard_id)


# -- questions, and opinions in folders -------------------------------------------------------------------------

class SQuADDataset(_Corpus):
    """SQuAD 1.1 or 2.0, whose files ``train-v1.1.json`` and ``dev-v1.1.json`` (v2.0) are in the folder.

    Columns context and question (str), text (a row of str: the answers) and answer_start (uint32, where they begin).
    usage: "train", "dev" or "all".
    """

    COLUMNS = ("context", "question", "text", "answer_start")

    def _paths(self, directory, usage):
        found = []
        for part in _parts(self, usage, ("train", "dev")):
            paths = sorted(directory.glob(f"{part}-v*.json"))
            if not paths:
                raise DatasetError(f"SQuADDataset: there is no {part}-v1.1.json or {part}-v2.0.json in {directory}")
            found += paths
        return found

    def rows_of(self, path):
        found = []
        for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
            for paragraph in article["paragraphs"]:
                for entry in paragraph["qas"]:
                    answers = entry["answers"]
                    found.append((paragraph["context"], entry["question"], [a["text"] for a in answers] or [""],
                                  np.array([a["answer_start"] for a in answers] or [0], np.uint32)))
        return found


class IMDBDataset(MappableSource):
    """Opinions on films in ``train/pos``, ``train/neg``, ``test/pos`` and ``test/neg``: columns text (str) and label
    (int32: 0 for neg, 1 for pos)."""

    def __init__(self, dataset_dir, usage=None, num_samples=None, num_parallel_workers=None, shuffle=None, sampler=None,
                 num_shards=None, shard_id=None, cache=None):
        directory = open_directory(dataset_dir)
        self._files = [(path, label) for part in _parts(self, usage, ("train", "test"))
                       for label, folder in ((1, "pos"), (0, "neg"))
                       for path in sorted((directory / part / folder).glob("*.txt"))]
        if not self._files:
            raise DatasetError(f"IMDBDataset: there are no texts in the folders pos and neg of {directory}")
        super().__init__(["text", "label"], select_sampler(num_samples, sampler, shuffle, num_shards, shard_id))

    def source_length(self):
        return len(self._files)

    def row(self, index):
        path, label = self._files[index]
        return np.array(path.read_text(encoding="utf-8")), np.array(label, np.int32)
