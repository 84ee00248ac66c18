"""The receiver operating characteristic and the area under it."""
from __future__ import annotations

import numpy as np

from graphcore.train.metrics.base import Metric, rearrange_inputs


class ROC(Metric):
    """False and true positive rates under all thresholds, over all batches.

    Predictions and labels of one shape: two classes, `pos_label` (default 1) being the positive one.  Predictions
    [N, C] with labels [N]: a curve for each of the `class_num` = C classes.
    ``eval()`` gives (fpr, tpr, thresholds): arrays, or lists of arrays, one for each class.
    """

    def __init__(self, class_num: int | None = None, pos_label: int | None = None):
        super().__init__()
        for name, value in (("class_num", class_num), ("pos_label", pos_label)):
            if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
                raise TypeError(f"{name} must be an int or None, got {type(value).__name__}")
        self.class_num, self.pos_label = class_num, pos_label
        self.clear()

    def clear(self):
        self._predictions, self._labels = [], []

    @rearrange_inputs
    def update(self, *inputs):
        predictions, labels = self._pair(inputs)
        if predictions.ndim == labels.ndim:
            if self.class_num not in (None, 1):
                raise ValueError("For 'ROC', when predicted value (input[0]) and true value (input[1]) have the same "
                                 f"shape, the 'class_num' must be 1, but got {self.class_num}.")
            predictions = predictions.reshape(-1, 1)
        elif predictions.ndim == labels.ndim + 1:
            if self.pos_label is not None:
                raise ValueError("For 'ROC', when the dimension of predicted value (input[0]) equals the dimension of "
                                 "true value (input[1]) add 1, the 'pos_label' must be None, but got "
                                 f"{self.pos_label}.")
            if self.class_num != predictions.shape[1]:
                raise ValueError("For 'ROC', the 'class_num' must equal the number of classes from predicted value "
                                 f"(input[0]), but got 'class_num' {self.class_num}, the number of classes from "
                                 f"predicted value {predictions.shape[1]}.")
            predictions = np.moveaxis(predictions, 1, -1).reshape(-1, predictions.shape[1])
        else:
            raise ValueError("For 'ROC', predicted value (input[0]) and true value (input[1]) must have same "
                             "dimensions, or the dimension of predicted value equal the dimension of true value add 1, "
                             f"but got predicted value ndim: {predictions.ndim}, true value ndim: {labels.ndim}.")
        self._predictions.append(predictions)
        self._labels.append(labels.reshape(-1))

    def eval(self):
        if not self._labels:
            raise RuntimeError("Please call the 'update' method before calling 'eval' method.")
        predictions, labels = np.concatenate(self._predictions), np.concatenate(self._labels)
        if predictions.shape[1] == 1 and self.class_num in (None, 1):
            return _curve(predictions[:, 0], labels == (1 if self.pos_label is None else self.pos_label))
        curves = [_curve(predictions[:, c], labels == c) for c in range(predictions.shape[1])]
        return tuple(list(parts) for parts in zip(*curves))


def _curve(scores: np.ndarray, positive: np.ndarray) -> tuple:
    """(fpr, tpr, thresholds) of scores and whether each is of a positive sample."""
    order = np.argsort(-scores)
    scores, positive = scores[order], positive[order]
    # A threshold for each distinct score: the last place at which it stands.
    places = np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1)
    hits = np.cumsum(positive)[places]
    misses = 1 + places - hits
    if misses[-1] <= 0:
        raise ValueError("For 'ROC.eval', there is no negative samples in true value, false positive value is "
                         "meaningless.")
    if hits[-1] <= 0:
        raise ValueError("For 'ROC.eval', there is no positive samples in true value, true positive value is "
                         "meaningless.")
    thresholds = np.append(scores[:1] + 1, scores[places])
    return np.append(0, misses) / misses[-1], np.append(0, hits) / hits[-1], thresholds


def auc(x: np.ndarray, y: np.ndarray, reorder: bool = False) -> float:
    """The area under a curve by the trapezoidal rule; x must rise or fall, or `reorder` sorts it."""
    if not isinstance(x, np.ndarray) or not isinstance(y, np.ndarray):
        raise TypeError(f"For 'auc', the argument 'x' and 'y' must all be np.ndarray, but got {type(x)}, {type(y)}")
    x, y = (a.reshape(-1) if a.ndim == 2 and a.shape[1] == 1 else a for a in (x, y))
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"For 'auc', 'x' and 'y' must be vectors of one length, but got shapes {x.shape} and "
                         f"{y.shape}")
    if len(x) < 2:
        raise ValueError(f"For 'auc', a curve has at least 2 points, but got {len(x)}.")
    if reorder:
        order = np.lexsort((y, x))
        x, y = x[order], y[order]
    steps = np.diff(x)
    if (steps < 0).any() and (steps > 0).any():
        raise ValueError("For 'auc', if the argument is False, the argument 'x' array must be increasing or "
                         f"decreasing, but got 'x': {x}")
    area = (steps * (y[1:] + y[:-1])).sum() / 2
    return -area if (steps < 0).any() else area
