"""Collections of annotated pictures, in the files in which they are distributed; and one that is made up."""
from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from graphcore.dataset.errors import DatasetError
from graphcore.dataset.samplers import select_sampler
from graphcore.dataset.sources import MappableSource
from graphcore.dataset.standard import open_directory
from graphcore.errors import FormatError

__all__ = ["CelebADataset", "CityscapesDataset", "CocoDataset", "FakeImageDataset", "VOCDataset"]


class _Pictures(MappableSource):
    """A list of entries, of which `entry_row` makes rows.

    decode: pictures as RGB arrays [H, W, 3] (needs Pillow) instead of the bytes of their files, uint8 [n].
    """

    def _open(self, entries: list, columns: list, decode, num_samples, sampler, shuffle, num_shards, shard_id) -> None:
        if not entries:
            raise DatasetError(f"{type(self).__name__}: there are no pictures in this folder")
        self._entries, self._decode = entries, None
        if decode:
            from graphcore.dataset.vision.files import Decode
            self._decode = Decode()
        super().__init__(columns, select_sampler(num_samples, sampler, shuffle, num_shards, shard_id))

    def source_length(self):
        return len(self._entries)

    def row(self, index):
        return self.entry_row(self._entries[index])

    def entry_row(self, entry) -> tuple:
        """The arrays of an entry."""
        raise NotImplementedError

    def picture(self, path: Path) -> np.ndarray:
        """The bytes of a file, or the picture in it."""
        if not path.is_file():
            raise DatasetError(f"{type(self).__name__}: {path} does not exist or is no file")
        data = np.frombuffer(path.read_bytes(), np.uint8)
        return data if self._decode is None else self._decode(data)


def _chosen(value, known: tuple, argument: str, owner) -> str:
    if value not in known:
        raise ValueError(f"{type(owner).__name__}: {argument} must be one of {', '.join(map(repr, known))}, got "
                         f"{value!r}")
    return value


def _no_decryption(owner, decrypt) -> None:
    if decrypt is not None:
        raise NotImplementedError(f"{type(owner).__name__}: encrypted pictures are not read; decrypt them first")


def _text(path: Path) -> str:
    if not path.is_file():
        raise DatasetError(f"{path} does not exist or is no file")
    return path.read_text(encoding="utf-8")


class VOCDataset(_Pictures):
    """Pascal VOC: ``JPEGImages``, ``Annotations``, ``SegmentationClass`` and ``ImageSets``.

    task "Segmentation": columns image and target; usage: a list in ``ImageSets/Segmentation``.
    task "Detection": columns image, bbox (float32 [n, 4]: x, y, width, height), label, difficult, truncate (uint32
    [n, 1]); usage: a list in ``ImageSets/Main``.  class_indexing: {class: number}; by default in alphabetic order.
    extra_metadata: a further column of the names of the pictures.
    """

    def __init__(self, dataset_dir, task="Segmentation", usage="train", class_indexing=None, num_samples=None,
                 num_parallel_workers=None, shuffle=None, decode=False, sampler=None, num_shards=None, shard_id=None,
                 cache=None, extra_metadata=False, decrypt=None):
        _no_decryption(self, decrypt)
        self._task = _chosen(task, ("Segmentation", "Detection"), "task", self)
        if class_indexing is not None and task != "Detection":
            raise ValueError("VOCDataset: class_indexing is only supported in 'Detection' task.")
        self._directory, self._extra = open_directory(dataset_dir), extra_metadata
        list_of = self._directory / "ImageSets" / ("Main" if task == "Detection" else task) / f"{usage}.txt"
        names = [line.split()[0] for line in _text(list_of).splitlines() if line.strip()]
        self._indexing = dict(class_indexing or {})
        columns = ["image", "target"]
        if task == "Detection":
            columns = ["image", "bbox", "label", "difficult", "truncate"]
            self._objects = {name: self._objects_of(name) for name in names}
            if class_indexing is None:
                classes = sorted({entry[0] for entries in self._objects.values() for entry in entries})
                self._indexing = {c: i for i, c in enumerate(classes)}
            names = [n for n in names if any(entry[0] in self._indexing for entry in self._objects[n])]
        self._open(names, columns + ["_meta-filename"] * bool(extra_metadata), decode, num_samples, sampler, shuffle,
                   num_shards, shard_id)

    def get_class_indexing(self) -> dict:
        """{class: number}, of a dataset for detection."""
        return dict(self._indexing)

    def _objects_of(self, name: str) -> list:
        """[(class, [x, y, width, height], difficult, truncated)] of a picture."""
        path, found = self._directory / "Annotations" / f"{name}.xml", []
        try:
            root = ElementTree.fromstring(_text(path))
            for entry in root.iter("object"):
                box = entry.find("bndbox")
                x0, y0, x1, y1 = (float(box.findtext(k)) for k in ("xmin", "ymin", "xmax", "ymax"))
                found.append((entry.findtext("name"), [x0, y0, x1 - x0, y1 - y0],
                              int(entry.findtext("difficult", "0")), int(entry.findtext("truncated", "0"))))
        except (ElementTree.ParseError, AttributeError, TypeError, ValueError) as error:
            raise FormatError(f"{path} is no annotation of Pascal VOC: {error}") from error
        return found

    def entry_row(self, entry):
        image = self.picture(self._directory / "JPEGImages" / f"{entry}.jpg")
        extra = (np.array(entry),) if self._extra else ()
        if self._task == "Segmentation":
            return image, self.picture(self._directory / "SegmentationClass" / f"{entry}.png"), *extra
        objects = [o for o in self._objects[entry] if o[0] in self._indexing]
        columns = [[self._indexing[name], difficult, truncated] for name, _, difficult, truncated in objects]
        return (image, np.array([box for _, box, *_ in objects], np.float32),
                *(np.array(c, np.uint32).reshape(-1, 1) for c in zip(*columns)), *extra)


class CocoDataset(_Pictures):
    """COCO: a folder of pictures and a JSON file of annotations.

    task "Detection": columns image, bbox (float32 [n, 4]: x, y, width, height), category_id, iscrowd (uint32 [n, 1]);
    "Stuff": image, segmentation (float32 [n, m]: polygons, filled up with -1), iscrowd; "Keypoint": image, keypoints
    (float32 [n, 3 k]), num_keypoints (uint32 [n, 1]); "Panoptic": image, bbox, category_id, iscrowd, area (uint32
    [n, 1]); "Captioning": image, captions (str [n, 1]).  extra_metadata: a further column of file names.
    """

    _COLUMNS = {"Detection": ("bbox", "category_id", "iscrowd"), "Stuff": ("segmentation", "iscrowd"),
                "Keypoint": ("keypoints", "num_keypoints"), "Panoptic": ("bbox", "category_id", "iscrowd", "area"),
                "Captioning": ("captions",)}

    def __init__(self, dataset_dir, annotation_file, task="Detection", num_samples=None, num_parallel_workers=None,
                 shuffle=None, decode=False, sampler=None, num_shards=None, shard_id=None, cache=None,
                 extra_metadata=False, decrypt=None):
        _no_decryption(self, decrypt)
        self._task, self._extra = _chosen(task, tuple(self._COLUMNS), "task", self), extra_metadata
        self._directory = open_directory(dataset_dir)
        table = json.loads(_text(Path(annotation_file)))
        names = {image["id"]: image["file_name"] for image in table["images"]}
        self._categories = {c["name"]: [c["id"]] + ([c["isthing"]] if "isthing" in c else [])
                            for c in table.get("categories", ())}
        self._of: dict = {}
        for entry in table["annotations"]:
            of_one = entry["segments_info"] if task == "Panoptic" else [entry]
            self._of.setdefault(entry["image_id"], []).extend(of_one)
        entries = [(number, names[number]) for number in sorted(self._of) if number in names]
        self._open(entries, ["image", *self._COLUMNS[task], *["_meta-filename"] * bool(extra_metadata)], decode,
                   num_samples, sampler, shuffle, num_shards, shard_id)

    def get_class_indexing(self) -> dict:
        """{category: [number]}, and whether it is a thing, if the annotations say so."""
        return dict(self._categories)

    def entry_row(self, entry):
        number, name = entry
        found, extra = self._of[number], (np.array(Path(name).stem),) if self._extra else ()
        columns = (self._column(c, found) for c in self._COLUMNS[self._task])
        return self.picture(self._directory / name), *columns, *extra

    @staticmethod
    def _column(name: str, found: list) -> np.ndarray:
        if name == "captions":
            return np.array([[entry["caption"]] for entry in found])
        if name in ("bbox", "keypoints"):
            return np.array([entry[name] for entry in found], np.float32)
        if name == "segmentation":
            polygons = [sum(entry["segmentation"], []) for entry in found]
            longest = max(map(len, polygons))
            return np.array([p + [-1.0] * (longest - len(p)) for p in polygons], np.float32)
        return np.array([[entry.get(name, 0)] for entry in found], np.uint32)


class CelebADataset(_Pictures):
    """CelebA: pictures in ``Img_celeba`` or the folder itself, ``list_attr_celeba.txt`` and, for a usage,
    ``list_eval_partition.txt``: columns image and attr (uint32 [40], 1 where it has the attribute).

    usage: "train", "valid", "test" or "all".  extensions: of the pictures wanted.
    """

    def __init__(self, dataset_dir, num_parallel_workers=None, shuffle=None, usage="all", sampler=None, decode=False,
                 extensions=None, num_samples=None, num_shards=None, shard_id=None, cache=None, decrypt=None):
        _no_decryption(self, decrypt)
        part = ("train", "valid", "test", "all").index(_chosen(usage, ("train", "valid", "test", "all"), "usage", self))
        directory = open_directory(dataset_dir)
        self._folder = directory / "Img_celeba" if (directory / "Img_celeba").is_dir() else directory
        wanted = None
        if usage != "all":
            lines = _text(directory / "list_eval_partition.txt").splitlines()
            wanted = {name for name, number in (line.split() for line in lines if line.strip()) if int(number) == part}
        count, _, *lines = _text(directory / "list_attr_celeba.txt").splitlines()
        entries = []
        for line in lines[:int(count)]:
            name, *values = line.split()
            if (wanted is None or name in wanted) and (not extensions or Path(name).suffix in extensions):
                entries.append((name, (np.array(values, np.int32) > 0).astype(np.uint32)))
        self._open(entries, ["image", "attr"], decode, num_samples, sampler, shuffle, num_shards, shard_id)

    def entry_row(self, entry):
        return self.picture(self._folder / entry[0]), entry[1]


class CityscapesDataset(_Pictures):
    """Cityscapes: ``leftImg8bit`` and ``gtFine`` or ``gtCoarse``: columns image and task.

    quality_mode: "fine" with usage "train", "test", "val" or "all", or "coarse" with "train", "train_extra", "val" or
    "all".  task: "instance", "semantic" or "color", a picture (its bytes without `decode`), or "polygon", a str.
    """

    _SUFFIXES = {"instance": "instanceIds.png", "semantic": "labelIds.png", "color": "color.png",
                 "polygon": "polygons.json"}

    def __init__(self, dataset_dir, usage="train", quality_mode="fine", task="instance", num_samples=None,
                 num_parallel_workers=None, shuffle=None, decode=None, sampler=None, num_shards=None, shard_id=None,
                 cache=None):
        self._task = _chosen(task, tuple(self._SUFFIXES), "task", self)
        mode = _chosen(quality_mode, ("fine", "coarse"), "quality_mode", self)
        known = ("train", "test", "val") if mode == "fine" else ("train", "train_extra", "val")
        parts = known if _chosen(usage, (*known, "all"), "usage", self) == "all" else (usage,)
        directory, kind = open_directory(dataset_dir), f"gt{mode.capitalize()}"
        entries = []
        for image in [i for part in parts for i in sorted((directory / "leftImg8bit" / part).glob("*/*.png"))]:
            name = image.name.replace("leftImg8bit.png", f"{kind}_{self._SUFFIXES[task]}")
            entries.append((image, directory / kind / image.parent.parent.name / image.parent.name / name))
        self._open(entries, ["image", "task"], decode, num_samples, sampler, shuffle, num_shards, shard_id)

    def entry_row(self, entry):
        image, task = entry
        if self._task != "polygon":
            return self.picture(image), self.picture(task)
        polygons = json.dumps(json.loads(_text(task)), separators=(",", ":"), sort_keys=True)    # as MindSpore gives it
        return self.picture(image), np.array(polygons)


class FakeImageDataset(MappableSource):
    """Pictures of noise, columns image (uint8 of `image_size`, height, width, channels) and label (uint32 below
    num_classes): the same for the same `base_seed`."""

    def __init__(self, num_images=1000, image_size=(224, 224, 3), num_classes=10, base_seed=0, num_samples=None,
                 num_parallel_workers=None, shuffle=None, sampler=None, num_shards=None, shard_id=None, cache=None):
        for name, value in (("num_images", num_images), ("num_classes", num_classes)):
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ValueError(f"FakeImageDataset: {name} must be a positive int, got {value!r}")
        if len(image_size) != 3:
            raise ValueError(f"FakeImageDataset: image_size must be (height, width, channels), got {image_size}")
        self._count, self._shape = num_images, tuple(image_size)
        self._classes, self._seed = num_classes, base_seed
        super().__init__(["image", "label"], select_sampler(num_samples, sampler, shuffle, num_shards, shard_id))

    def source_length(self):
        return self._count

    def row(self, index):
        generator = np.random.default_rng([self._seed, index])
        image = np.clip(generator.normal(127.0, 127.0, self._shape), 0, 255).astype(np.uint8)
        return image, np.array(generator.integers(self._classes), np.uint32)
