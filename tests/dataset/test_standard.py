"""MNIST, CIFAR, folders of images, and the digits of the examples."""
import struct
from pathlib import Path

import numpy as np
import pytest

from graphcore import dataset as ds
from graphcore.dataset import DatasetError
from graphcore.errors import FormatError

DIGITS = Path(__file__).parents[2] / "examples" / "data" / "digits.npz"


def first(dataset):
    return next(dataset.create_dict_iterator(num_epochs=1, output_numpy=True))


def write_mnist(directory, part, count, labels=None):
    images = np.arange(count * 784, dtype=np.uint32).astype(np.uint8).tobytes()
    (directory / f"{part}-images-idx3-ubyte").write_bytes(struct.pack(">4I", 2051, count, 28, 28) + images)
    labels = bytes(range(count)) if labels is None else labels
    (directory / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 2049, len(labels)) + labels)


def test_digits():
    digits = np.load(DIGITS)
    assert (digits["images"].shape, digits["images"].dtype, digits["images"].max()) == ((1797, 8, 8), np.uint8, 16)
    assert np.bincount(digits["labels"]).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    dataset = ds.NumpySlicesDataset({"image": digits["images"], "label": digits["labels"]}).batch(64, True)
    assert dataset.get_dataset_size() == 28


def test_mnist(tmp_path):
    write_mnist(tmp_path, "train", 3)
    write_mnist(tmp_path, "t10k", 2)
    assert ds.MnistDataset(tmp_path).get_dataset_size() == 5
    labels = [int(row[1]) for row in ds.MnistDataset(tmp_path, shuffle=False).create_tuple_iterator(num_epochs=1)]
    assert labels == [0, 1, 0, 1, 2]            # by the files' names: t10k comes before train
    row = first(ds.MnistDataset(tmp_path, "train", shuffle=False))
    assert (row["image"].shape, row["image"].dtype, row["label"].dtype) == ((28, 28, 1), np.uint8, np.uint32)
    assert row["image"][0, :4, 0].tolist() == [0, 1, 2, 3]
    batch = first(ds.MnistDataset(str(tmp_path), "test", shuffle=False).batch(2))
    assert (batch["image"].shape, batch["label"].tolist()) == ((2, 28, 28, 1), [0, 1])


def test_mnist_errors(tmp_path):
    with pytest.raises(ValueError, match="does not exist"):
        ds.MnistDataset(tmp_path / "none")
    with pytest.raises(FormatError, match="cannot be read"):
        ds.MnistDataset(tmp_path)
    write_mnist(tmp_path, "train", 3, labels=b"\0")
    with pytest.raises(FormatError, match="3 train images, but 1 labels"):
        ds.MnistDataset(tmp_path, "train")
    with pytest.raises(ValueError, match="usage"):
        ds.MnistDataset(tmp_path, "valid")
    name = tmp_path / "train-images-idx3-ubyte"
    intact = name.read_bytes()
    for damaged in (intact[:-1], intact + b"\0", intact[:10], b"\0\0\x09" + intact[3:],
                    struct.pack(">4I", 2051, 2**32 - 1, 2**32 - 1, 2**32 - 1)):
        name.write_bytes(damaged)
        with pytest.raises(FormatError):
            ds.MnistDataset(tmp_path, "train")


def test_cifar(tmp_path):
    record = np.arange(3073, dtype=np.uint32).astype(np.uint8)
    for name in [f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"]:
        (tmp_path / name).write_bytes(record.tobytes() * 2)
    assert ds.Cifar10Dataset(tmp_path).get_dataset_size() == 12
    row = first(ds.Cifar10Dataset(tmp_path, "test", shuffle=False))
    assert (row["image"].shape, row["label"]) == ((32, 32, 3), 0)
    assert row["image"][0, 0].tolist() == [record[1], record[1 + 1024], record[1 + 2048]]
    (tmp_path / "test_batch.bin").write_bytes(record.tobytes()[:-1])
    with pytest.raises(FormatError, match="3072 bytes"):
        ds.Cifar10Dataset(tmp_path, "test")
    for name in ("train.bin", "test.bin"):
        (tmp_path / name).write_bytes(bytes([1, 2]) + record.tobytes()[1:])
    assert ds.Cifar100Dataset(tmp_path).get_col_names() == ["image", "coarse_label", "fine_label"]
    row = first(ds.Cifar100Dataset(tmp_path, "test"))
    assert (row["coarse_label"], row["fine_label"]) == (1, 2)


def test_folders(tmp_path):
    for folder, name in (("cat", "1.jpg"), ("cat", "2.png"), ("dog", "1.jpg"), ("dog", "notes.txt")):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / name).write_bytes(f"{folder}{name}".encode())
    dataset = ds.ImageFolderDataset(tmp_path, shuffle=False)
    assert (dataset.get_class_indexing(), dataset.num_classes(), len(dataset)) == ({"cat": 0, "dog": 1}, 2, 3)
    rows = list(dataset.create_dict_iterator(num_epochs=1, output_numpy=True))
    assert [(row["image"].tobytes(), int(row["label"])) for row in rows] == [
        (b"cat1.jpg", 0), (b"cat2.png", 0), (b"dog1.jpg", 1)]
    only = ds.ImageFolderDataset(tmp_path, class_indexing={"dog": 7}, shuffle=False)
    assert [int(row["label"]) for row in only.create_dict_iterator(num_epochs=1, output_numpy=True)] == [7]
    with pytest.raises(DatasetError, match="no files"):
        ds.ImageFolderDataset(tmp_path, extensions=[".bmp"])
    with pytest.raises(ValueError, match="does not exist"):
        ds.ImageFolderDataset(tmp_path / "none")


def test_decoding():
    try:
        from PIL import Image
    except ImportError:
        with pytest.raises(DatasetError, match="pip install pillow"):
            ds.vision.Decode()(b"")
        return
    import io
    file = io.BytesIO()
    Image.fromarray(np.full((4, 6, 3), 90, np.uint8)).save(file, "PNG")
    assert (ds.vision.Decode()(file.getvalue()) == 90).all()
    with pytest.raises(DatasetError, match="no image"):
        ds.vision.Decode()(b"nonsense")
