"""Metrics of how far apart the edges of two segmented images lie."""
from __future__ import annotations

import numpy as np

from graphcore.train.metrics.base import Metric, rearrange_inputs

_PAIRS = 1 << 22        # distances computed at once
_DISTANCES = ("euclidean", "chessboard", "taxicab")


class _Surfaces(Metric):
    """Takes (prediction, truth, class): images of class numbers, of any number of axes; keeps the edges of the class.

    Only the last update counts.
    """

    def __init__(self, distance_metric):
        super().__init__()
        if not isinstance(distance_metric, str):
            raise TypeError(f"distance_metric must be a str, but got {type(distance_metric).__name__}")
        if distance_metric not in _DISTANCES:
            raise ValueError(f"distance_metric must be one of {_DISTANCES}, but got {distance_metric!r}")
        self.distance_metric = distance_metric
        self.clear()

    def clear(self):
        self._edges: tuple | None = None

    @rearrange_inputs
    def update(self, *inputs):
        name = type(self).__name__
        if len(inputs) != 3:
            raise ValueError(f"For '{name}.update', it needs 3 inputs (predicted value, true value, label index), but "
                             f"got {len(inputs)}.")
        prediction, truth, label = self._convert_data(inputs[0]), self._convert_data(inputs[1]), inputs[2]
        if not isinstance(label, (int, float)):
            kind = TypeError if isinstance(self, RootMeanSquareDistance) else ValueError
            raise kind(f"For '{name}.update', the label index must be int or float, but got {type(label)}.")
        if label not in prediction and label not in truth:
            raise ValueError(f"For '{name}.update', the label index must be in predicted value or true value, but "
                             f"{label} is not.")
        if prediction.size == 0 or prediction.shape != truth.shape:
            raise ValueError(f"For '{name}.update', predicted value and true value must have one shape and not be "
                             f"empty, but got the shapes {prediction.shape} and {truth.shape}.")
        self._edges = tuple(np.argwhere(_edge(image if image.dtype == bool else image == label))
                            for image in (prediction, truth))

    def _both_ways(self) -> tuple:
        """The distances of each edge pixel of the prediction to the truth's nearest, and the other way round.

        Raises RuntimeError before `update`.
        """
        if self._edges is None:
            raise RuntimeError("Please call the 'update' method before calling 'eval' method.")
        predicted, true = self._edges
        return _nearest(predicted, true, self.distance_metric), _nearest(true, predicted, self.distance_metric)


def _edge(mask: np.ndarray) -> np.ndarray:
    """The pixels of a mask of which a neighbour along an axis is not in it; beyond the image nothing is."""
    padded = np.pad(mask, 1)
    inner = mask.copy()
    for axis in range(mask.ndim):
        for start in (0, 2):
            window = [slice(1, -1)] * mask.ndim
            window[axis] = slice(start, start + mask.shape[axis])
            inner &= padded[tuple(window)]
    return mask & ~inner


def _nearest(points: np.ndarray, others: np.ndarray, metric: str) -> np.ndarray:
    """The distance of each of `points` [N, axes] to the nearest of `others` [M, axes]; infinite if there are none."""
    if not len(others):
        return np.full(len(points), np.inf)
    found = []
    for part in np.array_split(points, max(1, -(-len(points) * len(others) // _PAIRS))):
        apart = np.abs(part[:, None] - others)
        if metric == "euclidean":
            found.append(np.sqrt(np.square(apart).sum(-1).min(1)))
        else:
            steps = apart.max(-1) if metric == "chessboard" else apart.sum(-1)
            found.append(steps.min(1).astype(np.int32))         # whole numbers, of MindSpore's dtype
    return np.concatenate(found)


class HausdorffDistance(_Surfaces):
    """The largest distance of an edge pixel of one image to the nearest of the other.

    distance_metric: "euclidean", "chessboard" or "taxicab".  percentile: this one of the distances instead of the
    largest.  directed: from the prediction's edge to the truth's alone.  crop is accepted: it changes no distance.
    """

    def __init__(self, distance_metric="euclidean", percentile=None, directed=False, crop=True):
        super().__init__(distance_metric)
        if percentile is not None and not isinstance(percentile, float):
            raise TypeError(f"percentile must be a float or None, but got {type(percentile).__name__}")
        for name, value in (("directed", directed), ("crop", crop)):
            if value is not None and not isinstance(value, bool):
                raise TypeError(f"{name} must be a bool, but got {type(value).__name__}")
        self.percentile, self.directed, self.crop = percentile, directed, crop

    def eval(self):
        forth, back = map(self._furthest, self._both_ways())
        return forth if self.directed else max(forth, back)

    def _furthest(self, distances):
        if not distances.size:
            return np.inf
        if not self.percentile:
            return distances.max()
        if not 0 <= self.percentile <= 100:
            raise ValueError("For 'HausdorffDistance', the value of the argument 'percentile' must be [0, 100], but "
                             f"got {self.percentile}.")
        return np.percentile(distances, self.percentile)


class _MeanOfSurfaces(_Surfaces):
    def __init__(self, symmetric=False, distance_metric="euclidean"):
        super().__init__(distance_metric)
        if not isinstance(symmetric, bool):
            raise TypeError(f"symmetric must be a bool, but got {type(symmetric).__name__}")
        self.symmetric = symmetric

    def _means(self, power: int) -> list:
        """The mean of the distances' power one way or, with `symmetric`, both ways; infinite where there is no edge."""
        ways = self._both_ways()[:1 + self.symmetric]
        return [(d ** power).mean() if d.size else np.inf for d in ways]


class MeanSurfaceDistance(_MeanOfSurfaces):
    """The mean distance of the prediction's edge pixels to the nearest of the truth's.

    symmetric: the mean of that and of the other way round.  distance_metric: "euclidean", "chessboard" or "taxicab".
    """

    def eval(self):
        return np.mean(self._means(1))


class RootMeanSquareDistance(_MeanOfSurfaces):
    """With `symmetric`, the root of the mean squared distance between the edges; else, as in MindSpore, no root of it.

    distance_metric: "euclidean", "chessboard" or "taxicab".
    """

    def eval(self):
        means = self._means(2)
        return np.sqrt(np.mean(means)) if self.symmetric else means[0]
