"""Samplers and seeds.  The rows of the deterministic samplers are MindSpore 2.10's."""
import numpy as np
import pytest

import graphcore.random
from graphcore import dataset as ds
from graphcore.dataset import DatasetError, rng

ROWS = [(i,) for i in range(6)]


@pytest.fixture(autouse=True)
def unseeded(monkeypatch):
    monkeypatch.setattr(rng, "_own_seed", None)
    monkeypatch.setattr(rng, "_global_when_set", None)
    monkeypatch.setattr(graphcore.random, "_seed", None)


def sampled(sampler):
    dataset = ds.GeneratorDataset(ROWS, ["a"], sampler=sampler)
    rows = [int(row[0]) for row in dataset.create_tuple_iterator(num_epochs=1, output_numpy=True)]
    assert len(rows) == dataset.get_dataset_size()
    return rows


@pytest.mark.parametrize("sampler, rows", [
    (ds.SequentialSampler(start_index=2), [2, 3, 4, 5]),
    (ds.SequentialSampler(1, 3), [1, 2, 3]),
    (ds.SubsetSampler([5, 1, 1]), [5, 1, 1]),
    (ds.DistributedSampler(4, 0, shuffle=False), [0, 4]),
    (ds.DistributedSampler(4, 1, shuffle=False), [1, 5]),
    (ds.DistributedSampler(4, 3, shuffle=False), [3, 1]),
    (ds.DistributedSampler(4, 3, shuffle=False, offset=1), [2]),
    (ds.DistributedSampler(4, 0, shuffle=False, offset=1), [3]),
    (ds.DistributedSampler(2, 0, shuffle=False, num_samples=2), [0, 2]),
    ([3, 1], [3, 1]),
    (range(2), [0, 1]),
])
def test_deterministic_samplers(sampler, rows):
    assert sampled(sampler) == rows


def test_random_samplers():
    assert sorted(sampled(ds.SubsetRandomSampler([0, 3, 5]))) == [0, 3, 5]
    assert set(sampled(ds.WeightedRandomSampler([0, 0, 1, 0, 0, 1], 20))) <= {2, 5}
    assert sorted(sampled(ds.WeightedRandomSampler([0, 0, 1, 0, 0, 1], 2, replacement=False))) == [2, 5]
    assert len(sampled(ds.RandomSampler(True, 10))) == 6
    assert len(set(sampled(ds.RandomSampler(False, 3)))) == 3


def test_shards_partition_the_rows_while_shuffling():
    shards = [sampled(ds.DistributedSampler(3, shard)) for shard in range(3)]
    assert sorted(sum(shards, [])) == [0, 1, 2, 3, 4, 5]


def test_user_defined_sampler():
    class Even(ds.Sampler):
        def __iter__(self):
            return iter(range(0, self.dataset_size, 2))

    assert sampled(Even()) == [0, 2, 4]


@pytest.mark.parametrize("sampler", [ds.SubsetSampler([7]), ds.SubsetSampler([-1]), [6], ds.SequentialSampler(6),
                                     ds.WeightedRandomSampler([1] * 7)])
def test_rows_out_of_range(sampler):
    with pytest.raises(DatasetError, match="rows|row"):
        sampled(sampler)


@pytest.mark.parametrize("make", [
    lambda: ds.SequentialSampler(-1), lambda: ds.RandomSampler(num_samples=0), lambda: ds.DistributedSampler(0, 0),
    lambda: ds.DistributedSampler(2, 2), lambda: ds.WeightedRandomSampler([0, 0]),
    lambda: ds.WeightedRandomSampler([-1, 2]),
])
def test_unusable_sampler_arguments(make):
    with pytest.raises(ValueError):
        make()


def orders(epochs=3):
    iterator = ds.GeneratorDataset([(i,) for i in range(50)], ["a"]).shuffle(10).create_tuple_iterator(
        num_epochs=epochs, output_numpy=True)
    return [[int(row[0]) for row in iterator] for _ in range(epochs)]


def test_seeds_repeat_and_epochs_differ():
    assert orders() != orders()
    ds.config.set_seed(3)
    first = orders()
    assert first == orders()
    assert first[0] != first[1] != first[2]
    ds.config.set_seed(4)
    assert orders() != first


def test_repeat_reshuffles():
    ds.config.set_seed(3)
    dataset = ds.GeneratorDataset(ROWS, ["a"])
    iterator = dataset.create_tuple_iterator(num_epochs=2, output_numpy=True)
    epochs = [int(row[0]) for _ in range(2) for row in iterator]
    assert [int(row[0]) for row in dataset.repeat(2).create_tuple_iterator(num_epochs=1)] == epochs


def test_the_seed_set_last_counts(monkeypatch):
    monkeypatch.setattr(graphcore.random, "_seed", 5)
    assert ds.config.get_seed() == 5
    ds.config.set_seed(6)
    assert ds.config.get_seed() == 6
    monkeypatch.setattr(graphcore.random, "_seed", 7)
    assert ds.config.get_seed() == 7


def test_seed_limits():
    with pytest.raises(ValueError):
        ds.config.set_seed(-1)
    with pytest.raises(TypeError):
        ds.config.set_seed(1.5)


def test_workers_do_not_change_random_transforms():
    from graphcore.dataset import vision
    images = np.arange(40 * 36, dtype=np.uint8).reshape(40, 6, 6)

    def run(workers):
        dataset = ds.NumpySlicesDataset(images, shuffle=False).map(
            [vision.RandomCrop(4), vision.RandomHorizontalFlip()], num_parallel_workers=workers)
        return np.stack([row[0] for row in dataset.create_tuple_iterator(num_epochs=1, output_numpy=True)])

    ds.config.set_seed(1)
    once = run(1)
    assert (once == run(4)).all()
    ds.config.set_seed(2)
    assert (once != run(1)).any()


def test_config_settings_read_back():
    before = ds.config.get_prefetch_size()
    ds.config.set_prefetch_size(8)
    assert ds.config.get_prefetch_size() == 8
    ds.config.set_prefetch_size(before)
    with pytest.raises(ValueError):
        ds.config.set_prefetch_size(0)
    with pytest.raises(TypeError):
        ds.config.set_enable_shared_mem(1)
