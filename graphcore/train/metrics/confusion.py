"""The confusion matrix, and the measures that are made of it."""
from __future__ import annotations

import numpy as np

from graphcore.train.metrics.base import Metric, is_zero_one, rearrange_inputs

# Name of a measure → its other names and what it is, of the counts tp, fp, tn, fn.
_MEASURES = {
    "tpr": ("sensitivity recall hit_rate true_positive_rate", lambda tp, fp, tn, fn: tp / (tp + fn)),
    "tnr": ("specificity selectivity true_negative_rate", lambda tp, fp, tn, fn: tn / (fp + tn)),
    "ppv": ("precision positive_predictive_value", lambda tp, fp, tn, fn: tp / (tp + fp)),
    "npv": ("negative_predictive_value", lambda tp, fp, tn, fn: tn / (tn + fn)),
    "fnr": ("miss_rate false_negative_rate", lambda tp, fp, tn, fn: fn / (tp + fn)),
    "fpr": ("fall_out false_positive_rate", lambda tp, fp, tn, fn: fp / (fp + tn)),
    "fdr": ("false_discovery_rate", lambda tp, fp, tn, fn: fp / (fp + tp)),
    "for": ("false_omission_rate", lambda tp, fp, tn, fn: fn / (fn + tn)),
    "pt": ("prevalence_threshold", lambda tp, fp, tn, fn: _prevalence_threshold(tp / (tp + fn), tn / (fp + tn))),
    "ts": ("threat_score critical_success_index csi", lambda tp, fp, tn, fn: tp / (tp + fn + fp)),
    "acc": ("accuracy", lambda tp, fp, tn, fn: (tp + tn) / (tp + fp + tn + fn)),
    "ba": ("balanced_accuracy", lambda tp, fp, tn, fn: (tp / (tp + fn) + tn / (fp + tn)) / 2),
    "f1": ("f1_score", lambda tp, fp, tn, fn: 2 * tp / (2 * tp + fn + fp)),
    "mcc": ("matthews_correlation_coefficient",
            lambda tp, fp, tn, fn: (tp * tn - fp * fn) / np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))),
    "fm": ("fowlkes_mallows_index", lambda tp, fp, tn, fn: np.sqrt(tp / (tp + fp) * (tp / (tp + fn)))),
    "bm": ("informedness bookmaker_informedness", lambda tp, fp, tn, fn: tp / (tp + fn) + tn / (fp + tn) - 1),
    "mk": ("markedness deltap", lambda tp, fp, tn, fn: tp / (tp + fp) + tn / (tn + fn) - 1),
}
_BY_NAME = {alias: key for key, (aliases, _) in _MEASURES.items() for alias in (key, *aliases.split())}


def _prevalence_threshold(tpr, tnr):
    return (np.sqrt(tpr * (1 - tnr)) + tnr - 1) / (tpr + tnr - 1)


def _measure(name: str, counts: np.ndarray) -> np.ndarray:
    """A measure of counts [..., 4]; NaN where it is not defined."""
    with np.errstate(divide="ignore", invalid="ignore"):
        result = np.asarray(_MEASURES[name][1](*(counts[..., i] for i in range(4))))
    return np.where(np.isfinite(result), result, np.nan)


class ConfusionMatrix(Metric):
    """How often class i was predicted as class j: row i, column j of a float64 matrix [num_classes, num_classes].

    Predictions are [N, C, ...], or of the labels' shape [N, ...]: class numbers, or values that `threshold` turns into
    0 and 1.  normalize: 'no_norm', 'target' (rows sum to 1), 'prediction' (columns) or 'all'.
    """

    def __init__(self, num_classes: int, normalize: str = "no_norm", threshold: float = 0.5):
        super().__init__()
        if isinstance(num_classes, bool) or not isinstance(num_classes, int):
            raise TypeError(f"num_classes must be an int, got {type(num_classes).__name__}")
        if normalize not in ("target", "prediction", "all", "no_norm"):
            raise ValueError("For 'ConfusionMatrix', the argument 'normalize' must be 'target', 'prediction', 'all' or "
                             f"'no_norm', but got {normalize}.")
        if not isinstance(threshold, float):
            raise TypeError(f"threshold must be a float, got {type(threshold).__name__}")
        self.num_classes, self.normalize, self.threshold = num_classes, normalize, threshold
        self.clear()

    def clear(self):
        self.confusion_matrix = np.zeros((self.num_classes, self.num_classes))
        self._is_update = False

    @rearrange_inputs
    def update(self, *inputs):
        predictions, labels = self._pair(inputs)
        if predictions.ndim == labels.ndim + 1:
            predictions = predictions.argmax(axis=1)
        elif predictions.ndim != labels.ndim:
            raise ValueError("For 'ConfusionMatrix.update', predicted value (input[0]) and true value (input[1]) "
                             "should have same dimensions, or the dimension of predicted value equals the dimension of "
                             f"true value add 1, but got predicted value ndim: {predictions.ndim}, true value ndim: "
                             f"{labels.ndim}.")
        if predictions.dtype.kind == "f":
            predictions = predictions >= self.threshold
        predictions, labels = (a.reshape(-1).astype(np.int64) for a in (predictions, labels))
        for name, array in (("predicted", predictions), ("true", labels)):
            if array.size and not 0 <= array.min() <= array.max() < self.num_classes:
                raise ValueError(f"For 'ConfusionMatrix.update', the {name} values lie between {array.min()} and "
                                 f"{array.max()}, but there are {self.num_classes} classes")
        np.add.at(self.confusion_matrix, (labels, predictions), 1)
        self._is_update = True

    def eval(self):
        if not self._is_update:
            raise RuntimeError("Please call the 'update' method before calling 'eval' method.")
        matrix = self.confusion_matrix.copy()
        if self.normalize == "no_norm":
            return matrix
        axis = {"target": 1, "prediction": 0, "all": None}[self.normalize]
        total = matrix.sum(axis=axis, keepdims=True)
        return np.divide(matrix, total, out=np.zeros_like(matrix), where=total != 0)


class ConfusionMatrixMetric(Metric):
    """A measure of true and false positives and negatives.

    Predictions and labels are one-hot, [N, C, ...].  metric_name: 'sensitivity', 'specificity', 'precision', 'f1
    score', ... under any of its usual names.  skip_channel: False leaves class 0 out, True (sic) does not.
    calculation_method: False adds up the counts of all samples first; True measures each sample and reduces by
    `decrease` ('none', 'mean', 'sum', 'mean_batch', 'sum_batch', 'mean_channel', 'sum_channel'), for inputs of more
    than two axes.
    """

    def __init__(self, skip_channel: bool = True, metric_name: str = "sensitivity", calculation_method: bool = False,
                 decrease: str = "mean"):
        super().__init__()
        key = _BY_NAME.get(str(metric_name).lower().replace(" ", "_"))
        if key is None:
            raise NotImplementedError(f"The metric {metric_name!r} is not implemented; there are {', '.join(_BY_NAME)}")
        if decrease not in _DECREASE:
            raise ValueError(f"decrease must be one of {list(_DECREASE)}, but got {decrease!r}")
        self.skip_channel, self.metric_name = skip_channel, metric_name
        self.calculation_method, self.decrease = calculation_method, decrease
        self._key = key
        self.clear()

    def clear(self):
        self._counts = np.zeros(4)
        self._total, self._number = 0.0, 0

    @rearrange_inputs
    def update(self, *inputs):
        predictions, labels = self._pair(inputs)
        if not is_zero_one(labels):
            raise ValueError("For 'ConfusionMatrixMetric.update', the true value (input[1]) must be a binarized "
                             "ndarray.")
        if predictions.ndim < 2:
            raise ValueError("For 'ConfusionMatrixMetric.update', the predicted value (input[0]) must have at least 2 "
                             f"dimensions, but got {predictions.ndim}.")
        if predictions.shape != labels.shape:
            raise ValueError("For 'ConfusionMatrixMetric.update', the predicted value and the true value must have the "
                             f"same shape, but got {predictions.shape} and {labels.shape}.")
        counts = self._count(predictions, labels)
        flat = predictions.ndim == 2 or predictions.ndim == 3 and predictions.shape[-1] == 1
        if self.calculation_method and not flat:
            score, defined = _DECREASE[self.decrease](_measure(self._key, counts))
            self._total += float(np.sum(score * defined))
            self._number += int(np.sum(defined))
        else:
            self._counts += counts.sum(axis=(0, 1))

    def _count(self, predictions, labels) -> np.ndarray:
        """[N, C, 4]: tp, fp, tn, fn of each class of each sample."""
        # MindSpore's numbers: its flag works the other way round than its name says, and scripts expect them.
        start = 0 if self.skip_channel or predictions.shape[1] == 1 else 1
        predictions, labels = (a[:, start:].reshape(a.shape[0], a.shape[1] - start, -1) for a in (predictions, labels))
        positives, size = labels.sum(axis=2), labels.shape[2]
        tp = ((predictions + labels) == 2).sum(axis=2)
        tn = ((predictions + labels) == 0).sum(axis=2)
        return np.stack([tp, size - positives - tn, tn, positives - tp], axis=-1).astype(np.float64)

    def eval(self):
        """The measure: float64 [1], or the mean over samples if they were measured one by one."""
        if self._number:
            return self._total / self._number
        if not self._counts.any():
            self._require_samples(0)
        return _measure(self._key, self._counts[None])


def _reduced(values: np.ndarray, axes, mean: bool) -> tuple:
    """(sum or mean over `axes` without NaN, how many values it is of)."""
    defined = np.isfinite(values)
    total, number = np.where(defined, values, 0.0), defined.astype(np.float64)
    for axis in axes:
        total, count = total.sum(axis=axis), number.sum(axis=axis)
        if mean:
            total = np.divide(total, count, out=np.zeros_like(total), where=count > 0)
            number = (count > 0).astype(np.float64)
        else:
            number = count
    return (total, count) if mean else (total, number)


_DECREASE = {
    "none": lambda values: (np.where(np.isfinite(values), values, 0.0), np.isfinite(values).astype(np.float64)),
    "mean": lambda values: _reduced(values, (1, 0), True),
    "sum": lambda values: _reduced(values, (1, 0), False),
    "mean_batch": lambda values: _reduced(values, (0,), True),
    "sum_batch": lambda values: _reduced(values, (0,), False),
    "mean_channel": lambda values: _reduced(values, (1,), True),
    "sum_channel": lambda values: _reduced(values, (1,), False),
}
