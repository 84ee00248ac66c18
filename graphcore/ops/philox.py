"""Counter-based random numbers in NumPy, the reference of the random operators.

A number is a function of a key (two 64-bit integers: seed and call number), a site (which random operator of the graph)
and an index (which element).  Key and site select a *stream*, two 32-bit words that Philox4x32-10 makes of them; the
numbers of a stream are Philox2x32-10 of the index.  A kernel computes the stream once and the cheaper generator for
each element.  Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (2011).
"""
from __future__ import annotations

import numpy as np

ROUNDS = 10
FACTORS4, KEY_STEPS4 = (0xD2511F53, 0xCD9E8D57), (0x9E3779B9, 0xBB67AE85)
FACTOR2, KEY_STEP2 = 0xD256D193, 0x9E3779B9
UNIFORM_STEP = 2.0 ** -24

_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)


def philox4x32(counter, key) -> list:
    """Four words of random bits from four counter words and two key words: uint64 arrays of values below 2**32."""
    counter, key = list(counter), list(key)
    for number in range(ROUNDS):
        if number:
            key = [(word + np.uint64(step)) & _LOW for word, step in zip(key, KEY_STEPS4)]
        first, second = (word * np.uint64(factor) for word, factor in zip((counter[0], counter[2]), FACTORS4))
        counter = [(second >> _HALF) ^ counter[1] ^ key[0], second & _LOW,
                   (first >> _HALF) ^ counter[3] ^ key[1], first & _LOW]
    return counter


def philox2x32(counter, key) -> list:
    """Two words of random bits from two counter words and one key word, as `philox4x32`."""
    first, second = counter
    for number in range(ROUNDS):
        if number:
            key = (key + np.uint64(KEY_STEP2)) & _LOW
        product = first * np.uint64(FACTOR2)
        first, second = (product >> _HALF) ^ key ^ second, product & _LOW
    return [first, second]


def words(key0: int, key1: int, site: int, shape) -> list:
    """Two uint64 arrays of `shape` of 32-bit random words, those of element i from the index i (row-major)."""
    key0, key1, site = (np.array([key & 0xFFFFFFFFFFFFFFFF], np.uint64) for key in (key0, key1, site))
    stream, key, *_ = philox4x32((site & _LOW, site >> _HALF, key0 >> _HALF, key1 >> _HALF),
                                 (key0 & _LOW, key1 & _LOW))
    index = np.arange(int(np.prod(shape)), dtype=np.uint64)
    return [word.reshape(shape) for word in philox2x32((index & _LOW, (index >> _HALF) ^ stream), key)]


def bits(key0: int, key1: int, site: int, shape) -> np.ndarray:
    """Random uint32 words."""
    return words(key0, key1, site, shape)[0].astype(np.uint32)


def uniform(key0: int, key1: int, site: int, shape) -> np.ndarray:
    """float32 numbers in [0, 1), each one of 2**24 equally likely values."""
    return _unit(words(key0, key1, site, shape)[0])


def normal(key0: int, key1: int, site: int, shape) -> np.ndarray:
    """float32 numbers of the standard normal distribution, by the method of Box and Muller."""
    first, second = map(_unit, words(key0, key1, site, shape))
    radius = np.sqrt(np.float32(-2) * np.log(np.float32(1) - first))
    return (radius * np.cos(2 * np.pi * second.astype(np.float64))).astype(np.float32)


def _unit(word):
    return (word >> np.uint64(8)).astype(np.float32) * np.float32(UNIFORM_STEP)
