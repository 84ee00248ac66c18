"""Metric, the base of all metrics, and what several of them share."""
from __future__ import annotations

import functools
from abc import ABC, abstractmethod

import numpy as np

from graphcore.tensor import Tensor

EVAL_TYPES = ("classification", "multilabel")


def rearrange_inputs(func):
    """Decorator of `Metric.update`: picks and orders the inputs as `set_indexes` said."""
    @functools.wraps(func)
    def wrapper(self, *inputs):
        chosen = self.indexes
        return func(self, *(inputs if not chosen else [inputs[i] for i in chosen]))
    return wrapper


class Metric(ABC):
    """Base of metrics: `clear` starts anew, `update` takes a batch, `eval` gives the result over all batches."""

    def __init__(self):
        self._indexes = None

    def _convert_data(self, data) -> np.ndarray:
        """A Tensor, list or array as an array.  Raises TypeError for anything else."""
        if isinstance(data, Tensor):
            return data.asnumpy()
        if isinstance(data, (list, np.ndarray)):
            return np.asarray(data)
        raise TypeError("For 'Metric' and its derived classes, the input data type must be tensor, list or "
                        f"numpy.ndarray, but got {type(data)}.")

    @property
    def indexes(self):
        """Which inputs `update` uses, in which order; None: all."""
        return getattr(self, "_indexes", None)

    def set_indexes(self, indexes: list) -> Metric:
        """Use the inputs of these numbers; returns the metric.  Raises ValueError unless it is a list of ints."""
        if not isinstance(indexes, list) or not all(isinstance(i, int) for i in indexes):
            raise ValueError("For 'set_indexes', the argument 'indexes' must be a list and all its elements must be "
                             "int, please check whether it is correct.")
        self._indexes = indexes
        return self

    def __call__(self, *inputs):
        """The result of one batch."""
        self.clear()
        self.update(*inputs)
        return self.eval()

    @abstractmethod
    def clear(self):
        """Forget all batches."""

    @abstractmethod
    def update(self, *inputs):
        """Take a batch, usually predictions and labels."""

    @abstractmethod
    def eval(self):
        """The result over all batches since `clear`."""

    # For subclasses.

    def _pair(self, inputs) -> tuple:
        """(predictions, labels) as arrays.  Raises ValueError unless there are two inputs."""
        if len(inputs) != 2:
            raise ValueError(f"For '{type(self).__name__}.update', it needs 2 inputs (predicted value, true value), "
                             f"but got {len(inputs)}.")
        return self._convert_data(inputs[0]), self._convert_data(inputs[1])

    def _require_samples(self, number) -> None:
        """Raises RuntimeError if no batch was taken."""
        if not number:
            raise RuntimeError(f"The '{type(self).__name__}' can not be calculated, because the number of samples is "
                               "0, please check whether your inputs(predicted value, true value) are empty, or has "
                               "called update method before calling eval method.")


class EvaluationBase(Metric):
    """Base of metrics over classes.

    eval_type 'classification': predictions [N, C, ...] and labels [N, ...] (or one-hot [N, C, ...]);
    'multilabel': both [N, C, ...] of 0 and 1.  Raises TypeError for another eval_type.
    """

    def __init__(self, eval_type: str):
        super().__init__()
        if eval_type not in EVAL_TYPES:
            raise TypeError(f"The argument 'eval_type' must be in {set(EVAL_TYPES)}, but got {eval_type}")
        self._type = eval_type
        self._class_num = 0

    def _checked(self, inputs) -> tuple:
        """(predictions, class numbers or 0/1 labels), checked against each other and the batches before."""
        predictions, labels = self._pair(inputs)
        if self._type == "classification":
            labels = class_numbers(predictions, labels)
            if predictions.ndim != labels.ndim + 1 or labels.shape != predictions.shape[:1] + predictions.shape[2:]:
                raise ValueError("In classification case, y_pred (predicted value) of shape (N, C, ...) goes with y "
                                 f"(true value) of shape (N, ...), but got y_pred shape {predictions.shape} and y "
                                 f"shape {labels.shape}.")
        else:
            if predictions.shape != labels.shape:
                raise ValueError("In multilabel case, the shape of y_pred (predicted value) should equal to the shape "
                                 f"of y (true value), but got y_pred shape: {predictions.shape} and y shape: "
                                 f"{labels.shape}.")
            if not (is_zero_one(predictions) and is_zero_one(labels)):
                raise ValueError("In multilabel case, all elements in y_pred (predicted value) and y (true value) "
                                 "should be 0 or 1.Please check whether your inputs y_pred and y are correct.")
        self._class_num = same_class_number(self, self._class_num, predictions)
        return predictions, labels


def is_zero_one(array: np.ndarray) -> bool:
    """Whether all elements are 0 or 1."""
    return bool(np.isin(array, (0, 1)).all())


def class_numbers(predictions: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Labels as class numbers: one-hot labels of the predictions' rank are turned into numbers."""
    one_hot = predictions.ndim == labels.ndim and labels.ndim > 1 and is_zero_one(labels)
    return labels.argmax(axis=1) if one_hot and (labels.sum(axis=1) == 1).all() else labels


def same_class_number(metric: Metric, before: int, predictions: np.ndarray) -> int:
    """The number of classes.  Raises ValueError if batches before had another."""
    number = predictions.shape[1]
    if before not in (0, number):
        raise ValueError(f"For '{type(metric).__name__}.update', class number not match, last input predicted data "
                         f"contain {before} classes, but current predicted data contain {number} classes, please check "
                         "your predicted value(inputs[0]).")
    return number


def one_hot(metric: Metric, predictions: np.ndarray, labels: np.ndarray, classes: int) -> tuple:
    """Predicted and true classes as rows of 0 and 1.  Raises ValueError for labels that are no class numbers."""
    if labels.size and (labels.max() >= classes or labels.min() < 0):
        raise ValueError(f"For '{type(metric).__name__}.update', predicted value (input[0]) should have the same "
                         f"classes number as true value (input[1]), but got predicted value classes {classes}, true "
                         f"values from {labels.min()} to {labels.max()}.")
    identity = np.eye(classes)
    return identity[predictions.argmax(axis=1).reshape(-1)], identity[labels.reshape(-1).astype(np.int64)]
