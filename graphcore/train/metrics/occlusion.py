"""OcclusionSensitivity: which parts of an image a classifier looks at."""
from __future__ import annotations

import itertools

import numpy as np

from graphcore.tensor import Tensor
from graphcore.train.metrics.base import Metric, rearrange_inputs


class OcclusionSensitivity(Metric):
    """How much less certain a net is of a class when the neighbourhood of a pixel is covered, for each pixel.

    pad_val: what covers it; margin: pixels on each side of it; n_batch: images that the net gets at once; b_box:
    ``[first, last, first, last ...]`` pixel of each axis but the batch's, a part of the image (None: all of it).
    """

    def __init__(self, pad_val=0.0, margin=2, n_batch=128, b_box=None):
        super().__init__()
        for name, value, kinds in (("pad_val", pad_val, float), ("margin", margin, int), ("n_batch", n_batch, int),
                                   ("b_box", b_box, (list, type(None)))):
            if not isinstance(value, kinds) or isinstance(value, bool):
                raise TypeError(f"{name} must not be of type {type(value).__name__}")
        self.pad_val, self.margin, self.n_batch, self.b_box = pad_val, margin, n_batch, b_box
        self.clear()

    def clear(self):
        self._sensitivity: np.ndarray | None = None

    @rearrange_inputs
    def update(self, *inputs):
        """Take (net, image [1, ...], class).  Raises TypeError, ValueError or RuntimeError for other inputs."""
        from graphcore.nn.cell import Cell
        if len(inputs) != 3:
            raise ValueError("For 'OcclusionSensitivity.update', it needs 3 inputs (classification model, predicted "
                             f"value, label), but got {len(inputs)}.")
        net, image, label = inputs[0], self._convert_data(inputs[1]), self._convert_data(inputs[2])
        if not isinstance(net, Cell):
            raise TypeError(f"For 'OcclusionSensitivity.update', the model must be a Cell, but got {type(net)}.")
        if image.shape[0] != 1 or label.size != 1:
            raise RuntimeError("For 'OcclusionSensitivity.update', there must be one image and one label, but got "
                               f"{image.shape[0]} images and {label.size} labels.")
        first, last = self._box(image.shape[1:])
        label = int(label.reshape(()))
        whole = net(Tensor(image)).asnumpy()[0, label].item()
        pixels = itertools.product(*(range(a, b + 1) for a, b in zip(first, last)))
        scores = []
        while part := [self._covered(image, pixel) for pixel in itertools.islice(pixels, self.n_batch)]:
            scores.append(net(Tensor(np.concatenate(part))).asnumpy()[:, label])
        shape = [b - a + 1 for a, b in zip(first, last)]
        self._sensitivity = whole - np.concatenate(scores).reshape(shape).squeeze()

    def _covered(self, image, pixel):
        covered = image.copy()
        covered[(slice(None), *(slice(max(0, i - self.margin), i + self.margin) for i in pixel))] = self.pad_val
        return covered

    def _box(self, shape: tuple) -> tuple:
        """(first, last) pixel of each axis.  Raises ValueError for a box that does not lie in the image."""
        if self.b_box is None:
            return [0] * len(shape), [size - 1 for size in shape]
        if len(self.b_box) != 2 * len(shape):
            raise ValueError("For 'OcclusionSensitivity', b_box must have a first and a last pixel for each of the "
                             f"{len(shape)} axes, but got {len(self.b_box)} numbers.")
        first = [max(0, a) for a in self.b_box[::2]]
        last = [size - 1 if b < 0 else b for b, size in zip(self.b_box[1::2], shape)]
        if any(b >= size or a > b for a, b, size in zip(first, last, shape)):
            raise ValueError(f"For 'OcclusionSensitivity', the b_box {self.b_box} does not lie in an image of {shape}.")
        return first, last

    def eval(self):
        """The sensitivities, with the shape of the image or box.  Raises RuntimeError before `update`."""
        if self._sensitivity is None:
            raise RuntimeError("Please call the 'update' method before calling 'eval' method.")
        return self._sensitivity
