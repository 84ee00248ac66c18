"""Rows come in the order in which MindSpore 2.10 brings them under the same seed (recorded from it)."""
import hashlib

import numpy as np
import pytest

import graphcore.dataset as ds
from graphcore.dataset.mersenne import Twister64


@pytest.fixture
def seed():
    before = ds.config.get_seed()
    ds.config.set_seed(3)
    yield
    ds.config.set_seed(before)


def numbers(n, **options):
    return ds.NumpySlicesDataset(np.arange(n), **options)


RECORDED = [
    ("numbers(1, shuffle=True)", ["05fe405753", "05fe405753", "05fe405753"]),
    ("numbers(2, shuffle=True)", ["031ee80715", "031ee80715", "4188442577"]),
    ("numbers(3, shuffle=True)", ["a02e627e00", "a02e627e00", "ef72cc4c9c"]),
    ("numbers(1797, shuffle=True)", ["c790d1a8c9", "5d44d47ee7", "1e4e3aaba4"]),
    ("numbers(1797, shuffle=False).shuffle(600)", ["d5a2fda623", "0eb76b0572", "bfa6c798b7"]),
    ("numbers(50, shuffle=False).shuffle(100)", ["094cac0fd6", "cccc41475f", "6f2d219bc7"]),
    ("numbers(50, shuffle=False).shuffle(2)", ["cc9cf2c744", "32fe372ffd", "afc0c05e3b"]),
    ("numbers(1797, sampler=ds.RandomSampler(replacement=True))", ["8e186e1474", "67fccee2e6", "3ad4f8efa1"]),
    ("numbers(50, sampler=ds.RandomSampler(num_samples=20))", ["dc3defe5d9", "95b8660a1d", "e9daa27a51"]),
    ("numbers(50, sampler=ds.SubsetRandomSampler([3, 7, 9, 20, 4, 5, 1]))", ["9f9e6516d7", "5bc811dfce", "19a1394b70"]),
    ("numbers(20, shuffle=True).repeat(2)", ["ddfc2638bf", "07549dcb7b", "339eb4f481"]),
    ("numbers(20, shuffle=True).shuffle(5)", ["a195c701c5", "88269b1903", "7f43e7a6af"]),
    ("numbers(20, shuffle=False).split([15, 5])[0]", ["1f4033b3b8", "1f4033b3b8", "1f4033b3b8"]),
    ("numbers(20, shuffle=False).split([0.75, 0.25])[1]", ["514d787316", "514d787316", "514d787316"]),
]


@pytest.mark.parametrize("text, digests", RECORDED)
def test_orders_of_epochs(seed, text, digests):
    iterator = eval(text).create_tuple_iterator(num_epochs=len(digests), output_numpy=True)
    for expected in digests:
        order = np.array([int(row[0]) for row in iterator], np.int64)
        assert hashlib.sha1(order.tobytes()).hexdigest()[:10] == expected, order[:20]


def test_a_number_of_shuffled_rows_is_drawn(seed):
    ds.config.set_seed(5)
    iterator = numbers(12, shuffle=True, num_samples=4).create_tuple_iterator(num_epochs=2)
    assert [[int(row[0]) for row in iterator] for _ in range(2)] == [[2, 0, 10, 9], [10, 11, 3, 2]]


def test_a_new_iterator_starts_again(seed):
    dataset = numbers(20, shuffle=True).shuffle(5)
    assert [list(map(int, np.concatenate([r[0].asnumpy().reshape(1) for r in dataset]))) for _ in range(2)] == [
        [8, 11, 3, 7, 10, 17, 1, 4, 2, 6, 19, 13, 16, 14, 9, 18, 12, 0, 15, 5]] * 2


def test_the_twister_is_the_standard_one():
    words = Twister64(5489)
    assert next(words) == 14514284786278117030
    for _ in range(9998):
        next(words)
    assert next(words) == 9981545732273789042       # the 10,000th, which the standard of C++ names


def test_sources_shuffle_apart_without_a_seed():
    from graphcore.dataset.rng import Draws
    first, second = (Draws(2**40, node).order(50) for node in (0, 1))
    assert not np.array_equal(first, second)
