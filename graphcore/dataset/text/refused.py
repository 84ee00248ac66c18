"""Tokenizers that need models or dictionaries of other libraries, and their options."""
from __future__ import annotations

import enum

__all__ = ["JiebaMode", "JiebaTokenizer", "SPieceTokenizerLoadType", "SPieceTokenizerOutType", "SentencePieceModel",
           "SentencePieceTokenizer", "SentencePieceVocab"]


class JiebaMode(enum.IntEnum):
    """How Jieba cuts."""

    MIX = 0
    MP = 1
    HMM = 2


class SentencePieceModel(enum.IntEnum):
    """Kinds of models of SentencePiece."""

    UNIGRAM = 0
    BPE = 1
    CHAR = 2
    WORD = 3


class SPieceTokenizerOutType(enum.IntEnum):
    """What a SentencePieceTokenizer gives."""

    STRING = 0
    INT = 1


class SPieceTokenizerLoadType(enum.IntEnum):
    """Where a SentencePieceTokenizer's model comes from."""

    FILE = 0
    MODEL = 1


class JiebaTokenizer:
    """Raises NotImplementedError: Jieba's dictionaries are not part of graphcore."""

    def __init__(self, *args, **kwargs):
        raise NotImplementedError("JiebaTokenizer is not part of graphcore; use text.PythonTokenizer(jieba.lcut), with "
                                  "the library jieba")


class SentencePieceTokenizer:
    """Raises NotImplementedError: models of SentencePiece are not part of graphcore."""

    def __init__(self, *args, **kwargs):
        raise NotImplementedError("SentencePieceTokenizer is not part of graphcore; use text.PythonTokenizer with the "
                                  "method encode_as_pieces of sentencepiece.SentencePieceProcessor")


class SentencePieceVocab:
    """Its methods raise NotImplementedError: models of SentencePiece are not part of graphcore."""

    @classmethod
    def from_dataset(cls, *args, **kwargs):
        """Not here."""
        raise NotImplementedError("SentencePieceVocab is not part of graphcore; train the model with "
                                  "sentencepiece.SentencePieceTrainer")

    from_file = save_model = from_dataset
