"""Metrics of class predictions: accuracy, precision, recall, F-scores, top-k."""
from __future__ import annotations

import sys

import numpy as np

from graphcore.train.metrics.base import (
    EvaluationBase,
    Metric,
    class_numbers,
    one_hot,
    rearrange_inputs,
    same_class_number,
)

_TINY = sys.float_info.min


def _check_average(average) -> None:
    if not isinstance(average, bool):
        raise TypeError(f"average must be a bool, got {type(average).__name__}")


class Accuracy(EvaluationBase):
    """The share of right predictions: the class with the largest value, or (multilabel) all labels of a sample.

    ``eval()`` gives a float64.
    """

    def __init__(self, eval_type: str = "classification"):
        super().__init__(eval_type)
        self.clear()

    def clear(self):
        self._correct_num = self._total_num = self._class_num = 0

    @rearrange_inputs
    def update(self, *inputs):
        predictions, labels = self._checked(inputs)
        if self._type == "classification":
            right = (predictions.argmax(axis=1) == labels).reshape(-1)
        else:
            last = predictions.ndim - 1
            rows = (a.swapaxes(1, last).reshape(-1, self._class_num) for a in (predictions, labels))
            right = np.equal(*rows).all(axis=1)
        self._correct_num += right.sum()
        self._total_num += right.shape[0]

    def eval(self):
        self._require_samples(self._total_num)
        return self._correct_num / self._total_num


class _Ratio(EvaluationBase):
    """True positives divided by some count of samples, for each class (or for each sample, if multilabel)."""

    def __init__(self, eval_type: str = "classification"):
        super().__init__(eval_type)
        self.clear()

    def clear(self):
        self._class_num = 0
        self._true_positives, self._counted = [], []

    def _count(self, predicted: np.ndarray, actual: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    @rearrange_inputs
    def update(self, *inputs):
        predictions, labels = self._checked(inputs)
        if self._type == "classification":
            predicted, actual = one_hot(self, predictions, labels, self._class_num)
            self._true_positives = [sum(self._true_positives, (predicted * actual).sum(axis=0))]
            self._counted = [sum(self._counted, self._count(predicted, actual).sum(axis=0))]
        else:
            predicted, actual = (a.swapaxes(1, 0).reshape(self._class_num, -1) for a in (predictions, labels))
            self._true_positives.append((predicted * actual).sum(axis=0))
            self._counted.append(self._count(predicted, actual).sum(axis=0))

    def eval(self, average: bool = False):
        """The ratio of each class (each sample, if multilabel), float64; their mean with `average`."""
        self._require_samples(self._class_num)
        _check_average(average)
        result = np.concatenate(self._true_positives) / (np.concatenate(self._counted) + _TINY)
        return result.mean() if average else result


class Precision(_Ratio):
    """True positives / predicted positives."""

    def _count(self, predicted, actual):
        return predicted


class Recall(_Ratio):
    """True positives / actual positives."""

    def _count(self, predicted, actual):
        return actual


class Fbeta(Metric):
    """The weighted harmonic mean of precision and recall of each class; `beta` > 0 weights the recall."""

    def __init__(self, beta: float):
        super().__init__()
        if not beta > 0:
            raise ValueError(f"For 'Fbeta', the argument 'beta' must be greater than 0, but got {beta}.")
        self.beta = beta
        self.clear()

    def clear(self):
        self._true_positives = self._actual_positives = self._positives = self._class_num = 0

    @rearrange_inputs
    def update(self, *inputs):
        predictions, labels = self._pair(inputs)
        labels = class_numbers(predictions, labels)
        self._class_num = same_class_number(self, self._class_num, predictions)
        predicted, actual = one_hot(self, predictions, labels, self._class_num)
        self._true_positives = self._true_positives + (predicted * actual).sum(axis=0)
        self._positives = self._positives + predicted.sum(axis=0)
        self._actual_positives = self._actual_positives + actual.sum(axis=0)

    def eval(self, average: bool = False):
        """The score of each class, float64; their mean with `average`."""
        _check_average(average)
        self._require_samples(self._class_num)
        weight = self.beta ** 2
        score = (1 + weight) * self._true_positives / (weight * self._actual_positives + self._positives + _TINY)
        return score.mean() if average else score


class F1(Fbeta):
    """Fbeta with beta 1."""

    def __init__(self):
        super().__init__(1.0)


class TopKCategoricalAccuracy(Metric):
    """The share of samples whose class is among the `k` largest predictions [N, C]."""

    def __init__(self, k: int):
        super().__init__()
        if isinstance(k, bool) or not isinstance(k, int):
            raise TypeError("For 'TopKCategoricalAccuracy', the type of the argument 'k' should be int, but got 'k' "
                            f"type: {type(k)}.")
        if k < 1:
            raise ValueError("For 'TopKCategoricalAccuracy', the argument 'k' must be at least 1, but got 'k' value: "
                             f"{k}.")
        self.k = k
        self.clear()

    def clear(self):
        self._correct_num = self._samples_num = 0

    @rearrange_inputs
    def update(self, *inputs):
        predictions, labels = self._pair(inputs)
        labels = class_numbers(predictions, labels).reshape(-1, 1)
        best = np.argsort(-predictions, axis=1)[:, :self.k]
        self._correct_num += (best == labels).sum()
        self._samples_num += labels.shape[0]

    def eval(self):
        self._require_samples(self._samples_num)
        return self._correct_num / self._samples_num


class Top1CategoricalAccuracy(TopKCategoricalAccuracy):
    """TopKCategoricalAccuracy with k 1."""

    def __init__(self):
        super().__init__(1)


class Top5CategoricalAccuracy(TopKCategoricalAccuracy):
    """TopKCategoricalAccuracy with k 5."""

    def __init__(self):
        super().__init__(5)
