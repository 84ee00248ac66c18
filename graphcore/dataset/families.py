"""What a dataset holds, for ``isinstance(dataset, VisionBaseDataset)``: MindSpore's base classes of its datasets."""
from __future__ import annotations

from graphcore.dataset.core import Dataset
from graphcore.dataset.sources import GeneratorDataset, MappableSource, NumpySlicesDataset

__all__ = ["AudioBaseDataset", "MappableDataset", "SourceDataset", "TextBaseDataset", "VisionBaseDataset"]


class _Family(type):
    """A class whose instances are the sources of some modules, and datasets that may hold anything; or all sources."""

    def __instancecheck__(cls, value) -> bool:
        if not cls.modules:
            return isinstance(value, MappableSource)
        if not isinstance(value, MappableSource) or isinstance(value, (GeneratorDataset, NumpySlicesDataset)):
            return isinstance(value, Dataset)
        names = {t.__module__.rpartition(".")[2] for t in type(value).__mro__}
        return not names.isdisjoint(cls.modules)


class SourceDataset(metaclass=_Family):
    """Datasets that read rows, rather than change those of another."""

    modules: tuple = ()


class MappableDataset(SourceDataset):
    """Datasets whose rows can be had in any order."""


class VisionBaseDataset(metaclass=_Family):
    """Datasets of pictures."""

    modules = ("folders", "pictures", "standard")


class TextBaseDataset(metaclass=_Family):
    """Datasets of texts."""

    modules = ("row_files", "text_corpora")


class AudioBaseDataset(metaclass=_Family):
    """Datasets of recordings."""

    modules = ("speech",)
