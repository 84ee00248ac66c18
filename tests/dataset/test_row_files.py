"""Text, CSV and TFRecord datasets: several files, shares, shuffles, what is wrong with them."""
import numpy as np
import pytest

from graphcore import dataset
from graphcore.dataset import DatasetError, Shuffle
from graphcore.errors import FormatError


def lines_of(data):
    return [str(row[0]) for row in data.create_tuple_iterator(num_epochs=1, output_numpy=True)]


@pytest.fixture
def texts(tmp_path):
    for i in range(3):
        (tmp_path / f"{i}.txt").write_text("".join(f"{i}{j}\n" for j in range(4)))
    return str(tmp_path / "*.txt")


def test_files_follow_each_other(texts):
    assert lines_of(dataset.TextFileDataset(texts, shuffle=False)) == [f"{i}{j}" for i in range(3) for j in range(4)]


def test_shares_are_blocks_of_equal_length(texts):
    shares = [lines_of(dataset.TextFileDataset(texts, shuffle=False, num_shards=5, shard_id=s)) for s in range(5)]
    assert {len(share) for share in shares} == {3}
    assert {line for share in shares for line in share} == {f"{i}{j}" for i in range(3) for j in range(4)}


def test_shuffles(texts):
    dataset.config.set_seed(3)
    everything = {f"{i}{j}" for i in range(3) for j in range(4)}
    files = lines_of(dataset.TextFileDataset(texts, shuffle=Shuffle.FILES))
    assert set(files) == everything and all(files[k:k + 4] == sorted(files[k:k + 4]) for k in (0, 4, 8))
    within = lines_of(dataset.TextFileDataset(texts, shuffle=Shuffle.INFILE))
    assert [line[0] for line in within] == list("000011112222") and within != sorted(within)
    assert set(lines_of(dataset.TextFileDataset(texts))) == everything


@pytest.mark.parametrize("files, shuffle, epochs", [
    (1, True, [[10, 11, 0, 7, 4, 2, 3, 8, 9, 1, 5, 6], [1, 0, 3, 7, 5, 11, 8, 2, 4, 6, 10, 9]]),
    (2, True, [[4, 5, 6, 1, 10, 8, 9, 2, 3, 7, 11, 0], [1, 0, 3, 7, 5, 11, 8, 2, 4, 6, 10, 9]]),
    (2, Shuffle.FILES, [[6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5], list(range(12))])])
def test_the_order_is_mindspores(tmp_path, files, shuffle, epochs):
    """With one worker, as MindSpore 2.10 gave it under this seed; its workers take turns at the files."""
    for i in range(files):
        rows = range(i * 12 // files, (i + 1) * 12 // files)
        (tmp_path / f"{i}.txt").write_text("\n".join(map(str, rows)))
    before = dataset.config.get_seed()
    try:
        dataset.config.set_seed(5)
        found = dataset.TextFileDataset(str(tmp_path / "*.txt"), shuffle=shuffle)
        iterator = found.create_tuple_iterator(num_epochs=2, output_numpy=True)
        assert [[int(row[0]) for row in iterator] for _ in range(2)] == epochs
    finally:
        dataset.config.set_seed(before)


def test_what_is_wrong_is_said(tmp_path):
    (tmp_path / "a.csv").write_text("1,2\n3\n")
    with pytest.raises(DatasetError, match="1 fields"):
        dataset.CSVDataset(str(tmp_path / "a.csv"), column_names=["a", "b"])
    (tmp_path / "b.csv").write_text("x,2\n")
    data = dataset.CSVDataset(str(tmp_path / "b.csv"), column_defaults=[0, 0], column_names=["a", "b"], shuffle=False)
    with pytest.raises(DatasetError, match="'x'"):
        next(data.create_tuple_iterator())
    (tmp_path / "c.tfrecord").write_bytes(b"this is no TFRecord file")
    with pytest.raises(FormatError, match="no file of records"):
        dataset.TFRecordDataset(str(tmp_path / "c.tfrecord"))
    with pytest.raises(ValueError, match="same columns"):
        dataset.PaddedDataset([{"a": np.zeros(1)}, {"b": np.zeros(1)}])
    (tmp_path / "s.json").write_text("{")
    with pytest.raises(DatasetError, match="cannot be read"):
        dataset.Schema(str(tmp_path / "s.json"))
