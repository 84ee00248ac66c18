"""Sizes of 3x3 convolutions that the tests of Winograd's algorithm go through."""
import itertools

import numpy as np

PADS = ((0, 0, 0, 0), (1, 1, 1, 1), (1, 0, 2, 1))


def numbers(*shape):
    return np.random.default_rng(sum(shape)).standard_normal(shape)


def cases(heights: tuple, images: tuple):
    """(images, channels, output channels, height, width, padding): all pairs of channels, each with other sizes."""
    sizes = itertools.cycle(itertools.product(heights, (5, 4, 33, 1, 8, 3, 14), images))
    for number, pair in enumerate(itertools.product((1, 3, 7, 16, 17, 33, 64), repeat=2)):
        for pad in PADS:
            height, width, count = next(sizes)
            for _ in range(number % 5):
                next(sizes)
            if height + pad[0] + pad[1] >= 3 and width + pad[2] + pad[3] >= 3:
                yield count, *pair, height, width, pad
