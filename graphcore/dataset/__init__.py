"""Datasets: sources, pipelines and iterators, with the interface of ``mindspore.dataset``.

Rows are NumPy arrays until an iterator makes Tensors of them.  Nothing runs in other threads or processes unless
``num_parallel_workers`` asks for it.
"""
from graphcore.dataset import config, transforms, vision
from graphcore.dataset.batching import BatchInfo
from graphcore.dataset.config import get_seed, set_seed
from graphcore.dataset.core import Dataset
from graphcore.dataset.core import zip_datasets as zip
from graphcore.dataset.errors import ColumnError, DatasetError
from graphcore.dataset.folders import ImageFolderDataset
from graphcore.dataset.mindrecord import MindDataset
from graphcore.dataset.samplers import (
    DistributedSampler,
    IterSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    SubsetSampler,
    WeightedRandomSampler,
)
from graphcore.dataset.sources import GeneratorDataset, MappableSource, NumpySlicesDataset
from graphcore.dataset.standard import Cifar10Dataset, Cifar100Dataset, FashionMnistDataset, MnistDataset

__all__ = ["BatchInfo", "Cifar10Dataset", "Cifar100Dataset", "ColumnError", "Dataset", "DatasetError",
           "DistributedSampler", "FashionMnistDataset", "GeneratorDataset", "ImageFolderDataset", "IterSampler",
           "MappableSource", "MindDataset", "MnistDataset", "NumpySlicesDataset", "RandomSampler", "Sampler",
           "SequentialSampler", "SubsetRandomSampler", "SubsetSampler", "WeightedRandomSampler", "config",
           "get_seed", "set_seed", "transforms", "vision", "zip"]
