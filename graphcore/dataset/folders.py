"""Images in folders, one folder for each class."""
from __future__ import annotations

from pathlib import Path

import numpy as np

from graphcore.dataset.errors import DatasetError
from graphcore.dataset.samplers import select_sampler
from graphcore.dataset.sources import MappableSource

_EXTENSIONS = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff")


class ImageFolderDataset(MappableSource):
    """Image files below `dataset_dir`, labelled by the folder they are in: columns image and label (int32).

    Classes are numbered in alphabetic order unless `class_indexing` gives {folder: number}.  An image is the bytes of
    its file (uint8 [n]); with decode=True an RGB array [H, W, 3] (needs Pillow).
    """

    def __init__(self, dataset_dir, num_samples=None, num_parallel_workers=None, shuffle=None, sampler=None,
                 extensions=None, class_indexing=None, decode: bool = False, num_shards=None, shard_id=None,
                 cache=None, decrypt=None):
        if decrypt is not None:
            raise ValueError("ImageFolderDataset: encrypted images are not supported; decrypt them first")
        directory = Path(dataset_dir)
        if not directory.is_dir():
            raise ValueError(f"The folder {directory} does not exist or is not a directory or permission denied!")
        folders = sorted(path for path in directory.iterdir() if path.is_dir())
        self.class_indexing = dict(class_indexing or {path.name: i for i, path in enumerate(folders)})
        wanted = tuple(extension.lower() for extension in extensions or _EXTENSIONS)
        self._files = [(path, self.class_indexing[folder.name]) for folder in folders
                       if folder.name in self.class_indexing
                       for path in sorted(folder.rglob("*")) if path.suffix.lower() in wanted]
        if not self._files:
            raise DatasetError(f"ImageFolderDataset: no files with the extensions {wanted} in folders of {directory}")
        self._decode = None
        if decode:
            from graphcore.dataset.vision.files import Decode
            self._decode = Decode()
        super().__init__(["image", "label"], select_sampler(num_samples, sampler, shuffle, num_shards, shard_id))

    def get_class_indexing(self) -> dict:
        """{folder: number}."""
        return dict(self.class_indexing)

    def num_classes(self) -> int:
        """The number of classes."""
        return len(self.class_indexing)

    def labels(self, column):
        return np.array([label for _, label in self._files]) if column == "label" else super().labels(column)

    def source_length(self):
        return len(self._files)

    def row(self, index):
        path, label = self._files[index]
        try:
            image = np.frombuffer(path.read_bytes(), np.uint8)
        except OSError as error:
            raise DatasetError(f"ImageFolderDataset: {path} cannot be read: {error.strerror}") from error
        return (image if self._decode is None else self._decode(image)), np.asarray(label, np.int32)
