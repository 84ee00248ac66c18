"""Datasets: sources, pipelines and iterators, with the interface of ``mindspore.dataset``.

Rows are NumPy arrays until an iterator makes Tensors of them.  Nothing runs in other threads or processes unless
``num_parallel_workers`` asks for it.
"""
from graphcore.dataset import audio, config, text, transforms, vision
from graphcore.dataset.batching import Batch as BatchDataset
from graphcore.dataset.batching import BatchInfo
from graphcore.dataset.cache import DatasetCache
from graphcore.dataset.config import get_seed, set_seed
from graphcore.dataset.core import Dataset
from graphcore.dataset.core import zip_datasets as zip
from graphcore.dataset.errors import ColumnError, DatasetError
from graphcore.dataset.folders import ImageFolderDataset
from graphcore.dataset.mindrecord import MindDataset
from graphcore.dataset.pictures import *  # noqa: F403
from graphcore.dataset.pictures import __all__ as _pictures
from graphcore.dataset.row_files import CSVDataset, PaddedDataset, Shuffle, TextFileDataset, TFRecordDataset
from graphcore.dataset.rowwise import Concat as ConcatDataset
from graphcore.dataset.rowwise import Filter as FilterDataset
from graphcore.dataset.rowwise import Map as MapDataset
from graphcore.dataset.rowwise import Project as ProjectDataset
from graphcore.dataset.rowwise import Rename as RenameDataset
from graphcore.dataset.rowwise import Repeat as RepeatDataset
from graphcore.dataset.rowwise import Shuffle as ShuffleDataset
from graphcore.dataset.rowwise import Skip as SkipDataset
from graphcore.dataset.rowwise import Take as TakeDataset
from graphcore.dataset.rowwise import Zip as ZipDataset
from graphcore.dataset.samplers import (
    DistributedSampler,
    IterSampler,
    PKSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    SubsetSampler,
    WeightedRandomSampler,
)
from graphcore.dataset.schema import Schema
from graphcore.dataset.sources import GeneratorDataset, MappableSource, NumpySlicesDataset
from graphcore.dataset.speech import *  # noqa: F403
from graphcore.dataset.speech import __all__ as _speech
from graphcore.dataset.standard import Cifar10Dataset, Cifar100Dataset, FashionMnistDataset, MnistDataset
from graphcore.dataset.text_corpora import *  # noqa: F403
from graphcore.dataset.text_corpora import __all__ as _corpora

__all__ = [*_corpora, *_pictures, *_speech, "BatchDataset", "BatchInfo", "CSVDataset", "Cifar100Dataset",
           "Cifar10Dataset", "ColumnError", "ConcatDataset", "Dataset", "DatasetCache", "DatasetError",
           "DistributedSampler", "FashionMnistDataset", "FilterDataset", "GeneratorDataset", "ImageFolderDataset",
           "IterSampler", "MapDataset", "MappableSource", "MindDataset", "MnistDataset", "NumpySlicesDataset",
           "PKSampler", "PaddedDataset", "ProjectDataset", "RandomSampler", "RenameDataset", "RepeatDataset",
           "Sampler", "Schema", "SequentialSampler", "Shuffle", "ShuffleDataset", "SkipDataset", "SubsetRandomSampler",
           "SubsetSampler", "TFRecordDataset", "TakeDataset", "TextFileDataset", "WeightedRandomSampler", "ZipDataset",
           "config", "get_seed", "set_seed", "audio", "text", "transforms", "vision", "zip"]
