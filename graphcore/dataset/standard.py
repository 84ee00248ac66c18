"""MNIST and CIFAR from the files in which they are distributed, read to memory and checked."""
from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from graphcore.dataset.samplers import select_sampler
from graphcore.dataset.sources import ArrayDataset
from graphcore.errors import FormatError

_PARTS = {"train": ("train",), "test": ("test",), "all": ("train", "test"), None: ("train", "test")}


def _parts(usage, name: str) -> tuple:
    if usage not in _PARTS:
        raise ValueError(f"{name}: usage must be 'train', 'test' or 'all', got {usage!r}")
    return _PARTS[usage]


def open_directory(dataset_dir) -> Path:
    """The folder of a dataset.  Raises ValueError where there is none."""
    directory = Path(dataset_dir)
    if not directory.is_dir():
        raise ValueError(f"The folder {directory} does not exist or is not a directory or permission denied!")
    return directory


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FormatError(f"{path} cannot be read: {error.strerror}") from error


def read_idx(path: Path, dimensions: int) -> np.ndarray:
    """A uint8 array from an IDX file of that many dimensions.  Raises FormatError for anything else."""
    data = _read(path)
    header = 4 + 4 * dimensions
    if len(data) < header or data[:4] != bytes([0, 0, 8, dimensions]):
        raise FormatError(f"{path} is no IDX file of {dimensions}-dimensional uint8 data")
    shape = struct.unpack(f">{dimensions}I", data[4:header])
    expected = int(np.prod([int(n) for n in shape], dtype=object))
    if len(data) - header != expected:
        raise FormatError(f"{path}: the header says {shape}, that is {expected} bytes, but {len(data) - header} follow")
    return np.frombuffer(data, np.uint8, offset=header).reshape(shape)


class MnistDataset(ArrayDataset):
    """MNIST: columns image (uint8 [28, 28, 1]) and label (uint32).

    dataset_dir holds ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte`` and the ``t10k-`` files.
    """

    def __init__(self, dataset_dir, usage=None, num_samples=None, num_parallel_workers=None, shuffle=None,
                 sampler=None, num_shards=None, shard_id=None, cache=None):
        directory = open_directory(dataset_dir)
        images, labels = [], []
        for part in sorted(_parts(usage, type(self).__name__)):       # MindSpore goes by the files' names
            prefix = {"train": "train", "test": "t10k"}[part]
            images.append(read_idx(directory / f"{prefix}-images-idx3-ubyte", 3)[..., None])
            labels.append(read_idx(directory / f"{prefix}-labels-idx1-ubyte", 1).astype(np.uint32))
            if len(images[-1]) != len(labels[-1]):
                raise FormatError(f"{directory}: {len(images[-1])} {part} images, but {len(labels[-1])} labels")
        super().__init__([np.concatenate(images), np.concatenate(labels)], ["image", "label"],
                         select_sampler(num_samples, sampler, shuffle, num_shards, shard_id))


class FashionMnistDataset(MnistDataset):
    """Fashion-MNIST, in MNIST's files."""


def _read_cifar(path: Path, labels: int) -> tuple:
    data = _read(path)
    record = labels + 3072
    if not data or len(data) % record:
        raise FormatError(f"{path}: {len(data)} bytes are no whole number of CIFAR records of {record} bytes")
    records = np.frombuffer(data, np.uint8).reshape(-1, record)
    images = np.ascontiguousarray(records[:, labels:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
    return images, records[:, :labels].astype(np.uint32)


class _Cifar(ArrayDataset):
    FILES: dict
    LABELS: tuple

    def __init__(self, dataset_dir, usage=None, num_samples=None, num_parallel_workers=None, shuffle=None,
                 sampler=None, num_shards=None, shard_id=None, cache=None):
        directory = open_directory(dataset_dir)
        names = sorted(name for part in _parts(usage, type(self).__name__) for name in self.FILES[part])
        parts = [_read_cifar(directory / name, len(self.LABELS)) for name in names]
        images, labels = (np.concatenate(columns) for columns in zip(*parts))
        super().__init__([images, *(np.ascontiguousarray(column) for column in labels.T)], ["image", *self.LABELS],
                         select_sampler(num_samples, sampler, shuffle, num_shards, shard_id))


class Cifar10Dataset(_Cifar):
    """CIFAR-10 (binary version): columns image (uint8 [32, 32, 3], RGB) and label (uint32)."""

    FILES = {"train": tuple(f"data_batch_{i}.bin" for i in range(1, 6)), "test": ("test_batch.bin",)}
    LABELS = ("label",)


class Cifar100Dataset(_Cifar):
    """CIFAR-100 (binary version): columns image (uint8 [32, 32, 3], RGB), coarse_label and fine_label (uint32)."""

    FILES = {"train": ("train.bin",), "test": ("test.bin",)}
    LABELS = ("coarse_label", "fine_label")
