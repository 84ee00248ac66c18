"""The random orders of MindSpore's datasets: under the same seed, rows come in the same order as there.

MindSpore's C++ draws them from the two Mersenne twisters of the standard library: samplers with `std::shuffle` on the
one of 32 bits, shuffle buffers from the one of 64 bits.  Seeds are taken modulo 2**32, as MindSpore's are.  Equal
orders are held for `shuffle`, all samplers (see there) and `split` of sources with random access.
"""
from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np

_WORD = 1 << 32
_MOST_FOR_PAIRS = 65535         # of so many rows, one word decides on two swaps


def shuffled(rows: list, seed: int) -> list:
    """`rows` in the order of `std::shuffle(rows, std::mt19937(seed))`."""
    return _shuffled(rows, _Bounded(seed, len(rows)).below)


def _shuffled(rows: list, draw) -> list:
    rows = list(rows)
    if len(rows) > _MOST_FOR_PAIRS:
        for i in range(1, len(rows)):
            j = draw(i + 1)
            rows[i], rows[j] = rows[j], rows[i]
        return rows
    i = 1
    if len(rows) % 2 == 0 and rows:
        j = draw(2)
        rows[1], rows[j] = rows[j], rows[1]
        i = 2
    while i < len(rows):
        first, second = divmod(draw((i + 1) * (i + 2)), i + 2)
        rows[i], rows[first] = rows[first], rows[i]
        rows[i + 1], rows[second] = rows[second], rows[i + 1]
        i += 2
    return rows


def drawn(number: int, below: int, seed: int) -> list:
    """`number` values of `std::uniform_int_distribution(0, below - 1)` on `std::mt19937(seed)`."""
    draw = _Bounded(seed, number).below
    return [draw(below) for _ in range(number)]


def fractions(number: int, seed: int) -> np.ndarray:
    """`number` values of `std::uniform_real_distribution<double>(0, 1)` on `std::mt19937(seed)`."""
    low, high = np.random.RandomState(seed % _WORD).randint(0, _WORD, (number, 2), np.uint32).T.astype(np.float64)
    return np.minimum((low + high * _WORD) / float(1 << 64), np.nextafter(1.0, 0.0))


def weighted(number: int, weights: np.ndarray, seed: int) -> np.ndarray:
    """`number` values of `std::discrete_distribution(weights)` on `std::mt19937(seed)`."""
    return np.searchsorted(np.cumsum(weights / weights.sum()), fractions(number, seed)).clip(0, len(weights) - 1)


def weighted_order(weights: np.ndarray, seed: int) -> np.ndarray:
    """The places of the weights as their turn comes when each waits, on `std::mt19937(seed)`, for
    `std::exponential_distribution(weight)`."""
    with np.errstate(divide="ignore", invalid="ignore"):
        waiting = -np.log1p(-fractions(len(weights), seed)) / weights
    return np.argsort(waiting, kind="stable")


def drawn_below(limits: list, number: int, seed: int) -> list:
    """For each limit `number` values below it, all from one `std::mt19937(seed)`."""
    source = _Bounded(seed, len(limits) * number)
    return [[source.below(limit) for _ in range(number)] for limit in limits]


def shuffled_then_drawn(rows: list, number: int, below: list, seed: int) -> tuple:
    """(`rows` shuffled, for each of them `number` values below its `below`), all from one `std::mt19937(seed)`."""
    source = _Bounded(seed, len(rows) * (number + 1))
    rows = _shuffled(rows, source.below)
    return rows, [[source.below(below[row]) for _ in range(number)] for row in rows]


class _Bounded:
    """Evenly distributed whole numbers from the twister of 32 bits; about `expected` of them will be asked for."""

    def __init__(self, seed: int, expected: int):
        self._source, self._expected = np.random.RandomState(seed % _WORD), max(expected, 16)
        self._words = iter(())

    def _word(self) -> int:
        for word in self._words:
            return word
        self._words = iter(self._source.randint(0, _WORD, self._expected, np.uint32).tolist())
        return next(self._words)

    def below(self, limit: int) -> int:
        """One of 0 .. limit - 1; words that would favour some of them are left out."""
        scaling = _WORD // limit
        while (word := self._word()) >= limit * scaling:
            pass
        return word // scaling


def shuffled_by_buffer(rows: Iterator, size: int, words: Iterator) -> Iterator:
    """The rows as they leave a buffer of `size`, by a word for each."""
    buffer = list(islice(rows, size))
    while buffer:
        place = next(words) % len(buffer)
        row, buffer[place] = buffer[place], buffer[-1]
        buffer.pop()
        # The next row is read before this one is handed out, as a buffer that is full serves the next draw.
        buffer.extend(islice(rows, 1))
        yield row


class Twister64:
    """`std::mt19937_64`: an endless iterator of words of 64 bits."""

    _SIZE, _MIDDLE = 312, 156

    def __init__(self, seed: int):
        state = [seed % _WORD]
        for i in range(1, self._SIZE):
            state.append((6364136223846793005 * (state[-1] ^ (state[-1] >> 62)) + i) % (1 << 64))
        self._state = np.array(state, np.uint64)
        self._words: Iterator = iter(())

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        for word in self._words:
            return word
        self._words = iter(self._next_block())
        return next(self._words)

    def _next_block(self) -> list:
        """The next 312 words: the state moved on, and tempered."""
        state, middle = self._state, self._MIDDLE
        # The second half needs the first half's new words, its last word the first new one.
        state[:middle] = state[middle:] ^ _twisted(state[:middle], state[1:middle + 1])
        state[middle:] = state[:middle] ^ _twisted(state[middle:], np.append(state[middle + 1:], state[0]))
        words = state ^ ((state >> np.uint64(29)) & np.uint64(0x5555555555555555))
        words ^= (words << np.uint64(17)) & np.uint64(0x71D67FFFEDA60000)
        words ^= (words << np.uint64(37)) & np.uint64(0xFFF7EEE000000000)
        return (words ^ (words >> np.uint64(43))).tolist()


def _twisted(words: np.ndarray, following: np.ndarray) -> np.ndarray:
    mixed = (words & np.uint64(0xFFFFFFFF80000000)) | (following & np.uint64(0x7FFFFFFF))
    return (mixed >> np.uint64(1)) ^ np.where(mixed & np.uint64(1), np.uint64(0xB5026F5AA96619E9), np.uint64(0))
