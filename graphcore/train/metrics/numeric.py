"""Metrics that are means: of errors, of the loss, of log-probabilities, of overlaps and similarities."""
from __future__ import annotations

import math

import numpy as np

from graphcore.train.metrics.base import Metric, rearrange_inputs


class _MeanError(Metric):
    def __init__(self):
        super().__init__()
        self.clear()

    def clear(self):
        self._error_sum = 0
        self._samples_num = 0

    def _error(self, difference: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    @rearrange_inputs
    def update(self, *inputs):
        predictions, values = self._pair(inputs)
        self._error_sum += float(self._error(values.reshape(predictions.shape) - predictions).sum())
        self._samples_num += values.shape[0]

    def eval(self):
        self._require_samples(self._samples_num)
        return self._error_sum / self._samples_num


class MAE(_MeanError):
    """The sum of absolute errors, divided by the number of samples."""

    def _error(self, difference):
        return np.abs(difference)


class MSE(_MeanError):
    """The sum of squared errors, divided by the number of samples."""

    def _error(self, difference):
        return np.square(difference)


class Loss(Metric):
    """The mean of the losses of all batches; a loss is a scalar or a vector."""

    def __init__(self):
        super().__init__()
        self.clear()

    def clear(self):
        self._sum_loss = 0
        self._total_num = 0

    @rearrange_inputs
    def update(self, *inputs):
        if len(inputs) != 1:
            raise ValueError(f"For 'Loss.update', it needs 1 input (loss), but got {len(inputs)}")
        loss = self._convert_data(inputs[0])
        if loss.ndim > 1:
            raise ValueError(f"For 'Loss.update', the dimension of your input (loss) must be 1, but got {loss.ndim}.")
        self._sum_loss += float(loss.reshape(-1).mean())
        self._total_num += 1

    def eval(self):
        self._require_samples(self._total_num)
        return self._sum_loss / self._total_num


class Perplexity(Metric):
    """exp of the mean negative log-probability that predictions [..., C] gave to the true classes [...].

    ignore_label: samples with this label do not count.
    """

    def __init__(self, ignore_label: int | None = None):
        super().__init__()
        if ignore_label is not None and (isinstance(ignore_label, bool) or not isinstance(ignore_label, int)):
            raise TypeError(f"ignore_label must be an int or None, got {type(ignore_label).__name__}")
        self.ignore_label = ignore_label
        self.clear()

    def clear(self):
        self._sum_metric = 0.0
        self._num_inst = 0

    @rearrange_inputs
    def update(self, *inputs):
        predictions, labels = self._pair(inputs)
        if labels.size * predictions.shape[-1] != predictions.size:
            raise RuntimeError("For 'Perplexity.update', predicted value (input[0]) and label (input[1]) should have "
                               f"the same shape, but got predicted value shape {predictions.shape}, label shape "
                               f"{labels.shape}.")
        labels = labels.reshape(-1).astype(np.int64)
        if self.ignore_label is not None:
            keep = labels != self.ignore_label
            labels, predictions = labels[keep], predictions.reshape(-1, predictions.shape[-1])[keep]
        predictions = predictions.reshape(-1, predictions.shape[-1])
        chosen = predictions[np.arange(len(labels)), labels]
        self._sum_metric -= np.log(np.maximum(1e-10, chosen)).sum()
        self._num_inst += len(labels)

    def eval(self):
        self._require_samples(self._num_inst)
        return math.exp(self._sum_metric / self._num_inst)


class Dice(Metric):
    """Twice the overlap of predictions and labels, divided by the sum of their squares plus `smooth`, summed over the
    batches and divided by the number of samples."""

    def __init__(self, smooth: float = 1e-5):
        super().__init__()
        if not smooth > 0:
            raise ValueError(f"For 'Dice', smooth must be greater than 0, but got {smooth}")
        self.smooth = smooth
        self.clear()

    def clear(self):
        self._dice_coeff_sum = 0.0
        self._samples_num = 0

    @rearrange_inputs
    def update(self, *inputs):
        predictions, labels = self._pair(inputs)
        if predictions.shape != labels.shape:
            raise ValueError("For 'Dice.update', predicted value (input[0]) and true value (input[1]) should have same "
                             f"shape, but got predicted value shape: {predictions.shape}, true value shape: "
                             f"{labels.shape}.")
        samples = labels.shape[0]
        predictions, labels = predictions.reshape(-1), labels.reshape(-1)
        squares = float(np.dot(predictions, predictions)) + float(np.dot(labels, labels))
        self._dice_coeff_sum += 2 * float(np.dot(predictions, labels)) / (squares + self.smooth)
        self._samples_num += samples

    def eval(self):
        self._require_samples(self._samples_num)
        return self._dice_coeff_sum / self._samples_num


class CosineSimilarity(Metric):
    """The similarity of each two rows of the last matrix [N, D] that was given: [N, N].

    similarity: 'cosine' or 'dot'; reduction: 'none', 'mean' or 'sum' over the last axis; zero_diagonal: whether the
    similarity of a row with itself counts as 0.
    """

    def __init__(self, similarity: str = "cosine", reduction: str = "none", zero_diagonal: bool = True):
        super().__init__()
        if similarity not in ("cosine", "dot") or reduction not in ("none", "sum", "mean"):
            raise ValueError("For 'CosineSimilarity', similarity must be 'cosine' or 'dot' and reduction 'none', 'sum' "
                             f"or 'mean', but got {similarity!r} and {reduction!r}")
        self.similarity, self.reduction, self.zero_diagonal = similarity, reduction, zero_diagonal
        self.clear()

    def clear(self):
        self._products = None

    @rearrange_inputs
    def update(self, inputs):
        rows = self._convert_data(inputs)
        if self.similarity == "cosine":
            rows = rows / np.linalg.norm(rows, ord=2, axis=1, keepdims=True)
        self._products = rows @ rows.T

    def eval(self):
        if self._products is None:
            raise RuntimeError("Please call the 'update' method before calling 'eval' method.")
        result = self._products.copy()
        if self.zero_diagonal:
            np.fill_diagonal(result, 0)
        return result if self.reduction == "none" else getattr(result, self.reduction)(axis=-1)
